"""What the close of a day that nobody evaluated yet may still bring, where the loan itself is at its end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from servicing.engine import fold
from servicing.events import Event, Kind
from servicing.product import SmallBalance
from servicing.standing import standing_of
from tests.unit.servicing.examples import FUNDED, RULES, TERMS, day, payment


def test_a_payment_on_a_claim_may_leave_too_little_of_it_to_collect() -> None:
    # One installment, nothing else: 100.00 charged off on day 31, of which 95.00 is collected on day 40.
    product = RULES.model_copy(update={"small_balance": SmallBalance(limit=Decimal("10"), automatic=True)})
    terms = replace(TERMS, product=product, principal=TERMS.amount(Decimal(100)), rate=Decimal(0), installments=1)
    charge_off = Event(no=2, kind=Kind.CHARGE_OFF, effective_date=day(31), entered_on=day(31), amount=10_000)
    events = (replace(FUNDED, amount=10_000), charge_off, payment(3, 9_500, day(40)))

    state = fold(terms, events, day(45), fees_through=day(39))
    standing = standing_of(state, terms, day(39))

    assert state.principal == 500
    assert standing.next_step_on == day(40)
    assert standing.is_open
    closed = fold(terms, events, day(45), fees_through=day(45))
    assert closed.principal == 0
    assert not standing_of(closed, terms, day(45)).is_open
