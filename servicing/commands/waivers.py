"""Waiving a fee, the fees of a component, or interest: a reason, and a second person who approves of it.

Never: what a waiver does (`servicing/effects/waivers.py`). Next: `docs/spec/fees.md`.
"""

from __future__ import annotations

from datetime import date

from ledger.errors import ApprovalMissing
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.recording import Recorded, check_currency, check_day, foresee, record, stands
from servicing.errors import FeeUnknown, NotWaivable, WaiverExceedsOwed, WaiverNotPositive
from servicing.events import Event, Kind
from servicing.store import Loan

WAIVABLE = ("interest", "fees", "penalties")
"""The components that are waived as a whole, the oldest part first."""


def waive(
    uow: UnitOfWork,
    loan_id: int,
    *,
    of: str,
    amount: Money,
    reason: str,
    approved_by: str | None,
    effective_date: date,
    request_key: str,
) -> Recorded:
    """Waive an amount of a fee, by its id, or of a component; no more than is owed of it on the effective date.

    Raises: LoanUnknown; WaiverNotPositive; CurrencyMismatch; ApprovalMissing; EffectiveDateAhead;
    EffectiveBeforeFunding; NotWaivable; FeeUnknown; WaiverExceedsOwed; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        return Event(
            kind=Kind.WAIVER,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=amount.minor,
            details={
                "component" if of in WAIVABLE else "fee_id": of,
                "currency": amount.currency,
                "reason": reason,
                "approved_by": approved_by,
            },
        )

    def check(loan: Loan, event: Event) -> None:
        check_currency(loan, amount)
        if amount.minor <= 0:
            raise WaiverNotPositive(amount=amount.minor, currency=amount.currency)
        if approved_by in (None, "", uow.actor):
            raise ApprovalMissing(action="waiving", actor=uow.actor, approver=approved_by)
        check_day(loan, effective_date)
        _check_owed(loan, event, of)

    return record(uow, loan_id, draft, check, request_key)


def _check_owed(loan: Loan, event: Event, of: str) -> None:
    on = event.effective_date
    if of == "principal":
        raise NotWaivable(of=of, known=WAIVABLE)
    if of not in WAIVABLE and of not in {fee.id for fee in foresee(loan, event).fees}:
        raise FeeUnknown(loan_id=loan.loan_id, fee_id=of, on=on)
    owed = stands(loan, event)
    if owed < event.amount:
        raise WaiverExceedsOwed(of=of, amount=event.amount, owed=owed, currency=loan.terms.currency, on=on)
