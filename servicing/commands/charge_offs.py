"""Charging a loan off by hand, reversing a charge-off, and taking what is recovered of the claim.

A charge-off and its reversal take a reason and a second person. Never: what the books say
(`servicing/effects/charge_offs.py`). Next: `docs/spec/charge_off.md`.
"""

from __future__ import annotations

from datetime import date

from ledger.errors import ApprovalMissing
from ledger.money import Money, round_to_minor
from ledger.unit_of_work import UnitOfWork
from servicing.commands.payments import check_payment
from servicing.commands.recording import Recorded, check_day, record
from servicing.commands.reversals import reverse_event
from servicing.engine import fold
from servicing.errors import CommissionExceedsRecovery, NotChargedOff, NothingToChargeOff
from servicing.events import Event, Kind
from servicing.payoff import before_the_close
from servicing.state import LoanState
from servicing.store import Loan, load_loan


def charge_off(
    uow: UnitOfWork, loan_id: int, *, reason: str, approved_by: str | None, effective_date: date, request_key: str
) -> Recorded:
    """Charge off all that is owed on the effective date.

    Raises: LoanUnknown; ApprovalMissing; EffectiveDateAhead; EffectiveBeforeFunding; NothingToChargeOff;
    RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        before = next((e for e in loan.events if e.no == loan.request_keys.get(request_key)), None)
        return Event(
            kind=Kind.CHARGE_OFF,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=_owed(loan, effective_date) if before is None else before.amount,
            details={"reason": reason, "approved_by": approved_by},
        )

    def check(loan: Loan, event: Event) -> None:
        refuse_one_person(uow, "charging off", approved_by)
        check_day(loan, effective_date)
        if event.amount <= 0:
            raise NothingToChargeOff(loan_id=loan_id, on=effective_date)

    return record(uow, loan_id, draft, check, request_key)


def reverse_charge_off(
    uow: UnitOfWork, loan_id: int, *, reason: str, approved_by: str | None, request_key: str
) -> Recorded:
    """Undo the charge-off in force, as if it had never been; the policy leaves that delinquency alone then.

    Raises: LoanUnknown; ApprovalMissing; NotChargedOff; RequestKeyReused.
    """
    refuse_one_person(uow, "reversing a charge-off", approved_by)
    loan = load_loan(uow.connection, loan_id, lock=True)
    state = _today(loan)
    if request_key in loan.request_keys:
        event = next(e for e in loan.events if e.no == loan.request_keys[request_key])
        return record(uow, loan_id, lambda _: event, lambda _loan, _event: None, request_key)
    if state.charged_off_on is None:
        raise NotChargedOff(loan_id=loan_id, on=loan.business_date)
    if state.charged_off_by is not None:
        return reverse_event(uow, loan_id, state.charged_off_by, reason, request_key)
    day, charged_off_on = loan.business_date, state.charged_off_on
    since = _unpaid_since(loan, charged_off_on)
    details = {
        "reason": reason,
        "approved_by": approved_by,
        "charge_off_of": since.isoformat(),
        "charged_off_on": charged_off_on.isoformat(),
    }
    event = Event(kind=Kind.EVENT_REVERSED, effective_date=day, entered_on=day, details=details)
    return record(uow, loan_id, lambda _: event, lambda _loan, _event: None, request_key)


def take_recovery(
    uow: UnitOfWork,
    loan_id: int,
    *,
    amount: Money,
    effective_date: date,
    method: str,
    external_id: str,
    request_key: str,
    agency: str | None = None,
    commission: Money | None = None,
) -> Recorded:
    """Take what was recovered of a claim that is charged off; an agency keeps its commission of it.

    Without a `commission` an agency keeps what the product says.
    Raises: as `take_payment`; NotChargedOff on the effective date; CommissionExceedsRecovery.
    """

    def draft(loan: Loan) -> Event:
        kept = _commission(loan, amount, agency, commission)
        own = {} if agency is None else {"agency": agency}
        return Event(
            kind=Kind.RECOVERY,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=amount.minor,
            method=method,
            details={
                "external_id": external_id,
                "currency": amount.currency,
                **own,
                **({"commission": kept} if kept else {}),
            },
        )

    def check(loan: Loan, event: Event) -> None:
        check_payment(loan, event, amount)
        kept = event.details.get("commission", 0)
        if not 0 <= kept <= event.amount:
            raise CommissionExceedsRecovery(commission=kept, amount=event.amount, currency=amount.currency)
        if _at_the_close(loan, effective_date).charged_off_on is None:
            raise NotChargedOff(loan_id=loan_id, on=effective_date)

    return record(uow, loan_id, draft, check, request_key)


def refuse_one_person(uow: UnitOfWork, action: str, approved_by: str | None) -> None:
    """Refuse what takes two people and has one.

    Raises: ApprovalMissing.
    """
    if approved_by in (None, "", uow.actor):
        raise ApprovalMissing(action=action, actor=uow.actor, approver=approved_by)


def _commission(loan: Loan, amount: Money, agency: str | None, commission: Money | None) -> int:
    if commission is not None:
        return commission.minor
    percent = loan.terms.product.charge_off.commission_percent if agency is not None else 0
    return round_to_minor(amount.to_decimal() * percent / 100, amount.currency, loan.terms.product.rounding).minor


def _owed(loan: Loan, day: date) -> int:
    """Return what is owed on a day before its close, less the borrower's cash that is there: it pays first."""
    state = before_the_close(loan.terms, loan.events, max(day, loan.terms.funded_on), fees_through=loan.fees_through)
    return 0 if state.charged_off_on is not None else state.payoff - state.interest_ahead - state.unapplied


def _today(loan: Loan) -> LoanState:
    return _at_the_close(loan, loan.business_date)


def _at_the_close(loan: Loan, day: date) -> LoanState:
    return fold(loan.terms, loan.events, day, fees_through=loan.fees_through)


def _unpaid_since(loan: Loan, day: date) -> date:
    """Return the due date of the delinquency for which the policy charged a loan off."""
    threshold = loan.terms.product.charge_off_dpd
    assert threshold is not None, "the policy has charged it off"
    return next(line.due for line in _at_the_close(loan, day).installments if line.due < day and line.unpaid)
