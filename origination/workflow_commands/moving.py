"""An application started on a workflow, and moved in it by people: each act one transaction, with the event it becomes.

Whoever moves an application waits for whoever does so already, and then sees what came of it: of two who claim a task
at one instant, one gets it, and the other is told who has it. Never: who may do what (`origination/workflow/acts.py`).
Next: `origination/workflow_commands/running.py` for what programs and the clock do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ledger.unit_of_work import UnitOfWork
from origination import workflow_store as store
from origination.workflow import acts
from origination.workflow.acts import Completion, Person
from origination.workflow.definition import HumanStep, WaitStep
from origination.workflow.engine import apply, begin
from origination.workflow.errors import WorkflowNotStarted, WorkflowStarted
from origination.workflow.facts import checked_facts
from origination.workflow.reading import stored_workflow
from origination.workflow.state import Event, Kind, Phase, State
from origination.workflow_commands.acting import ACTING
from origination.workflow_queries import of_book, source_in_force


@dataclass(frozen=True, slots=True)
class Moved:
    """What happened to an application, and where it stands after it."""

    workflow: str
    event: Event
    state: State


def start_workflow(
    uow: UnitOfWork, book_code: str, application_id: int, code: str, person: Person, *, facts: Mapping[str, Any]
) -> Moved:
    """Start an application on the version of a workflow that is in force.

    Raises: BookUnknown; ApplicationUnknown; WorkflowUnknown; WorkflowStarted; FactRefused.
    """
    book_id, entered_by = of_book(uow.connection, book_code, application_id)
    source = source_in_force(uow.connection, code, person.at)
    definition = stored_workflow(source)
    details = {
        "workflow": definition.content_hash(),
        "entered_by": entered_by,
        "facts": checked_facts(definition.facts, facts),
    }
    event = Event(number=1, kind=Kind.STARTED, at=person.at, actor=person.name, details=MappingProxyType(details))
    state = begin(definition, application_id, event)
    store.insert_version(uow.connection, definition, source, actor=uow.actor)
    if not store.begin(uow.connection, book_id, definition, event, state):
        raise WorkflowStarted(application_id=application_id, workflow=_name_of(uow, application_id))
    return Moved(definition.code, event, state)


def claim_task(uow: UnitOfWork, book_code: str, application_id: int, task: int, person: Person) -> Moved:
    """Claim a task. Raises: what `acts.claim` raises; as `move`."""
    return move(uow, book_code, application_id, lambda at: acts.claim(at.definition, at.state, task, person))


def release_task(
    uow: UnitOfWork, book_code: str, application_id: int, task: int, person: Person, *, reason: str
) -> Moved:
    """Release a task. Raises: what `acts.release` raises; as `move`."""
    return move(
        uow,
        book_code,
        application_id,
        lambda at: acts.release(at.definition, at.state, task, person, reason=reason),
    )


def reassign_task(
    uow: UnitOfWork, book_code: str, application_id: int, task: int, person: Person, *, to: str, reason: str
) -> Moved:
    """Give a task to somebody. Raises: what `acts.reassign` raises; as `move`."""
    return move(
        uow,
        book_code,
        application_id,
        lambda at: acts.reassign(at.definition, at.state, task, person, to=to, reason=reason),
    )


def complete_task(
    uow: UnitOfWork, book_code: str, application_id: int, task: int, person: Person, given: Completion
) -> Moved:
    """Complete a task, and do to the application what its step says of the outcome.

    Raises: what `acts.complete` raises; what the act of the outcome raises; as `move`.
    """

    def act(at: store.Running) -> Event:
        event = acts.complete(
            at.definition,
            at.state,
            task,
            person,
            outcome=given.outcome,
            facts=given.facts,
            evidence=given.evidence,
            reason=given.reason,
        )
        visit = at.state.visit(task)
        assert visit is not None, event
        step = at.definition.steps[visit.step]
        for name in step.does.get(given.outcome, ()) if isinstance(step, HumanStep) else ():
            ACTING[name](uow, book_code, application_id, given)
        return event

    return move(uow, book_code, application_id, act)


def send_signal(
    uow: UnitOfWork, book_code: str, application_id: int, name: str, person: Person, *, facts: Mapping[str, Any]
) -> Moved:
    """Send a signal to the step that waits for it. Raises: what `acts.signal` raises; as `move`."""
    return move(
        uow, book_code, application_id, lambda at: acts.signal(at.definition, at.state, name, person, facts=facts)
    )


def tell_waiting(uow: UnitOfWork, book_code: str, application_id: int, name: str, person: Person) -> Moved | None:
    """Send a signal if the application is in a workflow that waits for it; None if it is not.

    Raises: as `move`.
    """
    running = store.load(uow.connection, application_id, lock=True)
    if running is None or not any(
        isinstance(step := running.definition.steps[visit.step], WaitStep) and name in step.signals
        for visit in running.state.visits
    ):
        return None
    return send_signal(uow, book_code, application_id, name, person, facts={})


def give_outcome(
    uow: UnitOfWork,
    book_code: str,
    application_id: int,
    step: str,
    person: Person,
    *,
    outcome: Mapping[str, Any],
    reason: str,
) -> Moved:
    """Give the outcome of an automatic task by hand. Raises: what `acts.outcome_by_hand` raises; as `move`."""

    def act(at: store.Running) -> Event:
        return acts.outcome_by_hand(at.definition, at.state, step, outcome, person, reason=reason)

    return move(uow, book_code, application_id, act)


def retry_step(
    uow: UnitOfWork, book_code: str, application_id: int, step: str, person: Person, *, reason: str
) -> Moved:
    """Let an automatic task be tried at once. Raises: what `acts.retry` raises; as `move`."""
    return move(
        uow, book_code, application_id, lambda at: acts.retry(at.definition, at.state, step, person, reason=reason)
    )


def give_facts(
    uow: UnitOfWork, book_code: str, application_id: int, person: Person, *, facts: Mapping[str, Any]
) -> Moved:
    """Let facts become known. Raises: what `acts.give_facts` raises; as `move`."""
    return move(uow, book_code, application_id, lambda at: acts.give_facts(at.definition, at.state, facts, person))


def cancel_workflow(uow: UnitOfWork, book_code: str, application_id: int, person: Person, *, reason: str) -> Moved:
    """Give a workflow up. Raises: what `acts.cancel` raises; as `move`."""
    return move(uow, book_code, application_id, lambda at: acts.cancel(at.state, person, reason=reason))


def give_up(uow: UnitOfWork, book_code: str, application_id: int, person: Person, *, reason: str) -> Moved | None:
    """Give up the workflow of an application if one is running; None if none is.

    Raises: as `move`.
    """
    running = store.load(uow.connection, application_id, lock=True)
    if running is None or running.state.phase is not Phase.RUNNING:
        return None
    return cancel_workflow(uow, book_code, application_id, person, reason=reason)


def move(uow: UnitOfWork, book_code: str, application_id: int, act: Callable[[store.Running], Event]) -> Moved:
    """Let an act happen to an application, as it stands when nobody else is moving it.

    Raises: BookUnknown; ApplicationUnknown; WorkflowNotStarted; what the act raises.
    """
    of_book(uow.connection, book_code, application_id)
    running = store.load(uow.connection, application_id, lock=True)
    if running is None:
        raise WorkflowNotStarted(application_id=application_id)
    event = act(running)
    state = apply(running.definition, running.state, event)
    store.move(uow.connection, running, event, state)
    return Moved(running.definition.code, event, state)


def _name_of(uow: UnitOfWork, application_id: int) -> str:
    running = store.load(uow.connection, application_id)
    assert running is not None, application_id
    return running.definition.code
