"""Offers, contracts and fundings as people look at them, with what is still missing.

Next: `origination/queries.py` for applications; `servicing/rail_queries.py` for how payments fare.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from ledger.queries.accounts import book
from origination import funding_store, store
from origination.application import ApplicationState
from origination.errors import ApplicationUnknown, ContractUnknown, OfferUnknown
from origination.funding.payout import Payout
from origination.funding.policy import Condition, FundingPolicy, policy_of, standard_policy
from origination.funding.readiness import Approval, DecidedCondition, counted, missing
from origination.funding.rescission import last_day_to_cancel
from origination.offers.contract import Contract, verified
from origination.offers.offer import Offer
from origination.store import StoredApplication


@dataclass(frozen=True, slots=True)
class OfferView:
    """An offer and its status: open, accepted, lapsed, expired, superseded."""

    offer: Offer
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingView:
    """A contract, what its funding needs, has and lacks, and until when it may be canceled."""

    state: ApplicationState
    loan_id: int | None
    contract: Contract
    policy: FundingPolicy
    payouts: tuple[Payout, ...]
    conditions: tuple[tuple[Condition, DecidedCondition | None], ...]
    approvals: tuple[Approval, ...]
    missing: tuple[str, ...]
    cancel_until: date


def offers(connection: sa.Connection, book_code: str, application_id: int) -> tuple[OfferView, ...]:
    """Return the offers of an application, each with its status on the business date.

    Raises: BookUnknown; ApplicationUnknown.
    """
    stored = _stored(connection, book_code, application_id)
    today = book(connection, book_code).business_date
    contract = funding_store.contract_of(connection, application_id)
    found = funding_store.offers_of(connection, application_id)
    latest = max((each.set_no for each in found), default=0)
    is_open = stored.standing.state is ApplicationState.APPROVED
    return tuple(OfferView(each, _status(each, contract, latest, today, is_open)) for each in found)


def offer(connection: sa.Connection, book_code: str, application_id: int, offer_no: int) -> OfferView:
    """Return one offer.

    Raises: BookUnknown; ApplicationUnknown; OfferUnknown.
    """
    for each in offers(connection, book_code, application_id):
        if each.offer.offer_no == offer_no:
            return each
    raise OfferUnknown(application_id=application_id, offer_no=offer_no)


def contract(connection: sa.Connection, book_code: str, application_id: int) -> Contract:
    """Return the contract of an application.

    Raises: BookUnknown; ApplicationUnknown; ContractUnknown.
    """
    _stored(connection, book_code, application_id)
    found = funding_store.contract_of(connection, application_id)
    if found is None:
        raise ContractUnknown(application_id=application_id)
    return found


def verified_contract(connection: sa.Connection, book_code: str, application_id: int) -> Contract:
    """Return the contract of an application after recomputing its hash and comparing it with its offer.

    Raises: as `contract`; ContractBroken.
    """
    found = contract(connection, book_code, application_id)
    verified(found, offer(connection, book_code, application_id, found.offer_no).offer)
    return found


def funding(connection: sa.Connection, book_code: str, application_id: int) -> FundingView:
    """Return what the funding of a contract needs, has and lacks.

    Raises: BookUnknown; ApplicationUnknown; ContractUnknown.
    """
    stored = _stored(connection, book_code, application_id)
    found = contract(connection, book_code, application_id)
    policy, principal = policy_of(found.funding_rules), found.terms.principal
    decided = {each.condition: each for each in funding_store.conditions_of(connection, application_id)}
    approvals = funding_store.approvals_of(connection, application_id)
    lacking = missing(
        policy,
        principal,
        decided=decided,
        approvers=counted(approvals, sha256=found.sha256, barred={stored.standing.entered_by}),
        funded_on=found.terms.funded_on,
        today=book(connection, book_code).business_date,
    )
    return FundingView(
        state=stored.standing.state,
        loan_id=stored.loan_id,
        contract=found,
        policy=policy,
        payouts=funding_store.payouts_of(connection, application_id),
        conditions=tuple((each, decided.get(each.name)) for each in policy.conditions),
        approvals=approvals,
        missing=tuple(lacking) if stored.standing.state is ApplicationState.ACCEPTED else (),
        cancel_until=last_day_to_cancel(found.accepted_on, policy.rescission.days),
    )


def funding_policy(connection: sa.Connection, book_code: str, product: str) -> tuple[int, FundingPolicy]:
    """Return the rules for the next contract of a product, and their number; 0 for those that are shipped.

    Raises: BookUnknown.
    """
    found = funding_store.policy_in_force(connection, book(connection, book_code).book_id, product)
    return (0, standard_policy(product)) if found is None else found


def _stored(connection: sa.Connection, book_code: str, application_id: int) -> StoredApplication:
    stored = store.load_applications(connection, (application_id,)).get(application_id)
    if stored is None or stored.book_id != book(connection, book_code).book_id:
        raise ApplicationUnknown(application_id=application_id)
    return stored


def _status(each: Offer, contract: Contract | None, latest: int, today: date, is_open: bool) -> str:
    if contract is not None:
        return "accepted" if each.offer_no == contract.offer_no else "lapsed"
    if each.set_no < latest:
        return "superseded"
    if today > each.expires_on:
        return "expired"
    return "open" if is_open else "lapsed"
