"""Bank accounts, mandates and instructions over HTTP: masked, once for each key, refused by name, never logged."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from cryptography.fernet import Fernet
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from api.app import create_app
from api.edge import Edge
from ledger.fingerprint import canonical_text
from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send, usd

KEYS = Fernet.generate_key().decode()
NUMBER = "55123498765"
ACCOUNT = {"routing": "021000021", "account_number": NUMBER, "kind": "checking", "holder": "Ada Borrower"}
MANDATE = {
    "method": "ach_debit",
    "amount_rule": "amount_due",
    "entry_class": "WEB",
    "account_no": 1,
    "authorized_on": "2026-01-15",
    "text_version": "autopay-3",
    "authorized_how": "signed on the portal",
}


@pytest.fixture
def client(edge: Edge) -> FlaskClient:
    """Return a client of the application, which has a key for bank account numbers."""
    return create_app(edge, bank_account_keys=KEYS).test_client()


@pytest.fixture
def loan(client: FlaskClient, books: Books) -> int:
    """Return a loan of 10,000.00, on Friday 20 March 2026."""
    books.advance(date(2026, 1, 15))
    loan_id: int = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 3, 20))
    return loan_id


def debit(cents: int, **more: Any) -> dict[str, Any]:
    return {"method": "ach_debit", "amount": cents, "currency": "USD", "due_on": "2026-03-20", "account_no": 1, **more}


def test_a_bank_account_is_kept_corrected_and_shown_by_its_last_four(client: FlaskClient, loan: int) -> None:
    address = f"/v1/loans/{loan}/bank-accounts"

    first = send(client, address, ACCOUNT, "a")
    again = send(client, address, ACCOUNT, "a")
    corrected = send(client, f"{address}/1/corrections", {"routing": "011000015", "reason": "C02"}, "c")
    other = problem(send(client, address, {**ACCOUNT, "account_number": "55123498766"}, "a"))

    assert (first.get_json()["account_number"], first.status_code) == ("****8765", 201)
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (first.get_json(), "true")
    assert (corrected.get_json()["version"], corrected.get_json()["reason"]) == (2, "C02")
    assert (other["code"], other["figures"]["field"]) == ("request-key-reused", "number")
    listed = client.get(address).get_json()["bank_accounts"]
    assert [(each["version"], each["routing"]) for each in listed] == [(1, "021000021"), (2, "011000015")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"routing": "021000022"},
        {"kind": "brokerage"},
        {"account_number": NUMBER + "!" * 3},
        {"account_number": NUMBER * 5},
        {"account_number": 55123498765},
        {"holder": "Ada\nBorrower"},
        {"color": "red"},
    ],
)
def test_a_number_is_in_no_log_no_error_no_row(
    client: FlaskClient, edge: Edge, loan: int, wrong: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"/v1/loans/{loan}/bank-accounts"
    with capture_logs() as logs:
        refused = send(client, address, {**ACCOUNT, **wrong}, "w")
        send(client, address, ACCOUNT, "a")
        shown = client.get(address).get_data(as_text=True)
        # What breaks in the middle of the work is logged with its traceback.
        send(create_app(edge, bank_account_keys="no key").test_client(), address, ACCOUNT, "b")

    assert refused.status_code in (400, 422)
    said = json.dumps(logs, default=str) + refused.get_data(as_text=True) + shown + "".join(capsys.readouterr())
    assert len(logs) == 4
    assert NUMBER not in said
    # Neither is a digest of it that could be guessed, where the rows of requests are.
    digest = hashlib.sha256(canonical_text(NUMBER).encode()).hexdigest()[:32]
    with edge.engine.connect() as connection:
        rows = [str(row) for row in connection.execute(sa.text("SELECT r::text FROM ledger.request r"))]
    assert not any(NUMBER in row or digest in row for row in rows)


def test_a_fault_of_ours_logs_no_number(client: FlaskClient, loan: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("broken in the middle")

    monkeypatch.setattr("servicing.rail_store.append_account", broken)
    with capture_logs() as logs:
        response = send(client, f"/v1/loans/{loan}/bank-accounts", ACCOUNT, "a")

    said = json.dumps([_in_full(entry) for entry in logs], default=repr)
    assert (response.status_code, "broken in the middle" in said) == (500, True)
    assert NUMBER not in said
    assert KEYS not in said


def _in_full(entry: Any) -> dict[str, Any]:
    """Return what is logged as it is written: with the traceback of what broke."""
    return dict(structlog.processors.format_exc_info(None, "error", dict(entry)))


def test_without_a_key_no_account_is_taken(edge: Edge, loan: int) -> None:
    bare = create_app(edge).test_client()
    assert problem(send(bare, f"/v1/loans/{loan}/bank-accounts", ACCOUNT, "a"))["code"] == "vault-key-missing"


def test_a_mandate_is_given_and_ended(client: FlaskClient, loan: int) -> None:
    send(client, f"/v1/loans/{loan}/bank-accounts", ACCOUNT, "a")
    address = f"/v1/loans/{loan}/mandates"

    given = send(client, address, MANDATE, "m").get_json()
    ended = send(client, f"{address}/1/end", {"cause": "revoked", "reason": "by telephone"}, "e").get_json()
    late = problem(send(client, f"{address}/1/end", {"cause": "invalidated", "reason": "R07"}, "f"))

    assert (given["status"], given["authorization"]["entry_class"]) == ("in_force", "WEB")
    assert (ended["status"], ended["ended_on"], late["code"]) == ("revoked", "2026-03-20", "mandate-ended")
    assert client.get(address).get_json()["mandates"] == [ended]
    assert problem(send(client, address, {**MANDATE, "account_no": 9}, "n"))["code"] == "bank-account-unknown"


def test_an_instruction_goes_its_way_and_is_found_by_its_trace(client: FlaskClient, books: Books, loan: int) -> None:
    # Sent on Friday 20 March it settles on Monday the 23rd, and its cash waits until the 25th.
    send(client, f"/v1/loans/{loan}/bank-accounts", ACCOUNT, "a")
    address = f"/v1/loans/{loan}/instructions"
    made = send(client, address, debit(88_849), "i").get_json()
    send(client, f"{address}/1/batch", {"reason": "file 1"}, "b")
    sent = send(client, f"{address}/1/send", {"trace": "091000010000001"}, "s").get_json()
    early = problem(send(client, f"{address}/1/settle", {}, "t0"))
    books.advance(date(2026, 3, 23))
    settled = send(client, f"{address}/1/settle", {}, "t").get_json()
    again = send(client, f"{address}/1/settle", {}, "t")
    held = client.get(address).get_json()["held"]
    back = send(client, f"{address}/1/return", {"code": "R01"}, "r").get_json()

    assert (made["status"], sent["status"], sent["settles_on"]) == ("scheduled", "sent", "2026-03-23")
    assert early["code"] == "instruction-not-settled"
    assert settled["moves"][-1]["entries"] == [entry["entry_no"] for entry in settled["after"]["entries"]]
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (settled, "true")
    assert held == {"amount": usd(88_849), "until": "2026-03-25"}
    assert [move["status"] for move in back["moves"]] == ["scheduled", "batched", "sent", "settled", "returned"]
    found = client.get("/v1/instructions?trace=091000010000001").get_json()
    assert found == client.get(f"{address}/1").get_json()
    assert problem(client.get("/v1/instructions?trace=1"))["code"] == "trace-unknown"
    assert problem(client.get(f"{address}/2"))["code"] == "instruction-unknown"


def test_a_payment_that_is_returned_takes_its_instruction_along(client: FlaskClient, loan: int) -> None:
    address = f"/v1/loans/{loan}/instructions"
    check = {"method": "check", "amount": 50_000, "currency": "USD", "due_on": "2026-03-20"}
    send(client, address, check, "i")
    paid = send(client, f"{address}/1/send", {}, "s").get_json()["event_no"]

    back = send(client, f"/v1/loans/{loan}/payments/{paid}/return", {"code": "R01"}, "r").get_json()
    late = problem(send(client, f"/v1/loans/{loan}/payments/{paid}/return", {"code": "R01"}, "q"))

    shown = client.get(f"{address}/1").get_json()
    assert (shown["status"], shown["moves"][-1]["reason"]) == ("returned", "R01")
    assert shown["moves"][-1]["entries"] == [entry["entry_no"] for entry in back["entries"]]
    assert (back["undone_as"], late["code"]) == ("payment_returned", "instruction-move-refused")


def test_what_cannot_move_is_refused_by_name(client: FlaskClient, loan: int) -> None:
    address = f"/v1/loans/{loan}/instructions"
    check = {"method": "check", "amount": 100, "currency": "USD", "due_on": "2026-03-20"}
    send(client, address, check, "i")
    send(client, f"{address}/1/cancel", {"reason": "paid by phone"}, "c")

    assert problem(send(client, f"{address}/1/send", {}, "s"))["code"] == "instruction-move-refused"
    assert problem(send(client, address, debit(100), "j"))["code"] == "bank-account-unknown"
    assert problem(send(client, address, {**check, "method": "pigeon"}, "k"))["code"] == "instruction-invalid"
    assert send(client, f"{address}/1/explode", {}, "x").status_code == 404
