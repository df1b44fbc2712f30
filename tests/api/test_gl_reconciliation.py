"""Statements of the GL over HTTP: taken once, worked on, proved, signed off by two people."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from api.edge import Edge
from gl_export.commands.batches import build_batch
from ledger.seals import seal
from ledger.unit_of_work import run
from tests.api.conftest import Books, problem
from tests.api.test_loans import send, usd


@pytest.fixture(autouse=True)
def sent(books: Books, edge: Edge) -> None:
    """Book a capital of 5,000.00, and send it to the GL."""
    books.post(debit="1020", credit="3010", cents=500_000)
    run(edge.engine, seal, actor="ops")
    run(edge.engine, lambda uow: build_batch(uow, "main"), actor="ops")


def balances(cash: int) -> dict[str, Any]:
    return {
        "as_of": "2026-01-31",
        "rows": [{"gl_account": "1020", "amount": cash}, {"gl_account": "3010", "amount": -500_000}],
    }


def test_a_statement_is_worked_down_to_zero(client: FlaskClient) -> None:
    taken = send(client, "/v1/gl-statements", balances(499_000), "tb-1").get_json()
    again = send(client, "/v1/gl-statements", balances(499_000), "tb-1")
    (found,) = client.get("/v1/gl-breaks").get_json()["breaks"]

    assert (taken["statement"], taken["breaks"]["new"]) == (1, 1)
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (taken, "true")
    assert (found["gl_account"], found["kind"], found["difference"]) == ("1020", "amount", usd(1_000))
    refused = send(client, "/v1/gl-statements/1/sign-offs", {"approved_by": "ben"}, "sign-1")
    assert problem(refused)["code"] == "gl-breaks-open"

    assert send(client, "/v1/gl-breaks/1/assignments", {"owner": "dana"}, "a").get_json()["state"] == "assigned"
    resolved = send(client, "/v1/gl-breaks/1/resolutions", {"reference": "JE-9"}, "r").get_json()
    assert (resolved["state"], resolved["resolved_by"]) == ("resolved", "JE-9")
    proof = client.get("/v1/gl-statements/1").get_json()
    assert (proof["proved"], proof["sign_off"]) == (True, None)
    send(client, "/v1/gl-statements/1/sign-offs", {"approved_by": "ben"}, "sign-2")
    assert client.get("/v1/gl-statements/1").get_json()["sign_off"]["holds"] is True
    assert [each["statement"] for each in client.get("/v1/gl-statements").get_json()["statements"]] == [1]


def test_what_is_not_there_is_said(client: FlaskClient) -> None:
    assert problem(client.get("/v1/gl-statements/7"))["status"] == 404
    assert problem(send(client, "/v1/gl-breaks/7/assignments", {"owner": "dana"}, "a"))["status"] == 404
    mixed = {
        **balances(1),
        "rows": [
            {"gl_account": "1020", "amount": 1, "posting_date": "2026-01-02"},
            {"gl_account": "1020", "amount": 1},
        ],
    }
    assert problem(send(client, "/v1/gl-statements", mixed, "mixed"))["status"] == 400
