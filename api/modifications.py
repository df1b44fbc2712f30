"""Modifications as both doors take them and answer: the event, the loan before and after it, what was booked.

Next: `servicing/commands/modifications.py`; `api/routes/modifications.py`, `api/cli/modifications.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from api.loan_details import AmountForm, event_json
from api.loans import loan_after
from api.views import Json, MoneyForm
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.modifications import accelerate, comparison_of, modify
from servicing.commands.recording import Recorded
from servicing.comparison import Comparison, Standing
from servicing.queries import loan_view

AMOUNTS = frozenset(
    {
        *("principal", "interest", "fees", "past_due", "installment"),
        *("total_of_payments", "total_of_interest"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModificationIn:
    """A modification as it comes in at a door; without a date it is effective on the business date."""

    loan_id: int
    kind: str
    told: Mapping[str, Any]
    reason: str
    approved_by: str | None
    effective_date: date | None = None
    financial_difficulty: bool | None = None


def change_contract(uow: UnitOfWork, given: ModificationIn, *, request_key: str, money: MoneyForm) -> Json:
    """Modify a loan. Raises: what `modify` raises."""
    done = modify(
        uow,
        given.loan_id,
        kind=given.kind,
        told=given.told,
        reason=given.reason,
        approved_by=given.approved_by,
        effective_date=_day(uow, given.loan_id, given.effective_date),
        request_key=request_key,
        financial_difficulty=given.financial_difficulty,
    )
    return _compared(uow, given.loan_id, done, money)


def call_loan(
    uow: UnitOfWork,
    loan_id: int,
    *,
    reason: str,
    approved_by: str | None,
    effective_date: date | None,
    request_key: str,
    money: MoneyForm,
) -> Json:
    """Let all that a loan owes fall due. Raises: what `accelerate` raises."""
    on = _day(uow, loan_id, effective_date)
    done = accelerate(uow, loan_id, reason=reason, approved_by=approved_by, effective_date=on, request_key=request_key)
    return _compared(uow, loan_id, done, money)


def recorded_json(uow: UnitOfWork, loan_id: int, done: Recorded, money: MoneyForm) -> Json:
    """Return an event that was recorded, the entries booked, and what is owed after it."""
    view = loan_view(uow.connection, loan_id)
    event = event_json(view, done.event, lambda minor: money(Money(minor, view.loan.terms.currency)))
    return {"loan_id": loan_id, **event, **loan_after(uow, loan_id, done.entries, money)}


def _compared(uow: UnitOfWork, loan_id: int, done: Recorded, money: MoneyForm) -> Json:
    loan = loan_view(uow.connection, loan_id).loan
    comparison = comparison_of(loan, done.event)

    def amount(minor: int) -> object:
        return money(Money(minor, loan.terms.currency))

    return {**recorded_json(uow, loan_id, done, money), "comparison": comparison_json(comparison, amount)}


def comparison_json(comparison: Comparison, amount: AmountForm) -> Json:
    """Return a loan before and after a modification, and what the borrower pays more in all."""
    return {
        "on": comparison.on.isoformat(),
        "before": _standing(comparison.before, amount),
        "after": _standing(comparison.after, amount),
        "cost": amount(comparison.cost),
    }


def _standing(standing: Standing, amount: AmountForm) -> Json:
    def shown(name: str, value: Any) -> Any:
        if name in AMOUNTS:
            return amount(value)
        if isinstance(value, date):
            return value.isoformat()
        return f"{value:f}" if isinstance(value, Decimal) else value

    return {each.name: shown(each.name, getattr(standing, each.name)) for each in fields(standing)}


def _day(uow: UnitOfWork, loan_id: int, given: date | None) -> date:
    return given or loan_view(uow.connection, loan_id).on
