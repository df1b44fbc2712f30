"""What a contract comes to at one time: its installments, the interest period of each, and the rates in force.

A change (a rate, a drawdown, a prepayment that recasts) makes a next contract; what has fallen due stays as it was.
Never: how it is drawn up (`servicing/schedule.py`), or what was paid.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from servicing.checkpoint import text_of_fraction
from servicing.day_count import Period


@dataclass(frozen=True, slots=True)
class Installment:
    """One installment of the contract, in minor units; `balance` is the principal left after it.

    Where `keeps_total` holds, its total is agreed, and interest that comes out otherwise moves its principal; else
    its principal is agreed, and interest comes on top. Where `asks_interest` does not, a later one asks for it.
    `ends` is the day to which its interest runs: its due date, unless that moved to a business day. Where it
    `is_down_payment`, it is paid by the drawdown that it comes with.
    """

    no: int
    due: date
    principal: int
    interest: int
    balance: int
    keeps_total: bool
    asks_interest: bool = True
    ends: date | None = None
    is_down_payment: bool = False

    @property
    def total(self) -> int:
        """Return principal and interest together."""
        return self.principal + self.interest

    @property
    def interest_to(self) -> date:
        """Return the day to which its interest runs."""
        return self.ends or self.due


@dataclass(frozen=True, slots=True)
class Phase:
    """Installments that follow one rule; `agreed` is an amount from the contract, in minor units."""

    installments: int
    rule: str
    agreed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Installments that take the place of all that were to come, by a modification of the contract.

    The first `after` regular ones stay. `dues` are the new due dates before they move to business days; the phases
    sum to as many. `spread` is interest of before, in minor units, that level installments share beside their own.
    """

    after: int
    dues: tuple[date, ...]
    phases: tuple[Phase, ...]
    frequency: str
    spread: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {**asdict(self), "dues": [due.isoformat() for due in self.dues]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Plan:
        """Return the plan that `as_json` wrote."""
        dues = tuple(date.fromisoformat(due) for due in stored["dues"])
        return cls(**{**stored, "dues": dues, "phases": tuple(Phase(**phase) for phase in stored["phases"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What changes a contract from a day on; amounts are minor units.

    `owed` is the principal that the coming installments share after it (None: as the contract has it). Where it
    `resolves`, they are worked out again; else each asks as before, and the last takes what is left. A `plan` puts
    others in their place; it says what interest the loan has `earned` by then, and how much the installments before ask
    for (`claimed`).
    """

    on: date
    rate: Decimal | None = None
    owed: int | None = None
    drawn: int = 0
    down_payment: int = 0
    prepaid: int = 0
    resolves: bool = True
    shortens: bool = False
    plan: Plan | None = None
    earned: Fraction | None = None
    claimed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the change as JSON values."""
        own = asdict(self)
        plan = None if self.plan is None else self.plan.as_json()
        rate = None if self.rate is None else str(self.rate)
        earned = None if self.earned is None else text_of_fraction(self.earned)
        return {**own, "on": self.on.isoformat(), "rate": rate, "plan": plan, "earned": earned}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Change:
        """Return the change that `as_json` wrote."""
        rate = None if stored["rate"] is None else Decimal(stored["rate"])
        plan = None if stored.get("plan") is None else Plan.from_json(stored["plan"])
        earned = None if stored.get("earned") is None else Fraction(stored["earned"])
        day = date.fromisoformat(stored["on"])
        return cls(**{**stored, "on": day, "rate": rate, "plan": plan, "earned": earned})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a regular installment was worked out by: its rule, what that came to, its due date before it moved."""

    phase: Phase
    amount: int
    due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The installments of a loan as they are agreed at one time, the interest period of each, and what earns in it.

    `openings` is the principal by contract with which each period begins, drawdowns within it included. `free` says
    which periods earn no interest; `rates` are those in force from a day on, in percent a year. `withheld` is the
    interest that was kept from the proceeds.
    """

    rows: tuple[Installment, ...]
    periods: tuple[Period, ...]
    openings: tuple[int, ...]
    free: tuple[bool, ...]
    rates: tuple[tuple[date, Decimal], ...]
    original: int
    withheld: int = 0
    earned: tuple[Fraction, ...] = ()
    """The interest that each period earns, asked for by its own installment or by a later one."""
    charges: tuple[Fraction, ...] = ()
    """The interest of each period, where it is a share of a finance charge that was fixed at first."""
    asked: tuple[Asked, ...] = ()
    """What each regular installment was worked out by, down payments left out."""
    frequency: str = ""
    """How often the latest installments are due."""

    def rate_on(self, day: date) -> Decimal:
        """Return the rate of the night of a day, whatever its period earns."""
        return self.rates[max(0, bisect_right(self.rates, day, key=lambda rate: rate[0]) - 1)][1]

    def next_rate_after(self, day: date) -> date | None:
        """Return the next day on which another rate is in force."""
        place = bisect_right(self.rates, day, key=lambda rate: rate[0])
        return self.rates[place][0] if place < len(self.rates) else None
