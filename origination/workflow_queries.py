"""Workflows as people look at them: an application's position and history, the list of tasks, what is due.

Next: `origination/workflow/engine.py` for what a position is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ledger.queries.accounts import book
from origination import workflow_store as store
from origination import workflow_tables as tables
from origination.errors import ApplicationUnknown
from origination.workflow.definition import Definition
from origination.workflow.engine import Position, look
from origination.workflow.errors import WorkflowNotStarted, WorkflowUnknown
from origination.workflow.reading import shipped_codes, shipped_source, stored_workflow
from origination.workflow.state import Event

Place = tuple[datetime, int, int]
"""Where a page of tasks ended: due time, application and number of its last task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task of a person that is not done."""

    application_id: int
    task_no: int
    workflow: str
    step: str
    title: str
    queue: str
    role: str
    owner: str | None
    opened_at: datetime
    due_at: datetime
    escalations: int

    @property
    def place(self) -> Place:
        """Return its place in the list."""
        return self.due_at, self.application_id, self.task_no


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks are asked for; what is None does not count."""

    queue: str | None = None
    role: str | None = None
    owner: str | None = None
    unowned: bool = False
    due_before: datetime | None = None
    application_id: int | None = None


@dataclass(frozen=True, slots=True)
class WorkflowView:
    """An application in its workflow: the version, what happened, where it stands and what comes next."""

    workflow: str
    content_hash: str
    definition: Definition
    events: tuple[Event, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class WorkflowListed:
    """A workflow by its code, with the version that applications are started on (None: as shipped) and how many run."""

    code: str
    content_hash: str
    activation: store.Activation | None
    running: int


def workflow_of(connection: sa.Connection, book_code: str, application_id: int, *, now: datetime) -> WorkflowView:
    """Return an application in its workflow.

    Raises: BookUnknown; ApplicationUnknown; WorkflowNotStarted.
    """
    of_book(connection, book_code, application_id)
    running = store.load(connection, application_id)
    if running is None:
        raise WorkflowNotStarted(application_id=application_id)
    position = look(running.definition, application_id, running.events, now=now)
    return WorkflowView(running.definition.code, running.content_hash, running.definition, running.events, position)


def of_book(connection: sa.Connection, book_code: str, application_id: int) -> tuple[int, str]:
    """Return the id of the book of an application, and who entered it.

    Raises: BookUnknown; ApplicationUnknown if there is none in this book.
    """
    book_id = book(connection, book_code).book_id
    found = store.entered(connection, application_id)
    if found is None or found[0] != book_id:
        raise ApplicationUnknown(application_id=application_id)
    return found


def tasks(
    connection: sa.Connection,
    book_code: str,
    wanted: TaskFilter,
    *,
    after: Place | None = None,
    limit: int = 50,
) -> tuple[Task, ...]:
    """Return open tasks in the order of their due times, those after a place.

    Raises: BookUnknown.
    """
    table = tables.workflow_task
    column = table.c
    conditions: list[Any] = [column.book_id == book(connection, book_code).book_id]
    for name in ("queue", "role", "owner", "application_id"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(column[name] == value)
    if wanted.unowned:
        conditions.append(column.owner.is_(None))
    if wanted.due_before is not None:
        conditions.append(column.due_at < wanted.due_before)
    place = (column.due_at, column.application_id, column.task_no)
    if after is not None:
        conditions.append(sa.tuple_(*place) > sa.tuple_(*(sa.literal(part) for part in after)))
    rows = connection.execute(sa.select(table).where(*conditions).order_by(*place).limit(limit))
    return tuple(_task(row) for row in rows)


def due_applications(
    connection: sa.Connection, book_code: str, at: datetime, *, after: int = 0, limit: int = 1_000
) -> tuple[int, ...]:
    """Return applications above an id, in order, to which something happens by itself as of a moment.

    Raises: BookUnknown.
    """
    column = tables.workflow_standing.c
    return tuple(
        connection.scalars(
            sa.select(column.application_id)
            .where(
                column.book_id == book(connection, book_code).book_id,
                column.wakes_at <= at,
                column.application_id > after,
            )
            .order_by(column.application_id)
            .limit(limit)
        )
    )


def applications_in_workflows(
    connection: sa.Connection, book_code: str, *, after: int = 0, limit: int = 1_000
) -> tuple[int, ...]:
    """Return the applications of a book above an id, in order, that were started on a workflow. Raises: BookUnknown."""
    column = tables.workflow_standing.c
    wanted = sa.select(column.application_id).where(
        column.book_id == book(connection, book_code).book_id, column.application_id > after
    )
    return tuple(connection.scalars(wanted.order_by(column.application_id).limit(limit)))


def due_count(connection: sa.Connection, book_code: str, at: datetime) -> int:
    """Return how many there are of those. Raises: BookUnknown."""
    column = tables.workflow_standing.c
    book_id = book(connection, book_code).book_id
    count = sa.select(sa.func.count()).where(column.book_id == book_id, column.wakes_at <= at)
    return int(connection.scalar(count) or 0)


def source_in_force(connection: sa.Connection, code: str, at: datetime) -> str:
    """Return the text of the version that applications are started on at a moment: the shipped one if none is active.

    Raises: WorkflowUnknown.
    """
    active = activation_in_force(store.activations(connection, code), at)
    if active is not None:
        source = store.version_source(connection, active.content_hash)
        assert source is not None, active
        return source
    if code not in shipped_codes():
        raise WorkflowUnknown(name=code, known=_known(connection))
    return shipped_source(code)


def activation_in_force(found: tuple[store.Activation, ...], at: datetime) -> store.Activation | None:
    """Return the activation that counts at a moment: the latest that has begun, of two that begin at once the later."""
    begun = [each for each in found if each.active_from <= at]
    return max(begun, key=lambda each: (each.active_from, each.activation_no), default=None)


def workflows(connection: sa.Connection, *, now: datetime) -> tuple[WorkflowListed, ...]:
    """Return every workflow that applications can be started on, and how many run."""
    standing = tables.workflow_standing.c
    count = sa.select(standing.code, sa.func.count()).where(standing.phase == "running").group_by(standing.code)
    running = {str(code): int(number) for code, number in connection.execute(count)}
    listed = []
    for code in _known(connection):
        active = activation_in_force(store.activations(connection, code), now)
        if active is None and code not in shipped_codes():
            continue
        shipped = None if active else stored_workflow(shipped_source(code)).content_hash()
        content_hash = active.content_hash if active else str(shipped)
        listed.append(WorkflowListed(code, content_hash, active, running.get(code, 0)))
    return tuple(listed)


def activations(connection: sa.Connection, code: str) -> tuple[store.Activation, ...]:
    """Return from when on which version of a workflow counts, in the order in which it was said.

    Raises: WorkflowUnknown.
    """
    if code not in _known(connection):
        raise WorkflowUnknown(name=code, known=_known(connection))
    return store.activations(connection, code)


def _known(connection: sa.Connection) -> tuple[str, ...]:
    loaded = connection.scalars(sa.select(tables.workflow_version.c.code).distinct())
    return tuple(sorted({*shipped_codes(), *loaded}))


def _task(row: Any) -> Task:
    return Task(
        application_id=row.application_id,
        task_no=row.task_no,
        workflow=row.code,
        step=row.step,
        title=row.title,
        queue=row.queue,
        role=row.role,
        owner=row.owner,
        opened_at=row.opened_at.astimezone(UTC),
        due_at=row.due_at.astimezone(UTC),
        escalations=row.escalations,
    )
