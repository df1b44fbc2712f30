"""Stopping the income of a loan by hand, and letting it be income again: a reason, and a second person.

Never: what the books say (`servicing/effects/non_accrual.py`). Next: `docs/spec/non_accrual.md`.
"""

from __future__ import annotations

from datetime import date

from ledger.unit_of_work import UnitOfWork
from servicing.commands.charge_offs import refuse_one_person
from servicing.commands.recording import Recorded, check_day, record
from servicing.errors import AccrualStateRefused
from servicing.events import Event, Kind
from servicing.payoff import before_the_close
from servicing.store import Loan


def enter_non_accrual(
    uow: UnitOfWork, loan_id: int, *, reason: str, approved_by: str | None, effective_date: date, request_key: str
) -> Recorded:
    """Let contract interest be no income from a day on.

    Raises: LoanUnknown; ApprovalMissing; EffectiveDateAhead; EffectiveBeforeFunding; AccrualStateRefused;
    RequestKeyReused.
    """
    return _turn(uow, loan_id, Kind.NON_ACCRUAL, "active", reason, approved_by, effective_date, request_key)


def return_to_accrual(
    uow: UnitOfWork, loan_id: int, *, reason: str, approved_by: str | None, effective_date: date, request_key: str
) -> Recorded:
    """Let contract interest be income again from a day on.

    Raises: as `enter_non_accrual`.
    """
    return _turn(uow, loan_id, Kind.ACCRUAL_RESUMED, "non_accrual", reason, approved_by, effective_date, request_key)


def _turn(
    uow: UnitOfWork,
    loan_id: int,
    kind: Kind,
    needed: str,
    reason: str,
    approved_by: str | None,
    effective_date: date,
    request_key: str,
) -> Recorded:

    def draft(loan: Loan) -> Event:
        return Event(
            kind=kind,
            effective_date=effective_date,
            entered_on=loan.business_date,
            details={"reason": reason, "approved_by": approved_by},
        )

    def check(loan: Loan, event: Event) -> None:
        refuse_one_person(uow, kind.value.replace("_", " "), approved_by)
        check_day(loan, effective_date)
        status = before_the_close(loan.terms, loan.events, effective_date, fees_through=loan.fees_through).status
        if status != needed:
            raise AccrualStateRefused(loan_id=loan_id, on=effective_date, status=status, needed=needed)

    return record(uow, loan_id, draft, check, request_key)
