"""Credits and chargebacks on a real database: once for each request, refused by name, undone as if never entered."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.errors import CurrencyMismatch, DomainError, RequestKeyReused
from ledger.money import Money
from ledger.queries.entries import entries
from ledger.unit_of_work import run
from servicing.commands.chargebacks import ChargedBack, charge_back
from servicing.commands.credits import Credited, credit
from servicing.commands.cycle import accrue_through
from servicing.commands.payments import return_payment
from servicing.commands.reversals import reverse_event
from servicing.errors import (
    ChargebackBeforePayment,
    ChargebackExceedsPayment,
    ChargebackNotPositive,
    CreditNotPositive,
    EffectiveBeforeFunding,
    EffectiveDateAhead,
    MethodUnknown,
    PaymentChargedBack,
    PaymentUndone,
    PaymentUnknown,
)
from servicing.events import Kind
from servicing.queries import booked_balances, loan_view, versions
from tests.integration.servicing.acts import pay
from tests.support.loan_lives import ACTOR

DAY = date(2026, 3, 20)


def give(engine: sa.Engine, loan_id: int, minor: int, key: str, **words: Any) -> Credited:
    """Give goodwill of so many cents, unless told otherwise."""
    usual = {"kind": Kind.GOODWILL_CREDIT, "effective_date": DAY, "method": "cash", "amount": Money(minor, "USD")}
    return run(engine, partial(credit, loan_id=loan_id, request_key=key, **{**usual, **words}), actor=ACTOR)


def take_back(engine: sa.Engine, loan_id: int, payment_id: int, minor: int, key: str, **words: Any) -> ChargedBack:
    """Charge back so many cents of a payment, unless told otherwise."""
    usual = {"effective_date": DAY, "amount": Money(minor, "USD")}
    command = partial(charge_back, loan_id=loan_id, payment_id=payment_id, request_key=key, **{**usual, **words})
    return run(engine, command, actor=ACTOR)


def test_a_credit_is_booked_once_and_its_allocation_has_versions(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, one, _ = loan
    first, again = (give(engine, one, 5_000, "g") for _ in range(2))

    assert first.allocation is not None
    # Nothing was paid: the oldest installment takes it, interest first.
    assert (first.allocation.interest, first.allocation.total) == (5_000, 5_000)
    assert (again.event_no, again.entries, again.replayed) == (first.event_no, (), True)
    with pytest.raises(RequestKeyReused):
        give(engine, one, 5_001, "g")
    pay(engine, one, "888.49", date(2026, 2, 15), "back-dated")
    with engine.connect() as connection:
        mine = [parts for number, _, parts in versions(connection, one) if number == first.event_no]
        books, state = booked_balances(connection, one), loan_view(connection, one).state
    assert [parts["interest"] for parts in mine] == [5_000], "the second installment's interest, the same amount"
    assert {**state.balances(), "interest": 0} == {**books, "interest": 0}


def test_what_cannot_be_credited_or_charged_back_is_refused_and_writes_nothing(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, one, _ = loan
    number = pay(engine, one, "100.00", date(2026, 3, 10), "p", method="card")
    with engine.connect() as connection:
        before = len(entries(connection, one))
    credits_: tuple[tuple[type[DomainError], int, dict[str, Any]], ...] = (
        (CreditNotPositive, 0, {}),
        (CurrencyMismatch, 1, {"amount": Money(1, "EUR")}),
        (MethodUnknown, 1, {"method": "shells"}),
        (EffectiveDateAhead, 1, {"effective_date": date(2026, 3, 21)}),
        (EffectiveBeforeFunding, 1, {"effective_date": date(2026, 1, 14)}),
    )
    for error, minor, words in credits_:
        with pytest.raises(error):
            give(engine, one, minor, "g", **words)
    chargebacks: tuple[tuple[type[DomainError], int, int, dict[str, Any]], ...] = (
        (ChargebackNotPositive, number, 0, {}),
        (ChargebackExceedsPayment, number, 10_001, {}),
        (ChargebackBeforePayment, number, 1, {"effective_date": date(2026, 3, 9)}),
        (CurrencyMismatch, number, 1, {"amount": Money(1, "EUR")}),
        (EffectiveDateAhead, number, 1, {"effective_date": date(2026, 3, 21)}),
        (PaymentUnknown, 1, 1, {}),
        (PaymentUnknown, 99, 1, {}),
    )
    for error, of, minor, words in chargebacks:
        with pytest.raises(error):
            take_back(engine, one, of, minor, "c", **words)
    with engine.connect() as connection:
        assert len(entries(connection, one)) == before


def test_a_payment_is_charged_back_in_parts_up_to_what_it_brought(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, one, _ = loan
    number = pay(engine, one, "100.00", date(2026, 3, 10), "p", method="card")
    first, again = (take_back(engine, one, number, 6_000, "c") for _ in range(2))
    assert again.replayed
    with pytest.raises(ChargebackExceedsPayment) as refused:
        take_back(engine, one, number, 4_001, "c2")
    assert str(refused.value) == f"a chargeback of 40.01 USD is more than the 40.00 USD left of payment {number}"
    take_back(engine, one, number, 4_000, "c3")
    with pytest.raises(PaymentChargedBack):
        run(engine, lambda uow: return_payment(uow, one, number, "R01", "r"), actor=ACTOR)
    run(engine, lambda uow: reverse_event(uow, one, first.event_no, "won", "w"), actor=ACTOR)
    assert take_back(engine, one, number, 6_000, "c4").payment_id == number, "what was won may be disputed again"


def test_everything_undone_leaves_the_books_as_if_nothing_had_been(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    code, one, two = loan
    for loan_id in (one, two):
        pay(engine, loan_id, "888.49", date(2026, 2, 15), "p1", method="card")
        pay(engine, loan_id, "888.49", date(2026, 3, 15), "p2")
    goodwill = give(engine, one, 5_000, "g", effective_date=date(2026, 2, 20))
    merchant = give(engine, one, 100_000, "m", kind=Kind.MERCHANT_REFUND, effective_date=date(2026, 2, 20))
    dispute = take_back(engine, one, 2, 88_849, "c", effective_date=date(2026, 3, 1))
    for number in (goodwill.event_no, dispute.event_no, merchant.event_no):
        undo = partial(reverse_event, loan_id=one, event_no=number, reason="mistake", request_key=f"undo-{number}")
        run(engine, undo, actor=ACTOR)

    accrue_through(engine, code, DAY, actor=ACTOR)
    with engine.connect() as connection:
        assert booked_balances(connection, one) == booked_balances(connection, two)
        assert loan_view(connection, one).state.installments == loan_view(connection, two).state.installments
    number = pay(engine, one, "1.00", DAY, "p3")
    run(engine, lambda uow: return_payment(uow, one, number, "R01", "r"), actor=ACTOR)
    with pytest.raises(PaymentUndone):
        take_back(engine, one, number, 100, "late")
