"""Policies, decisions and underwriting over HTTP."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from origination.commands import submit_application
from tests.api.conftest import Books, problem
from tests.api.test_loans import send
from tests.integration.origination.test_decisions import AUTHORITY, DECLINED, GOOD, REFERRED
from tests.integration.origination.test_funding import request
from tests.unit.origination.policies import keys


def prepared(client: FlaskClient, books: Books) -> int:
    """Put the small policy and limits of authority in force, and return an application."""
    loaded = send(client, "/v1/policies", {"content": keys()}, "load-1")
    assert loaded.status_code == 201
    version = loaded.get_json()["content_hash"]
    activation = {"version": version, "reason": "First", "approved_by": "carol"}
    assert send(client, "/v1/policy-activations", activation, "activate-1").status_code == 201
    assert send(client, "/v1/authority", {"content": AUTHORITY, "approved_by": "carol"}, "limits-1").status_code == 201
    return enter(books, "A-1")


def enter(books: Books, external_id: str) -> int:
    return books.edge.change(lambda uow: submit_application(uow, books.code, request(external_id)), actor="ann")


def decide(client: FlaskClient, application_id: int, sources: dict[str, Any], key: str) -> Any:
    return send(client, f"/v1/applications/{application_id}/decisions", {"policy": "small", "sources": sources}, key)


def test_an_application_is_decided_once_for_a_key_and_the_decision_replays(client: FlaskClient, books: Books) -> None:
    application_id = prepared(client, books)

    first = decide(client, application_id, GOOD, "decide-1")
    again = decide(client, application_id, GOOD, "decide-1")

    made = first.get_json()
    assert (first.status_code, made["outcome"], made["state"]) == (201, "approve", "approved")
    assert made["price"] == {
        "amount": {"amount": 1000000, "currency": "USD"},
        "term": 36,
        "rate": "8.99",
        "fee": {"amount": 12500, "currency": "USD"},
    }
    assert (again.data, again.headers["Idempotent-Replayed"]) == (first.data, "true")
    number = made["decision_id"]
    shown = client.get(f"/v1/decisions/{number}").get_json()
    assert (shown["facts"]["dti"], shown["actor"]) == ("19.99", "http")
    assert client.get(f"/v1/decisions/{number}/replay").get_json()["equal"]
    page = client.get(f"/v1/decisions/{number}/page")
    assert (page.mimetype, b"Decision" in page.data) == ("text/html", True)
    listed = client.get(f"/v1/applications/{application_id}/decisions").get_json()["decisions"]
    assert [each["decision_id"] for each in listed] == [number]


def test_policies_are_shown_with_what_they_say(client: FlaskClient, books: Books) -> None:
    prepared(client, books)

    found = client.get("/v1/policies").get_json()["policies"][0]
    assert (found["name"], found["in_force"]["approver"]) == ("small", "carol")
    body = client.get(f"/v1/policies/{found['in_force']['champion'][:12]}").get_json()
    assert body["policy"]["rules"][0]["code"] == "R1"


def test_a_referral_is_underwritten_within_limits(client: FlaskClient, books: Books) -> None:
    number = decide(client, prepared(client, books), REFERRED, "decide-1").get_json()["decision_id"]
    path = f"/v1/decisions/{number}/underwriting"

    assert [each["decision_id"] for each in client.get("/v1/referrals").get_json()["referrals"]] == [number]
    nobody = problem(send(client, path, {"verdict": "approve"}, "judge-1"))
    assert (nobody["status"], nobody["code"]) == (403, "authority-missing")
    body = {"Idempotency-Key": "judge-2", "X-Actor": "uma"}
    done = client.post(path, json={"verdict": "approve"}, headers=body)
    assert (done.status_code, done.get_json()["state"]) == (201, "approved")
    assert client.get("/v1/referrals").get_json()["referrals"] == []


def test_what_is_wrong_is_a_problem_document(client: FlaskClient, books: Books) -> None:
    application_id = prepared(client, books)

    invalid = problem(send(client, "/v1/policies", {"content": {**keys(), "rules": [{"code": "X"}]}}, "load-2"))
    assert (invalid["status"], invalid["code"]) == (422, "policy-invalid")
    assert len(invalid["figures"]["problems"]) == 3
    one = {"version": "small", "reason": "x", "approved_by": "http"}
    alone = problem(send(client, "/v1/policy-activations", one, "activate-2"))
    assert (alone["status"], alone["code"]) == (403, "policy-approval-missing")
    assert problem(client.get("/v1/decisions/999"))["code"] == "decision-unknown"
    assert problem(client.get("/v1/policies/nobody"))["code"] == "policy-unknown"
    decide(client, application_id, DECLINED, "decide-1")
    twice = problem(decide(client, application_id, GOOD, "decide-2"))
    assert (twice["status"], twice["code"]) == (409, "application-state-refused")
    wrong = problem(decide(client, enter(books, "A-2"), {"income": {"annual": "much"}}, "decide-3"))
    assert (wrong["status"], wrong["code"]) == (422, "facts-invalid")
