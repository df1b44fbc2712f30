"""`/v1/loans/{id}/delinquency`: how far behind a loan was, day by day, in ranges of days.

Next: `api/delinquency.py`; `docs/spec/delinquency.md`.
"""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.delinquency import history_json
from api.models import BookQuery, Day
from api.views import minor_units
from servicing.delinquency_queries import delinquency_history

routes = Blueprint("delinquency", __name__)


class HistoryQuery(BookQuery):
    """From which day through which, and as known at the close of which; without them all, as it is known now."""

    from_day: Day | None = Field(default=None, alias="from")
    to: Day | None = None
    known_at: Day | None = None


@routes.get("/v1/loans/<int:loan_id>/delinquency")
def show_delinquency(loan_id: int) -> Response:
    """Return where a loan stood, in ranges of days."""
    asked = http.query(HistoryQuery)
    currency, ranges = http.edge().read(
        lambda connection: delinquency_history(
            connection, loan_id, from_day=asked.from_day, through=asked.to, known_at=asked.known_at
        )
    )
    return http.reply(history_json(loan_id, currency, ranges, minor_units))
