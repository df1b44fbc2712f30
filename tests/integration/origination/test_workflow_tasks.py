"""Applications in workflows on the database: versions, tasks, and people who act at the same instant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.domain_error import DomainError
from ledger.unit_of_work import UnitOfWork, run
from origination import workflow_store as store
from origination.errors import ApplicationUnknown
from origination.workflow.acts import Person, claim
from origination.workflow.engine import apply
from origination.workflow.errors import (
    TaskOfEnterer,
    TaskStateRefused,
    WorkflowMoved,
    WorkflowNotStarted,
    WorkflowStarted,
    WorkflowUnknown,
)
from origination.workflow.reading import read_workflow, shipped_source
from origination.workflow_commands.moving import (
    cancel_workflow,
    claim_task,
    give_facts,
    give_outcome,
    reassign_task,
    release_task,
    retry_step,
    send_signal,
    start_workflow,
)
from origination.workflow_commands.versions import activate_workflow, load_workflow
from origination.workflow_queries import TaskFilter, activations, tasks, workflow_of, workflows
from tests.integration.origination.test_funding import BOOK, request, submit
from tests.integration.origination.test_funding import engine as engine  # noqa: PLC0414 - the book of another day
from tests.integration.origination.workflow_lives import Desk
from tests.support.database import OWNER, Database
from tests.support.workflows import SIDE_BY_SIDE

TWO_DAYS = SIDE_BY_SIDE.replace("48 hours", "72 hours")


def claim_it(desk: Desk, application_id: int, who: str, step: str = "papers") -> Any:
    visit = desk.state(application_id).at_step(step)
    assert visit is not None
    return desk.change(lambda uow: claim_task(uow, BOOK, application_id, visit.number, desk.person(who)))


def test_a_whole_life_is_kept_event_by_event(desk: Desk) -> None:
    application_id = desk.enter(amount=500)
    desk.runs(application_id)
    desk.completes(application_id, "papers", "complete", "bob")
    desk.signals(application_id, "accepted")
    state = desk.completes(application_id, "release", "released", "cem")

    assert (state.phase, state.result) == ("ended", "funded")
    events = desk.stored(application_id).events
    assert [(event.number, event.kind, event.actor) for event in events] == [
        (1, "started", "ann"),
        (2, "done", "system"),
        (3, "claimed", "bob"),
        (4, "completed", "bob"),
        (5, "signaled", "borrower"),
        (6, "claimed", "cem"),
        (7, "completed", "cem"),
    ]
    assert events[3].details["evidence"] == {"note": "seen"}
    assert desk.asked[0].key == f"workflow:{application_id}:1"
    assert desk.asked[0].facts == {"amount": 500}
    desk.derived_is_true()


def test_a_running_application_stays_on_its_version(desk: Desk) -> None:
    before = desk.enter()
    desk.now += timedelta(hours=1)
    desk.load(TWO_DAYS)
    after = desk.enter()

    assert desk.stored(before).content_hash == read_workflow(SIDE_BY_SIDE).content_hash()
    assert desk.stored(after).content_hash == read_workflow(TWO_DAYS).content_hash()
    for application_id in (before, after):
        desk.runs(application_id)
        desk.completes(application_id, "papers", "complete", "bob", amount=1)
    desk.ticks(hours=48)
    assert (desk.state(before).result, desk.state(after).result) == ("expired", None)


def test_a_version_counts_from_its_moment_on(desk: Desk) -> None:
    later = desk.now + timedelta(days=1)
    desk.change(lambda uow: load_workflow(uow, TWO_DAYS, active_from=later, reason="slower"))
    today = desk.enter()
    desk.now = later
    tomorrow = desk.enter()

    old, new = read_workflow(SIDE_BY_SIDE).content_hash(), read_workflow(TWO_DAYS).content_hash()
    assert [desk.stored(each).content_hash for each in (today, tomorrow)] == [old, new]
    # The same again changes nothing; going back is a further activation.
    assert desk.change(lambda uow: load_workflow(uow, TWO_DAYS, active_from=later)).activation.activation_no == 2
    back = desk.change(lambda uow: activate_workflow(uow, "small", old[:8], active_from=later, reason="too slow"))
    assert back.activation_no == 3
    with desk.engine.connect() as connection:
        assert [each.content_hash for each in activations(connection, "small")] == [old, new, old]
    assert desk.stored(desk.enter()).content_hash == old
    with pytest.raises(WorkflowUnknown):
        desk.change(lambda uow: activate_workflow(uow, "small", "zzzz", active_from=later))


def test_a_shipped_workflow_needs_no_loading(desk: Desk) -> None:
    desk.answers = {}
    application_id = desk.enter("standard", amount=1000)

    state = desk.runs(application_id)

    # Nobody verifies here: it waits at the four of them, and the list of workflows says how many run.
    assert state.steps == ("identity", "credit_report", "income", "fraud")
    with desk.engine.connect() as connection:
        listed = {each.code: each for each in workflows(connection, now=desk.now)}
        assert (listed["standard"].running, listed["instant"].running, listed["small"].running) == (1, 0, 0)
        assert listed["standard"].content_hash == read_workflow(shipped_source("standard")).content_hash()
        assert activations(connection, "standard") == ()
    with pytest.raises(WorkflowUnknown):
        desk.enter("none")


def test_an_application_is_started_once(desk: Desk) -> None:
    application_id = desk.enter()

    with pytest.raises(WorkflowStarted):
        desk.change(lambda uow: start_workflow(uow, BOOK, application_id, "small", desk.person("ann"), facts={}))
    with pytest.raises(ApplicationUnknown):
        desk.change(lambda uow: start_workflow(uow, BOOK, 999, "small", desk.person("ann"), facts={}))
    other = submit(desk.engine, request("X-1"))
    with desk.engine.connect() as connection, pytest.raises(WorkflowNotStarted):
        workflow_of(connection, BOOK, other, now=desk.now)
    with pytest.raises(WorkflowNotStarted):
        desk.change(lambda uow: claim_task(uow, BOOK, other, 1, desk.person("bob")))


def test_two_who_claim_at_the_same_instant_and_one_gets_it(desk: Desk) -> None:
    application_id = desk.enter()
    names = ("bob", "cem", "dan", "eve")
    gate, outcomes = threading.Barrier(len(names)), list[tuple[str, str]]()

    def work(name: str) -> None:
        gate.wait()
        try:
            claim_it(desk, application_id, name)
            outcomes.append((name, "claimed"))
        except TaskStateRefused as refusal:
            outcomes.append((name, f"held by {refusal.owner}"))

    threads = [threading.Thread(target=work, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    winner = next(name for name, outcome in outcomes if outcome == "claimed")
    assert sorted(outcome for _, outcome in outcomes) == ["claimed", *[f"held by {winner}"] * 3]
    assert desk.state(application_id).visits[1].owner == winner
    assert desk.state(application_id).last_event_no == 2
    desk.derived_is_true()


def test_of_those_who_start_or_signal_at_the_same_instant_one_does(desk: Desk) -> None:
    application_id = submit(desk.engine, request("X-1"))

    def start(uow: UnitOfWork) -> None:
        start_workflow(uow, BOOK, application_id, "small", desk.person("ann"), facts={})

    assert at_once(desk, start) == ["done", *["workflow-started"] * 3]
    desk.runs(application_id)
    desk.completes(application_id, "papers", "complete", "bob", amount=1)

    def accept(uow: UnitOfWork) -> None:
        send_signal(uow, BOOK, application_id, "accepted", desk.person("borrower"), facts={})

    assert at_once(desk, accept) == ["done", *["workflow-step-not-open"] * 3]
    assert desk.state(application_id).steps == ("release",)
    desk.derived_is_true()


def at_once(desk: Desk, work: Callable[[UnitOfWork], None]) -> list[str]:
    """Let four do the same at the same instant, and return what each of them came to."""
    gate, outcomes = threading.Barrier(4), list[str]()

    def act() -> None:
        gate.wait()
        try:
            desk.change(work)
            outcomes.append("done")
        except DomainError as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=act) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_without_the_lock_the_number_of_the_event_is_taken_once(desk: Desk) -> None:
    application_id = desk.enter()
    running = desk.stored(application_id)
    visit = running.state.at_step("papers")
    assert visit is not None

    def claims(who: str) -> None:
        event = claim(running.definition, running.state, visit.number, Person(who, desk.now))
        state = apply(running.definition, running.state, event)
        desk.change(lambda uow: store.move(uow.connection, running, event, state))

    claims("bob")
    with pytest.raises(WorkflowMoved):
        claims("cem")
    assert desk.state(application_id).visits[1].owner == "bob"
    desk.derived_is_true()


def test_who_entered_an_application_does_not_do_its_task(desk: Desk) -> None:
    application_id = desk.enter()

    with pytest.raises(TaskOfEnterer):
        claim_it(desk, application_id, "ann")
    claim_it(desk, application_id, "bob")
    task = desk.state(application_id).visits[1].number
    with pytest.raises(TaskOfEnterer):
        desk.change(
            lambda uow: reassign_task(
                uow, BOOK, application_id, task, desk.person("bob"), to="ann", reason="she knows it"
            )
        )


def test_a_task_is_released_and_given_to_others(desk: Desk) -> None:
    application_id = desk.enter()
    claim_it(desk, application_id, "bob")
    task = desk.state(application_id).visits[1].number
    bob = desk.person("bob", "clerk")
    desk.change(lambda uow: reassign_task(uow, BOOK, application_id, task, bob, to="cem", reason="lunch"))
    cem = desk.person("cem")
    desk.change(lambda uow: release_task(uow, BOOK, application_id, task, cem, reason="lunch too"))

    events = desk.stored(application_id).events
    assert [(event.kind, event.actor, event.reason) for event in events[2:]] == [
        ("reassigned", "bob", "lunch"),
        ("released", "cem", "lunch too"),
    ]
    assert events[2].details["roles"] == ["clerk"]
    desk.derived_is_true()


def test_the_list_of_tasks_is_read_page_by_page_in_the_order_of_due_times(desk: Desk) -> None:
    ids = []
    for _ in range(7):
        ids.append(desk.enter())
        desk.now += timedelta(minutes=1)
    claim_it(desk, ids[2], "bob")

    def listed(wanted: TaskFilter, **page: Any) -> list[int]:
        with desk.engine.connect() as connection:
            return [each.application_id for each in tasks(connection, BOOK, wanted, **page)]

    with desk.engine.connect() as connection:
        first = tasks(connection, BOOK, TaskFilter(), limit=3)
        second = tasks(connection, BOOK, TaskFilter(), after=first[-1].place, limit=3)
        third = tasks(connection, BOOK, TaskFilter(), after=second[-1].place, limit=3)
    assert [each.application_id for page in (first, second, third) for each in page] == ids
    assert listed(TaskFilter(queue="desk")) == ids
    assert listed(TaskFilter(queue="upstairs")) == listed(TaskFilter(role="boss")) == []
    assert listed(TaskFilter(owner="bob")) == [ids[2]]
    assert listed(TaskFilter(unowned=True, role="clerk")) == [each for each in ids if each != ids[2]]
    assert listed(TaskFilter(application_id=ids[4])) == [ids[4]]
    # Papers are due one business day after the first was entered, at 10:00; the fourth is due three minutes later.
    third_due = first[0].due_at + timedelta(minutes=3)
    assert listed(TaskFilter(due_before=third_due)) == ids[:3]


def test_an_outcome_by_hand_facts_and_a_cancellation_are_events_with_their_reasons(desk: Desk) -> None:
    desk.answers["verify:identity"] = RuntimeError("the bureau is down")
    application_id = desk.enter()
    desk.runs(application_id)
    boss = desk.person("eve", "boss")
    desk.change(lambda uow: retry_step(uow, BOOK, application_id, "identity", boss, reason="it is up, they say"))
    assert desk.runs(application_id).visits[0].failures == 1
    desk.change(
        lambda uow: give_outcome(
            uow, BOOK, application_id, "identity", boss, outcome={"identity": "passed"}, reason="by telephone"
        )
    )
    desk.change(lambda uow: give_facts(uow, BOOK, application_id, desk.person("ann"), facts={"amount": 70}))
    desk.change(lambda uow: cancel_workflow(uow, BOOK, application_id, desk.person("ann"), reason="withdrawn"))

    events = desk.stored(application_id).events
    assert [(event.kind, event.reason) for event in events[1:]] == [
        ("failed", "RuntimeError: the bureau is down"),
        ("retried", "it is up, they say"),
        ("failed", "RuntimeError: the bureau is down"),
        ("done", "by telephone"),
        ("facts_given", None),
        ("canceled", "withdrawn"),
    ]
    assert desk.state(application_id).facts == {"identity": "passed", "amount": 70}
    desk.derived_is_true()


def test_what_is_refused_leaves_nothing(desk: Desk) -> None:
    application_id = desk.enter()

    with pytest.raises(DomainError):
        desk.change(lambda uow: give_facts(uow, BOOK, application_id, desk.person("ann"), facts={"shoe": 1}))
    dry = run(
        desk.engine,
        lambda uow: claim_task(uow, BOOK, application_id, 2, desk.person("bob")),
        actor="bob",
        dry_run=True,
    )
    assert (dry.event.number, desk.state(application_id).last_event_no) == (2, 1)
    desk.derived_is_true()


@pytest.mark.parametrize("table", ["workflow_event", "workflow_version", "workflow_activation"])
def test_what_happened_is_never_changed(desk: Desk, database: Database, table: str) -> None:
    desk.enter()

    for statement in (f"UPDATE origination.{table} SET actor = 'x'", f"DELETE FROM origination.{table}"):
        with database.connect(OWNER, autocommit=True) as owner, pytest.raises(psycopg.Error) as refusal:
            owner.execute(statement)
        assert refusal.value.sqlstate == "LB021"
        with database.connect(autocommit=True) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement)


def test_the_index_finds_what_is_due(desk: Desk) -> None:
    with desk.engine.connect() as connection:
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = connection.scalars(
            sa.text(
                "EXPLAIN SELECT application_id FROM origination.workflow_standing"
                " WHERE book_id = 1 AND wakes_at <= now()"
            )
        ).all()
    assert any("workflow_standing_by_wake" in line for line in plan)
