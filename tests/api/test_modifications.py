"""Modifications over HTTP: compared in a dry run, made once, refused without a second person, reversed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send, usd

EXTENSION: dict[str, Any] = {"kind": "extend", "installments": 6, "reason": "Hardship"}
FORGIVENESS: dict[str, Any] = {"kind": "forgive", "amount": 100_000, "reason": "Settled"}


@pytest.fixture
def loan(client: FlaskClient, books: Books) -> int:
    """Return a loan of 10,000.00 at 12%, on 10 February 2026."""
    books.advance(date(2026, 1, 15))
    loan_id: int = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 2, 10))
    return loan_id


def test_a_modification_is_compared_in_a_dry_run_and_made_once(client: FlaskClient, loan: int) -> None:
    path = f"/v1/loans/{loan}/modifications"
    tried = send(client, f"{path}?dry_run=true", EXTENSION, "mod-1").get_json()
    assert client.get(f"/v1/loans/{loan}").get_json()["modifications"] == []

    made = send(client, path, EXTENSION, "mod-1").get_json()

    assert tried["comparison"] == made["comparison"]
    before, after = made["comparison"]["before"], made["comparison"]["after"]
    assert (before["installments"], after["installments"]) == (12, 18)
    assert (before["matures_on"], after["matures_on"]) == ("2027-01-15", "2027-07-15")
    assert before["installment"] == usd(88_849)
    assert send(client, path, EXTENSION, "mod-1").get_json() == made
    (shown,) = client.get(f"/v1/loans/{loan}").get_json()["modifications"]
    assert (shown["kind"], shown["after"]["installments"], shown["financial_difficulty"]) == ("extend", 18, False)
    assert problem(send(client, path, {**EXTENSION, "rate": "3"}, "mod-2"))["code"] == "modification-invalid"


def test_what_costs_money_needs_a_second_person(client: FlaskClient, loan: int) -> None:
    path = f"/v1/loans/{loan}/modifications"

    assert problem(send(client, path, FORGIVENESS, "mod-1"))["code"] == "approval-missing"
    made = send(client, path, {**FORGIVENESS, "approved_by": "ben"}, "mod-2").get_json()

    assert made["balances"]["principal"] == usd(900_000)
    assert made["comparison"]["before"]["principal"] == usd(1_000_000)
    reversal = {"reason": "another loan's"}
    undone = send(client, f"/v1/loans/{loan}/events/{made['event_no']}/reversal", reversal, "undo-1").get_json()
    assert undone["balances"]["principal"] == usd(1_000_000)


def test_a_loan_is_called(client: FlaskClient, loan: int) -> None:
    body = {"reason": "Default", "approved_by": "ben"}

    called = send(client, f"/v1/loans/{loan}/acceleration", body, "call-1").get_json()

    assert called["comparison"]["after"]["matures_on"] == "2026-02-10"
    again = problem(send(client, f"/v1/loans/{loan}/acceleration", body, "call-2"))
    assert again["code"] == "modification-refused"
