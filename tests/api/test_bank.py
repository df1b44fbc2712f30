"""Bank statements and matches over HTTP."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send, usd

BANK_MAP = """
account = "1"
currency = "USD"
columns = { booking_date = "Date", amount = "Amount", text = "Text" }
"""


def a_file(*rows: str) -> dict[str, Any]:
    content = "Date,Text,Amount\n" + "".join(f"{row}\n" for row in rows)
    return {"file": "bank.csv", "content": base64.b64encode(content.encode()).decode(), "map": BANK_MAP}


def test_a_funding_is_settled_by_the_line_of_the_bank(client: FlaskClient, books: Books) -> None:
    books.advance(date(2026, 1, 15))
    send(client, "/v1/loans", TERMS, "fund-1")
    books.advance(date(2026, 1, 20))

    taken = send(client, "/v1/bank-statements", a_file("2026-01-16,ACH DEBIT,-9700.00", "2026-01-16,FEE,-1.00"), "s")
    work = client.get("/v1/bank-work").get_json()
    made = send(client, "/v1/bank-matches/sure", {}, "m").get_json()["matches"]
    again = send(client, "/v1/bank-matches/sure", {}, "m")

    assert taken.get_json()["statements"][0]["new_lines"] == 2
    assert [each["amount"] for each in work["items"]] == [usd(-970_000)]
    assert [(each["rule"], each["lines"]) for each in made] == [("amount", [1])]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [each["line"] for each in client.get("/v1/bank-lines?open=true").get_json()["lines"]] == [2]
    undone = send(client, "/v1/bank-matches/1/undo", {"reason": "No"}, "u").get_json()
    assert undone["match"] == 1
    assert client.get("/v1/bank-matches").get_json() == {"matches": []}
    item = work["items"][0]["item"]
    by_hand = send(client, "/v1/bank-matches", {"lines": [1], "items": [item]}, "h").get_json()
    assert (by_hand["match"], len(by_hand["entries"])) == (2, 1)


def test_what_cannot_be_read_or_matched_is_refused(client: FlaskClient, books: Books) -> None:
    books.advance(date(2026, 1, 15))
    wrong = {**a_file("2026-01-16,X,1"), "content": "no base64!"}
    assert problem(send(client, "/v1/bank-statements", wrong, "a"))["status"] == 400
    assert problem(send(client, "/v1/bank-statements", a_file("yesterday,X,1"), "b"))["code"] == "bank-statement-wrong"
    assert problem(send(client, "/v1/bank-matches", {"lines": [1], "items": ["x"]}, "c"))["status"] == 404
    assert problem(send(client, "/v1/bank-matches/1/undo", {"reason": "x"}, "d"))["status"] == 404
