"""What a FEC is made of: balances brought forward and the postings of a fiscal year, as sealed.

Next: `gl_export/fec.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from gl_export import store
from gl_export.errors import FecRefused
from gl_export.fec import FecLine, rows
from gl_export.queries.balances import AFTER_BLOCK, control_balances
from ledger.dates import fiscal_year_end, fiscal_year_start
from ledger.money import Money
from ledger.queries.accounts import accounts, book

YEAR_END = "year_end_close"
"""The template of the entry that closes income and expenses."""

_LINES = """
WITH {after_block}
SELECT e.subledger_id, e.entry_no, e.booking_date, e.effective_date, coalesce(e.narration, e.template) AS label,
       a.code, side.sign * p.amount AS amount, p.currency, CAST(s.sealed_at AS date) AS sealed_on
  FROM ledger.journal_entry e
  LEFT JOIN after_block b ON b.subledger_id = e.subledger_id
  JOIN ledger.seal_member m ON m.subledger_id = e.subledger_id AND e.entry_no BETWEEN m.from_no AND m.to_no
  JOIN ledger.seal_block s ON s.block_no = m.block_no
  JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no
       AND p.booking_date BETWEEN :from_date AND :as_of
 CROSS JOIN LATERAL (VALUES (1, p.debit_account, 1), (2, p.credit_account, -1)) side (no, account_id, sign)
  JOIN ledger.account a ON a.account_id = side.account_id AND a.type <> 'off_balance'
 WHERE e.book_id = :book_id AND e.booking_date BETWEEN :from_date AND :as_of AND e.template <> :year_end
   AND (b.first_no IS NULL OR e.entry_no < b.first_no)
 ORDER BY e.booking_date, e.subledger_id, e.entry_no, p.seq, side.no
"""


def fec(connection: sa.Connection, book_code: str, year: int, *, known_at: int | None = None) -> Iterator[str]:
    """Yield the lines of the FEC of a fiscal year, as known at a block or at the newest.

    Raises: BookUnknown; FecRefused if the year before is not closed, or the book has a second currency.
    """
    owner = book(connection, book_code)
    from_date = fiscal_year_start(year, start_month=owner.fiscal_year_start_month)
    as_of = fiscal_year_end(year, start_month=owner.fiscal_year_start_month)
    block_no = store.head_block(connection) if known_at is None else known_at
    found = {str(account.code): account for account in accounts(connection, book_code, as_of)}
    names = {code: account.name for code, account in found.items()}
    openings = tuple(_openings(connection, book_code, from_date, block_no))
    for line in openings:
        if str(found[line.account].type) in ("income", "expense"):
            reason = f"account {line.account} brings forward {line.amount.format()}: close the year before"
            raise FecRefused(place=f"fiscal year {year}", reason=reason)
    values = {"book_id": owner.book_id, "from_date": from_date, "as_of": as_of, "known_at": block_no}
    # By a cursor of the server: a year is not held in memory.
    statement = sa.text(_LINES.format(after_block=AFTER_BLOCK)).execution_options(yield_per=10_000)
    postings = connection.execute(statement, {**values, "year_end": YEAR_END})
    kept = tuple(line for line in openings if str(found[line.account].type) != "off_balance")
    return rows(kept, _lines(postings, int(owner.own_subledger_id), owner.base_currency), names)


def _openings(connection: sa.Connection, book_code: str, from_date: date, block_no: int) -> Iterator[FecLine]:
    before = from_date - timedelta(days=1)
    balances = control_balances(connection, book_code, as_of=before, known_at=block_no)
    for (account, _), amount in sorted(balances.items()):
        if amount:
            label = f"Balance brought forward {from_date}"
            yield FecLine("opening", from_date, account, "", "AN", from_date, label, amount, from_date)


def _lines(postings: sa.CursorResult[Any], own: int, currency: str) -> Iterator[FecLine]:
    for row in postings:
        if row.currency != currency:
            reason = f"it is in {row.currency}; a FEC is in one currency, {currency}"
            raise FecRefused(place=f"entry {row.subledger_id}-{row.entry_no}", reason=reason)
        entry = f"{row.subledger_id}-{row.entry_no}"
        loan = "" if row.subledger_id == own else str(row.subledger_id)
        amount = Money(row.amount, row.currency)
        days = (row.booking_date, row.effective_date, row.sealed_on)
        yield FecLine(entry, days[0], row.code, loan, entry, days[1], row.label, amount, days[2])


def last_day(connection: sa.Connection, book_code: str, year: int) -> date:
    """Return the day on which a fiscal year of a book ends.

    Raises: BookUnknown.
    """
    return fiscal_year_end(year, start_month=book(connection, book_code).fiscal_year_start_month)
