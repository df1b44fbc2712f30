"""How old the balance of a clearing account is: amounts pass through it and must not stay.

The account's days are settled first in, first out: each side of a day takes away what is open on the other, the
oldest first, and what is left of both is open from that day on. That is the balance, and its oldest day is its age.
Never: which payment is behind it; the journal of the account says. Next: `gl_export/tie_out.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from ledger.money import Money

CLEARING_SUFFIX = "_CLEARING"
CLEARING_ROLES = frozenset({"SUSPENSE", "UNMATCHED_RECEIPTS", "UNMATCHED_RETURNS"})

BUCKET_EDGES = (2, 6, 31)
"""In days: 0-1, 2-5, 6-30, 31 and more. ACH settles within two banking days, a check within five."""
BUCKET_NAMES = ("0-1", "2-5", "6-30", "31+")


def is_clearing_role(role: str) -> bool:
    """Tell whether accounts in this role must come back to zero."""
    return role.endswith(CLEARING_SUFFIX) or role in CLEARING_ROLES


@dataclass(frozen=True, slots=True)
class DayMovement:
    """What was debited and credited to an account on a day."""

    day: date
    debits: Money
    credits: Money


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is left of a day's movement."""

    day: date
    amount: Money


@dataclass(frozen=True, slots=True)
class ClearingAge:
    """The balance of a clearing account, debits positive, what it is made of and how old that is on a day.

    `buckets` sum to the balance and follow `BUCKET_NAMES`.
    """

    account: str
    as_of: date
    balance: Money
    open_items: tuple[OpenItem, ...]

    @property
    def oldest(self) -> date | None:
        """Return the day of the oldest open item, None if nothing is open."""
        return self.open_items[0].day if self.open_items else None

    @property
    def age_days(self) -> int:
        """Return how many days ago the oldest open item arose; 0 if nothing is open."""
        return (self.as_of - self.oldest).days if self.oldest is not None else 0

    @property
    def buckets(self) -> tuple[Money, ...]:
        """Return the open amounts by age."""
        sums = [Money.zero(self.balance.currency)] * len(BUCKET_NAMES)
        for item in self.open_items:
            position = sum((self.as_of - item.day).days >= edge for edge in BUCKET_EDGES)
            sums[position] += item.amount
        return tuple(sums)


def age(account: str, movements: Iterable[DayMovement], *, as_of: date, currency: str) -> ClearingAge:
    """Return the age of an account's balance from its movements through `as_of`, in order of their days."""
    items: deque[OpenItem] = deque()
    for movement in movements:
        _settle(items, movement)
    balance = Money.sum((item.amount for item in items), currency)
    return ClearingAge(account, as_of, balance, tuple(items))


def _settle(items: deque[OpenItem], movement: DayMovement) -> None:
    """Let each side of a day take away what is open on the other; what is left of both is open from this day on."""
    left = _take_away(items, movement.debits) + _take_away(items, -movement.credits)
    if left:
        items.append(OpenItem(movement.day, left))


def _take_away(items: deque[OpenItem], amount: Money) -> Money:
    """Take an amount away from items of the other sign, the oldest first; return what is left of it."""
    while amount and items and (items[0].amount.minor > 0) != (amount.minor > 0):
        item = items.popleft()
        both = item.amount + amount
        # Whichever is larger keeps its sign and what is left of it.
        if both and (both.minor > 0) == (item.amount.minor > 0):
            items.appendleft(OpenItem(item.day, both))
            return Money.zero(amount.currency)
        amount = both
    return amount
