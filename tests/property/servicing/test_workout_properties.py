"""What must hold for modifications, whatever a loan is: it goes on as it was agreed, and nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from servicing.buckets import buckets
from servicing.delinquency import days_past_due
from servicing.drafts import LoanDraft
from servicing.engine import fold
from servicing.events import Event
from servicing.opening import Opening
from servicing.pauses import Pause, day_at, days_counted
from servicing.product import DownPayment
from servicing.terms import Terms
from tests.property.servicing.journals import Journal
from tests.property.servicing.loan_terms import any_terms
from tests.property.servicing.test_boarding_properties import twins
from tests.property.servicing.workouts import TOLD, modification, workouts
from tests.unit.servicing.examples import FUNDED, day, drawdown, payment

END = 500
KINDS = sorted(set(TOLD) - {"accelerate"})


@given(twins(), st.sampled_from(KINDS), st.data())
def test_a_loan_that_was_taken_over_is_modified_as_its_twin(
    twin: tuple[Terms, tuple[Event, ...], Opening], kind: str, data: st.DataObject
) -> None:
    terms, before, opening = twin
    on = opening.cut_over_on + timedelta(days=data.draw(st.integers(1, 40)))
    principal = min(opening.principal.minor, terms.principal.minor)
    assume(principal > 0)
    told = {name: value for name, value in TOLD[kind](data.draw, on, principal).items() if value is not None}
    changed = modification(40, kind, told, on)
    boarding = LoanDraft("A", terms, opening).first_event(opening.cut_over_on)
    through = on + timedelta(days=100)

    stayed, moved = (fold(terms, [*first, changed], through) for first in (before, [boarding]))

    # The interest that was taken over is rounded once more, at the cut-over; what it becomes earns interest.
    owed = [state.principal + state.interest - state.unapplied for state in (stayed, moved)]
    assert abs(owed[0] - owed[1]) <= 3
    if stayed.status == moved.status == "active":
        assert days_past_due(moved, through) == days_past_due(stayed, through)
        assert [line.due for line in moved.installments] == [line.due for line in stayed.installments]


@given(any_terms(), st.integers(0, 60), st.data())
def test_nothing_is_lost_where_drawdowns_are_paid_down_at_once(terms: Terms, first: int, data: st.DataObject) -> None:
    assume(terms.product.interest != "precomputed" and terms.product.odd_days is None)
    rules = {"down_payment": DownPayment(percent=Decimal(10)), "charge_off_dpd": None, "non_accrual_dpd": None}
    terms = replace(terms, product=terms.product.model_copy(update=rules))
    events = [replace(FUNDED, amount=terms.principal.minor)]
    if data.draw(st.booleans()):
        events.append(drawdown(2, terms.principal.minor, day(first)))
    events.append(payment(3, 1 + terms.principal.minor // 4, day(first + 20)))
    events.append(data.draw(workouts(4, day(first + 25), day(first + 25), terms.principal.minor)))
    events.append(payment(5, 1 + terms.principal.minor // 4, day(first + 70)))
    journal = Journal(terms)

    for through in (day(first + 25), day(first + 80), day(END)):
        known = [event for event in events if event.effective_date <= through]
        state, _ = journal.converge(known, through, through, accrue=True)

        assert journal.balances() == state.balances()
        assert min(state.balances().values()) >= 0
        assert {name: of.total for name, of in buckets(state).items()} == {
            name: state.balances()[name] for name in ("principal", "interest", "fees", "penalties")
        }
        assert sum(line.paid for line in state.installments) + state.unapplied == sum(
            event.amount for event in known if event.kind == "payment"
        ) + _paid_down(known, terms)


def _paid_down(events: list[Event], terms: Terms) -> int:
    drawn = [event.amount for event in events if event.kind in ("funded", "drawdown")]
    return sum(terms.down_payment_of(terms.amount(Decimal(minor) / 100)).minor for minor in drawn)


DAYS = st.integers(0, 200).map(lambda n: date(2026, 1, 1) + timedelta(days=n))


@given(DAYS, st.integers(1, 120), st.lists(st.tuples(DAYS, st.integers(0, 60), st.booleans()), max_size=3), DAYS)
def test_a_day_is_found_on_which_an_installment_is_so_many_days_past_due(
    due: date, dpd: int, drawn: list[tuple[date, int, bool]], start: date
) -> None:
    pauses, free = [], date.min
    for first, length, counts in sorted(drawn):
        if first >= free and length:
            free = first + timedelta(days=length)
            pauses.append(Pause(first, free, counts))

    # By hand: day after day, until it is reached.
    for known in (pauses, [*pauses, Pause(max(start, free), None)]):
        days = (due + timedelta(days=n) for n in range(1000))
        assert day_at(due, dpd, known) == next((on for on in days if days_counted(due, on, known) >= dpd), None)
