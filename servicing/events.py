"""What happens to a loan, as values: appended, never edited; a return or reversal names the payment it undoes.

Events take effect in the order of their effective dates; of one day, what changes the contract comes before what falls
due, and everything else after it in the order in which it was entered. Derived facts (a late fee, an allocation) are no
events: the fold computes them. Next: `servicing/engine.py`, and `servicing/effects/` for what each kind does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kinds of events."""

    FUNDED = "funded"
    FUNDING_UNWOUND = "funding_unwound"
    DISBURSED = "disbursed"
    DISBURSEMENT_RETURNED = "disbursement_returned"
    BOARDED = "boarded"
    DRAWDOWN = "drawdown"
    RATE_RESET = "rate_reset"
    PAYMENT = "payment"
    RETURNED = "payment_returned"
    REVERSED = "payment_reversed"
    EVENT_REVERSED = "event_reversed"
    FEE = "fee"
    WAIVER = "waiver"
    REFUND = "refund"
    GOODWILL_CREDIT = "goodwill_credit"
    MERCHANT_REFUND = "merchant_refund"
    CREDIT_BALANCE_REFUND = "credit_balance_refund"
    CHARGEBACK = "chargeback"
    WRITE_OFF = "write_off"
    MODIFICATION = "modification"
    TRIAL_PLAN = "trial_plan"
    TRIAL_PLAN_ENDED = "trial_plan_ended"
    DELINQUENCY_PAUSED = "delinquency_paused"
    DELINQUENCY_RESUMED = "delinquency_resumed"
    ACCELERATED = "accelerated"
    SETTLED = "settled"
    NON_ACCRUAL = "non_accrual"
    ACCRUAL_RESUMED = "accrual_resumed"
    CHARGE_OFF = "charge_off"
    RECOVERY = "recovery"
    SOLD = "sold"
    BOUGHT_BACK = "bought_back"
    FLAGGED = "flagged"


UNDOING = frozenset({Kind.RETURNED, Kind.REVERSED, Kind.EVENT_REVERSED, Kind.FUNDING_UNWOUND})
"""Kinds that undo the event which they name: it is then left out of every fold, on whatever day."""

PAYMENTS = frozenset({Kind.PAYMENT, Kind.RECOVERY})
"""Kinds by which money comes from the borrower, or from an agency that collected it."""

AFTER_RELEASE = frozenset(
    {
        *PAYMENTS,
        *UNDOING,
        Kind.REFUND,
        Kind.CREDIT_BALANCE_REFUND,
        Kind.SOLD,
        Kind.BOUGHT_BACK,
        Kind.FLAGGED,
        Kind.DISBURSED,
        Kind.DISBURSEMENT_RETURNED,
    }
)
"""What may still happen to a loan that is sold and not serviced any more."""

BEFORE_DUE = (
    frozenset({Kind.FUNDED, Kind.BOARDED, Kind.DRAWDOWN}),
    frozenset({Kind.RATE_RESET, Kind.MODIFICATION}),
)
"""Kinds that take effect before anything falls due on their day, in this order.

A modification that works with what is owed is the exception: it comes in the order of entry.
"""

CLEARING_ROLES: Mapping[str, str] = {
    "cash": "CASH_CLEARING",
    "ach": "ACH_CLEARING",
    "card": "CARD_CLEARING",
    "check": "CHECK_CLEARING",
    "wire": "WIRE_CLEARING",
}
"""The role of the clearing account of each payment method."""

RAILS: Mapping[str, str] = {**CLEARING_ROLES, "refinance": "REFINANCE_CLEARING"}
"""The same, with what one loan pays off another by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a loan, numbered from 1 when it is recorded.

    `amount` in minor units; `of` is the number of the event that is undone or taken back.
    """

    no: int = 0
    kind: Kind
    effective_date: date
    entered_on: date
    amount: int = 0
    method: str = "cash"
    of: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reaches_back_to(self) -> date:
        """Return the first day that it changes: its own, or that of a charge-off by the policy that it reverses."""
        charged_off_on = self.details.get("charged_off_on")
        return self.effective_date if charged_off_on is None else date.fromisoformat(charged_off_on)

    @property
    def rank(self) -> int:
        """Return the place of its kind within a day."""
        if self.kind is Kind.MODIFICATION and self.details.get("by_entry"):
            return len(BEFORE_DUE)
        return next((rank for rank, kinds in enumerate(BEFORE_DUE) if self.kind in kinds), len(BEFORE_DUE))

    @property
    def is_before_due(self) -> bool:
        """Tell whether it takes effect before anything falls due on its day."""
        return self.rank < len(BEFORE_DUE)

    @property
    def order(self) -> tuple[date, int, int]:
        """Return the place of the event in the order of replay."""
        return self.effective_date, self.rank, self.no


def charged_back(events: Sequence[Event], payment_no: int) -> int:
    """Return how much of a payment was charged back, by events that stand."""
    undone = {event.of for event in events if event.kind in UNDOING}
    taken = [event for event in events if event.kind is Kind.CHARGEBACK and event.of == payment_no]
    return sum(event.amount for event in taken if event.no not in undone)
