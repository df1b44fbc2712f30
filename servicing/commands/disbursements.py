"""The proceeds of a loan that are sent by payment instructions, and the unwinding of a funding.

What is funded and not sent yet stands in DISBURSEMENTS_PAYABLE; what comes back stands there again. A funding is
unwound when all of it is back: the loan is as if it had never been, and every account of it at zero.
Never: who may fund or cancel (`origination/funding/`). Next: `docs/spec/funding.md`, worked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.unit_of_work import UnitOfWork
from servicing import rail_store
from servicing.commands.recording import Recorded, record
from servicing.effects.funding import BY_INSTRUCTION
from servicing.errors import DisbursementExceedsProceeds, FundingNotUnwound
from servicing.events import UNDOING, Event, Kind
from servicing.rails.errors import InstructionInvalid
from servicing.rails.instruction import Instruction, Status
from servicing.schedule import proceeds_of
from servicing.store import Loan

LEFT_STANDING = frozenset({Kind.FUNDED, Kind.DISBURSED, Kind.DISBURSEMENT_RETURNED, Kind.FLAGGED})
"""What may have happened to a loan whose funding is unwound; anything else is undone before."""

WAITING = (Status.SCHEDULED, Status.BATCHED)


def undisbursed(loan: Loan) -> int:
    """Return what of the proceeds is not sent, or has come back, in minor units."""
    funded = next((event for event in _standing(loan) if event.kind is Kind.FUNDED), None)
    if funded is None or not funded.details.get(BY_INSTRUCTION):
        return 0
    left = proceeds_of(loan.terms).minor - int(funded.details.get("refinanced", 0))
    for event in _standing(loan):
        if event.kind is Kind.DISBURSED:
            left -= event.amount
        elif event.kind is Kind.DISBURSEMENT_RETURNED:
            left += event.amount
    return left


def check_payee(loan: Loan, drafted: Instruction, known: Sequence[Instruction]) -> None:
    """Refuse an instruction by which more would be sent than the proceeds, those that wait counted.

    Raises: InstructionInvalid without a name; DisbursementExceedsProceeds.
    """
    if not (drafted.payee or "").strip():
        raise InstructionInvalid(field="payee", reason="it is empty")
    waiting = sum(each.amount for each in known if each.payee is not None and each.status in WAITING)
    _check_amount(loan, drafted, undisbursed(loan) - waiting)


def disburse(uow: UnitOfWork, of: Instruction, *, method: str) -> Recorded:
    """Book that an instruction has sent a part of the proceeds, on the business date.

    Raises: LoanUnknown; DisbursementExceedsProceeds; RequestKeyReused.
    """

    def check(loan: Loan, _event: Event) -> None:
        _check_amount(loan, of, undisbursed(loan))

    return _record(uow, of, Kind.DISBURSED, f"{of.payment_ref}/sent", check, method)


def take_back_disbursement(uow: UnitOfWork, of: Instruction, *, method: str, code: str) -> Recorded:
    """Book that what an instruction has sent came back, on the business date.

    Raises: LoanUnknown; RequestKeyReused.
    """

    def check(_loan: Loan, _event: Event) -> None:
        return

    return _record(uow, of, Kind.DISBURSEMENT_RETURNED, f"{of.payment_ref}/returned", check, method, code)


def unwind_funding(uow: UnitOfWork, loan_id: int, *, reason: str, request_key: str) -> Recorded:
    """Undo the funding of a loan, all of whose proceeds are back or were never sent, and none of which is to be sent.

    Raises: LoanUnknown; FundingNotUnwound; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        of = next((event.no for event in loan.events if event.kind is Kind.FUNDED), 0)
        day = loan.business_date
        return Event(kind=Kind.FUNDING_UNWOUND, effective_date=day, entered_on=day, of=of, details={"reason": reason})

    def check(loan: Loan, _event: Event) -> None:
        waiting = [
            f"payment instruction {each.instruction_no} waits to be sent"
            for each in rail_store.instructions_of(uow.connection, [loan_id])
            if each.payee is not None and each.status in WAITING
        ]
        for why in (*_objections(loan), *waiting):
            raise FundingNotUnwound(loan_id=loan_id, reason=why)

    return record(uow, loan_id, draft, check, request_key)


def _objections(loan: Loan) -> list[str]:
    standing = _standing(loan)
    funded = next((event for event in standing if event.kind is Kind.FUNDED), None)
    if funded is None:
        return ["no funding of it stands"]
    if not funded.details.get(BY_INSTRUCTION):
        return ["its proceeds were sent with the funding itself"]
    others = [f"{event.kind.value} {event.no}" for event in standing if event.kind not in LEFT_STANDING]
    if others:
        return [f"undo first: {', '.join(others)}"]
    out = proceeds_of(loan.terms).minor - undisbursed(loan)
    return [f"{out} minor units of its proceeds are not back"] if out else []


def _standing(loan: Loan) -> list[Event]:
    undone = {event.of for event in loan.events if event.kind in UNDOING}
    return [event for event in loan.events if event.no not in undone and event.kind not in UNDOING]


def _check_amount(loan: Loan, of: Instruction, left: int) -> None:
    if of.amount > left:
        raise DisbursementExceedsProceeds(
            loan_id=loan.loan_id, amount=of.amount, left=max(0, left), currency=of.currency
        )


def _record(
    uow: UnitOfWork,
    of: Instruction,
    kind: Kind,
    key: str,
    check: Callable[[Loan, Event], None],
    method: str,
    code: str = "",
) -> Recorded:
    def draft(loan: Loan) -> Event:
        return Event(
            kind=kind,
            effective_date=loan.business_date,
            entered_on=loan.business_date,
            amount=of.amount,
            method=method,
            details={"payee": of.payee, "instruction": of.instruction_no, **({"code": code} if code else {})},
        )

    return record(uow, of.loan_id, draft, check, key)
