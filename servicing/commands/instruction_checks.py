"""What is refused of a payment instruction before it is kept: a rail that cannot, a source that is not there.

Never: a move (`servicing/commands/instructions.py`). Next: `servicing/rails/errors.py`.
"""

from __future__ import annotations

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.disbursements import check_payee
from servicing.commands.recording import check_currency
from servicing.errors import PaymentNotPositive
from servicing.flags import AUTOPAY, holds_of
from servicing.queries import loan_view
from servicing.rail_queries import bank_account, mandate
from servicing.rails.errors import (
    AutopayHeld,
    InstructionInvalid,
    InstructionMoveRefused,
    InstructionUnknown,
    MandateEnded,
)
from servicing.rails.instruction import Instruction, Status
from servicing.rails.rail import Rail, Source
from servicing.rails.registry import RAILS
from servicing.store import Loan


def check_instruction(uow: UnitOfWork, loan: Loan, drafted: Instruction, known: tuple[Instruction, ...]) -> None:
    """Refuse an instruction that could not be carried out.

    Raises: CurrencyMismatch; PaymentNotPositive; InstructionInvalid; BankAccountUnknown; MandateUnknown; MandateEnded;
    InstructionUnknown, InstructionMoveRefused of what it retries.
    """
    amount = Money(drafted.amount, drafted.currency)
    check_currency(loan, amount)
    if amount.minor <= 0:
        raise PaymentNotPositive(amount=amount.minor, currency=amount.currency)
    rail = RAILS.get(drafted.method)
    if rail is None:
        raise InstructionInvalid(field="method", reason=f"it is one of {', '.join(RAILS)}")
    if drafted.direction not in rail.directions:
        raise InstructionInvalid(field="direction", reason=f"{rail.name} has no {drafted.direction}")
    if drafted.due_on < loan.business_date:
        raise InstructionInvalid(field="due_on", reason=f"it is before the business date, {loan.business_date}")
    check_source(rail, drafted.account_no, drafted.card_token)
    if drafted.account_no is not None:
        bank_account(uow.connection, loan.loan_id, drafted.account_no)
    check_mandate(uow, drafted)
    if drafted.payee is not None:
        check_payee(loan, drafted, known)
    if drafted.retry_of is not None:
        _check_retry(drafted, known)


def check_source(rail: Rail, account_no: int | None, card_token: str | None) -> None:
    """Refuse an instruction or a mandate that names no source of its rail, or another's.

    Raises: InstructionInvalid.
    """
    if (account_no is not None) != (rail.source is Source.BANK_ACCOUNT):
        wants = "needs a" if account_no is None else "takes no"
        raise InstructionInvalid(field="account_no", reason=f"{rail.name} {wants} bank account")
    if (card_token is not None) != (rail.source is Source.CARD):
        wants = "needs the token of a" if card_token is None else "takes no"
        raise InstructionInvalid(field="card_token", reason=f"{rail.name} {wants} card")
    if card_token is not None and sum(each.isdigit() for each in card_token) >= 12 and card_token.isdigit():
        raise InstructionInvalid(field="card_token", reason="the number of a card is never kept; give its token")


def check_mandate(uow: UnitOfWork, of: Instruction) -> None:
    """Refuse an instruction whose mandate has ended, or whose loan has a flag that holds debits by mandate.

    Raises: MandateUnknown; MandateEnded; AutopayHeld.
    """
    if of.mandate_no is None:
        return
    found = mandate(uow.connection, of.loan_id, of.mandate_no)
    if found.ended_on is not None:
        raise MandateEnded(
            loan_id=of.loan_id, mandate_no=of.mandate_no, cause=str(found.end_cause), ended_on=found.ended_on
        )
    flags = loan_view(uow.connection, of.loan_id).state.flags
    if AUTOPAY in holds_of(flags):
        raise AutopayHeld(loan_id=of.loan_id, flags=flags)


def _check_retry(drafted: Instruction, known: tuple[Instruction, ...]) -> None:
    retried = next((each for each in known if each.instruction_no == drafted.retry_of), None)
    if retried is None:
        raise InstructionUnknown(loan_id=drafted.loan_id, instruction_no=drafted.retry_of or 0)
    if retried.status is not Status.RETURNED:
        raise InstructionMoveRefused(
            loan_id=drafted.loan_id,
            instruction_no=retried.instruction_no,
            status=str(retried.status),
            wanted="retried",
        )
    if any(each.retry_of == retried.instruction_no for each in known):
        raise InstructionInvalid(field="retry_of", reason=f"instruction {retried.instruction_no} was retried before")
    if (drafted.amount, drafted.direction) != (retried.amount, retried.direction):
        raise InstructionInvalid(field="amount", reason=f"a retry is for the same {retried.amount} minor units")
