"""`/v1/loans/{id}/credits` and `/chargebacks`: the lender's goodwill, a merchant's refund, a payment taken back.

Next: `api/credits.py`; `docs/spec/credits.md`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.credits import ChargebackIn, CreditIn, give_credit, take_back
from api.models import Body, Code, CurrencyCode, Day, Minor, ShortText
from api.requests import inputs_of, once_on_loan
from api.views import minor_units
from ledger.money import Money

routes = Blueprint("credits", __name__)


class CreditBody(Body):
    """A credit, and why. The method is that of a merchant's refund; goodwill brings no money."""

    kind: Literal["goodwill", "merchant_refund"]
    amount: Minor
    currency: CurrencyCode
    reason: ShortText
    method: Code = "cash"
    effective_date: Day | None = None


class ChargebackBody(Body):
    """A payment that is taken back, and how much of it."""

    payment_id: Annotated[int, Field(ge=1, lt=2**31)]
    amount: Minor
    currency: CurrencyCode
    reason: ShortText
    effective_date: Day | None = None


@routes.post("/v1/loans/<int:loan_id>/credits")
def create_credit(loan_id: int) -> Response:
    """Credit a loan; show where the credit went."""
    change, given = http.change(), http.body(CreditBody)
    credit = CreditIn(
        loan_id=loan_id,
        kind=given.kind,
        amount=Money(given.amount, given.currency),
        effective_date=given.effective_date,
        method=given.method,
        reason=given.reason,
    )
    return once_on_loan(
        change,
        loan_id,
        "credit",
        inputs_of(given),
        lambda uow: give_credit(uow, credit, request_key=change.key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/chargebacks")
def create_chargeback(loan_id: int) -> Response:
    """Take back a payment, in part or whole; it keeps its allocation, and a new debt arises."""
    change, given = http.change(), http.body(ChargebackBody)
    chargeback = ChargebackIn(
        loan_id=loan_id,
        payment_id=given.payment_id,
        amount=Money(given.amount, given.currency),
        effective_date=given.effective_date,
        reason=given.reason,
    )
    return once_on_loan(
        change,
        loan_id,
        "charge_back",
        inputs_of(given),
        lambda uow: take_back(uow, chargeback, request_key=change.key, money=minor_units),
    )
