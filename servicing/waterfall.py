"""The waterfall: how one payment is split over what installments ask for, in the order of its steps.

Three guards hold at once: an installment takes no more than it asks for, nothing takes more than is owed, and what is
paid in advance takes nothing that an installment which is due asks for. So no receivable ever goes below zero, and
only what is more than the whole debt stays unapplied. Never: dates.
Next: `servicing/installments.py`, which says what each installment asks for; `servicing/waterfall_order.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from servicing.waterfall_order import STATUSES, Waterfall

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
    """The parts of a payment in minor units; they sum to its amount.

    `recoverable` is what it gives back of a refund; of most payments that is nothing, and it is not shown then.
    """

    late_fees: int = 0
    returned_payment_fees: int = 0
    other_fees: int = 0
    interest: int = 0
    principal: int = 0
    unapplied: int = 0
    recoverable: int = 0

    @property
    def penalties(self) -> int:
        """Return what went to late and returned payment fees."""
        return self.late_fees + self.returned_payment_fees

    @property
    def total(self) -> int:
        """Return the amount of the payment."""
        return sum(self.receivables().values()) + self.unapplied + self.recoverable

    def receivables(self) -> dict[str, int]:
        """Return the parts by receivable, without what is unapplied."""
        return {name: getattr(self, name) for name in ALL_RECEIVABLES}

    def components(self) -> dict[str, int]:
        """Return the parts by component, as a scenario names them."""
        given_back = {"recoverable": self.recoverable} if self.recoverable else {}
        return {
            "principal": self.principal,
            "interest": self.interest,
            "fees": self.other_fees,
            "penalties": self.penalties,
            "unapplied": self.unapplied,
            **given_back,
        }


@dataclass(frozen=True, slots=True)
class Claim:
    """What an installment takes at most, by receivable; interest and principal together no more than `room`."""

    no: int
    status: str
    most: Mapping[str, int]
    room: int


@dataclass(frozen=True, slots=True)
class Split:
    """A payment as a whole, and what each installment took of it."""

    allocation: Allocation
    by_installment: Mapping[int, Allocation]


@dataclass(frozen=True, slots=True)
class Debt:
    """What is owed, by receivable, and how much of it the installments that are due ask for."""

    owed: Mapping[str, int]
    due: Mapping[str, int]


def allocate(amount: int, debt: Debt, claims: Iterable[Claim], waterfall: Waterfall) -> Split:
    """Split an amount over claims in the order of the waterfall, those of one step in their own order."""
    sharing = _Sharing(debt)
    left = sharing.share(amount, claims, waterfall)
    return sharing.split(unapplied=left)


def allocate_as_told(parts: Mapping[str, int], debt: Debt, claims: Sequence[Claim]) -> Split:
    """Split given amounts by component, each over the oldest claims first; what is not owed stays unapplied."""
    sharing = _Sharing(debt)
    left = parts.get("unapplied", 0)
    for component in RECEIVABLES:
        left += sharing.share(parts.get(component, 0), claims, Waterfall.of_one(component))
    return sharing.split(unapplied=left)


class _Sharing:
    """What is still owed and what each installment took, while a payment is split."""

    def __init__(self, debt: Debt) -> None:
        self._open = dict(debt.owed)
        self._due = dict(debt.due)
        self._taken: dict[int, dict[str, int]] = {}

    def share(self, amount: int, claims: Iterable[Claim], waterfall: Waterfall) -> int:
        """Give an amount to claims; return what is left of it."""
        for claim, component in _in_order(claims, waterfall):
            if not amount:
                break
            for receivable in RECEIVABLES[component]:
                amount -= self._take(amount, claim, receivable)
        return amount

    def split(self, *, unapplied: int) -> Split:
        """Return what became of the amounts."""
        taken = {no: Allocation(**parts) for no, parts in self._taken.items()}
        sums = {name: sum(getattr(parts, name) for parts in taken.values()) for name in ALL_RECEIVABLES}
        return Split(Allocation(**sums, unapplied=unapplied), taken)

    def _take(self, left: int, claim: Claim, receivable: str) -> int:
        before = self._taken.get(claim.no, {})
        in_advance = claim.status == "in_advance"
        open_ = self._open.get(receivable, 0) - (self._due.get(receivable, 0) if in_advance else 0)
        part = min(left, claim.most.get(receivable, 0) - before.get(receivable, 0), open_)
        if receivable in SHARING_ROOM:
            part = min(part, claim.room - sum(before.get(name, 0) for name in SHARING_ROOM))
        if part <= 0:
            return 0
        self._open[receivable] -= part
        if not in_advance:
            self._due[receivable] = max(0, self._due.get(receivable, 0) - part)
        self._taken[claim.no] = {**before, receivable: before.get(receivable, 0) + part}
        return part


def _in_order(claims: Iterable[Claim], waterfall: Waterfall) -> Iterator[tuple[Claim, str]]:
    """Yield each claim with each component, in the order in which they are paid.

    Claims come with what is past due first, so that where that is the order, none is asked for before it is needed.
    """
    by_status = waterfall.by_status
    if not waterfall.vertical:
        ordered = (
            claims if tuple(by_status) == STATUSES else sorted(claims, key=lambda c: list(by_status).index(c.status))
        )
        yield from ((claim, component) for claim in ordered for component in by_status[claim.status])
        return
    every = list(claims)
    for status, component in waterfall.steps:
        yield from ((claim, component) for claim in every if claim.status == status)
