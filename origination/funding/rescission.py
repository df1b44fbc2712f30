"""Until when a contract may be canceled: so many business days after it was made, to midnight of the last.

For rescission every day counts but Sundays and the holidays of 5 USC 6103(a) on their own dates: Saturday is a business
day, and so is Friday 3 July 2026, on which offices rest for a Saturday 4 July. Source: 12 CFR 1026.2(a)(6), its comment
2(a)(6)-2, and 1026.23(a)(3). Never: whether a loan may be rescinded at all, which its rules declare.
"""

from __future__ import annotations

from datetime import date, timedelta

from servicing.calendars import is_rescission_day


def last_day_to_cancel(made_on: date, days: int) -> date:
    """Return the last day on which a contract of a day may be canceled; without such days, the day before it."""
    if not days:
        return made_on - timedelta(days=1)
    day = made_on
    for _ in range(days):
        day += timedelta(days=1)
        while not is_rescission_day(day):
            day += timedelta(days=1)
    return day
