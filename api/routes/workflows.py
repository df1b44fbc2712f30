"""`/v1/workflows` and `/v1/applications/{id}/workflow`: the ways that applications go, and applications on them.

After a changing call has been committed, the application goes on by itself as far as it can; what the call answers is
where it stood before that. Next: `api/workflows.py`; `docs/spec/workflow.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import Field, StrictBool, StrictInt, StrictStr

from api import http
from api.models import Body, BookQuery, Code, Moment, Query, ShortText
from api.routes.applications import vault_or_none
from api.views import Json
from api.workflows import (
    activations_json,
    go_on,
    history_json,
    listed_json,
    loaded_json,
    moved_json,
    now,
    person_of,
    runner_of,
    ticked_json,
    view_json,
)
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from origination.workflow.drawing import as_mermaid, as_svg
from origination.workflow.reading import stored_workflow
from origination.workflow_commands import moving
from origination.workflow_commands.moving import Moved
from origination.workflow_commands.running import tick
from origination.workflow_commands.versions import activate_workflow, load_workflow
from origination.workflow_queries import source_in_force, workflow_of, workflows

routes = Blueprint("workflows", __name__)

LARGEST_SOURCE = 100_000
Facts = Annotated[dict[str, StrictBool | StrictInt | StrictStr], Field(max_length=100)]
Roles = Annotated[list[Code], Field(max_length=20)]


class WorkflowBody(Body):
    """A workflow as TOML, and from when on applications are started on it (none: it is only kept)."""

    source: Annotated[str, Field(max_length=LARGEST_SOURCE)]
    active_from: Moment | None = None
    reason: ShortText | None = None


class ActivationBody(Body):
    """A version that is kept, by the beginning of its hash, and from when on it counts (none: from now)."""

    version: Annotated[str, Field(pattern=r"^[0-9a-f]{4,64}$")]
    active_from: Moment | None = None
    reason: ShortText


class StartBody(Body):
    """On which workflow an application is started, and what is known of it."""

    workflow: Code
    facts: Facts = Field(default={})


class SignalBody(Body):
    """A signal, and what it makes known."""

    signal: Code
    facts: Facts = Field(default={})


class OutcomeBody(Body):
    """The outcome of an automatic task, given by hand: as which role, and why."""

    step: Code
    facts: Facts
    reason: ShortText
    roles: Roles = Field(default=[])


class StepBody(Body):
    """A step, and why."""

    step: Code
    reason: ShortText


class ReasonBody(Body):
    """Why."""

    reason: ShortText


class DrawingQuery(BookQuery):
    """How a workflow is drawn."""

    form: Literal["mermaid", "svg"] = "mermaid"


@routes.post("/v1/workflows")
def load() -> Response:
    """Keep a workflow as a version, and activate it if that is said; the log of the book keeps the request."""
    given = http.body(WorkflowBody)

    def work(uow: UnitOfWork) -> Json:
        return loaded_json(load_workflow(uow, given.source, active_from=given.active_from, reason=given.reason))

    return _once(http.change(), "load_workflow", given, work)


@routes.get("/v1/workflows")
def index() -> Response:
    """Return every workflow with the version that applications are started on."""
    http.query(Query)
    found = http.edge().read(lambda connection: workflows(connection, now=now()))
    return http.reply({"workflows": [listed_json(each) for each in found]})


@routes.get("/v1/workflows/<code>")
def show(code: str) -> Response:
    """Return the text of the version that applications are started on, and each activation."""
    http.query(Query)
    source = http.edge().read(lambda connection: source_in_force(connection, code, now()))
    rows = http.edge().read(lambda connection: activations_json(connection, code))
    return http.reply({"workflow": code, "source": source, "activations": rows})


@routes.get("/v1/workflows/<code>/drawing")
def draw(code: str) -> Response:
    """Return a drawing of the version that applications are started on."""
    asked = http.query(DrawingQuery)
    source = http.edge().read(lambda connection: source_in_force(connection, code, now()))
    definition = stored_workflow(source)
    drawing = (as_svg if asked.form == "svg" else as_mermaid)(definition)
    return http.reply({"workflow": code, "format": asked.form, "drawing": drawing})


@routes.post("/v1/workflows/<code>/activations")
def activate(code: str) -> Response:
    """Let applications be started on a version that is kept."""
    given = http.body(ActivationBody)

    def work(uow: UnitOfWork) -> Json:
        since = given.active_from or now()
        done = activate_workflow(uow, code, given.version, active_from=since, reason=given.reason)
        return {"workflow": code, "version": done.content_hash, "active_from": done.active_from.isoformat()}

    return _once(http.change(), "activate_workflow", given, work, workflow=code)


@routes.post("/v1/workflow-ticks")
def run_tick() -> Response:
    """Do all that has come due; it needs no key, for what is done is due no more."""
    asked = http.query(BookQuery)
    code = http.chosen_book(asked.book)
    with http.edge().named_trouble():
        report = tick(runner_of(http.edge(), vault_or_none(), code, http.actor()))
    return http.reply(ticked_json(report))


@routes.post("/v1/applications/<int:application_id>/workflow")
def start(application_id: int) -> Response:
    """Start an application on the version of a workflow that is in force."""
    given = http.body(StartBody)
    return move_once(
        application_id,
        "start_workflow",
        given,
        lambda uow, code: moving.start_workflow(
            uow, code, application_id, given.workflow, person_of(uow.actor, ()), facts=given.facts
        ),
    )


@routes.get("/v1/applications/<int:application_id>/workflow")
def position(application_id: int) -> Response:
    """Return where an application stands, what is known of it and what comes next."""
    code = http.chosen_book(http.query(BookQuery).book)
    view = http.edge().read(lambda connection: workflow_of(connection, code, application_id, now=now()))
    return http.reply(view_json(view))


@routes.get("/v1/applications/<int:application_id>/workflow/events")
def history(application_id: int) -> Response:
    """Return all that happened to an application in its workflow."""
    code = http.chosen_book(http.query(BookQuery).book)
    view = http.edge().read(lambda connection: workflow_of(connection, code, application_id, now=now()))
    return http.reply(history_json(view))


@routes.get("/v1/applications/<int:application_id>/workflow/drawing")
def draw_application(application_id: int) -> Response:
    """Return a drawing of an application's workflow with where it stands."""
    asked = http.query(DrawingQuery)
    code = http.chosen_book(asked.book)
    view = http.edge().read(lambda connection: workflow_of(connection, code, application_id, now=now()))
    drawing = (as_svg if asked.form == "svg" else as_mermaid)(view.definition, view.position.state)
    return http.reply({"workflow": view.workflow, "format": asked.form, "drawing": drawing})


@routes.post("/v1/applications/<int:application_id>/workflow/signals")
def signal(application_id: int) -> Response:
    """Send a signal to the step that waits for it."""
    given = http.body(SignalBody)
    return move_once(
        application_id,
        "send_signal",
        given,
        lambda uow, code: moving.send_signal(
            uow, code, application_id, given.signal, person_of(uow.actor, ()), facts=given.facts
        ),
    )


@routes.post("/v1/applications/<int:application_id>/workflow/outcomes")
def give_outcome(application_id: int) -> Response:
    """Give the outcome of an automatic task by hand."""
    given = http.body(OutcomeBody)
    return move_once(
        application_id,
        "give_outcome",
        given,
        lambda uow, code: moving.give_outcome(
            uow,
            code,
            application_id,
            given.step,
            person_of(uow.actor, given.roles),
            outcome=given.facts,
            reason=given.reason,
        ),
    )


@routes.post("/v1/applications/<int:application_id>/workflow/retries")
def retry(application_id: int) -> Response:
    """Let an automatic task that failed be tried at once."""
    given = http.body(StepBody)
    return move_once(
        application_id,
        "retry_step",
        given,
        lambda uow, code: moving.retry_step(
            uow, code, application_id, given.step, person_of(uow.actor, ()), reason=given.reason
        ),
    )


@routes.post("/v1/applications/<int:application_id>/workflow/cancellation")
def cancel(application_id: int) -> Response:
    """Give the workflow of an application up."""
    given = http.body(ReasonBody)
    return move_once(
        application_id,
        "cancel_workflow",
        given,
        lambda uow, code: moving.cancel_workflow(
            uow, code, application_id, person_of(uow.actor, ()), reason=given.reason
        ),
    )


def move_once(
    application_id: int, command: str, given: Body, work: Callable[[UnitOfWork, str], Moved], **inputs: Any
) -> Response:
    """Move an application unless the key has come before, then let it go on by itself."""
    change = http.change()
    code = http.chosen_book(change.book)
    reply = _once(
        change, command, given, lambda uow: moved_json(work(uow, code)), application_id=application_id, **inputs
    )
    if not change.dry_run:
        go_on(http.edge(), vault_or_none(), code, application_id)
    return reply


def _once(
    change: http.Change, command: str, given: Body, work: Callable[[UnitOfWork], Json], **inputs: Any
) -> Response:
    code = http.chosen_book(change.book)
    asked: Mapping[str, Any] = {**inputs, **given.model_dump(mode="json")}

    def answer(uow: UnitOfWork) -> Outcome:
        own = book(uow.connection, code).own_subledger_id
        return once(uow, subledger_id=own, key=change.key, command=command, inputs=asked, work=lambda: work(uow))

    outcome = http.edge().answer(answer, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)
