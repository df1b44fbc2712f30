"""Tests and samples of entries over HTTP."""

from __future__ import annotations

from datetime import date

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Books, problem

JANUARY = "booked_from=2026-01-01&booked_to=2026-01-31"


@pytest.fixture(autouse=True)
def january(books: Books) -> None:
    """Book a capital, and a bill twice on a Saturday."""
    books.post(debit="1020", credit="3010", cents=500_000)
    books.advance(date(2026, 1, 10))
    books.post(debit="5200", credit="1020", cents=12_050)
    books.post(debit="5200", credit="1020", cents=12_050)


def test_what_each_test_finds_is_counted_and_shown(client: FlaskClient) -> None:
    found = client.get(f"/v1/audit/tests?{JANUARY}&round=500000").get_json()
    shown = client.get(f"/v1/audit/tests?{JANUARY}&show=weekend").get_json()

    by_name = {row["test"]: (row["entries"], row["total"]["amount"]) for row in found["tests"]}
    assert (by_name["weekend"], by_name["round"], by_name["manual"]) == ((2, 24_100), (1, 500_000), (3, 524_100))
    assert found["total"] == {"amount": 524_100, "currency": "USD"}
    assert [entry["entry_no"] for entry in shown["entries"]] == [2, 3]
    assert problem(client.get(f"/v1/audit/tests?{JANUARY}&show=hunch"))["code"] == "text-refused"


def test_samples_are_drawn_again_by_their_seed(client: FlaskClient) -> None:
    address = f"/v1/audit/sample?{JANUARY}&by=monetary&size=2&seed=audit"
    first, again = client.get(address).get_json(), client.get(address).get_json()
    large = client.get(f"/v1/audit/sample?{JANUARY}&by=threshold&threshold=12051").get_json()

    assert first == again
    assert first["interval"]["amount"] == 262_050
    assert sum(entry["hits"] for entry in first["entries"]) == 2
    assert [entry["entry_no"] for entry in large["entries"]] == [1]
    assert problem(client.get(f"/v1/audit/sample?{JANUARY}&size=2"))["status"] == 400


def test_digits_and_people_are_shown(client: FlaskClient) -> None:
    digits = client.get(f"/v1/audit/digits?{JANUARY}").get_json()
    people = client.get(f"/v1/audit/people?{JANUARY}").get_json()["people"]

    assert [row["entries"] for row in digits["digits"]] == [2, 0, 0, 0, 1, 0, 0, 0, 0]
    assert [(row["person"], row["booked"], row["approved"]) for row in people] == [("bob", 3, 0), ("carol", 0, 3)]
