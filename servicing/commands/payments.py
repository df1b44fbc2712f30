"""Taking a payment, and undoing one: returned by the bank, or reversed by a person.

Each locks the loan's row, appends an event, and brings the journal to what the events now say; a back-dated payment
needs nothing more. A request key that comes back returns what it did the first time.
Never: how a payment is split (`servicing/waterfall.py`). Next: `servicing/commands/converge.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.errors import CurrencyMismatch, RequestKeyReused
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.converge import converge
from servicing.engine import fold
from servicing.errors import (
    EffectiveBeforeFunding,
    EffectiveDateAhead,
    MethodUnknown,
    PaymentDuplicate,
    PaymentNotPositive,
    PaymentUndone,
    PaymentUnknown,
    SplitNotAmount,
    WaterfallInvalid,
)
from servicing.events import CLEARING_ROLES, UNDOING, Event, Kind
from servicing.product import read_waterfall
from servicing.store import Loan, append_event, load_loan, payload_of
from servicing.waterfall import Allocation
from servicing.waterfall_order import COMPONENTS

SPLIT_PARTS = frozenset({*COMPONENTS, "unapplied"})


@dataclass(frozen=True, slots=True)
class Taken:
    """A payment's number for ever, how it stands allocated, and the entries booked; none if it came before."""

    loan_id: int
    payment_id: int
    allocation: Allocation | None
    entries: tuple[int, ...]
    replayed: bool


@dataclass(frozen=True, slots=True)
class Undone:
    """The event that undid a payment, and the entries booked; none if the request came before."""

    loan_id: int
    event_no: int
    entries: tuple[int, ...]
    replayed: bool


def take_payment(
    uow: UnitOfWork,
    loan_id: int,
    *,
    amount: Money,
    effective_date: date,
    method: str,
    external_id: str,
    request_key: str,
    waterfall: Any = None,
    allocate: Mapping[str, Money] | None = None,
) -> Taken:
    """Take a payment at its effective date, today or earlier, and book it; more than the payoff is unapplied.

    It is allocated by the product's waterfall, by its own (a name, or a list as a product has it), or as told by
    component. Raises: LoanUnknown; PaymentNotPositive; CurrencyMismatch; MethodUnknown; EffectiveDateAhead;
    EffectiveBeforeFunding; PaymentDuplicate; RequestKeyReused; WaterfallInvalid; SplitNotAmount.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    event = Event(
        no=_next_no(loan),
        kind=Kind.PAYMENT,
        effective_date=effective_date,
        entered_on=loan.business_date,
        amount=amount.minor,
        method=method,
        details={
            "external_id": external_id,
            "currency": amount.currency,
            **_way_of_allocation(amount, waterfall, allocate),
        },
    )
    before = _came_before(loan, event, request_key)
    if before is not None:
        state = fold(loan.terms, loan.events, loan.business_date, fees_through=loan.fees_through)
        return Taken(loan_id, before.no, state.allocations.get(before.no), (), replayed=True)
    _check_payment(loan, event, amount)
    append_event(uow.connection, loan_id, event, uow.actor, request_key)
    events = (*loan.events, event)
    done = converge(uow, loan, events, request_key=request_key, because=event.no)
    return Taken(loan_id, event.no, done.state.allocations[event.no], done.entries, replayed=False)


def return_payment(uow: UnitOfWork, loan_id: int, payment_id: int, code: str, request_key: str) -> Undone:
    """Undo a payment that the bank returned, and charge the product's fee for it, on the business date.

    Raises: LoanUnknown; PaymentUnknown; PaymentUndone; RequestKeyReused.
    """
    return _undo(uow, loan_id, payment_id, Kind.RETURNED, {"code": code}, request_key)


def reverse_payment(uow: UnitOfWork, loan_id: int, payment_id: int, reason: str, request_key: str) -> Undone:
    """Undo a payment that should never have been booked; the borrower is charged nothing for it.

    Raises: LoanUnknown; PaymentUnknown; PaymentUndone; RequestKeyReused.
    """
    return _undo(uow, loan_id, payment_id, Kind.REVERSED, {"reason": reason}, request_key)


def _undo(
    uow: UnitOfWork, loan_id: int, payment_id: int, kind: Kind, details: Mapping[str, Any], request_key: str
) -> Undone:
    loan = load_loan(uow.connection, loan_id, lock=True)
    day = loan.business_date
    event = Event(no=_next_no(loan), kind=kind, effective_date=day, entered_on=day, of=payment_id, details=details)
    before = _came_before(loan, event, request_key)
    if before is not None:
        return Undone(loan_id, before.no, (), replayed=True)
    _check_undoing(loan, payment_id)
    append_event(uow.connection, loan_id, event, uow.actor, request_key)
    events = (*loan.events, event)
    done = converge(uow, loan, events, request_key=request_key, because=event.no)
    return Undone(loan_id, event.no, done.entries, replayed=False)


def _next_no(loan: Loan) -> int:
    return max((event.no for event in loan.events), default=0) + 1


def _came_before(loan: Loan, event: Event, request_key: str) -> Event | None:
    """Return the event that the request key made, if it has.

    Raises: RequestKeyReused naming the field that differs. The day on which a return is entered is not a field of it.
    """
    if request_key not in loan.request_keys:
        return None
    first = next(known for known in loan.events if known.no == loan.request_keys[request_key])
    stored, given = _inputs(first), _inputs(event)
    for name in (*given, *stored):
        if stored.get(name) != given.get(name):
            raise RequestKeyReused(
                request_key=request_key,
                field=name,
                stored=str(stored.get(name, "(none)")),
                given=str(given.get(name, "(none)")),
            )
    return first


def _inputs(event: Event) -> dict[str, Any]:
    dated = {"effective_date": event.effective_date} if event.kind is Kind.PAYMENT else {}
    return {"kind": event.kind.value, **dated, **payload_of(event)}


def _way_of_allocation(amount: Money, waterfall: Any, allocate: Mapping[str, Money] | None) -> dict[str, Any]:
    """Return what a payment says of its own allocation, as it is stored; of most there is nothing."""
    if waterfall is not None and allocate is not None:
        raise WaterfallInvalid(reason="it has one, or a split, not both")
    if allocate is not None:
        total = Money.sum(allocate.values(), amount.currency)
        below = any(part.minor < 0 for part in allocate.values())
        if total != amount or below or not set(allocate) <= SPLIT_PARTS:
            raise SplitNotAmount(amount=amount.minor, parts=total.minor, currency=amount.currency)
        return {"allocate": {name: part.minor for name, part in allocate.items()}}
    if waterfall is None:
        return {}
    try:
        found = read_waterfall(waterfall)
    except ValueError as mistake:
        raise WaterfallInvalid(reason=str(mistake)) from None
    return {"waterfall": found if isinstance(found, str) else list(found)}


def _check_payment(loan: Loan, event: Event, amount: Money) -> None:
    currency, day = loan.terms.currency, event.effective_date
    if amount.currency != currency:
        raise CurrencyMismatch(left=currency, right=amount.currency)
    if amount.minor <= 0:
        raise PaymentNotPositive(amount=amount.minor, currency=currency)
    if event.method not in CLEARING_ROLES:
        raise MethodUnknown(method=event.method, known=tuple(CLEARING_ROLES))
    if day > loan.business_date:
        raise EffectiveDateAhead(effective_date=day, business_date=loan.business_date)
    if day < loan.terms.funded_on:
        raise EffectiveBeforeFunding(effective_date=day, funded_on=loan.terms.funded_on)
    external_id = event.details["external_id"]
    for known in loan.events:
        if known.kind is Kind.PAYMENT and known.details.get("external_id") == external_id:
            raise PaymentDuplicate(loan_id=loan.loan_id, external_id=external_id, payment_id=known.no)


def _check_undoing(loan: Loan, payment_id: int) -> None:
    if not any(event.no == payment_id and event.kind is Kind.PAYMENT for event in loan.events):
        raise PaymentUnknown(loan_id=loan.loan_id, payment_id=str(payment_id))
    for event in loan.events:
        if event.kind in UNDOING and event.of == payment_id:
            raise PaymentUndone(loan_id=loan.loan_id, payment_id=payment_id, event_no=event.no)
