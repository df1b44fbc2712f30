"""An application's way through a workflow is the fold of what happened to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from origination.workflow import acts
from origination.workflow.engine import Act, coming_of, fold, look, wakes_at
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
from origination.workflow.reading import read_workflow, shipped_source
from origination.workflow.state import Kind, Phase
from tests.support.workflows import APPLICATION, MONDAY, Hand, begun


def identified(hand: Hand, **outcome: str) -> Hand:
    found = outcome or {"identity": "passed"}
    hand.does(acts.outcome_of_program(hand.definition, hand.state, hand.task("identity"), found, hand.person("system")))
    return hand


def completed(hand: Hand, step: str, outcome: str, who: str, **facts: object) -> Hand:
    task = hand.task(step)
    hand.does(acts.claim(hand.definition, hand.state, task, hand.person(who)))
    hand.does(
        acts.complete(
            hand.definition,
            hand.state,
            task,
            hand.person(who),
            outcome=outcome,
            facts=facts,
            evidence={"note": "seen"},
        )
    )
    return hand


def test_branches_begin_side_by_side() -> None:
    hand = begun()

    assert hand.state.steps == ("identity", "papers")
    assert [(move.source, move.target) for move in hand.state.trail] == [
        (None, "verify"),
        ("verify", "identity"),
        ("verify", "papers"),
    ]


def test_a_join_waits_for_every_branch_and_fires_once() -> None:
    hand = identified(begun())
    assert (hand.state.steps, hand.state.arrived) == (("papers",), (("met", "identity"),))

    completed(hand, "papers", "complete", "bob", amount=500)

    assert (hand.state.steps, hand.state.arrived) == (("answer",), ())
    assert [move.target for move in hand.state.trail].count("enough") == 1


@pytest.mark.parametrize(
    ("amount", "identity", "steps"),
    [(999, "passed", ("answer",)), (1000, "passed", ()), ("999.99", "passed", ("answer",)), (1, "failed", ())],
)
def test_a_decision_point_goes_by_its_facts(amount: int | str, identity: str, steps: tuple[str, ...]) -> None:
    hand = completed(identified(begun(), identity=identity), "papers", "complete", "bob", amount=amount)

    assert hand.state.steps == steps
    assert hand.state.result == (None if steps else "declined")


def test_a_whole_life_ends_funded_and_nothing_more_can_be_done() -> None:
    hand = completed(identified(begun()), "papers", "complete", "bob", amount=1)
    hand.does(acts.signal(hand.definition, hand.state, "accepted", hand.person("borrower"), facts={}))
    completed(hand, "release", "released", "cem")

    assert (hand.state.phase, hand.state.result, hand.state.visits) == (Phase.ENDED, "funded", ())
    assert fold(hand.definition, APPLICATION, hand.events) == hand.state
    with pytest.raises(WorkflowOver):
        acts.cancel(hand.state, hand.person("ann"), reason="too late")
    with pytest.raises(WorkflowOver):
        acts.signal(hand.definition, hand.state, "accepted", hand.person("borrower"), facts={})
    with pytest.raises(TaskUnknown):
        acts.claim(hand.definition, hand.state, 5, hand.person("bob"))


def test_who_has_done_one_step_does_not_do_the_other() -> None:
    hand = completed(identified(begun()), "papers", "complete", "bob", amount=1)
    hand.does(acts.signal(hand.definition, hand.state, "accepted", hand.person("borrower"), facts={}))

    task = hand.task("release")
    with pytest.raises(TaskOfSamePerson):
        acts.claim(hand.definition, hand.state, task, hand.person("bob", "funder"))
    with pytest.raises(TaskOfSamePerson):
        acts.reassign(hand.definition, hand.state, task, hand.person("cem"), to="bob", reason="busy")


def test_who_entered_it_does_not_do_a_step_that_says_so() -> None:
    hand = begun()
    task = hand.task("papers")

    with pytest.raises(TaskOfEnterer):
        acts.claim(hand.definition, hand.state, task, hand.person("ann"))
    with pytest.raises(TaskOfEnterer):
        acts.reassign(hand.definition, hand.state, task, hand.person("bob"), to="ann", reason="busy")


def test_a_task_is_held_by_one_and_moved_by_the_table() -> None:
    hand = begun()
    task, definition = hand.task("papers"), hand.definition

    def complete(who: str, outcome: str = "complete", **facts: object) -> None:
        person = hand.person(who)
        acts.complete(definition, hand.state, task, person, outcome=outcome, facts=facts, evidence={})

    with pytest.raises(TaskStateRefused):
        complete("bob")
    with pytest.raises(TaskStateRefused):
        acts.release(definition, hand.state, task, hand.person("bob"), reason="x")
    hand.does(acts.claim(definition, hand.state, task, hand.person("bob", "clerk")))
    with pytest.raises(TaskStateRefused) as refusal:
        acts.claim(definition, hand.state, task, hand.person("cem"))
    assert (refusal.value.owner, refusal.value.wanted) == ("bob", "claimed")
    with pytest.raises(TaskNotYours):
        complete("cem")
    with pytest.raises(TaskNotYours):
        acts.release(definition, hand.state, task, hand.person("cem"), reason="x")
    with pytest.raises(OutcomeUnknown):
        complete("bob", "perhaps")
    with pytest.raises(FactRefused):
        complete("bob", decision="approve")  # the step does not give it
    with pytest.raises(FactRefused):
        complete("bob", amount="a lot")
    hand.does(acts.reassign(definition, hand.state, task, hand.person("boss"), to="dan", reason="bob is ill"))
    with pytest.raises(TaskNotYours):
        complete("bob")
    hand.does(acts.release(definition, hand.state, task, hand.person("dan"), reason="no time"))
    assert hand.state.visits[1].owner is None


def test_a_role_is_checked_where_roles_are_said() -> None:
    hand = begun()
    task = hand.task("papers")

    with pytest.raises(TaskRoleRefused) as refusal:
        acts.claim(hand.definition, hand.state, task, hand.person("bob", "funder", "boss"))
    assert (refusal.value.role, refusal.value.roles) == ("clerk", ("boss", "funder"))
    assert acts.claim(hand.definition, hand.state, task, hand.person("bob")).kind is Kind.CLAIMED
    assert acts.claim(hand.definition, hand.state, task, hand.person("bob", "clerk")).kind is Kind.CLAIMED


def failed(hand: Hand) -> Hand:
    person, task = hand.person("system"), hand.task("identity")
    hand.does(acts.failure_of_program(hand.definition, hand.state, task, person, reason="down"))
    return hand


def test_an_automatic_task_that_fails_is_tried_later_and_then_done_by_a_person() -> None:
    hand = failed(begun())
    visit = hand.state.at_step("identity")
    assert visit is not None
    assert (visit.failures, visit.try_at) == (1, MONDAY + timedelta(hours=1))
    assert wakes_at(hand.definition, hand.state) == MONDAY + timedelta(hours=1)

    failed(hand.after(hours=1))

    assert hand.state.steps == ("papers", "by_documents")
    person = hand.person("bob")
    task = hand.task("by_documents")
    hand.does(acts.claim(hand.definition, hand.state, task, person))
    with pytest.raises(EvidenceMissing):
        acts.complete(hand.definition, hand.state, task, person, outcome="passed", facts={}, evidence={})
    completed_by = {"reference": "scan 17"}
    hand.does(
        acts.complete(hand.definition, hand.state, task, person, outcome="passed", facts={}, evidence=completed_by)
    )
    assert hand.state.facts["identity"] == "passed"


def test_without_a_way_for_failures_it_halts_until_somebody_lets_it_be_tried() -> None:
    definition = read_workflow(shipped_source("instant"))
    hand = begun(definition)
    failed(failed(hand))

    coming = {each.step: each for each in coming_of(definition, hand.state)}
    assert (coming["identity"].act, coming["identity"].at) == (Act.HALTED, None)
    hand.does(acts.retry(definition, hand.state, "identity", hand.after(hours=9).person("op"), reason="it is up"))
    assert coming_of(definition, hand.state)[1].at == hand.now


def test_each_attempt_waits_twice_as_long() -> None:
    standard = read_workflow(shipped_source("standard").replace('on_failure = "underwrite"\n', "attempts = 10\n"))
    hand = begun(standard)
    for step in ("identity", "credit_report", "income", "fraud"):
        # intake first, then the four of them
        if hand.state.steps == ("intake",):
            hand.does(acts.outcome_of_program(standard, hand.state, hand.task("intake"), {}, hand.person("s")))
        hand.does(acts.outcome_of_program(standard, hand.state, hand.task(step), {}, hand.person("s")))
    waits = []
    for _ in range(9):
        task = hand.task("decide")
        hand.does(acts.failure_of_program(standard, hand.state, task, hand.person("s"), reason="down"))
        visit = hand.state.at_step("decide")
        assert visit is not None and visit.try_at is not None
        waits.append((visit.try_at - hand.now) // timedelta(hours=1))
        hand.now = visit.try_at
    assert waits == [1, 2, 4, 8, 16, 32, 64, 64, 64]


def test_a_person_of_the_role_gives_an_outcome_by_hand_and_nobody_else() -> None:
    hand = begun()

    def by_hand(step: str, *roles: str) -> None:
        person = hand.person("olga", *roles)
        hand.does(acts.outcome_by_hand(hand.definition, hand.state, step, {"identity": "passed"}, person, reason="fax"))

    with pytest.raises(TaskRoleRefused):
        by_hand("identity", "clerk")
    with pytest.raises(StepNotOpen):
        by_hand("papers", "boss")
    person = hand.person("olga", "boss")
    with pytest.raises(FactRefused, match="identity gives identity"):
        acts.outcome_by_hand(hand.definition, hand.state, "identity", {"decision": "approve"}, person, reason="x")
    by_hand("identity", "boss")
    assert hand.state.facts["identity"] == "passed"
    # A step that names no role for it takes no outcome by hand.
    intake = begun(read_workflow(shipped_source("standard")))
    with pytest.raises(ByHandRefused):
        acts.outcome_by_hand(intake.definition, intake.state, "intake", {}, intake.person("olga"), reason="x")


def test_what_is_due_comes_by_itself_at_its_moment() -> None:
    hand = begun()
    # Two business days after Monday 2 November, 10:00 in New York.
    wednesday = datetime(2026, 11, 4, 15, 0, tzinfo=UTC)

    def due(now: datetime) -> list[tuple[str, str]]:
        return [(each.act, each.step) for each in look(hand.definition, APPLICATION, hand.events, now=now).due]

    assert due(MONDAY) == [("run", "identity")]
    assert due(wednesday - timedelta(seconds=1)) == [("run", "identity")]
    assert due(wednesday) == [("run", "identity"), ("escalate", "papers")]


def test_an_escalation_gives_the_task_to_another_queue_and_role() -> None:
    hand = begun()
    hand.does(acts.claim(hand.definition, hand.state, hand.task("papers"), hand.person("bob", "clerk")))
    hand.after(days=2)
    due = look(hand.definition, APPLICATION, hand.events, now=hand.now).due[1]

    event = acts.by_itself(hand.state, due, hand.person("system"))
    hand.does(event)

    visit = hand.state.at_step("papers")
    assert visit is not None
    assert (visit.queue, visit.role, visit.owner, visit.escalations) == ("upstairs", "boss", None, 1)
    assert (event.details["held_by"], event.details["was_due_at"]) == ("bob", "2026-11-04T15:00:00+00:00")
    with pytest.raises(TaskRoleRefused):
        acts.claim(hand.definition, hand.state, hand.task("papers"), hand.person("bob", "clerk"))
    # It is escalated once: there is no second one declared.
    assert [each.act for each in coming_of(hand.definition, hand.state)] == ["run", "person"]


def test_a_wait_ends_with_its_signal_or_its_time() -> None:
    for signaled in (True, False):
        hand = completed(identified(begun()), "papers", "complete", "bob", amount=1).after(hours=48)
        if signaled:
            hand.does(acts.signal(hand.definition, hand.state, "accepted", hand.person("b"), facts={}))
        else:
            due = look(hand.definition, APPLICATION, hand.events, now=hand.now).due
            hand.does(acts.by_itself(hand.state, due[0], hand.person("system")))
        assert (hand.state.steps, hand.state.result) == ((("release",), None) if signaled else ((), "expired"))
    with pytest.raises(StepNotOpen):
        acts.signal(begun().definition, begun().state, "accepted", begun().person("b"), facts={})


def test_a_signal_brings_only_the_facts_that_its_step_gives() -> None:
    hand = completed(identified(begun()), "papers", "complete", "bob", amount=1)

    with pytest.raises(FactRefused, match="answer gives none"):
        acts.signal(hand.definition, hand.state, "accepted", hand.person("b"), facts={"decision": "approve"})


def test_a_canceled_workflow_holds_nothing() -> None:
    hand = begun()
    hand.does(acts.cancel(hand.state, hand.person("ann"), reason="the applicant withdraws"))

    assert (hand.state.phase, hand.state.visits, hand.state.result) == (Phase.CANCELED, (), None)
    assert hand.events[-1].reason == "the applicant withdraws"


def test_facts_that_become_known_are_checked() -> None:
    hand = begun()
    hand.does(acts.give_facts(hand.definition, hand.state, {"amount": "12.50"}, hand.person("ann")))

    assert hand.state.facts == {"amount": "12.50"}
    with pytest.raises(FactRefused):
        acts.give_facts(hand.definition, hand.state, {"shoe_size": 44}, hand.person("ann"))
    with pytest.raises(FactRefused):
        acts.give_facts(hand.definition, hand.state, {"amount": 0.5}, hand.person("ann"))


def test_the_clock_of_an_application_never_goes_back() -> None:
    hand = begun()
    early = acts.Person("bob", MONDAY - timedelta(days=1))

    assert acts.claim(hand.definition, hand.state, hand.task("papers"), early).at == MONDAY


def test_the_life_in_the_specification_goes_as_it_says() -> None:
    hand = failed(begun())
    failed(hand.after(hours=1))
    completed(hand, "by_documents", "passed", "bob")
    stands = [hand.state.steps]
    hand.after(hours=47)
    due = look(hand.definition, APPLICATION, hand.events, now=hand.now).due
    assert [each.act for each in due] == [Act.ESCALATE]
    hand.does(acts.by_itself(hand.state, due[0], hand.person("system")))
    completed(hand, "papers", "complete", "eve", amount=500)
    stands.append(hand.state.steps)
    hand.does(acts.signal(hand.definition, hand.state, "accepted", hand.person("borrower"), facts={}))
    with pytest.raises(TaskOfSamePerson):
        acts.claim(hand.definition, hand.state, hand.task("release"), hand.person("eve"))
    completed(hand, "release", "released", "cem")

    assert stands == [("papers",), ("answer",)]
    assert [(event.number, event.kind, event.actor) for event in hand.events] == [
        (1, "started", "ann"),
        (2, "failed", "system"),
        (3, "failed", "system"),
        (4, "claimed", "bob"),
        (5, "completed", "bob"),
        (6, "escalated", "system"),
        (7, "claimed", "eve"),
        (8, "completed", "eve"),
        (9, "signaled", "borrower"),
        (10, "claimed", "cem"),
        (11, "completed", "cem"),
    ]
    assert hand.state.result == "funded"
