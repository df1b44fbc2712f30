"""What the steps of a workflow must be together, for it to be one that every application gets to the end of.

Each mistake is a text that begins with its place. Never: the form of one step by itself
(`origination/workflow/definition.py`). Next: `origination/workflow/regions.py` for forks and joins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from origination.workflow.catalogue import ACTS, KNOWN, is_task
from origination.workflow.definition import AutomaticStep, DecisionStep, HumanStep, Step
from origination.workflow.errors import FactRefused
from origination.workflow.facts import checked_facts
from origination.workflow.regions import problems_of_forks

Steps = Mapping[str, Step]


def problems_of_steps(head: Mapping[str, Any], steps: Steps, *, known: frozenset[str]) -> Iterator[str]:
    """Yield what is wrong with steps that are each well formed; `known` are all the names, of the others too."""
    yield from _unknown_names(head, steps, known)
    yield from _facts_and_tasks(head, steps)
    start = head.get("start")
    whole = steps.keys() == known and all(to in steps for step in steps.values() for _, to in step.edges)
    if isinstance(start, str) and start in steps and whole:
        # What is said of ways needs all of them to be there.
        yield from _ways(start, steps)
        yield from problems_of_forks(start, steps)
        yield from _endless(steps)


def reached_from(start: str, steps: Steps) -> frozenset[str]:
    """Return the steps that can be reached from one, itself included."""
    reached, left = {start}, [start]
    while left:
        for _, to in steps[left.pop()].edges:
            if to not in reached:
                reached.add(to)
                left.append(to)
    return frozenset(reached)


def _unknown_names(head: Mapping[str, Any], steps: Steps, known: frozenset[str]) -> Iterator[str]:
    if isinstance(head.get("start"), str) and head["start"] not in known:
        yield f"start: unknown step {head['start']}"
    roles, queues = _names(head, "roles"), _names(head, "queues")
    for name, step in steps.items():
        place = f"steps.{name}"
        for why, to in step.edges:
            if to not in known:
                yield f"{place}{f' ({why})' if why else ''}: unknown step {to}"
        for role in _roles_of(step):
            if role not in roles:
                yield f"{place}: unknown role {role}"
        if isinstance(step, HumanStep):
            for queue in (step.queue, *(each.queue for each in step.escalate)):
                if queue not in queues:
                    yield f"{place}: unknown queue {queue}"
            for other in step.not_by_who_did:
                found = steps.get(other)
                if other not in known or (found is not None and found.kind != "human"):
                    yield f"{place}.not_by_who_did: {other} is no human step"


def _roles_of(step: Step) -> Sequence[str]:
    if isinstance(step, HumanStep):
        return (step.role, *(each.role for each in step.escalate))
    return (step.by_hand,) if isinstance(step, AutomaticStep) and step.by_hand else ()


def _facts_and_tasks(head: Mapping[str, Any], steps: Steps) -> Iterator[str]:
    given = head.get("facts")
    vocabulary = given if isinstance(given, Mapping) else {}
    for name, step in steps.items():
        place = f"steps.{name}"
        for fact in getattr(step, "gives", ()):
            if fact not in vocabulary:
                yield f"{place}.gives: unknown fact {fact}"
        match step:
            case AutomaticStep():
                if not is_task(step.task):
                    yield f"{place}.task: unknown automatic task {step.task}; known are {', '.join(KNOWN)}"
                elif step.task == "set_fact":
                    yield from _settings(place, vocabulary, step.settings)
            case HumanStep():
                if step.fact and step.fact not in vocabulary:
                    yield f"{place}.fact: unknown fact {step.fact}"
                if step.fact and vocabulary.get(step.fact, "text") != "text":
                    yield f"{place}.fact: {step.fact} is a {vocabulary[step.fact]}, and an outcome is a text"
                yield from _acts(place, step)
            case DecisionStep():
                if step.default is None:
                    yield f"{place}: a decision point without a default"
                for number, branch in enumerate(step.branches, start=1):
                    yield from (f"{place}, branch {number}: {each}" for each in branch.when.problems(vocabulary))


def _acts(place: str, step: HumanStep) -> Iterator[str]:
    for outcome, acts in step.does.items():
        if outcome not in step.outcomes:
            yield f"{place}.does: unknown outcome {outcome}"
        for act in acts:
            if act not in ACTS:
                yield f"{place}.does.{outcome}: unknown act {act}; known are {', '.join(ACTS)}"


def _settings(place: str, vocabulary: Mapping[str, str], settings: Mapping[str, Any]) -> Iterator[str]:
    try:
        checked_facts(vocabulary, settings)
    except FactRefused as refusal:
        yield f"{place}.with: {refusal.message}"


def _ways(start: str, steps: Steps) -> Iterator[str]:
    reached = reached_from(start, steps)
    ends = {name for name, step in steps.items() if step.kind == "end"}
    for name in steps:
        if name not in reached:
            yield f"steps.{name}: unreachable step"
        elif not reached_from(name, steps) & ends:
            yield f"steps.{name}: no way to an end"


def _endless(steps: Steps) -> Iterator[str]:
    """Yield each circle in which nobody acts and no time passes, once."""
    busy = {name: step for name, step in steps.items() if step.kind not in ("human", "wait")}
    seen: set[frozenset[str]] = set()
    for name in busy:
        way = _way_back(name, busy)
        if way and frozenset(way) not in seen:
            seen.add(frozenset(way))
            yield f"steps.{name}: a cycle without a human or wait step: {' -> '.join((*way, name))}"


def _way_back(start: str, steps: Steps) -> tuple[str, ...]:
    """Return the shortest way from a step to itself; nothing if there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for way in ways:
        for _, to in steps[way[-1]].edges:
            if to == start:
                return way
            if to in steps and to not in seen:
                seen.add(to)
                ways.append((*way, to))
    return ()


def _names(head: Mapping[str, Any], key: str) -> frozenset[str]:
    given = head.get(key, ())
    return frozenset(given if isinstance(given, list | tuple) and all(isinstance(each, str) for each in given) else ())
