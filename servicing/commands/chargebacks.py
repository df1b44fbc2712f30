"""Charging back a payment, in part or whole: the payment stays, and what was taken back is owed again.

No more of a payment than it brought, and only of one that stands. Never: what is owed again
(`servicing/effects/chargebacks.py`). Next: `docs/spec/credits.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.payments import check_undoing
from servicing.commands.recording import check_currency, check_day, record
from servicing.errors import ChargebackBeforePayment, ChargebackExceedsPayment, ChargebackNotPositive, PaymentUnknown
from servicing.events import PAYMENTS, Event, Kind, charged_back
from servicing.store import Loan


@dataclass(frozen=True, slots=True)
class ChargedBack:
    """The event of a chargeback, and the entries booked; none if the request came before."""

    loan_id: int
    event_no: int
    payment_id: int
    entries: tuple[int, ...]
    replayed: bool


def charge_back(
    uow: UnitOfWork,
    loan_id: int,
    payment_id: int,
    *,
    amount: Money,
    effective_date: date,
    request_key: str,
    reason: str = "",
) -> ChargedBack:
    """Take back a part of a payment, by the rail on which it came.

    Raises: LoanUnknown; PaymentUnknown; PaymentUndone; ChargebackNotPositive; CurrencyMismatch; EffectiveDateAhead;
    EffectiveBeforeFunding; ChargebackBeforePayment; ChargebackExceedsPayment; RequestKeyReused.
    """

    def draft(loan: Loan) -> Event:
        return Event(
            kind=Kind.CHARGEBACK,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=amount.minor,
            method=_payment(loan, payment_id).method,
            of=payment_id,
            details={"currency": amount.currency, **({"reason": reason} if reason else {})},
        )

    done = record(
        uow, loan_id, draft, lambda loan, _event: _check(loan, payment_id, amount, effective_date), request_key
    )
    return ChargedBack(loan_id, done.event.no, payment_id, done.entries, done.replayed)


def _payment(loan: Loan, payment_id: int) -> Event:
    for event in loan.events:
        if event.no == payment_id and event.kind in PAYMENTS:
            return event
    raise PaymentUnknown(loan_id=loan.loan_id, payment_id=str(payment_id))


def _check(loan: Loan, payment_id: int, amount: Money, effective_date: date) -> None:
    payment = _payment(loan, payment_id)
    check_currency(loan, amount)
    if amount.minor <= 0:
        raise ChargebackNotPositive(amount=amount.minor, currency=amount.currency)
    check_undoing(loan, payment_id, whole=False)
    check_day(loan, effective_date)
    if effective_date < payment.effective_date:
        raise ChargebackBeforePayment(effective_date=effective_date, paid_on=payment.effective_date)
    left = payment.amount - charged_back(loan.events, payment_id)
    if amount.minor > left:
        raise ChargebackExceedsPayment(payment_id=payment_id, amount=amount.minor, left=left, currency=amount.currency)
