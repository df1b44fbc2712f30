"""Cash that waits: partial payments until an installment is whole, and what is more than is due until more falls due.

What has waited is laid by `Folding.spend_held`, when a payment completes an installment or one falls due.
Never: a payment's own split. Next: `docs/spec/suspense.md`.
"""

from __future__ import annotations

from dataclasses import replace

from servicing.events import Event
from servicing.folding import Folding, Way


def way_of_payment(folding: Folding, event: Event, cash: int) -> Way:
    """Return how a payment is split, with what the product or the payment says of excess and of partial payments.

    A payment that pays everything off, with the cash that is held, is not held by a rule of the product.
    """
    way, details = folding.way_of(event), event.details
    if way.told or details.get("waterfall") == "payoff":
        return way
    excess = _excess(folding, event)
    if (way.whole or excess != "apply") and "excess" not in details and cash + folding.held >= folding.debt:
        return replace(way, whole=False)
    ahead = excess == "apply" and not (way.whole and way.after_prepayment != "next")
    return replace(way, ahead=ahead)


def hold(folding: Folding, event: Event, cash: int, way: Way) -> None:
    """Keep what a payment leaves unapplied; where it is to wait, with what waits already, it pays what it can."""
    folding.unapplied += cash
    waits = not way.told and folding.paid_off_on is None and (way.whole or _excess(folding, event) == "hold")
    if waits and not (_excess(folding, event) == "refund" and folding.installments.are_current):
        folding.held += cash
    if folding.held and folding.paid_off_on is None and not way.told:
        folding.spend_held(event.effective_date, f"event:{event.no}/applied", way)


def _excess(folding: Folding, event: Event) -> str:
    return str(event.details.get("excess", folding.terms.product.excess))
