"""Months, fiscal years and half-open ranges of days.

Plain calendar arithmetic on `datetime.date`. Never: a clock, a time zone, a banking-day calendar.
Next: `ledger/periods.py`, which opens and closes the months of a book.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, timedelta
from typing import Self

from ledger.errors import DateRangeBackwards, MonthMalformed

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days from `from_date` up to, and without, `to_date`.

    Raises: DateRangeBackwards if it ends before it begins; a range of no days is allowed.
    """

    from_date: date
    to_date: date

    def __post_init__(self) -> None:
        if self.to_date < self.from_date:
            raise DateRangeBackwards(from_date=self.from_date, to_date=self.to_date)

    @property
    def days(self) -> int:
        """Return the number of days in the range."""
        return (self.to_date - self.from_date).days

    def __contains__(self, day: date) -> bool:
        return self.from_date <= day < self.to_date

    def __iter__(self) -> Iterator[date]:
        return (self.from_date + timedelta(days=offset) for offset in range(self.days))

    def intersection(self, other: DateRange) -> DateRange | None:
        """Return the days in both ranges, or None if they share none."""
        from_date = max(self.from_date, other.from_date)
        to_date = min(self.to_date, other.to_date)
        return DateRange(from_date, to_date) if from_date < to_date else None


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, written `2026-03`; months are ordered in time.

    Raises: MonthMalformed if there is no such month.
    """

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (MINYEAR <= self.year <= MAXYEAR and 1 <= self.month <= 12):
            raise MonthMalformed(text=f"{self.year:04}-{self.month:02}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a month from `YYYY-MM`.

        Raises: MonthMalformed.
        """
        match = _MONTH.fullmatch(text)
        if match is None:
            raise MonthMalformed(text=text)
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        """Return the month in which a day lies."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def first_day(self) -> date:
        """Return the first day of the month."""
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        """Return the last day of the month."""
        # The 28th plus four days lies in the next month, whatever the month; its day number is the overshoot.
        if self == Month(MAXYEAR, 12):
            return date.max
        overshoot = date(self.year, self.month, 28) + timedelta(days=4)
        return overshoot - timedelta(days=overshoot.day)

    @property
    def days(self) -> DateRange:
        """Return the days of the month as a range that ends on the first day of the next."""
        return DateRange(self.first_day, self.next.first_day)

    @property
    def next(self) -> Month:
        """Return the month after this one."""
        return self.plus(1)

    @property
    def previous(self) -> Month:
        """Return the month before this one."""
        return self.plus(-1)

    def plus(self, months: int) -> Month:
        """Return the month so many months later, or earlier if negative.

        Raises: MonthMalformed past the years 1 to 9999.
        """
        year, month_from_zero = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month_from_zero + 1)

    def months_until(self, other: Month) -> int:
        """Return how many months later the other month is; negative if it is earlier."""
        return (other.year - self.year) * 12 + other.month - self.month

    def contains(self, day: date) -> bool:
        """Tell whether the day lies in the month."""
        return (day.year, day.month) == (self.year, self.month)


def fiscal_year_of(day: date, *, start_month: int = 1) -> int:
    """Return the fiscal year of a day, named after the calendar year in which it ends.

    With `start_month` 10 (the US government's year), 2025-10-01 is the first day of fiscal year 2026.
    """
    begun = day.year if day.month >= _checked(start_month) else day.year - 1
    return begun if start_month == 1 else begun + 1


def fiscal_year_start(fiscal_year: int, *, start_month: int = 1) -> date:
    """Return the first day of a fiscal year named after the calendar year in which it ends."""
    return date(fiscal_year if _checked(start_month) == 1 else fiscal_year - 1, start_month, 1)


def fiscal_year_end(fiscal_year: int, *, start_month: int = 1) -> date:
    """Return the last day of a fiscal year named after the calendar year in which it ends."""
    return Month.of(fiscal_year_start(fiscal_year, start_month=start_month)).plus(11).last_day


def fiscal_month_of(day: date, *, start_month: int = 1) -> int:
    """Return the number, 1 to 12, of a day's month within its fiscal year."""
    return (day.month - _checked(start_month)) % 12 + 1


def _checked(start_month: int) -> int:
    if not 1 <= start_month <= 12:
        raise MonthMalformed(text=str(start_month))
    return start_month
