"""Rows of collecting to values and back: policies, cases, promises, flags, and the log of a loan.

Never: decisions. Next: `servicing/commands/collections.py`, `servicing/collection_queries.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from ledger.errors import RequestKeyReused
from ledger.unit_of_work import UnitOfWork
from servicing import collection_tables as tables
from servicing.collecting import Policy, Promise, parse_policy

SYSTEM_KEY = "day"
"""What the request keys of notes begin with that the daily cycle writes."""


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy with its number in the book."""

    version: int
    content_hash: str
    policy: Policy


_POLICY = sa.text(
    "SELECT version, content_hash, rules FROM servicing.collection_policy WHERE book_id = :book_id"
    " ORDER BY version DESC LIMIT 1"
)


def policy_of(connection: sa.Connection, book_id: int) -> PolicyVersion | None:
    """Return the policy in force of a book; None if none was loaded."""
    row = connection.execute(_POLICY, {"book_id": book_id}).one_or_none()
    return None if row is None else PolicyVersion(row.version, row.content_hash, parse_policy(row.rules))


_NOTED = sa.text(
    "SELECT kind, details FROM servicing.collection_note WHERE loan_id = :loan_id AND request_key = :request_key"
)
_NOTE = sa.text(
    "INSERT INTO servicing.collection_note (loan_id, note_no, on_day, kind, details, actor, request_key)"
    " SELECT :loan_id, coalesce(max(n.note_no), 0) + 1, :on_day, :kind, CAST(:details AS jsonb), :actor, :request_key"
    " FROM servicing.collection_note n WHERE n.loan_id = :loan_id"
)


def note(uow: UnitOfWork, loan_id: int, day: date, kind: str, details: Mapping[str, Any], key: str) -> bool:
    """Append a note to the log of a loan whose row is locked; tell whether it is new.

    Raises: RequestKeyReused.
    """
    before = uow.connection.execute(_NOTED, {"loan_id": loan_id, "request_key": key}).one_or_none()
    if before is not None:
        given = {"kind": kind, **json.loads(json.dumps(details))}
        stored = {"kind": before.kind, **before.details}
        for name in (*given, *stored):
            if given.get(name) != stored.get(name):
                raise RequestKeyReused(
                    request_key=key, field=name, stored=str(stored.get(name)), given=str(given.get(name))
                )
        return False
    values = {"loan_id": loan_id, "on_day": day, "kind": kind, "details": json.dumps(details)}
    uow.connection.execute(_NOTE, {**values, "actor": uow.actor, "request_key": key})
    return True


_PROMISES = sa.text("SELECT * FROM servicing.promise WHERE loan_id = :loan_id ORDER BY promise_no")


def promises_of(connection: sa.Connection, loan_id: int) -> tuple[Promise, ...]:
    """Return the promises of a loan, in order."""
    return tuple(promise_of_row(row) for row in connection.execute(_PROMISES, {"loan_id": loan_id}))


def promise_of_row(row: Any) -> Promise:
    """Return a promise from its row."""
    return Promise(
        loan_id=row.loan_id,
        promise_no=row.promise_no,
        plan_no=row.plan_no,
        promised_on=row.promised_on,
        counts_from=row.counts_from,
        due_on=row.due_on,
        amount=row.amount,
        least=row.least,
        grace_days=row.grace_days,
        status=row.status,
        decided_on=row.decided_on,
        received=row.received,
    )


def add_promises(uow: UnitOfWork, promises: Sequence[Promise], key: str) -> None:
    """Write promises that are new."""
    rows = [
        {
            "loan_id": each.loan_id,
            "promise_no": each.promise_no,
            "plan_no": each.plan_no,
            "promised_on": each.promised_on,
            "counts_from": each.counts_from,
            "due_on": each.due_on,
            "amount": each.amount,
            "least": each.least,
            "grace_days": each.grace_days,
            "status": each.status,
            "received": each.received,
            "actor": uow.actor,
            "request_key": f"{key}/{place}",
        }
        for place, each in enumerate(promises, start=1)
    ]
    uow.connection.execute(sa.insert(tables.promise), rows)


_UNDECIDED = sa.text(
    "SELECT p.*, coalesce((SELECT sum(CAST(e.payload ->> 'amount' AS bigint)) FROM servicing.event e"
    "   WHERE e.loan_id = p.loan_id AND e.kind IN ('payment', 'recovery') AND e.entered_on <= :day"
    "     AND e.effective_date BETWEEN p.counts_from AND least(:day, p.due_on + CAST(p.grace_days AS integer))"
    "     AND NOT EXISTS (SELECT FROM servicing.event u WHERE u.loan_id = e.loan_id AND u.entered_on <= :day"
    "       AND u.kind IN ('payment_returned', 'payment_reversed', 'event_reversed')"
    "       AND CAST(u.payload ->> 'of' AS bigint) = e.event_no)), 0) AS came"
    " FROM servicing.promise p JOIN servicing.loan l ON l.loan_id = p.loan_id"
    " WHERE l.book_id = :book_id AND (CAST(:loan_id AS bigint) IS NULL OR p.loan_id = :loan_id)"
    " AND p.promised_on <= :day AND p.due_on >= CAST(:day AS date) - 120"
    " ORDER BY p.loan_id, p.promise_no"
)


def promises_to_judge(
    connection: sa.Connection, book_id: int, day: date, loan_id: int | None
) -> tuple[tuple[Promise, int], ...]:
    """Return the promises that may stand otherwise at the close of a day, and what had come of each by then.

    A decision is taken back by a return for so long after the promise was due.
    """
    values = {"book_id": book_id, "day": day, "loan_id": loan_id}
    return tuple((promise_of_row(row), int(row.came)) for row in connection.execute(_UNDECIDED, values))


_FLAGS = sa.text("SELECT * FROM servicing.contact_flag WHERE loan_id = :loan_id AND lifted_on IS NULL ORDER BY flag_no")


def flags_of(connection: sa.Connection, loan_id: int) -> list[Any]:
    """Return the flags in force of a loan as rows."""
    return list(connection.execute(_FLAGS, {"loan_id": loan_id}))
