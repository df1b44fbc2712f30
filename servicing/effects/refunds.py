"""Refunds of the borrower's cash, and getting back what was refunded of a payment that did not stand.

What was sent has left the house: when the cash behind it turns out never to have come, the borrower owes it back.
Never: whether a refund may be made (`servicing/commands/refunds.py`). Next: `docs/spec/refunds.md`.
"""

from __future__ import annotations

from servicing.events import CLEARING_ROLES, RAILS, Event
from servicing.folding import Folding


def refund(folding: Folding, event: Event) -> None:
    """Send unapplied cash back; what is not there of it is recoverable from the borrower."""
    key, day, amount = f"event:{event.no}", event.effective_date, event.amount
    covered = min(folding.unapplied, amount)
    folding.unapplied -= covered
    folding.held = min(folding.held, folding.unapplied)
    folding.recoverable += amount - covered
    if covered:
        folding.plan(f"{key}/approved", "refund_approved", day, {"refund": covered})
    if amount > covered:
        folding.plan(f"{key}/recoverable", "refund_recoverable", day, {"recoverable": amount - covered})
    folding.plan(f"{key}/sent", "refund_sent", day, {"refund": amount}, CLEARING_ROLES[event.method])


def recover(folding: Folding, event: Event) -> int:
    """Take what is recoverable from the borrower out of a payment, before anything else; return how much it was."""
    recovered = min(folding.recoverable, event.amount)
    if recovered:
        folding.recoverable -= recovered
        folding.plan(
            f"event:{event.no}/recovered",
            "refund_recovered",
            event.effective_date,
            {"recovered": recovered},
            RAILS[event.method],
        )
    return recovered
