"""Business days: on which day a payment is due whose due date is a holiday or a weekend.

The calendars are those of the library `holidays`: a bank's or an exchange's by its code, a country's by two letters.
`US` stands for the days of the Federal Reserve, on which American banks move money. Never: interest, which runs to the
due date of the contract unless a product says otherwise (`servicing/schedule.py`). Next: `docs/spec/schedules.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

import holidays

BANKS_OF: Mapping[str, str] = MappingProxyType({"US": "XFED"})
"""The calendar of banks where that of public holidays is another: on Friday 3 July 2026 American banks are open."""

SUNDAY = 6


def is_calendar(code: str) -> bool:
    """Tell whether there is a calendar of this code."""
    try:
        _days_of(BANKS_OF.get(code, code))
    except NotImplementedError:
        return False
    return True


def is_business_day(calendar: str, day: date) -> bool:
    """Tell whether a day of a calendar is neither weekend nor holiday."""
    return _days_of(BANKS_OF.get(calendar, calendar)).is_working_day(day)


def adjusted(day: date, calendar: str, convention: str) -> date:
    """Return the business day that a convention puts in the place of a day; a business day stays."""
    return CONVENTIONS[convention](calendar, day)


def is_rescission_day(day: date) -> bool:
    """Tell whether a day counts for rescission: no Sunday, and no federal holiday on its own date.

    Source: 12 CFR 1026.2(a)(6) and its comment 2(a)(6)-2.
    """
    return day.weekday() != SUNDAY and day not in _dates_of_the_law()


@lru_cache(maxsize=1)
def _dates_of_the_law() -> holidays.HolidayBase:
    return holidays.country_holidays("US", observed=False)


@lru_cache(maxsize=64)
def _days_of(code: str) -> holidays.HolidayBase:
    """Return the holidays of a calendar; a year is worked out when it is first asked for.

    Raises: NotImplementedError.
    """
    if len(code) == 2:
        return holidays.country_holidays(code)
    return holidays.financial_holidays(code)


def _from(calendar: str, day: date, step: int) -> date:
    while not is_business_day(calendar, day):
        day += timedelta(days=step)
    return day


def _modified_following(calendar: str, day: date) -> date:
    later = _from(calendar, day, 1)
    return later if later.month == day.month else _from(calendar, day, -1)


CONVENTIONS: Mapping[str, Callable[[str, date], date]] = MappingProxyType(
    {
        "none": lambda calendar, day: day,
        "following": lambda calendar, day: _from(calendar, day, 1),
        "modified_following": _modified_following,
        "preceding": lambda calendar, day: _from(calendar, day, -1),
    }
)
"""How a day that is no business day moves. Source: ISDA 2006, 4.12."""
