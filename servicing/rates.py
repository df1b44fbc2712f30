"""A variable rate: on which days it is reset, which day's index it looks at, and what it then comes to.

Index plus margin, rounded as the product says, then held within its limits. Never: the values of an index, which are
data (`servicing/commands/indexes.py`), or the installments (`servicing/schedule.py`). Next: `docs/spec/rates.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from servicing.accrual import rounded
from servicing.product import RateLimits, VariableRate
from servicing.schedule import periods_of
from servicing.terms import Terms

HIGHEST = Decimal(1000)


@dataclass(frozen=True, slots=True)
class ResetDay:
    """A day from which another rate is in force, the day whose index decides it, and how old a value may be."""

    on: date
    index: str
    observed_on: date
    oldest: date


def reset_days(terms: Terms) -> Iterator[ResetDay]:
    """Yield the days on which the rate of a loan is reset, in order; none of a rate that is not variable."""
    rule = terms.product.variable_rate
    if rule is None:
        return
    periods = periods_of(terms)
    for place in range(rule.first_reset or rule.reset_every, len(periods), rule.reset_every):
        observed = periods[place].start - timedelta(days=rule.lookback_days)
        oldest = observed - timedelta(days=rule.max_age_days)
        yield ResetDay(periods[place].start, rule.index, observed, oldest)


def reset_rate(terms: Terms, value: Decimal, *, in_force: Decimal) -> Decimal:
    """Return the rate that a value of the index gives, in percent a year; limits come after rounding, never below 0."""
    rule = terms.product.variable_rate
    if rule is None:
        return in_force
    margin = rule.margin if terms.margin is None else terms.margin
    low, high = _bounds(rule, terms.rate, in_force)
    return min(high, max(low, _rounded(value + margin, rule)))


def _bounds(rule: VariableRate, first: Decimal, in_force: Decimal) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest rate. Where they contradict each other, the highest holds."""
    downs = [rate for points, base in _moves(rule.floor, first, in_force) if (rate := base - points) > 0]
    ups = [base + points for points, base in _moves(rule.cap, first, in_force)]
    low = max([Decimal(0), *downs, *_absolute(rule.floor)])
    return low, min([HIGHEST, *ups, *_absolute(rule.cap)])


def _moves(limits: RateLimits, first: Decimal, in_force: Decimal) -> Iterator[tuple[Decimal, Decimal]]:
    if limits.per_reset is not None:
        yield limits.per_reset, in_force
    if limits.lifetime is not None:
        yield limits.lifetime, first


def _absolute(limits: RateLimits) -> Iterator[Decimal]:
    if limits.rate is not None:
        yield limits.rate


def _rounded(rate: Decimal, rule: VariableRate) -> Decimal:
    """Return a rate to a multiple of the product's step; what is below zero is zero."""
    units = Fraction(max(rate, Decimal(0))) / Fraction(rule.rounding.to)
    return rounded(units, rule.rounding.mode) * rule.rounding.to
