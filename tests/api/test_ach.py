"""Files of the clearing house over HTTP: taken in once, and what they leave settled by a person."""

from __future__ import annotations

from datetime import date

from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import payment, send, usd
from tests.support.ach_answers import Answered, answer_file

PAID = date(2026, 2, 16)


def a_loan(client: FlaskClient, books: Books) -> int:
    """Return a loan of 10,000.00 with a payment of 888.49, on 16 February 2026."""
    books.advance(date(2026, 1, 15))
    terms = {"principal": usd(1_000_000), "rate": "12.00", "installments": 12}
    days = {"funded_on": "2026-01-15", "first_due_on": "2026-02-15"}
    done = send(client, "/v1/loans", {"external_id": "L-1", **terms, **days}, "fund")
    books.advance(PAID)
    return int(done.get_json()["loan_id"])


def test_a_return_without_its_entry_is_taken_once_and_matched_by_hand(client: FlaskClient, books: Books) -> None:
    loan = a_loan(client, books)
    paid = send(client, f"/v1/loans/{loan}/payments", payment(88_849, "p1"), "pay").get_json()
    body = {"content": answer_file([Answered("R01", "121042880000001", 88_849)]).decode(), "name": "returns.ach"}

    first = send(client, "/v1/ach/files", body, "file-1")
    again = send(client, "/v1/ach/files", body, "file-1")
    other_key = send(client, "/v1/ach/files", body, "file-2").get_json()
    (item,) = client.get("/v1/ach/work").get_json()["items"]
    match = {"how": "matched", "loan_id": loan, "payment_id": paid["payment_id"]}
    settled = send(client, "/v1/ach/files/1/items/1/resolution", match, "match")

    assert (first.status_code, first.get_json()["items"][0]["outcome"]) == (201, "unmatched")
    assert (again.data, again.headers["Idempotent-Replayed"]) == (first.data, "true")
    assert other_key["replayed"] is True
    assert (item["code"], item["amount"], item["reason"]) == (
        "R01",
        usd(88_849),
        "no entry of this trace number was sent",
    )
    assert settled.status_code == 201
    (file,) = client.get("/v1/ach/files").get_json()["files"]
    assert (file["way"], file["debits"], file["entries"]) == ("taken", usd(88_849), 1)
    assert problem(client.get("/v1/ach/sent-files/1"))["code"] == "ach-file-unknown"
    assert client.get("/v1/ach/work").get_json()["items"] == []
    assert problem(send(client, "/v1/ach/files/1/items/1/resolution", match, "match-2"))["code"] == "ach-item-settled"


def test_a_broken_file_is_a_problem_with_its_line(client: FlaskClient, books: Books) -> None:
    content = answer_file([Answered("R01", "121042880000001", 100)]).decode().replace("R01", "R99")

    refused = problem(send(client, "/v1/ach/files", {"content": content}, "file"))

    assert (refused["status"], refused["code"], refused["figures"]["line"]) == (422, "ach-code-unknown", 4)


def test_a_resolution_says_what_it_needs(client: FlaskClient, books: Books) -> None:
    refused = problem(send(client, "/v1/ach/files/1/items/1/resolution", {"how": "matched"}, "r1"))
    unknown = problem(send(client, "/v1/ach/files/1/items/1/resolution", {"how": "noted", "note": "x"}, "r2"))

    assert refused["status"] == 400
    assert (unknown["status"], unknown["code"]) == (404, "ach-item-unknown")


def test_rates_and_retries_are_shown(client: FlaskClient, books: Books) -> None:
    rates = client.get("/v1/ach/rates?as_of=2026-03-31").get_json()
    retries = client.get("/v1/ach/retries?since=2026-01-01").get_json()

    assert [(each["rate"], each["limit"]) for each in rates["rates"]] == [
        ("unauthorized", "0.50"),
        ("administrative", "3.00"),
        ("overall", "15.00"),
    ]
    assert retries == {"since": "2026-01-01", "debits": []}
