"""What must hold for any life of a loan: parts sum, nothing goes below zero, and the journal converges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from servicing.buckets import buckets
from servicing.engine import fold
from servicing.events import PAYMENTS, Event, Kind
from servicing.schedule import periods_of
from servicing.terms import Terms
from tests.property.servicing.journals import Journal
from tests.property.servicing.loan_terms import ANY_BUSINESS_DAYS, ANY_WATERFALL, USUAL_WATERFALL, any_terms
from tests.property.servicing.workouts import agreements, workouts
from tests.unit.servicing.examples import FUNDED, day, drawdown, payment, reset, undoing

END = 420


@st.composite
def lives(
    draw: st.DrawFn, waterfalls: st.SearchStrategy[dict[str, Any]] = ANY_WATERFALL
) -> tuple[Terms, tuple[Event, ...]]:
    """Draw terms and events in the order in which they are entered, each entered on its day or later."""
    terms = draw(any_terms(waterfalls=waterfalls, business_days=ANY_BUSINESS_DAYS))
    events = [replace(FUNDED, amount=terms.principal.minor)]
    last = periods_of(terms)[-1].end
    entered = 0
    paid: list[int] = []
    decided: list[int] = []
    for _ in range(draw(st.integers(0, 9))):
        entered = min(END, entered + draw(st.integers(0, 60)))
        back = draw(st.integers(0, min(entered, 70)))
        no = len(events) + 1
        what = draw(
            st.sampled_from(
                (
                    "pay",
                    "pay",
                    "pay",
                    "undo",
                    "undo",
                    "decide",
                    "decide",
                    "lose",
                    "take back",
                    "reset",
                    "draw",
                    "modify",
                    "modify",
                )
            )
        )
        if what == "undo" and paid:
            kind = draw(st.sampled_from([Kind.RETURNED, Kind.REVERSED]))
            events.append(undoing(no, paid.pop(draw(st.integers(0, len(paid) - 1))), day(entered), kind))
        elif what == "take back" and decided:
            of = decided.pop(draw(st.integers(0, len(decided) - 1)))
            events.append(undoing(no, of, day(entered), Kind.EVENT_REVERSED))
        elif what == "decide":
            events.append(draw(decisions(no, day(entered - back), day(entered), terms.principal.minor)))
            decided.append(no)
        elif what == "lose":
            events.append(draw(losses(no, day(entered - back), day(entered), terms.principal.minor)))
            (paid if events[-1].kind is Kind.RECOVERY else decided).append(no)
        elif what == "modify" and terms.product.interest != "precomputed":
            events.append(draw(workouts(no, day(entered - back), day(entered), terms.principal.minor)))
            decided.append(no)
        elif what == "agree" and terms.product.interest != "precomputed":
            events.append(draw(agreements(no, day(entered - back), day(entered), terms.principal.minor)))
            decided.append(no)
        elif what == "reset" and terms.product.interest != "precomputed":
            events.append(reset(no, Decimal(draw(st.integers(0, 3600))) / 100, day(entered - back), day(entered)))
        elif what == "draw" and terms.product.interest != "precomputed" and day(entered - back) < last:
            amount = draw(st.integers(1, terms.principal.minor))
            events.append(drawdown(no, amount, day(entered - back), day(entered)))
        else:
            principal = terms.principal.minor
            amount = draw(st.one_of(st.integers(1, 1 + principal // 3), st.integers(1 + principal // 3, 2 * principal)))
            events.append(payment(no, amount, day(entered - back), day(entered)))
            paid.append(no)
    return terms, tuple(events)


@st.composite
def decisions(draw: st.DrawFn, no: int, on: date, entered: date, principal: int) -> Event:
    """Draw what a person decides about a loan: a fee, a waiver of one or of interest, or a write-off."""
    kind = draw(st.sampled_from([Kind.FEE, Kind.FEE, Kind.WAIVER, Kind.WAIVER, Kind.WRITE_OFF]))
    of_one = st.sampled_from(
        [*(f"fee-{n}" for n in range(2, no)), "late_fee-1", "late_fee-2", "returned_payment_fee-3"]
    )
    due = st.one_of(st.none(), st.integers(0, END).map(lambda after: day(after).isoformat()))
    details: dict[str, Any] = {}
    if kind is Kind.FEE:
        details = {"fee_id": f"fee-{no}", "fee_kind": "any", "penalty": draw(st.booleans()), "due": draw(due)}
    elif kind is Kind.WAIVER:
        details = draw(
            st.one_of(
                st.sampled_from(["interest", "interest", "fees", "penalties"]).map(lambda name: {"component": name}),
                of_one.map(lambda id_: {"fee_id": id_}),
            )
        )
    amount = draw(st.integers(1, 1 + principal // 20))
    return Event(no=no, kind=kind, effective_date=on, entered_on=entered, amount=amount, details=details)


@st.composite
def losses(draw: st.DrawFn, no: int, on: date, entered: date, principal: int) -> Event:
    """Draw what becomes of a loan that goes bad, or does not."""
    priced = (Kind.CHARGE_OFF, Kind.RECOVERY, Kind.SOLD, Kind.BOUGHT_BACK)
    kind = draw(st.sampled_from([Kind.NON_ACCRUAL, Kind.NON_ACCRUAL, Kind.ACCRUAL_RESUMED, Kind.FLAGGED, *priced]))
    amount = draw(st.integers(1, principal)) if kind in priced else 0
    details: dict[str, Any] = {}
    if kind in (Kind.SOLD, Kind.BOUGHT_BACK):
        details = {"rail": "cash", "servicing": draw(st.sampled_from(["released", "retained"]))}
        if draw(st.booleans()):
            amount, details = 0, {**details, "at_carrying_amount": True}
    elif kind is Kind.FLAGGED:
        details = {"flag": draw(st.sampled_from(["bankruptcy", "dispute"])), "lifted": draw(st.booleans())}
    return Event(no=no, kind=kind, effective_date=on, entered_on=entered, amount=amount, details=details)


def in_force(events: Sequence[Event]) -> list[Event]:
    undone = {event.of for event in events}
    return [event for event in events if event.kind in PAYMENTS and event.no not in undone]


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
    assert sum(line.fees - line.paid_fees for line in lines) == state.other_fees
    assert all(min(line.penalties, line.fees, line.interest, line.principal, line.waived) >= 0 for line in lines)
    assert all(0 <= fee.paid <= fee.amount - fee.waived and fee.waived >= 0 for fee in state.fees)
    assert sum(fee.owed for fee in state.fees) == state.penalties + state.other_fees
    assert all(0 <= review.stands != review.decided for review in state.reviews)
    assert {name: of.total for name, of in buckets(state).items()} == {
        name: minor for name, minor in state.balances().items() if name not in ("unapplied", "recoverable")
    }
    assert all(min(of.past_due, of.due, of.in_advance) >= 0 for of in buckets(state).values())
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
    # Another rate, a drawdown or a modification asks for more on an installment that was paid ahead, and so opens it
    # again; a recovery has an order of its own.
    contract = (Kind.RATE_RESET, Kind.DRAWDOWN, Kind.MODIFICATION, Kind.TRIAL_PLAN)
    own = (*contract, Kind.CHARGE_OFF, Kind.SOLD, Kind.BOUGHT_BACK)
    terms, events = life[0], tuple(event for event in life[1] if event.kind not in own)
    terms = replace(terms, product=terms.product.model_copy(update={"charge_off_dpd": None}))
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

    bit_by_bit.prove(state)
    assert bit_by_bit.balances() == at_once.balances()
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
