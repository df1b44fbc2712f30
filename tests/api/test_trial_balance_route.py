"""The trial balance over HTTP."""

from __future__ import annotations

from datetime import date

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Books, problem


def test_the_trial_balance_of_a_day_counts_what_was_booked_through_it(client: FlaskClient, books: Books) -> None:
    books.post(debit="1020", credit="3010", cents=500_000)
    books.advance(date(2026, 1, 5))
    books.post(debit="5200", credit="1020", cents=12_050)

    before = client.get("/v1/trial-balance?as_of=2026-01-04").get_json()
    after = client.get("/v1/trial-balance?as_of=2026-01-05").get_json()

    assert [(row["account"], row["debits"]["amount"], row["credits"]["amount"]) for row in before["rows"]] == [
        ("1020", 500_000, 0),
        ("3010", 0, 500_000),
    ]
    assert [
        (row["account"], row["debit_balance"]["amount"], row["credit_balance"]["amount"]) for row in after["rows"]
    ] == [("1020", 487_950, 0), ("3010", 0, 500_000), ("5200", 12_050, 0)]
    (totals,) = after["totals"]
    assert totals["debit_balances"] == totals["credit_balances"] == {"amount": 500_000, "currency": "USD"}


def test_by_effective_date_it_counts_what_was_booked_later_for_that_day(client: FlaskClient, books: Books) -> None:
    books.advance(date(2026, 1, 5))
    books.post(debit="1020", credit="3010", cents=500_000)

    booked = client.get("/v1/trial-balance?as_of=2026-01-04").get_json()
    effective = client.get("/v1/trial-balance?as_of=2026-01-04&by=effective").get_json()

    assert booked["rows"] == []
    assert len(effective["rows"]) == 2


def test_without_a_day_it_is_that_of_the_business_date(client: FlaskClient, books: Books) -> None:
    books.advance(date(2026, 1, 5))

    assert client.get("/v1/trial-balance").get_json()["as_of"] == "2026-01-05"


def test_it_says_which_block_it_reflects_and_whether_more_is_counted(client: FlaskClient, books: Books) -> None:
    books.post(debit="1020", credit="3010", cents=500_000)

    report = client.get("/v1/trial-balance").get_json()

    assert report["block_no"] == 0
    assert report["includes_unsealed"] is True


@pytest.mark.parametrize("query", ["as_of=2026-02-30", "as_of=yesterday", "by=recorded", "known_at=x", "known_at=-1"])
def test_a_malformed_question_is_refused(client: FlaskClient, books: Books, query: str) -> None:
    assert problem(client.get(f"/v1/trial-balance?{query}"))["code"] == "request-invalid"


def test_as_known_at_a_block_or_a_moment_it_leaves_out_what_came_later(client: FlaskClient, books: Books) -> None:
    books.seal()
    sealed_at = client.get("/ready").get_json()["sealed_at"]
    books.post(debit="1020", credit="3010", cents=500_000)

    at_block = client.get("/v1/trial-balance?known_at=1").get_json()
    at_moment = client.get("/v1/trial-balance", query_string={"known_at": sealed_at}).get_json()
    before = client.get("/v1/trial-balance?known_at=2020-01-01T00:00:00Z").get_json()

    assert at_block["totals"][0]["debits"] == {"amount": 1, "currency": "USD"}
    assert at_block["includes_unsealed"] is False
    assert at_moment == at_block
    assert before["rows"] == []


@pytest.mark.parametrize("block", ["0", "2"])
def test_a_block_that_does_not_exist_is_a_404(client: FlaskClient, books: Books, block: str) -> None:
    books.seal()

    document = problem(client.get(f"/v1/trial-balance?known_at={block}"))

    assert document["figures"] == {"block_no": int(block), "latest": 1}
