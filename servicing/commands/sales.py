"""Selling a loan or a charged-off claim, and buying it back: a price, a counterparty, and a second person.

Never: what leaves the books (`servicing/effects/sales.py`). Next: `docs/spec/sales.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.charge_offs import refuse_one_person
from servicing.commands.recording import Recorded, check_currency, check_day, record
from servicing.errors import MethodUnknown, SaleRefused
from servicing.events import CLEARING_ROLES, Event, Kind
from servicing.payoff import before_the_close
from servicing.store import Loan

SERVICING = ("released", "retained")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A sale or a purchase: with whom, for which price (None: what it stands for), by which rail, approved by whom."""

    counterparty: str
    price: Money | None
    method: str
    approved_by: str | None
    effective_date: date


def sell(uow: UnitOfWork, loan_id: int, deal: Deal, *, servicing: str, request_key: str) -> Recorded:
    """Sell a loan with its servicing, or retain that; a claim that is charged off is sold with it.

    Raises: LoanUnknown; ApprovalMissing; CurrencyMismatch; MethodUnknown; EffectiveDateAhead; EffectiveBeforeFunding;
    SaleRefused; RequestKeyReused.
    """

    def check(loan: Loan, event: Event) -> None:
        status = _check(uow, loan, event, deal, "selling")
        reason = {"sold": "it is sold", "paid_off": "it is paid off", "pending": "it is not funded"}.get(status)
        if status == "charged_off" and servicing != "released":
            reason = "a claim that is charged off is sold with its servicing"
        if servicing not in SERVICING:
            reason = f"its servicing is {' or '.join(SERVICING)}"
        if reason is not None:
            raise SaleRefused(loan_id=loan_id, on=deal.effective_date, reason=reason)

    return record(uow, loan_id, lambda loan: _event(loan, Kind.SOLD, deal, servicing), check, request_key)


def buy_back(uow: UnitOfWork, loan_id: int, deal: Deal, *, request_key: str) -> Recorded:
    """Buy a loan back, or a claim that was charged off when it was sold.

    Raises: as `sell`.
    """

    def check(loan: Loan, event: Event) -> None:
        if _check(uow, loan, event, deal, "buying back") != "sold":
            raise SaleRefused(loan_id=loan_id, on=deal.effective_date, reason="it is not sold")

    return record(uow, loan_id, lambda loan: _event(loan, Kind.BOUGHT_BACK, deal, None), check, request_key)


def _event(loan: Loan, kind: Kind, deal: Deal, servicing: str | None) -> Event:
    priced = {"at_carrying_amount": True} if deal.price is None else {"currency": deal.price.currency}
    return Event(
        kind=kind,
        effective_date=deal.effective_date,
        entered_on=loan.business_date,
        amount=0 if deal.price is None else deal.price.minor,
        method=deal.method,
        details={
            "counterparty": deal.counterparty,
            "approved_by": deal.approved_by,
            "rail": deal.method,
            **priced,
            **({} if servicing is None else {"servicing": servicing}),
        },
    )


def _check(uow: UnitOfWork, loan: Loan, event: Event, deal: Deal, action: str) -> str:
    """Check what both ask for, and return the loan's status before the close of the day."""
    refuse_one_person(uow, action, deal.approved_by)
    if deal.price is not None:
        check_currency(loan, deal.price)
        if deal.price.minor < 0:
            raise SaleRefused(loan_id=loan.loan_id, on=deal.effective_date, reason="its price is below zero")
    if deal.method not in CLEARING_ROLES:
        raise MethodUnknown(method=deal.method, known=tuple(CLEARING_ROLES))
    check_day(loan, event.effective_date)
    return before_the_close(loan.terms, loan.events, deal.effective_date, fees_through=loan.fees_through).status
