"""`/health` and `/ready`: whether the process answers, and whether it can do its work; `/problems` explains
errors.

Next: `api/problems.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response
from sqlalchemy import Connection

from api import http, problems
from api.views import Json, moment
from ledger.queries.accounts import books
from ledger.seals import head

routes = Blueprint("health", __name__)


@routes.get("/health")
def health() -> Response:
    """Say that the process answers; it asks nobody else."""
    return http.reply({"status": "ok"})


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
