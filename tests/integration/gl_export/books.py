"""A small book for the tests of this folder: loans funded and paid by entries of the ledger itself."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import sqlalchemy as sa

from ledger.chart_file import parse_chart
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.commands.posting import PostedEntry, post_entry
from ledger.commands.subledgers import open_subledgers
from ledger.journal import EntryDraft, Posting, SubledgerId
from ledger.money import Money
from ledger.queries.accounts import book, role_map
from ledger.seals import seal
from ledger.unit_of_work import UnitOfWork, run

BOOK = "MAIN"
OPENED = date(2026, 10, 1)
CHART = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))

Parts = tuple[tuple[str, str, int], ...]
"""Debit role, credit role, minor units."""


def open_book(engine: sa.Engine, code: str = BOOK) -> None:
    """Open a book in US dollars with the lender's chart."""

    def work(uow: UnitOfWork) -> None:
        create_book(uow, code=code, name=code.title(), base_currency="USD", opened_on=OPENED)
        load_chart(uow, code, CHART)

    run(engine, work, actor="setup")


def open_loans(engine: sa.Engine, count: int, code: str = BOOK) -> range:
    """Open the subledgers of loans and return their ids."""
    return run(engine, lambda uow: open_subledgers(uow, code, "USD", count), actor="setup")


def go_to(engine: sa.Engine, day: date, code: str = BOOK) -> None:
    """Move the business date."""
    run(engine, lambda uow: advance_business_date(uow, code, day), actor="ops")


def post(
    engine: sa.Engine,
    loan_id: int,
    key: str,
    *parts: tuple[str, str, int],
    template: str = "payment_applied",
    booking_date: date | None = None,
    approved_by: str | None = None,
    code: str = BOOK,
) -> PostedEntry:
    """Book an entry by roles, effective on the book's business date."""

    def work(uow: UnitOfWork) -> PostedEntry:
        roles = role_map(uow.connection, code, "default")
        today = book(uow.connection, code).business_date
        draft = EntryDraft(
            subledger_id=SubledgerId(loan_id),
            template=template,
            template_version=1,
            effective_date=booking_date or today,
            booking_date=booking_date,
            actor=uow.actor,
            approved_by=approved_by,
            request_key=key,
            postings=tuple(Posting(roles[debit], roles[credit], Money(minor, "USD")) for debit, credit, minor in parts),
        )
        return post_entry(uow, draft)

    return run(engine, work, actor="clerk")


def fund(engine: sa.Engine, loan_id: int, minor: int, code: str = BOOK) -> None:
    """Fund a loan and pay the proceeds out."""
    parts = (
        ("LOAN_PRINCIPAL", "DISBURSEMENTS_PAYABLE", minor),
        ("DISBURSEMENTS_PAYABLE", "ACH_CLEARING", minor),
    )
    post(engine, loan_id, f"fund:{loan_id}", *parts, template="loan_funded", code=code)


def pay(engine: sa.Engine, loan_id: int, key: str, principal: int, unapplied: int = 0) -> PostedEntry:
    """Take a payment."""
    parts = [("ACH_CLEARING", "LOAN_PRINCIPAL", principal), ("ACH_CLEARING", "UNAPPLIED_PAYMENTS", unapplied)]
    return post(engine, loan_id, key, *(part for part in parts if part[2]))


def seal_all(engine: sa.Engine) -> None:
    """Seal whatever is not sealed yet."""
    run(engine, seal, actor="sealer")
