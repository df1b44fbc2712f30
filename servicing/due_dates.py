"""Due dates: a first one, and from it one for each installment.

Months are counted from the first due date, never from the one before, so that the 31st comes back after a short
month. Never: amounts. Next: `servicing/schedule.py`; `docs/spec/schedules.md`.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction

from dateutil.relativedelta import relativedelta

from servicing.errors import TermsInvalid

PERIODS_A_YEAR: Mapping[str, int] = {
    "weekly": 52,
    "biweekly": 26,
    "semimonthly": 24,
    "monthly": 12,
    "quarterly": 4,
    "semiannual": 2,
    "annual": 1,
}

_MONTHS = {"monthly": 1, "quarterly": 3, "semiannual": 6, "annual": 12}
_DAYS = {"weekly": 7, "biweekly": 14}
_EVERY = re.compile(r"days:([1-9][0-9]{0,2})", re.ASCII)


def every_days(frequency: str) -> int | None:
    """Return n of the frequency `days:n`, None of the named ones."""
    match = _EVERY.fullmatch(frequency)
    return int(match[1]) if match else None


def part_of_a_year(frequency: str) -> Fraction:
    """Return what a regular period is of a year: a month 1/12, N days N/365."""
    days = every_days(frequency)
    return Fraction(days, 365) if days else Fraction(1, PERIODS_A_YEAR[frequency])


def due_dates(funded_on: date, first: date, frequency: str, count: int) -> tuple[date, ...]:
    """Return the due dates, anchored on the first one.

    Raises: TermsInvalid if they run past the end of the calendar.
    """
    try:
        return _due_dates(funded_on, first, frequency, count)
    except (OverflowError, ValueError):
        reason = f"{count} of them from {first} run past the year {date.max.year}"
        raise TermsInvalid(field="installments", reason=reason) from None


def regular_start(funded_on: date, first: date, frequency: str) -> date:
    """Return the day one regular period before the first due date.

    Raises: TermsInvalid if that is before the calendar begins.
    """
    try:
        return _regular_start(funded_on, first, frequency)
    except (OverflowError, ValueError):
        raise TermsInvalid(field="first_due_on", reason=f"{first} is too early") from None


def _regular_start(funded_on: date, first: date, frequency: str) -> date:
    step = every_days(frequency) or _DAYS.get(frequency)
    if step is not None:
        return first - timedelta(days=step)
    if frequency == "semimonthly":
        if first.day > 15:
            return first.replace(day=first.day - 15)
        before = first - relativedelta(months=1)
        return before.replace(day=min(first.day + 15, _last_day(before)))
    return first + relativedelta(months=-_MONTHS[frequency], day=_anchor(funded_on, first))


def _due_dates(funded_on: date, first: date, frequency: str, count: int) -> tuple[date, ...]:
    step = every_days(frequency) or _DAYS.get(frequency)
    if step is not None:
        return tuple(first + timedelta(days=step * n) for n in range(count))
    if frequency == "semimonthly":
        return tuple(_semimonthly(first, count))
    months, anchor = _MONTHS[frequency], _anchor(funded_on, first)
    return tuple(_months_after(first, months * n, anchor) for n in range(count))


def _months_after(day: date, months: int, anchor: int) -> date:
    """Return the anchor's day, or the last one, of a later month; a portfolio asks for millions of them."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(anchor, calendar.monthrange(year, month + 1)[1]))


def _anchor(funded_on: date, first: date) -> int:
    """Return the day of the month to come back to: the funding's, where the first month was too short for it."""
    short_month = first.day == _last_day(first)
    return max(first.day, funded_on.day) if short_month else first.day


def _semimonthly(first: date, count: int) -> Iterator[date]:
    """Yield the day of the first due date and the one half a month from it, month by month."""
    early = first.day if first.day <= 15 else first.day - 15
    month = first.replace(day=1)
    late_next = first.day > 15
    for _ in range(count):
        yield month.replace(day=min(early + 15, _last_day(month)) if late_next else early)
        if late_next:
            month = month + relativedelta(months=1)
        late_next = not late_next


def _last_day(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
