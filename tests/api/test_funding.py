"""Offers, contracts, fundings and documents over HTTP."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from ledger.money import Money
from origination.application import Action, LoanRequest
from origination.commands import decide_application, submit_application
from servicing.product import parse_product
from servicing.terms import Terms
from tests.api.conftest import OPENED_ON, Books


@pytest.fixture
def application(books: Books) -> int:
    terms = Terms(
        product=parse_product({"name": "installment", "day_count": "30/360", "origination_fee": {"percent": "3.0"}}),
        principal=Money.parse("10000.00", "USD"),
        rate=Decimal("12"),
        installments=12,
        frequency="monthly",
        funded_on=OPENED_ON,
        first_due_on=date(2026, 2, 1),
    )
    request = LoanRequest(external_id="A-1", channel="web", applicant="borrower-1", terms=terms)
    number: int = books.edge.change(lambda uow: submit_application(uow, books.code, request), actor="ann")
    books.edge.change(lambda uow: decide_application(uow, books.code, number, Action.APPROVE), actor="ben")
    return number


def post(client: FlaskClient, path: str, key: str, body: Any = None, actor: str = "web") -> Any:
    headers = {"Idempotency-Key": key, "X-Actor": actor}
    return client.post(path, headers=headers, **({} if body is None else {"json": body}))


def read(client: FlaskClient, path: str) -> Any:
    return client.get(path).json


def test_a_contract_is_made_funded_once_for_its_key_and_canceled(client: FlaskClient, application: int) -> None:
    path = f"/v1/applications/{application}"
    rules = {"product": "installment", "approvals": [{"needs": [{"count": 1}]}], "rescission": {"days": 3}}
    assert post(client, "/v1/funding-policies", "p", {"rules": rules, "approved_by": "chief"}).json["policy_no"] == 1
    option = {"amount": 1_000_000, "installments": 12, "rate": "12"}
    offers = {"currency": "USD", "options": [option], "expires_on": "2026-01-09"}
    made = post(client, f"{path}/offers", "o", offers)
    assert made.status_code == 201
    assert made.json["offers"][0]["disclosure"]["total_of_payments"] == "10661.85"
    assert read(client, f"{path}/offers")["offers"][0]["status"] == "open"

    payout = {"payee": "Dealer", "rail": "wire", "amount": 970_000, "currency": "USD"}
    contract = post(client, f"{path}/contract", "c", {"offer_no": 1, "payouts": [payout]}).json
    assert read(client, f"{path}/contract") == contract
    lacking = post(client, f"{path}/funding", "f", actor="fred")
    assert (lacking.status_code, lacking.json["type"].rpartition("/")[2]) == (409, "funding-not-ready")
    assert post(client, f"{path}/funding/approvals", "a", actor="ann").status_code == 403
    approved = post(client, f"{path}/funding/approvals", "a2", actor="omar").json
    assert approved["missing"] == []
    done = post(client, f"{path}/funding", "f", actor="fred")
    again = post(client, f"{path}/funding", "f", actor="fred")
    assert done.json == again.json
    assert read(client, f"{path}/funding")["loan_id"] == done.json["loan_id"]

    document = post(client, f"{path}/documents", "d", {"kind": "promissory-note", "lender": "First"}).json
    kept = client.get(f"{path}/documents/promissory-note/1.pdf")
    assert kept.data.startswith(b"%PDF-")
    assert read(client, f"{path}/documents")["documents"] == [document]
    canceled = post(client, f"{path}/funding/cancellation", "x", {"reason": "rescinded"})
    assert canceled.json["state"] == "canceled"


def test_what_is_not_there_is_not_found(client: FlaskClient, application: int) -> None:
    path = f"/v1/applications/{application}"
    assert client.get(f"{path}/contract").status_code == 404
    assert client.get("/v1/applications/999/funding").status_code == 404
    assert post(client, f"{path}/contract", "c", {"offer_no": 7}).status_code == 404
    assert post(client, f"{path}/funding/conditions/x", "q", {"evidence": "e"}).status_code == 404
