"""Payoff quotes, payoffs and refunds over HTTP: quoted, listed, paid, short, refused, sent back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, payment, send, usd


@pytest.fixture
def loan(client: FlaskClient, books: Books) -> int:
    """Return a loan of 9,213.43, on 20 February 2026 after its first installment."""
    books.advance(date(2026, 1, 15))
    loan_id: int = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 2, 20))
    send(client, f"/v1/loans/{loan_id}/payments", payment(88_849, "P-1", effective_date="2026-02-15"), "pay-1")
    return loan_id


def quoted(client: FlaskClient, loan: int, key: str = "q") -> dict[str, Any]:
    response = send(client, f"/v1/loans/{loan}/payoff-quotes", {"good_through": "2026-02-28"}, key)
    assert response.status_code == 201
    found: dict[str, Any] = response.get_json()
    return found


def test_a_quote_is_given_kept_and_listed(client: FlaskClient, loan: int) -> None:
    # docs/spec/payoff.md: 39.38 by 28 February, 3.02 the day after.
    given = quoted(client, loan)

    assert (given["total"], given["interest"], given["per_diem"]) == (usd(925_281), usd(3_938), usd(302))
    assert (given["quote_id"], given["status"], given["expires_on"]) == (1, "open", "2026-02-28")
    assert quoted(client, loan) == given, "the same key gets the same quote"
    address = f"/v1/loans/{loan}/payoff-quotes"
    assert client.get(address).get_json()["payoff_quotes"] == [given]
    assert client.get(f"{address}/1").get_json() == given
    assert problem(client.get(f"{address}/2"))["code"] == "payoff-quote-unknown"
    refused = problem(send(client, address, {"good_through": "2026-02-19"}, "q2"))
    assert (refused["status"], refused["code"]) == (422, "payoff-date-refused")


def test_a_payoff_closes_the_loan_and_what_is_over_is_sent_back(client: FlaskClient, books: Books, loan: int) -> None:
    quoted(client, loan)
    books.advance(date(2026, 2, 25))
    body = {**payment(925_281, "P-9"), "quote_id": 1}

    paid = send(client, f"/v1/loans/{loan}/payoff", body, "off").get_json()

    # 9,243.72 pays it off on the 25th.
    assert (paid["status"], paid["missing"], paid["days_late"]) == ("paid_off", {}, 0)
    left = {row["slug"]: row["balance"] for row in paid["left"]}
    assert left["unapplied_payments"] == usd(909)
    assert client.get(f"/v1/loans/{loan}/payoff-quotes/1").get_json()["status"] == "used"
    give_back = {"amount": 909, "currency": "USD", "method": "ach", "credit_balance": True, "reason": "Overpaid"}
    refunded = send(client, f"/v1/loans/{loan}/refunds", give_back, "back").get_json()
    assert refunded["balances"]["unapplied"] == usd(0)
    assert [entry["template"] for entry in refunded["entries"]] == ["refund_approved", "refund_sent"]
    again = problem(send(client, f"/v1/loans/{loan}/refunds", {**give_back, "amount": 1}, "more"))
    assert (again["status"], again["code"]) == (422, "refund-exceeds-unapplied")


def test_a_late_payoff_names_what_is_missing(client: FlaskClient, books: Books, loan: int) -> None:
    quoted(client, loan)
    books.advance(date(2026, 3, 1))

    paid = send(client, f"/v1/loans/{loan}/payoff", {**payment(925_281, "P-9"), "quote_id": 1}, "off").get_json()

    assert (paid["status"], paid["missing"], paid["days_late"]) == ("active", {"principal": usd(302)}, 1)


@pytest.mark.parametrize("where", ["payoff", "payments"])
def test_an_amount_over_the_payoff_is_refused_where_the_payment_says_so(
    client: FlaskClient, loan: int, where: str
) -> None:
    # 9,213.43 and five nights: 117.0632 - 101.92 = 15.14.
    body = payment(922_858, "P-9", overpayment="refuse")

    refused = problem(send(client, f"/v1/loans/{loan}/{where}", body, "off"))

    assert (refused["status"], refused["code"]) == (422, "payment-exceeds-payoff")
    assert "9228.58 USD is more than the 9228.57 USD" in refused["detail"]
    unknown = problem(send(client, f"/v1/loans/{loan}/{where}", {**body, "overpayment": "keep"}, "off-2"))
    assert unknown["code"] == "request-invalid"


def test_a_payment_may_have_its_excess_wait_or_sent_back(client: FlaskClient, loan: int) -> None:
    # The first installment is paid; nothing is due before 15 March.
    waiting = send(client, f"/v1/loans/{loan}/payments", payment(10_000, "P-2", excess="hold"), "p2").get_json()
    back = send(client, f"/v1/loans/{loan}/payments", payment(2_500, "P-3", excess="refund"), "p3").get_json()

    assert waiting["allocation"]["unapplied"] == waiting["balances"]["unapplied"] == usd(10_000)
    assert back["balances"]["unapplied"] == usd(10_000)
    assert [entry["template"] for entry in back["entries"]][-2:] == ["refund_approved", "refund_sent"]
