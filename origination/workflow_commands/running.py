"""What moves an application by itself: automatic tasks, and what has come due; hourly, daily, and after each act.

A task runs with no transaction open, and its outcome is written in one, if the task still stands there. So a process
that is killed at any instant leaves what is written, and the next run does the rest: a task whose outcome was not
written runs again, under the same key. Each event is a transaction of its own, and a bad application stops nobody.
Never: what a task does, which is passed in. Next: `origination/workflow/catalogue.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ledger.errors import DomainError
from ledger.unit_of_work import UnitOfWork, run
from origination import workflow_store as store
from origination.workflow import acts
from origination.workflow.acts import Person
from origination.workflow.catalogue import AutomaticTask, Context
from origination.workflow.definition import AutomaticStep
from origination.workflow.engine import Act, Next, Position, look
from origination.workflow.errors import FactRefused, StepNotOpen, WorkflowNotStarted, WorkflowOver
from origination.workflow.state import Event, State
from origination.workflow_commands.moving import move
from origination.workflow_queries import due_applications, due_count

PAGE = 1_000
LONGEST_REASON = 500

Progress = Callable[[int, int], None]
"""Called with how many applications are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Runner:
    """What finds who does an automatic task, for which book, under which name and at what moment."""

    engine: sa.Engine
    book_code: str
    find: Callable[[str], AutomaticTask | None]
    actor: str
    now: datetime

    @property
    def person(self) -> Person:
        """Return it as who acts."""
        return Person(self.actor, self.now)


@dataclass(frozen=True, slots=True)
class Advanced:
    """What a run came to for one application: how many events, and which steps wait for a task that nobody does."""

    application_id: int
    events: int
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """An application that could not be moved, and why."""

    application_id: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a run came to: how many applications it looked at, how many events it wrote, what waits, what failed."""

    at: datetime
    looked_at: int
    events: int
    waiting: tuple[Advanced, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """What would happen to one application."""

    application_id: int
    due: tuple[Next, ...]


def preview(runner: Runner) -> tuple[Due, ...]:
    """Return what a run would begin with, application by application; nothing is done.

    Raises: BookUnknown.
    """
    found: list[Due] = []
    for application_id in _due(runner):
        position, _ = _look(runner, application_id)
        found.append(Due(application_id, position.due))
    return tuple(found)


def tick(runner: Runner, *, on_progress: Progress | None = None) -> Ticked:
    """Do all that is due of a book's applications; run again at the same moment, it finds nothing to do.

    Raises: BookUnknown.
    """
    with runner.engine.connect() as connection:
        total = due_count(connection, runner.book_code, runner.now)
    done: list[Advanced] = []
    failures: list[Failure] = []
    last = 0
    while True:
        with runner.engine.connect() as connection:
            page = due_applications(connection, runner.book_code, runner.now, after=last, limit=PAGE)
        if not page:
            break
        for application_id in page:
            try:
                done.append(advance(runner, application_id))
            except Exception as error:
                failures.append(_failure(application_id, error))
            if on_progress is not None:
                looked_at = len(done) + len(failures)
                on_progress(looked_at, max(total, looked_at))
        last = page[-1]
    waiting = tuple(each for each in done if each.waiting)
    events = sum(each.events for each in done)
    return Ticked(runner.now, len(done) + len(failures), events, waiting, tuple(failures))


def advance(runner: Runner, application_id: int) -> Advanced:
    """Do all that is due of one application, until nothing is.

    Raises: WorkflowNotStarted; what the database raises.
    """
    events = 0
    while True:
        position, running = _look(runner, application_id)
        waiting = [each for each in position.due if each.act is Act.RUN and _task_of(runner, running, each) is None]
        due = [each for each in position.due if each not in waiting]
        if not due:
            return Advanced(application_id, events, tuple(each.step for each in waiting))
        events += _do(runner, running, due[0])


def _due(runner: Runner) -> Iterator[int]:
    """Yield each application to which something happens by itself, once, page by page."""
    last = 0
    while True:
        with runner.engine.connect() as connection:
            page = due_applications(connection, runner.book_code, runner.now, after=last, limit=PAGE)
        if not page:
            return
        yield from page
        last = page[-1]


def _look(runner: Runner, application_id: int) -> tuple[Position, store.Running]:
    with runner.engine.connect() as connection:
        running = store.load(connection, application_id)
    if running is None:
        raise WorkflowNotStarted(application_id=application_id)
    return look(running.definition, application_id, running.events, now=runner.now), running


def _do(runner: Runner, running: store.Running, due: Next) -> bool:
    """Do one thing that is due; return whether it was still to be done when it was to be written."""
    application_id = running.state.application_id
    if due.act is Act.RUN:
        outcome = _outcome(runner, running, due)
    else:

        def outcome(at: store.Running) -> Event:
            position = look(at.definition, application_id, at.events, now=runner.now)
            if due not in position.due:
                raise StepNotOpen(application_id=application_id, step=due.step, at=at.state.steps)
            return acts.by_itself(at.state, due, runner.person)

    def work(uow: UnitOfWork) -> None:
        move(uow, runner.book_code, application_id, outcome)

    try:
        run(runner.engine, work, actor=runner.actor)
    except (StepNotOpen, WorkflowOver):
        # Somebody else did it meanwhile: what they wrote counts.
        return False
    return True


def _outcome(runner: Runner, running: store.Running, due: Next) -> Callable[[store.Running], Event]:
    """Run a task, and return what is to be written of it: its outcome or its failure."""
    task = _task_of(runner, running, due)
    assert task is not None, due
    person, visit = runner.person, due.visit
    try:
        given = dict(task(running.state.application_id, _context(runner, running, due)))
        _storable(given)
        acts.outcome_of_program(running.definition, running.state, visit, given, person)
    except FactRefused as refusal:
        reason = refusal.message
    except Exception as error:
        reason = error.message if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
    else:
        return lambda at: acts.outcome_of_program(at.definition, at.state, visit, given, person)
    said = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in reason[:LONGEST_REASON])
    return lambda at: acts.failure_of_program(
        at.definition, at.state, _same_try(at, running.state, visit), person, reason=said
    )


def _storable(given: Mapping[str, Any]) -> None:
    """Refuse what the database cannot keep as JSON.

    Raises: TypeError; ValueError.
    """
    text = json.dumps(given, ensure_ascii=False, allow_nan=False)
    text.encode("utf-8")
    if "\\u0000" in text:
        raise ValueError("a text holds the character NUL")


def _same_try(at: store.Running, before: State, visit: int) -> int:
    """Return the stay, if nobody has failed in it meanwhile: two who fail at once fail once.

    Raises: StepNotOpen.
    """
    now, then = at.state.visit(visit), before.visit(visit)
    if now is None or then is None or now.failures != then.failures:
        raise StepNotOpen(application_id=before.application_id, step=f"stay {visit}", at=at.state.steps)
    return visit


def _task_of(runner: Runner, running: store.Running, due: Next) -> AutomaticTask | None:
    step = running.definition.steps[due.step]
    assert isinstance(step, AutomaticStep), due
    return runner.find(step.task)


def _context(runner: Runner, running: store.Running, due: Next) -> Context:
    step, visit = running.definition.steps[due.step], running.state.visit(due.visit)
    assert isinstance(step, AutomaticStep), due
    assert visit is not None, due
    return Context(
        application_id=running.state.application_id,
        step=due.step,
        key=f"workflow:{running.state.application_id}:{due.visit}",
        attempt=visit.failures + 1,
        now=runner.now,
        facts=running.state.facts,
        done_by=running.state.done_by,
        settings=step.settings,
    )


def _failure(application_id: int, error: Exception) -> Failure:
    if isinstance(error, DomainError):
        return Failure(application_id, error.code, error.message)
    first_line = str(error).partition("\n")[0]
    return Failure(application_id, "application-unreadable", f"{type(error).__name__}: {first_line}")
