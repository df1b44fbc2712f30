"""Indexes, resets of rates and drawdowns over HTTP."""

from __future__ import annotations

from datetime import date

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import send, usd

VALUES = {"values": [{"on": "2026-02-27", "value": "5.31"}, {"on": "2026-03-02", "value": "5.4"}]}


@pytest.fixture
def loan(client: FlaskClient, books: Books) -> str:
    """Return the address of a loan of 10,000.00 at 12%, on 15 February 2026."""
    books.advance(date(2026, 2, 15))
    terms = {"principal": usd(1_000_000), "rate": "12.00", "installments": 12}
    days = {"funded_on": "2026-01-15", "first_due_on": "2026-02-15"}
    done = send(client, "/v1/loans", {"external_id": "L-1", **terms, **days}, "fund")
    return f"/v1/loans/{done.get_json()['loan_id']}"


def test_values_are_loaded_once_and_shown(client: FlaskClient, books: Books) -> None:
    first = send(client, "/v1/indexes/SOFR/values", VALUES, "load-1")
    again = send(client, "/v1/indexes/SOFR/values", VALUES, "load-1")

    assert (first.status_code, first.get_json()["new"]) == (201, 2)
    assert (again.data, again.headers["Idempotent-Replayed"]) == (first.data, "true")
    shown = client.get("/v1/indexes/SOFR").get_json()
    assert [(each["on"], each["value"]) for each in shown["values"]] == [("2026-02-27", "5.31"), ("2026-03-02", "5.4")]


def test_what_cannot_be_loaded_is_refused(client: FlaskClient, books: Books) -> None:
    send(client, "/v1/indexes/SOFR/values", VALUES, "load-1")
    other = {"values": [{"on": "2026-02-27", "value": "5.32"}]}

    assert problem(send(client, "/v1/indexes/SOFR/values", other, "load-2"))["status"] == 409
    assert problem(send(client, "/v1/indexes/1/values", other, "load-3"))["code"] == "index-name-invalid"
    assert problem(send(client, "/v1/indexes/SOFR/values", {"values": []}, "load-4"))["status"] == 400
    assert problem(client.get("/v1/indexes/LIBOR"))["status"] == 404


def test_a_rate_is_reset_from_a_day_on(client: FlaskClient, loan: str) -> None:
    body = {"rate": "9.00", "on": "2026-02-15", "reason": "agreed"}

    done = send(client, f"{loan}/rate-resets", body, "reset-1")
    again = send(client, f"{loan}/rate-resets", body, "reset-1")

    assert (done.status_code, done.get_json()["effective_date"]) == (201, "2026-02-15")
    assert (again.data, again.headers["Idempotent-Replayed"]) == (done.data, "true")
    ahead = send(client, f"{loan}/rate-resets", {"rate": "9.00", "on": "2026-03-01"}, "reset-2")
    assert problem(ahead)["code"] == "effective-date-ahead"


def test_a_loan_is_drawn_further(client: FlaskClient, loan: str) -> None:
    body = {"amount": 200_000, "currency": "USD"}

    done = send(client, f"{loan}/drawdowns", body, "draw-1")
    again = send(client, f"{loan}/drawdowns", body, "draw-1")

    assert (done.status_code, done.get_json()["effective_date"]) == (201, "2026-02-15")
    assert (done.get_json()["amount"], done.get_json()["undrawn"]) == (usd(200_000), usd(0))
    assert (again.data, again.headers["Idempotent-Replayed"]) == (done.data, "true")
    assert client.get(loan).get_json()["balances"]["principal"] == usd(1_200_000)
