"""GL batches over HTTP: down to the entries behind a line, and what the general ledger answered."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gl_export.commands.batches import build_batch, record_delivery
from ledger.seals import seal
from ledger.unit_of_work import run
from tests.api.conftest import Books, problem
from tests.api.test_loans import send, usd


@pytest.fixture(autouse=True)
def built(books: Books) -> None:
    """Book a capital of 5,000.00 in two parts, and build the batch of them."""
    for cents in (400_000, 100_000):
        books.post(debit="1020", credit="3010", cents=cents)
    run(books.edge.engine, seal, actor="ops")
    run(books.edge.engine, lambda uow: build_batch(uow, "main"), actor="ops")


def test_a_line_leads_to_its_entries(client: FlaskClient) -> None:
    (listed,) = client.get("/v1/gl-batches").get_json()["batches"]
    shown = client.get("/v1/gl-batches/1").get_json()
    entries = client.get("/v1/gl-batches/1/lines/1/entries").get_json()["entries"]

    assert (listed["state"], listed["control_totals"][0]["debits"]) == ("built", usd(500_000))
    assert [(line["gl_account"], line["amount"]) for line in shown["lines"]] == [
        ("1020", usd(500_000)),
        ("3010", usd(-500_000)),
    ]
    assert [entry["amount"] for entry in entries] == [usd(400_000), usd(100_000)]
    assert problem(client.get("/v1/gl-batches/2"))["code"] == "batch-unknown"
    assert problem(client.get("/v1/gl-batches/1/lines/3/entries"))["code"] == "batch-line-unknown"


def test_a_batch_is_answered_once_it_was_delivered(client: FlaskClient, books: Books) -> None:
    too_soon = send(client, "/v1/gl-batches/1/acknowledgments", {"reference": "JE-1"}, "a")
    run(books.edge.engine, lambda uow: record_delivery(uow, "main", 1, Path("gl"), ()), actor="ops")
    rejected = send(client, "/v1/gl-batches/1/rejections", {"reason": "Closed"}, "b").get_json()
    run(books.edge.engine, lambda uow: record_delivery(uow, "main", 1, Path("gl"), ()), actor="ops")
    done = send(client, "/v1/gl-batches/1/acknowledgments", {"reference": "JE-1"}, "c")
    again = send(client, "/v1/gl-batches/1/acknowledgments", {"reference": "JE-1"}, "c")

    assert problem(too_soon)["code"] == "batch-answer-refused"
    assert (rejected["state"], rejected["delivery"]) == ("rejected", 1)
    assert (done.get_json()["state"], again.headers["Idempotent-Replayed"]) == ("acknowledged", "true")
    assert client.get("/v1/gl-batches/1").get_json()["reference"] == "JE-1"
