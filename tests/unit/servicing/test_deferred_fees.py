"""An origination fee becomes income by the level yield of the loan, or in equal parts a night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from ledger.money import Money
from servicing.deferred_fees import earned_by, level_yield, shares_of
from servicing.engine import fold
from servicing.product import parse_product
from servicing.schedule import contract_schedule, proceeds_of
from servicing.terms import Terms
from tests.unit.servicing.examples import FUNDED, TERMS, payment


def yearly(**fee: Any) -> Terms:
    """Return the loan of FAS 91, Appendix B: 100,000.00 at 10% over ten yearly payments."""
    return replace(
        TERMS,
        product=parse_product({"day_count": "period", "origination_fee": {"percent": "2", **fee}}),
        principal=Money.parse("100000.00", "USD"),
        rate=Decimal(10),
        installments=10,
        frequency="annual",
        funded_on=date(2026, 1, 1),
        first_due_on=date(2027, 1, 1),
    )


def test_a_fee_raises_the_yield_as_the_standard_shows_it() -> None:
    # FAS 91, Appendix B, amortization by contractual payments: 16,275 a year on 98,000 carried yield 10.4736%; of the
    # 2,000 the first year earns 264: 98,000 x 10.4736% = 10,264 less 10,000 of interest.
    terms = yearly()
    payments = [Decimal(1_627_500)] * 10

    found = level_yield(Decimal(9_800_000), payments, [Decimal(1)] * 10, Decimal("0.10"))
    shares = shares_of(terms, (), terms.funded_on, Fraction(200_000))

    assert contract_schedule(terms)[0].total == 1_627_454
    assert round(found * 100, 4) == Decimal("10.4736")
    assert round(shares[0].amount / 100) == 264
    assert sum(share.amount for share in shares) == 200_000
    assert all(share.amount > 0 for share in shares)


def test_straight_line_is_by_nights() -> None:
    terms = yearly(income="straight_line")
    shares = shares_of(terms, (), terms.funded_on, Fraction(200_000))

    # 365 of the 3,652 nights from 1 January 2026 to 1 January 2036.
    assert earned_by(shares, date(2027, 1, 1)) == Fraction(200_000 * 365, 3652)
    assert earned_by(shares, date(2036, 1, 1)) == earned_by(shares, date(2040, 1, 1)) == 200_000


@pytest.mark.parametrize("income", ["level_yield", "straight_line"])
def test_the_whole_fee_is_income_at_maturity_paid_or_not(income: str) -> None:
    terms = replace(TERMS, product=parse_product({"origination_fee": {"percent": "3", "income": income}}))

    state = fold(terms, [FUNDED], date(2027, 2, 28))

    booked = [entry.amounts["income"] for entry in state.planned if entry.template == "deferred_fee_amortized"]
    assert (sum(booked), state.deferred_fee) == (30_000, 0)
    assert all(amount > 0 for amount in booked)
    assert len(booked) == 13


def test_a_payoff_takes_what_is_left_to_income_at_once() -> None:
    terms = replace(TERMS, product=parse_product({"origination_fee": {"percent": "3"}}))
    events = [FUNDED, payment(2, 1_100_000, date(2026, 3, 10))]

    state = fold(terms, events, date(2026, 3, 31))

    booked = {entry.key: entry.amounts["income"] for entry in state.planned if "fee_income" in entry.key}
    assert list(booked) == ["fee_income:2026-01-31", "fee_income:2026-02-28", "fee_income:2026-03-10/paid_off"]
    assert (sum(booked.values()), state.deferred_fee) == (30_000, 0)


def test_a_financed_fee_is_lent_beside_the_principal() -> None:
    terms = replace(TERMS, product=parse_product({"origination_fee": {"percent": "3", "financed": True}}))

    rows = contract_schedule(terms)

    assert (terms.lent.minor, proceeds_of(terms).minor) == (1_030_000, 1_000_000)
    assert sum(row.principal for row in rows) == 1_030_000
    assert fold(terms, [FUNDED], terms.funded_on).principal == 1_030_000
