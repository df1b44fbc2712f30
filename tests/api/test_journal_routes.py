"""The journal over HTTP: searched, paged while entries arrive, and shown one by one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Books, problem


def numbers(response: Any) -> list[int]:
    """Return the entry numbers of a page."""
    return [entry["entry_no"] for entry in response.get_json()["entries"]]


def test_an_entry_is_shown_with_its_lines_in_minor_units(client: FlaskClient, books: Books) -> None:
    books.post(debit="5200", credit="1020", cents=12050, narration="Agency, January")

    entry = client.get("/v1/journal/1/1").get_json()

    assert entry["narration"] == "Agency, January"
    assert entry["actor"] == "bob"
    assert entry["approved_by"] == "carol"
    assert [(line["account"], line["debit"], line["credit"]) for line in entry["lines"]] == [
        ("5200", {"amount": 12050, "currency": "USD"}, None),
        ("1020", None, {"amount": 12050, "currency": "USD"}),
    ]


def test_an_unknown_entry_is_a_404_with_its_figures(client: FlaskClient, books: Books) -> None:
    document = problem(client.get("/v1/journal/1/7"))

    assert document["code"] == "entry-unknown"
    assert document["figures"] == {"subledger_id": 1, "entry_no": 7}


def test_numbers_past_64_bits_are_no_address(client: FlaskClient, books: Books) -> None:
    assert problem(client.get(f"/v1/journal/{2**63}/1"))["status"] == 404
    assert problem(client.get(f"/v1/journal/1/{2**31}"))["status"] == 404


def test_a_filter_finds_what_it_asks_for(client: FlaskClient, books: Books) -> None:
    books.post(debit="5200", credit="1020", cents=100, narration="Postage")
    books.advance(date(2026, 1, 5))
    books.post(debit="1020", credit="3010", cents=500_000, narration="Capital paid in")

    assert numbers(client.get("/v1/journal?account=3010")) == [2]
    assert numbers(client.get("/v1/journal?text=postage")) == [1]
    assert numbers(client.get("/v1/journal?amount_from=101")) == [2]
    assert numbers(client.get("/v1/journal?amount_to=100&currency=USD")) == [1]
    assert numbers(client.get("/v1/journal?booked_from=2026-01-02")) == [2]
    assert numbers(client.get("/v1/journal?booked_to=2026-01-04")) == [1]
    assert numbers(client.get("/v1/journal?effective_to=2026-01-01")) == [1, 2]
    assert numbers(client.get("/v1/journal?actor=bob&approved_by=carol")) == [1, 2]
    assert numbers(client.get("/v1/journal?actor=nobody")) == []
    assert numbers(client.get("/v1/journal?template=manual_journal&subledger_id=1")) == [1, 2]
    assert numbers(client.get("/v1/journal?recorded_from=2020-01-01T00:00:00Z")) == [1, 2]
    assert numbers(client.get("/v1/journal?recorded_to=2020-01-01T00:00:00Z")) == []


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", '"'])
def test_a_search_takes_no_wildcards(client: FlaskClient, books: Books, text: str) -> None:
    books.post(debit="5200", credit="1020", cents=100, narration="Postage")
    books.post(debit="5200", credit="1020", cents=100, narration=f"odd {text} sign")

    assert numbers(client.get("/v1/journal", query_string={"text": text})) == [2]


def test_an_unknown_account_in_a_filter_is_named(client: FlaskClient, books: Books) -> None:
    assert problem(client.get("/v1/journal?account=9999"))["figures"] == {"account": "9999"}


def test_pages_follow_each_other_without_gap_or_repetition_while_entries_arrive(
    client: FlaskClient, books: Books
) -> None:
    for cents in range(1, 8):
        books.post(debit="5200", credit="1020", cents=cents)
    first = client.get("/v1/journal?limit=3")
    books.post(debit="5200", credit="1020", cents=8)

    second = client.get(f"/v1/journal?limit=3&cursor={first.get_json()['next_cursor']}")
    third = client.get(f"/v1/journal?limit=3&cursor={second.get_json()['next_cursor']}")

    assert numbers(first) + numbers(second) + numbers(third) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert third.get_json()["next_cursor"] is None


def test_a_cursor_of_another_search_is_refused(client: FlaskClient, books: Books) -> None:
    for cents in (1, 2):
        books.post(debit="5200", credit="1020", cents=cents)
    cursor = client.get("/v1/journal?limit=1").get_json()["next_cursor"]

    document = problem(client.get(f"/v1/journal?limit=1&account=1020&cursor={cursor}"))

    assert document["code"] == "cursor-invalid"


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x"])
def test_a_limit_outside_1_to_200_is_refused(client: FlaskClient, books: Books, limit: str) -> None:
    assert problem(client.get(f"/v1/journal?limit={limit}"))["code"] == "request-invalid"


def test_a_limit_of_200_is_taken(client: FlaskClient, books: Books) -> None:
    assert client.get("/v1/journal?limit=200").status_code == 200


def test_an_unknown_book_is_a_404(client: FlaskClient, books: Books) -> None:
    assert problem(client.get("/v1/journal?book=other"))["code"] == "book-unknown"
