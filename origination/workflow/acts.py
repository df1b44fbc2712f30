"""Who may do what to an application in its workflow: each act is refused, or becomes the event that it is.

What an event then does is not said here (`origination/workflow/engine.py`). Roles are what the caller says that the
actor has; `check_role` is the one place that believes it. Never: the clock, which is an argument.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from origination.workflow.definition import AutomaticStep, Definition, HumanStep, WaitStep
from origination.workflow.engine import Act, Next
from origination.workflow.errors import (
    ByHandRefused,
    EvidenceMissing,
    FactRefused,
    OutcomeUnknown,
    StepNotOpen,
    TaskNotYours,
    TaskOfEnterer,
    TaskOfSamePerson,
    TaskRoleRefused,
    TaskStateRefused,
    TaskUnknown,
    WorkflowOver,
)
from origination.workflow.facts import checked_facts
from origination.workflow.state import Event, Kind, Phase, State, Visit


class TaskState(StrEnum):
    """How a task stands: nobody holds it, or somebody does."""

    OPEN = "open"
    CLAIMED = "claimed"


TASK_MOVES: Mapping[Kind, tuple[TaskState, ...]] = MappingProxyType(
    {
        Kind.CLAIMED: (TaskState.OPEN,),
        Kind.RELEASED: (TaskState.CLAIMED,),
        Kind.REASSIGNED: (TaskState.OPEN, TaskState.CLAIMED),
        Kind.COMPLETED: (TaskState.CLAIMED,),
    }
)
"""What a person does to a task, and how the task stands for it."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts, at what moment, and with which roles; none: the caller does not say, and any will do."""

    name: str
    at: datetime
    roles: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """What a task is completed with."""

    outcome: str
    facts: Mapping[str, Any]
    evidence: Mapping[str, Any]
    reason: str | None = None

    @property
    def words(self) -> str:
        """Return the reason, or else the notes and references, as one text; empty if there are none."""
        if self.reason:
            return self.reason
        given = self.evidence.values()
        return "; ".join(text for each in given for text in ((each,) if isinstance(each, str) else each))


def check_role(state: State, step: str, role: str, person: Person) -> None:
    """Refuse a person who is said to have roles, and not this one.

    Raises: TaskRoleRefused.
    """
    if person.roles and role not in person.roles:
        raise TaskRoleRefused(
            application_id=state.application_id,
            step=step,
            role=role,
            actor=person.name,
            roles=tuple(sorted(person.roles)),
        )


def claim(definition: Definition, state: State, task: int, person: Person) -> Event:
    """Return the claim of a task.

    Raises: as `_task`.
    """
    visit, step = _task(definition, state, task, person, Kind.CLAIMED)
    _check_person(state, visit, step, person.name)
    return _event(state, Kind.CLAIMED, person, visit)


def release(definition: Definition, state: State, task: int, person: Person, *, reason: str) -> Event:
    """Return the release of a task by whoever holds it.

    Raises: as `_task`; TaskNotYours.
    """
    visit, _ = _task(definition, state, task, person, Kind.RELEASED)
    _check_owner(state, visit, person)
    return _event(state, Kind.RELEASED, person, visit, reason=reason)


def reassign(definition: Definition, state: State, task: int, person: Person, *, to: str, reason: str) -> Event:
    """Return that a task is given to somebody, whoever holds it.

    Raises: as `_task`.
    """
    visit, step = _task(definition, state, task, person, Kind.REASSIGNED)
    _check_person(state, visit, step, to)
    return _event(state, Kind.REASSIGNED, person, visit, reason=reason, to=to)


def complete(
    definition: Definition,
    state: State,
    task: int,
    person: Person,
    *,
    outcome: str,
    facts: Mapping[str, Any],
    evidence: Mapping[str, Any],
    reason: str | None = None,
) -> Event:
    """Return the completion of a task by whoever holds it.

    Raises: as `_task`; TaskNotYours; OutcomeUnknown; FactRefused; EvidenceMissing.
    """
    visit, step = _task(definition, state, task, person, Kind.COMPLETED)
    _check_owner(state, visit, person)
    _check_person(state, visit, step, person.name)
    if outcome not in step.outcomes:
        raise OutcomeUnknown(step=visit.step, outcome=outcome, known=tuple(step.outcomes))
    if step.evidence and not evidence:
        raise EvidenceMissing(application_id=state.application_id, step=visit.step)
    kept = _given(definition, visit.step, step.gives, facts)
    return _event(
        state, Kind.COMPLETED, person, visit, reason=reason, outcome=outcome, facts=kept, evidence=dict(evidence)
    )


def signal(definition: Definition, state: State, name: str, person: Person, *, facts: Mapping[str, Any]) -> Event:
    """Return that a signal came to the step that waits for it.

    Raises: WorkflowOver; StepNotOpen; FactRefused.
    """
    _check_running(state)
    for visit in state.visits:
        step = definition.steps[visit.step]
        if isinstance(step, WaitStep) and name in step.signals:
            kept = _given(definition, visit.step, step.gives, facts)
            return _event(state, Kind.SIGNALED, person, visit, signal=name, facts=kept)
    raise StepNotOpen(application_id=state.application_id, step=f"a wait for {name}", at=state.steps)


def outcome_of_program(
    definition: Definition, state: State, visit_no: int, outcome: Mapping[str, Any], person: Person
) -> Event:
    """Return that a program did an automatic task.

    Raises: StepNotOpen if the task is not there any more; FactRefused.
    """
    visit = _automatic(definition, state, visit_no)
    _check_outcome(definition, outcome)
    return _event(state, Kind.DONE, person, visit, outcome=dict(outcome))


def failure_of_program(definition: Definition, state: State, visit_no: int, person: Person, *, reason: str) -> Event:
    """Return that a program failed in an automatic task.

    Raises: StepNotOpen if the task is not there any more.
    """
    return _event(state, Kind.FAILED, person, _automatic(definition, state, visit_no), reason=reason)


def outcome_by_hand(
    definition: Definition, state: State, name: str, outcome: Mapping[str, Any], person: Person, *, reason: str
) -> Event:
    """Return that a person gives the outcome of an automatic task.

    Raises: WorkflowOver; StepNotOpen; ByHandRefused; TaskRoleRefused; FactRefused.
    """
    visit, step = _automatic_at(definition, state, name)
    if step.by_hand is None:
        raise ByHandRefused(step=name)
    check_role(state, name, step.by_hand, person)
    kept = _given(definition, name, step.gives, outcome)
    return _event(state, Kind.DONE, person, visit, reason=reason, outcome=kept, by_hand=True)


def retry(definition: Definition, state: State, name: str, person: Person, *, reason: str) -> Event:
    """Return that an automatic task may be tried at once, as if it had never failed.

    Raises: WorkflowOver; StepNotOpen.
    """
    visit, _ = _automatic_at(definition, state, name)
    return _event(state, Kind.RETRIED, person, visit, reason=reason)


def give_facts(definition: Definition, state: State, facts: Mapping[str, Any], person: Person) -> Event:
    """Return that facts became known.

    Raises: WorkflowOver; FactRefused.
    """
    _check_running(state)
    return _event(state, Kind.FACTS_GIVEN, person, None, facts=checked_facts(definition.facts, facts))


def cancel(state: State, person: Person, *, reason: str) -> Event:
    """Return that a workflow is given up, as when an applicant withdraws.

    Raises: WorkflowOver.
    """
    _check_running(state)
    return _event(state, Kind.CANCELED, person, None, reason=reason)


def by_itself(state: State, due: Next, person: Person) -> Event:
    """Return the escalation or time-out whose moment has come."""
    kind = {Act.ESCALATE: Kind.ESCALATED, Act.TIME_OUT: Kind.TIMED_OUT}[due.act]
    visit = state.visit(due.visit)
    assert visit is not None, due
    assert due.at is not None, due
    held = {"held_by": visit.owner} if visit.owner else {}
    return _event(state, kind, person, visit, was_due_at=due.at.isoformat(), **held)


def _event(
    state: State, kind: Kind, person: Person, visit: Visit | None, *, reason: str | None = None, **details: Any
) -> Event:
    return Event(
        number=state.last_event_no + 1,
        kind=kind,
        # The clock of an application never goes back, whoever's clock it is.
        at=max(person.at, state.at),
        actor=person.name,
        visit=None if visit is None else visit.number,
        reason=reason,
        details=MappingProxyType({**_known_of(person, visit), **details}),
    )


def _known_of(person: Person, visit: Visit | None) -> dict[str, Any]:
    step = {} if visit is None else {"step": visit.step}
    return {**step, "roles": sorted(person.roles)} if person.roles else dict(step)


def _check_running(state: State) -> None:
    if state.phase is not Phase.RUNNING:
        raise WorkflowOver(application_id=state.application_id, state=str(state.phase))


def _task(definition: Definition, state: State, task: int, person: Person, wanted: Kind) -> tuple[Visit, HumanStep]:
    """Return a task that stands as an act wants it, before a person with its role.

    Raises: TaskUnknown; TaskStateRefused; TaskRoleRefused.
    """
    visit = state.visit(task)
    step = None if visit is None else definition.steps[visit.step]
    if visit is None or not isinstance(step, HumanStep) or visit.role is None:
        raise TaskUnknown(application_id=state.application_id, task=task)
    stands = TaskState.OPEN if visit.owner is None else TaskState.CLAIMED
    if stands not in TASK_MOVES[wanted]:
        raise TaskStateRefused(
            application_id=state.application_id, task=task, state=str(stands), owner=visit.owner, wanted=str(wanted)
        )
    check_role(state, visit.step, visit.role, person)
    return visit, step


def _check_owner(state: State, visit: Visit, person: Person) -> None:
    if visit.owner is not None and visit.owner != person.name:
        raise TaskNotYours(application_id=state.application_id, task=visit.number, owner=visit.owner, actor=person.name)


def _check_person(state: State, visit: Visit, step: HumanStep, name: str) -> None:
    if step.not_by_enterer and name == state.entered_by:
        raise TaskOfEnterer(application_id=state.application_id, step=visit.step, actor=name)
    for other in step.not_by_who_did:
        if state.done_by.get(other) == name:
            raise TaskOfSamePerson(application_id=state.application_id, step=visit.step, other=other, actor=name)


def _automatic(definition: Definition, state: State, visit_no: int) -> Visit:
    visit = state.visit(visit_no)
    if visit is None or not isinstance(definition.steps[visit.step], AutomaticStep):
        raise StepNotOpen(application_id=state.application_id, step=f"stay {visit_no}", at=state.steps)
    return visit


def _automatic_at(definition: Definition, state: State, name: str) -> tuple[Visit, AutomaticStep]:
    _check_running(state)
    visit, step = state.at_step(name), definition.steps.get(name)
    if visit is None or not isinstance(step, AutomaticStep):
        raise StepNotOpen(application_id=state.application_id, step=name, at=state.steps)
    return visit, step


def _given(definition: Definition, step: str, gives: Collection[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that a person brings, all of them such as the step gives.

    Raises: FactRefused.
    """
    for name in facts:
        if name not in gives:
            raise FactRefused(fact=name, reason=f"{step} gives {', '.join(gives) or 'none'}")
    return checked_facts(definition.facts, facts)


def _check_outcome(definition: Definition, outcome: Mapping[str, Any]) -> None:
    checked_facts(definition.facts, {name: value for name, value in outcome.items() if name in definition.facts})
