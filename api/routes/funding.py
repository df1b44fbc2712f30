"""`/v1/applications/<id>/...`: offers, the contract, its funding and documents; `/v1/funding-policies`.

Next: `api/funding.py`; `origination/funding_commands.py`; `docs/spec/funding.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import Field, model_validator

from api import http
from api.funding import (
    contract_json,
    document_json,
    funded_json,
    funding_json,
    offer_json,
    offers_json,
    option_of,
    payout_of,
)
from api.models import Body, BookQuery, Code, CurrencyCode, Day, DecimalText, Minor, ShortText
from api.routes.applications import vault_or_none
from api.views import Json, minor_units
from api.workflows import ACCEPTED, go_on_if_started, person_of
from ledger.money import Money
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from origination.document_commands import document, documents, make_document
from origination.funding.policy import policy_of
from origination.funding_commands import (
    approve_funding,
    cancel_funding,
    decide_condition,
    fund_contract,
    load_policy,
)
from origination.funding_queries import funding, offers, verified_contract
from origination.offer_commands import accept_offer, make_decided_offers, make_offers
from origination.workflow_commands.moving import tell_waiting

routes = Blueprint("funding", __name__)

Count = Annotated[int, Field(ge=1, le=1200)]
Number = Annotated[int, Field(ge=1, lt=2**31)]


class OptionIn(Body):
    """One combination that is offered; without a fee, that of the product is charged."""

    amount: Minor
    installments: Count
    rate: DecimalText
    fee: Annotated[int, Field(ge=0)] | None = None


class OffersIn(Body):
    """A set of offers, until when it holds, and whether it is another than what was asked for.

    Without options it is what the decision on the application priced, with the other terms that its policy allows.
    """

    currency: CurrencyCode | None = None
    options: list[OptionIn] = Field(default_factory=list, max_length=50)
    expires_on: Day
    counter_offer: bool = False

    @model_validator(mode="after")
    def _options_have_a_currency(self) -> OffersIn:
        if self.options and self.currency is None:
            raise ValueError("options need a currency")
        return self


class PayoutBody(Body):
    """A part of the proceeds: to whom, by which rail, and for ACH to which account."""

    payee: ShortText
    rail: Literal["ach", "wire", "check"]
    amount: Minor
    currency: CurrencyCode
    routing: ShortText | None = None
    account_number: ShortText | None = None
    kind: Literal["checking", "savings"] | None = None


class AcceptanceIn(Body):
    """Which offer is accepted, and where its proceeds go; without payouts, to the applicant's account or by check."""

    offer_no: Number
    payouts: list[PayoutBody] = Field(default_factory=list, max_length=50)


class ConditionIn(Body):
    """The evidence that satisfies a condition, or the reason for which it is waived."""

    evidence: ShortText
    waive: bool = False


class CancellationIn(Body):
    """Why a funding is canceled."""

    reason: ShortText


class PolicyIn(Body):
    """The rules of a product's fundings, as a TOML file has them, decimals as text; two people load them."""

    rules: dict[str, Any]
    approved_by: Code


class DocumentIn(Body):
    """Which document is made, in whose name; reasons and agency are of a notice of adverse action."""

    kind: ShortText
    format: Literal["html", "pdf"] = "pdf"
    lender: ShortText
    reasons: list[ShortText] = Field(default_factory=list, max_length=4)
    agency: ShortText | None = None


@routes.post("/v1/applications/<int:application_id>/offers")
def offer_make(application_id: int) -> Response:
    """Make a set of offers."""
    given = http.body(OffersIn)
    currency = given.currency or ""
    options = [
        option_of(
            Money(each.amount, currency),
            each.installments,
            each.rate,
            None if each.fee is None else Money(each.fee, currency),
        )
        for each in given.options
    ]

    def work(uow: UnitOfWork, code: str) -> Json:
        made = (
            make_offers(uow, code, application_id, options, expires_on=given.expires_on, is_counter=given.counter_offer)
            if options
            else make_decided_offers(uow, code, application_id, expires_on=given.expires_on)
        )
        return {"application_id": application_id, "offers": [offer_json(each, "open") for each in made]}

    return _once("make_offers", {**given.model_dump(mode="json"), "application_id": application_id}, work)


@routes.get("/v1/applications/<int:application_id>/offers")
def offer_list(application_id: int) -> Response:
    """Show the offers of an application."""
    code = http.chosen_book(http.query(BookQuery).book)
    found = http.edge().read(lambda connection: offers(connection, code, application_id))
    return http.reply(offers_json(application_id, found))


@routes.post("/v1/applications/<int:application_id>/contract")
def contract_make(application_id: int) -> Response:
    """Accept an offer, and freeze its contract."""
    given = http.body(AcceptanceIn)
    payouts = [payout_of(Money(each.amount, each.currency), each.model_dump()) for each in given.payouts]
    inputs = given.model_dump(mode="json")
    for each, payout in zip(inputs["payouts"], payouts, strict=True):
        each["account_number"] = None if payout.account is None else str(payout.account.number)

    def work(uow: UnitOfWork, code: str) -> Json:
        tell_waiting(uow, code, application_id, ACCEPTED, person_of(uow.actor, ()))
        done = accept_offer(uow, code, application_id, given.offer_no, payouts, vault=vault_or_none())
        return contract_json(done)

    reply = _once("accept_offer", {**inputs, "application_id": application_id}, work)
    change = http.change()
    if not change.dry_run:
        go_on_if_started(http.edge(), vault_or_none(), http.chosen_book(change.book), application_id)
    return reply


@routes.get("/v1/applications/<int:application_id>/contract")
def contract_show(application_id: int) -> Response:
    """Show a contract after its hash was recomputed and compared."""
    code = http.chosen_book(http.query(BookQuery).book)
    found = http.edge().read(lambda connection: verified_contract(connection, code, application_id))
    return http.reply(contract_json(found))


@routes.get("/v1/applications/<int:application_id>/funding")
def funding_show(application_id: int) -> Response:
    """Show what a funding needs, has and lacks."""
    code = http.chosen_book(http.query(BookQuery).book)
    found = http.edge().read(lambda connection: funding(connection, code, application_id))
    return http.reply(funding_json(found, minor_units))


@routes.post("/v1/applications/<int:application_id>/funding/approvals")
def funding_approve(application_id: int) -> Response:
    """Approve the funding of a contract."""
    return _change_funding("approve_funding", application_id, {}, approve_funding)


@routes.post("/v1/applications/<int:application_id>/funding/conditions/<name>")
def funding_condition(application_id: int, name: str) -> Response:
    """Satisfy or waive a condition."""
    given = http.body(ConditionIn)

    def work(uow: UnitOfWork, code: str, number: int) -> None:
        decide_condition(uow, code, number, name, evidence=given.evidence, waive=given.waive)

    inputs = {**given.model_dump(mode="json"), "condition": name}
    return _change_funding("decide_condition", application_id, inputs, work)


@routes.post("/v1/applications/<int:application_id>/funding")
def funding_make(application_id: int) -> Response:
    """Fund a contract."""

    def work(uow: UnitOfWork, code: str) -> Json:
        return funded_json(fund_contract(uow, code, application_id, vault=vault_or_none()))

    return _once("fund_contract", {"application_id": application_id}, work)


@routes.post("/v1/applications/<int:application_id>/funding/cancellation")
def funding_cancel(application_id: int) -> Response:
    """Unwind a funding to zero."""
    given = http.body(CancellationIn)

    def work(uow: UnitOfWork, code: str, number: int) -> None:
        cancel_funding(uow, code, number, reason=given.reason)

    return _change_funding("cancel_funding", application_id, given.model_dump(mode="json"), work)


@routes.post("/v1/funding-policies")
def policy_load() -> Response:
    """Let contracts to come be funded by these rules."""
    given = http.body(PolicyIn)
    policy = policy_of(given.rules)

    def work(uow: UnitOfWork, code: str) -> Json:
        two = UnitOfWork(uow.connection, uow.actor, given.approved_by)
        number = load_policy(two, code, policy)
        return {"product": policy.product, "policy_no": number, "sha256": policy.content_hash}

    return _once("load_funding_policy", policy.as_json(), work)


@routes.post("/v1/applications/<int:application_id>/documents")
def document_make(application_id: int) -> Response:
    """Make a document and keep it."""
    given = http.body(DocumentIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        made = make_document(
            uow,
            code,
            application_id,
            given.kind,
            form=given.format,
            lender=given.lender,
            reasons=given.reasons,
            agency=given.agency or "",
        )
        return document_json(made)

    return _once("make_document", {**given.model_dump(mode="json"), "application_id": application_id}, work)


@routes.get("/v1/applications/<int:application_id>/documents")
def document_list(application_id: int) -> Response:
    """Show the documents of an application."""
    http.query(BookQuery)
    found = http.edge().read(lambda connection: documents(connection, application_id))
    return http.reply({"documents": [document_json(each) for each in found]})


@routes.get("/v1/applications/<int:application_id>/documents/<kind>/<int:version>.<any(html,pdf):form>")
def document_show(application_id: int, kind: str, version: int, form: str) -> Response:
    """Return a document, byte for byte."""
    http.query(BookQuery)
    found = http.edge().read(lambda connection: document(connection, application_id, kind, version, form))
    mimetype = "application/pdf" if form == "pdf" else "text/html"
    return Response(found.content, mimetype=mimetype, headers={"Content-Security-Policy": "sandbox"})


def _change_funding(
    command: str, application_id: int, inputs: Mapping[str, Any], act: Callable[[UnitOfWork, str, int], object]
) -> Response:
    def work(uow: UnitOfWork, code: str) -> Json:
        act(uow, code, application_id)
        return funding_json(funding(uow.connection, code, application_id), minor_units)

    return _once(command, {**inputs, "application_id": application_id}, work)


def _once(command: str, inputs: Mapping[str, Any], work: Callable[[UnitOfWork, str], Json]) -> Response:
    """Do the work of a changing call once for its key; the log of the book keeps the request."""
    change = http.change()
    code = http.chosen_book(change.book)

    def answer(uow: UnitOfWork) -> Outcome:
        own = book(uow.connection, code).own_subledger_id
        # A refusal goes away when what is missing comes: the same key may come again then.
        return once(
            uow,
            subledger_id=own,
            key=change.key,
            command=command,
            inputs=inputs,
            work=lambda: work(uow, code),
            keep_refusals=False,
        )

    outcome = http.edge().answer(answer, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)
