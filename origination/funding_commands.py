"""A contract approved, its conditions met, funded, and canceled: each in one transaction.

A funding boards the loan from the frozen text, books its entry and schedules what pays the proceeds out, or does
none of it; two who fund at one instant write the same event of the application, and one is refused.
Never: the entries (`servicing/commands/boarding.py`). Next: `docs/spec/funding.md`, worked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.queries.accounts import Book, book
from ledger.unit_of_work import UnitOfWork
from origination import funding_store
from origination.application import Action, ApplicationState, decide
from origination.commands import append_events, load_applications
from origination.errors import (
    ApplicationStateRefused,
    ApproverRefused,
    CancellationRefused,
    ConditionRefused,
    ConditionUnknown,
    ContractBroken,
    ContractUnknown,
    FundingApproved,
    FundingNotReady,
    OwnWorkApproved,
)
from origination.funding.payout import Payout
from origination.funding.policy import FundingPolicy, policy_of
from origination.funding.readiness import Approval, DecidedCondition, counted, missing
from origination.funding.rescission import last_day_to_cancel
from origination.offers.contract import Contract, verified
from origination.offers.offer import terms_json
from origination.policy_commands import second_person
from origination.store import EventRow, StoredApplication
from servicing.commands.bank_accounts import AccountIn, add_bank_account
from servicing.commands.boarding import board_loans
from servicing.commands.disbursements import unwind_funding
from servicing.commands.instructions import InstructionIn, cancel_instruction, schedule_instruction
from servicing.drafts import LoanDraft
from servicing.queries import loan_view
from servicing.rail_queries import instructions
from servicing.rails.errors import VaultKeyUnknown
from servicing.rails.instruction import Direction, Status
from servicing.rails.rail import banking_day_from
from servicing.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class FundedContract:
    """A funded contract: the loan, and the instructions that pay its proceeds out, due on a day."""

    application_id: int
    loan_id: int
    sha256: str
    instructions: tuple[int, ...]
    due_on: date
    cancel_until: date


@dataclass(frozen=True, slots=True)
class _Work:
    """What every command here looks at."""

    book: Book
    stored: StoredApplication
    contract: Contract
    policy: FundingPolicy

    @property
    def application_id(self) -> int:
        return self.stored.standing.application_id


def load_policy(uow: UnitOfWork, book_code: str, policy: FundingPolicy) -> int:
    """Keep the rules of a product's fundings for contracts to come; return their number, the same for the same rules.

    It takes two people: one alone could do away with all approvals. Raises: BookUnknown; PolicyApprovalMissing.
    """
    found = book(uow.connection, book_code)
    approver = second_person(uow, f"loading the rules of fundings of {policy.product}")
    before = funding_store.policy_in_force(uow.connection, found.book_id, policy.product)
    if before is not None and before[1] == policy:
        return before[0]
    number = 1 if before is None else before[0] + 1
    row = {
        "book_id": found.book_id,
        "product": policy.product,
        "policy_no": number,
        "content_hash": policy.content_hash,
        "rules": policy.as_json(),
        "loaded_on": found.business_date,
        "actor": uow.actor,
        "approver": approver,
    }
    funding_store.insert_policy(uow.connection, row)
    return number


def approve_funding(uow: UnitOfWork, book_code: str, application_id: int) -> Approval:
    """Approve the funding of a contract, as the one who acts.

    Raises: BookUnknown; ApplicationUnknown; ContractUnknown; ApplicationStateRefused; OwnWorkApproved for who entered
    it; ApproverRefused for who is in no group of its tier; FundingApproved for who has approved before.
    """
    work = _load(uow, book_code, application_id, ApplicationState.ACCEPTED, "approved")
    if uow.actor == work.stored.standing.entered_by:
        raise OwnWorkApproved(application_id=application_id, actor=uow.actor)
    if not work.policy.fills_a_place(work.contract.terms.principal, uow.actor):
        reason = "they are in no group that approves such an amount"
        raise ApproverRefused(application_id=application_id, actor=uow.actor, reason=reason)
    approval = Approval(actor=uow.actor, contract_sha256=work.contract.sha256, approved_on=work.book.business_date)
    if not funding_store.insert_approval(uow.connection, application_id, approval):
        raise FundingApproved(application_id=application_id, actor=uow.actor)
    return approval


def decide_condition(
    uow: UnitOfWork, book_code: str, application_id: int, name: str, *, evidence: str, waive: bool = False
) -> DecidedCondition:
    """Say that a condition is satisfied, by its evidence, or waive it for a reason; once.

    Raises: BookUnknown; ApplicationUnknown; ContractUnknown; ApplicationStateRefused; ConditionUnknown;
    ConditionRefused.
    """
    work = _load(uow, book_code, application_id, ApplicationState.ACCEPTED, "prepared")
    condition = work.policy.condition(name)
    if condition is None:
        raise ConditionUnknown(application_id=application_id, condition=name)

    def refuse(reason: str) -> ConditionRefused:
        return ConditionRefused(application_id=application_id, condition=name, reason=reason)

    group = condition.waived_by if waive else condition.group
    if group is None:
        raise refuse("it is waived by nobody")
    if not work.policy.is_in(uow.actor, group):
        raise refuse(f"{uow.actor} is not in {group}")
    if waive and uow.actor == work.stored.standing.entered_by:
        raise refuse(f"{uow.actor} entered the application")
    if not evidence.strip():
        raise refuse("a reason is wanted" if waive else f"evidence is wanted: {condition.evidence}")
    decided = DecidedCondition(
        condition=name,
        outcome="waived" if waive else "satisfied",
        evidence=evidence,
        decided_on=work.book.business_date,
        actor=uow.actor,
    )
    if not funding_store.insert_condition(uow.connection, application_id, decided):
        raise refuse("it was decided before")
    return decided


def fund_contract(
    uow: UnitOfWork, book_code: str, application_id: int, *, vault: Vault | None = None
) -> FundedContract:
    """Fund a contract: board its loan, book the funding, and schedule what pays the proceeds out.

    Raises: BookUnknown; ApplicationUnknown; ContractUnknown; ApplicationStateRefused; ContractBroken; FundingNotReady
    with all that is missing; LoanExists; VaultKeyMissing; what boarding and scheduling raise.
    """
    work = _load(uow, book_code, application_id, ApplicationState.ACCEPTED, Action.FUND_CONTRACT.past)
    approvers = _ready(uow, work)
    target = decide(work.stored.standing, Action.FUND_CONTRACT, actor=uow.actor)
    offers = {each.offer_no: each for each in funding_store.offers_of(uow.connection, application_id)}
    terms = verified(work.contract, offers[work.contract.offer_no])
    draft = LoanDraft(work.stored.request.external_id, terms, by_instruction=True)
    (loan_id,) = board_loans(uow, book_code, [draft])
    if terms_json(loan_view(uow.connection, loan_id).loan.terms) != terms_json(terms):
        raise ContractBroken(application_id=application_id, part="loan")
    event = EventRow(
        application_id=application_id,
        event_no=work.stored.last_event_no + 1,
        action=str(Action.FUND_CONTRACT),
        state=target,
        business_date=work.book.business_date,
        actor=uow.actor,
        approver=approvers[0],
        reason=f"contract {work.contract.sha256}",
        loan_id=loan_id,
        contract_sha256=work.contract.sha256,
    )
    append_events(uow.connection, Action.FUND_CONTRACT, [event])
    cancel_until = last_day_to_cancel(work.contract.accepted_on, work.policy.rescission.days)
    payouts = funding_store.payouts_of(uow.connection, application_id)
    due_on = _due_on(work, cancel_until)
    funding_store.insert_disbursements(uow.connection, application_id, loan_id, payouts, due_on=due_on)
    return FundedContract(
        application_id=application_id,
        loan_id=loan_id,
        sha256=work.contract.sha256,
        instructions=_schedule(uow, loan_id, payouts, vault, due_on),
        due_on=due_on,
        cancel_until=cancel_until,
    )


def cancel_funding(uow: UnitOfWork, book_code: str, application_id: int, *, reason: str) -> int:
    """Unwind the funding of a contract to zero, and return its loan.

    Within the days of rescission the borrower's word is enough; after them, only a funding of which nothing is out.
    What waits to be sent is canceled; what was sent has come back before. Raises: BookUnknown; ApplicationUnknown;
    ContractUnknown; ApplicationStateRefused; CancellationRefused; FundingNotUnwound; InstructionMoveRefused.
    """
    work = _load(uow, book_code, application_id, ApplicationState.FUNDED, Action.CANCEL.past)
    target = decide(work.stored.standing, Action.CANCEL, actor=uow.actor)
    loan_id = work.stored.loan_id
    assert loan_id is not None, "what is funded has a loan"
    until = last_day_to_cancel(work.contract.accepted_on, work.policy.rescission.days)
    sent = [
        each
        for each in instructions(uow.connection, loan_id)
        if each.payee is not None and each.status in (Status.SENT, Status.SETTLED)
    ]
    if sent and work.book.business_date > until:
        raise CancellationRefused(
            application_id=application_id, reason=f"its last day was {until}, and proceeds of it are out"
        )
    key = f"cancel:{application_id}"
    for each in instructions(uow.connection, loan_id):
        if each.payee is not None and each.status in (Status.SCHEDULED, Status.BATCHED):
            cancel_instruction(uow, loan_id, each.instruction_no, reason=reason, request_key=key)
    unwind_funding(uow, loan_id, reason=reason, request_key=key)
    event = EventRow(
        application_id=application_id,
        event_no=work.stored.last_event_no + 1,
        action=str(Action.CANCEL),
        state=target,
        business_date=work.book.business_date,
        actor=uow.actor,
        reason=reason,
    )
    append_events(uow.connection, Action.CANCEL, [event])
    return loan_id


def _ready(uow: UnitOfWork, work: _Work) -> Sequence[str]:
    """Return who has approved a funding that lacks nothing.

    Raises: FundingNotReady.
    """
    barred = {uow.actor, work.stored.standing.entered_by}
    given = funding_store.approvals_of(uow.connection, work.application_id)
    approvers = counted(given, sha256=work.contract.sha256, barred=barred)
    terms = work.contract.terms
    lacking = tuple(
        missing(
            work.policy,
            terms.principal,
            decided={each.condition for each in funding_store.conditions_of(uow.connection, work.application_id)},
            approvers=approvers,
            funded_on=terms.funded_on,
            today=work.book.business_date,
        )
    )
    if lacking:
        raise FundingNotReady(application_id=work.application_id, missing=lacking)
    return approvers


def _due_on(work: _Work, cancel_until: date) -> date:
    """Return the day for which the proceeds are scheduled: after the days of rescission, where they are waited for."""
    today = work.book.business_date
    if work.policy.rescission.holds_disbursement:
        today = max(today, cancel_until + timedelta(days=1))
    return banking_day_from(today)


def _schedule(
    uow: UnitOfWork, loan_id: int, payouts: Sequence[Payout], vault: Vault | None, due_on: date
) -> tuple[int, ...]:
    numbers = []
    for each in payouts:
        key = f"payout:{each.payout_no}"
        account_no = None
        if each.account is not None:
            account_no = _open_account(uow, loan_id, each, vault or Vault.of_keys(None), key)
        given = InstructionIn(
            direction=Direction.CREDIT,
            method=each.method,
            amount=each.amount,
            due_on=due_on,
            account_no=account_no,
            payee=each.payee,
        )
        numbers.append(schedule_instruction(uow, loan_id, given, request_key=key).instruction_no)
    return tuple(numbers)


def _open_account(uow: UnitOfWork, loan_id: int, payout: Payout, vault: Vault, key: str) -> int:
    account = payout.account
    assert account is not None, "an account is opened for who has one"
    number = vault.open(account.token)
    if number is None:
        raise VaultKeyUnknown(loan_id=loan_id, account_no=payout.payout_no, key_id=account.key_id)
    given = AccountIn(routing=account.routing, number=number, kind=account.kind, holder=payout.payee)
    return add_bank_account(uow, vault, loan_id, given, request_key=key).account_no


def _load(uow: UnitOfWork, book_code: str, application_id: int, wanted: ApplicationState, past: str) -> _Work:
    found = book(uow.connection, book_code)
    (stored,) = load_applications(uow.connection, book_code, (application_id,))
    contract = funding_store.contract_of(uow.connection, application_id)
    if contract is None:
        raise ContractUnknown(application_id=application_id)
    if stored.standing.state is not wanted:
        raise ApplicationStateRefused(application_id=application_id, state=str(stored.standing.state), wanted=past)
    return _Work(found, stored, contract, policy_of(contract.funding_rules))
