"""What the checks of a workflow let through can be run: whatever edges are bent, no walk ever breaks what must be true.

A workflow of nested forks, loops and time-outs is bent at random: one to three edges lead elsewhere. Most of what comes
of it is refused; whatever is not refused is walked at random. Next: `origination/workflow/regions.py`.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import timedelta

from hypothesis import event, given, settings
from hypothesis import strategies as st

from origination.workflow import acts
from origination.workflow.definition import AutomaticStep, Definition, HumanStep, JoinStep, WaitStep
from origination.workflow.engine import apply, fold
from origination.workflow.errors import WorkflowInvalid
from origination.workflow.reading import read_workflow
from origination.workflow.state import Event, Kind, Phase, State
from tests.property.origination.test_workflow_machine import NESTED
from tests.support.workflows import APPLICATION, SIDE_BY_SIDE, Hand, begun

BASES = (NESTED, SIDE_BY_SIDE)
STEPS = {text: tuple(re.findall(r"^\[steps\.(\w+)\]", text, re.MULTILINE)) for text in BASES}
EDGE = re.compile(
    r'(?:next|to|on_failure|default|fork|start|again|on|met|passed|failed|complete|word|once_more|enough) = "(\w+)"'
)
WALK = 60


def edges(text: str) -> list[tuple[int, int]]:
    """Return where in a text the target of an edge stands."""
    return [match.span(1) for match in EDGE.finditer(text) if match[1] in STEPS.get(text, ())]


@given(data=st.data())
@settings(max_examples=1000)
def test_what_is_let_through_never_breaks(data: st.DataObject) -> None:
    base = data.draw(st.sampled_from(BASES))
    text = base
    chosen = data.draw(st.lists(st.sampled_from(edges(base)), min_size=1, max_size=3, unique=True))
    # From the end on, so that the places before stay where they are.
    for begin, end in sorted(chosen, reverse=True):
        text = text[:begin] + data.draw(st.sampled_from(STEPS[base])) + text[end:]
    try:
        definition = read_workflow(text)
    except WorkflowInvalid:
        event("refused")
        return
    event("let through")
    walk(begun(definition), random.Random(data.draw(st.integers(0, 2**32))))


def walk(hand: Hand, chance: random.Random) -> None:
    """Walk at random through a workflow, and look after each step."""
    for _ in range(WALK):
        look_at(hand.definition, hand.state)
        if hand.state.phase is not Phase.RUNNING:
            break
        hand.does(any_event(hand, chance))
        hand.now += timedelta(hours=chance.randint(0, 30))
    assert fold(hand.definition, APPLICATION, hand.events) == hand.state


def look_at(definition: Definition, state: State) -> None:
    assert max(Counter(state.steps).values(), default=1) == 1
    assert (state.phase is Phase.ENDED) == (not state.visits)
    for name, step in definition.steps.items():
        if isinstance(step, JoinStep):
            came = [source for join, source in state.arrived if join == name]
            assert len(came) == len(set(came))


def any_event(hand: Hand, chance: random.Random) -> Event:
    """Return something that can happen where an application stands."""
    definition, state = hand.definition, hand.state
    visit = chance.choice(state.visits)
    # Somebody else each time, so that nobody has done what keeps them from it.
    step, person = definition.steps[visit.step], hand.person(f"person {state.last_event_no}")
    match step:
        case AutomaticStep():
            done = acts.outcome_of_program(definition, state, visit.number, {}, person)
            failed = acts.failure_of_program(definition, state, visit.number, person, reason="down")
            return done if step.on_failure is None else chance.choice((done, failed))
        case HumanStep():
            claimed = acts.claim(definition, state, visit.number, person)
            outcome = chance.choice(sorted(step.outcomes))
            holder = apply(definition, state, claimed)
            hand.does(claimed)
            return acts.complete(
                definition, holder, visit.number, person, outcome=outcome, facts={}, evidence={"note": "n"}
            )
        case WaitStep():
            kinds = [*step.signals, None]
            signal = chance.choice(kinds)
            if signal is not None:
                return acts.signal(definition, state, signal, person, facts={})
            at = max(hand.now, state.at)
            return Event(number=state.last_event_no + 1, kind=Kind.TIMED_OUT, at=at, actor="t", visit=visit.number)
    raise AssertionError(step)
