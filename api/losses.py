"""Charge-offs, recoveries, non-accrual, sales and flags as both doors take them: the event, its entries, what is owed.

Next: `servicing/commands/charge_offs.py`, `servicing/commands/non_accrual.py`; `api/routes/losses.py`,
`api/cli/losses.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from api.loan_details import event_json
from api.loans import loan_after
from api.views import Json, MoneyForm
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.charge_offs import charge_off, reverse_charge_off, take_recovery
from servicing.commands.flags import flag_loan
from servicing.commands.non_accrual import enter_non_accrual, return_to_accrual
from servicing.commands.recording import Recorded
from servicing.commands.sales import Deal, buy_back, sell
from servicing.queries import loan_view

DECISIONS: Mapping[str, Callable[..., Recorded]] = {
    "charge_off": charge_off,
    "non_accrual": enter_non_accrual,
    "return_to_accrual": return_to_accrual,
}
"""What two people decide about a loan for a day, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionIn:
    """A decision as it comes in at a door: why, and who approves of it; without a date it is effective today."""

    loan_id: int
    what: str
    reason: str
    approved_by: str | None
    effective_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryIn:
    """A recovery as it comes in at a door; without a date it is effective on the business date."""

    loan_id: int
    amount: Money
    method: str
    external_id: str
    agency: str | None = None
    commission: Money | None = None
    effective_date: date | None = None


def decide(uow: UnitOfWork, given: DecisionIn, *, request_key: str, money: MoneyForm) -> Json:
    """Charge a loan off, stop its income, or let it be income again. Raises: what its command raises."""
    done = DECISIONS[given.what](
        uow,
        given.loan_id,
        reason=given.reason,
        approved_by=given.approved_by,
        effective_date=given.effective_date or loan_view(uow.connection, given.loan_id).on,
        request_key=request_key,
    )
    return _changed(uow, given.loan_id, done, money)


def undo_charge_off(
    uow: UnitOfWork, loan_id: int, *, reason: str, approved_by: str | None, request_key: str, money: MoneyForm
) -> Json:
    """Reverse the charge-off in force. Raises: what `reverse_charge_off` raises."""
    done = reverse_charge_off(uow, loan_id, reason=reason, approved_by=approved_by, request_key=request_key)
    return _changed(uow, loan_id, done, money)


def recover(uow: UnitOfWork, given: RecoveryIn, *, request_key: str, money: MoneyForm) -> Json:
    """Take a recovery; return how it stands allocated. Raises: what `take_recovery` raises."""
    done = take_recovery(
        uow,
        given.loan_id,
        amount=given.amount,
        effective_date=given.effective_date or loan_view(uow.connection, given.loan_id).on,
        method=given.method,
        external_id=given.external_id,
        request_key=request_key,
        agency=given.agency,
        commission=given.commission,
    )
    parts = done.state.allocations.get(done.event.no)
    split = {} if parts is None else parts.components()
    currency = given.amount.currency
    allocation = {name: money(Money(minor, currency)) for name, minor in split.items()}
    return {**_changed(uow, given.loan_id, done, money), "payment_id": done.event.no, "allocation": allocation}


def _changed(uow: UnitOfWork, loan_id: int, done: Recorded, money: MoneyForm) -> Json:
    view = loan_view(uow.connection, loan_id)
    event = event_json(view, done.event, lambda minor: money(Money(minor, view.loan.terms.currency)))
    return {"loan_id": loan_id, **event, **loan_after(uow, loan_id, done.entries, money)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DealIn:
    """A sale or a purchase as it comes in at a door: without a price it is what the loan stands for."""

    loan_id: int
    counterparty: str
    price: Money | None
    method: str
    approved_by: str | None
    effective_date: date | None = None


def sell_loan(uow: UnitOfWork, given: DealIn, *, servicing: str, request_key: str, money: MoneyForm) -> Json:
    """Sell a loan. Raises: what `sell` raises."""
    done = sell(uow, given.loan_id, _deal(uow, given), servicing=servicing, request_key=request_key)
    return _changed(uow, given.loan_id, done, money)


def buy_loan_back(uow: UnitOfWork, given: DealIn, *, request_key: str, money: MoneyForm) -> Json:
    """Buy a loan back. Raises: what `buy_back` raises."""
    return _changed(uow, given.loan_id, buy_back(uow, given.loan_id, _deal(uow, given), request_key=request_key), money)


def set_flag(
    uow: UnitOfWork,
    loan_id: int,
    *,
    flag: str,
    reason: str,
    lifted: bool,
    effective_date: date | None,
    request_key: str,
    money: MoneyForm,
) -> Json:
    """Set a flag on a loan, or lift it. Raises: what `flag_loan` raises."""
    on = effective_date or loan_view(uow.connection, loan_id).on
    done = flag_loan(uow, loan_id, flag=flag, reason=reason, effective_date=on, request_key=request_key, lifted=lifted)
    return _changed(uow, loan_id, done, money)


def _deal(uow: UnitOfWork, given: DealIn) -> Deal:
    return Deal(
        counterparty=given.counterparty,
        price=given.price,
        method=given.method,
        approved_by=given.approved_by,
        effective_date=given.effective_date or loan_view(uow.connection, given.loan_id).on,
    )
