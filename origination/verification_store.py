"""Rows of verification to values and back; every write is an INSERT.

Never: what was sent and answered (`origination/personal_store.py`). Next: `origination/verification_commands.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from origination import intake_tables
from origination import tables as core
from origination import verification_tables as tables
from origination.application import ApplicationState
from origination.sources.asking import Trail
from origination.verification.kinds import ANSWERED, CIRCUIT_OPEN
from origination.verification.records import LoadedSource, Result, StoredAttempt, Verification
from origination.verification.source import Source, parse_source


def sources_in_force(connection: sa.Connection, kind: str | None = None) -> list[LoadedSource]:
    """Return the latest release of each source, in the order in which they are asked."""
    table = tables.verification_source
    rows = connection.execute(sa.select(table).order_by(table.c.name, table.c.release.desc()))
    latest: dict[str, LoadedSource] = {}
    for row in rows:
        if row.name not in latest:
            latest[row.name] = LoadedSource(parse_source(row.declaration), row.release)
    found = [each for each in latest.values() if kind in (None, each.source.kind)]
    return sorted(found, key=lambda each: (each.source.kind, each.source.priority, each.source.name))


def trail_of(connection: sa.Connection, source: Source) -> Trail:
    """Return how many times in a row a source has failed up to now, no further back than its breaker minds."""
    table = tables.verification_attempt
    rows = connection.execute(
        sa.select(table.c.status, table.c.recorded_at)
        .where(table.c.source == source.name, table.c.status != CIRCUIT_OPEN)
        .order_by(table.c.recorded_at.desc(), table.c.attempt_no.desc())
        .limit(source.breaker.failures)
    ).all()
    failures = 0
    for row in rows:
        if row.status == ANSWERED:
            break
        failures += 1
    return Trail(failures, rows[0].recorded_at if failures else None)


def waiting_applications(connection: sa.Connection, book_id: int, after: int, limit: int) -> tuple[int, ...]:
    """Return the applications of a book above an id that were submitted and wait for a decision, in order."""
    sent, event = intake_tables.intake_submission, core.application_event
    latest = (
        sa.select(event.c.state)
        .where(event.c.application_id == sent.c.application_id)
        .order_by(event.c.event_no.desc())
        .limit(1)
        .scalar_subquery()
    )
    erased = intake_tables.personal_data_erasure
    found = connection.scalars(
        sa.select(sent.c.application_id)
        .where(
            sent.c.book_id == book_id,
            sent.c.application_id > after,
            latest == str(ApplicationState.RECEIVED),
            ~sa.exists().where(erased.c.application_id == sent.c.application_id),
        )
        .order_by(sent.c.application_id)
        .limit(limit)
    )
    return tuple(found)


def insert_verification(connection: sa.Connection, verification: Verification) -> None:
    """Write that something is to be found out."""
    connection.execute(
        sa.insert(tables.verification),
        {
            "application_id": verification.application_id,
            "verification_no": verification.verification_no,
            "kind": verification.kind,
            "actor": verification.actor,
            "asked_on": verification.asked_on,
        },
    )


def insert_attempts(connection: sa.Connection, of: Verification, attempts: Sequence[StoredAttempt]) -> None:
    """Write the attempts of a verification."""
    rows = [
        {
            "application_id": of.application_id,
            "verification_no": of.verification_no,
            "attempt_no": each.attempt_no,
            "source": each.source,
            "source_hash": each.source_hash,
            "status": each.status,
            "http_status": each.http_status,
            "latency_ms": each.latency_ms,
            "cost": each.cost,
            "currency": each.currency,
            "response_hash": each.response_hash,
            "detail": each.detail,
        }
        for each in attempts
    ]
    if rows:
        connection.execute(sa.insert(tables.verification_attempt), rows)


def insert_result(connection: sa.Connection, of: Verification, result: Result) -> None:
    """Write what a verification came to."""
    connection.execute(
        sa.insert(tables.verification_result),
        {
            "application_id": of.application_id,
            "verification_no": of.verification_no,
            "outcome": result.outcome,
            "source": result.source,
            "facts": dict(result.facts),
            "reason": result.reason,
            "actor": result.actor,
        },
    )


def load_verifications(connection: sa.Connection, application_id: int) -> tuple[Verification, ...]:
    """Return the verifications of an application with their attempts and results, in order."""
    head, attempt, result = tables.verification, tables.verification_attempt, tables.verification_result
    attempts: dict[int, list[StoredAttempt]] = {}
    for row in connection.execute(
        sa.select(attempt)
        .where(attempt.c.application_id == application_id)
        .order_by(attempt.c.verification_no, attempt.c.attempt_no)
    ):
        attempts.setdefault(row.verification_no, []).append(
            StoredAttempt(
                attempt_no=row.attempt_no,
                source=row.source,
                source_hash=row.source_hash,
                status=row.status,
                http_status=row.http_status,
                latency_ms=row.latency_ms,
                cost=row.cost,
                currency=row.currency,
                response_hash=row.response_hash,
                detail=row.detail,
                recorded_at=row.recorded_at,
            )
        )
    results = {
        row.verification_no: Result(
            outcome=row.outcome,
            source=row.source,
            facts=row.facts,
            reason=row.reason,
            actor=row.actor,
            recorded_at=row.recorded_at,
        )
        for row in connection.execute(sa.select(result).where(result.c.application_id == application_id))
    }
    heads = connection.execute(
        sa.select(head).where(head.c.application_id == application_id).order_by(head.c.verification_no)
    )
    return tuple(
        Verification(
            application_id=row.application_id,
            verification_no=row.verification_no,
            kind=row.kind,
            actor=row.actor,
            asked_on=row.asked_on,
            attempts=tuple(attempts.get(row.verification_no, ())),
            result=results.get(row.verification_no),
        )
        for row in heads
    )
