"""Credits: the lender pays a loan down out of goodwill, or a merchant gives back what a purchase cost.

Each goes in an order of its own, which the product may set. Never: a borrower's payment, which may be late.
Next: `docs/spec/credits.md`.
"""

from __future__ import annotations

from dataclasses import replace

from servicing.effects.refunds import recover
from servicing.events import CLEARING_ROLES, Event, Kind
from servicing.folding import Folding, Way
from servicing.waterfall import Split


def give_goodwill(folding: Folding, event: Event) -> None:
    """Pay the loan down at the lender's expense; then what the borrower has to give back; the rest is unapplied."""
    split = folding.lay(event.amount, event, _way_of(folding, event))
    forgiven = min(folding.recoverable, split.allocation.unapplied)
    folding.recoverable -= forgiven
    parts = replace(split.allocation, unapplied=split.allocation.unapplied - forgiven, recoverable=forgiven)
    folding.unapplied += parts.unapplied
    folding.remember(event, Split(parts, split.by_installment))
    amounts = {**parts.receivables(), "recoverable": forgiven, "unapplied": parts.unapplied}
    folding.plan(f"event:{event.no}", "goodwill_credited", event.effective_date, amounts)


def take_merchant_refund(folding: Folding, event: Event) -> None:
    """Pay the loan down with a merchant's money, after what the borrower has to give back; the rest is unapplied."""
    recovered = recover(folding, event)
    split = folding.lay(event.amount - recovered, event, _way_of(folding, event))
    folding.unapplied += split.allocation.unapplied
    folding.remember(event, replace(split, allocation=replace(split.allocation, recoverable=recovered)))
    amounts = {**split.allocation.receivables(), "unapplied": split.allocation.unapplied}
    if any(amounts.values()):
        role = CLEARING_ROLES[event.method]
        folding.plan(f"event:{event.no}", "merchant_refund_applied", event.effective_date, amounts, role)


def _way_of(folding: Folding, event: Event) -> Way:
    product = folding.terms.product
    rule = product.goodwill_credit if event.kind is Kind.GOODWILL_CREDIT else product.merchant_refund
    return Way(product.waterfall_of_credit(rule), rule.after_prepayment or product.after_prepayment)
