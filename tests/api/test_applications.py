"""Applications over HTTP: from any channel, every field that is wrong at once, once for each key, never logged."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from api.app import create_app
from api.edge import Edge
from tests.api.conftest import Books, problem
from tests.api.test_loans import send
from tests.support.applications import KEY, whole

OPENING = {"product": "personal", "channel": "web", "external_id": "W-1"}
JSON = {"Idempotency-Key": "k", "Content-Type": "application/json"}


@pytest.fixture
def client(edge: Edge, books: Books) -> FlaskClient:
    """Return a client of the application, which has a key, on 5 January 2026."""
    books.advance(date(2026, 1, 5))
    return create_app(edge, bank_account_keys=KEY).test_client()


def taken(client: FlaskClient, key: str = "a", *, submit: bool = True, **changes: Any) -> Any:
    body = {**OPENING, "data": whole(**changes), "submit": submit}
    return send(client, "/v1/applications", body, key)


def test_an_application_is_taken_once_for_its_key(client: FlaskClient) -> None:
    first, again = taken(client), taken(client)
    other = problem(taken(client, applicant__ssn="912-70-4321"))

    sent = first.get_json()["submission"]
    assert (first.status_code, sent["queue"], sent["duplicate_of"]) == (201, "intake", [])
    assert (again.get_data(), again.headers["Idempotent-Replayed"]) == (first.get_data(), "true")
    assert (other["code"], "912" in json.dumps(other)) == ("request-key-reused", False)


def test_every_field_that_is_wrong_is_named_together(client: FlaskClient) -> None:
    wrong = problem(taken(client, applicant__ssn="000-12-3456", application__amount=12000.5, income__bonus=3))

    assert (wrong["status"], wrong["code"]) == (422, "application-fields-invalid")
    assert [each["path"] for each in wrong["figures"]["fields"]] == [
        "applicant.ssn",
        "application.amount",
        "income.bonus",
    ]
    assert "3456" not in json.dumps(wrong)


@pytest.mark.parametrize("channel", ["web", "mobile", "point_of_sale", "agent", "partner", "file"])
def test_every_channel_is_checked_alike(client: FlaskClient, channel: str) -> None:
    body = {"product": "personal", "channel": channel, "data": whole(applicant__zip="x"), "submit": True}

    wrong = problem(send(client, "/v1/applications", body, "a"))

    assert wrong["figures"]["fields"] == [
        {"path": "applicant.zip", "reason": "it should match pattern '^[0-9]{5}(-[0-9]{4})?$'"}
    ]


def test_an_application_is_saved_on_the_way_and_submitted(client: FlaskClient) -> None:
    data = whole()
    opened = send(client, "/v1/applications", {**OPENING, "data": {"income": data.pop("income")}}, "a").get_json()
    address = f"/v1/applications/{opened['application_id']}"

    short = problem(send(client, f"{address}/submission", {}, "b"))
    saved = send(client, f"{address}/versions", {"data": data, "on_version": 1}, "c").get_json()
    late = problem(send(client, f"{address}/versions", {"data": {}, "on_version": 1}, "d"))
    sent = send(client, f"{address}/submission", {}, "e").get_json()
    twice = problem(send(client, f"{address}/submission", {}, "f"))

    assert (short["code"], saved["version_no"], late["code"]) == ("application-fields-invalid", 2, "draft-moved")
    assert (sent["version_no"], twice["code"], twice["status"]) == (2, "draft-submitted", 409)
    shown = client.get(address).get_json()
    assert (shown["state"], shown["data"]["applicant"]["ssn"]) == ("received", "****1234")
    assert [each["external_id"] for each in client.get("/v1/applications?queue=intake").get_json()["applications"]] == [
        "W-1"
    ]
    assert client.get("/v1/applications?drafts=true").get_json() == {"applications": [], "next_after": None}


def test_a_repeat_is_refused_and_names_what_it_repeats(client: FlaskClient) -> None:
    first = taken(client).get_json()["application_id"]
    body = {**OPENING, "external_id": "W-2", "data": whole(), "submit": True}

    refused = problem(send(client, "/v1/applications", body, "b"))

    assert (refused["status"], refused["code"], refused["figures"]["duplicate_of"]) == (
        409,
        "duplicate-application",
        [first],
    )


def test_personal_data_are_shown_by_role_and_erased(client: FlaskClient) -> None:
    number = taken(client).get_json()["application_id"]
    address = f"/v1/applications/{number}"

    seen = send(client, f"{address}/personal-data", {"role": "underwriter", "reason": "Call back"}, "x").get_json()
    nobody = problem(send(client, f"{address}/personal-data", {"role": "clerk", "reason": "Call back"}, "x"))
    send(client, f"{address}/withdrawal", {"reason": "Changed her mind"}, "w")
    early = problem(send(client, f"{address}/erasure", {"reason": "Letter"}, "y"))
    done = send(client, f"{address}/erasure", {"reason": "Letter", "approver": "carol"}, "z").get_json()
    gone = problem(send(client, f"{address}/personal-data", {"role": "fraud", "reason": "Again"}, "x"))

    assert (seen["data"]["applicant"]["last_name"], seen["data"]["applicant"]["ssn"]) == ("O'Neil", "****1234")
    assert (nobody["code"], early["code"], done["rows_erased"], gone["code"]) == (
        "role-unknown",
        "erasure-too-early",
        1,
        "personal-data-erased",
    )
    shown = client.get(address).get_json()
    assert ("ssn" in shown["data"]["applicant"], shown["accesses"][0]["role"]) == (False, "underwriter")


def test_schema_forms_and_routes_are_published_and_loaded(client: FlaskClient) -> None:
    schema = client.get("/v1/products/personal/application-schema").get_json()
    unknown = problem(client.get("/v1/products/yacht/application-schema"))
    table = {"route": [{"state": ["CA"], "queue": "west"}, {"queue": "rest"}]}
    loaded = send(client, "/v1/application-routing", {"declaration": table}, "r").get_json()
    refused = problem(send(client, "/v1/application-routing", {"declaration": {"route": [{"queue": "a"}] * 2}}, "s"))
    form = client.get("/v1/application-forms").get_json()["forms"][0]
    bad = problem(send(client, "/v1/application-forms", {"declaration": {"name": "x"}}, "t"))

    assert (schema["title"], unknown["code"], unknown["status"]) == ("Personal loan", "form-unknown", 404)
    assert (loaded["release"], loaded["is_new"], refused["code"]) == (1, True, "routing-invalid")
    assert (form["product"], bad["code"]) == ("personal", "form-invalid")
    assert client.get("/v1/application-routing").get_json() == {"release": 1, **table}
    assert taken(client).get_json()["submission"]["queue"] == "west"


def test_no_value_is_logged_or_kept_with_the_request(client: FlaskClient, edge: Edge) -> None:
    structlog.reset_defaults()
    with capture_logs() as logs:
        taken(client)
        taken(client, "b", applicant__ssn="123-45-678X")

    with edge.engine.connect() as connection:
        kept = str(connection.execute(sa.text("SELECT r::text FROM ledger.request r")).fetchall())
    for secret in ("912701234", "912-70-1234", "O'Neil", "678X", "ada@example.com"):
        assert secret not in str(logs) + kept


@pytest.mark.parametrize(
    "data",
    [
        r'{"applicant": {"a\u0000b": 1}}',
        r'{"applicant": {"\ud800": 1}}',
        '{"application": {"amount": 1e400}}',
        '{"application": {"amount": NaN}}',
        f'{{"application": {{"amount": {"9" * 400}}}}}',
        '{"application": ' + '{"a":' * 100 + "1" + "}" * 101,
        '{"application": ' + "[" * 150 + "]" * 150 + "}",
        '{"": {"": 1}, "application.amount": 5}',
        '{"applicant": {"date_of_birth": "9999-12-31"}}',
        '{"consents": {"credit_report": {"given_at": "0001-01-01T00:00:00+14:00", "ip": "192.0.2.7"}}}',
    ],
)
def test_what_nobody_would_send_is_refused_by_name(client: FlaskClient, data: str) -> None:
    body = f'{{"product": "personal", "channel": "web", "submit": true, "data": {data}}}'

    refused = client.post("/v1/applications", data=body, headers=JSON)

    assert problem(refused)["status"] in (400, 422)


def test_without_a_key_nothing_is_taken(edge: Edge, books: Books) -> None:
    refused = problem(taken(create_app(edge).test_client()))

    assert refused["code"] == "vault-key-missing"
