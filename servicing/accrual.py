"""Interest: exact to the fraction, rounded once, at booking.

What is booked is the rounded cumulative interest less what was booked before, so that however often interest is
booked, a loan's lifetime interest is the same to the cent. Never: which days are booked (`servicing/engine.py`).
Next: `servicing/day_count.py`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

from ledger.money import Rounding
from servicing.day_count import part_of_period


def interest_of(
    principal_minor: int, rate: Decimal, day_count: str, period_start: date, start: date, end: date
) -> Fraction:
    """Return the exact interest, in minor units, of a balance between two days of one interest period.

    The rate is in percent a year.
    """
    part = part_of_period(day_count, period_start, start, end)
    return principal_minor * Fraction(rate) / 100 * part


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


def to_book(cumulative: Fraction, booked: int, mode: Rounding) -> int:
    """Return what is still to be booked, in minor units, of the interest accrued since the loan was funded."""
    return rounded(cumulative, mode) - booked
