"""Refunds on a real database: no more than there is, once for each request, by two people at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import sqlalchemy as sa

from ledger.errors import CurrencyMismatch, DomainError, RequestKeyReused
from ledger.money import Money
from ledger.queries.entries import entries
from ledger.unit_of_work import run
from servicing.commands.payments import return_payment
from servicing.commands.refunds import Refunded, refund
from servicing.errors import (
    EffectiveBeforeFunding,
    EffectiveDateAhead,
    MethodUnknown,
    NoCreditBalance,
    RefundExceedsUnapplied,
    RefundNotPositive,
)
from servicing.queries import booked_balances, loan_view
from tests.integration.servicing.acts import pay
from tests.support.loan_lives import ACTOR

DAY = date(2026, 3, 20)
# 10000.00 x 12% x 64/365 = 210.41 on 20 March.
PAYOFF = 1_021_041


def give_back(
    engine: sa.Engine,
    loan_id: int,
    minor: int,
    key: str,
    *,
    on: date = DAY,
    method: str = "ach",
    currency: str = "USD",
    credit_balance: bool = False,
) -> Refunded:
    return run(
        engine,
        lambda uow: refund(
            uow,
            loan_id,
            amount=Money(minor, currency),
            effective_date=on,
            method=method,
            request_key=key,
            credit_balance=credit_balance,
        ),
        actor=ACTOR,
    )


def test_a_refund_is_booked_once_for_its_request(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, one, _ = loan
    pay(engine, one, "10300.00", DAY, "all")

    first, again = (give_back(engine, one, 5_000, "r") for _ in range(2))

    assert (again.event_no, again.entries, again.replayed) == (first.event_no, (), True)
    with pytest.raises(RequestKeyReused):
        give_back(engine, one, 5_001, "r")
    with engine.connect() as connection:
        assert booked_balances(connection, one)["unapplied"] == 1_030_000 - PAYOFF - 5_000
        templates = [view.entry.draft.template for view in entries(connection, one)][-2:]
    assert templates == ["refund_approved", "refund_sent"]


def test_what_cannot_be_refunded_is_refused_and_writes_nothing(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, one, two = loan
    pay(engine, one, "10300.00", DAY, "all")
    refusals: tuple[tuple[type[DomainError], int, dict[str, object]], ...] = (
        (RefundExceedsUnapplied, 8_960, {}),
        (RefundNotPositive, 0, {}),
        (CurrencyMismatch, 100, {"currency": "EUR"}),
        (MethodUnknown, 100, {"method": "shells"}),
        (EffectiveDateAhead, 100, {"on": date(2026, 3, 21)}),
        (EffectiveBeforeFunding, 100, {"on": date(2026, 1, 14)}),
        (RefundExceedsUnapplied, 100, {"on": date(2026, 3, 19)}),
    )
    for error, minor, more in refusals:
        with pytest.raises(error):
            give_back(engine, one, minor, "r", **more)  # type: ignore[arg-type]  # words of the call, one at a time
    with pytest.raises(NoCreditBalance):
        give_back(engine, two, 100, "r", credit_balance=True)
    assert give_back(engine, one, 8_959, "r", credit_balance=True).amount == Money(8_959, "USD")


def test_of_two_refunds_at_once_the_second_finds_nothing_left(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, one, _ = loan
    pay(engine, one, "10300.00", DAY, "all")

    def attempt(key: str) -> str:
        try:
            give_back(engine, one, 8_959, key)
        except RefundExceedsUnapplied as refusal:
            return refusal.code
        return "refunded"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(attempt, ("a", "b"))) == ["refund-exceeds-unapplied", "refunded"]
    with engine.connect() as connection:
        assert booked_balances(connection, one)["unapplied"] == 0


def test_a_refund_whose_payment_is_returned_is_recoverable_in_the_books(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, one, _ = loan
    number = pay(engine, one, "10300.00", DAY, "all")
    give_back(engine, one, 8_959, "r")

    run(engine, lambda uow: return_payment(uow, one, number, "R01", "back"), actor=ACTOR)

    with engine.connect() as connection:
        books, view = booked_balances(connection, one), loan_view(connection, one)
    assert (books["principal"], books["unapplied"], books["recoverable"]) == (1_000_000, 0, 8_959)
    assert {**view.state.balances(), "interest": 0} == {**books, "interest": 0}
    assert view.state.payoff == PAYOFF + 8_959 + 2_500, "the return costs 25.00"
