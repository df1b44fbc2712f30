"""A small ledger in three seal blocks, with every kind of column filled and left empty, for tests that break it.

One book with six accounts; loans with entries of one to four postings in two currencies, a back-dated one, reversals,
a correction, a group, notes in several scripts, details as JSON; an account renamed, another closed; a month closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from ledger.chart import AccountCode, AccountDefinition, AccountType, Chart, Side
from ledger.commands.accounts import close_account, rename_account
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.commands.periods import close_period
from ledger.commands.posting import post_entry, reverse_entry
from ledger.commands.subledgers import open_subledgers
from ledger.dates import Month
from ledger.journal import EntryDraft, Posting, SubledgerId
from ledger.money import Money
from ledger.seals import SealBlock, blocks, seal
from ledger.unit_of_work import UnitOfWork, run

BOOK = "MAIN"
ACTOR = "olga"

CASH, PRINCIPAL, INTEREST = AccountCode("1020"), AccountCode("1210"), AccountCode("1220")
UNAPPLIED, INCOME, OLD_FEES = AccountCode("2010"), AccountCode("4010"), AccountCode("4090")


def _account(
    code: str,
    slug: str,
    kind: AccountType,
    *,
    parent: str | None = None,
    subledgered: bool = False,
    header: bool = False,
) -> AccountDefinition:
    return AccountDefinition(
        code=AccountCode(code),
        slug=slug,
        name=slug.replace("_", " ").capitalize(),
        type=kind,
        normal_side=kind.normal_side,
        parent=AccountCode(parent) if parent else None,
        subledgered=subledgered,
        header=header,
        control=subledgered,
        may_go_contra=not subledgered,
    )


CHART = Chart(
    name="small",
    accounts=(
        _account("1000", "assets", AccountType.ASSET, header=True),
        _account(CASH, "cash", AccountType.ASSET, parent="1000"),
        _account(PRINCIPAL, "loan_principal", AccountType.ASSET, parent="1000", subledgered=True),
        _account(INTEREST, "interest_receivable", AccountType.ASSET, parent="1000", subledgered=True),
        _account(UNAPPLIED, "unapplied_payments", AccountType.LIABILITY, subledgered=True),
        _account(INCOME, "interest_income", AccountType.INCOME),
        _account(OLD_FEES, "fee_income", AccountType.INCOME),
    ),
    roles={"default": {"CASH": CASH, "LOAN_PRINCIPAL": PRINCIPAL}},
)
assert CHART.account(INCOME).normal_side is Side.CREDIT


@dataclass(frozen=True, slots=True)
class SealedLedger:
    """What was built: the engine of the application, the loans' subledgers, and the blocks."""

    engine: sa.Engine
    loans: tuple[SubledgerId, ...]
    blocks: tuple[SealBlock, ...]


def draft(subledger_id: int, request_key: str, *pairs: tuple[str, str, int], **more: Any) -> EntryDraft:
    """Return an entry of pairs (debit, credit, minor units); the currency is USD unless `currency` says otherwise."""
    currency = more.pop("currency", "USD")
    values: dict[str, Any] = {"template": "payment_applied", "template_version": 1, "effective_date": date(2026, 1, 5)}
    return EntryDraft(
        subledger_id=SubledgerId(subledger_id),
        actor=ACTOR,
        request_key=request_key,
        postings=tuple(
            Posting(AccountCode(debit), AccountCode(credit), Money(minor, currency)) for debit, credit, minor in pairs
        ),
        **{**values, **more},
    )


def open_books(engine: sa.Engine) -> None:
    """Create the book, opened on 1 January 2026 with that business date, and load its chart."""

    def work(uow: UnitOfWork) -> None:
        create_book(
            uow,
            code=BOOK,
            name="Main Street Lending",
            base_currency="USD",
            opened_on=date(2026, 1, 1),
            business_date=date(2026, 1, 5),
        )
        load_chart(uow, BOOK, CHART)

    run(engine, work, actor=ACTOR)


def open_loans(engine: sa.Engine, count: int, currency: str | None = "USD") -> tuple[SubledgerId, ...]:
    """Open subledgers and return their ids."""
    ids = run(engine, lambda uow: open_subledgers(uow, BOOK, currency, count), actor=ACTOR)
    return tuple(SubledgerId(number) for number in ids)


def post(engine: sa.Engine, *drafts: EntryDraft) -> None:
    """Post entries, all in one transaction."""

    def work(uow: UnitOfWork) -> None:
        for each in drafts:
            post_entry(uow, each)

    run(engine, work, actor=ACTOR)


def seal_now(engine: sa.Engine) -> SealBlock | None:
    """Seal in a transaction of its own."""
    return run(engine, seal, actor=ACTOR)


def advance(engine: sa.Engine, to: date) -> None:
    """Move the business date."""
    run(engine, lambda uow: advance_business_date(uow, BOOK, to), actor=ACTOR)


def build(engine: sa.Engine, *, loans: int = 12) -> SealedLedger:
    """Build the ledger: about five entries a loan, in three blocks, January closed."""
    open_books(engine)
    ids = (*open_loans(engine, loans - 2), *open_loans(engine, 1, "JPY"), *open_loans(engine, 1, None))
    yen, mixed = ids[-2], ids[-1]
    for number, loan in enumerate(ids):
        currency = "JPY" if loan == yen else "USD"
        post(engine, *_first_days(loan, number, currency))
    post(engine, draft(mixed, "fee:eur", (CASH, OLD_FEES, 700), currency="EUR", effective_date=date(2025, 12, 30)))
    seal_now(engine)
    _change_accounts(engine)
    advance(engine, date(2026, 1, 20))
    for number, loan in enumerate(ids[:-3]):
        post(engine, *_later_days(loan, number, "JPY" if loan == yen else "USD"))
    run(engine, lambda uow: _undo(uow, ids[0], 4), actor=ACTOR)
    run(engine, lambda uow: _undo(uow, ids[4], 4), actor=ACTOR)
    seal_now(engine)
    advance(engine, date(2026, 2, 3))
    close_period(engine, BOOK, Month(2026, 1), actor=ACTOR, approver="nadia")
    for loan in ids[:3]:
        post(engine, draft(loan, "accrue:2026-02-03", (INTEREST, INCOME, 41), effective_date=date(2026, 2, 3)))
    seal_now(engine)
    with engine.connect() as connection:
        return SealedLedger(engine, ids, blocks(connection))


def _first_days(loan: SubledgerId, number: int, currency: str) -> tuple[EntryDraft, ...]:
    common: Mapping[str, Any] = {"currency": currency}
    return (
        draft(
            loan,
            "fund",
            (PRINCIPAL, CASH, 1_000_000 + number),
            **common,
            template="loan_funded",
            details={"channel": "broker", "apr": Decimal("12.50"), "tags": ["a", None, "\u00e9"]}
            if number % 3 == 0
            else None,
        ),
        draft(
            loan,
            "accrue:2026-01-05",
            (INTEREST, INCOME, 333 + number),
            **common,
            template="interest_accrued",
            narration=f"Interest \u2013 day 1 of loan {number} \u65e5\u672c" if number % 2 else None,
        ),
        draft(
            loan,
            "payment:1",
            (CASH, INTEREST, 200),
            (CASH, PRINCIPAL, 5_000 + number),
            (CASH, UNAPPLIED, 25),
            **common,
            source_ref="" if number % 4 == 0 else f"ach:{number}",
            effective_date=date(2026, 1, 2),
            group_id=7 if number < 2 else None,
        ),
    )


def _later_days(loan: SubledgerId, number: int, currency: str) -> tuple[EntryDraft, ...]:
    return (
        draft(loan, "payment:2", (CASH, PRINCIPAL, 7_777), currency=currency, effective_date=date(2026, 1, 20)),
        draft(
            loan,
            "payment:2/again",
            (UNAPPLIED, PRINCIPAL, 10 + number),
            currency=currency,
            corrects_no=3 if number % 2 else None,
            effective_date=date(2026, 1, 18),
            approved_by="nadia" if number % 5 == 0 else None,
        ),
    )


def _undo(uow: UnitOfWork, loan: SubledgerId, entry_no: int) -> None:
    reverse_entry(uow, loan, entry_no, request_key=f"undo:{entry_no}", narration="Returned")


def _change_accounts(engine: sa.Engine) -> None:
    def work(uow: UnitOfWork) -> None:
        rename_account(uow, BOOK, INCOME, "Interest earned", effective_from=date(2026, 1, 6))
        close_account(uow, BOOK, OLD_FEES, closed_from=date(2026, 1, 10))

    run(engine, work, actor=ACTOR)
