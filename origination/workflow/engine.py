"""The fold: where an application stands after all that has happened to it, and what comes next.

Each kind of event is a row of a table: at which kinds of step it can happen, and what it does. Tokens pass decision
points, forks, joins and ends within the event that brings them there, so the facts that decide are those of the history
and nothing else. The same events give the same state, always. Never: whether a person may act
(`origination/workflow/acts.py`). Next: `docs/spec/workflow.md`, a worked life.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import reduce
from types import MappingProxyType

from origination.workflow.definition import AutomaticStep, Definition, ForkStep, HumanStep, WaitStep
from origination.workflow.spans import Span, later, read_span
from origination.workflow.state import Event, Kind, Move, Phase, State, Visit

BACK_OFF_MOST = 64
"""A next attempt waits twice as long as the one before, up to so many times the first wait."""


class Act(StrEnum):
    """What comes next at a step."""

    RUN = "run"
    ESCALATE = "escalate"
    TIME_OUT = "time_out"
    PERSON = "person"
    SIGNAL = "signal"
    HALTED = "halted"


@dataclass(frozen=True, slots=True)
class Next:
    """What comes next of a stay: at what moment by itself (None: somebody must act)."""

    act: Act
    visit: int
    step: str
    at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Tell whether it happens by itself and its moment has come."""
        return self.at is not None and self.at <= now


@dataclass(frozen=True, slots=True)
class Position:
    """Where an application stands and what comes next, the earliest first."""

    state: State
    coming: tuple[Next, ...]
    due: tuple[Next, ...]


def look(definition: Definition, application_id: int, events: Sequence[Event], *, now: datetime) -> Position:
    """Return where a history leads, and what comes next as of a moment."""
    state = fold(definition, application_id, events)
    coming = coming_of(definition, state)
    return Position(state, coming, tuple(each for each in coming if each.is_due(now)))


def fold(definition: Definition, application_id: int, events: Sequence[Event]) -> State:
    """Return where a history leads; it begins with the start."""
    first, *rest = events
    return reduce(lambda state, event: apply(definition, state, event), rest, begin(definition, application_id, first))


def begin(definition: Definition, application_id: int, event: Event) -> State:
    """Return where an application stands that has just started."""
    state = State(
        application_id=application_id,
        entered_by=event.details["entered_by"],
        at=event.at,
        last_event_no=event.number,
        facts=MappingProxyType(dict(event.details["facts"])),
    )
    return _enter(definition, state, definition.start, None, "started", event)


def apply(definition: Definition, state: State, event: Event) -> State:
    """Return the state after one more event, which must be possible in this one."""
    row = TABLE[event.kind]
    assert state.phase is Phase.RUNNING, event
    assert event.number == state.last_event_no + 1, event
    moved = replace(state, last_event_no=event.number, at=event.at)
    if not row.steps:
        return row.effect(definition, moved, _NO_VISIT, event)
    visit = state.visit(event.visit)
    assert visit is not None, event
    assert definition.steps[visit.step].kind in row.steps, event
    return row.effect(definition, moved, visit, event)


def coming_of(definition: Definition, state: State) -> tuple[Next, ...]:
    """Return what comes next, what happens by itself first and the earliest of it first."""
    found = [each for visit in state.visits for each in _coming(definition, visit)]
    return tuple(sorted(found, key=lambda each: (each.at is None, each.at or state.at, each.visit, each.act)))


def wakes_at(definition: Definition, state: State) -> datetime | None:
    """Return when something next happens by itself; None if somebody must act first."""
    return min((each.at for each in coming_of(definition, state) if each.at is not None), default=None)


def _coming(definition: Definition, visit: Visit) -> Iterable[Next]:
    step, clock = definition.steps[visit.step], definition.clock
    match step:
        case AutomaticStep():
            act = Act.HALTED if visit.try_at is None else Act.RUN
            yield Next(act, visit.number, visit.step, visit.try_at)
        case HumanStep():
            yield Next(Act.PERSON, visit.number, visit.step)
            if visit.escalations < len(step.escalate):
                at = later(visit.entered_at, step.escalate[visit.escalations].span, clock)
                yield Next(Act.ESCALATE, visit.number, visit.step, at)
            if step.time_out is not None:
                yield Next(Act.TIME_OUT, visit.number, visit.step, later(visit.entered_at, step.time_out.span, clock))
        case WaitStep():
            if step.signals:
                yield Next(Act.SIGNAL, visit.number, visit.step)
            yield Next(Act.TIME_OUT, visit.number, visit.step, visit.due_at)


# --- What each event does ---------------------------------------------------------------------------------


def _done(definition: Definition, state: State, visit: Visit, event: Event) -> State:
    step = definition.steps[visit.step]
    assert isinstance(step, AutomaticStep), event
    known = {name: value for name, value in event.details["outcome"].items() if name in definition.facts}
    return _leave(definition, _with_facts(state, known), visit, step.next, "done", event)


def _failed(definition: Definition, state: State, visit: Visit, event: Event) -> State:
    step = definition.steps[visit.step]
    assert isinstance(step, AutomaticStep), event
    failures = visit.failures + 1
    if failures < step.attempts:
        wait = _back_off(step.retry_after, failures)
        return _stay(state, replace(visit, failures=failures, try_at=later(event.at, wait, definition.clock)))
    if step.on_failure is not None:
        return _leave(definition, state, visit, step.on_failure, "failed", event)
    return _stay(state, replace(visit, failures=failures, try_at=None))


def _retried(_definition: Definition, state: State, visit: Visit, event: Event) -> State:
    return _stay(state, replace(visit, failures=0, try_at=event.at))


def _claimed(_definition: Definition, state: State, visit: Visit, event: Event) -> State:
    return _stay(state, replace(visit, owner=event.actor))


def _released(_definition: Definition, state: State, visit: Visit, _event: Event) -> State:
    return _stay(state, replace(visit, owner=None))


def _reassigned(_definition: Definition, state: State, visit: Visit, event: Event) -> State:
    return _stay(state, replace(visit, owner=event.details["to"]))


def _completed(definition: Definition, state: State, visit: Visit, event: Event) -> State:
    step = definition.steps[visit.step]
    assert isinstance(step, HumanStep), event
    outcome = event.details["outcome"]
    facts = {**event.details["facts"], **({step.fact: outcome} if step.fact else {})}
    done_by = MappingProxyType({**state.done_by, visit.step: event.actor})
    told = replace(_with_facts(state, facts), done_by=done_by)
    return _leave(definition, told, visit, step.outcomes[outcome], outcome, event)


def _escalated(definition: Definition, state: State, visit: Visit, _event: Event) -> State:
    step = definition.steps[visit.step]
    assert isinstance(step, HumanStep), visit
    to = step.escalate[visit.escalations]
    return _stay(state, replace(visit, queue=to.queue, role=to.role, owner=None, escalations=visit.escalations + 1))


def _timed_out(definition: Definition, state: State, visit: Visit, event: Event) -> State:
    step = definition.steps[visit.step]
    assert isinstance(step, HumanStep | WaitStep), event
    assert step.time_out is not None, event
    return _leave(definition, state, visit, step.time_out.to, f"after {step.time_out.after}", event)


def _signaled(definition: Definition, state: State, visit: Visit, event: Event) -> State:
    step = definition.steps[visit.step]
    assert isinstance(step, WaitStep), event
    signal = event.details["signal"]
    told = _with_facts(state, event.details["facts"])
    return _leave(definition, told, visit, step.signals[signal], signal, event)


def _facts_given(_definition: Definition, state: State, _visit: Visit, event: Event) -> State:
    return _with_facts(state, event.details["facts"])


def _canceled(_definition: Definition, state: State, _visit: Visit, _event: Event) -> State:
    return replace(state, phase=Phase.CANCELED, visits=(), arrived=())


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: the kinds of step at which an event can happen (none: at no step), and what it does."""

    steps: tuple[str, ...]
    effect: Callable[[Definition, State, Visit, Event], State]


TABLE: Mapping[Kind, Row] = MappingProxyType(
    {
        Kind.DONE: Row(("automatic",), _done),
        Kind.FAILED: Row(("automatic",), _failed),
        Kind.RETRIED: Row(("automatic",), _retried),
        Kind.CLAIMED: Row(("human",), _claimed),
        Kind.RELEASED: Row(("human",), _released),
        Kind.REASSIGNED: Row(("human",), _reassigned),
        Kind.COMPLETED: Row(("human",), _completed),
        Kind.ESCALATED: Row(("human",), _escalated),
        Kind.TIMED_OUT: Row(("human", "wait"), _timed_out),
        Kind.SIGNALED: Row(("wait",), _signaled),
        Kind.FACTS_GIVEN: Row((), _facts_given),
        Kind.CANCELED: Row((), _canceled),
    }
)
"""What can happen to a running application; `started` comes before."""


# --- How tokens move --------------------------------------------------------------------------------------


def _leave(definition: Definition, state: State, visit: Visit, target: str, because: str, event: Event) -> State:
    left = replace(state, visits=tuple(each for each in state.visits if each.number != visit.number))
    return _enter(definition, left, target, visit.step, because, event)


def _stay(state: State, visit: Visit) -> State:
    return replace(state, visits=tuple(visit if each.number == visit.number else each for each in state.visits))


def _with_facts(state: State, facts: Mapping[str, str | int | bool]) -> State:
    return replace(state, facts=MappingProxyType({**state.facts, **facts})) if facts else state


def _enter(definition: Definition, state: State, target: str, source: str | None, because: str, event: Event) -> State:
    """Bring a token to a step, and on from there as far as it goes by itself."""
    step = definition.steps[target]
    moved = replace(state, trail=(*state.trail, Move(event.number, event.at, source, target, because)))
    match step.kind:
        case "decision":
            taken = next((branch for branch in step.branches if branch.when.holds(state.facts)), None)
            to, why = (step.default, "otherwise") if taken is None else (taken.to, str(taken.when))
            assert to is not None, target
            return _enter(definition, moved, to, target, why, event)
        case "fork":
            branches = enumerate(step.branches, start=1)
            return reduce(
                lambda before, each: _enter(definition, before, each[1], target, f"branch {each[0]}", event),
                branches,
                moved,
            )
        case "join":
            return _join(definition, moved, target, str(source), event)
        case "end":
            return replace(moved, phase=Phase.ENDED, result=step.result)
        case _:
            return _rest(definition, moved, target, event)


def _join(definition: Definition, state: State, join: str, source: str, event: Event) -> State:
    step = definition.steps[join]
    assert step.kind == "join", join
    fork = definition.steps[step.fork]
    assert isinstance(fork, ForkStep), step.fork
    here = [*(each for each in state.arrived if each[0] == join), (join, source)]
    others = tuple(each for each in state.arrived if each[0] != join)
    if len(here) < len(fork.branches):
        return replace(state, arrived=(*others, *here))
    return _enter(definition, replace(state, arrived=others), step.next, join, "all have come", event)


def _rest(definition: Definition, state: State, target: str, event: Event) -> State:
    step, clock = definition.steps[target], definition.clock
    visit = Visit(number=state.last_visit + 1, step=target, entered_at=event.at)
    match step:
        case AutomaticStep():
            visit = replace(visit, try_at=event.at)
        case HumanStep():
            due_at = later(event.at, step.due_span, clock)
            visit = replace(visit, queue=step.queue, role=step.role, due_at=due_at)
        case WaitStep():
            visit = replace(visit, due_at=later(event.at, step.time_out.span, clock))
    return replace(state, visits=(*state.visits, visit), last_visit=visit.number)


def _back_off(retry_after: str, failures: int) -> Span:
    """Return how long to wait after so many failures: twice as long each time, up to a limit."""
    span = read_span(retry_after)
    return replace(span, count=span.count * min(2 ** (failures - 1), BACK_OFF_MOST))


_NO_VISIT = Visit(number=0, step="", entered_at=datetime.min)  # noqa: DTZ901 - stands for none, compared with nothing
