"""Workflows and tasks over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from api.edge import Edge
from origination.commands import submit_application
from tests.api.conftest import Books, problem
from tests.api.test_loans import send
from tests.integration.origination.test_funding import request
from tests.support.workflows import SIDE_BY_SIDE

SMALL = {"source": SIDE_BY_SIDE, "active_from": "2026-01-01T00:00:00Z"}


@pytest.fixture
def application_id(client: FlaskClient, books: Books, edge: Edge) -> int:
    """Return an application that ann entered, where the workflow `small` is in force."""
    assert send(client, "/v1/workflows", SMALL, "load").status_code == 201
    return edge.change(lambda uow: submit_application(uow, books.code, request()), actor="ann")


def started(client: FlaskClient, application_id: int, **facts: Any) -> Any:
    body = {"workflow": "small", "facts": facts}
    return send(client, f"/v1/applications/{application_id}/workflow", body, "start", **{"X-Actor": "ann"})


def acts(client: FlaskClient, path: str, actor: str, **body: Any) -> Any:
    """Do something under a key of its own."""
    return send(client, path, body, f"{actor} {path}".replace(" ", ":"), **{"X-Actor": actor})


def at(client: FlaskClient, application_id: int) -> dict[str, int]:
    """Return the steps at which an application stands, with the numbers of the stays."""
    shown = client.get(f"/v1/applications/{application_id}/workflow").get_json()
    return {visit["step"]: visit["number"] for visit in shown["at"]}


def test_an_application_goes_its_whole_way(client: FlaskClient, application_id: int) -> None:
    answer = started(client, application_id, amount=500)
    assert (answer.status_code, answer.get_json()["phase"]) == (201, "running")
    path = f"/v1/applications/{application_id}/workflow"
    given = {"step": "identity", "facts": {"identity": "passed"}, "reason": "By telephone", "roles": ["boss"]}
    assert send(client, f"{path}/outcomes", given, "outcome").status_code == 201
    (task,) = client.get("/v1/tasks?queue=desk&unowned=true").get_json()["tasks"]
    assert (task["application_id"], task["step"], task["role"]) == (application_id, "papers", "clerk")

    tasks = f"/v1/tasks/{application_id}/{task['task']}"
    assert acts(client, f"{tasks}/claim", "bob", roles=["clerk"]).status_code == 201
    assert client.get("/v1/tasks?owner=bob").get_json()["tasks"][0]["owner"] == "bob"
    done = acts(
        client,
        f"{tasks}/completion",
        "bob",
        outcome="complete",
        notes=["All there"],
        references=["scan-17"],
        facts={"checked": True},
    )
    assert done.get_json()["event"]["details"]["evidence"] == {"notes": ["All there"], "references": ["scan-17"]}
    assert send(client, f"{path}/signals", {"signal": "accepted"}, "yes").status_code == 201
    release = f"/v1/tasks/{application_id}/{at(client, application_id)['release']}"
    refused = problem(acts(client, f"{release}/claim", "bob"))
    assert (refused["status"], refused["code"]) == (403, "task-of-same-person")
    acts(client, f"{release}/claim", "cem")
    ended = acts(client, f"{release}/completion", "cem", outcome="released").get_json()

    assert (ended["phase"], ended["result"], ended["at"]) == ("ended", "funded", [])
    events = client.get(f"{path}/events").get_json()["events"]
    assert [event["event_no"] for event in events] == list(range(1, 9))
    # The application came without a form, so no source can be asked; a person gives the outcome.
    assert [(event["kind"], event["actor"]) for event in events[:4]] == [
        ("started", "ann"),
        ("failed", "workflow"),
        ("done", "http"),
        ("claimed", "bob"),
    ]
    assert client.get("/v1/tasks").get_json() == {"tasks": [], "next": None}


def test_the_same_request_again_is_answered_alike_and_done_once(client: FlaskClient, application_id: int) -> None:
    first = started(client, application_id)
    again = started(client, application_id)
    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"
    task = f"/v1/tasks/{application_id}/{at(client, application_id)['papers']}"
    assert acts(client, f"{task}/claim", "bob").data == acts(client, f"{task}/claim", "bob").data
    refused = problem(acts(client, f"{task}/claim", "cem"))
    assert (refused["status"], refused["code"], refused["figures"]["owner"]) == (409, "task-state-refused", "bob")


def test_a_dry_run_keeps_nothing(client: FlaskClient, application_id: int) -> None:
    path = f"/v1/applications/{application_id}/workflow"
    tried = send(client, f"{path}?dry_run=true", {"workflow": "small"}, "try")

    assert (tried.status_code, tried.headers["Dry-Run"]) == (200, "true")
    assert problem(client.get(path))["code"] == "workflow-not-started"


def test_tasks_come_page_by_page(client: FlaskClient, books: Books, edge: Edge, application_id: int) -> None:
    def enter(number: int) -> int:
        return edge.change(lambda uow: submit_application(uow, "main", request(f"A-{number}")), actor="ann")

    ids = [application_id, *map(enter, range(2, 6))]
    for each in ids:
        send(client, f"/v1/applications/{each}/workflow", {"workflow": "small"}, f"start:{each}")

    seen: list[list[int]] = []
    following: str | None = ""
    while following is not None:
        after = f"&after={following}" if following else ""
        page = client.get(f"/v1/tasks?role=clerk&limit=2{after}").get_json()
        seen.append([task["application_id"] for task in page["tasks"]])
        following = page["next"]
    assert seen == [ids[:2], ids[2:4], ids[4:]]
    first = client.get("/v1/tasks?role=clerk&limit=2").get_json()
    assert problem(client.get(f"/v1/tasks?role=boss&limit=2&after={first['next']}"))["code"] == "cursor-invalid"


def test_a_workflow_is_loaded_shown_drawn_and_activated(client: FlaskClient, application_id: int) -> None:
    slower = SIDE_BY_SIDE.replace("48 hours", "72 hours")
    loaded = send(client, "/v1/workflows", {"source": slower}, "slower").get_json()
    assert (loaded["is_new"], loaded["active_from"]) == (True, None)
    assert client.get("/v1/workflows/small").get_json()["source"] == SIDE_BY_SIDE
    body = {"version": loaded["version"][:8], "reason": "People need time"}
    assert send(client, "/v1/workflows/small/activations", body, "now").status_code == 201

    shown = client.get("/v1/workflows/small").get_json()
    assert (shown["source"], len(shown["activations"])) == (slower, 2)
    listed = {each["workflow"]: each["version"] for each in client.get("/v1/workflows").get_json()["workflows"]}
    assert listed.keys() == {"instant", "small", "standard"}
    assert listed["small"] == loaded["version"]
    assert client.get("/v1/workflows/standard/drawing").get_json()["drawing"].startswith("flowchart TD")
    started(client, application_id)
    drawn = client.get(f"/v1/applications/{application_id}/workflow/drawing?form=svg").get_json()
    assert 'id="step-papers" class="current"' in drawn["drawing"]


def test_everything_that_is_wrong_with_a_workflow_is_said_at_once(client: FlaskClient, books: Books) -> None:
    broken = SIDE_BY_SIDE.replace('default = "answer"\n', "").replace('role = "funder"', 'role = "king"')

    document = problem(send(client, "/v1/workflows", {"source": broken}, "load"))

    assert (document["status"], document["code"]) == (422, "workflow-invalid")
    # The others follow from these: without its default the decision point leads nowhere else.
    assert document["figures"]["problems"][:2] == [
        "steps.release: unknown role king",
        "steps.enough: a decision point without a default",
    ]


def test_what_is_not_there_is_not_found(client: FlaskClient, application_id: int) -> None:
    assert problem(client.get("/v1/workflows/none"))["code"] == "workflow-unknown"
    assert problem(client.get("/v1/applications/999/workflow"))["code"] == "application-unknown"
    started(client, application_id)
    assert problem(acts(client, f"/v1/tasks/{application_id}/77/claim", "bob"))["code"] == "task-unknown"
    wrong = {"step": "identity", "facts": {"identity": 0.5}, "reason": "x"}
    assert problem(send(client, f"/v1/applications/{application_id}/workflow/outcomes", wrong, "o"))["status"] in (
        400,
        422,
    )


def test_what_is_due_is_done_by_a_tick(client: FlaskClient, application_id: int) -> None:
    started(client, application_id)

    report = client.post("/v1/workflow-ticks").get_json()

    # What has failed once is tried again in an hour.
    assert (report["looked_at"], report["events"]) == (0, 0)
    path = f"/v1/applications/{application_id}/workflow"
    retried = send(client, f"{path}/retries", {"step": "identity", "reason": "Up again"}, "retry")
    assert retried.status_code == 201
    gone = send(client, f"{path}/cancellation", {"reason": "Withdrawn"}, "cancel").get_json()
    assert gone["phase"] == "canceled"
    assert problem(send(client, f"{path}/signals", {"signal": "accepted"}, "late"))["code"] == "workflow-over"


def test_a_task_is_released_and_given_to_others(client: FlaskClient, application_id: int) -> None:
    started(client, application_id)
    task = f"/v1/tasks/{application_id}/{at(client, application_id)['papers']}"

    acts(client, f"{task}/claim", "bob")
    moved = acts(client, f"{task}/reassignment", "eve", to="cem", reason="Bob is ill").get_json()
    assert [visit["owner"] for visit in moved["at"]] == [None, "cem"]
    refused = problem(acts(client, f"{task}/release", "bob", reason="No time"))
    assert (refused["status"], refused["code"]) == (403, "task-not-yours")
    assert acts(client, f"{task}/release", "cem", reason="No time").status_code == 201
    refused = problem(acts(client, f"{task}/claim", "dan", roles=["boss"]))
    assert (refused["code"], refused["figures"]["role"]) == ("task-role-refused", "clerk")
