"""Offers, contracts, fundings and documents as both doors show them, and their options and payouts as both read them.

Next: `origination/offer_commands.py`, `origination/funding_commands.py`; `api/routes/funding.py`, `api/cli/funding.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from api.views import Json, MoneyForm, day
from ledger.money import Money
from origination.document_commands import Document
from origination.errors import OfferInvalid
from origination.funding.payout import PayeeAccount, Payout, PayoutIn
from origination.funding_commands import FundedContract
from origination.funding_queries import FundingView, OfferView
from origination.offers.contract import Contract
from origination.offers.offer import Offer, PricedOption
from servicing.rails.accounts import AccountNumber, masked


def option_of(amount: Money, installments: int, rate: str, fee: Money | None) -> PricedOption:
    """Return a priced option of figures as they are given; the rate is text of percent a year.

    Raises: OfferInvalid.
    """
    try:
        return PricedOption(amount=amount, installments=installments, rate=Decimal(rate), fee=fee)
    except InvalidOperation:
        raise OfferInvalid(reason=f"{rate} is no rate") from None


def payout_of(amount: Money, given: Mapping[str, Any]) -> PayoutIn:
    """Return a payout of its words: payee, rail and, for ACH, routing, account_number and kind.

    Raises: ApplicationInvalid; RoutingNumberInvalid; AccountNumberInvalid.
    """
    number = given.get("account_number")
    account = None
    if number is not None:
        account = PayeeAccount(
            routing=given.get("routing") or "", number=AccountNumber(number), kind=given.get("kind") or "checking"
        )
    return PayoutIn(payee=given["payee"], rail=given["rail"], amount=amount, account=account)


def offer_json(offer: Offer, status: str) -> Json:
    """Return an offer with what is disclosed of it."""
    return {
        "application_id": offer.application_id,
        "offer_no": offer.offer_no,
        "set_no": offer.set_no,
        "status": status,
        "counter_offer": offer.is_counter,
        "made_on": day(offer.made_on),
        "expires_on": day(offer.expires_on),
        "terms": offer.terms.as_json(),
        "product_hash": offer.terms.product.content_hash(),
        "disclosure": dict(offer.disclosure),
    }


def offers_json(application_id: int, views: Iterable[OfferView]) -> Json:
    """Return the offers of an application."""
    return {"application_id": application_id, "offers": [offer_json(each.offer, each.status) for each in views]}


def contract_json(contract: Contract) -> Json:
    """Return a contract: what its frozen text says, and the hash of that text."""
    return {
        "application_id": contract.application_id,
        "offer_no": contract.offer_no,
        "sha256": contract.sha256,
        "accepted_on": day(contract.accepted_on),
        "accepted_by": contract.actor,
        "contract": contract.body,
    }


def funding_json(view: FundingView, money: MoneyForm) -> Json:
    """Return what a funding needs, has and lacks."""
    return {
        "application_id": view.contract.application_id,
        "state": str(view.state),
        "loan_id": view.loan_id,
        "sha256": view.contract.sha256,
        "principal": money(view.contract.terms.principal),
        "conditions": [
            {
                "condition": condition.name,
                "title": condition.title,
                "by": condition.group,
                "outcome": None if decided is None else decided.outcome,
                "evidence": None if decided is None else decided.evidence,
                "actor": None if decided is None else decided.actor,
            }
            for condition, decided in view.conditions
        ],
        "approvals": [{"actor": each.actor, "approved_on": day(each.approved_on)} for each in view.approvals],
        "payouts": [_payout_json(each, money) for each in view.payouts],
        "missing": list(view.missing),
        "cancel_until": day(view.cancel_until),
    }


def funded_json(done: FundedContract) -> Json:
    """Return what a funding came to."""
    return {
        "application_id": done.application_id,
        "loan_id": done.loan_id,
        "sha256": done.sha256,
        "instructions": list(done.instructions),
        "due_on": day(done.due_on),
        "cancel_until": day(done.cancel_until),
    }


def document_json(document: Document) -> Json:
    """Return a document without its bytes."""
    return {
        "application_id": document.application_id,
        "kind": document.kind,
        "version": document.version,
        "format": document.format,
        "sha256": document.sha256,
        "made_on": day(document.made_on),
        "actor": document.actor,
    }


def _payout_json(payout: Payout, money: MoneyForm) -> Json:
    account = payout.account
    return {
        "payout_no": payout.payout_no,
        "payee": payout.payee,
        "rail": payout.rail,
        "amount": money(payout.amount),
        "account_number": None if account is None else masked(account.last_four),
    }
