"""Taking a payment, and undoing one: returned by the bank, or reversed by a person.

A back-dated payment needs nothing more than its date.
Never: how a payment is split (`servicing/waterfall.py`). Next: `servicing/commands/recording.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.recording import check_currency, check_day, record
from servicing.commands.refunds import available, refund
from servicing.errors import (
    EventNotReversible,
    MethodUnknown,
    PaymentChargedBack,
    PaymentDuplicate,
    PaymentExceedsPayoff,
    PaymentNotPositive,
    PaymentRuleUnknown,
    PaymentUndone,
    PaymentUnknown,
    SplitNotAmount,
    WaterfallInvalid,
)
from servicing.events import CLEARING_ROLES, PAYMENTS, UNDOING, Event, Kind, charged_back
from servicing.payoff import before_the_close, still_asked
from servicing.product import EXCESSES, OVERPAYMENTS, read_waterfall
from servicing.store import Loan, load_loan
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
    excess: str | None = None,
    overpayment: str | None = None,
    payoff: Mapping[str, Any] | None = None,
) -> Taken:
    """Take a payment at its effective date, today or earlier, and book it.

    It is allocated by the product's waterfall, by its own (a name, or a list as a product has it), or as told by
    component. The payment, or else the product, says what becomes of what is more than is due (`excess`), and of what
    is more than the payoff (`overpayment`); what is to be sent back at once is a refund of its own. `payoff` is what a
    payment that is to pay the loan off says of itself.
    Raises: LoanUnknown; PaymentNotPositive; CurrencyMismatch; MethodUnknown; EffectiveDateAhead;
    EffectiveBeforeFunding; PaymentDuplicate; RequestKeyReused; WaterfallInvalid; SplitNotAmount;
    PaymentRuleUnknown; PaymentExceedsPayoff.
    """

    rules: dict[str, str] = {}

    def draft(loan: Loan) -> Event:
        details = {"external_id": external_id, "currency": amount.currency, **(payoff or {})}
        details |= _own_rule("excess", excess, EXCESSES) | _own_rule("overpayment", overpayment, OVERPAYMENTS)
        if excess is not None and (allocate is not None or waterfall == "payoff"):
            raise WaterfallInvalid(reason="its split says what becomes of all of it; there is no excess")
        product = loan.terms.product
        rules.update(excess=excess or product.excess, overpayment=overpayment or product.overpayment)
        return Event(
            kind=Kind.PAYMENT,
            effective_date=effective_date,
            entered_on=loan.business_date,
            amount=amount.minor,
            method=method,
            details={**details, **_way_of_allocation(amount, waterfall, allocate)},
        )

    done = record(uow, loan_id, draft, lambda loan, event: check_payment(loan, event, amount), request_key)
    allocation = done.state.allocations.get(done.event.no)
    refunded: tuple[int, ...] = ()
    if "refund" in rules.values() and allocate is None and not done.replayed:
        refunded = _send_back(uow, loan_id, done.event, rules, request_key)
    return Taken(loan_id, done.event.no, allocation, (*done.entries, *refunded), done.replayed)


def _send_back(
    uow: UnitOfWork, loan_id: int, payment: Event, rules: Mapping[str, str], request_key: str
) -> tuple[int, ...]:
    """Refund what a payment left unapplied, where that is the rule; return the entries booked."""
    loan, day = load_loan(uow.connection, loan_id, lock=False), payment.effective_date
    then = before_the_close(loan.terms, loan.events, day, fees_through=loan.fees_through)
    missing = any(each.unpaid for each in then.installments if each.due <= day)
    amount = min(then.allocations[payment.no].unapplied, available(uow, loan, day)[0])
    if missing or not amount or rules["excess" if then.payoff else "overpayment"] != "refund":
        return ()
    return refund(
        uow,
        loan_id,
        amount=Money(amount, loan.terms.currency),
        effective_date=day,
        method=payment.method,
        request_key=f"{request_key}/refund",
        reason=f"payment {payment.no} brought more than is kept",
    ).entries


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

    def draft(loan: Loan) -> Event:
        day = loan.business_date
        return Event(kind=kind, effective_date=day, entered_on=day, of=payment_id, details=details)

    done = record(uow, loan_id, draft, lambda loan, _event: check_undoing(loan, payment_id), request_key)
    return Undone(loan_id, done.event.no, done.entries, done.replayed)


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


def _own_rule(name: str, given: str | None, known: tuple[str, ...]) -> dict[str, str]:
    """Return what a payment says of a rule of the product, as it is stored; of most there is nothing."""
    if given is None:
        return {}
    if given not in known:
        raise PaymentRuleUnknown(rule=name, given=given, known=known)
    return {name: given}


def _refuse_overpayment(loan: Loan, event: Event) -> None:
    """Refuse what is more than the payoff on its day, where the payment or else the product says so."""
    if event.details.get("overpayment", loan.terms.product.overpayment) != "refuse":
        return
    day = event.effective_date
    state = before_the_close(loan.terms, loan.events, day, fees_through=loan.fees_through)
    asked = still_asked(state) if event.details.get("payoff") else state.payoff
    if event.amount > asked:
        currency = loan.terms.currency
        raise PaymentExceedsPayoff(amount=event.amount, payoff=asked, currency=currency, on=day)


def check_payment(loan: Loan, event: Event, amount: Money) -> None:
    """Refuse a payment that cannot be taken.

    Raises: CurrencyMismatch; PaymentNotPositive; MethodUnknown; PaymentDuplicate; what `check_day` raises;
    PaymentExceedsPayoff.
    """
    check_currency(loan, amount)
    if amount.minor <= 0:
        raise PaymentNotPositive(amount=amount.minor, currency=amount.currency)
    if event.method not in CLEARING_ROLES and "refinanced_into" not in event.details:
        raise MethodUnknown(method=event.method, known=tuple(CLEARING_ROLES))
    check_day(loan, event.effective_date)
    external_id = event.details["external_id"]
    for known in loan.events:
        if known.kind in PAYMENTS and known.details.get("external_id") == external_id:
            raise PaymentDuplicate(loan_id=loan.loan_id, external_id=external_id, payment_id=known.no)
    _refuse_overpayment(loan, event)


def check_undoing(loan: Loan, payment_id: int, *, whole: bool = True) -> None:
    """Refuse to undo what is no payment of the loan, was undone before, or of the `whole` was charged back in part.

    Raises: PaymentUnknown; PaymentUndone; PaymentChargedBack; EventNotReversible of what another loan has paid.
    """
    if not any(event.no == payment_id and event.kind in PAYMENTS for event in loan.events):
        raise PaymentUnknown(loan_id=loan.loan_id, payment_id=str(payment_id))
    for event in loan.events:
        if event.kind in UNDOING and event.of == payment_id:
            raise PaymentUndone(loan_id=loan.loan_id, payment_id=payment_id, event_no=event.no)
    payment = next(event for event in loan.events if event.no == payment_id)
    if "refinanced_into" in payment.details:
        why = f"loan {payment.details['refinanced_into']} was made for it, and stands"
        raise EventNotReversible(loan_id=loan.loan_id, event_no=payment_id, kind=payment.kind.value, why=why)
    taken = charged_back(loan.events, payment_id)
    if whole and taken:
        raise PaymentChargedBack(
            loan_id=loan.loan_id, payment_id=payment_id, amount=taken, currency=loan.terms.currency
        )
