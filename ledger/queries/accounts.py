"""The chart as it stands, or stood on a day: accounts, role maps, balances of a subledger.

Next: `ledger/queries/trial_balance.py` for totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import sqlalchemy as sa

from ledger.chart import AccountCode, AccountDefinition, AccountType, Chart, Side
from ledger.errors import AccountUnknown, RoleMapUnknown, SubledgerUnknown
from ledger.money import Money
from ledger.store import Book as Book  # noqa: PLC0414 - an explicit export: other packages name a book by it
from ledger.store import ids_of, load_book, load_books
from ledger.store import learn_books as learn_books  # noqa: PLC0414 - likewise: they know the books of their loans

_ACCOUNTS = sa.text(
    "SELECT a.account_id, a.code, a.slug, a.type, a.normal_side, a.currency, a.header, a.subledgered, a.may_go_contra,"
    " a.control, a.opened_from, a.closed_from, c.name, parent.code AS parent"
    " FROM ledger.account a"
    " JOIN ledger.book b ON b.book_id = a.book_id AND b.code = :book_code"
    " JOIN LATERAL (SELECT c.name, c.parent_id FROM ledger.account_change c WHERE c.account_id = a.account_id"
    "   AND (c.effective_from <= coalesce(:on, 'infinity'::date) OR c.effective_from = a.opened_from)"
    "   ORDER BY c.effective_from DESC, c.change_no DESC LIMIT 1) c ON true"
    " LEFT JOIN ledger.account parent ON parent.account_id = c.parent_id"
    " ORDER BY a.code"
).bindparams(sa.bindparam("on", type_=sa.Date))


def book(connection: sa.Connection, code: str) -> Book:
    """Return a book.

    Raises: BookUnknown.
    """
    return load_book(connection, code)


def books(connection: sa.Connection) -> tuple[Book, ...]:
    """Return every book, by code."""
    return load_books(connection)


def accounts_by_id(
    connection: sa.Connection, book_code: str, on: date | None = None
) -> Mapping[int, AccountDefinition]:
    """Return the accounts of a book by id, named as on a day (None: as the latest change has it)."""
    rows = connection.execute(_ACCOUNTS, {"book_code": book_code, "on": on})
    return {
        row.account_id: AccountDefinition(
            code=AccountCode(row.code),
            slug=row.slug,
            name=row.name,
            type=AccountType(row.type),
            normal_side=Side(row.normal_side),
            parent=row.parent,
            currency=row.currency,
            header=row.header,
            subledgered=row.subledgered,
            may_go_contra=row.may_go_contra,
            control=row.control,
        )
        for row in rows
    }


def accounts(connection: sa.Connection, book_code: str, on: date | None = None) -> tuple[AccountDefinition, ...]:
    """Return the accounts of a book by code."""
    return tuple(accounts_by_id(connection, book_code, on).values())


def find_account(connection: sa.Connection, book_code: str, word: str) -> tuple[int, AccountDefinition]:
    """Return the id and the definition of an account, by its code or its slug.

    Raises: AccountUnknown.
    """
    for account_id, account in accounts_by_id(connection, book_code).items():
        if word in (account.code, account.slug):
            return account_id, account
    raise AccountUnknown(account=word)


def account_ids(connection: sa.Connection, book_code: str, codes: Iterable[str]) -> list[int]:
    """Return the ids of accounts of a book by their codes, for statements that join them in the database.

    Raises: BookUnknown; AccountUnknown.
    """
    return ids_of(connection, load_book(connection, book_code).book_id, codes)


def closed_from(connection: sa.Connection, book_code: str) -> Mapping[str, date | None]:
    """Return from when each account of a book is closed, by code; None for those that are open."""
    rows = connection.execute(_ACCOUNTS, {"book_code": book_code, "on": None})
    return {row.code: row.closed_from for row in rows}


def role_maps(
    connection: sa.Connection, book_code: str, on: date | None = None
) -> Mapping[str, Mapping[str, AccountCode]]:
    """Return the account of each role in each map, as in force on a day (None: by the latest row)."""
    statement = sa.text(
        "SELECT DISTINCT ON (r.map_name, r.role) r.map_name, r.role, a.code FROM ledger.role_map r"
        " JOIN ledger.book b ON b.book_id = r.book_id AND b.code = :book_code"
        " JOIN ledger.account a ON a.account_id = r.account_id"
        " WHERE r.effective_from <= coalesce(:on, 'infinity'::date)"
        " ORDER BY r.map_name, r.role, r.effective_from DESC"
    ).bindparams(sa.bindparam("on", type_=sa.Date))
    found: dict[str, dict[str, AccountCode]] = {}
    for map_name, role, code in connection.execute(statement, {"book_code": book_code, "on": on}):
        found.setdefault(map_name, {})[role] = AccountCode(code)
    return found


def role_map(connection: sa.Connection, book_code: str, name: str, on: date | None = None) -> Mapping[str, AccountCode]:
    """Return the account of every role: the named map laid over the default one.

    Raises: RoleMapUnknown.
    """
    maps = role_maps(connection, book_code, on)
    if name not in maps:
        raise RoleMapUnknown(role_map=name, known=tuple(maps))
    return {**maps.get("default", {}), **maps[name]}


def chart(connection: sa.Connection, book_code: str, on: date | None = None) -> Chart:
    """Return the chart of a book as on a day, with its role maps."""
    return Chart(
        name=book_code,
        accounts=accounts(connection, book_code, on),
        roles=role_maps(connection, book_code, on),
    )


def balances(connection: sa.Connection, subledger_id: int) -> Mapping[AccountCode, Money]:
    """Return the balances of a subledger by account, positive on the account's normal side.

    An account that was posted to in several currencies is not seen in subledgers of a loan, which take one.

    Raises: SubledgerUnknown.
    """
    return balances_of_many(connection, [subledger_id])[subledger_id]


def balances_of_many(connection: sa.Connection, subledger_ids: list[int]) -> Mapping[int, Mapping[AccountCode, Money]]:
    """Return the balances of each subledger by account, in one round trip.

    Raises: SubledgerUnknown for the first that does not exist.
    """
    statement = sa.text(
        "SELECT s.subledger_id, a.code, b.balance, b.currency FROM ledger.subledger s"
        " LEFT JOIN ledger.account_balance b ON b.subledger_id = s.subledger_id"
        " LEFT JOIN ledger.account a ON a.account_id = b.account_id"
        " WHERE s.subledger_id = ANY (:ids) ORDER BY s.subledger_id, a.code"
    )
    found: dict[int, dict[AccountCode, Money]] = {}
    for subledger_id, code, balance, currency in connection.execute(statement, {"ids": subledger_ids}):
        held = found.setdefault(subledger_id, {})
        if code is not None:
            held[AccountCode(code)] = Money(balance, currency)
    for subledger_id in subledger_ids:
        if subledger_id not in found:
            raise SubledgerUnknown(subledger_id=subledger_id)
    return found
