"""Accounts: opening, renaming, closing. Nothing here is ever deleted.

An account's nature (type, normal side, currency) is for ever; its name, parent and closing are effective-dated rows.
Next: `ledger/sql/reference.sql`; `ledger/queries/accounts.py` for what is there.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from ledger.chart import AccountDefinition
from ledger.ids import take_ids
from ledger.store import ids_of, load_book
from ledger.unit_of_work import UnitOfWork


def open_account(uow: UnitOfWork, book_code: str, definition: AccountDefinition, *, effective_from: date) -> int:
    """Open an account in a book and return its id.

    Raises: BookUnknown; AccountExists; AccountUnknown for the parent.
    """
    book = load_book(uow.connection, book_code)
    (account_id,) = take_ids(uow.connection.engine, "account")
    uow.connection.execute(
        sa.text(
            "SELECT ledger.open_account(:account_id, :book_id, :code, :slug, :name, :type, :normal_side, :parent,"
            " :currency, :header, :subledgered, :may_go_contra, :control, :effective_from, :actor)"
        ),
        {
            "account_id": account_id,
            "book_id": book.book_id,
            "code": definition.code,
            "slug": definition.slug,
            "name": definition.name,
            "type": str(definition.type),
            "normal_side": str(definition.normal_side),
            "parent": definition.parent,
            "currency": definition.currency,
            "header": definition.header,
            "subledgered": definition.subledgered,
            "may_go_contra": definition.may_go_contra,
            "control": definition.control,
            "effective_from": effective_from,
            "actor": uow.actor,
        },
    )
    return account_id


def close_account(uow: UnitOfWork, book_code: str, code: str, *, closed_from: date) -> None:
    """Close an account: booking dates from `closed_from` on are refused.

    Raises: BookUnknown; AccountUnknown; AccountClosed if it is closed already.
    """
    _change(uow, book_code, code, effective_from=closed_from, is_closed=True)


def reopen_account(uow: UnitOfWork, book_code: str, code: str, *, effective_from: date) -> None:
    """Let an account be posted to again.

    Raises: BookUnknown; AccountUnknown.
    """
    _change(uow, book_code, code, effective_from=effective_from, is_closed=False)


def rename_account(uow: UnitOfWork, book_code: str, code: str, name: str, *, effective_from: date) -> None:
    """Give an account another name from a day on; reports of earlier days keep the old one.

    Raises: BookUnknown; AccountUnknown.
    """
    _change(uow, book_code, code, effective_from=effective_from, name=name)


_CHANGE = sa.text(
    "SELECT ledger.change_account(:account_id, :effective_from, :name, NULL, :is_closed, :actor)"
).bindparams(sa.bindparam("name", type_=sa.Text), sa.bindparam("is_closed", type_=sa.Boolean))


def _change(
    uow: UnitOfWork,
    book_code: str,
    code: str,
    *,
    effective_from: date,
    name: str | None = None,
    is_closed: bool | None = None,
) -> None:
    book = load_book(uow.connection, book_code)
    (account_id,) = ids_of(uow.connection, book.book_id, [code])
    values = {
        "account_id": account_id,
        "effective_from": effective_from,
        "name": name,
        "is_closed": is_closed,
    }
    uow.connection.execute(_CHANGE, {**values, "actor": uow.actor})
