"""Files of the clearing house over HTTP: made once for a key, kept by nobody, taken back, read, and their codes."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from api.app import create_app
from api.edge import Edge
from servicing.nacha.program import Program
from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send, usd

KEYS = Fernet.generate_key().decode()
NUMBER = "55123498765"
ACCOUNT = {"routing": "021000021", "account_number": NUMBER, "kind": "checking", "holder": "Ada Borrower"}
PROGRAM = Program(
    bank_routing="121042882",
    bank_name="First Bank",
    company_name="Loanbook Lending LLC",
    company_id="1234567890",
    origin="1234567890",
)
BUILD = {"date": "2026-03-20", "at": "10:00"}
TRACE = "121042880000001"


@pytest.fixture
def client(edge: Edge) -> FlaskClient:
    """Return a client of an application that knows who sends, and has a key for bank account numbers."""
    return create_app(edge, bank_account_keys=KEYS, ach_program=PROGRAM).test_client()


@pytest.fixture
def loan(client: FlaskClient, books: Books) -> int:
    """Return a loan of 10,000.00 with a debit of 888.49 that is due on Friday 20 March 2026, the business date."""
    books.advance(date(2026, 1, 15))
    loan_id: int = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 3, 20))
    send(client, f"/v1/loans/{loan_id}/bank-accounts", ACCOUNT, "account")
    debit = {"method": "ach_debit", "amount": 88_849, "currency": "USD", "due_on": "2026-03-20", "account_no": 1}
    assert send(client, f"/v1/loans/{loan_id}/instructions", debit, "debit").status_code == 201
    return loan_id


def test_a_file_is_made_once_for_its_key_and_its_text_comes_again(client: FlaskClient, loan: int, edge: Edge) -> None:
    first = send(client, "/v1/ach/sent-files", BUILD, "file")
    again = send(client, "/v1/ach/sent-files", BUILD, "file")
    other = problem(send(client, "/v1/ach/sent-files", BUILD, "other"))

    document = first.get_json()
    assert first.status_code == 201
    assert [(each["trace"], each["loan_id"], each["amount"], each["settles_on"]) for each in document["sent"]] == [
        (TRACE, loan, usd(88_849), "2026-03-23")
    ]
    assert NUMBER in document["content"]
    assert (again.data, again.headers["Idempotent-Replayed"]) == (first.data, "true")
    assert (other["status"], other["code"]) == (409, "ach-nothing-to-send")
    # Whoever reads the database alone cannot read the account number.
    with edge.engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT to_jsonb(r)::text FROM ledger.request r")).scalars().all()
    assert any("sealed" in row for row in kept)
    assert not any(NUMBER in row for row in kept)


def test_a_file_under_a_key_that_is_gone_is_not_given_again(client: FlaskClient, loan: int, edge: Edge) -> None:
    send(client, "/v1/ach/sent-files", BUILD, "file")
    others = create_app(edge, bank_account_keys=Fernet.generate_key().decode(), ach_program=PROGRAM).test_client()

    refused = problem(send(others, "/v1/ach/sent-files", BUILD, "file"))

    assert (refused["code"], refused["figures"]) == ("ach-file-sealed", {"file_no": 1})


def test_a_dry_run_shows_what_would_go_out_without_the_text(client: FlaskClient, loan: int) -> None:
    dry = send(client, "/v1/ach/sent-files?dry_run=true", BUILD, "dry").get_json()

    assert ([each["trace"] for each in dry["sent"]], "content" in dry) == ([TRACE], False)
    assert NUMBER not in json.dumps(dry)
    assert client.get("/v1/ach/files").get_json()["files"] == []


def test_a_debit_that_settled_is_taken_back_once(client: FlaskClient, loan: int, books: Books) -> None:
    send(client, "/v1/ach/sent-files", BUILD, "file")
    reversal = {"traces": [TRACE], "reason": "sent twice", "at": "10:00"}
    early = problem(send(client, "/v1/ach/reversals", reversal, "early"))
    books.advance(date(2026, 3, 24))
    send(client, f"/v1/loans/{loan}/instructions/1/settle", {}, "settle")

    taken_back = send(client, "/v1/ach/reversals", reversal, "back")
    twice = problem(send(client, "/v1/ach/reversals", reversal, "twice"))
    unknown = problem(send(client, "/v1/ach/reversals", {**reversal, "traces": ["121042889999999"]}, "unknown"))

    assert (early["status"], early["code"]) == (409, "ach-reversal-refused")
    assert taken_back.status_code == 201
    assert "REVERSAL" in taken_back.get_json()["content"]
    assert (twice["code"], unknown["status"], unknown["code"]) == ("ach-reversal-refused", 404, "ach-entry-unknown")


def test_a_file_that_is_read_shows_no_account_number(client: FlaskClient, loan: int) -> None:
    content = send(client, "/v1/ach/sent-files", BUILD, "file").get_json()["content"]

    read = client.post("/v1/ach/readings", json={"content": content, "sent": True})
    broken = problem(client.post("/v1/ach/readings", json={"content": content.replace("88849", "88848", 1)}))

    document: dict[str, Any] = read.get_json()
    assert read.status_code == 200
    assert [entry["trace"] for batch in document["batches"] for entry in batch["entries"]] == [TRACE]
    assert NUMBER not in read.text
    assert (broken["status"], broken["code"]) == (422, "ach-total-differs")


def test_codes_say_what_follows(client: FlaskClient, books: Books) -> None:
    one = client.get("/v1/ach/codes/r01").get_json()
    every = client.get("/v1/ach/codes").get_json()["codes"]

    assert (one["code"], one["represent"]) == ("R01", True)
    assert one in every
    assert problem(client.get("/v1/ach/codes/R99"))["code"] == "ach-reason-unknown"


@pytest.mark.parametrize("body", [{"at": "25:00"}, {"at": "1000"}, {"date": "20 March"}, {"when": "now"}])
def test_a_build_says_what_is_wrong_with_it(client: FlaskClient, loan: int, body: dict[str, str]) -> None:
    refused = problem(send(client, "/v1/ach/sent-files", body, "wrong"))

    assert (refused["status"], refused["code"]) == (400, "request-invalid")


def test_without_a_program_nothing_is_sent(edge: Edge, books: Books) -> None:
    bare = create_app(edge, bank_account_keys=KEYS).test_client()

    refused = problem(send(bare, "/v1/ach/sent-files", BUILD, "file"))

    assert (refused["code"], refused["figures"]["place"]) == ("input-malformed", "LOANBOOK_ACH_PROGRAM")
