"""Day counts: how much of a year lies between two days, as an exact fraction.

Within one interest period the fractions of its parts sum to that of the whole, for every convention: a part is the
difference of two fractions that both begin where the period begins. Never: rounding.
Next: `servicing/accrual.py`.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

_BASIS = {"actual/365": 365, "actual/360": 360, "30/360": 360}


def days_30_360(start: date, end: date) -> int:
    """Return the days of the US (bond basis) 30/360 convention, end-of-February rule left out."""
    start_day = min(start.day, 30)
    end_day = 30 if end.day == 31 and start_day == 30 else end.day
    return (end.year - start.year) * 360 + (end.month - start.month) * 30 + end_day - start_day


def year_fraction(day_count: str, start: date, end: date) -> Fraction:
    """Return the part of a year from a day up to, and without, another."""
    days = days_30_360(start, end) if day_count == "30/360" else (end - start).days
    return Fraction(days, _BASIS[day_count])


def part_of_period(day_count: str, period_start: date, start: date, end: date) -> Fraction:
    """Return the part of a year between two days of one interest period.

    Under 30/360 the 31st adds nothing, so a part may be zero; it is never negative.
    """
    if day_count != "30/360":
        return Fraction((end - start).days, _BASIS[day_count])
    return year_fraction(day_count, period_start, end) - year_fraction(day_count, period_start, start)
