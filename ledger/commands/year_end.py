"""The year-end closing entry: income and expense go to retained earnings, by two people.

Booked on the last day of the fiscal year while its month is not closed; an income statement leaves it out. Run again
after late adjustments, it closes what has come since. Next: `ledger/queries/trial_balance.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from ledger.chart import AccountCode, AccountType, Side
from ledger.commands.posting import PostedEntry, post_entry
from ledger.dates import fiscal_year_end
from ledger.errors import ApprovalMissing
from ledger.journal import EntryDraft, Line
from ledger.pairing import pair
from ledger.queries.accounts import role_map
from ledger.queries.trial_balance import trial_balance
from ledger.store import load_book
from ledger.trial_balance import TrialBalance
from ledger.unit_of_work import UnitOfWork

TEMPLATE = "year_end_close"
TEMPLATE_VERSION = 1
RESULT_TYPES = (AccountType.INCOME, AccountType.EXPENSE)


@dataclass(frozen=True, slots=True)
class YearEndClose:
    """The closing entry, or None if there was nothing left to close."""

    fiscal_year: int
    posted: PostedEntry | None


def year_end_close(uow: UnitOfWork, book_code: str, fiscal_year: int) -> YearEndClose:
    """Carry the balances of income and expense accounts at the end of a fiscal year to retained earnings.

    Raises: ApprovalMissing without a second person; BookingDateRefused if the year is not over or its last month is
    closed; RoleUnmapped.
    """
    book = load_book(uow.connection, book_code)
    if uow.approver in (None, "", uow.actor):
        raise ApprovalMissing(action=f"year-end close of {fiscal_year}", actor=uow.actor, approver=uow.approver)
    last_day = fiscal_year_end(fiscal_year, start_month=book.fiscal_year_start_month)
    balance = trial_balance(uow.connection, book_code, as_of=last_day).balance
    retained = role_map(uow.connection, book_code, "default")["RETAINED_EARNINGS"]
    lines = closing_lines(balance, retained)
    if not lines:
        return YearEndClose(fiscal_year, None)
    versions = uow.connection.scalar(
        sa.text("SELECT count(*) FROM ledger.year_end WHERE book_id = :book_id AND fiscal_year_end = :day"),
        {"book_id": book.book_id, "day": last_day},
    )
    draft = EntryDraft(
        subledger_id=book.own_subledger_id,
        template=TEMPLATE,
        template_version=TEMPLATE_VERSION,
        effective_date=last_day,
        booking_date=last_day,
        actor=uow.actor,
        approved_by=uow.approver,
        request_key=f"year_end:{last_day}:{(versions or 0) + 1}",
        narration=f"Fiscal year {fiscal_year} closed to retained earnings",
        postings=pair(lines),
    )
    posted = post_entry(uow, draft)
    if posted.replayed:
        # A twin has booked it and recorded it meanwhile.
        return YearEndClose(fiscal_year, posted)
    uow.connection.execute(
        sa.text("SELECT ledger.record_year_end(:book_id, :day, :entry_no)"),
        {"book_id": book.book_id, "day": last_day, "entry_no": posted.entry_no},
    )
    return YearEndClose(fiscal_year, posted)


def closing_lines(balance: TrialBalance, retained_earnings: AccountCode) -> tuple[Line, ...]:
    """Return the lines that bring every income and expense account to zero, and the result to retained earnings."""
    lines = []
    for row in balance.rows:
        if row.account.type not in RESULT_TYPES:
            continue
        for side, money in ((Side.CREDIT, row.debit_balance), (Side.DEBIT, row.credit_balance)):
            if money:
                lines.append(Line(row.account.code, side, money))
                lines.append(Line(retained_earnings, side.opposite, money))
    return tuple(lines)
