"""The waterfall: how one payment is split, the oldest installment first and component by component within it.

Two guards hold at once: an installment takes no more than it asks for, and nothing takes more than is owed. So no
receivable ever goes below zero, and only what is more than the whole debt stays unapplied. Never: dates.
Next: `servicing/installments.py`, which says what each installment asks for; `docs/spec/payments.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

RECEIVABLES: Mapping[str, tuple[str, ...]] = {
    "penalties": ("late_fees", "returned_payment_fees"),
    "fees": ("other_fees",),
    "interest": ("interest",),
    "principal": ("principal",),
}
"""The receivables of each component of the order, the first one paid first."""

ALL_RECEIVABLES = tuple(name for names in RECEIVABLES.values() for name in names)
SHARING_ROOM = frozenset({"interest", "principal"})


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


@dataclass(frozen=True, slots=True)
class Claim:
    """What an installment takes at most, by receivable; interest and principal together no more than `room`."""

    no: int
    most: Mapping[str, int]
    room: int


@dataclass(frozen=True, slots=True)
class Split:
    """A payment as a whole, and what each installment took of it."""

    allocation: Allocation
    by_installment: Mapping[int, Allocation]


def allocate(amount: int, owed: Mapping[str, int], claims: Iterable[Claim], order: Sequence[str]) -> Split:
    """Split an amount over claims, one after the other, each in the order of components."""
    left, open_debt = amount, dict(owed)
    taken: dict[int, Allocation] = {}
    for claim in claims:
        if not left:
            break
        took = _take(left, open_debt, claim, order)
        left -= sum(took.values())
        if took:
            taken[claim.no] = Allocation(**took)
    parts = {name: owed.get(name, 0) - open_debt.get(name, 0) for name in ALL_RECEIVABLES}
    return Split(Allocation(**parts, unapplied=left), taken)


def _take(left: int, open_debt: dict[str, int], claim: Claim, order: Sequence[str]) -> dict[str, int]:
    """Return what one claim takes, lowering the open debt by it."""
    took: dict[str, int] = {}
    room = claim.room
    for name in (name for component in order for name in RECEIVABLES[component]):
        part = min(left, claim.most.get(name, 0), open_debt.get(name, 0))
        if name in SHARING_ROOM:
            part = min(part, room)
            room -= part
        if part:
            took[name] = part
            open_debt[name] -= part
            left -= part
    return took
