"""A workflow as data: its steps by name, each of a declared kind, and the names that they may use.

A file of TOML is read by `origination/workflow/reading.py`, which refuses what cannot be used. A version is its
content, and is called by the hash of it. Never: where an application stands (`origination/workflow/state.py`).
Next: `origination/workflows/standard.toml`; `docs/spec/workflow.md`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ledger.fingerprint import canonical_text
from origination.workflow.facts import Condition, FactKind
from origination.workflow.spans import Clock, Span, read_span

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Text = Annotated[str, Field(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _a_span(text: str) -> str:
    read_span(text)
    return text


SpanText = Annotated[str, AfterValidator(_a_span)]


class Rules(BaseModel):
    """What a part of a workflow says; a key that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Escalation(Rules):
    """To whom a task goes that is not done so long after it was opened."""

    after: SpanText
    queue: Name
    role: Name

    @property
    def span(self) -> Span:
        """Return how long after."""
        return read_span(self.after)


class TimeOut(Rules):
    """Where an application goes on if nothing happens for so long."""

    after: SpanText
    to: Name

    @property
    def span(self) -> Span:
        """Return how long."""
        return read_span(self.after)


class AutomaticStep(Rules):
    """A task that a program does; it fails after so many attempts, each later than the one before.

    With `by_hand`, a person of that role may give its outcome instead, with the facts of `gives` and no others. Of what
    a program returns, whatever is declared as a fact becomes one.
    """

    kind: Literal["automatic"]
    title: Text = ""
    task: str
    settings: Mapping[str, Any] = Field(default={}, alias="with")
    next: Name
    attempts: int = Field(default=3, ge=1, le=20)
    retry_after: SpanText = "1 hour"
    on_failure: Name | None = None
    by_hand: Name | None = None
    gives: tuple[Name, ...] = ()

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Return where it leads, each with what must be."""
        failed = () if self.on_failure is None else (("failed", self.on_failure),)
        return (("", self.next), *failed)


class HumanStep(Rules):
    """A task that a person of a role does, out of a queue, in one of its outcomes.

    `gives` are the facts that its completion may bring; the outcome itself becomes the fact `fact`, if that is named.
    `does` says of an outcome what it does to the application, such as to approve it, by the person who completes it.
    """

    kind: Literal["human"]
    title: Text = ""
    role: Name
    queue: Name
    due: SpanText
    outcomes: Mapping[Name, Name] = Field(min_length=1)
    does: Mapping[Name, tuple[str, ...]] = {}
    fact: Name | None = None
    gives: tuple[Name, ...] = ()
    evidence: bool = False
    not_by_enterer: bool = False
    not_by_who_did: tuple[Name, ...] = ()
    escalate: tuple[Escalation, ...] = ()
    time_out: TimeOut | None = None

    @property
    def due_span(self) -> Span:
        """Return within which time it is to be done."""
        return read_span(self.due)

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Return where it leads, each with what must be."""
        late = () if self.time_out is None else ((f"after {self.time_out.after}", self.time_out.to),)
        return (*self.outcomes.items(), *late)


class Branch(Rules):
    """Where a decision point leads if a condition holds."""

    when: Condition
    to: Name


class DecisionStep(Rules):
    """A decision point: the first branch whose condition holds, else the default."""

    kind: Literal["decision"]
    title: Text = ""
    branches: tuple[Branch, ...] = Field(min_length=1)
    default: Name | None = None

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Return where it leads, each with what must be."""
        otherwise = () if self.default is None else (("otherwise", self.default),)
        return (*((str(branch.when), branch.to) for branch in self.branches), *otherwise)


class ForkStep(Rules):
    """Branches that begin side by side, and meet at the join that names this fork."""

    kind: Literal["fork"]
    title: Text = ""
    branches: tuple[Name, ...] = Field(min_length=2)

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Return where it leads, each with what must be."""
        return tuple(("", branch) for branch in self.branches)


class JoinStep(Rules):
    """Where the branches of a fork meet: it goes on when all of them have come."""

    kind: Literal["join"]
    title: Text = ""
    fork: Name
    next: Name

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Return where it leads, each with what must be."""
        return (("", self.next),)


class WaitStep(Rules):
    """A wait for one of several signals, or for a time to pass; `gives` are the facts that a signal may bring."""

    kind: Literal["wait"]
    title: Text = ""
    signals: Mapping[Name, Name] = Field(default={})
    gives: tuple[Name, ...] = ()
    time_out: TimeOut

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Return where it leads, each with what must be."""
        return (*self.signals.items(), (f"after {self.time_out.after}", self.time_out.to))


class EndStep(Rules):
    """An end, with what came of the application."""

    kind: Literal["end"]
    title: Text = ""
    result: Name

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Return nothing."""
        return ()


Step = AutomaticStep | HumanStep | DecisionStep | ForkStep | JoinStep | WaitStep | EndStep
STEP_KINDS: Mapping[str, type[Step]] = {
    "automatic": AutomaticStep,
    "human": HumanStep,
    "decision": DecisionStep,
    "fork": ForkStep,
    "join": JoinStep,
    "wait": WaitStep,
    "end": EndStep,
}
RESTING = ("automatic", "human", "wait")
"""The kinds of step at which an application can stand; it passes the others."""


class Head(Rules):
    """What a workflow says of itself, beside its steps."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    title: Text = ""
    start: Name
    time_zone: str = "America/New_York"
    calendar: str = "US"
    roles: tuple[Name, ...] = ()
    queues: tuple[Name, ...] = ()
    facts: Mapping[Name, FactKind] = {}


class Definition(Head):
    """A workflow that can be used."""

    steps: Mapping[str, Annotated[Step, Field(discriminator="kind")]]

    @model_validator(mode="after")
    def _start_is_there(self) -> Definition:
        if self.start not in self.steps:
            raise ValueError(f"unknown step {self.start}")
        return self

    @property
    def clock(self) -> Clock:
        """Return where it counts its times."""
        return Clock(self.time_zone, self.calendar)

    def join_of(self, fork: str) -> str:
        """Return the join that a fork's branches meet at."""
        return next(name for name, step in self.steps.items() if step.kind == "join" and step.fork == fork)

    def as_json(self) -> dict[str, Any]:
        """Return what it says as JSON values, whatever stands there by default left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def content_hash(self) -> str:
        """Return the hash of what it says, in hexadecimal."""
        return hashlib.sha256(canonical_text(self.as_json()).encode()).hexdigest()
