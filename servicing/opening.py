"""A loan in mid-life as it is taken over: what is owed of it when a cut-over day begins, and how far it is behind.

The figures are those of whoever serviced it before; nothing of them is computed again. Never: accounts, or what happens
afterwards (`servicing/effects/boarding.py`). Next: `servicing/past_due.py`; `docs/spec/boarding.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.money import Money

BALANCES = ("principal", "interest", "late_fees", "returned_payment_fees", "other_fees", "unapplied")
"""What can be owed, and what the lender holds of the borrower's, in the order in which it is booked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The balances with which a cut-over day begins, interest accrued up to that day.

    `days_past_due` counts from the oldest installment that is not paid; `past_due` is what is missing of principal and
    interest of all that are past due (None: all of it). `next_due_on` is the first one to pay from the cut-over on,
    where the borrower has paid ahead.
    """

    cut_over_on: date
    principal: Money
    interest: Money
    late_fees: Money
    returned_payment_fees: Money
    other_fees: Money
    unapplied: Money
    days_past_due: int = 0
    past_due: Money | None = None
    next_due_on: date | None = None

    def balances(self) -> Iterator[tuple[str, Money]]:
        """Yield every balance by its name."""
        return ((name, getattr(self, name)) for name in BALANCES)

    @property
    def carrying_amount(self) -> int:
        """Return what the conversion clearing account is credited with, in minor units: what is owed less unapplied."""
        return sum(money.minor for _, money in self.balances()) - 2 * self.unapplied.minor

    def as_details(self) -> dict[str, Any]:
        """Return it as the details of an event: minor units, days as text; the cut-over is the event's own day."""
        return {
            **{name: money.minor for name, money in self.balances()},
            "days_past_due": self.days_past_due,
            "past_due": None if self.past_due is None else self.past_due.minor,
            "next_due_on": None if self.next_due_on is None else self.next_due_on.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Behind:
    """What an opening says beside the balances, as the fold of a loan reads it: minor units."""

    principal: int
    interest: int
    days_past_due: int
    past_due: int | None
    next_due_on: date | None

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> Behind:
        """Return what the details of an event say."""
        next_due = details["next_due_on"]
        return cls(
            principal=details["principal"],
            interest=details["interest"],
            days_past_due=details["days_past_due"],
            past_due=details["past_due"],
            next_due_on=None if next_due is None else date.fromisoformat(next_due),
        )
