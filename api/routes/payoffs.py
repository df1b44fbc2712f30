"""`/v1/loans/{id}/payoff-quotes`, `/payoff` and `/refunds`: what pays a loan off, paying it, and cash sent back.

Next: `api/payoffs.py`; `docs/spec/payoff.md`, `docs/spec/refunds.md`.
"""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.loans import PaymentIn
from api.models import Body, Code, CurrencyCode, Day, Minor, Query, ShortText
from api.payoffs import PayoffIn, RefundIn, give_back, quote, quote_json, quotes, settle
from api.requests import inputs_of, once_on_loan
from api.views import minor_units
from ledger.money import Money
from servicing.product import Overpayment
from servicing.queries import payoff_quote

routes = Blueprint("payoffs", __name__)


class QuoteBody(Body):
    """A payoff to quote, and the day through which it is to be good."""

    good_through: Day


class PayoffBody(Body):
    """A payment that is to close a loan, and the quote that it answers."""

    amount: Minor
    currency: CurrencyCode
    method: Code
    external_id: Code
    effective_date: Day | None = None
    quote_id: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    overpayment: Overpayment | None = None


class RefundBody(Body):
    """Cash to send back; of a credit balance only if the loan owes nothing."""

    amount: Minor
    currency: CurrencyCode
    method: Code
    effective_date: Day | None = None
    reason: ShortText | None = None
    credit_balance: bool = False


@routes.post("/v1/loans/<int:loan_id>/payoff-quotes")
def create_quote(loan_id: int) -> Response:
    """Quote a payoff through a day, and keep the quote."""
    change, given = http.change(), http.body(QuoteBody)
    return once_on_loan(
        change,
        loan_id,
        "quote_payoff",
        inputs_of(given),
        lambda uow: quote(uow, loan_id, given.good_through, request_key=change.key, money=minor_units),
    )


@routes.get("/v1/loans/<int:loan_id>/payoff-quotes")
def list_quotes(loan_id: int) -> Response:
    """Return every payoff quote of a loan."""
    http.query(Query)
    found = http.edge().read(lambda connection: quotes(connection, loan_id, minor_units))
    return http.reply({"loan_id": loan_id, "payoff_quotes": found})


@routes.get("/v1/loans/<int:loan_id>/payoff-quotes/<int:quote_id>")
def show_quote(loan_id: int, quote_id: int) -> Response:
    """Return one payoff quote."""
    http.query(Query)
    found = http.edge().read(lambda connection: payoff_quote(connection, loan_id, quote_id))
    return http.reply(quote_json(found, minor_units))


@routes.post("/v1/loans/<int:loan_id>/payoff")
def create_payoff(loan_id: int) -> Response:
    """Take a payment that is to close a loan; name what is missing."""
    change, given = http.change(), http.body(PayoffBody)
    payment = PaymentIn(
        loan_id=loan_id,
        amount=Money(given.amount, given.currency),
        effective_date=given.effective_date,
        method=given.method,
        external_id=given.external_id,
        overpayment=given.overpayment,
    )
    payoff = PayoffIn(payment=payment, quote_id=given.quote_id)
    return once_on_loan(
        change,
        loan_id,
        "pay_off",
        inputs_of(given),
        lambda uow: settle(uow, payoff, request_key=change.key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/refunds")
def create_refund(loan_id: int) -> Response:
    """Send unapplied cash back to the borrower."""
    change, given = http.change(), http.body(RefundBody)
    refund = RefundIn(
        loan_id=loan_id,
        amount=Money(given.amount, given.currency),
        effective_date=given.effective_date,
        method=given.method,
        reason=given.reason or "",
        credit_balance=given.credit_balance,
    )
    return once_on_loan(
        change,
        loan_id,
        "refund",
        inputs_of(given),
        lambda uow: give_back(uow, refund, request_key=change.key, money=minor_units),
    )
