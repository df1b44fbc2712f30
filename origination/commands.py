"""An application entered, decided on, funded: each step one transaction, the funding among them all of it.

A funding is the event, the instruction to pay out, the boarded loan and its entries, or none of them. Two
people who act on one application at the same instant cannot both succeed. Never: what a loan's entries are
(`servicing/commands/boarding.py`). Next: `origination/application.py`, which decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from ledger.ids import take_ids
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork
from origination import funding_store, policy_store, store
from origination.application import (
    RAILS,
    Action,
    ApplicationState,
    LoanRequest,
    Standing,
    decide,
    decide_funding,
)
from origination.errors import (
    ApplicationExists,
    ApplicationStateRefused,
    ApplicationUnknown,
    AuthorityMissing,
    FundingNotReady,
    OfferNotAccepted,
)
from origination.store import EventRow, StoredApplication
from servicing.commands.boarding import board_and_fund_loans
from servicing.drafts import LoanDraft

ENTERED = "enter"
OTHERS_DO = frozenset({Action.OVERRIDE, Action.FUND, Action.ACCEPT, Action.FUND_CONTRACT, Action.CANCEL})
"""Actions that are more than a decision, each with a command of its own."""


@dataclass(frozen=True, slots=True)
class Funded:
    """A funded application and the loan that it became."""

    application_id: int
    loan_id: int


def submit_application(uow: UnitOfWork, book_code: str, request: LoanRequest) -> int:
    """Enter an application and return its id.

    Raises: BookUnknown; ApplicationExists.
    """
    return submit_applications(uow, book_code, (request,))[0]


def submit_applications(
    uow: UnitOfWork, book_code: str, requests: Sequence[LoanRequest], *, drafted: Sequence[int] = ()
) -> tuple[int, ...]:
    """Enter applications, all or none, and return their ids in order: those of their drafts, where they had drafts.

    Raises: BookUnknown; ApplicationExists for the first that was entered before, or stands here twice.
    """
    found = book(uow.connection, book_code)
    if not requests:
        return ()
    ids = tuple(drafted) or tuple(take_ids(uow.connection.engine, "application", len(requests)))
    _refuse_known(uow.connection, found.book_id, requests, ids)
    store.insert_applications(
        uow.connection,
        found.book_id,
        dict(zip(ids, requests, strict=True)),
        entered_by=uow.actor,
        entered_on=found.business_date,
    )
    received = ApplicationState.RECEIVED
    store.insert_events(
        uow.connection,
        [
            EventRow(
                application_id=application_id,
                event_no=1,
                action=ENTERED,
                state=received,
                business_date=found.business_date,
                actor=uow.actor,
            )
            for application_id in ids
        ],
    )
    return ids


def decide_application(
    uow: UnitOfWork, book_code: str, application_id: int, action: Action, *, reason: str | None = None
) -> ApplicationState:
    """Approve, decline or withdraw an application, and return where it stands.

    Raises: as `decide_applications`.
    """
    return decide_applications(uow, book_code, (application_id,), action, reason=reason)[0]


def decide_applications(
    uow: UnitOfWork,
    book_code: str,
    application_ids: Sequence[int],
    action: Action,
    *,
    reason: str | None = None,
    actor: str | None = None,
) -> tuple[ApplicationState, ...]:
    """Decide on several applications alike, all or none; `actor` is who decides, if not who acts here.

    Raises: BookUnknown; ApplicationUnknown; ApplicationStateRefused, also of what has a command of its own;
    OwnWorkApproved; AuthorityMissing where a policy has referred or countered: an underwriter decides, within limits.
    """
    who = actor or uow.actor
    today = book(uow.connection, book_code).business_date
    stored = load_applications(uow.connection, book_code, application_ids)
    if action in OTHERS_DO:
        _refuse(stored[0].standing, action)
    states = tuple(decide(each.standing, action, actor=who) for each in stored)
    if action is not Action.WITHDRAW:
        for application_id in policy_store.decided_on(uow.connection, application_ids):
            reason = f"the policy has left application {application_id} to the underwriters"
            raise AuthorityMissing(person=who, reason=reason)
    append_events(
        uow.connection,
        action,
        [
            EventRow(
                application_id=each.standing.application_id,
                event_no=each.last_event_no + 1,
                action=str(action),
                state=state,
                business_date=today,
                actor=who,
                reason=reason,
            )
            for each, state in zip(stored, states, strict=True)
        ],
    )
    return states


def fund_application(uow: UnitOfWork, book_code: str, application_id: int) -> Funded:
    """Fund an approved application: pay out, board the loan, book its entries, by actor and approver.

    Raises: as `fund_applications`.
    """
    return fund_applications(uow, book_code, (application_id,))[0]


def fund_applications(uow: UnitOfWork, book_code: str, application_ids: Sequence[int]) -> tuple[Funded, ...]:
    """Fund approved applications, all or none, in this one transaction.

    Raises: BookUnknown; ApplicationUnknown; ApplicationStateRefused; FundingApprovalMissing; OwnWorkApproved;
    OfferNotAccepted of one that has offers; FundingNotReady of one that is not paid out by ACH, or whose product has
    rules of its own for fundings; LoanExists; EffectiveDateAhead; what booking the entries raises.
    """
    # Waited for before anything is read, so that nobody makes offers meanwhile.
    funding_store.lock_applications(uow.connection, application_ids)
    return _fund(uow, book_code, application_ids)


def _fund(uow: UnitOfWork, book_code: str, application_ids: Sequence[int]) -> tuple[Funded, ...]:
    today = book(uow.connection, book_code).business_date
    stored = load_applications(uow.connection, book_code, application_ids)
    for each in stored:
        decide_funding(each.standing, actor=uow.actor, approver=uow.approver)
    for each in stored:
        _refuse_other_rails(each)
    for application_id in funding_store.with_offers(uow.connection, application_ids):
        raise OfferNotAccepted(application_id=application_id)
    _refuse_rules(uow.connection, stored)
    drafts = [LoanDraft(each.request.external_id, each.request.terms) for each in stored]
    loan_ids = board_and_fund_loans(uow, book_code, drafts)
    funded = tuple(zip(stored, loan_ids, strict=True))
    append_events(
        uow.connection,
        Action.FUND,
        [
            EventRow(
                application_id=each.standing.application_id,
                event_no=each.last_event_no + 1,
                action=str(Action.FUND),
                state=ApplicationState.FUNDED,
                business_date=today,
                actor=uow.actor,
                approver=uow.approver,
                loan_id=loan_id,
            )
            for each, loan_id in funded
        ],
    )
    store.insert_disbursements(uow.connection, funded, due_on=today)
    return tuple(Funded(each.standing.application_id, loan_id) for each, loan_id in funded)


def originate(uow: UnitOfWork, book_code: str, requests: Sequence[LoanRequest]) -> tuple[Funded, ...]:
    """Enter, approve and fund applications in one transaction; the actor enters, the approver approves.

    Raises: as `submit_applications`, `decide_applications` and `fund_applications`.
    """
    ids = submit_applications(uow, book_code, requests)
    if not ids:
        return ()
    # Without a second person the funding would be refused; so is the approval, by the same rule.
    decide_applications(uow, book_code, ids, Action.APPROVE, actor=uow.approver or uow.actor)
    # Nobody else sees them yet, so none has to be waited for.
    return _fund(uow, book_code, ids)


def _refuse_known(connection: sa.Connection, book_id: int, requests: Sequence[LoanRequest], ids: Sequence[int]) -> None:
    external_ids = [request.external_id for request in requests]
    known = store.known_applications(connection, book_id, external_ids)
    twice = (external_id for external_id, count in Counter(external_ids).items() if count > 1)
    for external_id in (*known, *twice):
        application_id = known.get(external_id, ids[external_ids.index(external_id)])
        raise ApplicationExists(external_id=external_id, application_id=application_id)


def load_applications(
    connection: sa.Connection, book_code: str, application_ids: Sequence[int]
) -> tuple[StoredApplication, ...]:
    """Return applications of a book, in the order in which they are asked for.

    Raises: BookUnknown; ApplicationUnknown.
    """
    book_id = book(connection, book_code).book_id
    found = store.load_applications(connection, application_ids)
    for application_id in application_ids:
        if application_id not in found or found[application_id].book_id != book_id:
            raise ApplicationUnknown(application_id=application_id)
    return tuple(found[application_id] for application_id in application_ids)


def append_events(connection: sa.Connection, action: Action, events: Sequence[EventRow]) -> None:
    """Write events, or refuse all of them if one application was moved by somebody else meanwhile."""
    for application_id in sorted(store.insert_events(connection, events)):
        _refuse(store.load_applications(connection, (application_id,))[application_id].standing, action)


def _refuse_other_rails(stored: StoredApplication) -> None:
    """Refuse to fund at once what is sent by a rail that an instruction goes by."""
    others = sorted({each.rail for each in stored.request.disbursements} - {RAILS[0]})
    if others:
        missing = tuple(f"a contract, whose funding schedules a {rail}" for rail in others)
        raise FundingNotReady(application_id=stored.standing.application_id, missing=missing)


def _refuse_rules(connection: sa.Connection, stored: Sequence[StoredApplication]) -> None:
    """Refuse to fund by two people alone what has rules that say who approves how much, and what is there before."""
    bound = funding_store.products_with_rules(connection, sorted({each.book_id for each in stored}))
    for each in stored:
        product = each.request.terms.product.name
        if (each.book_id, product) in bound:
            missing = (f"a contract, as the rules of {product} ask for",)
            raise FundingNotReady(application_id=each.standing.application_id, missing=missing)


def _refuse(standing: Standing, action: Action) -> None:
    raise ApplicationStateRefused(application_id=standing.application_id, state=str(standing.state), wanted=action.past)
