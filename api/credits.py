"""Credits and chargebacks as both doors show them: what each did, the entries booked, what is owed after it.

Next: `servicing/commands/credits.py`, `servicing/commands/chargebacks.py`; `api/routes/credits.py`,
`api/cli/credits.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from api.loans import loan_after
from api.views import Json, MoneyForm, day
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.chargebacks import charge_back
from servicing.commands.credits import CREDITS, credit
from servicing.queries import loan_view


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditIn:
    """A credit as it comes in at a door, its kind by the word of `CREDITS`; it is effective today without a date."""

    loan_id: int
    kind: str
    amount: Money
    effective_date: date | None
    method: str
    reason: str


def give_credit(uow: UnitOfWork, given: CreditIn, *, request_key: str, money: MoneyForm) -> Json:
    """Credit a loan; return where the credit went.

    Raises: what `credit` raises.
    """
    on = given.effective_date or loan_view(uow.connection, given.loan_id).on
    done = credit(
        uow,
        given.loan_id,
        kind=CREDITS[given.kind],
        amount=given.amount,
        effective_date=on,
        method=given.method,
        request_key=request_key,
        reason=given.reason,
    )
    parts = {} if done.allocation is None else done.allocation.components()
    return {
        "loan_id": given.loan_id,
        "event_no": done.event_no,
        "kind": given.kind,
        "amount": money(given.amount),
        "effective_date": day(on),
        "reason": given.reason,
        "allocation": {name: money(Money(minor, given.amount.currency)) for name, minor in parts.items()},
        **loan_after(uow, given.loan_id, done.entries, money),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargebackIn:
    """A chargeback as it comes in at a door; without a date it is effective on the business date."""

    loan_id: int
    payment_id: int
    amount: Money
    effective_date: date | None
    reason: str


def take_back(uow: UnitOfWork, given: ChargebackIn, *, request_key: str, money: MoneyForm) -> Json:
    """Charge back a payment; return what is owed again.

    Raises: what `charge_back` raises.
    """
    on = given.effective_date or loan_view(uow.connection, given.loan_id).on
    done = charge_back(
        uow,
        given.loan_id,
        given.payment_id,
        amount=given.amount,
        effective_date=on,
        request_key=request_key,
        reason=given.reason,
    )
    return {
        "loan_id": given.loan_id,
        "event_no": done.event_no,
        "kind": "chargeback",
        "payment_id": given.payment_id,
        "amount": money(given.amount),
        "effective_date": day(on),
        "reason": given.reason,
        **loan_after(uow, given.loan_id, done.entries, money),
    }
