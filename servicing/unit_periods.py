"""Unit-periods: the interval that an annual percentage rate is compounded at, and how many lie between two days.

Source: Regulation Z, 12 CFR 1026, Appendix J, whose paragraphs are cited as (b)(4). Exact: whole numbers and fractions.
Never: amounts. Next: `servicing/apr.py`; `docs/spec/apr.md`.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from dateutil.relativedelta import relativedelta


class Interval(StrEnum):
    """What a unit-period is a multiple of."""

    DAY = "day"
    SEMIMONTH = "semimonth"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class UnitPeriod:
    """The interval that the rate is compounded at: `count` days, semimonths or months, at most a year.

    Where `is_term`, it is the whole term of a single advance that a single payment repays, (b)(4)(ii).
    """

    interval: Interval
    count: int = 1
    is_term: bool = False

    @property
    def a_year(self) -> Fraction:
        """Return the unit-periods in a year: 365 days, 52 weeks, 24 semimonths, 12 months; (b)(5)(ii) to (vii)."""
        match self.interval:
            case Interval.MONTH:
                return Fraction(12, self.count)
            case Interval.SEMIMONTH:
                return Fraction(24)
            case Interval.DAY:
                by_weeks = self.count % 7 == 0 and not self.is_term
                return Fraction(364 if by_weeks else 365, self.count)

    def days(self) -> int:
        """Return its length in days where a month has 30, which is how unit-periods are compared."""
        return self.count * {Interval.DAY: 1, Interval.SEMIMONTH: 15, Interval.MONTH: 30}[self.interval]

    def __str__(self) -> str:
        count, name = self.count, str(self.interval)
        if self.interval is Interval.MONTH and count == 12:
            count, name = 1, "year"
        elif self.interval is Interval.DAY and count % 7 == 0 and not self.is_term:
            count, name = count // 7, "week"
        text = name if count == 1 else f"{count} {name}s"
        return f"term of {count} {name}{'' if count == 1 else 's'}" if self.is_term else text


DAY, SEMIMONTH, MONTH, YEAR = (
    UnitPeriod(Interval.DAY),
    UnitPeriod(Interval.SEMIMONTH),
    UnitPeriod(Interval.MONTH),
    UnitPeriod(Interval.MONTH, 12),
)
STANDARD = (
    DAY,
    SEMIMONTH,
    *(UnitPeriod(Interval.DAY, 7 * weeks) for weeks in range(1, 53)),
    *(UnitPeriod(Interval.MONTH, months) for months in range(1, 13)),
)
"""The standard intervals of time, (b)(3)(iii)."""

_NAMED: Mapping[str, tuple[Interval, int, int]] = {
    "day": (Interval.DAY, 1, 365),
    "week": (Interval.DAY, 7, 52),
    "semimonth": (Interval.SEMIMONTH, 1, 1),
    "month": (Interval.MONTH, 1, 12),
    "year": (Interval.MONTH, 12, 1),
}
_UNIT = re.compile(r"(?:([1-9][0-9]{0,2}) )?(day|week|semimonth|month|year)s?", re.ASCII)
_FREQUENCIES: Mapping[str, str] = {
    "daily": "day",
    "weekly": "week",
    "biweekly": "2 weeks",
    "semimonthly": "semimonth",
    "half-month": "semimonth",
    "monthly": "month",
    "quarterly": "3 months",
    "semiannual": "6 months",
    "annual": "year",
}


def parse_unit_period(text: str) -> UnitPeriod:
    """Read a unit-period such as `month`, `2 months`, `4 weeks` or `year`, or the frequency of one.

    Raises: ValueError for anything else, and for more than a year.
    """
    match = _UNIT.fullmatch(_FREQUENCIES.get(text, text))
    if match is None:
        raise ValueError("it is one such as month, 4 weeks, semimonth or year")
    interval, size, most = _NAMED[match[2]]
    count = int(match[1] or 1)
    if count > most:
        raise ValueError(f"it is a year at most, so {most} {match[2]}{'' if most == 1 else 's'}")
    return UnitPeriod(interval, count * size)


def find_unit_period(begins_on: date, advances: Sequence[date], payments: Sequence[date]) -> UnitPeriod:
    """Return the unit-period of a transaction from its days, in order and each once; (b)(4)."""
    if len(advances) == len(payments) == 1:
        return _term_as_unit_period(begins_on, payments[0])
    series = ((begins_on, *days) for days in (advances, payments))
    periods = [(start, end) for days in series for start, end in pairwise(days) if start < end]
    found: dict[UnitPeriod, set[int]] = {}
    for place, (start, end) in enumerate(periods):
        for unit in units_of(start, end):
            found.setdefault(unit, set()).add(place)
    common = {unit: places for unit, places in found.items() if len(places) > 1 and not _is_other_name(unit, found)}
    if not common:
        return _average(periods)
    return min(common, key=lambda unit: (-len(common[unit]), unit.days()))


def unit_periods_between(
    unit: UnitPeriod, start: date, end: date, *, anchor: int | None = None
) -> tuple[int, Fraction]:
    """Return the whole unit-periods between two days and the remaining fraction of one; (b)(5).

    Months are measured back from the later day, which stands for the anchor, the day of the month that a series of
    payments returns to, where its own month was too short.
    """
    if unit.is_term:
        return (1 if start < end else 0), Fraction(0)
    if unit.interval is Interval.DAY:
        return _split(Fraction((end - start).days, unit.count))
    months, left = _months_back(start, end, anchor or end.day)
    if unit == YEAR:
        return _years(months, left, start, end, anchor or end.day)
    return _split(Fraction(30 * months + left, unit.days()))


def units_of(start: date, end: date) -> frozenset[UnitPeriod]:
    """Return every unit-period, a year or less, that lies exactly once between two days."""
    days = (end - start).days
    units = {UnitPeriod(Interval.DAY, days)} if days <= 365 else set()
    months = 12 * (end.year - start.year) + end.month - start.month
    if 1 <= months <= 12 and _same_day(start, end):
        units.add(UnitPeriod(Interval.MONTH, months))
    if _is_half_a_month(start, end):
        units.add(SEMIMONTH)
    return frozenset(units)


def day_to_return_to(day: date, series: Sequence[date]) -> int:
    """Return the day of the month that one of a series stands for: 31 where all are the last of their month.

    28 February of payments on the 30th stands for the 30th; (b)(3)(iv). A day that no series explains is itself.
    """
    late = [each for each in series if each.day >= 28]
    if day.day < 28 or len(late) < 2:
        return day.day
    if all(each.day == _last_day(each) for each in late):
        return 31
    wanted = max(each.day for each in late)
    explained = all(each.day == min(wanted, _last_day(each)) for each in late)
    return wanted if explained else day.day


def _term_as_unit_period(start: date, end: date) -> UnitPeriod:
    months, left = _months_back(start, end, end.day)
    if months >= 12:
        return YEAR
    if left:
        return UnitPeriod(Interval.DAY, (end - start).days, is_term=True)
    return UnitPeriod(Interval.MONTH, months, is_term=True)


def _is_other_name(unit: UnitPeriod, found: Mapping[UnitPeriod, set[int]]) -> bool:
    """Tell whether days are another name of the months or semimonths that the same periods are."""
    return unit.interval is Interval.DAY and any(
        found[unit] <= places for other, places in found.items() if other.interval is not Interval.DAY
    )


def _average(periods: Sequence[tuple[date, date]]) -> UnitPeriod:
    """Return the standard interval nearest to the average of all periods, the lower of two; (b)(4)(i)(B).

    Months have 30 days here, and a year 360, as in (b)(5)(iii).
    """
    lengths = [30 * months + left for months, left in (_months_back(a, b, b.day) for a, b in periods)]
    average = Fraction(sum(lengths), len(lengths))
    if average >= YEAR.days():
        return YEAR
    return min(STANDARD, key=lambda unit: (abs(unit.days() - average), unit.days(), unit.interval is Interval.DAY))


def _split(units: Fraction) -> tuple[int, Fraction]:
    whole = units.numerator // units.denominator
    return whole, units - whole


def _years(months: int, left: int, start: date, end: date, anchor: int) -> tuple[int, Fraction]:
    """Return whole years and the rest: in months of 12 if it is whole ones, else in days of 365; (b)(5)(v)."""
    years, more = divmod(months, 12)
    if not left:
        return _split(years + Fraction(more, 12))
    return _split(years + Fraction((_back(end, 12 * years, anchor) - start).days, 365))


def _months_back(start: date, end: date, anchor: int) -> tuple[int, int]:
    """Return the whole months measured back from the end, and the days from the start to where they begin."""
    months = 12 * (end.year - start.year) + end.month - start.month
    if months and _back(end, months, anchor) < start:
        months -= 1
    return months, (_back(end, months, anchor) - start).days


def _back(end: date, months: int, anchor: int) -> date:
    return end - relativedelta(months=months) + relativedelta(day=anchor) if months else end


def _same_day(start: date, end: date) -> bool:
    """Tell whether two days are the same day of their months, or one is the last of a month that lacks the other."""
    early, late = sorted((start, end), key=lambda day: day.day)
    return early.day == late.day or early.day == _last_day(early)


def _is_half_a_month(start: date, end: date) -> bool:
    """Tell whether one day is 15 days of the month after the other, or one is the 15th and the other the last."""
    months = 12 * (end.year - start.year) + end.month - start.month
    early, late = (start, end) if months == 0 else (end, start)
    if months not in {0, 1} or early.day > 15:
        return False
    return late.day == min(early.day + 15, _last_day(late)) or (early.day == 15 and late.day == _last_day(late))


def _last_day(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
