"""What there is to collect: the open cases of a queue in the order of work, and everything about one loan.

Next: `servicing/collection_store.py`; `docs/how-to/collections.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from servicing.collecting import Promise
from servicing.collection_store import flags_of, policy_of, promises_of
from servicing.delinquency_queries import days_past_due_at
from servicing.store import load_loan

__all__ = ["CaseLine", "Collecting", "collecting", "policy_of", "queues", "work_list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """An open case as the work list shows it; amounts in minor units."""

    loan_id: int
    case_no: int
    queue: str
    owner: str | None
    priority: int
    next_action: str
    next_action_on: date
    opened_on: date
    dpd: int
    past_due: int
    currency: str


_WORK = (
    "SELECT c.loan_id, c.case_no, c.queue, c.owner, c.priority, c.next_action, c.next_action_on, c.opened_on,"  # noqa: S608 - text of ours
    " " + days_past_due_at("b.business_date") + " AS dpd,"
    " coalesce(r.principal + r.interest + r.fees + r.penalties, 0) AS past_due, l.currency"
    " FROM servicing.collection_case c JOIN servicing.loan l ON l.loan_id = c.loan_id"
    " JOIN ledger.book b ON b.book_id = l.book_id"
    " LEFT JOIN servicing.delinquency_range r ON r.loan_id = c.loan_id AND r.from_day <= b.business_date"
    "  AND (r.through IS NULL OR r.through >= b.business_date) AND r.superseded_on IS NULL"
    " WHERE b.code = :book AND c.book_id = b.book_id AND c.closed_on IS NULL"
)
_ORDER = " ORDER BY c.priority DESC, c.next_action_on, c.loan_id LIMIT :limit"
_AFTER = " AND (-c.priority, c.next_action_on, c.loan_id) > (-CAST(:priority AS bigint), CAST(:on AS date), :after)"


def work_list(
    connection: sa.Connection,
    book_code: str,
    *,
    queue: str | None = None,
    owner: str | None = None,
    after: tuple[int, date, int] | None = None,
    limit: int = 50,
) -> tuple[CaseLine, ...]:
    """Return the next open cases of a book, the highest priority first and the earliest action.

    `after` is priority, day and loan of the last case of the page before.
    """
    text, values = _WORK, {"book": book_code, "limit": limit}
    for name, value in (("queue", queue), ("owner", owner)):
        if value is not None:
            text, values = f"{text} AND c.{name} = :{name}", {**values, name: value}
    if after is not None:
        text, values = text + _AFTER, {**values, "priority": after[0], "on": after[1], "after": after[2]}
    return tuple(CaseLine(**row) for row in connection.execute(sa.text(text + _ORDER), values).mappings())


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """Everything about collecting from the borrower of one loan: cases, promises, flags, the log."""

    loan_id: int
    currency: str
    cases: tuple[dict[str, Any], ...]
    promises: tuple[Promise, ...]
    flags: tuple[dict[str, Any], ...]
    notes: tuple[dict[str, Any], ...]


_CASES = sa.text(
    "SELECT case_no, opened_on, closed_on, queue, owner, priority, next_action, next_action_on"
    " FROM servicing.collection_case WHERE loan_id = :loan_id ORDER BY case_no"
)
_NOTES = sa.text(
    "SELECT note_no, on_day, kind, details, actor FROM servicing.collection_note WHERE loan_id = :loan_id"
    " ORDER BY note_no"
)


def collecting(connection: sa.Connection, loan_id: int) -> Collecting:
    """Return everything about collecting from the borrower of a loan.

    Raises: LoanUnknown.
    """
    loan = load_loan(connection, loan_id, lock=False)
    values = {"loan_id": loan_id}
    return Collecting(
        loan_id=loan_id,
        currency=loan.terms.currency,
        cases=tuple(dict(row) for row in connection.execute(_CASES, values).mappings()),
        promises=promises_of(connection, loan_id),
        flags=tuple(
            {"channel": flag.channel, "since": flag.set_on, "reason": flag.reason, "actor": flag.actor}
            for flag in flags_of(connection, loan_id)
        ),
        notes=tuple(dict(row) for row in connection.execute(_NOTES, values).mappings()),
    )


_QUEUES = sa.text(
    "SELECT c.queue, count(*) AS cases, count(*) FILTER (WHERE c.next_action_on <= b.business_date) AS due"
    " FROM servicing.collection_case c JOIN ledger.book b ON b.book_id = c.book_id"
    " WHERE b.code = :book AND c.closed_on IS NULL GROUP BY 1 ORDER BY 1"
)


def queues(connection: sa.Connection, book_code: str) -> tuple[dict[str, Any], ...]:
    """Return the queues of a book: how many cases are open, and for how many the next action is due."""
    return tuple(dict(row) for row in connection.execute(_QUEUES, {"book": book_code}).mappings())
