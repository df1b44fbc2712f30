"""What moves applications by itself: tasks of programs, time-outs, escalations; killed at any instant, side by side."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from origination.workflow_commands.running import tick
from tests.integration.origination.test_funding import BOOK
from tests.integration.origination.test_funding import engine as engine  # noqa: PLC0414 - the book of another day
from tests.integration.origination.workflow_lives import Desk
from tests.support.database import APP, Database

ROOT = Path(__file__).resolve().parents[3]
APPLICATIONS = 5


def test_what_is_due_comes_at_its_moment_and_once(desk: Desk) -> None:
    application_id = desk.enter()
    assert desk.ticks().events == 1  # the identity
    assert desk.ticks().looked_at == 0

    # Two business days after Monday, 10:00 in New York: 48 hours.
    assert desk.ticks(hours=47, minutes=59).events == 0
    assert desk.ticks(minutes=1).events == 1
    visit = desk.state(application_id).visits[0]
    assert (visit.step, visit.queue, visit.role) == ("papers", "upstairs", "boss")
    desk.completes(application_id, "papers", "complete", "eve", amount=1)
    assert desk.ticks(hours=47).events == 0
    assert desk.ticks(hours=1).events == 1
    assert desk.state(application_id).result == "expired"
    assert desk.ticks(hours=1000).looked_at == 0
    desk.derived_is_true()


def test_a_late_run_does_all_that_has_come_due_in_its_order(desk: Desk) -> None:
    ids = [desk.enter() for _ in range(3)]

    report = desk.ticks(days=30)

    assert (report.looked_at, report.events, report.failures) == (3, 6, ())
    assert [event.kind for event in desk.stored(ids[0]).events] == ["started", "done", "escalated"]
    desk.derived_is_true()


def test_a_task_that_fails_is_tried_again_later_and_then_left_to_a_person(desk: Desk) -> None:
    desk.answers["verify:identity"] = ConnectionError("no route")
    application_id = desk.enter()

    counts = [desk.ticks(minutes=30).events for _ in range(4)]

    assert counts == [1, 0, 1, 0]
    assert desk.state(application_id).steps == ("papers", "by_documents")
    assert [context.attempt for context in desk.asked] == [1, 2]
    assert len({context.key for context in desk.asked}) == 1
    assert desk.stored(application_id).events[1].reason == "ConnectionError: no route"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"amount": "a lot"}, "the fact amount cannot be taken: it is a number of at most 200 characters"),
        ({"checked": "yes"}, "the fact checked cannot be taken: it is a flag of at most 200 characters"),
        ({"identity": "pas\nsed"}, "the fact identity cannot be taken: it is a text of at most 200 characters"),
        ({"report": "a\x00b"}, "ValueError: a text holds the character NUL"),
        ({"report": float("nan")}, "ValueError: Out of range float values are not JSON compliant"),
        ({"report": "\ud800"}, "UnicodeEncodeError: 'utf-8' codec can't encode"),
        ({"report": {1, 2}}, "TypeError: Object of type set is not JSON serializable"),
    ],
)
def test_an_answer_that_cannot_be_kept_is_a_failure(desk: Desk, answer: dict[str, object], reason: str) -> None:
    desk.answers["verify:identity"] = answer
    application_id = desk.enter()

    desk.ticks()

    event = desk.stored(application_id).events[1]
    assert event.kind == "failed"
    assert str(event.reason).startswith(reason)


def test_what_a_task_fails_with_is_kept_as_text_whatever_it_is(desk: Desk) -> None:
    desk.answers["verify:identity"] = ValueError(f"\x00\ud800{'x' * 1000}")
    application_id = desk.enter()

    assert desk.ticks().failures == ()

    reason = str(desk.stored(application_id).events[1].reason)
    assert reason.startswith("ValueError: \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}xxx")
    assert len(reason) == 500


def test_what_a_task_says_beyond_facts_is_kept_with_its_event(desk: Desk) -> None:
    desk.answers["verify:identity"] = {"identity": "passed", "report": {"score": 712, "lines": [1, 2]}}
    application_id = desk.enter()
    desk.ticks()

    event = desk.stored(application_id).events[1]
    assert event.details["outcome"]["report"] == {"score": 712, "lines": [1, 2]}
    assert desk.state(application_id).facts == {"identity": "passed"}


def test_a_task_that_nobody_does_waits_and_is_named(desk: Desk) -> None:
    program = desk.answers.pop("verify:identity")
    application_id = desk.enter()

    report = desk.ticks(days=3)

    # The escalation comes all the same.
    assert (report.events, [(each.application_id, each.waiting) for each in report.waiting]) == (
        1,
        [(application_id, ("identity",))],
    )
    desk.answers["verify:identity"] = program
    assert desk.ticks().events == 1


def test_a_bad_application_stops_nobody(desk: Desk) -> None:
    ids = [desk.enter() for _ in range(3)]
    with desk.engine.begin() as connection:
        # As if written by a later version of this program.
        connection.execute(
            sa.text(
                "INSERT INTO origination.workflow_event (application_id, event_no, kind, at, actor, visit, details)"
                " VALUES (:id, 2, 'completed', now(), 'x', 77, '{}')"
            ),
            {"id": ids[1]},
        )

    report = desk.ticks()

    assert [(each.application_id, each.code) for each in report.failures] == [(ids[1], "application-unreadable")]
    assert [desk.state(each).steps for each in (ids[0], ids[2])] == [("papers",), ("papers",)]


def test_runs_side_by_side_write_each_event_once(desk: Desk) -> None:
    ids = [desk.enter() for _ in range(8)]
    desk.now += timedelta(days=2)

    with ThreadPoolExecutor(3) as threads:
        reports = list(threads.map(lambda _n: tick(desk.runner()), range(3)))

    assert sum(each.events for each in reports) == 16
    assert [each.failures for each in reports] == [()] * 3
    for application_id in ids:
        assert Counter(str(event.kind) for event in desk.stored(application_id).events) == {
            "started": 1,
            "done": 1,
            "escalated": 1,
        }
    desk.derived_is_true()


@pytest.mark.parametrize("place", ["before", "between", "after"])
@pytest.mark.parametrize("count", [1, 4])
def test_a_run_that_was_killed_is_finished_by_the_next(
    desk: Desk, database: Database, tmp_path: Path, place: str, count: int
) -> None:
    ids = [desk.enter() for _ in range(APPLICATIONS)]
    desk.now += timedelta(days=2)
    lines = tmp_path / "asked"
    child = [sys.executable, "-m", "tests.integration.origination.tick_child", database.url_for(APP), BOOK]
    arguments = [*child, desk.now.isoformat(), place, str(count), str(lines)]

    assert subprocess.run(arguments, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    # What was not committed is not there, and what is there is whole.
    desk.derived_is_true()
    report = desk.ticks()

    assert report.failures == ()
    for application_id in ids:
        assert [event.kind for event in desk.stored(application_id).events] == ["started", "done", "escalated"]
    desk.derived_is_true()
    assert desk.ticks().looked_at == 0
    # Of the tasks that ran in both, only the one that died has run twice, under one key.
    asked = Counter([*lines.read_text().split(), *(context.key for context in desk.asked)] if lines.exists() else [])
    assert sum(number - 1 for number in asked.values()) <= 1
