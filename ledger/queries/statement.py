"""Account statements: what moved an account, line by line, with the running balance.

For one subledger the key of the journal serves; for a whole book the days asked for do, and the opening balance comes
from the trial balance of the day before. Next: `ledger/queries/journal.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from ledger.chart import AccountDefinition, Side
from ledger.errors import DateRangeBackwards, SubledgerUnknown
from ledger.money import Money, Total
from ledger.queries.accounts import find_account
from ledger.queries.trial_balance import By, trial_balance
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
    """The account between two days, both included, in one currency; `known_at` is a seal block's number."""

    account: AccountDefinition
    subledger_id: int | None
    from_date: date
    to_date: date
    by: By
    known_at: int | None
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
    " GROUP BY e.subledger_id, e.entry_no ORDER BY {order}, e.subledger_id, e.entry_no"
)
_ORDER: dict[By, str] = {"booking": "e.booking_date", "effective": "e.effective_date, e.booking_date"}
_KNOWN = (
    " AND EXISTS (SELECT FROM ledger.seal_member m WHERE m.subledger_id = p.subledger_id"
    " AND m.from_no <= p.entry_no AND m.to_no >= p.entry_no AND m.block_no <= :known_at)"
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
    by: By = "booking",
    known_at: int | None = None,
) -> AccountStatement:
    """Return the statement of an account by either date, of one subledger or of the whole book.

    Without dates it begins when the book opened and ends on the business date; without a currency it is in the
    book's own. With the same day, date and block as a trial balance, its closing balance is the one shown there, and
    its lines are the entries behind it.

    Raises: BookUnknown; AccountUnknown; SubledgerUnknown if the book has no such subledger; DateRangeBackwards.
    """
    book = load_book(connection, book_code)
    wanted = currency or book.base_currency
    first, last = from_date or book.opened_on, to_date or book.business_date
    account_id, account = find_account(connection, book_code, account_code)
    if last < first:
        raise DateRangeBackwards(from_date=first, to_date=last)
    if subledger_id is not None and book_id_of(connection, subledger_id) != book.book_id:
        raise SubledgerUnknown(subledger_id=subledger_id)
    values: dict[str, Any] = {
        "account_id": account_id,
        "book_id": book.book_id,
        "currency": wanted,
        "subledger_id": subledger_id,
        "first": first,
        "last": last,
        "known_at": known_at,
    }
    of = "p" if by == "booking" else "e"
    where = f"{of}.{by}_date BETWEEN :first AND :last" + (_KNOWN if known_at is not None else "")
    if subledger_id is None:
        opening = _opening_of_book(connection, book, account, first, wanted, by, known_at)
    else:
        where = f"p.subledger_id = :subledger_id AND {where}"
        opening = _opening_of_subledger(connection, account, values, wanted, by)
    rows = connection.execute(sa.text(_LINES.format(where=where, order=_ORDER[by])), values)
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
    return AccountStatement(account, subledger_id, first, last, by, known_at, opening, tuple(lines), balance)


def _on_normal_side(account: AccountDefinition, debit: Money, credit: Money) -> Money:
    return debit - credit if account.normal_side is Side.DEBIT else credit - debit


def _opening_of_book(
    connection: sa.Connection,
    book: Book,
    account: AccountDefinition,
    first: date,
    currency: str,
    by: By,
    known_at: int | None,
) -> Money:
    # By booking date there is nothing before the book opened; by effective date there may be.
    if first > date.min and (first > book.opened_on or by == "effective"):
        day_before = first - timedelta(days=1)
        before = trial_balance(connection, book.code, as_of=day_before, by=by, known_at=known_at).balance
        for row in before.rows:
            if (row.account.code, row.currency) == (account.code, currency):
                return row.balance_on(account.normal_side)
    return Money.zero(currency)


_OPENING_OF_SUBLEDGER = (
    "SELECT coalesce(sum(CASE WHEN p.debit_account = :account_id THEN p.amount ELSE -p.amount END), 0)"
    " FROM ledger.posting p{entries} WHERE p.subledger_id = :subledger_id AND {of}.{by}_date < :first"
    " AND p.currency = :currency AND (p.debit_account = :account_id OR p.credit_account = :account_id)"
)
_ENTRIES = " JOIN ledger.journal_entry e ON e.subledger_id = p.subledger_id AND e.entry_no = p.entry_no"


def _opening_of_subledger(
    connection: sa.Connection, account: AccountDefinition, values: dict[str, Any], currency: str, by: By
) -> Money:
    entries, of = ("", "p") if by == "booking" else (_ENTRIES, "e")
    statement = _OPENING_OF_SUBLEDGER.format(entries=entries, of=of, by=by)
    known = _KNOWN if values["known_at"] is not None else ""
    debits_less_credits = Total(int(connection.scalar(sa.text(statement + known), values) or 0), currency)
    return debits_less_credits if account.normal_side is Side.DEBIT else -debits_less_credits
