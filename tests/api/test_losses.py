"""Charge-offs, recoveries and non-accrual over HTTP: decided by two people, refused by name, once for each key."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send, usd


@pytest.fixture
def loan(client: FlaskClient, books: Books) -> int:
    """Return a loan of 10,000.00 at 12 % from 15 January 2026, on 15 June: 10000 x 12% x 151/365 = 496.44."""
    books.advance(date(2026, 1, 15))
    loan_id: int = send(client, "/v1/loans", TERMS, "fund-1").get_json()["loan_id"]
    books.advance(date(2026, 6, 15))
    return loan_id


def decided(**more: Any) -> dict[str, Any]:
    return {"reason": "Moved away", "approved_by": "ben", **more}


def recovered(cents: int, name: str, **more: Any) -> dict[str, Any]:
    return {"amount": cents, "currency": "USD", "external_id": name, "method": "ach", **more}


def test_a_loan_is_charged_off_recovered_and_restored(client: FlaskClient, loan: int) -> None:
    address = f"/v1/loans/{loan}"
    done = send(client, f"{address}/charge-offs", decided(), "off").get_json()

    assert (done["status"], done["amount"], done["payoff"]) == ("charged_off", usd(1_049_644), usd(1_049_644))
    again = send(client, f"{address}/charge-offs", decided(), "off")
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (done, "true")

    body = recovered(100_000, "R-1", agency="Northern Collections", commission=25_000)
    recovery = send(client, f"{address}/recoveries", body, "r").get_json()
    assert (recovery["allocation"]["principal"], recovery["commission"]) == (usd(100_000), usd(25_000))
    assert recovery["balances"]["principal"] == usd(900_000)

    undone = send(
        client, f"{address}/charge-off-reversals", {"reason": "Mistake", "approved_by": "ben"}, "u"
    ).get_json()
    # As a payment it takes the interest of the first two installments: 101.92, and 193.97 (59 nights) less that.
    assert (undone["status"], undone["balances"]["interest"]) == ("active", usd(49_644 - 19_397))


def test_income_stops_and_goes_on(client: FlaskClient, loan: int) -> None:
    address = f"/v1/loans/{loan}"
    stopped = send(client, f"{address}/non-accruals", decided(), "stop").get_json()
    shown = client.get(address).get_json()

    assert (stopped["status"], stopped["balances"]["interest"]) == ("non_accrual", usd(49_644))
    assert shown["books"]["interest_not_accrued"] == usd(49_644)
    assert shown["books"]["non_accrual_since"] == "2026-06-15"
    assert send(client, f"{address}/returns-to-accrual", decided(), "go").get_json()["status"] == "active"


def test_what_one_person_decides_or_cannot_be_is_refused(client: FlaskClient, loan: int) -> None:
    address = f"/v1/loans/{loan}"
    early = problem(send(client, f"{address}/recoveries", recovered(1, "R-1"), "r"))
    assert (early["status"], early["code"]) == (409, "not-charged-off")
    none = problem(send(client, f"{address}/charge-off-reversals", {"reason": "x", "approved_by": "ben"}, "u"))
    assert (none["status"], none["code"]) == (409, "not-charged-off")
    active = problem(send(client, f"{address}/returns-to-accrual", decided(), "go"))
    assert (active["status"], active["code"]) == (409, "accrual-state-refused")
    silent = problem(send(client, f"{address}/charge-offs", {"reason": "x", "approved_by": ""}, "off"))
    assert silent["code"] == "request-invalid"


def test_the_final_account_names_what_is_left(client: FlaskClient, loan: int) -> None:
    send(client, f"/v1/loans/{loan}/charge-offs", decided(), "off")

    final = client.get(f"/v1/loans/{loan}/final-account").get_json()

    assert (final["is_done"], final["status"]) == (False, "charged_off")
    assert final["left"] == {"charged_off_claim": usd(1_049_644), "charged_off_claim_contra": usd(1_049_644)}


def test_a_loan_is_sold_and_bought_back(client: FlaskClient, loan: int) -> None:
    address = f"/v1/loans/{loan}"
    deal = {"counterparty": "Harbor Fund", "approved_by": "ben"}

    sold = send(client, f"{address}/sales", deal, "sell").get_json()
    late = problem(send(client, f"{address}/charge-offs", decided(), "off"))
    back = send(client, f"{address}/purchases", deal, "buy").get_json()

    assert (sold["status"], sold["payoff"], sold["servicing"]) == ("sold", usd(0), "released")
    assert (late["status"], late["code"]) == (409, "loan-sold")
    assert (back["status"], back["payoff"]) == ("active", usd(1_049_644))


def test_a_flag_shows_what_it_holds(client: FlaskClient, loan: int) -> None:
    address = f"/v1/loans/{loan}"
    send(client, f"{address}/flags", {"flag": "deceased", "reason": "Certificate"}, "set")

    shown = client.get(address).get_json()
    send(client, f"{address}/flags", {"flag": "deceased", "reason": "Mistake", "lifted": True}, "lift")

    assert (shown["flags"], shown["holds"]) == (["deceased"], ["autopay", "collections", "late_fees"])
    assert client.get(address).get_json()["flags"] == []
    unknown = problem(send(client, f"{address}/flags", {"flag": "holiday", "reason": "x"}, "no"))
    assert (unknown["status"], unknown["code"]) == (422, "flag-refused")


def test_a_loan_is_refinanced(client: FlaskClient, loan: int) -> None:
    terms = {**TERMS, "external_id": "N-1", "principal": usd(1_200_000), "approved_by": "ben"}
    body = {**terms, "funded_on": "2026-06-15", "first_due_on": "2026-07-15"}

    done = send(client, f"/v1/loans/{loan}/refinancings", body, "refinance").get_json()
    again = send(client, f"/v1/loans/{loan}/refinancings", body, "refinance")

    assert (done["paid_off_with"], done["status"]) == (usd(1_049_644), "paid_off")
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (done, "true")
    small = problem(
        send(
            client,
            f"/v1/loans/{done['new_loan_id']}/refinancings",
            {**body, "external_id": "N-2", "principal": usd(1)},
            "no",
        )
    )
    assert (small["status"], small["code"]) == (409, "refinancing-refused")
