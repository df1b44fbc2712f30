"""The positions of one fold say for every day what a fold at the close of that day says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from servicing.aging import position_on
from servicing.buckets import buckets
from servicing.engine import fold
from servicing.events import Event
from servicing.pauses import days_counted
from servicing.product import Delinquency, Tolerance
from servicing.standing import standing_of
from servicing.state import LoanState
from servicing.terms import Terms
from tests.property.servicing.cash_lives import cash_lives
from tests.property.servicing.test_replay_properties import END, lives
from tests.unit.servicing.examples import day

Life = tuple[Terms, tuple[Event, ...]]

RULES = (
    Delinquency(),
    Delinquency(grace_days=5, tolerance=Tolerance(amount=Decimal(10))),
    Delinquency(cure="full", tolerance=Tolerance(percent=Decimal(10)), recency_percent=Decimal(50)),
)


def with_rules(terms: Terms, rules: Delinquency) -> Terms:
    return replace(terms, product=terms.product.model_copy(update={"delinquency": rules}))


def oldest_unpaid(state: LoanState, on: date) -> date | None:
    return next((line.due for line in state.installments if line.due < on and line.unpaid), None)


@settings(max_examples=60)
@given(st.one_of(lives(), cash_lives()), st.sampled_from(RULES), st.integers(0, END))
def test_positions_say_for_every_day_what_a_fold_at_its_close_says(life: Life, rules: Delinquency, on: int) -> None:
    terms, events = with_rules(life[0], rules), life[1]
    whole = fold(terms, events, day(END + 60), fees_through=day(END + 60))

    state = fold(terms, events, day(on), fees_through=day(on))

    found, own = position_on(whole.positions, day(on)), position_on(state.positions, day(on))
    assert (found is None) == (own is None)
    if found is None or own is None:
        return
    assert not found.differs(own)
    if state.charged_off_on is not None:
        return
    if rules == Delinquency():
        oldest = oldest_unpaid(state, day(on))
        assert found.since == oldest
        assert found.dpd(day(on)) == (0 if oldest is None else days_counted(oldest, day(on), state.pauses))
    if day(on) <= state.installments[-1].due:
        parts = (found.principal, found.interest, found.fees, found.penalties)
        owed = buckets(state)
        assert parts == tuple(owed[name].past_due for name in ("principal", "interest", "fees", "penalties"))


@settings(max_examples=60)
@given(st.one_of(lives(), cash_lives()), st.sampled_from(RULES), st.integers(0, END), st.integers(0, 80))
def test_positions_ahead_hold_until_the_next_step(life: Life, rules: Delinquency, on: int, later: int) -> None:
    terms, then = with_rules(life[0], rules), day(on + later)
    known = [each for each in life[1] if each.entered_on <= day(on)]
    state = fold(terms, known, day(on), fees_through=day(on))
    standing = standing_of(state, terms, day(on))
    if not (then < standing.next_step_on and then <= standing.outlook.holds_through):
        return

    found = fold(terms, known, then, fees_through=then)

    now, ahead = position_on(found.positions, then), position_on(state.positions, then)
    assert (now is None) == (ahead is None)
    assert now is None or ahead is None or not now.differs(ahead), (now, ahead)


@settings(max_examples=60)
@given(st.one_of(lives(), cash_lives()), st.sampled_from(RULES), st.integers(1, END))
def test_a_fold_from_a_checkpoint_has_the_positions_since(life: Life, rules: Delinquency, on: int) -> None:
    terms, events = with_rules(life[0], rules), life[1]
    end = day(END + 10)
    first = fold(terms, events, end, fees_through=end, checkpoint_on=day(on))
    if first.checkpoint is None:
        return

    again = fold(terms, events, end, fees_through=end, start=first.checkpoint)

    begin = again.positions[0].from_day if again.positions else end
    assert [each for each in first.positions if each.from_day >= begin] == list(again.positions)
    assert begin <= day(on) or not [each for each in first.positions if each.from_day < day(on)]
