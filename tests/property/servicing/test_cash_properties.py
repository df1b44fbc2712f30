"""What must hold of cash in any life of a loan: it waits, is applied or sent back, and none of it is lost or made."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from servicing.checkpoint import Checkpoint
from servicing.engine import fold
from servicing.events import Event, Kind
from servicing.terms import Terms
from tests.property.servicing.cash_lives import END, cash_lives, in_force
from tests.property.servicing.journals import Journal
from tests.property.servicing.test_checkpoint_properties import positions_since
from tests.unit.servicing.examples import day, payment, undoing

MONEY_IN = (Kind.PAYMENT, Kind.GOODWILL_CREDIT, Kind.MERCHANT_REFUND)
MONEY_OUT = (Kind.REFUND, Kind.CHARGEBACK)
CHARGED_BACK = ("payment_charged_back", "non_accrual_interest_charged_back")
"""What is charged back is owed again, beside what is `recoverable`."""
CHARGED_BACK_OF_A_CLAIM = "charged_back_after_charge_off"
"""The same where the loan is charged off: the books have one sum of both."""


@given(cash_lives(), st.integers(0, END))
def test_every_cent_is_on_an_installment_unapplied_sent_back_or_recovered(
    life: tuple[Terms, tuple[Event, ...]], on: int
) -> None:
    terms, events = life
    known = [event for event in events if event.effective_date <= day(on)]
    state = fold(terms, events, day(on), fees_through=day(on))

    brought = [event for event in in_force(events, *MONEY_IN) if event in known]
    sent = [event for event in in_force(events, *MONEY_OUT) if event in known]
    assert {no: parts.total for no, parts in state.allocations.items()} == {e.no: e.amount for e in brought}
    assert all(min(parts.components().values()) >= 0 for parts in state.allocations.values())
    assert min(state.balances().values()) >= 0
    if not any("allocate" in event.details for event in brought):
        assert not (state.unapplied and state.recoverable)
    taken_back = [entry.amounts for entry in state.planned if entry.template in CHARGED_BACK]
    owed_again = sum(minor for amounts in taken_back for name, minor in amounts.items() if name != "recoverable")
    cash = sum(event.amount for event in brought) - sum(event.amount for event in sent) + owed_again
    given_up = [entry.amounts for entry in state.planned if entry.template == "small_balance_written_off"]
    recoverable = state.recoverable + sum(amounts["recoverable"] for amounts in given_up)
    of_claims = sum(e.amounts["amount"] for e in state.planned if e.template == CHARGED_BACK_OF_A_CLAIM)
    assert 0 <= sum(line.paid for line in state.installments) + state.unapplied - recoverable - cash <= of_claims
    due = [line for line in state.installments if line.due <= day(on)]
    assert sum(line.interest - line.paid_interest for line in due) <= state.interest
    assert sum(line.principal - line.paid_principal for line in due) <= state.principal
    if len(due) == len(state.installments):
        assert sum(line.unpaid for line in state.installments) == state.principal + state.interest


@given(cash_lives())
def test_the_journal_converges_to_the_same_books_event_by_event_or_at_once(
    life: tuple[Terms, tuple[Event, ...]],
) -> None:
    terms, events = life
    bit_by_bit, at_once, end = Journal(terms), Journal(terms), day(END)

    for count, event in enumerate(events, start=1):
        bit_by_bit.converge(events[:count], event.entered_on, event.entered_on)
    state, _ = bit_by_bit.converge(events, end, end, accrue=True)
    at_once.converge(events, end, end, accrue=True)

    bit_by_bit.prove(state)
    assert bit_by_bit.balances() == at_once.balances()
    assert +bit_by_bit.held == +at_once.held
    assert bit_by_bit.converge(events, end, end, accrue=True)[1] == ()


@given(cash_lives(), st.integers(0, END), st.integers(0, 60), st.data())
def test_payment_and_reversal_equal_never_paid(
    life: tuple[Terms, tuple[Event, ...]], offset: int, later: int, data: st.DataObject
) -> None:
    terms, events = life
    extra = payment(50, data.draw(st.integers(1, terms.principal.minor)), day(offset))
    never, undone, through = Journal(terms), Journal(terms), day(END + 60)

    never.converge(events, through, through, accrue=True)
    undone.converge([*events, extra], through, through, accrue=True)
    undone.converge([*events, extra, undoing(51, 50, day(offset + later))], through, through, accrue=True)

    assert undone.balances() == never.balances()
    assert +undone.held == +never.held


@given(cash_lives(), st.lists(st.integers(0, END), max_size=6))
def test_held_cash_is_applied_on_the_same_days_however_often_interest_is_booked(
    life: tuple[Terms, tuple[Event, ...]], days: list[int]
) -> None:
    terms, events = life
    through = day(END)

    once = fold(terms, events, through, fees_through=through)
    often = fold(terms, events, through, fees_through=through, accrual_days=[day(n) for n in days])

    assert once.balances() == often.balances()
    assert once.allocations == often.allocations
    assert once.installments == often.installments


@given(cash_lives(), st.integers(0, END))
def test_a_fold_from_a_checkpoint_equals_the_fold_from_the_funding(
    life: tuple[Terms, tuple[Event, ...]], at: int
) -> None:
    terms, events = life
    through, split = day(END), day(at)
    whole = fold(terms, events, through, fees_through=through, checkpoint_on=split)
    assert whole.checkpoint is not None
    start = Checkpoint(split, json.loads(json.dumps(whole.checkpoint.figures)))

    rest = fold(terms, events, through, fees_through=through, start=start)

    assert rest == replace(
        whole,
        allocations={no: whole.allocations[no] for no in rest.allocations},
        by_installment={no: whole.by_installment[no] for no in rest.by_installment},
        planned=tuple(entry for entry in whole.planned if entry.effective_date >= split),
        positions=positions_since(whole, rest),
        checkpoint=None,
    )


@given(cash_lives())
def test_where_partial_payments_are_held_no_product_rule_pays_an_installment_in_part(
    life: tuple[Terms, tuple[Event, ...]],
) -> None:
    terms, _ = life
    product = terms.product.model_copy(update={"partial_payments": "hold"})
    held = replace(terms, product=product)
    least = min(line.principal + line.interest for line in fold(held, life[1][:1], day(0)).installments)
    events = [life[1][0], *(payment(no, 1 + least // 9, day(20 * no)) for no in range(2, 12))]
    for no in range(2, 12):
        state = fold(held, events[:no], day(20 * no))
        partly = [line for line in state.installments if line.due <= day(20 * no) and line.paid > 0 and line.unpaid > 0]
        assert partly == [] or state.status == "paid_off"
