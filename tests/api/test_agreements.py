"""Trial plans, settlements and pauses over HTTP: agreed by two, shown with the loan, ended."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send, usd

TRIAL: dict[str, Any] = {
    "payments": 3,
    "amount": 50_000,
    "currency": "USD",
    "reason": "Hardship",
    "then": {"kind": "extend", "installments": 6},
}
SETTLEMENT: dict[str, Any] = {"amount": 600_000, "currency": "USD", "by": "2026-06-30", "reason": "Hardship"}


@pytest.fixture
def loan(client: FlaskClient, books: Books) -> int:
    """Return a loan of 10,000.00 at 12%, on 10 March 2026; its installment of 15 February is unpaid."""
    books.advance(date(2026, 1, 15))
    loan_id: int = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 3, 10))
    return loan_id


def test_a_trial_plan_is_agreed_by_two_and_ended(client: FlaskClient, loan: int) -> None:
    path = f"/v1/loans/{loan}/trial-plans"
    assert problem(send(client, path, TRIAL, "trial-1"))["code"] == "approval-missing"

    made = send(client, path, {**TRIAL, "approved_by": "ben"}, "trial-2").get_json()

    assert (made["kind"], made["first_due_on"], made["amount"]) == ("trial_plan", "2026-03-15", usd(50_000))
    (shown,) = client.get(f"/v1/loans/{loan}").get_json()["agreements"]
    assert (shown["status"], shown["then"], shown["dues"][-1]) == ("open", "extend", "2026-05-15")
    second = problem(send(client, f"/v1/loans/{loan}/settlements", {**SETTLEMENT, "approved_by": "ben"}, "settle-1"))
    assert (second["status"], second["code"]) == (409, "agreement-open")
    send(client, f"/v1/loans/{loan}/agreements/end", {"reason": "withdrawn"}, "end-1")
    (ended,) = client.get(f"/v1/loans/{loan}").get_json()["agreements"]
    assert ended["status"] == "ended"


def test_a_settlement_is_agreed(client: FlaskClient, loan: int) -> None:
    path = f"/v1/loans/{loan}/settlements"
    more = {**SETTLEMENT, "approved_by": "ben", "amount": 2_000_000}
    assert problem(send(client, path, more, "settle-1"))["code"] == "modification-invalid"

    send(client, path, {**SETTLEMENT, "approved_by": "ben", "rest": "forgive"}, "settle-2")

    (shown,) = client.get(f"/v1/loans/{loan}").get_json()["agreements"]
    assert (shown["kind"], shown["rest"], shown["amount"]) == ("settlement", "forgive", usd(600_000))


def test_days_past_due_are_paused_and_resumed(client: FlaskClient, books: Books, loan: int) -> None:
    assert client.get(f"/v1/loans/{loan}").get_json()["dpd"] == 23
    send(client, f"/v1/loans/{loan}/delinquency/pause", {"reason": "Flood"}, "pause-1")
    books.advance(date(2026, 3, 14))

    paused = client.get(f"/v1/loans/{loan}").get_json()
    assert (paused["dpd"], paused["delinquency_paused"]) == (23, True)
    again = send(client, f"/v1/loans/{loan}/delinquency/pause", {"reason": "Flood"}, "pause-2")
    assert problem(again)["code"] == "delinquency-paused"
    send(client, f"/v1/loans/{loan}/delinquency/resume", {"reason": "Over"}, "resume-1")
    books.advance(date(2026, 3, 15))
    assert client.get(f"/v1/loans/{loan}").get_json()["dpd"] == 24
