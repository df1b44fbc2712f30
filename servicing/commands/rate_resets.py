"""Resetting the rate of a loan: by hand, or as its product says, by the value of an index.

A back-dated reset needs nothing more than its date. What a reset comes to is worked out in the fold, so that one that
is entered later, for an earlier day, changes the limits of those that follow. Never: installments.
Next: `servicing/effects/rates.py`; `docs/spec/rates.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger.unit_of_work import UnitOfWork
from servicing.commands.indexes import value_for
from servicing.commands.recording import check_day, record
from servicing.errors import RateFixed, RateKept, RateOutOfRange
from servicing.events import Event, Kind
from servicing.rates import HIGHEST, ResetDay, reset_days
from servicing.schedule import rate_kept_until
from servicing.store import Loan, load_loan

KEY = "rate-reset:"
"""What the request key of a reset by the index begins with; its day follows."""


@dataclass(frozen=True, slots=True)
class RateReset:
    """The event of a reset, and the entries booked; none if the request came before."""

    loan_id: int
    event_no: int
    effective_date: date
    entries: tuple[int, ...]
    replayed: bool


def reset_rate(
    uow: UnitOfWork, loan_id: int, *, rate: Decimal, effective_date: date, request_key: str, reason: str = ""
) -> RateReset:
    """Let a rate in percent a year be in force from a day on, today or earlier.

    Raises: LoanUnknown; RateOutOfRange; RateFixed; RateKept; EffectiveDateAhead; EffectiveBeforeFunding;
    RequestKeyReused.
    """
    if not rate.is_finite() or not 0 <= rate <= HIGHEST:
        raise RateOutOfRange(rate=str(rate), most=str(HIGHEST))

    def draft(loan: Loan) -> Event:
        details = {"rate": str(rate), **({"reason": reason} if reason else {})}
        return Event(
            kind=Kind.RATE_RESET, effective_date=effective_date, entered_on=loan.business_date, details=details
        )

    done = record(uow, loan_id, draft, _check_by_hand, request_key)
    return RateReset(loan_id, done.event.no, effective_date, done.entries, done.replayed)


def reset_by_index(uow: UnitOfWork, loan_id: int, through: date) -> tuple[RateReset, ...]:
    """Reset the rate of a loan on every day up to this one on which its product says so and nobody has yet.

    Raises: LoanUnknown; IndexValueMissing: the resets before it are done then; EffectiveDateAhead.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    due = [each for each in reset_days(loan.terms) if each.on <= through and f"{KEY}{each.on}" not in loan.request_keys]
    return tuple(_reset(uow, loan_id, each) for each in due)


def _reset(uow: UnitOfWork, loan_id: int, reset: ResetDay) -> RateReset:
    value = value_for(uow.connection, reset)
    details = {"index": reset.index, "value": str(value), "observed_on": reset.observed_on.isoformat()}

    def draft(loan: Loan) -> Event:
        return Event(kind=Kind.RATE_RESET, effective_date=reset.on, entered_on=loan.business_date, details=details)

    done = record(uow, loan_id, draft, _check, f"{KEY}{reset.on}")
    return RateReset(loan_id, done.event.no, reset.on, done.entries, done.replayed)


def _check(loan: Loan, event: Event) -> None:
    check_day(loan, event.effective_date)
    if loan.terms.product.interest == "precomputed":
        raise RateFixed(loan_id=loan.loan_id)


def _check_by_hand(loan: Loan, event: Event) -> None:
    _check(loan, event)
    refuse_kept_rate(loan, event.effective_date)


def refuse_kept_rate(loan: Loan, day: date) -> None:
    """Refuse another rate on days whose interest was kept from the proceeds.

    Raises: RateKept.
    """
    until = rate_kept_until(loan.terms)
    if until is not None and day < until:
        raise RateKept(loan_id=loan.loan_id, until=until)
