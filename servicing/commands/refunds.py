"""Refunds: of unapplied cash at any time, and of the credit balance of a loan that owes nothing.

Never more than there is, on the day of the refund and today. Never: what comes of one whose cash did not stand
(`servicing/effects/refunds.py`). Next: `docs/spec/refunds.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.errors import CurrencyMismatch
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.recording import check_day, record
from servicing.engine import fold
from servicing.errors import MethodUnknown, NoCreditBalance, RefundExceedsUnapplied, RefundNotPositive
from servicing.events import CLEARING_ROLES, Event, Kind
from servicing.payoff import before_the_close
from servicing.rail_queries import held_funds
from servicing.rails.errors import FundsHeld
from servicing.state import LoanState
from servicing.store import Loan


@dataclass(frozen=True, slots=True)
class Refunded:
    """The event of a refund, and the entries booked; none if the request came before."""

    loan_id: int
    event_no: int
    amount: Money
    entries: tuple[int, ...]
    replayed: bool


def refund(
    uow: UnitOfWork,
    loan_id: int,
    *,
    amount: Money,
    effective_date: date,
    method: str,
    request_key: str,
    reason: str = "",
    credit_balance: bool = False,
) -> Refunded:
    """Send unapplied cash back to the borrower; of a credit balance, only if the loan owes nothing.

    Raises: LoanUnknown; RefundNotPositive; CurrencyMismatch; MethodUnknown; EffectiveDateAhead;
    EffectiveBeforeFunding; RefundExceedsUnapplied; FundsHeld; NoCreditBalance; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        return Event(
            kind=Kind.CREDIT_BALANCE_REFUND if credit_balance else Kind.REFUND,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=amount.minor,
            method=method,
            details={"currency": amount.currency, **({"reason": reason} if reason else {})},
        )

    def check(loan: Loan, event: Event) -> None:
        _check(loan, event, amount)
        free, until = available(uow, loan, event.effective_date)
        if until is not None and amount.minor > free:
            raise FundsHeld(amount=amount.minor, available=free, currency=amount.currency, until=until)

    done = record(uow, loan_id, draft, check, request_key)
    return Refunded(loan_id, done.event.no, amount, done.entries, done.replayed)


def refundable(loan: Loan, on: date) -> int:
    """Return the cash that can be refunded as of a day: there on that day, and not spent since."""
    then = before_the_close(loan.terms, loan.events, on, fees_through=loan.fees_through)
    return min(then.unapplied, _today(loan).unapplied)


def available(uow: UnitOfWork, loan: Loan, on: date) -> tuple[int, date | None]:
    """Return what of the refundable cash may be spent today, and when the last of the rest may; None if all may.

    What a payment paid on the loan is spent already; only what it left unapplied waits.
    """
    there = refundable(loan, on)
    held = held_funds(uow.connection, loan.loan_id, loan.business_date)
    if not held.payments:
        return there, None
    allocations = _today(loan).allocations
    waits = sum(allocations[no].unapplied for no in held.payments if no in allocations)
    return max(0, there - waits), held.until


def _today(loan: Loan) -> LoanState:
    return fold(loan.terms, loan.events, loan.business_date, fees_through=loan.fees_through)


def _check(loan: Loan, event: Event, amount: Money) -> None:
    currency = loan.terms.currency
    if amount.currency != currency:
        raise CurrencyMismatch(left=currency, right=amount.currency)
    if amount.minor <= 0:
        raise RefundNotPositive(amount=amount.minor, currency=currency)
    if event.method not in CLEARING_ROLES:
        raise MethodUnknown(method=event.method, known=tuple(CLEARING_ROLES))
    check_day(loan, event.effective_date)
    owed = _today(loan).payoff
    if event.kind is Kind.CREDIT_BALANCE_REFUND and owed:
        raise NoCreditBalance(loan_id=loan.loan_id, owed=owed, currency=currency)
    there = refundable(loan, event.effective_date)
    if amount.minor > there:
        raise RefundExceedsUnapplied(amount=amount.minor, unapplied=there, currency=currency, on=event.effective_date)
