"""`/v1/loans/{id}/modifications` and `/acceleration`: the contract of a loan is changed, or all of it falls due.

A dry run answers with the comparison and keeps nothing. Next: `api/modifications.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.models import Body, Code, CurrencyCode, Day, Minor, ShortText
from api.modifications import ModificationIn, call_loan, change_contract
from api.requests import inputs_of, once_on_loan
from api.views import minor_units
from ledger.money import Money

routes = Blueprint("modifications", __name__)

MONEY = ("amount", "principal", "installment_amount")


class ToldBody(Body):
    """What a modification is told, each by its kind: amounts in minor units, the rate as text."""

    currency: CurrencyCode = "USD"
    rate: ShortText | None = None
    until: Day | None = None
    installments: int | None = Field(default=None, ge=1, le=1200)
    day: int | None = Field(default=None, ge=1, le=31)
    first_due_on: Day | None = None
    frequency: ShortText | None = None
    amount: Minor | None = None
    principal: Minor | None = None
    installment_amount: Minor | None = None
    amortization: ShortText | None = None
    installments_are: ShortText | None = None
    then: ShortText | None = None
    components: list[ShortText] | None = None

    def told(self) -> dict[str, Any]:
        """Return what was given, as texts and amounts of money."""
        given = {name: value for name, value in self if name in ToldBody.model_fields and value is not None}
        currency = given.pop("currency")
        return {name: Money(value, currency) if name in MONEY else value for name, value in given.items()}


class ModificationBody(ToldBody):
    """A modification: its kind, what it is told, why, and who approves of it."""

    kind: Code
    reason: ShortText
    approved_by: ShortText | None = None
    financial_difficulty: bool | None = None
    effective_date: Day | None = None


class AccelerationBody(Body):
    """Why all of a loan falls due, and who approves of it."""

    reason: ShortText
    approved_by: ShortText
    effective_date: Day | None = None


@routes.post("/v1/loans/<int:loan_id>/modifications")
def create_modification(loan_id: int) -> Response:
    """Modify a loan."""
    change, given = http.change(), http.body(ModificationBody)
    modification = ModificationIn(
        loan_id=loan_id,
        kind=given.kind,
        told=given.told(),
        reason=given.reason,
        approved_by=given.approved_by,
        effective_date=given.effective_date,
        financial_difficulty=given.financial_difficulty,
    )
    return once_on_loan(
        change,
        loan_id,
        "modify",
        inputs_of(given),
        lambda uow: change_contract(uow, modification, request_key=change.key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/acceleration")
def create_acceleration(loan_id: int) -> Response:
    """Let all that a loan owes fall due."""
    change, given = http.change(), http.body(AccelerationBody)
    return once_on_loan(
        change,
        loan_id,
        "accelerate",
        inputs_of(given),
        lambda uow: call_loan(
            uow,
            loan_id,
            reason=given.reason,
            approved_by=given.approved_by,
            effective_date=given.effective_date,
            request_key=change.key,
            money=minor_units,
        ),
    )
