"""`/v1/trial-balance`: debits and credits of every account on a day, as known now or at a seal block.

Next: `ledger/queries/trial_balance.py`.
"""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import Connection

from api import http
from api.edge import choose_book
from api.journal import known_at_block
from api.models import BookQuery, By, Day, KnownAt
from api.views import Json, minor_units, trial_balance_json
from ledger.queries.accounts import book
from ledger.queries.trial_balance import trial_balance

routes = Blueprint("trial_balance", __name__)


class TrialBalanceQuery(BookQuery):
    """Through which day, of which kind, and as known at which block."""

    as_of: Day | None = None
    by: By = "booking"
    known_at: KnownAt | None = None


@routes.get("/v1/trial-balance")
def show() -> Response:
    """Return the trial balance through a day, that day included; without one, through the business date."""
    asked = http.query(TrialBalanceQuery)

    def work(connection: Connection) -> Json:
        code = choose_book(connection, asked.book)
        day = asked.as_of or book(connection, code).business_date
        block = known_at_block(connection, asked.known_at)
        report = trial_balance(connection, code, as_of=day, by=asked.by, known_at=block)
        return trial_balance_json(report, minor_units)

    return http.reply(http.edge().read(work))
