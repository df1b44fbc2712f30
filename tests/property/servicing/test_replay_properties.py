"""What must hold for any life of a loan: parts sum, nothing goes below zero, and the journal converges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from servicing.engine import fold
from servicing.events import Event, Kind
from servicing.terms import Terms
from tests.property.servicing.journals import Journal
from tests.property.servicing.loan_terms import ANY_BUSINESS_DAYS, ANY_WATERFALL, USUAL_WATERFALL, any_terms
from tests.unit.servicing.examples import FUNDED, day, payment, undoing

END = 420


@st.composite
def lives(
    draw: st.DrawFn, waterfalls: st.SearchStrategy[dict[str, Any]] = ANY_WATERFALL
) -> tuple[Terms, tuple[Event, ...]]:
    """Draw terms and events in the order in which they are entered, each entered on its day or later."""
    terms = draw(any_terms(waterfalls=waterfalls, business_days=ANY_BUSINESS_DAYS))
    events = [replace(FUNDED, amount=terms.principal.minor)]
    entered = 0
    paid: list[int] = []
    for _ in range(draw(st.integers(0, 8))):
        entered = min(END, entered + draw(st.integers(0, 60)))
        no = len(events) + 1
        if paid and draw(st.integers(0, 2)) == 0:
            kind = draw(st.sampled_from([Kind.RETURNED, Kind.REVERSED]))
            events.append(undoing(no, paid.pop(draw(st.integers(0, len(paid) - 1))), day(entered), kind))
        else:
            back = draw(st.integers(0, min(entered, 70)))
            principal = terms.principal.minor
            amount = draw(st.one_of(st.integers(1, 1 + principal // 3), st.integers(1 + principal // 3, 2 * principal)))
            events.append(payment(no, amount, day(entered - back), day(entered)))
            paid.append(no)
    return terms, tuple(events)


def in_force(events: Sequence[Event]) -> list[Event]:
    undone = {event.of for event in events}
    return [event for event in events if event.kind is Kind.PAYMENT and event.no not in undone]


@given(lives(), st.integers(0, END))
def test_parts_sum_to_payments_and_installments_to_the_books(life: tuple[Terms, tuple[Event, ...]], on: int) -> None:
    terms, events = life
    state = fold(terms, events, day(on), fees_through=day(on))

    payments = [event for event in in_force(events) if event.effective_date <= day(on)]
    assert {no: parts.total for no, parts in state.allocations.items()} == {e.no: e.amount for e in payments}
    assert all(min(parts.components().values()) >= 0 for parts in state.allocations.values())
    assert min(state.balances().values()) >= 0
    lines = state.installments
    for no, parts in state.allocations.items():
        laid = [took.total for took in state.by_installment[no].values()]
        assert sum(laid) + parts.unapplied == parts.total
    assert sum(line.paid for line in lines) + state.unapplied == sum(event.amount for event in payments)
    assert sum(line.penalties - line.paid_penalties for line in lines) == state.penalties
    due = [line for line in lines if line.due <= day(on)]
    assert sum(line.interest - line.paid_interest for line in due) <= state.interest
    assert sum(line.principal - line.paid_principal for line in due) <= state.principal
    assert all(line.principal >= line.paid_principal and line.interest >= line.paid_interest for line in due)
    if len(due) == len(lines):
        assert sum(line.interest - line.paid_interest for line in lines) == state.interest
        assert sum(line.principal - line.paid_principal for line in lines) == state.principal
        assert sum(line.unpaid for line in lines) == state.principal + state.interest


@given(lives(waterfalls=USUAL_WATERFALL))
def test_an_installment_is_satisfied_before_a_later_one_takes_principal_or_interest(
    life: tuple[Terms, tuple[Event, ...]],
) -> None:
    terms, events = life
    state = fold(terms, events, day(END), fees_through=day(END))

    open_, later_paid = False, False
    for line in state.installments:
        later_paid = later_paid or (open_ and line.paid_principal + line.paid_interest > 0)
        open_ = open_ or line.unpaid > 0
    if terms.product.order.index("interest") < terms.product.order.index("principal"):
        assert not later_paid


@given(lives())
def test_the_journal_converges_to_the_same_books_event_by_event_or_at_once(
    life: tuple[Terms, tuple[Event, ...]],
) -> None:
    terms, events = life
    bit_by_bit, at_once = Journal(terms), Journal(terms)

    for count, event in enumerate(events, start=1):
        bit_by_bit.converge(events[:count], event.entered_on, event.entered_on)
    end = day(END)
    state, _ = bit_by_bit.converge(events, end, end, accrue=True)
    at_once.converge(events, end, end, accrue=True)

    assert bit_by_bit.balances() == at_once.balances() == state.balances()
    assert +bit_by_bit.held == +at_once.held
    assert bit_by_bit.converge(events, end, end, accrue=True)[1] == ()


@given(lives(), st.integers(0, END), st.integers(0, 60), st.data())
def test_payment_and_reversal_equal_never_paid(
    life: tuple[Terms, tuple[Event, ...]], offset: int, later: int, data: st.DataObject
) -> None:
    terms, events = life
    amount = data.draw(st.integers(1, terms.principal.minor))
    extra = (payment(50, amount, day(offset)), undoing(51, 50, day(offset + later)))
    never, undone = Journal(terms), Journal(terms)
    through: date = day(END + 60)

    never.converge(events, through, through, accrue=True)
    undone.converge([*events, extra[0]], through, through, accrue=True)
    undone.converge([*events, *extra], through, through, accrue=True)

    assert undone.balances() == never.balances()
    assert +undone.held == +never.held


@given(lives(), st.lists(st.integers(0, END), max_size=6))
def test_interest_is_the_same_however_often_it_is_booked(
    life: tuple[Terms, tuple[Event, ...]], days: list[int]
) -> None:
    terms, events = life
    through = day(END)

    once = fold(terms, events, through, fees_through=through)
    often = fold(terms, events, through, fees_through=through, accrual_days=[day(n) for n in days])

    assert once.balances() == often.balances()
    assert once.allocations == often.allocations
