"""`/v1/loans/{id}/charge-offs`, `/charge-off-reversals`, `/recoveries`, `/non-accruals`, `/returns-to-accrual`.

Next: `api/losses.py`; `docs/spec/charge_off.md`, `docs/spec/non_accrual.md`.
"""

from __future__ import annotations

from flask import Blueprint, Response

from api import http
from api.losses import DecisionIn, RecoveryIn, decide, recover, undo_charge_off
from api.models import Body, Code, CurrencyCode, Day, Minor, ShortText
from api.requests import inputs_of, once_on_loan
from api.views import minor_units
from ledger.money import Money

routes = Blueprint("losses", __name__)


class DecisionBody(Body):
    """What is decided about a loan: why, and who approves of it."""

    reason: ShortText
    approved_by: ShortText
    effective_date: Day | None = None


class ReversalBody(Body):
    """A charge-off that is reversed: why, and who approves of it."""

    reason: ShortText
    approved_by: ShortText


class RecoveryBody(Body):
    """What was recovered of a claim; by which agency, and what it keeps (default: what the product says)."""

    amount: Minor
    currency: CurrencyCode
    external_id: Code
    method: Code = "cash"
    agency: ShortText | None = None
    commission: Minor | None = None
    effective_date: Day | None = None


@routes.post("/v1/loans/<int:loan_id>/charge-offs")
def create_charge_off(loan_id: int) -> Response:
    """Charge a loan off."""
    return _decide(loan_id, "charge_off")


@routes.post("/v1/loans/<int:loan_id>/non-accruals")
def create_non_accrual(loan_id: int) -> Response:
    """Let contract interest be no income from a day on."""
    return _decide(loan_id, "non_accrual")


@routes.post("/v1/loans/<int:loan_id>/returns-to-accrual")
def create_return_to_accrual(loan_id: int) -> Response:
    """Let contract interest be income again from a day on."""
    return _decide(loan_id, "return_to_accrual")


@routes.post("/v1/loans/<int:loan_id>/charge-off-reversals")
def create_charge_off_reversal(loan_id: int) -> Response:
    """Reverse the charge-off in force, by a person or by the policy."""
    change, given = http.change(), http.body(ReversalBody)
    return once_on_loan(
        change,
        loan_id,
        "reverse_charge_off",
        inputs_of(given),
        lambda uow: undo_charge_off(
            uow,
            loan_id,
            reason=given.reason,
            approved_by=given.approved_by,
            request_key=change.key,
            money=minor_units,
        ),
    )


@routes.post("/v1/loans/<int:loan_id>/recoveries")
def create_recovery(loan_id: int) -> Response:
    """Take what was recovered of a claim that is charged off."""
    change, given = http.change(), http.body(RecoveryBody)
    recovery = RecoveryIn(
        loan_id=loan_id,
        amount=Money(given.amount, given.currency),
        method=given.method,
        external_id=given.external_id,
        agency=given.agency,
        commission=None if given.commission is None else Money(given.commission, given.currency),
        effective_date=given.effective_date,
    )
    return once_on_loan(
        change,
        loan_id,
        "recovery",
        inputs_of(given),
        lambda uow: recover(uow, recovery, request_key=change.key, money=minor_units),
    )


def _decide(loan_id: int, what: str) -> Response:
    change, given = http.change(), http.body(DecisionBody)
    decision = DecisionIn(
        loan_id=loan_id,
        what=what,
        reason=given.reason,
        approved_by=given.approved_by,
        effective_date=given.effective_date,
    )
    return once_on_loan(
        change,
        loan_id,
        what,
        inputs_of(given),
        lambda uow: decide(uow, decision, request_key=change.key, money=minor_units),
    )
