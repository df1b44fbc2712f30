"""`/health` and `/ready`: whether the process answers, and whether it can do its work; `/problems` explains
errors.

Next: `api/problems.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response, current_app
from sqlalchemy import Connection

from api import http, problems
from api.guards import GuardCheck
from api.views import Json, moment, plain
from ledger.queries.accounts import books
from ledger.seals import head

GUARDS = "loanbook.guards"
"""Where the application keeps what its start-up self-check found."""

routes = Blueprint("health", __name__)


@routes.get("/health")
def health() -> Response:
    """Say that the process answers, and how the guards of its database were when it started; it asks nobody."""
    check: GuardCheck | None = current_app.extensions[GUARDS]
    if check is None:
        return http.reply({"status": "ok", "guards": {"checked_at": None}})
    guards = {"checked_at": moment(check.checked_at), "differences": plain(check.findings)}
    if check.findings:
        return http.reply({"status": "guards-differ", "guards": guards}, HTTPStatus.SERVICE_UNAVAILABLE)
    return http.reply({"status": "ok", "guards": guards})


@routes.get("/ready")
def ready() -> Response:
    """Say that the database answers and has the schema, which books it has, and how long ago it was
    sealed."""

    def work(connection: Connection) -> Json:
        latest = head(connection)
        return {
            "status": "ready",
            "books": [book.code for book in books(connection)],
            "latest_block": latest and latest.block_no,
            "sealed_at": latest and moment(latest.sealed_at),
            "seal_lag_seconds": latest and round((datetime.now(UTC) - latest.sealed_at).total_seconds()),
        }

    return http.reply(http.edge().read(work))


@routes.get("/problems/<code>")
def explain(code: str) -> Response:
    """Explain a problem type."""
    for problem in problems.problem_types():
        if problem.code == code:
            return http.reply(
                {
                    "type": problems.type_of(code),
                    "title": problem.title,
                    "status": problem.status,
                    "meaning": problem.meaning,
                    "figures": list(problem.figures),
                }
            )
    raise problems.http_problem("not-found")
