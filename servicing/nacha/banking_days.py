"""Days on which the Federal Reserve settles, counted: the effective date of a file, and every time limit of the rules.

Times are those of the eastern zone, in which the operators' windows are published. Never: a clock; the day and the
hour are given. Next: `servicing/calendars.py`; `docs/spec/nacha.md`, worked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta

from servicing.calendars import is_business_day

CALENDAR = "US"
RETURN_DAYS, LATE_RETURN_DAYS = 2, 60
DISHONOR_DAYS = REVERSAL_DAYS = 5
PRENOTE_DAYS = 3
CHANGE_DAYS = 6


@dataclass(frozen=True, slots=True)
class Window:
    """A window of same-day processing: files in by `closes` settle at `settles`."""

    closes: time
    settles: time

    @property
    def descriptive_date(self) -> str:
        """Return what stands in the descriptive date of a same-day batch, such as SD1300."""
        return f"SD{self.settles:%H%M}"


WINDOWS = (
    Window(time(10, 30), time(13, 0)),
    Window(time(14, 45), time(17, 0)),
    Window(time(16, 45), time(18, 0)),
)
"""The operators' windows, eastern time. Source: Nacha, Same Day ACH (2016, 2018, 2021)."""
SAME_DAY_MOST = 100_000_000
"""The most that one same-day entry may be, in cents. Source: Nacha, Same Day ACH dollar limit of 2022."""


@dataclass(frozen=True, slots=True)
class Effective:
    """The day on which a batch is meant to settle, and the window where it is the same one."""

    on: date
    window: Window | None = None

    @property
    def descriptive_date(self) -> str:
        """Return the flag of a same-day batch, or nothing."""
        return "" if self.window is None else self.window.descriptive_date


def is_banking_day(day: date) -> bool:
    """Tell whether the Federal Reserve settles on a day."""
    return is_business_day(CALENDAR, day)


def banking_day_from(day: date) -> date:
    """Return the day itself where it is a banking day, else the next one."""
    while not is_banking_day(day):
        day += timedelta(days=1)
    return day


def after(day: date, banking_days: int) -> date:
    """Return the day that is so many banking days after a day; of none, the banking day that it is or that follows."""
    found = banking_day_from(day) if banking_days == 0 else day
    for _ in range(banking_days):
        found = banking_day_from(found + timedelta(days=1))
    return found


def effective_date(sent_on: date, sent_at: time, *, same_day: bool, cut_off: time) -> Effective:
    """Return the effective entry date of what is handed to the bank at a moment, eastern time.

    Same-day entries settle in the next window of that day, and after the last one in the first of the next. Others
    settle on the banking day after the one on which the bank processes them: the day itself up to its `cut_off`.
    """
    if same_day:
        windows = [window for window in WINDOWS if sent_at <= window.closes]
        if is_banking_day(sent_on) and windows:
            return Effective(sent_on, windows[0])
        return Effective(after(sent_on, 1), WINDOWS[0])
    in_time = is_banking_day(sent_on) and sent_at <= cut_off
    return Effective(after(sent_on if in_time else after(sent_on, 1), 1))


@dataclass(frozen=True, slots=True)
class Returnable:
    """Until when a settled entry may come back: at the opening of these days.

    `ordinary` for most reasons, `unauthorized` for those that a consumer has 60 days to raise.
    """

    ordinary: date
    unauthorized: date


def returnable_until(settled_on: date, *, consumer: bool, debit: bool = True) -> Returnable:
    """Return until when an entry that settled may come back.

    Source: Nacha Operating Rules, subsections 3.8.1 and 3.13.1: opening of the second banking day after settlement;
    of the banking day after the sixtieth calendar day.
    """
    ordinary = after(settled_on, RETURN_DAYS)
    if not (consumer and debit):
        return Returnable(ordinary, ordinary)
    return Returnable(ordinary, after(settled_on + timedelta(days=LATE_RETURN_DAYS), 1))


def first_live_on(prenote_settled_on: date) -> date:
    """Return the first day on which a live entry may follow a prenote."""
    return after(prenote_settled_on, PRENOTE_DAYS)


def reversible_until(settled_on: date) -> date:
    """Return the last day on which a reversing entry may be sent."""
    return after(settled_on, REVERSAL_DAYS)


def dishonorable_until(return_settled_on: date) -> date:
    """Return the last day on which a return may be dishonored."""
    return after(return_settled_on, DISHONOR_DAYS)


def change_due_on(received_on: date, next_entry_on: date | None = None) -> date:
    """Return the day by which a notification of change is applied: six banking days, or the next entry if later."""
    limit = after(received_on, CHANGE_DAYS)
    return limit if next_entry_on is None else max(limit, next_entry_on)
