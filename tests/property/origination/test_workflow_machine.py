"""Whatever is tried on an application in its workflow, and in whatever order: what must be true of it stays true.

Legal and illegal acts of five people, programs that answer and fail, signals at any time, and time that passes.
Next: `tests/integration/origination/test_workflow_tasks.py` for the same on the database.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.domain_error import DomainError
from origination.workflow import acts
from origination.workflow.definition import Definition, ForkStep, HumanStep, JoinStep, WaitStep
from origination.workflow.engine import Act, fold, look
from origination.workflow.reading import read_workflow, shipped_source
from origination.workflow.state import Kind, Phase
from tests.support.workflows import APPLICATION, SIDE_BY_SIDE, Hand, begun

NESTED = """
code = "nested"
start = "all"
roles = ["clerk"]
queues = ["desk"]
[facts]
word = "text"
[steps.all]
kind = "fork"
branches = ["a", "inner", "c"]
[steps.a]
kind = "human"
role = "clerk"
queue = "desk"
due = "1 hour"
outcomes = { again = "a_wait", on = "all_met" }
[steps.a_wait]
kind = "wait"
time_out = { after = "1 hour", to = "a" }
[steps.inner]
kind = "fork"
branches = ["b1", "b2"]
[steps.b1]
kind = "automatic"
task = "noop"
next = "inner_met"
[steps.b2]
kind = "wait"
signals = { word = "inner_met" }
time_out = { after = "2 hours", to = "inner_met" }
[steps.inner_met]
kind = "join"
fork = "inner"
next = "all_met"
[steps.c]
kind = "automatic"
task = "set_fact"
with = { word = "said" }
attempts = 1
next = "c_which"
on_failure = "all_met"
[steps.c_which]
kind = "decision"
default = "all_met"
[[steps.c_which.branches]]
when = { fact = "word", equals = "said" }
to = "c_last"
[steps.c_last]
kind = "human"
role = "clerk"
queue = "desk"
due = "1 hour"
outcomes = { done = "all_met" }
time_out = { after = "5 hours", to = "all_met" }
[steps.all_met]
kind = "join"
fork = "all"
next = "more"
[steps.more]
kind = "human"
role = "clerk"
queue = "desk"
due = "1 hour"
outcomes = { once_more = "all", enough = "over" }
[steps.over]
kind = "end"
result = "over"
"""
WORKFLOWS = tuple(
    read_workflow(each) for each in (SIDE_BY_SIDE, NESTED, shipped_source("standard"), shipped_source("instant"))
)
PEOPLE = ("ann", "bob", "cem", "dan", "eve")
WORDS = {
    "identity": ("passed", "failed"),
    "credit": ("passed",),
    "income": ("passed",),
    "decision": ("approve", "decline", "refer"),
}
VISITS = st.integers(min_value=0, max_value=12)
WHO = st.sampled_from(PEOPLE)


class WorkflowMachine(RuleBasedStateMachine):
    """One application, driven at random."""

    hand: Hand
    definition: Definition

    @initialize(number=st.integers(0, len(WORKFLOWS) - 1))
    def start(self, number: int) -> None:
        self.definition = WORKFLOWS[number]
        self.hand = begun(self.definition)
        self.source = json.dumps(self.definition.as_json())

    def tries(self, act: Any, *arguments: Any, **named: Any) -> None:
        """Try an act; what is refused leaves everything as it was, since nothing happened."""
        try:
            event = act(self.definition, self.hand.state, *arguments, **named)
        except DomainError:
            return
        self.hand.does(event)

    @rule(visit=VISITS, who=WHO)
    def claims(self, visit: int, who: str) -> None:
        self.tries(acts.claim, visit, self.hand.person(who))

    @rule(visit=VISITS, who=WHO)
    def releases(self, visit: int, who: str) -> None:
        self.tries(acts.release, visit, self.hand.person(who), reason="x")

    @rule(visit=VISITS, who=WHO, to=WHO)
    def reassigns(self, visit: int, who: str, to: str) -> None:
        self.tries(acts.reassign, visit, self.hand.person(who), to=to, reason="x")

    @rule(visit=VISITS, who=WHO, pick=st.integers(0, 3), evidence=st.booleans())
    def completes(self, visit: int, who: str, pick: int, evidence: bool) -> None:
        found = self.hand.state.visit(visit)
        step = None if found is None else self.definition.steps[found.step]
        outcomes = [*step.outcomes, "nonsense"] if isinstance(step, HumanStep) else ["nonsense"]
        given = {"note": "n"} if evidence else {}
        outcome = outcomes[pick % len(outcomes)]
        self.tries(acts.complete, visit, self.hand.person(who), outcome=outcome, facts={}, evidence=given)

    @rule(data=st.data())
    def holder_completes(self, data: st.DataObject) -> None:
        held = [each for each in self.hand.state.visits if each.owner is not None]
        if held:
            visit = data.draw(st.sampled_from(held))
            step = self.definition.steps[visit.step]
            assert isinstance(step, HumanStep)
            outcome = data.draw(st.sampled_from(sorted(step.outcomes)))
            person = self.hand.person(str(visit.owner))
            self.tries(acts.complete, visit.number, person, outcome=outcome, facts={}, evidence={"note": "n"})

    @rule(data=st.data(), fails=st.booleans())
    def program_answers(self, data: st.DataObject, fails: bool) -> None:
        position = look(self.definition, APPLICATION, self.hand.events, now=self.hand.now)
        runs = [each for each in position.due if each.act is Act.RUN]
        if not runs:
            return
        due = data.draw(st.sampled_from(runs))
        if fails:
            self.tries(acts.failure_of_program, due.visit, self.hand.person("system"), reason="down")
            return
        task = str(getattr(self.definition.steps[due.step], "task", ""))
        name = {"decide": "decision", "verify": task.partition(":")[2]}.get(task.partition(":")[0], "")
        outcome = {name: data.draw(st.sampled_from(WORDS[name]))} if name in WORDS else {}
        self.tries(acts.outcome_of_program, due.visit, outcome, self.hand.person("system"))

    @rule(visit=VISITS)
    def program_answers_too_late(self, visit: int) -> None:
        self.tries(acts.outcome_of_program, visit, {}, self.hand.person("system"))

    @rule(name=st.sampled_from(("accepted", "refused", "information", "word", "nonsense")))
    def signals(self, name: str) -> None:
        self.tries(acts.signal, name, self.hand.person("borrower"), facts={})

    @rule(hours=st.integers(1, 300))
    def time_passes(self, hours: int) -> None:
        self.hand.now += timedelta(hours=hours)
        while True:
            position = look(self.definition, APPLICATION, self.hand.events, now=self.hand.now)
            due = [each for each in position.due if each.act in (Act.ESCALATE, Act.TIME_OUT)]
            if not due:
                break
            self.hand.does(acts.by_itself(position.state, due[0], self.hand.person("system")))

    @rule(step=st.sampled_from(("identity", "credit", "decide", "nonsense")))
    def tries_again(self, step: str) -> None:
        self.tries(acts.retry, step, self.hand.person("eve"), reason="up")

    @invariant()
    def no_step_holds_two_tokens(self) -> None:
        assert all(count == 1 for count in Counter(self.hand.state.steps).values())

    @invariant()
    def a_join_fires_once_after_all_its_branches(self) -> None:
        trail = self.hand.state.trail
        for name, step in self.definition.steps.items():
            if not isinstance(step, JoinStep):
                continue
            fork = self.definition.steps[step.fork]
            assert isinstance(fork, ForkStep)
            waiting: list[str] = []
            begun_branches = 0
            for move in trail:
                begun_branches += move.source == step.fork
                if move.target == name:
                    waiting.append(str(move.source))
                if move.source == name:
                    # It has fired: all of its branches had begun and come, each from a place of its own.
                    assert begun_branches == len(waiting) == len(set(waiting)) == len(fork.branches)
                    waiting, begun_branches = [], 0
            assert len(waiting) < len(fork.branches)
            if self.hand.state.phase is Phase.RUNNING:
                assert sorted(waiting) == sorted(at for join, at in self.hand.state.arrived if join == name)

    @invariant()
    def the_same_events_give_the_same_state(self) -> None:
        assert fold(self.definition, APPLICATION, self.hand.events) == self.hand.state
        assert [event.number for event in self.hand.events] == list(range(1, len(self.hand.events) + 1))
        assert json.dumps(self.definition.as_json()) == self.source

    @invariant()
    def a_running_application_has_something_to_come(self) -> None:
        state = self.hand.state
        position = look(self.definition, APPLICATION, self.hand.events, now=self.hand.now)
        assert (state.phase is Phase.RUNNING) == bool(state.visits) == bool(position.coming)
        assert (state.phase is Phase.ENDED) == (state.result is not None)
        assert not [each for each in position.due if each.act in (Act.PERSON, Act.SIGNAL, Act.HALTED)]

    @invariant()
    def nobody_does_what_the_step_keeps_from_them(self) -> None:
        done: dict[str, str] = {}
        for event in self.hand.events:
            if event.kind is Kind.COMPLETED:
                step = self.definition.steps[event.details["step"]]
                assert isinstance(step, HumanStep)
                assert not (step.not_by_enterer and event.actor == "ann")
                assert all(done.get(other) != event.actor for other in step.not_by_who_did)
                done[event.details["step"]] = event.actor

    @invariant()
    def times_never_go_back_and_numbers_never_come_again(self) -> None:
        times = [event.at for event in self.hand.events]
        assert times == sorted(times)
        numbers = [visit.number for visit in self.hand.state.visits]
        assert len(set(numbers)) == len(numbers)
        assert all(number <= self.hand.state.last_visit for number in numbers)
        assert all(
            isinstance(self.definition.steps[v.step], WaitStep) or v.owner is None or v.role
            for v in self.hand.state.visits
        )


TestWorkflowMachine = WorkflowMachine.TestCase
TestWorkflowMachine.settings = settings(max_examples=150, stateful_step_count=40)
