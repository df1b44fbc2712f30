"""Workflows and what happened to applications in them, between rows and values.

An event is written with what it comes to: the standing, and the open tasks. Never: whether an event may be
(`origination/workflow/acts.py`). Next: `origination/workflow_commands/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from origination import tables as application_tables
from origination import workflow_tables as tables
from origination.workflow.definition import Definition, HumanStep
from origination.workflow.engine import fold, wakes_at
from origination.workflow.errors import WorkflowMoved
from origination.workflow.reading import stored_workflow
from origination.workflow.state import Event, Kind, State


@dataclass(frozen=True, slots=True)
class Running:
    """An application in its workflow: the version that it is on, what happened, and where it stands."""

    book_id: int
    content_hash: str
    definition: Definition
    events: tuple[Event, ...]
    state: State


@dataclass(frozen=True, slots=True)
class Activation:
    """A version of a workflow that applications are started on from a moment on."""

    code: str
    activation_no: int
    content_hash: str
    active_from: datetime
    actor: str
    reason: str | None


# --- Versions ---------------------------------------------------------------------------------------------


def insert_version(connection: sa.Connection, definition: Definition, source: str, *, actor: str) -> bool:
    """Keep a version unless it is there; return whether it is new."""
    table = tables.workflow_version
    values = {"content_hash": definition.content_hash(), "code": definition.code, "source": source, "actor": actor}
    written = postgresql.insert(table).values(values).on_conflict_do_nothing().returning(table.c.content_hash)
    return connection.scalar(written) is not None


def version_source(connection: sa.Connection, content_hash: str) -> str | None:
    """Return the text of a version."""
    table = tables.workflow_version
    return connection.scalar(sa.select(table.c.source).where(table.c.content_hash == content_hash))


def hashes_like(connection: sa.Connection, code: str, beginning: str) -> tuple[str, ...]:
    """Return the versions of a code whose hash begins so."""
    table = tables.workflow_version
    found = sa.select(table.c.content_hash).where(
        table.c.code == code, table.c.content_hash.startswith(beginning, autoescape=True)
    )
    return tuple(connection.scalars(found))


def insert_activation(connection: sa.Connection, activation: Activation) -> bool:
    """Write an activation; return whether its number was free."""
    table = tables.workflow_activation
    values = {
        "code": activation.code,
        "activation_no": activation.activation_no,
        "content_hash": activation.content_hash,
        "active_from": activation.active_from,
        "actor": activation.actor,
        "reason": activation.reason,
    }
    written = postgresql.insert(table).values(values).on_conflict_do_nothing().returning(table.c.activation_no)
    return connection.scalar(written) is not None


def activations(connection: sa.Connection, code: str | None = None) -> tuple[Activation, ...]:
    """Return the activations of a workflow, or of all, in their order."""
    table = tables.workflow_activation
    rows = sa.select(table).order_by(table.c.code, table.c.activation_no)
    if code is not None:
        rows = rows.where(table.c.code == code)
    return tuple(
        Activation(row.code, row.activation_no, row.content_hash, _utc(row.active_from), row.actor, row.reason)
        for row in connection.execute(rows)
    )


# --- Applications -----------------------------------------------------------------------------------------


def entered(connection: sa.Connection, application_id: int) -> tuple[int, str] | None:
    """Return the book of an application, and who entered it."""
    table = application_tables.application
    row = connection.execute(
        sa.select(table.c.book_id, table.c.entered_by).where(table.c.application_id == application_id)
    ).one_or_none()
    return None if row is None else (row.book_id, row.entered_by)


def load(connection: sa.Connection, application_id: int, *, lock: bool = False) -> Running | None:
    """Return an application in its workflow; with `lock`, others who want to move it wait."""
    standing, version = tables.workflow_standing, tables.workflow_version
    found = (
        sa.select(standing.c.book_id, standing.c.content_hash, version.c.source)
        .join(version, version.c.content_hash == standing.c.content_hash)
        .where(standing.c.application_id == application_id)
    )
    row = connection.execute(found.with_for_update(of=standing) if lock else found).one_or_none()
    if row is None:
        return None
    definition, events = stored_workflow(row.source), load_events(connection, application_id)
    state = fold(definition, application_id, events)
    return Running(row.book_id, row.content_hash, definition, events, state)


def load_events(connection: sa.Connection, application_id: int) -> tuple[Event, ...]:
    """Return what happened to an application, in order."""
    table = tables.workflow_event
    rows = connection.execute(
        sa.select(table).where(table.c.application_id == application_id).order_by(table.c.event_no)
    )
    return tuple(_event(row) for row in rows)


def begin(connection: sa.Connection, book_id: int, definition: Definition, event: Event, state: State) -> bool:
    """Write the start of an application; return whether it was not started before."""
    table = tables.workflow_standing
    values = {
        "application_id": state.application_id,
        "book_id": book_id,
        "code": definition.code,
        "content_hash": definition.content_hash(),
        **_standing(definition, state),
    }
    written = postgresql.insert(table).values(values).on_conflict_do_nothing().returning(table.c.application_id)
    if connection.scalar(written) is None:
        return False
    insert_event(connection, state.application_id, event)
    _write_tasks(connection, book_id, definition, state)
    return True


def move(connection: sa.Connection, running: Running, event: Event, state: State) -> None:
    """Write an event with what it comes to.

    Raises: WorkflowMoved if somebody else took its number.
    """
    if not insert_event(connection, state.application_id, event):
        raise WorkflowMoved(application_id=state.application_id)
    table = tables.workflow_standing
    connection.execute(
        sa.update(table)
        .where(table.c.application_id == state.application_id)
        .values(**_standing(running.definition, state))
    )
    _write_tasks(connection, running.book_id, running.definition, state)


def derived(running: Running) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return standing and tasks that the events of an application come to."""
    tasks = _tasks(running.book_id, running.definition, running.state)
    return _standing(running.definition, running.state), sorted(tasks, key=lambda task: int(task["task_no"]))


def derived_stored(connection: sa.Connection, application_id: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return standing and tasks of an application as they are stored."""
    standing, task = tables.workflow_standing, tables.workflow_task
    names = ("phase", "result", "steps", "last_event_no", "wakes_at")
    row = connection.execute(
        sa.select(*(standing.c[name] for name in names)).where(standing.c.application_id == application_id)
    ).one()
    rows = connection.execute(sa.select(task).where(task.c.application_id == application_id).order_by(task.c.task_no))
    return dict(row._mapping), [dict(each._mapping) for each in rows]


def write_derived(connection: sa.Connection, running: Running) -> None:
    """Write standing and tasks of an application anew."""
    table, application_id = tables.workflow_standing, running.state.application_id
    standing, _ = derived(running)
    connection.execute(sa.update(table).where(table.c.application_id == application_id).values(**standing))
    task = tables.workflow_task
    connection.execute(sa.delete(task).where(task.c.application_id == application_id))
    _write_tasks(connection, running.book_id, running.definition, running.state)


def insert_event(connection: sa.Connection, application_id: int, event: Event) -> bool:
    """Write an event; return whether its number was free."""
    table = tables.workflow_event
    values = {
        "application_id": application_id,
        "event_no": event.number,
        "kind": str(event.kind),
        "at": event.at,
        "actor": event.actor,
        "visit": event.visit,
        "reason": event.reason,
        "details": dict(event.details),
    }
    written = postgresql.insert(table).values(values).on_conflict_do_nothing().returning(table.c.event_no)
    return connection.scalar(written) is not None


def _standing(definition: Definition, state: State) -> dict[str, Any]:
    return {
        "phase": str(state.phase),
        "result": state.result,
        "steps": list(state.steps),
        "last_event_no": state.last_event_no,
        "wakes_at": wakes_at(definition, state),
    }


def _write_tasks(connection: sa.Connection, book_id: int, definition: Definition, state: State) -> None:
    """Let the list of tasks say what the state says."""
    table, rows = tables.workflow_task, _tasks(book_id, definition, state)
    kept = [row["task_no"] for row in rows]
    connection.execute(
        sa.delete(table).where(
            table.c.application_id == state.application_id, table.c.task_no != sa.all_(_numbers(kept))
        )
    )
    if rows:
        new = postgresql.insert(table)
        moved = {name: new.excluded[name] for name in ("queue", "role", "owner", "escalations")}
        connection.execute(new.on_conflict_do_update(constraint="workflow_task_pkey", set_=moved), rows)


def _numbers(values: list[int]) -> sa.BindParameter[Any]:
    return sa.literal(values, postgresql.ARRAY(sa.BigInteger))


def _tasks(book_id: int, definition: Definition, state: State) -> list[dict[str, Any]]:
    tasks = []
    for visit in state.visits:
        step = definition.steps[visit.step]
        if isinstance(step, HumanStep):
            tasks.append(
                {
                    "application_id": state.application_id,
                    "task_no": visit.number,
                    "book_id": book_id,
                    "code": definition.code,
                    "step": visit.step,
                    "title": step.title or visit.step,
                    "queue": visit.queue,
                    "role": visit.role,
                    "owner": visit.owner,
                    "opened_at": visit.entered_at,
                    "due_at": visit.due_at,
                    "escalations": visit.escalations,
                }
            )
    return tasks


def _event(row: Any) -> Event:
    return Event(
        number=row.event_no,
        kind=Kind(row.kind),
        at=_utc(row.at),
        actor=row.actor,
        visit=row.visit,
        reason=row.reason,
        details=MappingProxyType(row.details),
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
