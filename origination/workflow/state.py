"""Where an application stands in its workflow, and what has happened to it: values, no rules.

Never: how one becomes the other (`origination/workflow/engine.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from origination.workflow.facts import Facts


class Kind(StrEnum):
    """What can happen."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    RETRIED = "retried"
    CLAIMED = "claimed"
    RELEASED = "released"
    REASSIGNED = "reassigned"
    COMPLETED = "completed"
    ESCALATED = "escalated"
    TIMED_OUT = "timed_out"
    SIGNALED = "signaled"
    FACTS_GIVEN = "facts_given"
    CANCELED = "canceled"


class Phase(StrEnum):
    """How an application stands with its workflow as a whole."""

    RUNNING = "running"
    ENDED = "ended"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, numbered from 1 without a gap; `visit` is the stay at a step that it is about."""

    number: int
    kind: Kind
    at: datetime
    actor: str
    visit: int | None = None
    reason: str | None = None
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A token: a stay at a step, called by a number that is never given again.

    Of a task: in which queue it is, for which role, who holds it, by when it is due, how often it was escalated.
    Of an automatic task: how often it failed, and when it may be tried (None: not by itself).
    """

    number: int
    step: str
    entered_at: datetime
    queue: str | None = None
    role: str | None = None
    owner: str | None = None
    due_at: datetime | None = None
    escalations: int = 0
    failures: int = 0
    try_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A way that was taken: by which event, from where (None: from outside) to where, and because of what."""

    event_no: int
    at: datetime
    source: str | None
    target: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where an application stands: its tokens, what has come to joins, its facts, who did which step last."""

    application_id: int
    entered_by: str
    phase: Phase = Phase.RUNNING
    result: str | None = None
    last_event_no: int = 0
    at: datetime
    visits: tuple[Visit, ...] = ()
    last_visit: int = 0
    arrived: tuple[tuple[str, str], ...] = ()
    facts: Facts = field(default_factory=lambda: MappingProxyType({}))
    done_by: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    trail: tuple[Move, ...] = ()

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the steps at which tokens stand."""
        return tuple(visit.step for visit in self.visits)

    def visit(self, number: int | None) -> Visit | None:
        """Return a stay that has not ended."""
        return next((visit for visit in self.visits if visit.number == number), None)

    def at_step(self, step: str) -> Visit | None:
        """Return the stay at a step."""
        return next((visit for visit in self.visits if visit.step == step), None)
