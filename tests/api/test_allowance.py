"""Loss rates and the allowance over HTTP."""

from __future__ import annotations

from datetime import date

from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send, usd

RATES = {"current": ["1.00"], "1-29": ["5"], "30-59": ["12.5"], "60-89": ["30"], "90-119": ["60"], "120+": ["100"]}
BODY = {"effective_on": "2026-01-01", "method": "bucket", "rates": RATES}


def test_rates_are_loaded_once_and_what_they_require_is_shown(client: FlaskClient, books: Books) -> None:
    books.advance(date(2026, 1, 15))
    send(client, "/v1/loans", TERMS, "fund-1")
    first = send(client, "/v1/loss-rates", BODY, "load-1")
    again = send(client, "/v1/loss-rates", BODY, "load-1")

    assert (first.status_code, first.get_json()["revision"]) == (201, 1)
    assert (again.data, again.headers["Idempotent-Replayed"]) == (first.data, "true")
    # What no cycle has looked at yet does not stand anywhere: nothing is required of it.
    found = client.get("/v1/allowance").get_json()
    assert (found["method"], found["rates_of"], found["allowances"]) == ("bucket", "2026-01-01", [])


def test_rates_that_are_wrong_are_refused(client: FlaskClient, books: Books) -> None:
    send(client, "/v1/loss-rates", BODY, "load-1")

    differ = problem(send(client, "/v1/loss-rates", {**BODY, "rates": {**RATES, "1-29": ["6"]}}, "load-2"))
    invalid = problem(send(client, "/v1/loss-rates", {**BODY, "rates": {"current": ["1"]}}, "load-3"))

    assert (differ["status"], differ["code"]) == (409, "loss-rates-differ")
    assert (invalid["status"], invalid["code"]) == (422, "loss-rates-invalid")
    assert usd(1)["currency"] == "USD"
