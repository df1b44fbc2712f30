"""One exchange: ids, headers, and problem documents whatever goes wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask, Response
from flask.testing import FlaskClient

from api import http
from api.app import create_app
from api.edge import Edge
from api.guards import GuardCheck
from api.models import Body, Minor
from ledger.digests import Finding
from tests.api.conftest import Books, problem

SECRET = "4111-hunter2"


class Sample(Body):
    amount: Minor


@pytest.fixture
def echo(edge: Edge) -> FlaskClient:
    """Return a client of the application with routes of the test's own."""
    app = create_app(edge, max_body_bytes=200)

    @app.post("/test/body")
    def read_body() -> Response:
        return http.reply({"amount": http.body(Sample).amount})

    @app.post("/test/change")
    def read_change() -> Response:
        key = http.idempotency_key()
        return http.reply({"key": key, "actor": http.actor()})

    @app.get("/test/fault")
    def fault() -> Response:
        raise ZeroDivisionError(SECRET)

    return app.test_client()


def test_health_answers_without_a_database(client: FlaskClient) -> None:
    response = client.get("/health")

    assert response.get_json() == {"status": "ok", "guards": {"checked_at": None}}


def test_health_tells_what_the_self_check_found_at_the_start(edge: Edge) -> None:
    checked_at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    finding = Finding("guard-missing", "trigger posting.posting_append_only", "enabled O", "nothing")
    sound = create_app(edge, guards=GuardCheck(checked_at, ())).test_client().get("/health")
    loosened = create_app(edge, guards=GuardCheck(checked_at, (finding,))).test_client().get("/health")

    assert (sound.status_code, sound.get_json()["status"]) == (200, "ok")
    assert sound.get_json()["guards"] == {"checked_at": "2026-01-31T12:00:00Z", "differences": []}
    assert (loosened.status_code, loosened.get_json()["status"]) == (503, "guards-differ")
    assert loosened.get_json()["guards"]["differences"][0]["place"] == "trigger posting.posting_append_only"


def test_a_request_id_is_taken_over_and_returned(client: FlaskClient) -> None:
    assert client.get("/health", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"


@pytest.mark.parametrize("offered", ["a" * 65, "with space", "<script>", ""])
def test_a_request_id_of_another_form_is_replaced(client: FlaskClient, offered: str) -> None:
    given = client.get("/health", headers={"X-Request-Id": offered}).headers["X-Request-Id"]

    assert given != offered
    assert len(given) == 32


def test_an_unknown_address_is_a_problem(client: FlaskClient) -> None:
    assert problem(client.get("/v1/nothing"))["code"] == "not-found"


def test_a_method_that_is_not_taken_is_a_problem_that_names_those_that_are(client: FlaskClient) -> None:
    response = client.delete("/v1/journal")

    assert problem(response)["code"] == "method-not-allowed"
    assert "GET" in response.headers["Allow"]


def test_responses_are_neither_stored_nor_sniffed(client: FlaskClient) -> None:
    headers = client.get("/health").headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{",
        "[]",
        '{"amount": "' + SECRET + '"}',
        '{"amount": 1, "amount": 2}',
        '{"amount": 1.5}',
        '{"amount": 1, "' + SECRET + '": null}',
        "[" * 150,
        '{"amount": ' + "9" * 150 + "}",
        '\ufeff{"amount": 1}',
    ],
)
def test_a_malformed_body_is_a_problem_that_echoes_no_value(echo: FlaskClient, raw: str) -> None:
    response = echo.post("/test/body", data=raw.encode(), content_type="application/json")

    document = problem(response)
    assert document["code"] == "request-invalid"
    assert document["errors"]
    values = json.dumps([error["detail"] for error in document["errors"]])
    assert SECRET not in values


def test_the_place_of_a_mistake_is_a_json_pointer(echo: FlaskClient) -> None:
    response = echo.post("/test/body", json={"amount": 0, "a/b": 1})

    assert {error["pointer"] for error in problem(response)["errors"]} == {"/amount", "/a~1b"}


def test_a_body_of_another_media_type_is_refused(echo: FlaskClient) -> None:
    assert problem(echo.post("/test/body", data="amount=1"))["code"] == "media-type-unsupported"


def test_a_body_that_is_too_large_is_refused(echo: FlaskClient) -> None:
    response = echo.post("/test/body", data=b" " * 201, content_type="application/json")

    assert problem(response)["code"] == "body-too-large"


def test_a_body_of_the_largest_size_is_read(echo: FlaskClient) -> None:
    raw = b'{"amount": 7}'.ljust(200)

    assert echo.post("/test/body", data=raw, content_type="application/json").get_json() == {"amount": 7}


def test_a_change_without_a_key_is_refused(echo: FlaskClient) -> None:
    assert problem(echo.post("/test/change"))["code"] == "idempotency-key-missing"


@pytest.mark.parametrize("key", ["", "a" * 201, "a b", "caf\xe9"])
def test_a_change_with_a_malformed_key_is_refused(echo: FlaskClient, key: str) -> None:
    response = echo.post("/test/change", headers={"Idempotency-Key": key})

    assert problem(response)["code"] == "idempotency-key-missing"


@pytest.mark.parametrize("name", ["", "a" * 65, "x\x7f", "-x"])
def test_an_actor_that_is_no_name_is_refused(echo: FlaskClient, name: str) -> None:
    response = echo.post("/test/change", headers={"Idempotency-Key": "k", "X-Actor": name})

    assert problem(response)["code"] == "request-invalid"


def test_a_fault_is_a_problem_that_says_nothing_of_itself(echo: FlaskClient) -> None:
    response = echo.get("/test/fault")

    assert problem(response)["code"] == "internal-error"
    assert SECRET not in response.get_data(as_text=True)


def test_a_problem_type_is_explained_where_it_points(client: FlaskClient) -> None:
    explained = client.get("/problems/period-closed").get_json()

    assert explained["status"] == 409
    assert explained["figures"] == ["book", "booking_date", "closed_through"]


def test_an_unknown_problem_type_is_a_problem(client: FlaskClient) -> None:
    assert problem(client.get("/problems/no-such-thing"))["code"] == "not-found"


def test_an_unknown_query_parameter_is_refused(client: FlaskClient, books: Books) -> None:
    document = problem(client.get("/v1/journal?acount=1020"))

    assert document["errors"] == [{"pointer": "/acount", "detail": "Extra inputs are not permitted"}]


def test_a_repeated_query_parameter_is_refused(client: FlaskClient, books: Books) -> None:
    document = problem(client.get("/v1/journal?account=1020&account=1210"))

    assert document["errors"] == [{"pointer": "/account", "detail": "it is given twice"}]


def test_an_unreachable_database_is_a_503(tmp_path: object) -> None:
    nowhere = Edge.open(sa.make_url(f"postgresql+psycopg://loanbook_app@/loanbook?host={tmp_path}"))
    app: Flask = create_app(nowhere)

    document = problem(app.test_client().get("/v1/trial-balance"))

    assert document["code"] == "database-unreachable"
    assert document["status"] == 503


def test_a_password_is_not_shown_when_the_database_is_unreachable() -> None:
    url = sa.make_url(f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/x")
    app = create_app(Edge.open(url))

    response = app.test_client().get("/v1/trial-balance")

    assert problem(response)["code"] == "database-unreachable"
    assert SECRET not in response.get_data(as_text=True)


def test_a_database_without_a_book_says_so(client: FlaskClient) -> None:
    assert problem(client.get("/v1/trial-balance"))["code"] == "book-missing"
