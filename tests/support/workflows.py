"""Small workflows for tests, and a hand that drives one through the pure engine, without a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from origination.workflow.acts import Person
from origination.workflow.definition import Definition
from origination.workflow.engine import apply, begin
from origination.workflow.reading import read_workflow
from origination.workflow.state import Event, Kind, State

# A Monday, 10:00 in New York.
MONDAY = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
APPLICATION = 7

SIDE_BY_SIDE = """
code = "small"
start = "verify"
roles = ["clerk", "boss", "funder"]
queues = ["desk", "upstairs"]

[facts]
amount = "number"
identity = "text"
decision = "text"
checked = "flag"

[steps.verify]
kind = "fork"
branches = ["identity", "papers"]

[steps.identity]
kind = "automatic"
task = "verify:identity"
next = "met"
attempts = 2
retry_after = "1 hour"
on_failure = "by_documents"
by_hand = "boss"
gives = ["identity"]

[steps.by_documents]
kind = "human"
role = "clerk"
queue = "desk"
due = "4 hours"
outcomes = { passed = "met", failed = "met" }
fact = "identity"
evidence = true

[steps.papers]
kind = "human"
role = "clerk"
queue = "desk"
due = "1 business day"
outcomes = { complete = "met" }
gives = ["checked", "amount"]
not_by_enterer = true
escalate = [{ after = "2 business days", queue = "upstairs", role = "boss" }]

[steps.met]
kind = "join"
fork = "verify"
next = "enough"

[steps.enough]
kind = "decision"
default = "answer"

[[steps.enough.branches]]
when = { any = [{ fact = "identity", equals = "failed" }, { fact = "amount", at_least = 1000 }] }
to = "declined"

[steps.answer]
kind = "wait"
signals = { accepted = "release" }
time_out = { after = "48 hours", to = "expired" }

[steps.release]
kind = "human"
role = "funder"
queue = "upstairs"
due = "4 hours"
outcomes = { released = "funded", sent_back = "answer" }
not_by_who_did = ["papers"]

[steps.funded]
kind = "end"
result = "funded"

[steps.expired]
kind = "end"
result = "expired"

[steps.declined]
kind = "end"
result = "declined"
"""


def small() -> Definition:
    """Return a workflow of two branches, a decision, a wait and a release."""
    return read_workflow(SIDE_BY_SIDE)


def started(at: datetime = MONDAY, *, entered_by: str = "ann", facts: Mapping[str, Any] | None = None) -> Event:
    """Return the first event of an application's way."""
    details = {"entered_by": entered_by, "facts": dict(facts or {})}
    return Event(number=1, kind=Kind.STARTED, at=at, actor=entered_by, details=details)


@dataclass
class Hand:
    """An application in a workflow, driven act by act; every event is kept."""

    definition: Definition
    events: list[Event]
    state: State = field(init=False)
    now: datetime = MONDAY

    def __post_init__(self) -> None:
        self.state = begin(self.definition, APPLICATION, self.events[0])

    def person(self, name: str, *roles: str) -> Person:
        """Return somebody who acts now."""
        return Person(name, self.now, roles)

    def does(self, event: Event) -> State:
        """Let an event happen."""
        self.state = apply(self.definition, self.state, event)
        self.events.append(event)
        return self.state

    def after(self, **span: int) -> Hand:
        """Let time pass."""
        self.now += timedelta(**span)
        return self

    def task(self, step: str) -> int:
        """Return the number of the stay at a step."""
        visit = self.state.at_step(step)
        assert visit is not None, (step, self.state.steps)
        return visit.number


def begun(definition: Definition | None = None, **more: Any) -> Hand:
    """Return an application that has just started, entered by ann."""
    return Hand(definition or small(), [started(**more)])
