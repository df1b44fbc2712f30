"""The periods of a book with everything that happened to each: who closed it, who reopened it and why.

Months in their order, a bounded number from any one on, in one statement. Never: a decision about what comes next
(`ledger/periods.py`), or a change (`ledger/commands/periods.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from ledger.dates import Month
from ledger.errors import TextRefused
from ledger.periods import PeriodAction, PeriodState
from ledger.store import load_book

MAX_LIMIT = 1_200


@dataclass(frozen=True, slots=True)
class PeriodEvent:
    """One thing that happened to a period; `before` is None when it was opened."""

    event_no: int
    action: str
    before: PeriodState | None
    after: PeriodState
    actor: str
    approver: str | None
    reason: str | None
    block_no: int | None
    trial_balance_digest: bytes | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PeriodHistory:
    """A period, its state, and its events, the first one first."""

    month: Month
    state: PeriodState
    events: tuple[PeriodEvent, ...]

    def latest(self, action: PeriodAction) -> PeriodEvent | None:
        """Return the last time that something was done to the period, None if it never was."""
        return next((event for event in reversed(self.events) if event.action == action), None)

    @property
    def trial_balance_digest(self) -> bytes | None:
        """Return the digest of the last close, also where the period was reopened since; None before the first."""
        closed = self.latest(PeriodAction.FINISH_CLOSE)
        return None if closed is None else closed.trial_balance_digest


_PERIODS = sa.text(
    "WITH page AS ("
    " SELECT p.book_id, p.month, p.state FROM ledger.period p"
    "  WHERE p.book_id = :book_id AND p.month >= coalesce(:first, '-infinity'::date)"
    "  ORDER BY p.month LIMIT :limit)"
    " SELECT p.month, p.state, e.event_no, e.action, e.from_state, e.to_state, e.actor, e.approver, e.reason,"
    "  e.block_no, e.trial_balance_digest, e.recorded_at"
    " FROM page p LEFT JOIN ledger.period_event e ON e.book_id = p.book_id AND e.month = p.month"
    " ORDER BY p.month, e.event_no"
).bindparams(sa.bindparam("first", type_=sa.Date))


def periods(
    connection: sa.Connection, book_code: str, *, first: Month | None = None, limit: int = MAX_LIMIT
) -> tuple[PeriodHistory, ...]:
    """Return the periods of a book from a month on (None: from the book's first), at most `limit` of them.

    Raises: BookUnknown; TextRefused for a limit that is not 1 to 1,200.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise TextRefused(field="limit", reason=f"it is {limit}, and a page holds 1 to {MAX_LIMIT} months")
    book_id = load_book(connection, book_code).book_id
    values = {"book_id": book_id, "first": first and first.first_day, "limit": limit}
    rows = connection.execute(_PERIODS, values)
    return tuple(_histories(rows))


def _histories(rows: Any) -> Iterator[PeriodHistory]:
    for (month, state), group in groupby(rows, key=lambda row: (row.month, row.state)):
        events = tuple(_event(row) for row in group if row.event_no is not None)
        yield PeriodHistory(Month.of(month), PeriodState(state), events)


def _event(row: Any) -> PeriodEvent:
    return PeriodEvent(
        event_no=row.event_no,
        action=row.action,
        before=None if row.from_state is None else PeriodState(row.from_state),
        after=PeriodState(row.to_state),
        actor=row.actor,
        approver=row.approver,
        reason=row.reason,
        block_no=row.block_no,
        trial_balance_digest=None if row.trial_balance_digest is None else bytes(row.trial_balance_digest),
        recorded_at=row.recorded_at,
    )
