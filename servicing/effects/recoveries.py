"""Recoveries: what is paid on a loan that is charged off goes to its claim, and never to income.

A payment of such a loan is a recovery by itself, up to the claim; the rest is unapplied. Where a replay finds that the
loan was not charged off yet, a recovery is a payment. Never: how it is booked (`servicing/books.py`).
Next: `servicing/effects/payments.py`; `docs/spec/charge_off.md`.
"""

from __future__ import annotations

from dataclasses import replace

from servicing.effects.refunds import recover
from servicing.events import RAILS, Event
from servicing.folding import Folding, Way


def pay_claim(folding: Folding, event: Event) -> None:
    """Split what came in over the claim in the order of recoveries, or as the payment says itself."""
    told = event.details.get("allocate") or None
    recovered = 0 if told else recover(folding, event)
    way = Way(folding.terms.product.recovery_waterfall, "next", told)
    split = folding.lay(event.amount - recovered, event, way)
    folding.unapplied += split.allocation.unapplied
    folding.remember(event, replace(split, allocation=replace(split.allocation, recoverable=recovered)))
    amounts = {**split.allocation.receivables(), "unapplied": split.allocation.unapplied}
    if any(amounts.values()):
        role = RAILS[event.method]
        folding.plan(f"event:{event.no}", "payment_applied", event.effective_date, amounts, role)


def keep_commission(folding: Folding, event: Event) -> None:
    """Let the agency that collected an amount keep its commission of it."""
    commission = event.details.get("commission", 0)
    if commission:
        key, role = f"event:{event.no}/commission", RAILS[event.method]
        folding.plan(key, "agency_commission_kept", event.effective_date, {"commission": commission}, role)
