"""Offers made and one of them accepted, each in one transaction.

An acceptance writes the application's next event, so of two at one instant one finds it moved; the contract is a row
that there is once. Never: what a loan costs (`origination/offers/offer.py`). Next: `origination/funding_commands.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ledger.money import Money
from ledger.queries.accounts import Book, book
from ledger.unit_of_work import UnitOfWork
from origination import funding_store
from origination.application import Action, ApplicationState, decide
from origination.commands import append_events, load_applications
from origination.decision_queries import decision_view, last_with_effect
from origination.errors import (
    ApplicationStateRefused,
    OfferInvalid,
    OfferLapsed,
    OfferUnknown,
)
from origination.funding.payout import PayeeAccount, Payout, PayoutIn, SealedAccount, check_payouts
from origination.funding.policy import FundingPolicy, standard_policy
from origination.offers.contract import Contract, freeze
from origination.offers.offer import Offer, PricedOption, dated, offers_of
from origination.offers.pricing import options_of_decision
from origination.store import EventRow, StoredApplication
from origination.verification_queries import data_to_send, gives_account
from servicing.rails.accounts import AccountNumber
from servicing.schedule import proceeds_of
from servicing.vault import Vault


def make_offers(
    uow: UnitOfWork,
    book_code: str,
    application_id: int,
    options: Sequence[PricedOption],
    *,
    expires_on: date,
    is_counter: bool = False,
) -> tuple[Offer, ...]:
    """Make a set of offers for an approved application; it takes the place of those that were made before.

    Terms that were asked for on an earlier day are offered as of the business date. Raises: BookUnknown;
    ApplicationUnknown; ApplicationStateRefused unless it is approved; OfferInvalid; TermsInvalid; what the disclosure
    raises.
    """
    funding_store.lock_applications(uow.connection, (application_id,))
    found, stored = _loaded(uow, book_code, application_id)
    if stored.standing.state is not ApplicationState.APPROVED:
        raise ApplicationStateRefused(
            application_id=application_id, state=str(stored.standing.state), wanted="offered anything"
        )
    offers = offers_of(
        application_id,
        dated(stored.request.terms, found.business_date),
        options,
        known=funding_store.offers_of(uow.connection, application_id),
        made_on=found.business_date,
        expires_on=expires_on,
        is_counter=is_counter,
        actor=uow.actor,
    )
    funding_store.insert_offers(uow.connection, offers)
    return offers


def make_decided_offers(uow: UnitOfWork, book_code: str, application_id: int, *, expires_on: date) -> tuple[Offer, ...]:
    """Offer what the decision on an application priced, and the other terms of its policy.

    Raises: OfferInvalid without a decision; as `make_offers`.
    """
    found, stored = _loaded(uow, book_code, application_id)
    decision_id = last_with_effect(uow.connection, application_id)
    if decision_id is None:
        raise OfferInvalid(reason=f"no policy has decided on application {application_id}: give the options")
    view = decision_view(uow.connection, decision_id)
    facts, result = view.policy.facts_from_json(view.decision.facts), view.decision.result
    options = options_of_decision(view.policy, facts, result, dated(stored.request.terms, found.business_date))
    is_counter = result["outcome"] == "counter_offer"
    return make_offers(uow, book_code, application_id, options, expires_on=expires_on, is_counter=is_counter)


def accept_offer(
    uow: UnitOfWork,
    book_code: str,
    application_id: int,
    offer_no: int,
    payouts: Sequence[PayoutIn] = (),
    *,
    vault: Vault | None = None,
) -> Contract:
    """Freeze the contract of an offer that is accepted in time; all others lapse with it.

    Without payouts the proceeds go to the account that the applicant gave, or else by check.

    Raises: BookUnknown; ApplicationUnknown; OfferUnknown; OfferLapsed; ApplicationStateRefused if another was accepted;
    ApplicationInvalid; DisbursementMismatch; VaultKeyMissing for an account number without a vault.
    """
    # Waited for before anything is read, so that what is accepted is of the latest set.
    funding_store.lock_applications(uow.connection, (application_id,))
    found, stored = _loaded(uow, book_code, application_id)
    state = decide(stored.standing, Action.ACCEPT, actor=uow.actor)
    offer = open_offer(funding_store.offers_of(uow.connection, application_id), application_id, offer_no, found)
    request = stored.request
    given = tuple(payouts) or (_to_applicant(uow, vault, stored, proceeds_of(offer.terms)),)
    check_payouts(request.external_id, given, proceeds=proceeds_of(offer.terms))
    contract = freeze(
        offer,
        external_id=request.external_id,
        applicant=request.applicant,
        rules=_rules(uow, found, offer).as_json(),
        accepted_on=found.business_date,
        actor=uow.actor,
    )
    event = EventRow(
        application_id=application_id,
        event_no=stored.last_event_no + 1,
        action=str(Action.ACCEPT),
        state=state,
        business_date=found.business_date,
        actor=uow.actor,
        reason=f"offer {offer_no}, contract {contract.sha256}",
    )
    append_events(uow.connection, Action.ACCEPT, [event])
    sealed = [_sealed(place, each, vault) for place, each in enumerate(given, start=1)]
    if not funding_store.insert_contract(uow.connection, contract, sealed):
        raise ApplicationStateRefused(application_id=application_id, state="accepted", wanted="accepted")
    return contract


def open_offer(offers: Sequence[Offer], application_id: int, offer_no: int, found: Book) -> Offer:
    """Return an offer that can still be accepted.

    Raises: OfferUnknown; OfferLapsed by its expiry, or by a later set.
    """
    offer = next((each for each in offers if each.offer_no == offer_no), None)
    if offer is None:
        raise OfferUnknown(application_id=application_id, offer_no=offer_no)
    reason = None
    if not offer.is_open_on(found.business_date):
        reason = f"it expired on {offer.expires_on}"
    elif offer.set_no < max(each.set_no for each in offers):
        reason = "later offers took its place"
    if reason is not None:
        raise OfferLapsed(application_id=application_id, offer_no=offer_no, reason=reason)
    return offer


def _to_applicant(uow: UnitOfWork, vault: Vault | None, stored: StoredApplication, proceeds: Money) -> PayoutIn:
    payee, application_id = stored.request.applicant, stored.standing.application_id
    bank = {}
    if gives_account(uow.connection, application_id):
        bank = data_to_send(uow.connection, vault or Vault.of_keys(None), application_id).get("bank", {})
    if not (bank.get("routing") and bank.get("account_number")):
        return PayoutIn(payee=payee, rail="check", amount=proceeds)
    account = PayeeAccount(
        routing=bank["routing"], number=AccountNumber(bank["account_number"]), kind=bank.get("kind") or "checking"
    )
    return PayoutIn(payee=payee, rail="ach", amount=proceeds, account=account)


def _rules(uow: UnitOfWork, found: Book, offer: Offer) -> FundingPolicy:
    product = offer.terms.product.name
    loaded = funding_store.policy_in_force(uow.connection, found.book_id, product)
    return standard_policy(product) if loaded is None else loaded[1]


def _sealed(place: int, given: PayoutIn, vault: Vault | None) -> Payout:
    if given.account is None:
        return Payout(payout_no=place, payee=given.payee, rail=given.rail, amount=given.amount)
    sealed = (vault or Vault.of_keys(None)).seal(given.account.number)
    account = SealedAccount(
        routing=given.account.routing,
        kind=given.account.kind,
        last_four=given.account.number.last_four,
        key_id=sealed.key_id,
        token=sealed.token,
    )
    return Payout(payout_no=place, payee=given.payee, rail=given.rail, amount=given.amount, account=account)


def _loaded(uow: UnitOfWork, book_code: str, application_id: int) -> tuple[Book, StoredApplication]:
    found = book(uow.connection, book_code)
    (stored,) = load_applications(uow.connection, book_code, (application_id,))
    return found, stored
