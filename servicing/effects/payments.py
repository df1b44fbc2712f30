"""Payments, and what the return of one costs. That a payment was undone needs no effect: it is left out of the fold.

Never: the order in which a payment is split (`servicing/waterfall.py`). Next: `docs/spec/payments.md`.
"""

from __future__ import annotations

from servicing.events import CLEARING_ROLES, Event
from servicing.folding import Folding


def pay(folding: Folding, event: Event) -> None:
    """Split a payment over what is owed; what is more than that is unapplied.

    One that is to pay the loan off has the unapplied cash that is there pay what it leaves.
    """
    split = folding.lay(event.amount, event)
    folding.unapplied += split.allocation.unapplied
    folding.remember(event, split)
    amounts = {**split.allocation.receivables(), "unapplied": split.allocation.unapplied}
    folding.plan(f"event:{event.no}", "payment_applied", event.effective_date, amounts, CLEARING_ROLES[event.method])
    if event.details.get("payoff"):
        folding.spend_unapplied(folding.debt, event)


def charge_return(folding: Folding, event: Event) -> None:
    """Charge the product's fee for a returned payment; unapplied cash pays it as far as it goes."""
    terms = folding.terms
    fee = terms.amount(terms.product.returned_payment_fee).minor
    if not fee:
        return
    folding.charge("returned_payment_fees", fee, event.effective_date)
    folding.plan(f"event:{event.no}/fee", "returned_payment_fee_assessed", event.effective_date, {"fee": fee})
    folding.spend_unapplied(fee, event)
