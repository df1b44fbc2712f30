"""What a rail is: which way it goes, by which clearing account, how soon it settles, and when its cash may be spent.

A rail is declared in a file of its own; `registry` names them all. Days are banking days of the Federal Reserve.
Never: money, or a connection to anybody. Next: `docs/spec/rails.md`, worked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from servicing.calendars import adjusted, is_business_day
from servicing.events import CLEARING_ROLES
from servicing.rails.instruction import Direction

CALENDAR = "US"


class Credited(StrEnum):
    """When a rail's debit is credited to the loan."""

    AT_SENDING = "sent"
    AT_SETTLEMENT = "settled"


class Source(StrEnum):
    """What an instruction of a rail needs to know of the borrower."""

    BANK_ACCOUNT = "bank_account"
    CARD = "card"
    NOTHING = "nothing"


class Rail(Protocol):
    """A way for money to come and go."""

    @property
    def name(self) -> str:
        """Return the method of its instructions."""

    @property
    def directions(self) -> frozenset[Direction]:
        """Return which ways it goes."""

    @property
    def source(self) -> Source:
        """Return what its instructions name: a bank account, a card, or nothing."""

    @property
    def method(self) -> str:
        """Return the method of the loan events that it makes, a key of `CLEARING_ROLES`."""

    @property
    def credited(self) -> Credited:
        """Return when a debit is credited to the loan."""

    @property
    def confirmed(self) -> bool:
        """Tell whether somebody says that it has settled; else it has when its day has come."""

    @property
    def days_ahead(self) -> int:
        """Return how many banking days before it is to settle an instruction is sent."""

    @property
    def trace_days(self) -> int | None:
        """Return how many days after settlement a trace number may be given to another loan; None for never."""

    def settles_on(self, sent_on: date, due_on: date) -> date:
        """Return the day on which settles what is sent on a day and is due on another."""

    def available_on(self, settles_on: date) -> date:
        """Return the first day on which the cash may be spent."""


CLEARING_TRACE_DAYS = 90
"""Days after settlement in which anything may come back of an entry of the clearing house, and its sequel.

The latest return is that of the banking day after the sixtieth calendar day; a dishonor may follow it within five
banking days, a contest within two more: less than 80 days in all. Source: Nacha Operating Rules (returns: 3.8).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredRail:
    """A rail that is nothing but its figures."""

    name: str
    directions: frozenset[Direction]
    source: Source
    method: str
    days_to_settle: int
    hold_days: int
    credited: Credited
    confirmed: bool = False
    trace_days: int | None = None

    @property
    def days_ahead(self) -> int:
        """Return how many banking days before it is to settle an instruction is sent."""
        return self.days_to_settle

    def settles_on(self, sent_on: date, due_on: date) -> date:
        """Return the banking day `days_to_settle` after the sending, never before the due date.

        What waits for no bank settles on any day.
        """
        if not self.days_to_settle and not self.confirmed:
            return max(sent_on, due_on)
        return banking_day_from(max(due_on, banking_days_after(sent_on, self.days_to_settle)))

    def available_on(self, settles_on: date) -> date:
        """Return the banking day `hold_days` after the settlement."""
        return banking_days_after(settles_on, self.hold_days)


def clearing_role(rail: Rail) -> str:
    """Return the role of the account that holds what the rail has taken and the bank has not paid yet."""
    return CLEARING_ROLES[rail.method]


def banking_day_from(day: date) -> date:
    """Return the day itself if banks are open, else the next on which they are."""
    return adjusted(day, CALENDAR, "following")


def banking_days_after(day: date, count: int) -> date:
    """Return the day that is `count` banking days later; of none, the day itself, open or not."""
    for _ in range(count):
        day = banking_day_from(day + timedelta(days=1))
    return day


def banking_days_before(day: date, count: int) -> date:
    """Return the day that is `count` banking days earlier; of none, the day itself, open or not."""
    for _ in range(count):
        day = adjusted(day - timedelta(days=1), CALENDAR, "preceding")
    return day


def credited_on(due_on: date, settles_on: date) -> date:
    """Return the day as of which a debit counts that settles on a day.

    A debit on the first banking day since it was due is in time: a due date on which banks are closed costs the
    borrower nothing.
    """
    in_time = settles_on == banking_day_from(due_on) and not is_business_day(CALENDAR, due_on)
    return due_on if in_time else settles_on
