"""`/v1/loans/{id}/payments`: a payment is taken, and undone.

Next: `api/loans.py`; `servicing/commands/payments.py`.
"""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import StringConstraints

from api import http
from api.loans import PaymentIn, pay, undo
from api.models import Body, Code, CurrencyCode, Day, Minor, ShortText
from api.requests import inputs_of, once_on_loan
from api.views import minor_units
from ledger.money import Money
from servicing.events import Kind
from servicing.product import Excess, Overpayment

routes = Blueprint("payments", __name__)

ReturnCode = Annotated[str, StringConstraints(pattern=r"^R[0-9]{2}$")]


class PaymentBody(Body):
    """A payment: how much, by which method, known outside by which name, effective when (default: today).

    `excess` and `overpayment` say what becomes of what is more than is due, and more than the payoff.
    """

    amount: Minor
    currency: CurrencyCode
    method: Code
    external_id: Code
    effective_date: Day | None = None
    excess: Excess | None = None
    overpayment: Overpayment | None = None


class ReturnBody(Body):
    """A return by the bank, with the code that it gave."""

    code: ReturnCode


class ReversalBody(Body):
    """A payment that should never have been booked, and why."""

    reason: ShortText


@routes.post("/v1/loans/<int:loan_id>/payments")
def create(loan_id: int) -> Response:
    """Take a payment; return its allocation, the entries booked and the balances after it."""
    change, given = http.change(), http.body(PaymentBody)
    payment = PaymentIn(
        loan_id=loan_id,
        amount=Money(given.amount, given.currency),
        effective_date=given.effective_date,
        method=given.method,
        external_id=given.external_id,
        excess=given.excess,
        overpayment=given.overpayment,
    )
    return once_on_loan(
        change,
        loan_id,
        "take_payment",
        inputs_of(given),
        lambda uow: pay(uow, payment, request_key=change.key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/payments/<int:payment_id>/return")
def return_(loan_id: int, payment_id: int) -> Response:
    """Undo a payment that the bank returned."""
    change, given = http.change(), http.body(ReturnBody)
    return _undo(change, loan_id, payment_id, Kind.RETURNED, given.code)


@routes.post("/v1/loans/<int:loan_id>/payments/<int:payment_id>/reversal")
def reverse(loan_id: int, payment_id: int) -> Response:
    """Undo a payment that should never have been booked."""
    change, given = http.change(), http.body(ReversalBody)
    return _undo(change, loan_id, payment_id, Kind.REVERSED, given.reason)


def _undo(change: http.Change, loan_id: int, payment_id: int, kind: Kind, why: str) -> Response:
    return once_on_loan(
        change,
        loan_id,
        str(kind),
        {"payment_id": payment_id, "why": why},
        lambda uow: undo(uow, loan_id, payment_id, kind=kind, why=why, request_key=change.key, money=minor_units),
    )
