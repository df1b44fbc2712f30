"""Books and their charts: opening one, loading a chart into it, moving its business date.

Loading the same chart again changes nothing; a chart that contradicts what the book has is refused account by account.
Never: periods (`ledger/commands/periods.py`), beyond opening the months that the business date enters.
Next: `ledger/chart_file.py` for charts as TOML.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from ledger.chart import Chart
from ledger.commands.accounts import open_account
from ledger.dates import fiscal_year_of
from ledger.errors import BookExists, BookingBeforeBookOpened, TextRefused
from ledger.ids import take_ids
from ledger.journal import refuse_unstorable
from ledger.money import Currency
from ledger.queries.accounts import accounts as load_accounts
from ledger.queries.accounts import role_maps as load_role_maps
from ledger.store import Book, load_book, load_books
from ledger.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ChartLoad:
    """What loading a chart did: accounts opened, accounts that were there, roles mapped."""

    opened: tuple[str, ...]
    unchanged: tuple[str, ...]
    roles_mapped: int


def create_book(
    uow: UnitOfWork,
    *,
    code: str,
    name: str,
    base_currency: str,
    opened_on: date,
    business_date: date | None = None,
    time_zone: str = "America/New_York",
    fiscal_year_start_month: int = 1,
) -> Book:
    """Open a book whose first business date is `business_date`, or the day it opens.

    Raises: BookExists; CurrencyUnknown; MonthMalformed for a fiscal year that begins in none; BookingBeforeBookOpened;
    TextRefused for an empty name or a time zone that nobody knows.
    """
    for field, text in (("code", code), ("name", name)):
        refuse_unstorable(field, text)
        if not text.strip():
            raise TextRefused(field=field, reason="it is empty")
    Currency.of(base_currency)
    fiscal_year_of(opened_on, start_month=fiscal_year_start_month)
    if business_date is not None and business_date < opened_on:
        raise BookingBeforeBookOpened(book=code, booking_date=business_date, opened_on=opened_on)
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise TextRefused(field="time_zone", reason=f"{time_zone} is not a time zone of the IANA database") from None
    if any(book.code == code for book in load_books(uow.connection)):
        raise BookExists(book=code)
    uow.connection.execute(
        sa.text(
            "SELECT ledger.create_book(:book_id, :own, :code, :name, :currency, :zone, :month, :opened_on,"
            " :business_date, :actor)"
        ),
        {
            "book_id": take_ids(uow.connection.engine, "book").start,
            "own": take_ids(uow.connection.engine, "subledger").start,
            "code": code,
            "name": name,
            "currency": base_currency,
            "zone": time_zone,
            "month": fiscal_year_start_month,
            "opened_on": opened_on,
            "business_date": business_date or opened_on,
            "actor": uow.actor,
        },
    )
    return load_book(uow.connection, code)


def load_chart(uow: UnitOfWork, book_code: str, chart: Chart, *, keep: bool = False) -> ChartLoad:
    """Open the accounts of a chart that the book has not, and map its roles, from the day that the book opened.

    A role that was mapped to another account before moves to its new one on the business date. With `keep`, what the
    book has stays as it is: roles that are mapped, and accounts of the same kind under another name.

    Raises: AccountExists if the book has an account of that code or name which is not the same.
    """
    book = load_book(uow.connection, book_code)
    present = {account.code: account for account in load_accounts(uow.connection, book_code)}
    opened, unchanged = [], []
    for definition in chart.accounts:
        here = present.get(definition.code)
        if here == definition or (keep and here is not None and here.is_of_the_kind_of(definition)):
            unchanged.append(definition.code)
            continue
        open_account(uow, book_code, definition, effective_from=book.opened_on)
        opened.append(definition.code)
    mapped = load_role_maps(uow.connection, book_code)
    new_roles = [
        {
            "book_id": book.book_id,
            "map": name,
            "role": role,
            "account": code,
            "from": book.business_date if role in mapped.get(name, {}) else book.opened_on,
            "actor": uow.actor,
        }
        for name, roles in chart.roles.items()
        for role, code in roles.items()
        if mapped.get(name, {}).get(role) != code and not (keep and role in mapped.get(name, {}))
    ]
    for values in new_roles:
        uow.connection.execute(
            sa.text("SELECT ledger.map_role(:book_id, :map, :role, :account, :from, :actor)"), values
        )
    return ChartLoad(tuple(opened), tuple(unchanged), len(new_roles))


def advance_business_date(uow: UnitOfWork, book_code: str, to: date) -> Book:
    """Move the book's business date forward; entries are booked on it from now on. To the same day: nothing happens.

    Raises: BookUnknown; BookingDateRefused if the date lies behind.
    """
    book = load_book(uow.connection, book_code)
    uow.connection.execute(
        sa.text("SELECT ledger.advance_business_date(:book_id, :to, :actor)"),
        {"book_id": book.book_id, "to": to, "actor": uow.actor},
    )
    return load_book(uow.connection, book_code)
