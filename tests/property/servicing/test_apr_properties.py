"""What must hold for the annual percentage rate of any stream of advances and payments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import Money
from servicing.apr import ARITHMETIC, EXACT, Disclosure, Flow, disclose, disclose_terms, present_value
from servicing.due_dates import due_dates
from servicing.terms import Terms
from servicing.unit_periods import day_to_return_to, find_unit_period, unit_periods_between
from tests.property.servicing.loan_terms import FREQUENCIES, any_terms
from tests.unit.servicing.examples import RULES

DAYS = st.dates(date(2001, 1, 1), date(2060, 12, 31))
FAR_BELOW_A_CENT = Decimal("1e-12")


def usd(cents: int) -> Money:
    return Money(cents, "USD")


@st.composite
def loans(draw: st.DrawFn) -> tuple[list[Flow], list[Flow]]:
    """Draw one to three advances and, after them, payments of any size that sum to as much or more."""
    start = draw(DAYS)
    later = draw(st.lists(st.integers(1, 200), max_size=2, unique=True))
    advances = [Flow(start + timedelta(days=n), usd(draw(st.integers(1_00, 50_000_00)))) for n in (0, *later)]
    first = start + timedelta(days=max([0, *later]) + draw(st.integers(1, 90)))
    days = due_dates(start, first, draw(st.sampled_from(FREQUENCIES)), draw(st.integers(1, 30)))
    amounts = draw(st.lists(st.integers(1, 5_000_00), min_size=len(days), max_size=len(days)))
    short = max(0, sum(flow.amount.minor for flow in advances) - sum(amounts))
    amounts[-1] += short + draw(st.integers(0, 1_000_00))
    return advances, [Flow(day, usd(cents)) for day, cents in zip(days, amounts, strict=True)]


def unpaid(found: Disclosure, rate: Decimal) -> Decimal:
    """Return by how many cents the payments are worth less than the advances at a unit-period rate."""
    with localcontext(ARITHMETIC):
        return present_value(found.advances, rate) - present_value(found.payments, rate)


@given(loans())
def test_at_the_rate_the_payments_are_worth_the_advances_to_far_below_a_cent(
    loan: tuple[list[Flow], list[Flow]],
) -> None:
    found = disclose(*loan)

    assert abs(unpaid(found, found.unit_rate)) < FAR_BELOW_A_CENT


@given(loans())
def test_a_little_beside_the_rate_the_payments_are_worth_more_or_less(loan: tuple[list[Flow], list[Flow]]) -> None:
    found = disclose(*loan)

    with localcontext(ARITHMETIC):
        above, below = found.unit_rate + EXACT, found.unit_rate - EXACT
    assert unpaid(found, above) > 0
    assert found.unit_rate == 0 or unpaid(found, below) < 0


@given(loans(), st.integers(1, 99))
def test_a_fee_off_the_advance_raises_the_rate(loan: tuple[list[Flow], list[Flow]], fee: int) -> None:
    (first, *others), payments = loan
    dearer = disclose([replace(first, amount=first.amount - usd(fee)), *others], payments)
    cheaper = disclose([first, *others], payments)

    assert dearer.unit_rate > cheaper.unit_rate
    assert dearer.finance_charge - cheaper.finance_charge == usd(fee)


@given(loans())
def test_the_same_calendar_four_years_later_has_the_same_rate(loan: tuple[list[Flow], list[Flow]]) -> None:
    advances, payments = ([replace(flow, on=flow.on + relativedelta(years=4)) for flow in flows] for flows in loan)

    assert disclose(advances, payments).unit_rate == disclose(*loan).unit_rate


@given(loans())
def test_finance_charge_and_amount_financed_make_up_the_payments(loan: tuple[list[Flow], list[Flow]]) -> None:
    found = disclose(*loan)

    assert found.finance_charge + found.amount_financed == found.total_of_payments


@given(loans())
def test_what_lies_later_is_counted_later_and_a_fraction_is_less_than_one(loan: tuple[list[Flow], list[Flow]]) -> None:
    found = disclose(*loan)

    for flows in (found.advances, found.payments):
        places = [each.whole + each.fraction for each in flows]
        assert places == sorted(places)
        assert all(0 <= each.fraction < 1 for each in flows)


@given(DAYS, st.sampled_from(FREQUENCIES), st.integers(2, 30))
def test_a_regular_series_lies_one_unit_period_apart(first: date, frequency: str, count: int) -> None:
    start, *days = due_dates(first, first, frequency, count + 1)
    unit = find_unit_period(start, [start], days)

    found = [unit_periods_between(unit, start, day, anchor=day_to_return_to(day, (start, *days))) for day in days]

    uneven = frequency == "semimonthly"  # half a month has 13 to 16 days
    assert uneven or found == [(n, Fraction(0)) for n in range(1, count + 1)]
    assert str(unit) == {"weekly": "week", "biweekly": "2 weeks", "quarterly": "3 months"}.get(frequency, str(unit))


@given(any_terms())
def test_a_loan_costs_its_interest_and_its_fee(terms: Terms) -> None:
    free = replace(
        terms, product=terms.product.model_copy(update={"origination_fee": RULES.origination_fee, "odd_days": None})
    )

    found = disclose_terms(free)

    assert found.amount_financed == terms.principal
    assert abs(unpaid(found, found.unit_rate)) < FAR_BELOW_A_CENT
    assert (found.unit_rate == 0) == (not found.finance_charge)
