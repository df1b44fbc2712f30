"""Workflows as both doors show them, and an application that goes on by itself after somebody has moved it.

Moments are in UTC. Never: what an act is (`origination/workflow_commands/moving.py`).
Next: `api/cli/workflow.py`, `api/cli/task.py`, `api/routes/workflows.py`, `api/routes/tasks.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from api.automatic_tasks import BY_ITSELF, programs
from api.edge import Edge
from api.views import Json, moment
from origination.workflow.acts import Person
from origination.workflow.engine import Act, Next
from origination.workflow.errors import StepNotOpen, WorkflowClockRefused, WorkflowNotStarted, WorkflowOver
from origination.workflow.state import Event, Phase, State, Visit
from origination.workflow_commands.moving import Moved
from origination.workflow_commands.running import Advanced, Due, Runner, Ticked, advance
from origination.workflow_commands.versions import LoadedWorkflow
from origination.workflow_queries import Task, WorkflowListed, WorkflowView, activations, workflow_of
from servicing.vault import Vault

ACCEPTED = "accepted"
"""The signal that tells a workflow that an offer was accepted."""

SAYS: Mapping[Act, str] = {
    Act.RUN: "is run",
    Act.ESCALATE: "is escalated",
    Act.TIME_OUT: "times out",
    Act.PERSON: "waits for a person",
    Act.SIGNAL: "waits for a signal",
    Act.HALTED: "halted after its last attempt",
}
"""What comes next, in words."""


def now() -> datetime:
    """Return the moment at which somebody acts."""
    return datetime.now(UTC)


def read_moment(text: str) -> datetime:
    """Return the moment that a text says, in ISO 8601 with its zone.

    Raises: WorkflowClockRefused.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise WorkflowClockRefused(at=text[:40], reason="it is written as 2026-11-02T15:00Z") from None
    if found.tzinfo is None:
        raise WorkflowClockRefused(at=text, reason="it has no time zone: 2026-11-02T15:00Z, or -05:00 in place of Z")
    return found.astimezone(UTC)


def person_of(actor: str, roles: Iterable[str]) -> Person:
    """Return who acts now, with the roles that the caller says they have."""
    return Person(actor, now(), tuple(roles))


def runner_of(
    edge: Edge, vault: Vault | None, book_code: str, actor: str = BY_ITSELF, at: datetime | None = None
) -> Runner:
    """Return what runs that which has come due."""
    return Runner(edge.engine, book_code, programs(edge, book_code, vault).find, actor, at or now())


def go_on(edge: Edge, vault: Vault | None, book_code: str, application_id: int) -> Advanced:
    """Let an application go on by itself after an act, which is committed already. Raises: as `advance`."""
    with edge.named_trouble():
        return advance(runner_of(edge, vault, book_code), application_id)


def go_on_if_started(edge: Edge, vault: Vault | None, book_code: str, application_id: int) -> Advanced | None:
    """Do the same after an act outside of a workflow; None if the application is in none."""
    try:
        return go_on(edge, vault, book_code, application_id)
    except WorkflowNotStarted:
        return None


def task_number(connection: sa.Connection, book_code: str, application_id: int, wanted: str) -> int:
    """Return the number of a task that is called by its number or by its step.

    Raises: as `workflow_of`; WorkflowOver; StepNotOpen.
    """
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
        return int(wanted)
    state = workflow_of(connection, book_code, application_id, now=now()).position.state
    if state.phase is not Phase.RUNNING:
        raise WorkflowOver(application_id=application_id, state=str(state.phase))
    visit = state.at_step(wanted)
    if visit is None or visit.role is None:
        raise StepNotOpen(application_id=application_id, step=f"the task {wanted}", at=state.steps)
    return visit.number


# --- As JSON ----------------------------------------------------------------------------------------------


def moved_json(moved: Moved) -> Json:
    """Return what happened, and where an application stands after it."""
    return {
        "application_id": moved.state.application_id,
        "workflow": moved.workflow,
        "event": event_json(moved.event),
        **state_json(moved.state),
    }


def view_json(view: WorkflowView) -> Json:
    """Return an application in its workflow, without what happened before."""
    return {
        "application_id": view.position.state.application_id,
        "workflow": view.workflow,
        "version": view.content_hash,
        **state_json(view.position.state),
        "coming": [next_json(each) for each in view.position.coming],
    }


def history_json(view: WorkflowView) -> Json:
    """Return what happened to an application, and each way that it took for it."""
    moves: dict[int, list[Json]] = {}
    for move in view.position.state.trail:
        moves.setdefault(move.event_no, []).append({"from": move.source, "to": move.target, "because": move.because})
    return {
        "application_id": view.position.state.application_id,
        "workflow": view.workflow,
        "version": view.content_hash,
        "events": [{**event_json(event), "moves": moves.get(event.number, [])} for event in view.events],
    }


def state_json(state: State) -> Json:
    """Return where an application stands."""
    return {
        "phase": str(state.phase),
        "result": state.result,
        "last_event_no": state.last_event_no,
        "at": [visit_json(visit) for visit in state.visits],
        "facts": dict(state.facts),
    }


def visit_json(visit: Visit) -> Json:
    """Return a stay at a step: of a task, who does it and by when; of a program's, how often it failed."""
    return {
        "number": visit.number,
        "step": visit.step,
        "entered_at": moment(visit.entered_at),
        "queue": visit.queue,
        "role": visit.role,
        "owner": visit.owner,
        "due_at": _moment(visit.due_at),
        "escalations": visit.escalations,
        "failures": visit.failures,
        "try_at": _moment(visit.try_at),
    }


def next_json(each: Next) -> Json:
    """Return what comes next at a step."""
    return {"step": each.step, "number": each.visit, "act": str(each.act), "at": _moment(each.at)}


def event_json(event: Event) -> Json:
    """Return something that happened."""
    return {
        "event_no": event.number,
        "kind": str(event.kind),
        "at": moment(event.at),
        "actor": event.actor,
        "task": event.visit,
        "reason": event.reason,
        "details": dict(event.details),
    }


def task_json(task: Task, *, at: datetime) -> Json:
    """Return a task of the list, and whether it is late at a moment."""
    return {
        "application_id": task.application_id,
        "task": task.task_no,
        "workflow": task.workflow,
        "step": task.step,
        "title": task.title,
        "queue": task.queue,
        "role": task.role,
        "owner": task.owner,
        "opened_at": moment(task.opened_at),
        "due_at": moment(task.due_at),
        "is_late": task.due_at < at,
        "escalations": task.escalations,
    }


def loaded_json(loaded: LoadedWorkflow) -> Json:
    """Return what loading a workflow came to."""
    active = loaded.activation
    return {
        "workflow": loaded.code,
        "version": loaded.content_hash,
        "is_new": loaded.is_new,
        "active_from": None if active is None else moment(active.active_from),
    }


def listed_json(listed: WorkflowListed) -> Json:
    """Return a workflow of the list."""
    active = listed.activation
    return {
        "workflow": listed.code,
        "version": listed.content_hash,
        "active_from": None if active is None else moment(active.active_from),
        "actor": None if active is None else active.actor,
        "running": listed.running,
    }


def activations_json(connection: sa.Connection, code: str) -> list[Json]:
    """Return from when on which version counts, in the order in which it was said. Raises: WorkflowUnknown."""
    return [
        {
            "activation_no": each.activation_no,
            "version": each.content_hash,
            "active_from": moment(each.active_from),
            "actor": each.actor,
            "reason": each.reason,
        }
        for each in activations(connection, code)
    ]


def ticked_json(ticked: Ticked) -> Json:
    """Return what a run came to."""
    return {
        "at": moment(ticked.at),
        "looked_at": ticked.looked_at,
        "events": ticked.events,
        "waiting": [{"application_id": each.application_id, "steps": list(each.waiting)} for each in ticked.waiting],
        "failures": [
            {"application_id": each.application_id, "code": each.code, "message": each.message}
            for each in ticked.failures
        ],
    }


def previewed_json(at: datetime, found: Iterable[Due]) -> Json:
    """Return what a run would begin with."""
    return {
        "at": moment(at),
        "due": [{"application_id": each.application_id, **next_json(due)} for each in found for due in each.due],
    }


def evidence_of(notes: Iterable[str], references: Iterable[str]) -> dict[str, Any]:
    """Return what a task is completed with, as it is kept; empty if there is none."""
    given = {"notes": list(notes), "references": list(references)}
    return {name: values for name, values in given.items() if values}


def _moment(value: datetime | None) -> str | None:
    return None if value is None else moment(value)
