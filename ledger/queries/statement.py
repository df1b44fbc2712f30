"""Account statements: what moved an account, line by line, with the running balance.

For one subledger the key of the journal serves; for a whole book the days asked for do, and the opening balance comes
from the trial balance of the day before. Next: `ledger/queries/journal.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from ledger.chart import AccountDefinition, Side
from ledger.errors import AccountUnknown, DateRangeBackwards, SubledgerUnknown
from ledger.money import Money, Total
from ledger.queries.accounts import accounts_by_id
from ledger.queries.trial_balance import trial_balance
from ledger.store import Book, book_id_of, load_book


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry's effect on the account; `balance` is positive on the account's normal side."""

    booking_date: date
    effective_date: date
    subledger_id: int
    entry_no: int
    template: str
    narration: str | None
    debit: Money
    credit: Money
    balance: Money


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """The account between two days, both included, in one currency."""

    account: AccountDefinition
    subledger_id: int | None
    from_date: date
    to_date: date
    opening: Money
    lines: tuple[StatementLine, ...]
    closing: Money


_LINES = (
    "SELECT e.booking_date, e.effective_date, e.subledger_id, e.entry_no, e.template, e.narration,"
    " sum(CASE WHEN p.debit_account = :account_id THEN p.amount ELSE 0 END) AS debit,"
    " sum(CASE WHEN p.credit_account = :account_id THEN p.amount ELSE 0 END) AS credit"
    " FROM ledger.posting p"
    " JOIN ledger.journal_entry e ON e.subledger_id = p.subledger_id AND e.entry_no = p.entry_no"
    " WHERE (p.debit_account = :account_id OR p.credit_account = :account_id) AND p.currency = :currency"
    " AND e.book_id = :book_id AND {where}"
    " GROUP BY e.subledger_id, e.entry_no ORDER BY e.booking_date, e.subledger_id, e.entry_no"
)


def account_statement(
    connection: sa.Connection,
    book_code: str,
    account_code: str,
    *,
    from_date: date | None = None,
    to_date: date | None = None,
    subledger_id: int | None = None,
    currency: str | None = None,
) -> AccountStatement:
    """Return the statement of an account by booking date, of one subledger or of the whole book.

    Without dates it begins when the book opened and ends on the business date; without a currency it is in the
    book's own.

    Raises: BookUnknown; AccountUnknown; SubledgerUnknown if the book has no such subledger; DateRangeBackwards.
    """
    book = load_book(connection, book_code)
    wanted = currency or book.base_currency
    first, last = from_date or book.opened_on, to_date or book.business_date
    account_id, account = _account(connection, book_code, account_code)
    if last < first:
        raise DateRangeBackwards(from_date=first, to_date=last)
    if subledger_id is not None and book_id_of(connection, subledger_id) != book.book_id:
        raise SubledgerUnknown(subledger_id=subledger_id)
    values = {
        "account_id": account_id,
        "book_id": book.book_id,
        "currency": wanted,
        "subledger_id": subledger_id,
        "first": first,
        "last": last,
    }
    if subledger_id is None:
        opening = _opening_of_book(connection, book, account, first, wanted)
        where = "p.booking_date BETWEEN :first AND :last"
    else:
        opening = _opening_of_subledger(connection, account, values, wanted)
        where = "p.subledger_id = :subledger_id AND p.booking_date BETWEEN :first AND :last"
    rows = connection.execute(sa.text(_LINES.format(where=where)), values)
    lines, balance = [], opening
    for row in rows:
        debit, credit = Total(int(row.debit), wanted), Total(int(row.credit), wanted)
        balance += _on_normal_side(account, debit, credit)
        lines.append(
            StatementLine(
                booking_date=row.booking_date,
                effective_date=row.effective_date,
                subledger_id=row.subledger_id,
                entry_no=row.entry_no,
                template=row.template,
                narration=row.narration,
                debit=debit,
                credit=credit,
                balance=balance,
            )
        )
    return AccountStatement(account, subledger_id, first, last, opening, tuple(lines), balance)


def _account(connection: sa.Connection, book_code: str, code: str) -> tuple[int, AccountDefinition]:
    """Find an account by its code or its slug."""
    for account_id, account in accounts_by_id(connection, book_code).items():
        if code in (account.code, account.slug):
            return account_id, account
    raise AccountUnknown(account=code)


def _on_normal_side(account: AccountDefinition, debit: Money, credit: Money) -> Money:
    return debit - credit if account.normal_side is Side.DEBIT else credit - debit


def _opening_of_book(
    connection: sa.Connection, book: Book, account: AccountDefinition, first: date, currency: str
) -> Money:
    if first > book.opened_on:
        before = trial_balance(connection, book.code, as_of=first - timedelta(days=1)).balance
        for row in before.rows:
            if (row.account.code, row.currency) == (account.code, currency):
                return row.balance_on(account.normal_side)
    return Money.zero(currency)


def _opening_of_subledger(
    connection: sa.Connection, account: AccountDefinition, values: dict[str, object], currency: str
) -> Money:
    statement = sa.text(
        "SELECT coalesce(sum(CASE WHEN debit_account = :account_id THEN amount ELSE -amount END), 0)"
        " FROM ledger.posting WHERE subledger_id = :subledger_id AND booking_date < :first AND currency = :currency"
        " AND (debit_account = :account_id OR credit_account = :account_id)"
    )
    debits_less_credits = Total(int(connection.scalar(statement, values) or 0), currency)
    return debits_less_credits if account.normal_side is Side.DEBIT else -debits_less_credits
