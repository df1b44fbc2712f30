"""Fees, waivers, write-offs and reversals as both doors take them and answer: the event, what was booked, what is owed.

Next: `servicing/commands/`; `api/routes/fees.py`, `api/cli/fees.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from api.loan_details import event_json
from api.loans import changed, loan_after
from api.views import Json, MoneyForm
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.fees import charge_fee
from servicing.commands.recording import Recorded
from servicing.commands.reversals import reverse_event
from servicing.commands.waivers import waive
from servicing.commands.write_offs import write_off_small_balance
from servicing.events import Kind
from servicing.queries import loan_view


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeIn:
    """A fee as it comes in at a door; without a date it is effective on the business date."""

    loan_id: int
    amount: Money
    kind: str
    fee_id: str
    penalty: bool = False
    due: date | None = None
    effective_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverIn:
    """A waiver as it comes in at a door: of a fee by its id, or of a component."""

    loan_id: int
    amount: Money
    of: str
    reason: str
    approved_by: str | None
    effective_date: date | None = None


def charge(uow: UnitOfWork, fee: FeeIn, *, request_key: str, money: MoneyForm) -> Json:
    """Charge a fee. Raises: what `charge_fee` raises."""
    done = charge_fee(
        uow,
        fee.loan_id,
        amount=fee.amount,
        kind=fee.kind,
        fee_id=fee.fee_id,
        effective_date=_day(uow, fee.loan_id, fee.effective_date),
        request_key=request_key,
        penalty=fee.penalty,
        due=fee.due,
    )
    return _changed(uow, fee.loan_id, done, money)


def give_up(uow: UnitOfWork, waiver: WaiverIn, *, request_key: str, money: MoneyForm) -> Json:
    """Waive a fee or interest. Raises: what `waive` raises."""
    done = waive(
        uow,
        waiver.loan_id,
        of=waiver.of,
        amount=waiver.amount,
        reason=waiver.reason,
        approved_by=waiver.approved_by,
        effective_date=_day(uow, waiver.loan_id, waiver.effective_date),
        request_key=request_key,
    )
    return _changed(uow, waiver.loan_id, done, money)


def write_off(
    uow: UnitOfWork, loan_id: int, *, reason: str, effective_date: date | None, request_key: str, money: MoneyForm
) -> Json:
    """Write off a small balance. Raises: what `write_off_small_balance` raises."""
    on = _day(uow, loan_id, effective_date)
    done = write_off_small_balance(uow, loan_id, reason=reason, effective_date=on, request_key=request_key)
    return _changed(uow, loan_id, done, money)


def reverse(uow: UnitOfWork, loan_id: int, event_no: int, *, reason: str, request_key: str, money: MoneyForm) -> Json:
    """Reverse an event that was entered by mistake; of a payment, return the payment. Raises: what it raises."""
    done = reverse_event(uow, loan_id, event_no, reason, request_key)
    if done.event.kind is Kind.REVERSED:
        return changed(uow, loan_id, event_no, done.entries, money)
    return _changed(uow, loan_id, done, money)


def _day(uow: UnitOfWork, loan_id: int, given: date | None) -> date:
    return given or loan_view(uow.connection, loan_id).on


def _changed(uow: UnitOfWork, loan_id: int, done: Recorded, money: MoneyForm) -> Json:
    view = loan_view(uow.connection, loan_id)
    event = event_json(view, done.event, lambda minor: money(Money(minor, view.loan.terms.currency)))
    return {"loan_id": loan_id, **event, **loan_after(uow, loan_id, done.entries, money)}
