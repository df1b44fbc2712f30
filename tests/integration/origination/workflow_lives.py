"""Applications in workflows on a database: a book, applications of ann's, programs that answer as they are told.

Next: `test_workflow_tasks.py`, `test_workflow_ticks.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ledger.unit_of_work import UnitOfWork, run
from origination import workflow_store as store
from origination.workflow.acts import Completion, Person
from origination.workflow.catalogue import GENERIC, AutomaticTask, Context
from origination.workflow.engine import wakes_at
from origination.workflow.state import State
from origination.workflow_commands.moving import claim_task, complete_task, send_signal, start_workflow
from origination.workflow_commands.running import Runner, Ticked, advance, tick
from origination.workflow_commands.versions import load_workflow
from tests.integration.origination.test_funding import BOOK, request, submit
from tests.support.workflows import MONDAY, SIDE_BY_SIDE


@dataclass
class Desk:
    """A book with the workflow `small` in force, at a moment; `answers` is what each automatic task says."""

    engine: sa.Engine
    now: datetime = MONDAY
    answers: dict[str, Any] = field(default_factory=lambda: {"verify:identity": {"identity": "passed"}})
    asked: list[Context] = field(default_factory=list)
    entered: int = 0

    def load(self, source: str = SIDE_BY_SIDE) -> None:
        """Let applications be started on a version from now on."""
        run(self.engine, lambda uow: load_workflow(uow, source, active_from=self.now), actor="ops")

    def enter(self, code: str = "small", **facts: Any) -> int:
        """Enter an application and start it on a workflow; nothing of it has run yet."""
        self.entered += 1
        application_id = submit(self.engine, request(f"W-{self.entered}"))
        self.change(lambda uow: start_workflow(uow, BOOK, application_id, code, self.person("ann"), facts=facts))
        return application_id

    def person(self, name: str, *roles: str) -> Person:
        """Return somebody who acts now."""
        return Person(name, self.now, roles)

    def change(self, work: Callable[[UnitOfWork], Any]) -> Any:
        """Do something in a transaction."""
        return run(self.engine, work, actor="test")

    def tasks(self) -> Mapping[str, AutomaticTask]:
        """Return the programs: each says what it was told to, or raises it."""

        def answer(name: str) -> AutomaticTask:
            def program(_application_id: int, context: Context) -> Mapping[str, Any]:
                self.asked.append(context)
                said = self.answers[name]
                if isinstance(said, Exception):
                    raise said
                return dict(said)

            return program

        return {**GENERIC, **{name: answer(name) for name in self.answers}}

    def runner(self) -> Runner:
        """Return who runs what is due."""
        return Runner(self.engine, BOOK, self.tasks().get, "system", self.now)

    def runs(self, application_id: int) -> State:
        """Do what is due of one application."""
        advance(self.runner(), application_id)
        return self.state(application_id)

    def ticks(self, **span: int) -> Ticked:
        """Let time pass, and do all that is due."""
        self.now += timedelta(**span)
        return tick(self.runner())

    def state(self, application_id: int) -> State:
        """Return where an application stands."""
        return self.stored(application_id).state

    def stored(self, application_id: int) -> store.Running:
        """Return an application in its workflow."""
        with self.engine.connect() as connection:
            running = store.load(connection, application_id)
        assert running is not None
        return running

    def completes(self, application_id: int, step: str, outcome: str, who: str, **facts: Any) -> State:
        """Claim a task and complete it, with a note as evidence."""
        visit = self.state(application_id).at_step(step)
        assert visit is not None, self.state(application_id).steps
        given = Completion(outcome, facts, {"note": "seen"})
        self.change(lambda uow: claim_task(uow, BOOK, application_id, visit.number, self.person(who)))
        self.change(lambda uow: complete_task(uow, BOOK, application_id, visit.number, self.person(who), given))
        return self.state(application_id)

    def signals(self, application_id: int, name: str) -> State:
        """Send a signal."""
        self.change(lambda uow: send_signal(uow, BOOK, application_id, name, self.person("borrower"), facts={}))
        return self.state(application_id)

    def derived_is_true(self) -> None:
        """Assert that standing and task list are what the events come to, of every application."""
        with self.engine.connect() as connection:
            standings = connection.execute(sa.text("SELECT * FROM origination.workflow_standing")).all()
            listed = {
                (row.application_id, row.task_no): (row.step, row.queue, row.role, row.owner, row.due_at)
                for row in connection.execute(sa.text("SELECT * FROM origination.workflow_task"))
            }
            folded = {}
            for row in standings:
                running = store.load(connection, row.application_id)
                assert running is not None
                state = running.state
                assert (row.phase, row.result, tuple(row.steps)) == (state.phase, state.result, state.steps)
                assert (row.last_event_no, row.wakes_at) == (state.last_event_no, wakes_at(running.definition, state))
                assert [event.number for event in running.events] == list(range(1, row.last_event_no + 1))
                for visit in state.visits:
                    if visit.role is not None:
                        task = (visit.step, visit.queue, visit.role, visit.owner, visit.due_at)
                        folded[row.application_id, visit.number] = task
            assert listed == folded
