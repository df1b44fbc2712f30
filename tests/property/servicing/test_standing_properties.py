"""Between two things that happen to a loan, its standing says what a fold of every day says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import event, given
from hypothesis import strategies as st

from ledger.dates import Month
from servicing.accrual import rounded
from servicing.day_count import PARTS, Period, alike_through, part_of_period
from servicing.delinquency import days_past_due
from servicing.engine import fold
from servicing.events import Event
from servicing.product import PercentFee
from servicing.standing import days_past_due_on, standing_of
from servicing.state import CLOSED
from servicing.terms import Terms
from tests.property.servicing.cash_lives import cash_lives
from tests.property.servicing.test_replay_properties import END, lives
from tests.unit.servicing.examples import day

FEES = (
    PercentFee(),
    PercentFee(percent=Decimal("3.5")),
    PercentFee(percent=Decimal("0.07"), income="straight_line"),
)


@given(
    st.one_of(lives(), cash_lives()),
    st.sampled_from(FEES),
    st.integers(0, END),
    st.integers(0, 40),
    st.integers(0, 400),
)
def test_a_standing_holds_until_it_says_that_it_does_not(
    life: tuple[Terms, tuple[Event, ...]], fee: PercentFee, on: int, behind: int, later: int
) -> None:
    terms, events = replace(life[0], product=life[0].product.model_copy(update={"origination_fee": fee})), life[1]
    closed, then = day(on - behind), day(on + later)
    # What was entered by then, and nothing after it: the loan is left alone.
    known = [each for each in events if each.entered_on <= day(on)]
    state = fold(terms, known, day(on), fees_through=closed)
    standing = standing_of(state, terms, closed)
    if not (then < standing.next_step_on and then <= standing.outlook.holds_through):
        event("steps first")
        return

    found = fold(terms, known, then, fees_through=then)

    outlook = standing.outlook
    earned = max(outlook.booked, rounded(outlook.earned_by(then), terms.product.rounding))
    assert (
        state.interest + earned - max(outlook.booked, rounded(outlook.earned, terms.product.rounding)) == found.interest
    )
    assert {**state.balances(), "interest": 0} == {**found.balances(), "interest": 0}
    # Nobody counts the days of a loan that is at its end.
    assert not standing.is_open or days_past_due_on(standing, then) == days_past_due(found, then)
    assert standing.is_open == (found.status not in CLOSED)
    assert standing.is_non_accrual == (found.non_accrual_since is not None)
    assert (state.charged_off_on, state.cost_recovery) == (found.charged_off_on, found.cost_recovery)
    ends = [Month.of(day(on + 1)).plus(n).last_day for n in range(len(standing.fee_income))]
    earlier = [entry for entry in found.planned if entry.effective_date > day(on)]
    assert sum(income for end, income in zip(ends, standing.fee_income, strict=True) if end <= then) == sum(
        entry.amounts["income"] for entry in earlier if entry.template == "deferred_fee_amortized"
    )


@given(
    st.sampled_from(sorted(PARTS)),
    st.dates(date(2023, 1, 1), date(2029, 1, 1)),
    st.integers(1, 400),
    st.data(),
)
def test_nights_are_alike_as_far_as_is_said(name: str, start: date, length: int, data: st.DataObject) -> None:
    period = Period(start, start + timedelta(days=length), Fraction(1, 12))
    since = start + timedelta(days=data.draw(st.integers(0, length - 1)))
    end = alike_through(name, period, since)
    night = part_of_period(name, period, since, since + timedelta(days=1))

    assert since < end <= period.end
    for nights in range(1, (end - since).days + 1):
        assert part_of_period(name, period, since, since + timedelta(days=nights)) == nights * night
