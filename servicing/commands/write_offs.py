"""Writing off what is left of a loan because it is too little to collect.

Never: a charge-off. Next: `servicing/effects/write_offs.py`; `docs/spec/fees.md`.
"""

from __future__ import annotations

from datetime import date

from ledger.unit_of_work import UnitOfWork
from servicing.commands.recording import Recorded, check_day, record
from servicing.errors import BalanceNotSmall
from servicing.events import Event, Kind
from servicing.payoff import before_the_close
from servicing.store import Loan


def write_off_small_balance(
    uow: UnitOfWork, loan_id: int, *, reason: str, effective_date: date, request_key: str
) -> Recorded:
    """Write off all that is owed on the effective date, if it is no more than the product's limit.

    Raises: LoanUnknown; EffectiveDateAhead; EffectiveBeforeFunding; BalanceNotSmall; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        before = _before(loan, request_key)
        owed = _owed(loan, effective_date) if before is None else before.amount
        return Event(
            kind=Kind.WRITE_OFF,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=owed,
            details={"reason": reason},
        )

    return record(uow, loan_id, draft, _check, request_key)


def _check(loan: Loan, event: Event) -> None:
    check_day(loan, event.effective_date)
    limit = loan.terms.amount(loan.terms.product.small_balance.limit).minor
    if not 0 < event.amount <= limit:
        raise BalanceNotSmall(owed=event.amount, limit=limit, currency=loan.terms.currency, on=event.effective_date)


def _before(loan: Loan, request_key: str) -> Event | None:
    """Return the event that the request made, if it came before: what was owed then is what it wrote off."""
    no = loan.request_keys.get(request_key)
    return next((event for event in loan.events if event.no == no), None)


def _owed(loan: Loan, day: date) -> int:
    """Return what is owed on a day, its close excepted: a late fee of that close is no longer due then."""
    on = max(day, loan.terms.funded_on)
    state = before_the_close(loan.terms, loan.events, on, fees_through=loan.fees_through)
    return state.payoff - state.interest_ahead
