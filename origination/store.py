"""Rows of `origination` to values and back; every write is an INSERT.

Never: decisions, or a commit. Next: `origination/commands.py`, `origination/queries.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from origination import tables
from origination.application import (
    ApplicationState,
    LoanRequest,
    Standing,
    request_from_json,
)

_IDS: sa.types.TypeEngine[Any] = postgresql.ARRAY(sa.BigInteger)


@dataclass(frozen=True, slots=True)
class StoredApplication:
    """An application as it was entered, and where it stands."""

    standing: Standing
    book_id: int
    request: LoanRequest
    entered_on: date
    loan_id: int | None
    last_event_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """A row of an application's history that is about to be written."""

    application_id: int
    event_no: int
    action: str
    state: ApplicationState
    business_date: date
    actor: str
    approver: str | None = None
    reason: str | None = None
    loan_id: int | None = None
    contract_sha256: str | None = None


def insert_applications(
    connection: sa.Connection,
    book_id: int,
    requests: Mapping[int, LoanRequest],
    *,
    entered_by: str,
    entered_on: date,
) -> None:
    """Write applications under their ids."""
    rows = [
        {
            "application_id": application_id,
            "book_id": book_id,
            "external_id": request.external_id,
            "channel": request.channel,
            "applicant": request.applicant,
            "terms": request.as_json(),
            "entered_by": entered_by,
            "entered_on": entered_on,
        }
        for application_id, request in requests.items()
    ]
    connection.execute(sa.insert(tables.application), rows)


def insert_events(connection: sa.Connection, events: Sequence[EventRow]) -> frozenset[int]:
    """Write events and return the applications whose event number somebody else took first."""
    rows = [
        {
            "application_id": event.application_id,
            "event_no": event.event_no,
            "action": event.action,
            "state": str(event.state),
            "business_date": event.business_date,
            "actor": event.actor,
            "approver": event.approver,
            "reason": event.reason,
            "loan_id": event.loan_id,
            "contract_sha256": event.contract_sha256,
        }
        # Whoever writes several takes them in the order of their ids, so that two cannot wait for each other.
        for event in sorted(events, key=lambda event: event.application_id)
    ]
    table = tables.application_event
    statement = postgresql.insert(table).on_conflict_do_nothing().returning(table.c.application_id)
    written = set(connection.scalars(statement, rows))
    return frozenset(event.application_id for event in events) - written


def insert_disbursements(
    connection: sa.Connection, funded: Iterable[tuple[StoredApplication, int]], *, due_on: date
) -> None:
    """Write the instructions to pay out the proceeds of applications with their loans."""
    rows = [
        {
            "application_id": stored.standing.application_id,
            "disbursement_no": number,
            "loan_id": loan_id,
            "payee": each.payee,
            "rail": each.rail,
            "amount": each.amount.minor,
            "currency": each.amount.currency,
            "due_on": due_on,
        }
        for stored, loan_id in funded
        for number, each in enumerate(stored.request.disbursements, start=1)
    ]
    connection.execute(sa.insert(tables.disbursement), rows)


def known_applications(connection: sa.Connection, book_id: int, external_ids: Sequence[str]) -> dict[str, int]:
    """Return which of these external ids were entered already, and as which application."""
    table = tables.application
    wanted = sa.any_(sa.literal(list(external_ids), postgresql.ARRAY(sa.Text)))
    rows = connection.execute(
        sa.select(table.c.external_id, table.c.application_id).where(
            table.c.book_id == book_id, table.c.external_id == wanted
        )
    )
    return {row.external_id: row.application_id for row in rows}


def load_applications(connection: sa.Connection, application_ids: Sequence[int]) -> dict[int, StoredApplication]:
    """Return applications by id, each with its latest event; ids that do not exist are left out."""
    event, application = tables.application_event, tables.application
    wanted = sa.any_(sa.literal(list(application_ids), _IDS))
    latest = (
        sa.select(
            event.c.application_id,
            event.c.event_no,
            event.c.state,
            sa.func.max(event.c.loan_id).over(partition_by=event.c.application_id).label("loan_id"),
        )
        .ext(postgresql.distinct_on(event.c.application_id))
        .where(event.c.application_id == wanted)
        .order_by(event.c.application_id, event.c.event_no.desc())
        .subquery("latest")
    )
    rows = connection.execute(
        sa.select(application, latest.c.event_no, latest.c.state, latest.c.loan_id).join(
            latest, latest.c.application_id == application.c.application_id
        )
    )
    return {row.application_id: _application(row) for row in rows}


def _application(row: Any) -> StoredApplication:
    return StoredApplication(
        standing=Standing(row.application_id, ApplicationState(row.state), row.entered_by),
        book_id=row.book_id,
        request=request_from_json(row.external_id, row.channel, row.applicant, row.terms),
        entered_on=row.entered_on,
        loan_id=row.loan_id,
        last_event_no=row.event_no,
    )
