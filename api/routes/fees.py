"""`/v1/loans/{id}/fees`, `/waivers`, `/write-offs` and `/events/{no}/reversal`: what people decide about a loan.

Next: `api/fees.py`; `docs/spec/fees.md`.
"""

from __future__ import annotations

from flask import Blueprint, Response

from api import http
from api.fees import FeeIn, WaiverIn, charge, give_up, reverse, write_off
from api.models import Body, Code, CurrencyCode, Day, Minor, ShortText
from api.requests import inputs_of, once_on_loan
from api.views import minor_units
from ledger.money import Money

routes = Blueprint("fees", __name__)


class FeeBody(Body):
    """A fee: how much, of which kind, under which id; on the installment of which day (default: the next one)."""

    amount: Minor
    currency: CurrencyCode
    fee_id: Code
    kind: Code
    penalty: bool = False
    due: Day | None = None
    effective_date: Day | None = None


class WaiverBody(Body):
    """A waiver: how much, of a fee by its id or of interest, fees or penalties; why, and who approves of it."""

    amount: Minor
    currency: CurrencyCode
    of: Code
    reason: ShortText
    approved_by: ShortText
    effective_date: Day | None = None


class WriteOffBody(Body):
    """A small balance that is written off, and why."""

    reason: ShortText
    effective_date: Day | None = None


class ReversalBody(Body):
    """An event that was entered by mistake, and why."""

    reason: ShortText


@routes.post("/v1/loans/<int:loan_id>/fees")
def create_fee(loan_id: int) -> Response:
    """Charge a fee."""
    change, given = http.change(), http.body(FeeBody)
    fee = FeeIn(
        loan_id=loan_id,
        amount=Money(given.amount, given.currency),
        kind=given.kind,
        fee_id=given.fee_id,
        penalty=given.penalty,
        due=given.due,
        effective_date=given.effective_date,
    )
    return once_on_loan(
        change,
        loan_id,
        "charge_fee",
        inputs_of(given),
        lambda uow: charge(uow, fee, request_key=change.key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/waivers")
def create_waiver(loan_id: int) -> Response:
    """Waive a fee or interest."""
    change, given = http.change(), http.body(WaiverBody)
    waiver = WaiverIn(
        loan_id=loan_id,
        amount=Money(given.amount, given.currency),
        of=given.of,
        reason=given.reason,
        approved_by=given.approved_by,
        effective_date=given.effective_date,
    )
    return once_on_loan(
        change,
        loan_id,
        "waive",
        inputs_of(given),
        lambda uow: give_up(uow, waiver, request_key=change.key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/write-offs")
def create_write_off(loan_id: int) -> Response:
    """Write off a small balance."""
    change, given = http.change(), http.body(WriteOffBody)
    return once_on_loan(
        change,
        loan_id,
        "write_off",
        inputs_of(given),
        lambda uow: write_off(
            uow,
            loan_id,
            reason=given.reason,
            effective_date=given.effective_date,
            request_key=change.key,
            money=minor_units,
        ),
    )


@routes.post("/v1/loans/<int:loan_id>/events/<int:event_no>/reversal")
def create_reversal(loan_id: int, event_no: int) -> Response:
    """Reverse an event that was entered by mistake."""
    change, given = http.change(), http.body(ReversalBody)
    return once_on_loan(
        change,
        loan_id,
        "reverse_event",
        {"event_no": event_no, **inputs_of(given)},
        lambda uow: reverse(uow, loan_id, event_no, reason=given.reason, request_key=change.key, money=minor_units),
    )
