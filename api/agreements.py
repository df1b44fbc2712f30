"""Trial plans, settlements and pauses as both doors take them and answer.

Next: `servicing/commands/agreements.py`; `api/routes/agreements.py`, `api/cli/agreements.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from api.modifications import recorded_json
from api.views import Json, MoneyForm
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.agreements import (
    Trial,
    begin_trial,
    end_agreement,
    pause_delinquency,
    resume_delinquency,
    settle,
)
from servicing.commands.recording import Recorded
from servicing.queries import loan_view


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What was decided about a loan: when it counts (None: the business date), why, and who approved of it."""

    loan_id: int
    reason: str
    approved_by: str | None = None
    effective_date: date | None = None


def agree_on_trial(uow: UnitOfWork, by: Decided, trial: Trial, *, request_key: str, money: MoneyForm) -> Json:
    """Agree on a trial plan. Raises: what `begin_trial` raises."""
    done = begin_trial(
        uow,
        by.loan_id,
        trial,
        reason=by.reason,
        approved_by=by.approved_by,
        effective_date=_day(uow, by),
        request_key=request_key,
    )
    return recorded_json(uow, by.loan_id, done, money)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementIn:
    """A settlement as it comes in at a door."""

    amount: Money
    by: date
    rest: str = "charge_off"
    grace_days: int = 0


def agree_on_settlement(
    uow: UnitOfWork, by: Decided, given: SettlementIn, *, request_key: str, money: MoneyForm
) -> Json:
    """Agree that less settles a loan. Raises: what `settle` raises."""
    done = settle(
        uow,
        by.loan_id,
        amount=given.amount,
        by=given.by,
        rest=given.rest,
        grace_days=given.grace_days,
        reason=by.reason,
        approved_by=by.approved_by,
        effective_date=_day(uow, by),
        request_key=request_key,
    )
    return recorded_json(uow, by.loan_id, done, money)


def pause(uow: UnitOfWork, by: Decided, until: date | None, *, request_key: str, money: MoneyForm) -> Json:
    """Pause the days past due of a loan. Raises: what `pause_delinquency` raises."""
    on = _day(uow, by)
    done = pause_delinquency(uow, by.loan_id, until=until, reason=by.reason, effective_date=on, request_key=request_key)
    return recorded_json(uow, by.loan_id, done, money)


def resume(uow: UnitOfWork, by: Decided, *, request_key: str, money: MoneyForm) -> Json:
    """Count the days past due of a loan again. Raises: what `resume_delinquency` raises."""
    return _ended(uow, by, resume_delinquency, request_key, money)


def end(uow: UnitOfWork, by: Decided, *, request_key: str, money: MoneyForm) -> Json:
    """End what is agreed and open. Raises: what `end_agreement` raises."""
    return _ended(uow, by, end_agreement, request_key, money)


def _ended(uow: UnitOfWork, by: Decided, command: Callable[..., Recorded], request_key: str, money: MoneyForm) -> Json:
    on = _day(uow, by)
    done = command(uow, by.loan_id, reason=by.reason, effective_date=on, request_key=request_key)
    return recorded_json(uow, by.loan_id, done, money)


def _day(uow: UnitOfWork, by: Decided) -> date:
    return by.effective_date or loan_view(uow.connection, by.loan_id).on
