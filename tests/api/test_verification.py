"""Verifications over HTTP: an API that asks a bureau, both real, and what came of it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from api.bureau import people
from api.bureau.sources import as_toml
from api.edge import Edge
from tests.api.conftest import Books, problem
from tests.api.test_loans import send
from tests.support.applications import BY_HAND, KEY, whole
from tests.support.card_processor import process

BUREAU_KEY = "a-key-of-a-bureau"
SEED = 13


@pytest.fixture(scope="module")
def bureau() -> Iterator[str]:
    with process("bureau", "--seed", str(SEED), LOANBOOK_BUREAU_KEY=BUREAU_KEY) as url:
        yield url


@pytest.fixture
def client(edge: Edge, books: Books, bureau: str, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Return a client of an application that knows the bureau's sources, on 5 January 2026."""
    monkeypatch.setenv("LOANBOOK_BUREAU_KEY", BUREAU_KEY)
    books.advance(date(2026, 1, 5))
    client = create_app(edge, bank_account_keys=KEY).test_client()
    for number, each in enumerate(tomllib.loads(as_toml(bureau, pause=0.01))["source"]):
        loaded = send(client, "/v1/verification-sources", {"declaration": each}, f"s{number}")
        assert loaded.get_json()["is_new"] is True
    return client


@pytest.fixture
def application(client: FlaskClient) -> str:
    """Return the address of a submitted application."""
    send(client, "/v1/application-routing", {"declaration": tomllib.loads(BY_HAND)}, "r")
    person = next(people.people(SEED, 1))
    names = ("first_name", "last_name", "ssn", "date_of_birth")
    data = whole(**{f"applicant__{name}": person[name] for name in names})
    body = {"product": "personal", "channel": "web", "data": data, "submit": True}
    return f"/v1/applications/{send(client, '/v1/applications', body, 'a').get_json()['application_id']}"


def test_an_applicant_is_verified_and_decisions_can_read_it(client: FlaskClient, application: str) -> None:
    done = send(client, f"{application}/verifications", {"kinds": ["credit_report"]}, "x").get_json()["verifications"]
    rest = send(client, f"{application}/verifications", {}, "x").get_json()["verifications"]
    listed = client.get(f"{application}/verifications").get_json()["verifications"]
    facts: Any = client.get(f"{application}/facts").get_json()

    assert [(each["kind"], each["outcome"], each["cost"]) for each in done] == [("credit_report", "completed", 125)]
    assert [each["kind"] for each in rest] == ["identity", "credit_report", "income", "fraud"]
    assert sorted(each["verification_no"] for each in listed) == [1, 2, 3, 4]
    assert facts["credit_report"]["score"] == done[0]["facts"]["score"]
    assert facts["application"]["amount"] == 1_200_000


def test_what_waits_is_verified(client: FlaskClient, application: str) -> None:
    done = send(client, "/v1/verifications/due", {}, "x").get_json()
    again = send(client, "/v1/verifications/due", {}, "x").get_json()

    assert done == {"looked_at": 1, "asked": 4, "completed": 4, "for_people": []}
    assert (again["asked"], application.startswith("/v1/applications/")) == (0, True)


def test_facts_are_written_by_hand_once_for_their_key(client: FlaskClient, application: str) -> None:
    body = {"kind": "bank_data", "facts": {"average_balance": 120_000}, "reason": "Statements"}
    address = f"{application}/verifications/by-hand"

    first, again = send(client, address, body, "k"), send(client, address, body, "k")
    wrong = problem(send(client, address, {**body, "facts": {"Balance": 1}}, "l"))

    assert (first.status_code, again.get_data()) == (201, first.get_data())
    assert (wrong["code"], wrong["status"]) == ("fact-invalid", 422)
    assert client.get(f"{application}/facts").get_json()["bank_data"]["average_balance"] == 120_000


def test_sources_are_shown_without_their_secrets(client: FlaskClient) -> None:
    rows = client.get("/v1/verification-sources").get_json()["sources"]
    bad = problem(send(client, "/v1/verification-sources", {"declaration": {"name": "x"}}, "k"))
    nobody = problem(send(client, "/v1/applications/999/verifications", {}, "x"))

    assert len(rows) == 5
    assert BUREAU_KEY not in str(rows)
    assert (bad["code"], nobody["code"]) == ("source-invalid", "application-unknown")
