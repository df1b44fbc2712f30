"""Fees, waivers and write-offs through the commands: the books, the buckets, and requests that come back."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from ledger.commands.books import advance_business_date
from ledger.errors import ApprovalMissing, CurrencyMismatch, RequestKeyReused
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from servicing.buckets import buckets
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.cycle import accrue_loan, run_cycle, run_day
from servicing.commands.fees import charge_fee
from servicing.commands.recording import Recorded
from servicing.commands.reversals import reverse_event
from servicing.commands.waivers import waive
from servicing.commands.write_offs import write_off_small_balance
from servicing.drafts import LoanDraft
from servicing.errors import BalanceNotSmall
from servicing.product import parse_product
from servicing.queries import booked_balances, loan_view
from servicing.state import LoanState
from servicing.terms import Terms
from tests.integration.servicing.acts import pay
from tests.support.loan_lives import ACTOR, open_book

FUNDED = date(2026, 1, 15)
PRODUCT = parse_product(
    {
        "late_fee": {"amount": "15.00"},
        "grace_days": 10,
        "returned_payment_fee": "25.00",
        "fee_tax": {"percent": "8.25"},
        "small_balance": {"limit": "5.00", "automatic": True},
    }
)


@pytest.fixture
def book(engine: sa.Engine) -> str:
    """Return a book of its own, opened on the day of the funding."""
    code = f"T{uuid.uuid4().hex[:8]}"
    open_book(engine, code, FUNDED)
    return code


@pytest.fixture
def loan(engine: sa.Engine, book: str) -> int:
    """Return a loan of 10,000.00 at 12%, on 15 February 2026."""
    terms = Terms(
        product=PRODUCT,
        principal=Money.parse("10000.00", "USD"),
        rate=Decimal("12.00"),
        installments=12,
        frequency="monthly",
        funded_on=FUNDED,
        first_due_on=date(2026, 2, 15),
    )
    (loan_id,) = run(engine, lambda uow: board_and_fund_loans(uow, book, [LoanDraft("L-1", terms)]), actor=ACTOR)
    advance(engine, book, date(2026, 2, 15))
    return loan_id


def advance(engine: sa.Engine, book: str, to: date) -> None:
    run(engine, lambda uow: advance_business_date(uow, book, to), actor=ACTOR)


def fee(uow: UnitOfWork, loan: int, amount: str = "30.00", key: str = "fee", currency: str = "USD") -> Recorded:
    return charge_fee(
        uow,
        loan,
        amount=Money.parse(amount, currency),
        kind="document",
        fee_id="F-1",
        effective_date=date(2026, 2, 10),
        request_key=key,
    )


def waiver(
    uow: UnitOfWork,
    loan: int,
    amount: str,
    *,
    of: str = "F-1",
    approved_by: str | None = "ben",
    on: date = date(2026, 2, 15),
) -> Recorded:
    return waive(
        uow,
        loan,
        of=of,
        amount=Money.parse(amount, "USD"),
        reason="bank holiday",
        approved_by=approved_by,
        effective_date=on,
        request_key=f"waive:{of}:{amount}",
    )


def test_a_fee_that_comes_back_is_not_charged_twice(engine: sa.Engine, loan: int) -> None:
    first = run(engine, lambda uow: fee(uow, loan), actor=ACTOR)
    again = run(engine, lambda uow: fee(uow, loan), actor=ACTOR)

    assert (again.replayed, again.entries, again.event.no) == (True, (), first.event.no)
    with pytest.raises(RequestKeyReused) as refused:
        run(engine, lambda uow: fee(uow, loan, "31.00"), actor=ACTOR)
    assert refused.value.figures["field"] == "amount"
    with pytest.raises(CurrencyMismatch):
        run(engine, lambda uow: fee(uow, loan, key="other", currency="EUR"), actor=ACTOR)


@pytest.mark.parametrize("approver", [None, "", ACTOR])
def test_nobody_waives_alone(engine: sa.Engine, loan: int, approver: str | None) -> None:
    run(engine, lambda uow: fee(uow, loan), actor=ACTOR)

    with pytest.raises(ApprovalMissing):
        run(engine, lambda uow: waiver(uow, loan, "1.00", approved_by=approver), actor=ACTOR)


def test_a_waiver_that_comes_back_is_not_taken_for_too_much(engine: sa.Engine, loan: int) -> None:
    run(engine, lambda uow: fee(uow, loan), actor=ACTOR)

    first = run(engine, lambda uow: waiver(uow, loan, "32.48"), actor=ACTOR)
    again = run(engine, lambda uow: waiver(uow, loan, "32.48"), actor=ACTOR)

    assert (again.replayed, again.event.no) == (True, first.event.no)


def test_a_write_off_that_comes_back_writes_off_once(engine: sa.Engine, book: str, loan: int) -> None:
    def write_off(uow: UnitOfWork) -> Recorded:
        return write_off_small_balance(
            uow, loan, reason="not worth a letter", effective_date=date(2026, 2, 25), request_key="off"
        )

    pay(engine, loan, "888.49", date(2026, 2, 15), "P-1")
    advance(engine, book, date(2026, 2, 25))
    with pytest.raises(BalanceNotSmall) as refused:
        run(engine, write_off, actor=ACTOR)
    assert refused.value.figures == {
        "owed": 924_372,
        "limit": 500,
        "currency": "USD",
        "on": date(2026, 2, 25),
    }
    pay(engine, loan, "9240.00", date(2026, 2, 25), "P-2")

    first = run(engine, write_off, actor=ACTOR)
    again = run(engine, write_off, actor=ACTOR)

    # 9,243.72 pays the loan off on 25 February.
    assert (first.event.amount, first.state.status) == (372, "paid_off")
    assert (again.replayed, again.event.no) == (True, first.event.no)


def test_the_daily_cycle_of_a_book_writes_off_what_a_last_payment_left(engine: sa.Engine, book: str, loan: int) -> None:
    pay(engine, loan, "888.49", date(2026, 2, 15), "P-1")
    run_cycle(engine, book, date(2026, 2, 15), actor=ACTOR)
    advance(engine, book, date(2026, 2, 26))
    pay(engine, loan, "9243.72", date(2026, 2, 26), "P-2")
    before = _state(engine, loan)

    run_cycle(engine, book, date(2026, 2, 26), actor=ACTOR)

    # docs/spec/fees.md.
    assert (before.principal, before.status) == (303, "active")
    after = _state(engine, loan)
    assert (after.principal, after.status) == (0, "paid_off")
    with engine.connect() as connection:
        assert set(booked_balances(connection, loan).values()) == {0}


def _state(engine: sa.Engine, loan: int) -> LoanState:
    with engine.connect() as connection:
        return loan_view(connection, loan).state


def test_buckets_equal_the_journal_on_every_day_of_a_life(engine: sa.Engine, book: str, loan: int) -> None:
    def check(day: date) -> None:
        advance(engine, book, day)
        run(engine, lambda uow: run_day(uow, loan, day), actor=ACTOR)
        run(engine, lambda uow: accrue_loan(uow, loan, day), actor=ACTOR)
        with engine.connect() as connection:
            found, booked = buckets(loan_view(connection, loan).state), booked_balances(connection, loan)
        assert {name: of.total for name, of in found.items()} == {name: booked[name] for name in found}

    charged = run(engine, lambda uow: fee(uow, loan), actor=ACTOR)
    pay(engine, loan, "500.00", date(2026, 2, 15), "P-1")
    for days in range(1, 12):
        check(date(2026, 2, 15) + timedelta(days=days))
    run(engine, lambda uow: waiver(uow, loan, "20.00", of="interest", on=date(2026, 2, 26)), actor=ACTOR)
    check(date(2026, 2, 27))
    pay(engine, loan, "300.00", date(2026, 2, 20), "P-2")
    check(date(2026, 3, 16))
    run(engine, lambda uow: reverse_event(uow, loan, charged.event.no, "wrong loan", "undo"), actor=ACTOR)
    check(date(2026, 3, 17))
    pay(engine, loan, "9999.00", date(2026, 3, 17), "P-3")
    check(date(2026, 3, 18))
