"""Day counts: how much of a year lies between two days, as an exact fraction.

Within one interest period the fractions of its parts sum to that of the whole, for every convention: a part is the
difference of two fractions that both begin where the period begins. Never: rounding.
Next: `servicing/accrual.py`; `docs/spec/interest.md`.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from types import MappingProxyType

YearFraction = Callable[[date, date], Fraction]


@dataclass(frozen=True, slots=True)
class Period:
    """An interest period: from the funding or a due date up to the next due date, and its share of a year by name.

    A first one that is long or short, and charged by day for it, says where a regular one would have begun.
    """

    start: date
    end: date
    nominal: Fraction
    regular_from: date | None = None


PartOfPeriod = Callable[[Period, date, date], Fraction]


def days_30_360(start: date, end: date) -> int:
    """Return the days of the US (bond basis) 30/360 convention, end-of-February rule left out.

    Source: ISDA 2006, 4.16(f).
    """
    start_day = min(start.day, 30)
    end_day = 30 if end.day == 31 and start_day == 30 else end.day
    return _months_of_30(start, end) + end_day - start_day


def days_30e_360(start: date, end: date) -> int:
    """Return the days of the European (Eurobond basis) 30E/360 convention: no month has a 31st.

    Source: ISDA 2006, 4.16(g).
    """
    return _months_of_30(start, end) + min(end.day, 30) - min(start.day, 30)


def actual_actual_isda(start: date, end: date) -> Fraction:
    """Return the days that fall in leap years over 366, and the others over 365.

    The night of 31 December belongs to the old year. Source: ISDA 2006, 4.16(b).
    """
    total = Fraction(0)
    while start < end:
        year_end = min(end, date(start.year + 1, 1, 1)) if start.year < date.max.year else end
        total += Fraction((year_end - start).days, 366 if calendar.isleap(start.year) else 365)
        start = year_end
    return total


def year_fraction(day_count: str, start: date, end: date) -> Fraction:
    """Return the part of a year from a day up to, and without, another."""
    return CONVENTIONS[day_count](start, end)


def part_of_period(day_count: str, period: Period, start: date, end: date) -> Fraction:
    """Return the part of a year between two days of one interest period; it is never negative."""
    return PARTS[day_count](period, start, end)


def _months_of_30(start: date, end: date) -> int:
    return (end.year - start.year) * 360 + (end.month - start.month) * 30


def _actual_over(days_a_year: int) -> YearFraction:
    return lambda start, end: Fraction((end - start).days, days_a_year)


def _by_nights(convention: YearFraction) -> PartOfPeriod:
    return lambda period, start, end: convention(start, end)


def _from_the_start(convention: YearFraction) -> PartOfPeriod:
    """Where every month has 30 days, the 31st adds nothing; counted from the period's start, no part is lost."""
    return lambda period, start, end: convention(period.start, end) - convention(period.start, start)


def _share_of_the_nominal(period: Period, start: date, end: date) -> Fraction:
    """Return nights over the nights of the period; days before a regular period are 1/365 of a year each."""
    if start >= end:
        return Fraction(0)
    regular = period.regular_from or period.start
    odd = max(0, (min(end, regular) - start).days)
    nights = (end - start).days - odd
    return Fraction(odd, 365) + period.nominal * Fraction(nights, (period.end - regular).days)


CONVENTIONS: Mapping[str, YearFraction] = MappingProxyType(
    {
        "actual/365": _actual_over(365),
        "actual/360": _actual_over(360),
        "actual/364": _actual_over(364),
        "actual/actual": actual_actual_isda,
        "30/360": lambda start, end: Fraction(days_30_360(start, end), 360),
        "30e/360": lambda start, end: Fraction(days_30e_360(start, end), 360),
        "30/365": lambda start, end: Fraction(days_30_360(start, end), 365),
    }
)
"""The conventions that need no more than two days, by the name that products and scenarios use."""

PARTS: Mapping[str, PartOfPeriod] = MappingProxyType(
    {
        **{name: _by_nights(CONVENTIONS[name]) for name in CONVENTIONS if name.startswith("actual")},
        **{name: _from_the_start(CONVENTIONS[name]) for name in CONVENTIONS if name.startswith("30")},
        "period": _share_of_the_nominal,
    }
)
"""Every day count as it is used within a period."""

ALIKE = frozenset({"actual/365", "actual/360", "actual/364"})
"""The day counts by which every night of every period is the same part of a year."""


def alike_through(day_count: str, period: Period, start: date) -> date:
    """Return the last day of a period up to which every night from a day on is the same part of a year."""
    if day_count in ALIKE:
        return period.end
    if day_count == "period":
        regular = period.regular_from or period.start
        return regular if start < regular < period.end else period.end
    if day_count == "actual/actual":
        year_end = period.end if start.year == date.max.year else date(start.year + 1, 1, 1)
        return min(period.end, year_end)
    night = part_of_period(day_count, period, start, start + timedelta(days=1))
    end = start + timedelta(days=1)
    while end < period.end and part_of_period(day_count, period, end, end + timedelta(days=1)) == night:
        end += timedelta(days=1)
    return end
