"""Cards: a real processor on loopback is asked, declines by the card's number, and tells of chargebacks by webhook.

The loan is 10,000.00 at 12%, on Friday 20 March 2026; nothing was paid yet.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from api.card_client import HttpProcessor
from api.card_processor.accounts import DECLINES, is_card_number
from api.cards import charge_due
from api.day import run_the_day
from api.edge import Edge
from servicing.queries import loan_view
from servicing.rails.cards import TOLERANCE_SECONDS, Authorization, Charge, sign
from servicing.rails.errors import ProcessorFailed
from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send
from tests.support.card_processor import KEY, SECRET, call, process, token_of
from tests.support.database import Database

GOOD = "4242424242424242"


@pytest.fixture(scope="module")
def processor_url() -> Iterator[str]:
    with process("card-processor") as url:
        yield url


@pytest.fixture
def client(edge: Edge, processor_url: str) -> FlaskClient:
    """Return a client of an application that talks to the processor."""
    processor = HttpProcessor(processor_url, KEY)
    return create_app(edge, card_processor=processor, card_webhook_secret=SECRET).test_client()


@pytest.fixture
def loan(client: FlaskClient, books: Books) -> int:
    books.advance(date(2026, 1, 15))
    loan_id: int = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 3, 20))
    return loan_id


def schedule(client: FlaskClient, loan: int, token: str, cents: int = 88_849, key: str = "i", **more: Any) -> str:
    """Schedule a payment by a debit card; return its address."""
    body = {"method": "debit_card", "amount": cents, "currency": "USD", "due_on": "2026-03-20", "card_token": token}
    made = send(client, f"/v1/loans/{loan}/instructions", {**body, **more}, key)
    assert made.status_code == 201, made.get_json()
    return f"/v1/loans/{loan}/instructions/{made.get_json()['instruction_no']}"


def payments(edge: Edge, loan: int) -> list[int]:
    with edge.engine.connect() as connection:
        return [each.amount for each in loan_view(connection, loan).loan.events if each.kind == "payment"]


def told(client: FlaskClient, event: dict[str, Any], *, secret: str = SECRET, age: int = 0, signature: str = "") -> Any:
    """Deliver a message as the processor does."""
    body = json.dumps(event).encode()
    headers = {"Card-Signature": signature or sign(secret, body, int(time.time()) - age)}
    return client.post("/v1/card-events", data=body, headers=headers, content_type="application/json")


def test_a_card_pays_once_however_often_it_is_asked(
    client: FlaskClient, edge: Edge, loan: int, processor_url: str
) -> None:
    address = schedule(client, loan, token_of(processor_url, GOOD))

    def ask(_n: int) -> Any:
        return send(client.application.test_client(), f"{address}/charge", {}, "unused").get_json()

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(4)))
    done = send(client, f"{address}/charge", {}, "unused").get_json()

    assert [move["status"] for move in done["moves"]] == ["scheduled", "batched", "sent"]
    assert {json.dumps(each, sort_keys=True) for each in answers} == {json.dumps(done, sort_keys=True)}
    assert payments(edge, loan) == [88_849]
    status, capture = call(processor_url, f"/captures/{done['trace']}")
    assert (status, capture["amount"], capture["reference"]) == (200, 88_849, f"main:{loan}:1")


@pytest.mark.parametrize(("number", "code"), DECLINES.items())
def test_a_declined_card_comes_back_with_the_code_of_its_number(
    client: FlaskClient, edge: Edge, loan: int, processor_url: str, number: str, code: str
) -> None:
    address = schedule(client, loan, token_of(processor_url, number))

    done = send(client, f"{address}/charge", {}, "c").get_json()
    again = send(client, f"{address}/charge", {}, "d").get_json()

    assert (done["status"], done["moves"][-1]["reason"], done["event_no"]) == ("returned", code, None)
    assert (again, payments(edge, loan)) == (done, [])


def test_a_processor_that_never_answers_leaves_it_to_be_asked_again(
    client: FlaskClient, edge: Edge, loan: int, processor_url: str
) -> None:
    address = schedule(client, loan, token_of(processor_url, GOOD))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        mute = HttpProcessor(f"http://127.0.0.1:{silent.getsockname()[1]}", KEY, timeout=0.3)
        started = time.monotonic()
        refused = problem(send(create_app(edge, card_processor=mute).test_client(), f"{address}/charge", {}, "c"))
        elapsed = time.monotonic() - started
        report = charge_due(edge, mute, "main", actor="test")
    assert (refused["code"], elapsed < 5, payments(edge, loan)) == ("processor-failed", True, [])
    assert [each.code for each in report.failures] == ["processor-failed"]
    assert client.get(address).get_json()["status"] == "batched"

    tried = charge_due(edge, HttpProcessor(processor_url, KEY), "main", actor="test", dry_run=True)
    done = charge_due(edge, HttpProcessor(processor_url, KEY), "main", actor="test")
    again = charge_due(edge, HttpProcessor(processor_url, KEY), "main", actor="test")

    assert [(each.looked_at, len(each.failures)) for each in (tried, done, again)] == [(1, 0), (1, 0), (0, 0)]
    assert payments(edge, loan) == [88_849]


def test_a_processor_that_answers_otherwise_is_not_believed(processor_url: str) -> None:
    def ask(processor: HttpProcessor, token: str, key: str = "k") -> Authorization:
        return processor.authorize(Charge(token=token, amount=100, currency="USD", reference="r"), key=key)

    stranger = HttpProcessor(processor_url, "another key")
    with pytest.raises(ProcessorFailed, match="status 401, unauthorized"):
        ask(stranger, "tok_1")
    with pytest.raises(ProcessorFailed, match="status 404, unknown_token"):
        ask(HttpProcessor(processor_url, KEY), "tok_1")
    with pytest.raises(ProcessorFailed, match="the line broke"):
        ask(HttpProcessor("http://127.0.0.1:1", KEY), "tok_1")
    first = ask(HttpProcessor(processor_url, KEY), token_of(processor_url, GOOD), "one key")
    with pytest.raises(ProcessorFailed, match="idempotency_key_reused"):
        ask(HttpProcessor(processor_url, KEY), token_of(processor_url, GOOD), "one key")
    with pytest.raises(ProcessorFailed, match="not_capturable"):
        HttpProcessor(processor_url, KEY).capture(first.authorization_id, 101, key="more")
    assert "key" not in repr(stranger)


def test_a_card_gets_back_what_it_paid_and_no_more(
    client: FlaskClient, edge: Edge, books: Books, loan: int, processor_url: str
) -> None:
    # 11,000.00 is more than the payoff; its cash may be spent a banking day after it settles, on Tuesday the 24th.
    token = token_of(processor_url, GOOD)
    paid = send(client, f"{schedule(client, loan, token, 1_100_000)}/charge", {}, "c").get_json()
    books.advance(date(2026, 3, 23))
    give = {"key": "back", "direction": "credit", "due_on": "2026-03-24"}
    address = schedule(client, loan, token, 5_000, **give)
    assert problem(send(client, f"{address}/charge", {}, "d"))["code"] == "funds-held"
    books.advance(date(2026, 3, 24))

    back = send(client, f"{address}/charge", {}, "e").get_json()

    assert (back["status"], back["trace"].startswith("ref_")) == ("sent", True)
    _, capture = call(processor_url, f"/captures/{paid['trace']}")
    assert (capture["refunded"], capture["amount"]) == (5_000, 1_100_000)
    stranger = schedule(client, loan, token_of(processor_url, GOOD), 100, **{**give, "key": "other"})
    assert problem(send(client, f"{stranger}/charge", {}, "f"))["code"] == "instruction-invalid"


def test_a_chargeback_reaches_the_loan_by_the_webhook_of_a_real_server(
    database: Database, client: FlaskClient, edge: Edge, books: Books, loan: int
) -> None:
    with (
        process("serve", "--workers", "1", LOANBOOK_DATABASE_URL=database.app_url) as server,
        process("card-processor", "--webhook", f"{server}/v1/card-events") as url,
    ):
        app = create_app(edge, card_processor=HttpProcessor(url, KEY)).test_client()
        done = send(app, f"{schedule(app, loan, token_of(url, GOOD))}/charge", {}, "c").get_json()
        address = f"/captures/{done['trace']}/chargebacks"
        status, event = call(url, address, {"amount": 30_000, "reason": "Dispute 4711"})
        books.advance(date(2026, 3, 23))
        again, same = call(url, f"/events/{event['id']}/deliver", {})

    assert (status, event["delivered"], again, same["delivered"]) == (201, 200, 200, 200)
    with edge.engine.connect() as connection:
        view = loan_view(connection, loan)
    taken = [each for each in view.loan.events if each.kind == "chargeback"]
    assert [(each.amount, each.of, each.effective_date) for each in taken] == [
        (30_000, done["event_no"], date(2026, 3, 20))
    ]
    assert taken[0].details["reason"] == "Dispute 4711"


def test_a_message_is_believed_for_its_signature_alone(
    client: FlaskClient, edge: Edge, loan: int, processor_url: str
) -> None:
    address = schedule(client, loan, token_of(processor_url, GOOD))
    paid = send(client, f"{address}/charge", {}, "c").get_json()
    event = {
        "id": "evt_1",
        "type": "chargeback",
        "capture": paid["trace"],
        "amount": 100,
        "currency": "USD",
        "reason": "fraud",
    }

    refused = [
        told(client, event, secret="another"),
        told(client, event, age=TOLERANCE_SECONDS + 5),
        told(client, event, age=-TOLERANCE_SECONDS - 5),
        told(client, event, signature="v1=00"),
        told(client, {**event, "amount": "100"}),
        told(client, {"id": "evt_1"}),
        told(create_app(edge).test_client(), event),
    ]
    assert [problem(each)["code"] for each in refused] == ["webhook-refused"] * len(refused)
    assert problem(told(client, {**event, "capture": "cap_unknown"}))["code"] == "card-payment-unknown"
    assert told(client, {**event, "type": "payout"}).get_json() == {"event_id": "evt_1", "outcome": "ignored"}

    first, second = told(client, event), told(client, event)
    too_much = problem(told(client, {**event, "id": "evt_2", "amount": 88_849}))

    assert (first.get_json(), first.get_json()["outcome"]) == (second.get_json(), "charged_back")
    assert too_much["code"] == "chargeback-exceeds-payment"
    with edge.engine.connect() as connection:
        kinds = [str(each.kind) for each in loan_view(connection, loan).loan.events]
    assert kinds.count("chargeback") == 1


def test_the_numbers_of_cards_have_check_digits() -> None:
    assert all(is_card_number(number) for number in (*DECLINES, GOOD))
    assert not any(is_card_number(each) for each in ("4242424242424241", "42", "", "4242 4242 4242 4242", "٤" * 16))


def test_only_cards_are_charged(client: FlaskClient, loan: int) -> None:
    check = {"method": "check", "amount": 100, "currency": "USD", "due_on": "2026-03-20"}
    send(client, f"/v1/loans/{loan}/instructions", check, "i")
    refused = problem(send(client, f"/v1/loans/{loan}/instructions/1/charge", {}, "c"))
    assert (refused["code"], refused["figures"]["field"]) == ("instruction-invalid", "method")


def test_the_day_charges_cards_once_where_a_processor_is_set(
    client: FlaskClient, edge: Edge, loan: int, processor_url: str
) -> None:
    schedule(client, loan, token_of(processor_url, GOOD))
    day, processor = date(2026, 3, 20), HttpProcessor(processor_url, KEY)

    without = run_the_day(edge, None, "main", day, actor="test")
    before = payments(edge, loan)
    tried = run_the_day(edge, processor, "main", day, actor="test", dry_run=True)
    first = run_the_day(edge, processor, "main", day, actor="test")
    again = run_the_day(edge, processor, "main", day, actor="test")

    assert (without.charged, without.failed, before) == (None, False, [])
    reports = [each.charged for each in (tried, first, again)]
    assert [len(each.moved) for each in reports if each is not None] == [1, 1, 0]
    assert payments(edge, loan) == [88_849]


def test_a_processor_that_is_not_there_leaves_the_loans_closed(client: FlaskClient, edge: Edge, loan: int) -> None:
    schedule(client, loan, "tok_any")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        dead = HttpProcessor(f"http://127.0.0.1:{nobody.getsockname()[1]}", KEY)

        done = run_the_day(edge, dead, "main", date(2026, 3, 20), actor="test")

    assert done.failed
    assert done.charged is not None
    assert [each.code for each in done.charged.failures] == ["processor-failed"]
    assert (done.books.failed, done.books.closed.entries > 0) == (False, True)
