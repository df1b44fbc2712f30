"""Collecting over HTTP: promises and contacts once for each key, flags that hold, the work list page by page."""

from __future__ import annotations

from datetime import date

from flask.testing import FlaskClient

from servicing.collecting import parse_policy
from servicing.commands.collections import load_policy
from servicing.commands.cycle import run_cycle
from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send, usd


def test_a_promise_is_noted_and_nobody_calls_against_a_flag(client: FlaskClient, books: Books) -> None:
    books.advance(date(2026, 1, 15))
    loan = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 3, 1))
    address = f"/v1/loans/{loan}"
    body = {"currency": "USD", "promises": [{"amount": 40_000, "by": "2026-03-06"}]}

    made = send(client, f"{address}/promises", body, "promise").get_json()

    assert (made["promises"][0]["amount"], made["promises"][0]["status"]) == (usd(40_000), "open")
    assert send(client, f"{address}/promises", body, "promise").headers["Idempotent-Replayed"] == "true"
    call = {"channel": "call", "outcome": "reached"}
    assert send(client, f"{address}/contacts", call, "c1").status_code == 201
    send(client, f"{address}/contact-flags", {"reason": "letter of 1 March"}, "stop")
    assert problem(send(client, f"{address}/contacts", call, "c2"))["code"] == "contact-ceased"
    send(client, f"{address}/contact-flags", {"reason": "agreed", "lift": True}, "go")
    assert send(client, f"{address}/contacts", call, "c3").status_code == 201
    shown = client.get(f"{address}/collections").get_json()
    kinds = [note["kind"] for note in shown["log"]]
    assert kinds == ["promise", "contact", "cease_contact", "allow_contact", "contact"]
    assert client.get("/v1/collections/cases").get_json() == {"cases": [], "next_cursor": None}
    assert problem(client.get("/v1/collections/cases?cursor=x"))["code"] == "cursor-invalid"


def test_the_work_list_goes_on_where_a_page_ended(client: FlaskClient, books: Books) -> None:
    books.advance(date(2026, 1, 15))
    for number in range(3):
        send(client, "/v1/loans", {**TERMS, "external_id": f"L-{number}"}, f"fund-{number}")
    keys = {"strategies": [{"bucket": "1-29", "queue": "early", "next_action": "text"}]}
    books.edge.change(lambda uow: load_policy(uow, books.code, parse_policy(keys)), actor="test")
    books.advance(date(2026, 3, 1))
    run_cycle(books.edge.engine, books.code, date(2026, 3, 1), actor="test")
    address, found, cursor = "/v1/collections/cases?limit=2&queue=early", [], None

    for _ in range(2):
        page = client.get(address + (f"&cursor={cursor}" if cursor else "")).get_json()
        found += [case["loan_id"] for case in page["cases"]]
        cursor = page["next_cursor"]

    assert (len(set(found)), cursor) == (3, None)
