"""A loan in plain Python, night by night: what simple interest is, without schedules, waterfalls or replay.

It knows the loans whose payments bring interest first, then principal, then fees; of them it knows
every day. Amounts are minor units. Never: the code of the project.
Next: `tests/property/servicing/test_reference_loan.py`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

PRECISE = Context(prec=80)


@dataclass(frozen=True, slots=True)
class Happening:
    """A payment of a day, a fee or a waiver of interest; in the order in which they were entered."""

    on: date
    paid: int = 0
    fee: int = 0
    waived: int = 0


@dataclass(slots=True)
class ReferenceLoan:
    """What is owed, and what is unapplied."""

    principal: int
    interest: int = 0
    fee: int = 0
    unapplied: int = 0

    def pay(self, amount: int) -> None:
        """Take money: interest first, then principal, then the fee; the rest is unapplied."""
        for name in ("interest", "principal", "fee"):
            part = min(amount, getattr(self, name))
            setattr(self, name, getattr(self, name) - part)
            amount -= part
        self.unapplied += amount

    def charge(self, fee: int) -> None:
        """Owe a fee, which unapplied cash pays as far as it goes."""
        self.fee += fee
        part = min(self.unapplied, self.fee)
        self.fee -= part
        self.unapplied -= part


def live(
    principal: int,
    rate: Decimal,
    day_count: str,
    *,
    funded_on: date,
    happenings: Iterable[Happening],
    through: date,
) -> ReferenceLoan:
    """Return the loan at the close of a day; the rate is in percent a year."""
    loan, waiting = ReferenceLoan(principal), list(happenings)
    with localcontext(PRECISE):
        exact, brought = Decimal(0), 0
        day = funded_on
        while day <= through:
            earned = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
            loan.interest += earned - brought
            brought = earned
            for happening in waiting:
                if happening.on == day and happening.paid:
                    loan.pay(happening.paid)
                elif happening.on == day:
                    loan.interest -= min(happening.waived, loan.interest)
                    loan.charge(happening.fee)
            exact += loan.principal * rate / 100 / nights_in_a_year(day_count, day)
            day += timedelta(days=1)
    return loan


def nights_in_a_year(day_count: str, night: date) -> int:
    """Return how many nights like this one make a year."""
    if day_count == "actual/actual":
        return 366 if calendar.isleap(night.year) else 365
    return int(day_count.removeprefix("actual/"))
