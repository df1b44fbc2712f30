"""What entries did to chosen accounts over a period: by account and kind of entry, and by day or by loan if asked.

Read from the journal, as known at a block. Next: `gl_export/reports/activity.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from gl_export.queries.balances import AFTER_BLOCK
from ledger.money import Money, Total
from ledger.queries.accounts import book

# An entry that reverses another counts under the template of that other one, on the other side.
_ACTIVITY = """
WITH {after_block},
entries AS (
    SELECT e.subledger_id, e.entry_no, e.booking_date, coalesce(r.template, e.template) AS template
      FROM ledger.journal_entry e
      LEFT JOIN ledger.journal_entry r ON r.subledger_id = e.subledger_id AND r.entry_no = e.reverses_no
      LEFT JOIN after_block b ON b.subledger_id = e.subledger_id
     WHERE e.book_id = :book_id AND e.booking_date BETWEEN :from_date AND :as_of
       AND (b.first_no IS NULL OR e.entry_no < b.first_no)
       AND (CAST(:templates AS text[]) IS NULL OR coalesce(r.template, e.template) = ANY (:templates)))
SELECT {day} AS day, {loan} AS subledger_id, a.code, p.currency, e.template,
       count(DISTINCT (e.subledger_id, e.entry_no)) AS entries,
       coalesce(sum(p.amount) FILTER (WHERE p.debit_account = a.account_id), 0) AS debits,
       coalesce(sum(p.amount) FILTER (WHERE p.credit_account = a.account_id), 0) AS credits
  FROM entries e
  JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no
       AND p.booking_date BETWEEN :from_date AND :as_of
  JOIN ledger.account a ON a.account_id IN (p.debit_account, p.credit_account) AND a.book_id = :book_id
 WHERE a.code = ANY (:codes)
 GROUP BY 1, 2, a.code, p.currency, e.template
 ORDER BY 1, 2, a.code, p.currency, e.template
"""


@dataclass(frozen=True, slots=True)
class Activity:
    """What entries of one template did to an account; without a day or a loan, of all of them."""

    day: date | None
    subledger_id: int | None
    account: str
    template: str
    entries: int
    debits: Money
    credits: Money


def activity(
    connection: sa.Connection,
    book_code: str,
    codes: Collection[str],
    *,
    from_date: date,
    as_of: date,
    known_at: int,
    templates: Collection[str] | None = None,
    by_day: bool = False,
    by_loan: bool = False,
) -> tuple[Activity, ...]:
    """Return what happened to accounts from a day through a day, in order.

    Raises: BookUnknown.
    """
    statement = _ACTIVITY.format(
        after_block=AFTER_BLOCK,
        day="e.booking_date" if by_day else "CAST(NULL AS date)",
        loan="e.subledger_id" if by_loan else "CAST(NULL AS bigint)",
    )
    values = {
        "book_id": book(connection, book_code).book_id,
        "from_date": from_date,
        "as_of": as_of,
        "known_at": known_at,
        "codes": sorted(codes),
        "templates": None if templates is None else sorted(templates),
    }
    return tuple(
        Activity(
            row.day,
            row.subledger_id,
            row.code,
            row.template,
            row.entries,
            Total(int(row.debits), row.currency),
            Total(int(row.credits), row.currency),
        )
        for row in connection.execute(sa.text(statement), values)
    )


_JOURNAL = """
WITH {after_block}
SELECT e.booking_date, e.subledger_id, e.entry_no, e.effective_date, e.template, d.code AS debit, c.code AS credit,
       p.amount, p.currency, e.narration, e.actor, e.approved_by, e.reverses_no
  FROM ledger.journal_entry e
  LEFT JOIN after_block b ON b.subledger_id = e.subledger_id
  JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no
       AND p.booking_date BETWEEN :from_date AND :as_of
  JOIN ledger.account d ON d.account_id = p.debit_account
  JOIN ledger.account c ON c.account_id = p.credit_account
 WHERE e.book_id = :book_id AND e.booking_date BETWEEN :from_date AND :as_of
   AND (b.first_no IS NULL OR e.entry_no < b.first_no)
 ORDER BY e.booking_date, e.subledger_id, e.entry_no, p.seq
"""


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A posting of an entry, with what is said of the entry."""

    booking_date: date
    subledger_id: int
    entry_no: int
    effective_date: date
    template: str
    debit: str
    credit: str
    amount: Money
    narration: str | None
    actor: str
    approved_by: str | None
    reverses_no: int | None


def journal_lines(
    connection: sa.Connection, book_code: str, *, from_date: date, as_of: date, known_at: int
) -> tuple[JournalLine, ...]:
    """Return every posting of a period, in the order of the journal.

    Raises: BookUnknown.
    """
    values = {"book_id": book(connection, book_code).book_id, "from_date": from_date, "as_of": as_of}
    statement = sa.text(_JOURNAL.format(after_block=AFTER_BLOCK))
    return tuple(
        JournalLine(
            row.booking_date,
            row.subledger_id,
            row.entry_no,
            row.effective_date,
            row.template,
            row.debit,
            row.credit,
            Money(row.amount, row.currency),
            row.narration,
            row.actor,
            row.approved_by,
            row.reverses_no,
        )
        for row in connection.execute(statement, {**values, "known_at": known_at})
    )
