"""`loanbook workflow` and `loanbook task`."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from origination.workflow.reading import shipped_source
from tests.integration.cli.conftest import Loanbook
from tests.support.database import Database
from tests.support.how_to_pages import enter
from tests.support.workflows import SIDE_BY_SIDE


@pytest.fixture
def small(book: Loanbook, database: Database, tmp_path: Path) -> Loanbook:
    """Return the command line with application 1 entered by ann and the workflow `small` in force."""
    enter(database, "A-1")
    file = tmp_path / "small.toml"
    file.write_text(SIDE_BY_SIDE, encoding="utf-8")
    book("workflow", "load", str(file), "--activate")
    return book


def steps(loanbook: Loanbook) -> list[str]:
    return [visit["step"] for visit in loanbook("workflow", "position", "1", "--json").json["at"]]


def test_an_application_goes_its_whole_way(small: Loanbook) -> None:
    small("workflow", "start", "1", "small", "--fact", "amount=500", "--actor", "ann")
    given = ("outcome", "1", "identity", "--fact", "identity=passed", "--reason", "By telephone")
    assert small("workflow", *given, "--role", "clerk", "--json", expect=2).refusal["code"] == "task-role-refused"
    small("workflow", *given, "--role", "boss")
    assert steps(small) == ["papers"]

    assert (
        small("task", "claim", "1", "papers", "--actor", "ann", "--json", expect=2).refusal["code"] == "task-of-enterer"
    )
    small("task", "claim", "1", "papers")
    small("task", "complete", "1", "papers", "complete", "--fact", "checked=yes", "--note", "All there")
    small("workflow", "signal", "1", "accepted")
    small("task", "claim", "1", "release", "--actor", "eve")
    small("task", "reassign", "1", "release", "cem", "--reason", "Eve is ill", "--actor", "eve")
    small("task", "release", "1", "release", "--reason", "No time", "--actor", "cem")
    small("task", "claim", "1", "release", "--actor", "dan")
    ended = small("task", "complete", "1", "release", "released", "--actor", "dan")

    assert "It is ended: funded." in ended.out
    position = small("workflow", "position", "1", "--json").json
    assert (position["result"], position["facts"]["checked"]) == ("funded", True)
    events = small("workflow", "history", "1", "--json").json["events"]
    assert [event["kind"] for event in events] == [
        "started",
        # The application came without a form, so no source can be asked; a person gives the outcome.
        "failed",
        "done",
        "claimed",
        "completed",
        "signaled",
        "claimed",
        "reassigned",
        "released",
        "claimed",
        "completed",
    ]
    assert [move["to"] for move in events[4]["moves"]] == ["met", "enough", "answer"]


def test_what_nobody_could_verify_is_tried_again_later(book: Loanbook, database: Database) -> None:
    enter(database, "A-1")

    started = book("workflow", "start", "1", "standard").out

    # The intake is a task that does nothing; the four verifications fail, for the application came without a form.
    assert "Application 1: event 1, started. 5 more by itself." in started
    assert steps(book) == ["identity", "credit_report", "income", "fraud"]


def test_the_list_of_tasks_is_shown_page_by_page(small: Loanbook, database: Database) -> None:
    ids = ["1", *enter(database, "A-2", "A-3")]
    for application in ids:
        small("workflow", "start", application, "small")

    first = small("task", "list", "--queue", "desk", "--limit", "2", "--json").json
    assert [str(task["application_id"]) for task in first["tasks"]] == ids[:2]
    second = small("task", "list", "--queue", "desk", "--limit", "2", "--after", first["next"]).out
    assert "papers" in second
    assert "There are more" not in second
    assert small("task", "list", "--owner", "bob", "--json").json["tasks"] == []
    assert (
        small("task", "list", "--due-before", "yesterday", "--json", expect=2).refusal["code"]
        == "workflow-clock-refused"
    )
    assert small("task", "list", "--due-before", "2026-01-01T00:00", expect=2).err.startswith("error: ")


def test_time_moves_what_is_due_and_a_dry_run_only_shows_it(small: Loanbook) -> None:
    small("workflow", "start", "1", "small")
    later = ("workflow", "tick", "--at", "2031-01-01T00:00Z")

    shown = small(*later, "--dry-run", "--json").json["due"]
    assert [(each["step"], each["act"]) for each in shown] == [("identity", "run"), ("papers", "escalate")]
    done = small(*later, "--json").json
    assert (done["events"], done["waiting"]) == (2, [])
    assert small("task", "list", "--json").json["tasks"][0]["queue"] == "upstairs"
    assert small("workflow", "tick", "--at", "soon", "--json", expect=2).refusal["code"] == "workflow-clock-refused"


def test_versions_are_kept_activated_and_listed(small: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "slower.toml"
    file.write_text(SIDE_BY_SIDE.replace("48 hours", "72 hours"), encoding="utf-8")
    kept = small("workflow", "load", str(file), "--json").json
    assert (kept["is_new"], kept["active_from"]) == (True, None)
    tried = small("workflow", "activate", "small", kept["version"][:6], "--reason", "x", "--dry-run")
    assert "Dry run: nothing was kept." in tried.out
    small("workflow", "activate", "small", kept["version"][:6], "--reason", "People need time")

    assert small("workflow", "show", "small").out == file.read_text(encoding="utf-8")
    rows = small("workflow", "activations", "small", "--json").json["activations"]
    assert [(row["activation_no"], row["reason"]) for row in rows] == [(1, None), (2, "People need time")]
    assert "as shipped" in small("workflow", "list").out
    assert small("workflow", "activate", "small", "ffff", "--reason", "x", "--json", expect=2).refusal["code"] == (
        "workflow-unknown"
    )


def test_a_retry_and_a_cancellation(small: Loanbook) -> None:
    small("workflow", "start", "1", "small")
    small("workflow", "retry", "1", "identity", "--reason", "Up again")
    assert "is canceled" in small("workflow", "cancel", "1", "--reason", "Withdrawn").out
    assert "It is canceled." in small("workflow", "position", "1").out
    assert small("workflow", "signal", "1", "accepted", "--json", expect=2).refusal["code"] == "workflow-over"
    assert small("task", "claim", "1", "papers", "--json", expect=2).refusal["code"] == "workflow-over"


def test_standing_and_tasks_are_written_anew_from_what_happened(small: Loanbook, database: Database) -> None:
    ids = ["1", *enter(database, "A-2", "A-3")]
    for application in ids:
        small("workflow", "start", application, "small")
    assert small("workflow", "recompute").out == "Every application stands where its events lead.\n"
    with database.connect(autocommit=True) as app:
        app.execute("UPDATE origination.workflow_standing SET wakes_at = NULL WHERE application_id = 1")
        app.execute("DELETE FROM origination.workflow_task WHERE application_id = %s", [ids[2]])
    assert small("task", "list", "--application", ids[2], "--json").json["tasks"] == []

    tried = small("workflow", "recompute", "--dry-run", "--json", expect=1).json
    assert tried == {"differed": [1, int(ids[2])], "dry_run": True}
    assert small("workflow", "recompute", "--json", expect=1).json == {"differed": [1, int(ids[2])]}

    assert small("workflow", "recompute", "--json").json == {"differed": []}
    assert len(small("task", "list", "--application", ids[2], "--json").json["tasks"]) == 1


def test_a_drawing_marks_where_an_application_stands(small: Loanbook) -> None:
    small("workflow", "start", "1", "small")

    root = ET.fromstring(small("workflow", "draw", "--application", "1", "--svg").out)  # noqa: S314 - our own
    current = [group.get("id") for group in root.iter() if group.get("class") == "current"]
    assert current == ["step-identity", "step-papers"]
    assert "class identity,papers current" in small("workflow", "draw", "--application", "1").out
    assert "usage" in small("workflow", "draw", "--json", expect=2).err


def test_a_workflow_is_drawn_and_checked_where_there_is_no_database(pricing: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(shipped_source("instant"), encoding="utf-8")

    assert pricing("workflow", "draw", str(file)).out.startswith("flowchart TD\n")
    assert pricing("workflow", "check", str(file), "--json").json["steps"] == 17
    file.write_text("code = 1", encoding="utf-8")
    assert pricing("workflow", "check", str(file), "--json", expect=2).refusal["code"] == "workflow-invalid"
