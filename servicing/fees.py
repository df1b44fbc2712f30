"""The fees of one loan while its life is folded, each by its id: what was charged, waived, and is still owed of it.

A payment pays a receivable of an installment; of the fees that are there, the one charged first is paid first. Amounts
are minor units, tax included. Never: when a fee is charged (`servicing/effects/fees.py`).
Next: `servicing/installments.py`, which knows what was paid; `docs/spec/fees.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from servicing.checkpoint import Figures
from servicing.state import FeeState

PaidOn = Callable[[int, str], int]
"""Returns what was paid of a receivable on an installment."""


@dataclass(slots=True)
class Fee:
    """A fee on an installment. `amount` and `waived` contain the tax on them."""

    id: str
    kind: str
    receivable: str
    charged_on: date
    installment: int
    amount: int
    tax: int = 0
    waived: int = 0

    @property
    def asked(self) -> int:
        """Return what is asked of it, paid or not."""
        return self.amount - self.waived

    @property
    def tax_waived(self) -> int:
        """Return the tax in what was waived, rounded down: with all of it, all of the tax."""
        return self.waived * self.tax // self.amount

    def freeze(self) -> Figures:
        """Return it as JSON values."""
        return {
            "id": self.id,
            "kind": self.kind,
            "receivable": self.receivable,
            "charged_on": self.charged_on.isoformat(),
            "installment": self.installment,
            "amount": self.amount,
            "tax": self.tax,
            "waived": self.waived,
        }

    @classmethod
    def thaw(cls, figures: Figures) -> Fee:
        """Return a fee that was frozen."""
        return cls(**{**figures, "charged_on": date.fromisoformat(figures["charged_on"])})


class Fees:
    """The running fees of a loan, in the order in which they were charged; they live only inside a fold."""

    def __init__(self, paid_on: PaidOn, frozen: Sequence[Figures] = ()) -> None:
        self._paid_on = paid_on
        self._fees = {figures["id"]: Fee.thaw(figures) for figures in frozen}

    def __iter__(self) -> Iterator[Fee]:
        return iter(self._fees.values())

    def freeze(self) -> list[Figures]:
        """Return them as JSON values."""
        return [fee.freeze() for fee in self]

    def add(self, fee: Fee) -> None:
        """Add a fee that was charged."""
        self._fees[fee.id] = fee

    def get(self, id_: str) -> Fee | None:
        """Return the fee of an id, if it was charged."""
        return self._fees.get(id_)

    def move(self, moved: Mapping[int, int]) -> None:
        """Let installments have other numbers."""
        for fee in self:
            fee.installment = moved.get(fee.installment, fee.installment)

    def owed(self, fee: Fee) -> int:
        """Return what is asked of a fee and was not paid."""
        return fee.asked - self._paid(fee)

    def states(self) -> tuple[FeeState, ...]:
        """Return the fees as they stand."""
        return tuple(
            FeeState(
                id=fee.id,
                kind=fee.kind,
                receivable=fee.receivable,
                charged_on=fee.charged_on,
                installment=fee.installment,
                amount=fee.amount,
                tax=fee.tax,
                waived=fee.waived,
                paid=self._paid(fee),
            )
            for fee in self
        )

    def _paid(self, fee: Fee) -> int:
        """Return what was paid of a fee: what is left of the payments when those charged before it are paid."""
        left = self._paid_on(fee.installment, fee.receivable)
        for each in self:
            if each is fee:
                break
            if (each.installment, each.receivable) == (fee.installment, fee.receivable):
                left -= min(left, each.asked)
        return min(left, fee.asked)
