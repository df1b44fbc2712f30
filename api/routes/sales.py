"""`/v1/loans/{id}/sales`, `/purchases` and `/flags`: a loan is sold, bought back, or marked with what holds it.

Next: `api/losses.py`; `docs/spec/sales.md`, `docs/spec/flags.md`.
"""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, Response

from api import http
from api.losses import DealIn, buy_loan_back, sell_loan, set_flag
from api.models import BalanceIn, Body, Code, Day, ShortText
from api.requests import inputs_of, once_on_loan
from api.views import minor_units

routes = Blueprint("sales", __name__)


class PurchaseBody(Body):
    """A loan that is bought back: from whom, for which price (default: what is owed), and who approves of it."""

    counterparty: ShortText
    approved_by: ShortText
    price: BalanceIn | None = None
    method: Code = "wire"
    effective_date: Day | None = None


class SaleBody(PurchaseBody):
    """A loan that is sold: to whom, for which price (default: what is carried), and whether its servicing stays."""

    servicing: Literal["released", "retained"] = "released"


class FlagBody(Body):
    """A flag that is set or lifted, and why."""

    flag: Code
    reason: ShortText
    lifted: bool = False
    effective_date: Day | None = None


@routes.post("/v1/loans/<int:loan_id>/sales")
def create_sale(loan_id: int) -> Response:
    """Sell a loan, or a claim that is charged off."""
    change, given = http.change(), http.body(SaleBody)
    deal = _deal(loan_id, given)
    return once_on_loan(
        change,
        loan_id,
        "sell",
        inputs_of(given),
        lambda uow: sell_loan(uow, deal, servicing=given.servicing, request_key=change.key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/purchases")
def create_purchase(loan_id: int) -> Response:
    """Buy a loan back."""
    change, given = http.change(), http.body(PurchaseBody)
    deal = _deal(loan_id, given)
    return once_on_loan(
        change,
        loan_id,
        "buy_back",
        inputs_of(given),
        lambda uow: buy_loan_back(uow, deal, request_key=change.key, money=minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/flags")
def create_flag(loan_id: int) -> Response:
    """Set a flag on a loan, or lift it."""
    change, given = http.change(), http.body(FlagBody)
    return once_on_loan(
        change,
        loan_id,
        "flag",
        inputs_of(given),
        lambda uow: set_flag(
            uow,
            loan_id,
            flag=given.flag,
            reason=given.reason,
            lifted=given.lifted,
            effective_date=given.effective_date,
            request_key=change.key,
            money=minor_units,
        ),
    )


def _deal(loan_id: int, given: PurchaseBody) -> DealIn:
    return DealIn(
        loan_id=loan_id,
        counterparty=given.counterparty,
        price=None if given.price is None else given.price.money,
        method=given.method,
        approved_by=given.approved_by,
        effective_date=given.effective_date,
    )
