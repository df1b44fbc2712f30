"""Credits and chargebacks over HTTP: given, taken back, refused by name, once for each key."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, payment, send, usd


@pytest.fixture
def loan(client: FlaskClient, books: Books) -> int:
    """Return a loan of 9,213.43, on 25 February 2026 after its first installment, paid by card as payment 2."""
    books.advance(date(2026, 1, 15))
    loan_id: int = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 2, 25))
    paid = payment(88_849, "P-1", effective_date="2026-02-15", method="card")
    send(client, f"/v1/loans/{loan_id}/payments", paid, "pay-1")
    return loan_id


def credit(cents: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "amount": cents, "currency": "USD", "reason": "Complaint 17", **more}


def test_goodwill_and_a_merchants_refund_go_each_its_own_way(client: FlaskClient, loan: int) -> None:
    # docs/spec/credits.md: 30.29 is earned by the 25th.
    address = f"/v1/loans/{loan}/credits"
    merchant = send(client, address, credit(100_000, "merchant_refund", method="card"), "m").get_json()
    goodwill = send(client, address, credit(5_000, "goodwill"), "g").get_json()

    assert (merchant["allocation"]["principal"], merchant["allocation"]["interest"]) == (usd(100_000), usd(0))
    assert (goodwill["allocation"]["principal"], goodwill["allocation"]["interest"]) == (usd(1_971), usd(3_029))
    lines = {line["slug"]: line["debit"] for line in goodwill["entries"][-1]["lines"]}
    assert lines["goodwill_credits"] == usd(5_000)
    again = send(client, address, credit(5_000, "goodwill"), "g")
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (goodwill, "true")


def test_a_payment_is_charged_back_once(client: FlaskClient, loan: int) -> None:
    address = f"/v1/loans/{loan}/chargebacks"
    body = {"payment_id": 2, "amount": 88_849, "currency": "USD", "reason": "Dispute 4711"}

    done = send(client, address, body, "c").get_json()

    assert (done["balances"]["principal"], done["balances"]["interest"]) == (usd(1_000_000), usd(13_221))
    refused = problem(send(client, address, {**body, "amount": 1}, "more"))
    assert (refused["status"], refused["code"]) == (422, "chargeback-exceeds-payment")
    returned = problem(send(client, f"/v1/loans/{loan}/payments/2/return", {"code": "R01"}, "r"))
    assert (returned["status"], returned["code"]) == (409, "payment-charged-back")


@pytest.mark.parametrize("body", [credit(1, "gift"), {**credit(1, "goodwill"), "reason": ""}, credit(0, "goodwill")])
def test_a_credit_that_says_too_little_is_refused(client: FlaskClient, loan: int, body: dict[str, Any]) -> None:
    assert problem(send(client, f"/v1/loans/{loan}/credits", body, "x"))["code"] == "request-invalid"
