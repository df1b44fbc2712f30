"""The waterfall: how one payment is split over what is owed, component by component.

Receivables never go below zero: interest is taken up to what has accrued, the rest is principal, and what is more than
the whole debt stays unapplied. Never: dates. Next: `servicing/engine.py`, which calls it in the order of replay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FEE_COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "penalties": ("late_fees", "returned_payment_fees"),
    "fees": ("other_fees",),
    "interest": ("interest",),
    "principal": ("principal",),
}
"""The receivables of each component of the order, the first one paid first."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """The parts of a payment in minor units; they sum to its amount."""

    late_fees: int = 0
    returned_payment_fees: int = 0
    other_fees: int = 0
    interest: int = 0
    principal: int = 0
    unapplied: int = 0

    @property
    def penalties(self) -> int:
        """Return what went to late and returned payment fees."""
        return self.late_fees + self.returned_payment_fees

    @property
    def total(self) -> int:
        """Return the amount of the payment."""
        return self.penalties + self.other_fees + self.interest + self.principal + self.unapplied

    def components(self) -> dict[str, int]:
        """Return the parts by component, as a scenario names them."""
        return {
            "principal": self.principal,
            "interest": self.interest,
            "fees": self.other_fees,
            "penalties": self.penalties,
            "unapplied": self.unapplied,
        }


def allocate(amount: int, owed: Mapping[str, int], order: Sequence[str]) -> Allocation:
    """Split an amount over what is owed by receivable, in the order of components."""
    parts: dict[str, int] = {}
    left = amount
    for component in order:
        for receivable in FEE_COMPONENTS[component]:
            parts[receivable] = min(left, owed.get(receivable, 0))
            left -= parts[receivable]
    return Allocation(**parts, unapplied=left)
