"""Subledgers: one for each loan, opened before anything is posted to it, frozen where a court demands it.

Never: entries (`ledger/commands/posting.py`), or what a loan is.
Next: `ledger.open_subledgers` in `ledger/sql/reference.sql`, for how a close and a birth at once come out right.
"""

from __future__ import annotations

import sqlalchemy as sa

from ledger.ids import take_ids
from ledger.money import Currency
from ledger.store import load_book
from ledger.unit_of_work import UnitOfWork


def open_subledgers(uow: UnitOfWork, book_code: str, currency: str | None, count: int = 1) -> range:
    """Open subledgers, one for each loan to come, and return their ids. They take entries of one currency only.

    Raises: BookUnknown; CurrencyUnknown.
    """
    book = load_book(uow.connection, book_code)
    if currency is not None:
        Currency.of(currency)
    ids = take_ids(uow.connection.engine, "subledger", count)
    uow.connection.execute(
        sa.text("SELECT ledger.open_subledgers(:book_id, :currency, :first, :count)"),
        {"book_id": book.book_id, "currency": currency, "first": ids.start, "count": count},
    )
    return ids


def freeze_subledger(uow: UnitOfWork, subledger_id: int, *, frozen: bool) -> None:
    """Refuse entries of a subledger from now on, or take them again.

    Raises: SubledgerUnknown.
    """
    uow.connection.execute(
        sa.text("SELECT ledger.freeze_subledger(:id, :frozen)"), {"id": subledger_id, "frozen": frozen}
    )
