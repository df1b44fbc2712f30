"""Mandates: kept as they were authorized, and ended once.

Never: the debits that a mandate allows (`servicing/commands/autopay.py`). Next: `docs/spec/rails.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ledger.errors import RequestKeyReused
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing import rail_store
from servicing.commands.instruction_checks import check_source
from servicing.commands.instructions import cancel_instruction
from servicing.commands.recording import check_currency
from servicing.rail_queries import bank_account, mandate
from servicing.rails.errors import MandateEnded, MandateInvalid
from servicing.rails.instruction import Direction, Status
from servicing.rails.mandates import AMOUNT_RULES, ENDINGS, ENTRY_CLASSES, Mandate
from servicing.rails.rail import Source
from servicing.rails.registry import RAILS
from servicing.store import Loan, load_loan


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateIn:
    """A mandate as it is given. `amount` is that of a fixed rule, or the extra; without a start it begins today."""

    method: str
    amount_rule: str
    authorized_on: date
    text_version: str
    authorized_how: str
    amount: Money | None = None
    entry_class: str | None = None
    day_of_month: int | None = None
    account_no: int | None = None
    card_token: str | None = None
    starts_on: date | None = None


COMPARED = (
    "method",
    "account_no",
    "card_token",
    "amount_rule",
    "amount",
    "currency",
    "day_of_month",
    "entry_class",
    "authorized_on",
    "text_version",
    "authorized_how",
)


def give_mandate(uow: UnitOfWork, loan_id: int, given: MandateIn, *, request_key: str) -> Mandate:
    """Keep what the borrower has authorized.

    Raises: LoanUnknown; MandateInvalid; InstructionInvalid; BankAccountUnknown; CurrencyMismatch; RequestKeyReused.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    known = rail_store.mandates_of(uow.connection, loan_id)
    drafted = Mandate(
        loan_id=loan_id,
        mandate_no=len(known) + 1,
        method=given.method,
        amount_rule=given.amount_rule,
        amount=0 if given.amount is None else given.amount.minor,
        currency=loan.terms.currency if given.amount is None else given.amount.currency,
        starts_on=given.starts_on or loan.business_date,
        authorized_on=given.authorized_on,
        text_version=given.text_version,
        authorized_how=given.authorized_how,
        entry_class=given.entry_class,
        day_of_month=given.day_of_month,
        account_no=given.account_no,
        card_token=given.card_token,
        actor=uow.actor,
        request_key=request_key,
    )
    before = next((each for each in known if each.request_key == request_key), None)
    if before is not None:
        for name in COMPARED if given.starts_on is None else (*COMPARED, "starts_on"):
            stored, now = getattr(before, name), getattr(drafted, name)
            if stored != now:
                raise RequestKeyReused(request_key=request_key, field=name, stored=str(stored), given=str(now))
        return before
    _check(uow, loan, drafted)
    rail_store.append_mandate(uow.connection, drafted)
    return drafted


def end_mandate(
    uow: UnitOfWork, loan_id: int, mandate_no: int, *, cause: str, reason: str, request_key: str
) -> Mandate:
    """End a mandate on the business date, and cancel what waits under it and was not handed out.

    Raises: LoanUnknown; MandateUnknown; MandateEnded by another request; MandateInvalid.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    found = mandate(uow.connection, loan_id, mandate_no)
    if cause not in ENDINGS:
        raise MandateInvalid(field="cause", reason=f"it is one of {', '.join(ENDINGS)}")
    if found.ended_on is not None:
        if (found.end_cause, found.end_reason) == (cause, reason):
            return found
        raise MandateEnded(loan_id=loan_id, mandate_no=mandate_no, cause=str(found.end_cause), ended_on=found.ended_on)
    day = loan.business_date
    row = {"loan_id": loan_id, "mandate_no": mandate_no, "ended_on": day, "cause": cause, "reason": reason}
    rail_store.append_mandate_end(uow.connection, {**row, "actor": uow.actor, "request_key": request_key})
    for each in rail_store.instructions_of(uow.connection, [loan_id]):
        if each.mandate_no == mandate_no and each.status is Status.SCHEDULED:
            why = f"mandate {mandate_no} was {cause}"
            cancel_instruction(uow, loan_id, each.instruction_no, reason=why, request_key=request_key)
    return replace(found, ended_on=day, end_cause=cause, end_reason=reason)


def _check(uow: UnitOfWork, loan: Loan, drafted: Mandate) -> None:
    rail = RAILS.get(drafted.method)
    debits = [
        name for name, each in RAILS.items() if Direction.DEBIT in each.directions and each.source is not Source.NOTHING
    ]
    if rail is None or rail.name not in debits:
        raise MandateInvalid(field="method", reason=f"it is one of {', '.join(debits)}")
    check_source(rail, drafted.account_no, drafted.card_token)
    if drafted.account_no is not None:
        bank_account(uow.connection, loan.loan_id, drafted.account_no)
    check_currency(loan, Money(drafted.amount, drafted.currency))
    for field, reason in _objections(drafted, loan):
        raise MandateInvalid(field=field, reason=reason)


def _objections(drafted: Mandate, loan: Loan) -> list[tuple[str, str]]:
    """Return what is wrong with a mandate, field by field."""
    has_bank = drafted.account_no is not None
    wrong = {
        "amount_rule": drafted.amount_rule not in AMOUNT_RULES and f"it is one of {', '.join(AMOUNT_RULES)}",
        "amount": (drafted.amount_rule == "amount_due") != (drafted.amount == 0)
        and "a fixed amount or an extra is above zero, and the amount due has none",
        "entry_class": has_bank != (drafted.entry_class in ENTRY_CLASSES)
        and f"a bank account is debited as one of {', '.join(ENTRY_CLASSES)}, a card as none",
        "day_of_month": drafted.day_of_month is not None
        and not 1 <= drafted.day_of_month <= 31
        and "it is 1 to 31, or none for the due dates",
        "authorized_on": drafted.authorized_on > loan.business_date and "it is after the business date",
        "text_version": not drafted.text_version and "it is missing",
        "authorized_how": not drafted.authorized_how and "it is missing",
    }
    return [(field, reason) for field, reason in wrong.items() if reason]
