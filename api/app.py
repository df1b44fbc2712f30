"""The HTTP application: an edge, the routes, the problem documents, a log line for each exchange.

There is no authentication yet: whoever reaches the port acts, under the name that `X-Actor` gives. So
`loanbook serve` listens on this machine only. Next: `api/http.py` for one exchange; `api/routes/` for the
resources.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from flask import Flask, Response, g, request
from werkzeug.routing import IntegerConverter, Map

from api import http
from api.edge import Edge
from api.guards import GuardCheck
from api.routes import (
    ach,
    ach_files,
    agreements,
    allowance,
    applications,
    audit,
    bank,
    cards,
    collections,
    credits,
    decisions,
    delinquency,
    drawdowns,
    fees,
    funding,
    gl_batches,
    gl_reconciliation,
    health,
    indexes,
    instructions,
    journal,
    loans,
    losses,
    modifications,
    payments,
    payoffs,
    products,
    rails,
    refinancing,
    reports,
    sales,
    self_checks,
    tasks,
    trial_balance,
    verification,
    workflows,
)
from servicing.nacha.program import Program
from servicing.rails.cards import CardProcessor

DEFAULT_MAX_BODY_BYTES = 262_144
MAX_ID = 2**63 - 1

BLUEPRINTS = (
    health.routes,
    applications.routes,
    verification.routes,
    loans.routes,
    modifications.routes,
    agreements.routes,
    payments.routes,
    instructions.routes,
    rails.routes,
    cards.routes,
    payoffs.routes,
    credits.routes,
    fees.routes,
    collections.routes,
    delinquency.routes,
    losses.routes,
    sales.routes,
    refinancing.routes,
    funding.routes,
    allowance.routes,
    decisions.routes,
    drawdowns.routes,
    workflows.routes,
    tasks.routes,
    products.routes,
    indexes.routes,
    ach.routes,
    ach_files.routes,
    audit.routes,
    gl_reconciliation.routes,
    self_checks.routes,
    reports.routes,
    gl_batches.routes,
    bank.routes,
    journal.routes,
    trial_balance.routes,
)


class NumberInPath(IntegerConverter):
    """An id or a number in an address: one that the database has no column for names nothing."""

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:  # noqa: A002 - werkzeug's name
        super().__init__(map, *args, **{"max": MAX_ID, **kwargs})


log = structlog.get_logger("loanbook.http")


def create_app(
    edge: Edge,
    *,
    guards: GuardCheck | None = None,
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    bank_account_keys: str | None = None,
    ach_program: Program | None = None,
    card_processor: CardProcessor | None = None,
    card_webhook_secret: str | None = None,
) -> Flask:
    """Return the application on one database; `guards` is what was found at the start, for `/health` to tell.

    Without keys for bank account numbers none is taken, and without a processor no card is charged; all else works.
    """
    app = Flask("loanbook", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_body_bytes
    app.url_map.strict_slashes = True
    app.url_map.converters["int"] = NumberInPath
    app.extensions[http.EXTENSION] = edge
    app.extensions[health.GUARDS] = guards
    app.extensions[rails.VAULT_KEYS] = bank_account_keys
    app.extensions[ach.PROGRAM] = ach_program
    app.extensions[cards.PROCESSOR] = card_processor
    app.extensions[cards.WEBHOOK_SECRET] = card_webhook_secret
    http.install(app, log_failure=_log_failure)
    app.before_request(_start_clock)
    app.after_request(_log_exchange)
    for routes in BLUEPRINTS:
        app.register_blueprint(routes)
    return app


def _start_clock() -> None:
    g.started = time.perf_counter()


def _log_exchange(response: Response) -> Response:
    """Log what happened, without any value that the caller sent: the route's rule, not the path."""
    log.info(
        "exchange",
        request_id=http.request_id(),
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
        replayed=http.REPLAYED in response.headers,
        dry_run=http.DRY_RUN in response.headers,
    )
    return response


def _log_failure(error: BaseException) -> None:
    log.error("fault", request_id=http.request_id(), route=str(request.url_rule), exc_info=error)
