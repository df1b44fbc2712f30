"""Days that are not counted as past due: a pause of delinquency, and what it makes of the way from a due date to a day.

Never: why it was granted (`servicing/effects/agreements.py`). Next: `servicing/aging.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Pause:
    """Days on which no day past due is added: from `start` to `end` (None: until it is resumed).

    Where its days `count`, they are added all at once when it is over.
    """

    start: date
    end: date | None
    counts: bool = False

    def is_on(self, day: date) -> bool:
        """Tell whether it lasts on a day."""
        return self.start <= day and (self.end is None or day < self.end)

    def days_off(self, due: date, on: date) -> int:
        """Return how many of the days from a due date to another day it takes off."""
        if self.counts and self.end is not None and on > self.end:
            return 0
        return max(0, (min(on, self.end or on) - max(due, self.start)).days)

    def turns(self) -> Iterator[date]:
        """Yield the days from which it makes the count go on otherwise."""
        yield self.start
        if self.end is not None:
            yield self.end
            yield self.end + timedelta(days=1)


def days_counted(due: date, on: date, pauses: Iterable[Pause]) -> int:
    """Return the days from a due date to a later day, without those that are paused."""
    return max(0, (on - due).days - sum(pause.days_off(due, on) for pause in pauses))


def counts_from(due: date, on: date, pauses: Iterable[Pause]) -> date:
    """Return the day from which days past due count: the due date, later by the days that were paused by a day.

    The days of a pause that is on are not among them: until it is over, days count up to its first one alone.
    """
    return due + timedelta(days=sum(pause.days_off(due, on) for pause in pauses if not pause.is_on(on)))


def day_at(due: date, dpd: int, pauses: Sequence[Pause]) -> date | None:
    """Return the day on which an installment is so many days past due; None while a pause has no end before it."""
    day = due + timedelta(days=dpd)
    while (missing := dpd - days_counted(due, day, pauses)) > 0:
        ends = [pause.end for pause in pauses if pause.is_on(day) or pause.end == day]
        # Where paused days count, they are there the day after the pause.
        steps = [end + timedelta(days=1) for end in ends if end is not None]
        if None not in ends:
            steps.append(day + timedelta(days=missing))
        if not steps:
            return None
        day = min(steps)
    return day
