"""Agreeing on what comes: a trial plan, a settlement for less, a pause of days past due; and ending each.

How one is kept is judged in the fold, at the close of each day. Never: figures.
Next: `servicing/effects/agreements.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ledger.errors import ApprovalMissing
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.modifications import before_the_event
from servicing.commands.recording import Recorded, check_currency, check_day, record
from servicing.due_dates import due_dates
from servicing.errors import (
    AgreementOpen,
    AgreementUnknown,
    DelinquencyNotPaused,
    DelinquencyPaused,
    ModificationInvalid,
    ModificationRefused,
)
from servicing.events import Event, Kind
from servicing.modification import BY_ENTRY, read_modification
from servicing.state import IN_REPAYMENT
from servicing.store import Loan

RESTS = ("charge_off", "forgive")
"""What may become of the rest of a loan that is settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial plan: so many payments of an amount, the first on a day, and what happens if they come.

    What is missing of them may be up to `tolerance`, and come so many `grace_days` late; `then` has a kind and what it
    is told. With `pause`, no day past due is added meanwhile.
    """

    payments: int
    amount: Money
    first_due_on: date | None = None
    frequency: str | None = None
    grace_days: int | None = None
    tolerance: Money | None = None
    pause: bool = False
    then: Mapping[str, Any] = field(default_factory=lambda: {"kind": "reage"})


def begin_trial(
    uow: UnitOfWork,
    loan_id: int,
    trial: Trial,
    *,
    reason: str,
    approved_by: str | None,
    effective_date: date,
    request_key: str,
) -> Recorded:
    """Agree on a trial plan, and on the modification that follows if it is kept.

    Raises: LoanUnknown; ModificationInvalid; ModificationRefused; AgreementOpen; ApprovalMissing; CurrencyMismatch;
    EffectiveDateAhead; EffectiveBeforeFunding; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        grace = loan.terms.product.grace_days if trial.grace_days is None else trial.grace_days
        return Event(
            kind=Kind.TRIAL_PLAN,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=trial.amount.minor,
            details={
                "payments": trial.payments,
                "first_due_on": _first_due(loan, trial, effective_date).isoformat(),
                **({"frequency": trial.frequency} if trial.frequency else {}),
                "grace_days": grace,
                "tolerance": 0 if trial.tolerance is None else trial.tolerance.minor,
                **({"pause": True} if trial.pause else {}),
                "then": _final(trial, loan.terms.currency),
                **_decided(reason, approved_by),
            },
        )

    def check(loan: Loan, event: Event) -> None:
        check_currency(loan, trial.amount)
        _check(uow, loan, event, "a trial plan", approved_by, reason)
        first = date.fromisoformat(event.details["first_due_on"])
        if first < effective_date:
            raise ModificationInvalid(field="first_due_on", reason=f"it must not lie before {effective_date}")
        due_dates(first, first, trial.frequency or loan.terms.frequency, trial.payments)

    return record(uow, loan_id, draft, check, request_key)


def settle(
    uow: UnitOfWork,
    loan_id: int,
    *,
    amount: Money,
    by: date,
    rest: str = "charge_off",
    reason: str,
    approved_by: str | None,
    effective_date: date,
    request_key: str,
    grace_days: int = 0,
) -> Recorded:
    """Agree that an amount, paid by a day, settles a loan that owes more; the rest is charged off or forgiven then.

    Raises: as `begin_trial`.
    """

    def draft(loan: Loan) -> Event:
        own = {"by": by.isoformat(), "rest": rest, "grace_days": grace_days}
        return Event(
            kind=Kind.SETTLED,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=amount.minor,
            details={**own, **_decided(reason, approved_by)},
        )

    def check(loan: Loan, event: Event) -> None:
        check_currency(loan, amount)
        if rest not in RESTS:
            raise ModificationInvalid(field="rest", reason=f"it is one of {', '.join(RESTS)}")
        if by < effective_date:
            raise ModificationInvalid(field="by", reason=f"it must not lie before {effective_date}")
        _check(uow, loan, event, "a settlement", approved_by, reason)
        if amount.minor >= before_the_event(loan, event).payoff:
            raise ModificationInvalid(field="amount", reason="it is no less than what pays the loan off")

    return record(uow, loan_id, draft, check, request_key)


def end_agreement(uow: UnitOfWork, loan_id: int, *, reason: str, effective_date: date, request_key: str) -> Recorded:
    """End the trial plan or settlement that is open: the loan is as its contract has it.

    Raises: LoanUnknown; AgreementUnknown; EffectiveDateAhead; EffectiveBeforeFunding; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        day, own = loan.business_date, {"reason": reason}
        return Event(kind=Kind.TRIAL_PLAN_ENDED, effective_date=effective_date, entered_on=day, details=own)

    def check(loan: Loan, event: Event) -> None:
        check_day(loan, effective_date)
        if not any(each.status == "open" for each in before_the_event(loan, event).agreements):
            raise AgreementUnknown(loan_id=loan_id, on=effective_date)

    return record(uow, loan_id, draft, check, request_key)


def pause_delinquency(
    uow: UnitOfWork,
    loan_id: int,
    *,
    until: date | None,
    reason: str,
    effective_date: date,
    request_key: str,
) -> Recorded:
    """Add no day past due from a day on, until another one or until it is resumed.

    Raises: LoanUnknown; DelinquencyPaused; ModificationInvalid; EffectiveDateAhead; EffectiveBeforeFunding;
    RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        own = {"reason": reason, **({} if until is None else {"until": until.isoformat()})}
        day = loan.business_date
        return Event(kind=Kind.DELINQUENCY_PAUSED, effective_date=effective_date, entered_on=day, details=own)

    def check(loan: Loan, event: Event) -> None:
        check_day(loan, effective_date)
        if until is not None and until <= effective_date:
            raise ModificationInvalid(field="until", reason=f"it must lie after {effective_date}")
        for pause in before_the_event(loan, event).pauses:
            if pause.is_on(effective_date):
                raise DelinquencyPaused(loan_id=loan_id, start=pause.start)

    return record(uow, loan_id, draft, check, request_key)


def resume_delinquency(
    uow: UnitOfWork, loan_id: int, *, reason: str, effective_date: date, request_key: str
) -> Recorded:
    """Add days past due again from a day on.

    Raises: LoanUnknown; DelinquencyNotPaused; EffectiveDateAhead; EffectiveBeforeFunding; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        day, own = loan.business_date, {"reason": reason}
        return Event(kind=Kind.DELINQUENCY_RESUMED, effective_date=effective_date, entered_on=day, details=own)

    def check(loan: Loan, event: Event) -> None:
        check_day(loan, effective_date)
        if not any(pause.is_on(effective_date) for pause in before_the_event(loan, event).pauses):
            raise DelinquencyNotPaused(loan_id=loan_id, on=effective_date)

    return record(uow, loan_id, draft, check, request_key)


def _check(uow: UnitOfWork, loan: Loan, event: Event, what: str, approved_by: str | None, reason: str) -> None:
    on = event.effective_date
    if not reason.strip():
        raise ModificationInvalid(field="reason", reason="it is missing")
    if event.amount <= 0:
        raise ModificationInvalid(field="amount", reason="it must be above zero")
    if approved_by in (None, "", uow.actor):
        raise ApprovalMissing(action=what, actor=uow.actor, approver=approved_by)
    check_day(loan, on)
    before = before_the_event(loan, event)
    if before.status not in IN_REPAYMENT:
        raise ModificationRefused(loan_id=loan.loan_id, kind=what, on=on, reason=f"it is {before.status}")
    if loan.terms.product.interest == "precomputed" and event.kind is Kind.TRIAL_PLAN:
        raise ModificationRefused(loan_id=loan.loan_id, kind=what, on=on, reason="its charge is precomputed")
    for each in before.agreements:
        if each.status == "open":
            raise AgreementOpen(loan_id=loan.loan_id, event_no=each.event_no, kind=each.kind)


def _final(trial: Trial, currency: str) -> dict[str, Any]:
    told = {name: value for name, value in trial.then.items() if name != "kind"}
    details = read_modification(str(trial.then.get("kind", "reage")), told, currency)
    return {**details, **({"by_entry": True} if details["kind"] in BY_ENTRY else {})}


def _first_due(loan: Loan, trial: Trial, on: date) -> date:
    """Return when the first payment of a trial is due: where nothing is said, with the next installment."""
    if trial.first_due_on is not None:
        return trial.first_due_on
    frequency = trial.frequency or loan.terms.frequency
    dues = due_dates(loan.terms.funded_on, loan.terms.first_due_on, loan.terms.frequency, loan.terms.installments)
    return next((due for due in dues if due > on), None) or due_dates(on, on, frequency, 2)[1]


def _decided(reason: str, approved_by: str | None) -> dict[str, str]:
    return {"reason": reason, **({"approved_by": approved_by} if approved_by else {})}
