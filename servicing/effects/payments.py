"""Payments. That one was undone needs no effect: it is left out of the fold.

Never: the order in which a payment is split (`servicing/waterfall.py`). Next: `docs/spec/payments.md`.
"""

from __future__ import annotations

from dataclasses import replace

from servicing.effects.recoveries import keep_commission, pay_claim
from servicing.effects.refunds import recover
from servicing.effects.sales import keep_for_the_owner
from servicing.effects.suspense import hold, way_of_payment
from servicing.events import RAILS, Event
from servicing.folding import Folding


def pay(folding: Folding, event: Event) -> None:
    """Split a payment over what is owed; what is more than that is unapplied, or held where that is the rule.

    What the borrower was refunded and has to give back comes first, unless the payment says itself how it is split. One
    that is to pay the loan off has the unapplied cash that is there pay what it leaves.
    """
    if folding.books.is_released:
        keep_for_the_owner(folding, event)
        return
    if folding.books.is_charged_off:
        pay_claim(folding, event)
        return
    recovered = 0 if event.details.get("allocate") else recover(folding, event)
    folding.workouts.receive(event.amount)
    cash, pays_off = event.amount - recovered, bool(event.details.get("payoff"))
    if pays_off:
        folding.held = 0
    way = way_of_payment(folding, event, cash)
    split = folding.lay(cash, event, way, beside=folding.unapplied if pays_off else folding.held)
    folding.remember(event, replace(split, allocation=replace(split.allocation, recoverable=recovered)))
    amounts = {**split.allocation.receivables(), "unapplied": split.allocation.unapplied}
    if any(amounts.values()):
        role = RAILS[event.method]
        folding.plan(f"event:{event.no}", "payment_applied", event.effective_date, amounts, role)
    hold(folding, event, split.allocation.unapplied, way)
    if pays_off:
        folding.spend_unapplied(folding.debt, event)


def take_recovery(folding: Folding, event: Event) -> None:
    """Take what was recovered after a charge-off, as the payment that it is, and let an agency keep its part."""
    pay(folding, event)
    keep_commission(folding, event)
