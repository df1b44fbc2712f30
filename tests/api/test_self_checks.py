"""The books' checks of themselves over HTTP."""

from __future__ import annotations

from datetime import date

from flask.testing import FlaskClient

from tests.api.conftest import Books, problem
from tests.api.test_loans import TERMS, send


def test_sound_books_say_so(client: FlaskClient, books: Books) -> None:
    books.advance(date(2026, 1, 15))
    send(client, "/v1/loans", TERMS, "fund-1")

    found = client.get("/v1/self-checks?sample=5").get_json()

    assert found["holds"] is True
    assert [(each["check"], each["holds"]) for each in found["checks"]][-1] == ("engine", True)
    assert found["checks"][-1]["looked_at"] == 1


def test_more_loans_than_a_request_may_fold_are_refused(client: FlaskClient) -> None:
    assert problem(client.get("/v1/self-checks?sample=1001"))["status"] == 400
