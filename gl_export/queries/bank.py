"""Lines of the bank, open items of the rails, the matches that stand, and those that are proposed.

An item is what one entry did to a rail's clearing account. Where a day was settled as a whole, or in part, what is left
of it is one item. Next: `gl_export/bank/matching.py`, which proposes; `gl_export/commands/bank.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from gl_export import bank_store as store
from gl_export.bank.kept import KeptLine, KeptMatch
from gl_export.bank.matching import BEFORE_DAYS, OpenItem, OpenLine, Proposal, propose, words_of
from gl_export.bank_store import Moved
from gl_export.settlement import RAIL_ROLES, reference_of
from ledger.money import Money
from ledger.queries.accounts import book, role_map

LOOK_BACK_DAYS = 90
"""Items older than this before the oldest open line are not looked for."""


@dataclass(frozen=True, slots=True)
class WorkList:
    """What nothing settles yet on either side, and what is proposed."""

    lines: tuple[KeptLine, ...]
    items: tuple[OpenItem, ...]
    proposals: tuple[Proposal, ...]


def lines(connection: sa.Connection, book_code: str, *, open_only: bool = False) -> tuple[KeptLine, ...]:
    """Return the lines of the bank by day.

    Raises: BookUnknown.
    """
    return store.load_lines(connection, book(connection, book_code).book_id, open_only=open_only)


def matches(connection: sa.Connection, book_code: str) -> tuple[KeptMatch, ...]:
    """Return the matches that stand.

    Raises: BookUnknown.
    """
    return store.load_matches(connection, book(connection, book_code).book_id)


def work_list(connection: sa.Connection, book_code: str) -> WorkList:
    """Return open lines, open items from some days before them on, and proposals.

    Raises: BookUnknown.
    """
    found = book(connection, book_code)
    waiting = lines(connection, book_code, open_only=True)
    first = min((each.line.booking_date for each in waiting), default=found.business_date)
    items = open_items(
        connection, book_code, from_date=first - timedelta(days=max(LOOK_BACK_DAYS, BEFORE_DAYS)), to_date=date.max
    )
    return WorkList(waiting, items, propose([open_line(each) for each in waiting], items))


def open_line(each: KeptLine) -> OpenLine:
    """Return a line as the matching takes it."""
    words = words_of(*each.line.references, each.line.text)
    return OpenLine(each.line_no, each.line.booking_date, each.line.amount, words)


def open_items(connection: sa.Connection, book_code: str, *, from_date: date, to_date: date) -> tuple[OpenItem, ...]:
    """Return what went over the rails in a period and is not settled, by day.

    Raises: BookUnknown.
    """
    found, roles = book(connection, book_code), role_map(connection, book_code, "default")
    role_of = {str(roles[role]): role for role in RAIL_ROLES if role in roles}
    codes = sorted(role_of)
    moved = store.load_moved(connection, found.book_id, codes, from_date, to_date)
    settled = store.load_settled(connection, int(found.own_subledger_id), codes, from_date)
    keys = [key_of(role_of[each.code], each) for each in moved]
    matched = store.matched_items(connection, found.book_id, keys)
    days: dict[tuple[str, date, str], list[Moved]] = defaultdict(list)
    for each in moved:
        days[(role_of[each.code], each.day, each.amount.currency)].append(each)
    return tuple(
        item
        for (role, day, currency), of_day in sorted(days.items(), key=lambda pair: (pair[0][1], pair[0][0]))
        for item in _items(role, day, of_day, settled.get((reference_of(role, day), currency), 0), matched)
    )


def _items(role: str, day: date, moved: list[Moved], settled: int, matched: frozenset[str]) -> Iterator[OpenItem]:
    """Yield what is open of a day on a rail: entry by entry, or what is left of them in one."""
    currency = moved[0].amount.currency
    left = sum(each.amount.minor for each in moved) - settled
    free = [each for each in moved if key_of(role, each) not in matched]
    if not left and settled:
        return
    if sum(each.amount.minor for each in free) == left:
        for each in free:
            yield OpenItem(key_of(role, each), role, day, each.amount, words_of(*each.names))
        return
    yield OpenItem(f"{role}:{day.isoformat()}:{currency}:{left}", role, day, Money(left, currency))


def key_of(role: str, moved: Moved) -> str:
    """Return the key of the item that an entry made on a rail."""
    return f"{role}:{moved.subledger_id}:{moved.entry_no}"
