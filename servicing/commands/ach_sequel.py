"""What follows once an entry has come back, by its reason; and what a notification of change corrects.

A debit without funds is sent again by the lender's policy, unless the loan is stopped; a reason that asks for a new
authorization ends the mandate, one that makes the account useless cancels what else would debit it.
Never: the rules themselves (`servicing/nacha/representment.py`, `reason_codes.py`). Next: `docs/spec/ach_returns.md`.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from ledger.domain_error import DomainError
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.attempts import is_stopped
from servicing.commands.bank_accounts import correct_bank_account
from servicing.commands.instructions import InstructionIn, cancel_instruction, schedule_instruction
from servicing.commands.mandates import end_mandate
from servicing.nacha.answers import Answer
from servicing.nacha.corrections import Correction, read_correction
from servicing.nacha.errors import AchCorrectionUnreadable
from servicing.nacha.reason_codes import RETURN_CODES
from servicing.nacha.representment import RetryPolicy, decide_retry
from servicing.rail_queries import instructions, mandate, mandates
from servicing.rails.accounts import KINDS, AccountNumber
from servicing.rails.errors import AccountNumberInvalid, BankAccountInvalid, RoutingNumberInvalid
from servicing.rails.instruction import Direction, Instruction, Status, may_follow
from servicing.vault import Vault

STOPPED = "two attempts in a row failed: nothing more until it is authorized anew"


class Outcome(StrEnum):
    """What became of an answer."""

    RETURNED = "returned"
    CORRECTED = "corrected"
    REPEATED = "repeated"
    UNMATCHED = "unmatched"
    REVIEW = "review"


class Unsettled(Exception):
    """An answer has not the effect that was decided; a person has to see it."""

    def __init__(self, reason: str, outcome: Outcome) -> None:
        super().__init__(reason)
        self.outcome = outcome


def follow_up(uow: UnitOfWork, back: Instruction, code: str, *, policy: RetryPolicy) -> str:
    """Do what the reason of a return asks for, and return it in words.

    Raises: what the commands on mandates and instructions raise.
    """
    if back.direction is Direction.CREDIT:
        return ""
    reason, told = RETURN_CODES[code], []
    if reason.authorize or reason.block:
        told += _end_mandate(uow, back, code)
        told += _cancel(uow, back, code, account_no=back.account_no)
    if is_stopped(uow.connection, back.loan_id):
        return ", ".join((STOPPED, *told, *_cancel(uow, back, code, because=STOPPED)))
    chain = _chain(uow, back)
    first = chain[-1].settles_on
    returned_on = back.moves[-1].moved_on
    retry = decide_retry(
        code, presented=len(chain), first_settled_on=first or returned_on, returned_on=returned_on, policy=policy
    )
    if retry.on is None:
        return ", ".join((*told, f"not sent again: {retry.refusal}"))
    return ", ".join((*told, _send_again(uow, back, retry.on)))


def end_what_debits(uow: UnitOfWork, loan_id: int, account_no: int, code: str, *, request_key: str) -> str:
    """End the mandates on a bank account whose prenote came back, and return it in words."""
    told = []
    for each in mandates(uow.connection, loan_id):
        if each.account_no == account_no and each.ended_on is None:
            end_mandate(uow, loan_id, each.mandate_no, cause="invalidated", reason=code, request_key=request_key)
            told.append(f"mandate {each.mandate_no} ended")
    return ", ".join(told)


def correct_details(
    uow: UnitOfWork, vault: Vault | None, loan_id: int, account_no: int | None, answer: Answer, *, request_key: str
) -> str:
    """Correct the bank account of an entry as a notification says, and return what was corrected, as shown.

    Raises: Unsettled where it corrects no detail that is kept, or none that can be.
    """
    try:
        correction = read_correction(answer.code, answer.corrected)
    except AchCorrectionUnreadable as refusal:
        raise Unsettled(refusal.message, Outcome.REVIEW) from None
    if vault is None or account_no is None or not _is_kept(correction):
        raise Unsettled(shown_correction(answer), Outcome.REVIEW)
    try:
        correct_bank_account(
            uow,
            vault,
            loan_id,
            account_no,
            reason=answer.code,
            request_key=request_key,
            routing=correction.routing,
            number=None if correction.account is None else AccountNumber(correction.account),
            kind=None if correction.account_kind is None else correction.account_kind.value,
            holder=correction.name,
        )
    except (AccountNumberInvalid, BankAccountInvalid, RoutingNumberInvalid) as refusal:
        raise Unsettled(refusal.message, Outcome.REVIEW) from None
    return f"{shown_correction(answer)}, of bank account {account_no}"


def shown_correction(answer: Answer) -> str:
    """Return what a notification corrects, as it may be shown."""
    try:
        shown = read_correction(answer.code, answer.corrected).shown
    except AchCorrectionUnreadable as refusal:
        return refusal.message
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items())


def _is_kept(correction: Correction) -> bool:
    """Tell whether a correction is of details that are kept of a bank account."""
    kind = correction.account_kind
    return correction.individual_id is None and (kind is None or kind.value in KINDS)


def _chain(uow: UnitOfWork, of: Instruction) -> list[Instruction]:
    """Return an instruction and those that it retries, the first one last."""
    known = {each.instruction_no: each for each in instructions(uow.connection, of.loan_id)}
    chain = [of]
    while chain[-1].retry_of is not None:
        chain.append(known[chain[-1].retry_of])
    return chain


def _send_again(uow: UnitOfWork, back: Instruction, on: date) -> str:
    given = InstructionIn(
        direction=back.direction,
        method=back.method,
        amount=Money(back.amount, back.currency),
        due_on=on,
        account_no=back.account_no,
        mandate_no=back.mandate_no,
        retry_of=back.instruction_no,
    )
    savepoint = uow.connection.begin_nested()
    try:
        again = schedule_instruction(uow, back.loan_id, given, request_key=f"{back.payment_ref}/retry")
    except DomainError as refusal:
        savepoint.rollback()
        return f"not sent again: {refusal.message}"
    savepoint.commit()
    return f"sent again on {on} as instruction {again.instruction_no}"


def _end_mandate(uow: UnitOfWork, back: Instruction, code: str) -> list[str]:
    if back.mandate_no is None or mandate(uow.connection, back.loan_id, back.mandate_no).ended_on is not None:
        return []
    key = f"{back.payment_ref}/returned"
    end_mandate(uow, back.loan_id, back.mandate_no, cause="invalidated", reason=code, request_key=key)
    return [f"mandate {back.mandate_no} ended"]


def _cancel(
    uow: UnitOfWork, back: Instruction, code: str, *, account_no: int | None = None, because: str = ""
) -> list[str]:
    """Cancel the debits of a loan that wait, of one account or of all; return it in words."""
    waiting = [
        each.instruction_no
        for each in instructions(uow.connection, back.loan_id)
        if each.direction is Direction.DEBIT
        and may_follow(each.status, Status.CANCELED)
        # A card whose processor may have been asked is not called back.
        and (each.card_token is None or each.status is Status.SCHEDULED)
        and account_no in {None, each.account_no}
    ]
    key = f"{back.payment_ref}/returned"
    for number in waiting:
        cancel_instruction(uow, back.loan_id, number, reason=because or f"returned {code}", request_key=key)
    return [f"instruction {number} canceled" for number in waiting]
