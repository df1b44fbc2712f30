"""`/v1/loans/<id>/drawdowns`: a loan that is disbursed in parts is drawn further.

Next: `api/drawdowns.py`; `docs/spec/drawdowns.md`.
"""

from __future__ import annotations

from flask import Blueprint, Response

from api import http
from api.drawdowns import draw_further
from api.models import Body, CurrencyCode, Day, Minor
from api.requests import inputs_of, once_on_loan
from api.views import minor_units
from ledger.money import Money

routes = Blueprint("drawdowns", __name__)


class DrawdownIn(Body):
    """An amount to pay out, and when: on the business date, if it is left out."""

    amount: Minor
    currency: CurrencyCode
    on: Day | None = None


@routes.post("/v1/loans/<int:loan_id>/drawdowns")
def draw(loan_id: int) -> Response:
    """Pay out more of a loan; the installments to come are worked out again."""
    change, given = http.change(), http.body(DrawdownIn)
    amount = Money(given.amount, given.currency)
    return once_on_loan(
        change,
        loan_id,
        "draw_down",
        inputs_of(given),
        lambda uow: draw_further(uow, loan_id, amount, given.on, change.key, minor_units),
    )
