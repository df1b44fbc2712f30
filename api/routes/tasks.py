"""`/v1/tasks`: what people are to do for applications, and each thing that they do to a task.

A task is called by its application and its number. Roles are what the caller says that the actor has.
Next: `api/routes/workflows.py`; `api/task_pages.py`; `docs/spec/workflow.md`.
"""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.models import WHOLE, Body, BookQuery, Code, FlagText, IdentifierText, Moment, ShortText
from api.routes.workflows import Facts, Roles, move_once
from api.task_pages import page_of
from api.workflows import evidence_of, person_of
from origination.workflow.acts import Completion
from origination.workflow_commands import moving
from origination.workflow_queries import TaskFilter

routes = Blueprint("tasks", __name__)

Texts = Annotated[list[ShortText], Field(max_length=50)]


class TasksQuery(BookQuery):
    """Which tasks, and which page of them."""

    queue: Code | None = None
    role: Code | None = None
    owner: ShortText | None = None
    unowned: FlagText = False
    application_id: IdentifierText | None = None
    due_before: Moment | None = None
    after: Annotated[str, Field(max_length=512)] | None = None
    limit: Annotated[int, WHOLE, Field(ge=1, le=500)] = 50


class RolesBody(Body):
    """Which roles the actor has."""

    roles: Roles = Field(default=[])


class ReleaseBody(RolesBody):
    """Why a task is given back."""

    reason: ShortText


class ReassignBody(RolesBody):
    """To whom a task is given, and why."""

    to: Code
    reason: ShortText


class CompletionBody(RolesBody):
    """What a task is completed with."""

    outcome: Code
    facts: Facts = Field(default={})
    notes: Texts = Field(default=[])
    references: Texts = Field(default=[])
    reason: ShortText | None = None


@routes.get("/v1/tasks")
def index() -> Response:
    """Return open tasks, what is due first at the top, page by page."""
    asked = http.query(TasksQuery)
    wanted = TaskFilter(
        queue=asked.queue,
        role=asked.role,
        owner=asked.owner,
        unowned=asked.unowned,
        due_before=asked.due_before,
        application_id=asked.application_id,
    )
    code = http.chosen_book(asked.book)
    return http.reply(
        http.edge().read(lambda connection: page_of(connection, code, wanted, cursor=asked.after, limit=asked.limit))
    )


@routes.post("/v1/tasks/<int:application_id>/<int:task>/claim")
def claim(application_id: int, task: int) -> Response:
    """Take a task that nobody holds."""
    given = http.body(RolesBody)
    return move_once(
        application_id,
        "claim_task",
        given,
        lambda uow, code: moving.claim_task(uow, code, application_id, task, person_of(uow.actor, given.roles)),
        task=task,
    )


@routes.post("/v1/tasks/<int:application_id>/<int:task>/release")
def release(application_id: int, task: int) -> Response:
    """Give back a task that the actor holds."""
    given = http.body(ReleaseBody)
    return move_once(
        application_id,
        "release_task",
        given,
        lambda uow, code: moving.release_task(
            uow, code, application_id, task, person_of(uow.actor, given.roles), reason=given.reason
        ),
        task=task,
    )


@routes.post("/v1/tasks/<int:application_id>/<int:task>/reassignment")
def reassign(application_id: int, task: int) -> Response:
    """Give a task to somebody, whoever holds it."""
    given = http.body(ReassignBody)
    return move_once(
        application_id,
        "reassign_task",
        given,
        lambda uow, code: moving.reassign_task(
            uow, code, application_id, task, person_of(uow.actor, given.roles), to=given.to, reason=given.reason
        ),
        task=task,
    )


@routes.post("/v1/tasks/<int:application_id>/<int:task>/completion")
def complete(application_id: int, task: int) -> Response:
    """Complete a task that the actor holds, with evidence; the application goes on."""
    given = http.body(CompletionBody)
    completion = Completion(given.outcome, given.facts, evidence_of(given.notes, given.references), given.reason)
    return move_once(
        application_id,
        "complete_task",
        given,
        lambda uow, code: moving.complete_task(
            uow, code, application_id, task, person_of(uow.actor, given.roles), completion
        ),
        task=task,
    )
