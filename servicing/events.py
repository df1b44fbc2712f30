"""What happens to a loan, as values: appended, never edited; a return or reversal names the payment it undoes.

Events take effect in the order of their effective dates, those of one day in the order in which they were entered.
Derived facts (a late fee, an allocation) are no events: the fold computes them. Next: `servicing/engine.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kinds of events."""

    FUNDED = "funded"
    PAYMENT = "payment"
    RETURNED = "payment_returned"
    REVERSED = "payment_reversed"


UNDOING = frozenset({Kind.RETURNED, Kind.REVERSED})

CLEARING_ROLES: Mapping[str, str] = {
    "cash": "CASH_CLEARING",
    "ach": "ACH_CLEARING",
    "card": "CARD_CLEARING",
    "check": "CHECK_CLEARING",
    "wire": "WIRE_CLEARING",
}
"""The role of the clearing account of each payment method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a loan. `amount` in minor units; `of` is the event number of the payment that is undone."""

    no: int
    kind: Kind
    effective_date: date
    entered_on: date
    amount: int = 0
    method: str = "cash"
    of: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> tuple[date, int]:
        """Return the place of the event in the order of replay."""
        return self.effective_date, self.no
