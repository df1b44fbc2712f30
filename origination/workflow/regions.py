"""The branches of a fork: which steps each is made of, and why no two of them may share one.

A branch is what can be reached from its first step without passing the join. If branches share no step, are entered by
their fork alone and left by their join alone, then no step ever holds two tokens, and a join fires when each branch has
come once. Never: the rest of what steps must be (`origination/workflow/checks.py`). Next: `docs/spec/workflow.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from origination.workflow.definition import ForkStep, JoinStep, Step

Steps = Mapping[str, Step]


def branch_steps(first: str, join: str, steps: Steps) -> frozenset[str]:
    """Return the steps that can be reached from one without passing a join, itself included."""
    reached, left = {first}, [first]
    while left:
        for _, to in steps[left.pop()].edges:
            if to != join and to not in reached:
                reached.add(to)
                left.append(to)
    return frozenset(reached)


def problems_of_forks(start: str, steps: Steps) -> Iterator[str]:
    """Yield what is wrong with the forks and joins of steps that are all there."""
    forks = {name: step for name, step in steps.items() if isinstance(step, ForkStep)}
    joins: dict[str, list[str]] = {name: [] for name in forks}
    for name, step in steps.items():
        if isinstance(step, JoinStep):
            if step.fork in forks:
                joins[step.fork].append(name)
            else:
                yield f"steps.{name}: a join without a fork: {step.fork} is none"
    for fork, step in forks.items():
        if len(joins[fork]) != 1:
            yield f"steps.{fork}: a fork has one join, and {', '.join(joins[fork]) or 'none'} names it"
        else:
            yield from _problems_of_fork(fork, step, joins[fork][0], start, steps)


def _problems_of_fork(fork: str, step: ForkStep, join: str, start: str, steps: Steps) -> Iterator[str]:
    taken: dict[str, int] = {}
    for number, first in enumerate(step.branches, start=1):
        place = f"steps.{fork}, branch {number}"
        if first == join:
            yield f"{place}: there is no step between fork and join"
            continue
        branch = branch_steps(first, join, steps)
        for name in sorted(branch):
            if name in taken:
                yield f"{place}: it shares the step {name} with branch {taken[name]}"
            taken.setdefault(name, number)
            if name == fork:
                yield f"{place}: it comes back to its own fork without the join"
            if steps[name].kind == "end":
                yield f"{place}: it ends in {name} and not in the join {join}"
        if not any(to == join for name in branch for _, to in steps[name].edges):
            yield f"{place}: it never comes to the join {join}"
    yield from _entered_otherwise(fork, join, taken, start, steps)


def _entered_otherwise(fork: str, join: str, taken: Mapping[str, int], start: str, steps: Steps) -> Iterator[str]:
    if start in taken or start == join:
        yield f"start: {start} lies in the branches of {fork}"
    for name, step in steps.items():
        for _, to in step.edges:
            if name not in taken and (to == join or (to in taken and name != fork)):
                yield f"steps.{name}: it leads to {to}, into the branches of {fork} from outside"
            elif name in taken and to in taken and taken[to] != taken[name]:
                yield f"steps.{name}: it leads to {to}, from one branch of {fork} into another"
