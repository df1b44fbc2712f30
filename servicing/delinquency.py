"""Days past due: from the oldest installment that is not satisfied, without days that are paused, and their bucket.

Never: what follows from them (fees, non-accrual). Next: `servicing/state.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from servicing.state import LoanState

BUCKETS = ((0, "current"), (29, "1-29"), (59, "30-59"), (89, "60-89"), (119, "90-119"))


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


def days_past_due(state: LoanState, on: date) -> int:
    """Return the days since the oldest unpaid due date, paused ones left out; on the due date itself, none."""
    for installment in state.installments:
        if installment.due >= on:
            return 0
        if installment.unpaid:
            return days_counted(installment.due, on, state.pauses)
    return 0


def days_counted(due: date, on: date, pauses: Iterable[Pause]) -> int:
    """Return the days from a due date to a later day, without those that are paused."""
    return max(0, (on - due).days - sum(pause.days_off(due, on) for pause in pauses))


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


def bucket(dpd: int) -> str:
    """Return the name of the bucket."""
    return next((name for most, name in BUCKETS if dpd <= most), "120+")
