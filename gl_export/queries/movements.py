"""What moved the balances of the loans over a period: by account and kind of entry, for all loans or each.

Read from the journal itself, so that a roll-forward proves something against balances from elsewhere.
Next: `gl_export/roll_forward.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from gl_export.queries.balances import AFTER_BLOCK
from gl_export.roll_forward import Movement
from ledger.money import Total
from ledger.queries.accounts import book

# An entry that reverses another counts under the template of that other one.
_MOVEMENTS = """
WITH {after_block},
entries AS (
    SELECT e.subledger_id, e.entry_no, coalesce(r.template, e.template) AS template,
           r.entry_no IS NOT NULL AS reversal
      FROM ledger.journal_entry e
      LEFT JOIN ledger.journal_entry r ON r.subledger_id = e.subledger_id AND r.entry_no = e.reverses_no
      LEFT JOIN after_block b ON b.subledger_id = e.subledger_id
     WHERE e.book_id = :book_id AND e.booking_date BETWEEN :from_date AND :as_of
       AND (b.first_no IS NULL OR e.entry_no < b.first_no)),
movements AS (
    SELECT e.subledger_id, side.account_id, p.currency, e.template, e.reversal, sum(side.change) AS change,
           count(DISTINCT e.entry_no) AS entry_count
      FROM entries e
      JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no
           AND p.booking_date BETWEEN :from_date AND :as_of
     CROSS JOIN LATERAL (VALUES (p.debit_account, p.amount), (p.credit_account, -p.amount))
           side (account_id, change)
     GROUP BY e.subledger_id, side.account_id, p.currency, e.template, e.reversal)
SELECT {loan} a.code, m.currency, m.template, m.reversal, sum(m.change) AS change,
       sum(m.entry_count) AS entry_count
  FROM movements m JOIN ledger.account a ON a.account_id = m.account_id AND a.subledgered
 GROUP BY {loan} a.code, m.currency, m.template, m.reversal
 ORDER BY {loan} a.code, m.currency, m.template, m.reversal
"""


def movements(
    connection: sa.Connection, book_code: str, *, from_date: date, as_of: date, known_at: int
) -> tuple[Movement, ...]:
    """Return what each kind of entry booked from one day through another did to each account of the loans."""
    rows = _rows(connection, book_code, (from_date, as_of, known_at), loan="")
    return tuple(_movement(row) for row in rows)


def movements_by_loan(
    connection: sa.Connection, book_code: str, *, from_date: date, as_of: date, known_at: int
) -> tuple[tuple[int, Movement], ...]:
    """Return the same for each loan, by its id."""
    rows = _rows(connection, book_code, (from_date, as_of, known_at), loan="m.subledger_id,")
    return tuple((row.subledger_id, _movement(row)) for row in rows)


def _rows(connection: sa.Connection, book_code: str, bounds: tuple[date, date, int], *, loan: str) -> Iterable[Any]:
    from_date, as_of, known_at = bounds
    values = {"book_id": book(connection, book_code).book_id, "from_date": from_date, "as_of": as_of}
    statement = sa.text(_MOVEMENTS.format(after_block=AFTER_BLOCK, loan=loan))
    return connection.execute(statement, {**values, "known_at": known_at})


def _movement(row: Any) -> Movement:
    change = Total(int(row.change), row.currency)
    return Movement(row.code, row.template, row.reversal, change, int(row.entry_count))
