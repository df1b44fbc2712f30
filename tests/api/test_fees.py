"""Fees, waivers, write-offs and reversals over HTTP: charged, shown, waived by two, refused, reversed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, payment, send, usd

FEE: dict[str, Any] = {"amount": 3_000, "currency": "USD", "fee_id": "F-1", "kind": "document"}
WAIVER: dict[str, Any] = {
    "amount": 1_000,
    "currency": "USD",
    "of": "F-1",
    "reason": "Bank holiday",
    "approved_by": "ben",
}


@pytest.fixture
def loan(client: FlaskClient, books: Books) -> int:
    """Return a loan of 10,000.00 at 12%, on 10 February 2026."""
    books.advance(date(2026, 1, 15))
    loan_id: int = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 2, 10))
    return loan_id


def test_a_fee_is_charged_once_and_shown_with_its_installment(client: FlaskClient, loan: int) -> None:
    response = send(client, f"/v1/loans/{loan}/fees", FEE, "fee-1")

    made = response.get_json()
    assert response.status_code == 201
    assert (made["kind"], made["fee_id"], made["amount"]) == ("fee", "F-1", usd(3_000))
    # The interest of every night up to the day of the fee is booked before it, and January's part of the fee that was
    # deferred at the funding after it.
    *interest, charged, earned = [entry["template"] for entry in made["entries"]]
    assert (set(interest), charged, earned) == ({"interest_accrued"}, "fee_charged", "deferred_fee_amortized")
    assert made["balances"]["fees"] == usd(3_000)
    assert send(client, f"/v1/loans/{loan}/fees", FEE, "fee-1").get_json() == made
    again = problem(send(client, f"/v1/loans/{loan}/fees", FEE, "fee-2"))
    assert (again["status"], again["code"]) == (409, "fee-duplicate")
    shown = client.get(f"/v1/loans/{loan}").get_json()
    assert shown["fees"] == [
        {
            "fee_id": "F-1",
            "kind": "document",
            "charged_on": "2026-02-10",
            "installment": 1,
            "amount": usd(3_000),
            "tax": usd(0),
            "waived": usd(0),
            "paid": usd(0),
            "owed": usd(3_000),
        }
    ]
    assert shown["installments"][0]["fees"] == usd(3_000)
    assert shown["buckets"]["fees"] == {"past_due": usd(0), "due": usd(0), "in_advance": usd(3_000)}
    assert [event["kind"] for event in shown["events"]] == ["funded", "fee"]


def test_a_waiver_needs_a_second_person_and_no_more_than_is_owed(client: FlaskClient, loan: int) -> None:
    send(client, f"/v1/loans/{loan}/fees", FEE, "fee-1")
    address = f"/v1/loans/{loan}/waivers"

    alone = problem(send(client, address, {**WAIVER, "approved_by": "ann"}, "w-0", **{"X-Actor": "ann"}))
    waived = send(client, address, WAIVER, "w-1", **{"X-Actor": "ann"}).get_json()
    too_much = problem(send(client, address, {**WAIVER, "amount": 2_001}, "w-2"))

    assert (alone["status"], alone["code"]) == (403, "approval-missing")
    assert (waived["balances"]["fees"], waived["approved_by"]) == (usd(2_000), "ben")
    (entry,) = waived["entries"]
    assert [(line["slug"], line["debit"], line["credit"]) for line in entry["lines"]] == [
        ("waived_fees", usd(1_000), None),
        ("other_fees_receivable", None, usd(1_000)),
    ]
    assert (too_much["status"], too_much["code"]) == (422, "waiver-exceeds-owed")
    assert "20.01 USD of F-1 cannot be waived on 2026-02-10: 20.00 is owed of it" in too_much["detail"]
    assert problem(send(client, address, {**WAIVER, "of": "F-9"}, "w-3"))["code"] == "fee-unknown"
    assert problem(send(client, address, {**WAIVER, "of": "principal"}, "w-4"))["code"] == "not-waivable"


def test_what_was_entered_by_mistake_is_reversed_once(client: FlaskClient, loan: int) -> None:
    fee = send(client, f"/v1/loans/{loan}/fees", FEE, "fee-1").get_json()["event_no"]
    why = {"reason": "Wrong loan"}

    done = send(client, f"/v1/loans/{loan}/events/{fee}/reversal", why, "r-1").get_json()

    assert (done["kind"], done["of"], done["balances"]["fees"]) == ("event_reversed", fee, usd(0))
    assert client.get(f"/v1/loans/{loan}").get_json()["fees"] == []
    twice = problem(send(client, f"/v1/loans/{loan}/events/{fee}/reversal", why, "r-2"))
    assert (twice["status"], twice["code"]) == (409, "event-already-reversed")
    funding = problem(send(client, f"/v1/loans/{loan}/events/1/reversal", why, "r-3"))
    assert (funding["status"], funding["code"]) == (409, "event-not-reversible")
    assert "a funding is unwound" in funding["detail"]
    nothing = problem(send(client, f"/v1/loans/{loan}/events/99/reversal", why, "r-4"))
    assert (nothing["status"], nothing["code"]) == (404, "event-unknown")


def test_a_waiver_that_no_longer_fits_is_listed_for_review(client: FlaskClient, books: Books, loan: int) -> None:
    send(client, f"/v1/loans/{loan}/fees", FEE, "fee-1")
    waiver = send(client, f"/v1/loans/{loan}/waivers", {**WAIVER, "amount": 3_000}, "w-1").get_json()
    assert client.get(f"/v1/loans/{loan}").get_json()["reviews"] == []

    # It comes to light that the fee was reversed: nothing is left to waive.
    send(client, f"/v1/loans/{loan}/events/{waiver['event_no'] - 1}/reversal", {"reason": "Wrong loan"}, "r-1")

    shown = client.get(f"/v1/loans/{loan}").get_json()
    assert shown["reviews"] == [{"event_no": waiver["event_no"], "decided": usd(3_000), "stands": usd(0)}]


def test_a_balance_that_is_not_small_is_not_written_off(client: FlaskClient, loan: int) -> None:
    refused = problem(send(client, f"/v1/loans/{loan}/write-offs", {"reason": "Too much work"}, "o-1"))

    # 10,000.00 x 12% x 26/365 = 85.48.
    assert (refused["status"], refused["code"]) == (422, "balance-not-small")
    assert "10085.48 USD is owed on 2026-02-10; the product has up to 0.00" in refused["detail"]


def test_buckets_tell_what_is_past_due_due_and_in_advance(client: FlaskClient, books: Books, loan: int) -> None:
    books.advance(date(2026, 3, 15))
    send(client, f"/v1/loans/{loan}/payments", payment(10_000, "P-1", effective_date="2026-03-15"), "pay-1")

    found = client.get(f"/v1/loans/{loan}").get_json()["buckets"]

    # The first asks for 101.92, of which 100.00 is paid, and 786.57; the second, due today, for 193.97 - 101.92 = 92.05
    # and the rest of its 888.49.
    assert found["interest"] == {"past_due": usd(192), "due": usd(9_205), "in_advance": usd(0)}
    assert found["principal"] == {
        "past_due": usd(78_657),
        "due": usd(79_644),
        "in_advance": usd(1_000_000 - 78_657 - 79_644),
    }
