"""How long something may take: hours as they pass, or business days of a calendar, to the moment.

`4 hours` ends four hours later, day or night. `2 business days` ends at the same time of day on the second business
day after, in the workflow's own time zone: what begins on Saturday at ten is due `1 business day` later on Monday at
ten. Never: the clock. Next: `docs/spec/workflow.md`, worked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from servicing.calendars import is_business_day

_SPAN = re.compile(r"([1-9][0-9]{0,3}) (hours?|business days?)")
FORM = "it is written as `4 hours` or `2 business days`"


@dataclass(frozen=True, slots=True)
class Clock:
    """Where a workflow counts: its time zone, and the calendar of its business days."""

    zone: str
    calendar: str


@dataclass(frozen=True, slots=True)
class Span:
    """A number of hours, or of business days."""

    count: int
    business_days: bool

    def __str__(self) -> str:
        unit = "business day" if self.business_days else "hour"
        return f"{self.count} {unit}{'' if self.count == 1 else 's'}"


def read_span(text: str) -> Span:
    """Return the span that a text says.

    Raises: ValueError with the form it should have.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(FORM)
    return Span(int(match[1]), match[2].startswith("business"))


def later(moment: datetime, span: Span, clock: Clock) -> datetime:
    """Return when a span ends that begins at a moment, in UTC."""
    if not span.business_days:
        return moment.astimezone(UTC) + timedelta(hours=span.count)
    local = moment.astimezone(ZoneInfo(clock.zone))
    day, left = local.date(), span.count
    while left:
        day += timedelta(days=1)
        left -= is_business_day(clock.calendar, day)
    # A time of day that the clocks leave out in spring is that of the hour before, read an hour later.
    return datetime.combine(day, local.time(), local.tzinfo).astimezone(UTC)
