"""`/v1/loans/{id}/refinancings`: a new loan pays an old one off.

Next: `api/refinancing.py`; `docs/spec/closure.md`.
"""

from __future__ import annotations

from flask import Blueprint, Response

from api import http
from api.models import ShortText
from api.refinancing import refinance_loan
from api.requests import inputs_of, once_on_loan
from api.routes.loans import LoanIn
from api.views import minor_units

routes = Blueprint("refinancing", __name__)


class RefinancingIn(LoanIn):
    """The loan that is made to pay another off, and who approves of it."""

    approved_by: ShortText


@routes.post("/v1/loans/<int:loan_id>/refinancings")
def create(loan_id: int) -> Response:
    """Make a new loan, and pay an old one off with it."""
    change, given = http.change(), http.body(RefinancingIn)
    values = given.values()
    approved_by = values.pop("approved_by")
    return once_on_loan(
        change,
        loan_id,
        "refinance",
        inputs_of(given),
        lambda uow: refinance_loan(
            uow, loan_id, values, approved_by=approved_by, request_key=change.key, money=minor_units
        ),
    )
