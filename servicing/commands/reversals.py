"""Reversing an event that a person entered by mistake: the loan becomes as if it had never been.

A payment is reversed as `servicing/commands/payments.py` has it. Never: what a bank returned, which was no mistake.
Next: `docs/spec/fees.md`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.unit_of_work import UnitOfWork
from servicing.commands.payments import check_undoing
from servicing.commands.recording import Recorded, record
from servicing.errors import EventNotReversible, EventReversed, EventUnknown
from servicing.events import PAYMENTS, UNDOING, Event, Kind
from servicing.store import Loan

NOT_REVERSED: Mapping[Kind, str] = {
    Kind.FUNDED: "a funding is unwound, not reversed",
    Kind.BOARDED: "what a loan was boarded with is its beginning",
    Kind.FUNDING_UNWOUND: "what was unwound stays so; make a new loan",
    Kind.DISBURSED: "money that was sent comes back by its payment instruction",
    Kind.DISBURSEMENT_RETURNED: "the bank has returned it; send it again",
    Kind.DRAWDOWN: "money that was paid out comes back as a payment",
    Kind.RETURNED: "the bank has returned the payment; take it again if it comes again, and waive the fee",
    Kind.REVERSED: "a reversal stands; enter the payment again",
    Kind.EVENT_REVERSED: "a reversal stands; enter again what it reversed",
}
"""The kinds of events that are not reversed, and what to do instead."""

REFUNDS = frozenset({Kind.REFUND, Kind.CREDIT_BALANCE_REFUND})
SENT = "it was sent when its day ended; what comes back of it is a payment"
"""Why a refund is reversed on the business date on which it was entered, and not later."""


def reverse_event(uow: UnitOfWork, loan_id: int, event_no: int, reason: str, request_key: str) -> Recorded:
    """Undo an event of a loan, entered by mistake, on the business date; a payment too.

    Raises: LoanUnknown; EventUnknown; EventNotReversible; EventReversed; PaymentUndone; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        kind = Kind.REVERSED if _event(loan, event_no).kind in PAYMENTS else Kind.EVENT_REVERSED
        day = loan.business_date
        return Event(kind=kind, effective_date=day, entered_on=day, of=event_no, details={"reason": reason})

    return record(uow, loan_id, draft, lambda loan, _event: check_reversible(loan, event_no), request_key)


def check_reversible(loan: Loan, event_no: int) -> None:
    """Refuse to reverse what is not reversed, or not twice.

    Raises: EventUnknown; EventNotReversible; EventReversed; PaymentUndone.
    """
    found = _event(loan, event_no)
    if found.kind in PAYMENTS:
        check_undoing(loan, event_no)
    why = SENT if found.kind in REFUNDS and found.entered_on < loan.business_date else NOT_REVERSED.get(found.kind)
    if why is not None:
        raise EventNotReversible(loan_id=loan.loan_id, event_no=event_no, kind=found.kind.value, why=why)
    for event in loan.events:
        if event.kind in UNDOING and event.of == event_no:
            raise EventReversed(loan_id=loan.loan_id, event_no=event_no, by=event.no)


def _event(loan: Loan, event_no: int) -> Event:
    for event in loan.events:
        if event.no == event_no:
            return event
    raise EventUnknown(loan_id=loan.loan_id, event_no=str(event_no))
