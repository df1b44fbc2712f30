"""Interest: on which balance it is earned, exact to the fraction, and how it becomes whole minor units.

What is booked is the rounded cumulative interest less what was booked before, so that however often interest is
booked, a loan's lifetime interest is the same to the cent. Never: which days are booked (`servicing/engine.py`).
Next: `servicing/running_interest.py`; `docs/spec/interest.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from ledger.money import Rounding
from servicing.day_count import Period, part_of_period


@dataclass(frozen=True, slots=True)
class Balances:
    """The principal of a loan by different counts, in minor units, on one day of an interest period."""

    outstanding: int
    at_period_start: int
    by_contract: int
    original: int


@dataclass(frozen=True, slots=True)
class Method:
    """How interest is earned: on which balance, whether after the last due date, and what an early payment pays.

    Where it `pays_period_whole`, an early payment pays the whole interest of the period that has begun; a payoff may be
    spared the part that is not earned. `by_digits` is the Rule of 78: of a finance charge that was fixed at first.
    """

    balance: Callable[[Balances], int]
    after_last_due_date: bool
    pays_period_whole: bool
    payoff_pays_period_whole: bool = True
    by_digits: bool = False


_DAILY = Method(lambda b: b.outstanding, after_last_due_date=True, pays_period_whole=False)
_ON_DUE_DATES = Method(lambda b: b.at_period_start, after_last_due_date=True, pays_period_whole=False)
_SCHEDULED = Method(lambda b: b.by_contract, after_last_due_date=False, pays_period_whole=True)
_FLAT = Method(lambda b: b.original, after_last_due_date=False, pays_period_whole=True)
_PRECOMPUTED = replace(_SCHEDULED, payoff_pays_period_whole=False)

METHODS: Mapping[tuple[str, str], Method] = MappingProxyType(
    {
        ("simple", "daily"): _DAILY,
        ("simple", "due_dates"): _ON_DUE_DATES,
        ("scheduled", "daily"): _SCHEDULED,
        ("scheduled", "due_dates"): _SCHEDULED,
        ("flat", "daily"): _FLAT,
        ("flat", "due_dates"): _FLAT,
        ("precomputed", "actuarial"): _PRECOMPUTED,
        ("precomputed", "rule_of_78"): replace(_PRECOMPUTED, payoff_pays_period_whole=True, by_digits=True),
    }
)
"""Every method by a product's `interest` and its `rests`, where it is simple, or its `rebate`, where precomputed."""


def interest_of(
    principal_minor: int, rate: Decimal, day_count: str, period: Period, start: date, end: date
) -> Fraction:
    """Return the exact interest, in minor units, of a balance between two days of one interest period.

    The rate is in percent a year.
    """
    return principal_minor * Fraction(rate) / 100 * part_of_period(day_count, period, start, end)


def rounded(exact: Fraction, mode: Rounding) -> int:
    """Return a non-negative amount of minor units, rounded."""
    whole, rest = divmod(exact.numerator, exact.denominator)
    twice = 2 * rest
    if mode is Rounding.HALF_EVEN:
        up = twice > exact.denominator or (twice == exact.denominator and whole % 2 == 1)
    elif mode is Rounding.HALF_UP:
        up = twice >= exact.denominator
    else:
        up = mode is Rounding.UP and rest > 0
    return whole + up
