"""A loan over HTTP: boarded, paid, returned, reversed; once for each key, and on trial when asked."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from api.edge import Edge
from tests.api.conftest import Books, problem

TERMS: dict[str, Any] = {
    "external_id": "L-1",
    "principal": {"amount": 1_000_000, "currency": "USD"},
    "rate": "12.00",
    "installments": 12,
    "funded_on": "2026-01-15",
    "first_due_on": "2026-02-15",
}


def send(client: FlaskClient, path: str, body: dict[str, Any], key: str, **headers: str) -> Any:
    """Send a changing call."""
    return client.post(path, json=body, headers={"Idempotency-Key": key, **headers})


def payment(cents: int, external_id: str, **more: Any) -> dict[str, Any]:
    """Return the body of a payment in dollars."""
    return {"amount": cents, "currency": "USD", "method": "ach", "external_id": external_id, **more}


def usd(cents: int) -> dict[str, Any]:
    """Return money as HTTP writes it."""
    return {"amount": cents, "currency": "USD"}


@pytest.fixture
def open_books(books: Books) -> Books:
    """Return a book whose business date is 15 January 2026."""
    books.advance(date(2026, 1, 15))
    return books


@pytest.fixture
def loan(client: FlaskClient, open_books: Books) -> int:
    """Return the id of a loan of 10,000.00 at 12%, funded on 15 January 2026."""
    loan_id: int = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    return loan_id


def test_a_loan_is_boarded_and_funded_with_its_entries(client: FlaskClient, open_books: Books) -> None:
    response = send(client, "/v1/loans", TERMS, "fund-1", **{"X-Actor": "dora"})

    made = response.get_json()
    assert response.status_code == 201
    assert made["balances"]["principal"] == made["payoff"] == usd(1_000_000)
    funding, disbursement = made["entries"]
    assert [(line["slug"], line["debit"], line["credit"]) for line in funding["lines"]] == [
        ("loan_principal", usd(1_000_000), None),
        ("disbursements_payable", None, usd(970_000)),
        ("deferred_origination_fees", None, usd(30_000)),
    ]
    assert disbursement["template"] == "disbursement_sent"
    assert funding["actor"] == "dora"


@pytest.mark.parametrize(
    ("dates", "code", "words"),
    [
        ({"funded_on": "2025-12-31"}, "funded-before-book-opened", "2025-12-31 cannot be boarded in book main"),
        ({"funded_on": "0001-01-01"}, "terms-invalid", "funded_on: 0001-01-01 lies outside 1900-01-01"),
        ({"funded_on": "9999-12-30", "first_due_on": "9999-12-31"}, "terms-invalid", "funded_on: 9999-12-30"),
        ({"first_due_on": "9999-12-31"}, "terms-invalid", "first_due_on: 9999-12-31 lies outside"),
        ({"first_due_on": "2126-01-01"}, "terms-invalid", "the last of 12 falls due on 2126-12-01"),
        ({"funded_on": "2026-01-16"}, "effective-date-ahead", "2026-01-16 lies ahead"),
    ],
)
def test_a_day_that_cannot_be_is_refused_with_its_figures(
    client: FlaskClient, open_books: Books, dates: dict[str, str], code: str, words: str
) -> None:
    refused = problem(send(client, "/v1/loans", {**TERMS, **dates}, "fund-1"))

    assert (refused["status"], refused["code"]) == (422, code)
    assert words in refused["detail"]
    assert client.get("/v1/journal").get_json()["entries"] == []


def test_a_loan_is_boarded_under_the_rules_of_a_product_by_name_with_every_term(
    client: FlaskClient, open_books: Books
) -> None:
    for name in ("balloon", "step", "custom"):
        send(client, "/v1/products", {"name": name, "rules": {"amortization": name}}, f"load-{name}")
    rows = [{"due": "2026-02-15", "total": usd(600_000)}, {"due": "2026-03-20", "principal": None, "total": None}]

    balloon = send(client, "/v1/loans", {**TERMS, "product": "balloon", "balloon": usd(400_000)}, "fund-1").get_json()
    stepped = {"steps": [{"installments": 6, "amount": usd(50_000)}, {"installments": 6}]}
    step = send(client, "/v1/loans", {**TERMS, "external_id": "L-2", "product": "step", **stepped}, "fund-2").get_json()
    own = {"external_id": "L-3", "product": "custom", "installments": 2, "rows": rows}
    custom = send(client, "/v1/loans", {**TERMS, **own}, "fund-3").get_json()

    # The last of a balloon loan brings the balloon besides its own part of the other 6,000.00.
    assert (balloon["terms"]["product"], balloon["terms"]["balloon"]) == ("balloon", usd(400_000))
    assert balloon["installments"][-1]["principal"]["amount"] > 400_000
    assert [line["principal"]["amount"] + line["interest"]["amount"] for line in step["installments"][:6]] == [
        50_000
    ] * 6
    assert step["terms"]["steps"][0] == {"installments": 6, "amount": usd(50_000)}
    assert [line["due"] for line in custom["installments"]] == ["2026-02-15", "2026-03-20"]
    assert custom["terms"]["rows"][0] == {"due": "2026-02-15", "principal": None, "total": usd(600_000)}


def test_a_loan_in_mid_life_is_boarded_with_its_opening_entry(client: FlaskClient, open_books: Books) -> None:
    open_books.advance(date(2026, 3, 20))
    opening: dict[str, Any] = {
        "cut_over_on": "2026-03-20",
        "principal_balance": usd(921_343),
        "interest_balance": usd(9_996),
        "days_past_due": 5,
    }

    made = send(client, "/v1/loans", {**TERMS, "opening": opening}, "board-1").get_json()
    left = {"external_id": "L-2", "rate": "12.00"}
    rest = {**opening, "next_due_on": "2026-04-15", "installments_left": 10}
    short = send(client, "/v1/loans", {**left, "opening": rest}, "board-2").get_json()

    assert (made["cut_over_on"], made["dpd"], made["status"]) == ("2026-03-20", 5, "active")
    assert made["balances"]["interest"] == usd(9_996)
    (entry,) = made["entries"]
    assert entry["template"] == "loan_boarded"
    assert [(line["slug"], line["debit"], line["credit"]) for line in entry["lines"]] == [
        ("loan_principal", usd(921_343), None),
        ("interest_receivable", usd(9_996), None),
        ("conversion_clearing", None, usd(931_339)),
    ]
    assert (short["dpd"], short["terms"]["installments"], short["terms"]["funded_on"]) == (5, 11, "2026-02-15")
    changes: list[tuple[dict[str, Any], str]] = [
        ({"days_past_due": 6}, "terms-invalid"),
        ({"cut_over_on": "2026-03-21", "days_past_due": 6}, "effective-date-ahead"),
        ({"cut_over_on": "2025-12-20", "days_past_due": 0}, "terms-invalid"),
    ]
    for place, (change, code) in enumerate(changes):
        body = {**TERMS, "external_id": "L-3", "opening": {**opening, **change}}
        assert problem(send(client, "/v1/loans", body, f"no-{place}"))["code"] == code


def test_a_cut_over_before_the_book_opened_is_refused(client: FlaskClient, open_books: Books) -> None:
    opening = {"cut_over_on": "2025-12-20", "principal_balance": usd(921_343)}
    early = {"funded_on": "2025-11-15", "first_due_on": "2025-12-25"}

    refused = problem(send(client, "/v1/loans", {**TERMS, **early, "opening": opening}, "board-1"))

    assert (refused["status"], refused["code"]) == (422, "cut-over-before-book-opened")


def test_a_loan_is_shown_as_it_stood_on_a_day(client: FlaskClient, open_books: Books, loan: int) -> None:
    open_books.advance(date(2026, 3, 20))

    shown = client.get(f"/v1/loans/{loan}?on=2026-02-20").get_json()

    assert (shown["on"], shown["dpd"], shown["bucket"]) == ("2026-02-20", 5, "1-29")
    first = shown["installments"][0]
    assert (first["due"], first["principal"], first["interest"]) == ("2026-02-15", usd(78_657), usd(10_192))


def test_a_payment_is_taken_and_shows_where_each_cent_went(client: FlaskClient, open_books: Books, loan: int) -> None:
    open_books.advance(date(2026, 2, 15))

    response = send(client, f"/v1/loans/{loan}/payments", payment(88_849, "P-1"), "pay-1")

    taken = response.get_json()
    assert response.status_code == 201
    assert taken["allocation"] == {
        "principal": usd(78_657),
        "interest": usd(10_192),
        "fees": usd(0),
        "penalties": usd(0),
        "unapplied": usd(0),
    }
    # The month end brought the fee's first income with it.
    (entry,) = (each for each in taken["entries"] if each["template"] == "payment_applied")
    assert [(line["slug"], line["debit"], line["credit"]) for line in entry["lines"]] == [
        ("ach_clearing", usd(88_849), None),
        ("interest_receivable", None, usd(10_192)),
        ("loan_principal", None, usd(78_657)),
    ]
    assert taken["balances"]["principal"] == usd(921_343)


def test_the_same_request_comes_to_the_same_once(client: FlaskClient, open_books: Books, loan: int) -> None:
    open_books.advance(date(2026, 2, 15))
    first = send(client, f"/v1/loans/{loan}/payments", payment(88_849, "P-1"), "pay-1")

    second = send(client, f"/v1/loans/{loan}/payments", payment(88_849, "P-1"), "pay-1")

    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (second.status_code, second.get_data()) == (first.status_code, first.get_data())
    assert len(client.get(f"/v1/loans/{loan}").get_json()["payments"]) == 1


def test_a_loan_that_is_asked_for_twice_is_boarded_once(client: FlaskClient, open_books: Books) -> None:
    first = send(client, "/v1/loans", TERMS, "fund-1").get_json()

    again = send(client, "/v1/loans", TERMS, "fund-1").get_json()

    assert again == first
    assert problem(send(client, "/v1/loans", TERMS, "fund-2"))["code"] == "loan-exists"


def test_a_key_with_another_input_is_refused_by_its_field(client: FlaskClient, open_books: Books, loan: int) -> None:
    open_books.advance(date(2026, 2, 15))
    send(client, f"/v1/loans/{loan}/payments", payment(88_849, "P-1"), "pay-1")

    document = problem(send(client, f"/v1/loans/{loan}/payments", payment(88_850, "P-1"), "pay-1"))

    assert document["status"] == 422
    assert (document["code"], document["figures"]["field"]) == ("request-key-reused", "amount")


def test_a_refusal_is_the_outcome_of_its_key_for_ever(client: FlaskClient, open_books: Books, loan: int) -> None:
    ahead = payment(100, "P-1", effective_date="2026-01-20")
    refused = problem(send(client, f"/v1/loans/{loan}/payments", ahead, "pay-1"))
    open_books.advance(date(2026, 2, 15))

    again = problem(send(client, f"/v1/loans/{loan}/payments", ahead, "pay-1"))
    under_a_new_key = send(client, f"/v1/loans/{loan}/payments", ahead, "pay-2")

    assert refused["code"] == again["code"] == "effective-date-ahead"
    assert again["figures"] == refused["figures"]
    assert under_a_new_key.status_code == 201


def test_a_dry_run_shows_what_would_be_booked_and_keeps_nothing(
    client: FlaskClient, open_books: Books, loan: int
) -> None:
    open_books.advance(date(2026, 2, 15))

    tried = send(client, f"/v1/loans/{loan}/payments?dry_run=true", payment(88_849, "P-1"), "pay-1")
    done = send(client, f"/v1/loans/{loan}/payments", payment(88_849, "P-1"), "pay-1")

    assert (tried.status_code, tried.headers["Dry-Run"]) == (200, "true")
    assert "Idempotent-Replayed" not in done.headers
    assert tried.get_json()["allocation"] == done.get_json()["allocation"]
    assert [e["lines"] for e in tried.get_json()["entries"]] == [e["lines"] for e in done.get_json()["entries"]]


def test_a_dry_run_of_a_funding_boards_nothing(client: FlaskClient, open_books: Books) -> None:
    loan_id = send(client, "/v1/loans?dry_run=true", TERMS, "fund-1").get_json()["loan_id"]

    assert problem(client.get(f"/v1/loans/{loan_id}"))["code"] == "loan-unknown"


def test_a_returned_payment_is_undone_and_its_fee_charged(client: FlaskClient, open_books: Books, loan: int) -> None:
    open_books.advance(date(2026, 2, 15))
    taken = send(client, f"/v1/loans/{loan}/payments", payment(88_849, "P-1"), "pay-1").get_json()
    open_books.advance(date(2026, 2, 18))

    path = f"/v1/loans/{loan}/payments/{taken['payment_id']}/return"
    undone = send(client, path, {"code": "R01"}, "return-1").get_json()

    assert undone["undone_as"] == "payment_returned"
    assert undone["balances"]["principal"] == usd(1_000_000)
    assert undone["balances"]["penalties"] == usd(2_500)
    again = problem(send(client, path, {"code": "R01"}, "return-2"))
    assert again["code"] == "payment-already-undone"


def test_a_reversed_payment_leaves_the_loan_as_if_it_had_never_come(
    client: FlaskClient, open_books: Books, loan: int
) -> None:
    open_books.advance(date(2026, 2, 15))
    before = client.get(f"/v1/loans/{loan}").get_json()["balances"]
    taken = send(client, f"/v1/loans/{loan}/payments", payment(88_849, "P-1"), "pay-1").get_json()

    path = f"/v1/loans/{loan}/payments/{taken['payment_id']}/reversal"
    undone = send(client, path, {"reason": "Posted to the wrong loan"}, "undo-1").get_json()

    assert undone["balances"] == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (payment(100, "P", effective_date="2026-01-14"), "effective-before-funding"),
        (payment(100, "P", effective_date="2027-01-01"), "effective-date-ahead"),
        (payment(100, "P", method="gold"), "payment-method-unknown"),
        (payment(100, "P") | {"currency": "EUR"}, "currency-mismatch"),
        (payment(100, "P") | {"currency": "XXX"}, "currency-unknown"),
    ],
)
def test_a_payment_that_cannot_be_is_a_problem_with_its_figures(
    client: FlaskClient, loan: int, body: dict[str, Any], code: str
) -> None:
    document = problem(send(client, f"/v1/loans/{loan}/payments", body, "pay-1"))

    assert document["status"] == 422
    assert document["code"] == code
    assert document["figures"]


@pytest.mark.parametrize(
    "body",
    [
        payment(0, "P"),
        payment(-1, "P"),
        payment(1, "P") | {"amount": 1.0},
        payment(1, "P") | {"amount": "1"},
        payment(1, ""),
        payment(1, "P", note="x"),
        {},
    ],
)
def test_a_payment_of_another_form_is_refused_before_anything_is_asked(
    client: FlaskClient, loan: int, body: dict[str, Any]
) -> None:
    assert problem(send(client, f"/v1/loans/{loan}/payments", body, "pay-1"))["code"] == "request-invalid"
    assert send(client, f"/v1/loans/{loan}/payments", payment(100, "P"), "pay-1").status_code == 201


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"funded_on": "2026-01-16"}, "effective-date-ahead"),
        ({"first_due_on": "2026-01-15"}, "terms-invalid"),
        ({"product": "no-such-product"}, "product-unknown"),
        ({"principal": None}, "terms-invalid"),
        ({"balloon": usd(1_000)}, "terms-invalid"),
        ({"steps": [{"installments": 0}]}, "request-invalid"),
        ({"rows": [{"due": "2026-02-15", "color": "red"}]}, "request-invalid"),
        ({"opening": {"cut_over_on": "2026-01-10"}}, "request-invalid"),
        ({"rate": "100000"}, "terms-invalid"),
        ({"principal": {"amount": 100, "currency": "XXX"}}, "currency-unknown"),
        ({"installments": 0}, "request-invalid"),
        ({"rate": 12.5}, "request-invalid"),
        ({"frequency": "daily"}, "request-invalid"),
    ],
)
def test_terms_that_cannot_be_are_refused(
    client: FlaskClient, open_books: Books, change: dict[str, Any], code: str
) -> None:
    assert problem(send(client, "/v1/loans", {**TERMS, **change}, "fund-1"))["code"] == code


def test_an_unknown_loan_is_a_404(client: FlaskClient, open_books: Books) -> None:
    assert problem(client.get("/v1/loans/9"))["code"] == "loan-unknown"
    assert problem(send(client, "/v1/loans/9/payments", payment(100, "P"), "k"))["code"] == "loan-unknown"
    assert problem(client.get(f"/v1/loans/{2**63}"))["status"] == 404


def test_twin_requests_book_one_payment_and_get_one_answer(
    edge: Edge, client: FlaskClient, open_books: Books, loan: int
) -> None:
    open_books.advance(date(2026, 2, 15))
    app, answers, start = create_app(edge), [], threading.Barrier(4)

    def twin() -> None:
        start.wait()
        answers.append(send(app.test_client(), f"/v1/loans/{loan}/payments", payment(88_849, "P-1"), "pay-1"))

    twins = [threading.Thread(target=twin) for _ in range(4)]
    for each in twins:
        each.start()
    for each in twins:
        each.join()

    assert ["Idempotent-Replayed" in answer.headers for answer in answers].count(False) == 1
    assert len({answer.get_data() for answer in answers}) == 1
    assert len(client.get(f"/v1/loans/{loan}").get_json()["payments"]) == 1


def test_ready_says_how_long_ago_it_was_sealed(client: FlaskClient, open_books: Books) -> None:
    before = client.get("/ready").get_json()
    open_books.seal()

    after = client.get("/ready").get_json()

    assert before == {
        "status": "ready",
        "books": ["main"],
        "latest_block": None,
        "sealed_at": None,
        "seal_lag_seconds": None,
    }
    assert after["latest_block"] == 1
    assert 0 <= after["seal_lag_seconds"] < 60
