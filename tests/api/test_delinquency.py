"""`/v1/loans/{id}/delinquency`: where a loan stood, in ranges of days."""

from __future__ import annotations

from datetime import date

from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send, usd


def test_a_loan_shows_since_when_it_was_past_due_and_with_how_much(client: FlaskClient, books: Books) -> None:
    # 888.49 fall due on 15 February and on 15 March; 888.49 of 20 March pay the first.
    books.advance(date(2026, 1, 15))
    loan = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 3, 20))
    body = {"amount": 88_849, "currency": "USD", "external_id": "P-1", "method": "ach"}
    assert send(client, f"/v1/loans/{loan}/payments", body, "pay").status_code == 201

    asked = client.get(f"/v1/loans/{loan}/delinquency?from=2026-02-15&to=2026-03-20")

    found = [
        (each["from"], each["through"], each["unpaid_since"], each["dpd_from"], each["bucket"], each["past_due"])
        for each in asked.get_json()["ranges"]
    ]
    # A late fee comes with the close of a day, and none was run.
    assert found == [
        ("2026-01-15", "2026-02-15", None, 0, "current", usd(0)),
        ("2026-02-16", "2026-03-15", "2026-02-15", 1, "1-29", usd(88_849)),
        ("2026-03-16", "2026-03-16", "2026-02-15", 29, "1-29", usd(177_698)),
        ("2026-03-17", "2026-03-19", "2026-02-15", 30, "30-59", usd(177_698)),
        # If nothing comes, it is 30 days past due on 14 April.
        ("2026-03-20", "2026-04-13", "2026-03-15", 5, "1-29", usd(88_849)),
    ]
    assert problem(client.get("/v1/loans/99/delinquency"))["code"] == "loan-unknown"
