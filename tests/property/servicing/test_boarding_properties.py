"""What must hold for a loan that is taken over in mid-life: it goes on as the loan that it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.money import Money
from servicing.checkpoint import Checkpoint
from servicing.delinquency import days_past_due
from servicing.drafts import LoanDraft, opening_objections
from servicing.engine import fold
from servicing.events import Event, Kind
from servicing.opening import Opening
from servicing.schedule import contract_schedule, dues_of
from servicing.state import LoanState
from servicing.terms import Terms
from tests.property.servicing.journals import Journal
from tests.property.servicing.loan_terms import ANY_WATERFALL, FREQUENCIES, any_terms
from tests.unit.servicing.examples import FUNDED, TERMS, payment

AFTER = 200


def opening_of(state: LoanState, on: date, behind: int) -> Opening:
    """Return the opening that a servicer would hand over of a loan as it stands."""

    def usd(minor: int) -> Money:
        return Money(minor, "USD")

    return Opening(
        cut_over_on=on,
        principal=usd(state.principal),
        interest=usd(state.interest),
        late_fees=usd(state.late_fees),
        returned_payment_fees=usd(state.returned_payment_fees),
        other_fees=usd(state.other_fees),
        unapplied=usd(state.unapplied),
        days_past_due=behind,
    )


@st.composite
def twins(draw: st.DrawFn) -> tuple[Terms, tuple[Event, ...], Opening]:
    """Draw a loan that paid some installments to the day and then none, and its opening on a later day."""
    rules = TERMS.product.model_copy(update={"late_fee": TERMS.product.late_fee.model_copy(update={"amount": 0})})
    terms = replace(
        TERMS,
        product=rules,
        principal=Money(draw(st.integers(100_000, 2_000_000)), "USD"),
        rate=Decimal(draw(st.integers(0, 3600))) / 100,
        installments=draw(st.integers(3, 14)),
        frequency=draw(st.sampled_from(FREQUENCIES)),
    )
    rows = contract_schedule(terms)
    paid = draw(st.integers(0, len(rows) - 2))
    events = [replace(FUNDED, amount=terms.principal.minor)]
    events += [payment(n + 2, row.total, row.due) for n, row in enumerate(rows[:paid])]
    latest = rows[-1].due - timedelta(days=1)
    begun = rows[paid - 1].due if paid else terms.funded_on
    cut_over = begun + timedelta(days=draw(st.integers(1, max(1, (latest - begun).days))))
    state = fold(terms, events, cut_over)
    return terms, tuple(events), opening_of(state, cut_over, days_past_due(state, cut_over))


@given(twins(), st.lists(st.tuples(st.integers(0, AFTER), st.integers(1, 3)), max_size=4))
def test_a_loan_goes_on_as_its_twin_that_was_never_handed_over(
    twin: tuple[Terms, tuple[Event, ...], Opening], later: list[tuple[int, int]]
) -> None:
    terms, before, opening = twin
    total = contract_schedule(terms)[0].total
    after = [
        payment(20 + n, times * total, opening.cut_over_on + timedelta(days=days))
        for n, (days, times) in enumerate(sorted(later))
    ]
    through = opening.cut_over_on + timedelta(days=AFTER)
    boarding = LoanDraft("A", terms, opening).first_event(opening.cut_over_on)

    for day in (opening.cut_over_on, opening.cut_over_on + timedelta(days=1), through):
        stayed = fold(terms, [*before, *after], day)
        moved = fold(terms, [boarding, *after], day)
        # The balance of interest is rounded once more, at the cut-over: half a cent, and what it earns.
        assert abs(moved.principal + moved.interest - moved.unapplied - _owed(stayed)) <= 1 + len(after)
        if stayed.status == moved.status == "active":
            assert days_past_due(moved, day) == days_past_due(stayed, day)


def _owed(state: LoanState) -> int:
    return state.principal + state.interest - state.unapplied


@st.composite
def taken_over(draw: st.DrawFn) -> tuple[Terms, tuple[Event, ...]]:
    """Draw terms of any kind, an opening that they bear out, and payments after it, some of which are undone."""
    terms = draw(any_terms(waterfalls=ANY_WATERFALL))
    dues = dues_of(terms)
    cut_over = terms.funded_on + timedelta(days=draw(st.integers(1, (dues[-1] - terms.funded_on).days)))
    late = [0, *((cut_over - due).days for due in dues if due < cut_over)]

    def upto(most: int) -> Money:
        return Money(draw(st.integers(0, most)), "USD")

    opening = Opening(
        cut_over_on=cut_over,
        principal=Money(draw(st.integers(1, terms.principal.minor)), "USD"),
        interest=upto(50_000),
        late_fees=upto(3_000),
        returned_payment_fees=upto(3_000),
        other_fees=upto(3_000),
        unapplied=upto(3_000),
        days_past_due=draw(st.sampled_from(late)),
    )
    if not opening.days_past_due and draw(st.booleans()):
        opening = replace(opening, next_due_on=draw(st.sampled_from([due for due in dues if due >= cut_over])))
    assume(not list(opening_objections(terms, opening)))
    events = [LoanDraft("A", terms, opening).first_event(cut_over)]
    for n in range(draw(st.integers(0, 4))):
        day = cut_over + timedelta(days=draw(st.integers(0, AFTER)))
        events.append(payment(len(events) + 1, draw(st.integers(1, 2 * terms.principal.minor)), day))
        if draw(st.integers(0, 3)) == 0:
            undone = Event(no=len(events) + 1, kind=Kind.REVERSED, effective_date=day, entered_on=day, of=n + 2)
            events.append(undone)
    return terms, tuple(_numbered(events))


def _numbered(events: Sequence[Event]) -> list[Event]:
    """Return the events without reversals of what is no payment."""
    payments = {event.no for event in events if event.kind is Kind.PAYMENT}
    return [event for event in events if event.of is None or event.of in payments]


@given(taken_over())
def test_the_books_of_a_loan_that_was_taken_over_add_up(loan: tuple[Terms, tuple[Event, ...]]) -> None:
    terms, events = loan
    through = events[0].effective_date + timedelta(days=AFTER)
    state = fold(terms, events, through, fees_through=through)
    undone = {event.of for event in events}
    paid = [event for event in events if event.kind is Kind.PAYMENT and event.no not in undone]

    assert min(state.balances().values()) >= 0
    assert {no: parts.total for no, parts in state.allocations.items()} == {event.no: event.amount for event in paid}
    lines = state.installments
    opened = events[0].details["unapplied"]
    assert sum(line.paid for line in lines) + state.unapplied == sum(event.amount for event in paid) + opened
    assert sum(line.penalties - line.paid_penalties for line in lines) == state.penalties
    assert sum(line.fees - line.paid_fees for line in lines) == state.other_fees
    if all(line.due <= through for line in lines):
        assert sum(line.unpaid for line in lines) == state.principal + state.interest


@given(taken_over(), st.integers(1, AFTER))
def test_its_journal_converges_and_a_fold_from_a_checkpoint_is_the_same(
    loan: tuple[Terms, tuple[Event, ...]], at: int
) -> None:
    terms, events = loan
    split = events[0].effective_date + timedelta(days=at)
    through = events[0].effective_date + timedelta(days=AFTER)
    bit_by_bit, at_once = Journal(terms), Journal(terms)

    for count, event in enumerate(events, start=1):
        bit_by_bit.converge(events[:count], event.entered_on, event.entered_on)
    state, _ = bit_by_bit.converge(events, through, through, accrue=True)
    at_once.converge(events, through, through, accrue=True)
    whole = fold(terms, events, through, fees_through=through, checkpoint_on=split)
    assert whole.checkpoint is not None
    start = Checkpoint(split, json.loads(json.dumps(whole.checkpoint.figures)))
    rest = fold(terms, events, through, fees_through=through, start=start)

    bit_by_bit.prove(state)
    assert bit_by_bit.balances() == at_once.balances()
    assert bit_by_bit.converge(events, through, through, accrue=True)[1] == ()
    assert (rest.balances(), rest.installments) == (whole.balances(), whole.installments)
