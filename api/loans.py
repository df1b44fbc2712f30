"""A loan as both doors show it, and what a changing call on a loan comes to: what was booked, what is owed
now.

Next: `servicing/queries.py`, `servicing/commands/`; `api/routes/loans.py`, `api/cli/loans.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from api.loan_details import (
    AmountForm,
    agreement_json,
    books_json,
    buckets_json,
    events_json,
    fee_json,
    installment_json,
    modified_json,
    reviews_json,
)
from api.views import Json, MoneyForm, day, entry_json
from ledger.money import Money
from ledger.queries.accounts import accounts
from ledger.queries.entries import entries
from ledger.unit_of_work import UnitOfWork
from servicing.commands.boarding import board_loans
from servicing.commands.payments import reverse_payment, take_payment
from servicing.commands.returned import take_back_payment
from servicing.drafting import drafted
from servicing.events import PAYMENTS, UNDOING, Kind
from servicing.flags import holds_of
from servicing.queries import LoanView, loan_view, product_named
from servicing.terms import CustomRow


def loan_json(view: LoanView, money: MoneyForm) -> Json:
    """Return a loan at the close of a day: terms, balances, installments, payments, fees, events."""
    terms, state = view.loan.terms, view.state

    def amount(minor: int) -> object:
        return money(Money(minor, terms.currency))

    return {
        "loan_id": view.loan.loan_id,
        "external_id": view.loan.external_id,
        "book": view.loan.book_code,
        "on": day(view.on),
        "cut_over_on": day(view.loan.cut_over_on),
        "status": state.status,
        "dpd": view.dpd,
        "bucket": view.bucket,
        "currency": terms.currency,
        "terms": {
            "product": terms.product.name,
            "principal": money(terms.principal),
            "rate": str(terms.rate),
            "installments": terms.installments,
            "frequency": terms.frequency,
            "funded_on": day(terms.funded_on),
            "first_due_on": day(terms.first_due_on),
            "installment_amount": money(terms.installment_amount) if terms.installment_amount else None,
            "balloon": money(terms.balloon) if terms.balloon else None,
            "steps": [
                {"installments": step.installments, "amount": None if step.amount is None else money(step.amount)}
                for step in terms.steps
            ],
            "rows": [_custom_row(row, money) for row in terms.rows],
            "origination_fee": money(terms.origination_fee),
        },
        "balances": {name: amount(minor) for name, minor in state.balances().items()},
        "buckets": buckets_json(view, amount),
        "books": books_json(view, amount),
        "flags": list(state.flags),
        "holds": sorted(holds_of(state.flags)),
        "payoff": amount(state.payoff),
        "installments": [installment_json(each, amount) for each in state.installments],
        "payments": _payments(view, amount),
        "fees": [fee_json(fee, amount) for fee in state.fees],
        "reviews": reviews_json(view, amount),
        "agreements": [agreement_json(each, amount) for each in state.agreements],
        "delinquency_paused": any(pause.is_on(view.on) for pause in state.pauses),
        "modifications": [modified_json(each, amount) for each in state.modified],
        "events": events_json(view, amount),
    }


def _custom_row(row: CustomRow, money: MoneyForm) -> Json:
    return {
        "due": day(row.due),
        "principal": None if row.principal is None else money(row.principal),
        "total": None if row.total is None else money(row.total),
    }


def _payments(view: LoanView, amount: AmountForm) -> list[Json]:
    undone = {event.of: event for event in view.loan.events if event.kind in UNDOING}
    return [
        {
            "payment_id": event.no,
            "external_id": event.details.get("external_id"),
            "amount": amount(event.amount),
            "method": event.method,
            "effective_date": day(event.effective_date),
            "entered_on": day(event.entered_on),
            "allocation": {name: amount(minor) for name, minor in view.state.allocations[event.no].components().items()}
            if event.no in view.state.allocations
            else None,
            "undone_by": undone[event.no].no if event.no in undone else None,
            "undone_as": str(undone[event.no].kind) if event.no in undone else None,
        }
        for event in view.loan.events
        if event.kind in PAYMENTS and event.effective_date <= view.on
    ]


def board(uow: UnitOfWork, book: str, values: Mapping[str, Any], money: MoneyForm) -> Json:
    """Board one loan of its fields, its product by name; return it with the entries booked.

    Raises: ProductUnknown; what `drafted` and `board_loans` raise.
    """
    product = product_named(uow.connection, values["product"])
    (loan_id,) = board_loans(uow, book, [drafted({**values, "product": product})])
    view = loan_view(uow.connection, loan_id)
    return {**loan_json(view, money), "entries": _booked(uow.connection, view, money, after=0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIn:
    """A payment as it comes in at a door; without a date it is effective on the business date."""

    loan_id: int
    amount: Money
    effective_date: date | None
    method: str
    external_id: str
    excess: str | None = None
    overpayment: str | None = None


def pay(uow: UnitOfWork, payment: PaymentIn, *, request_key: str, money: MoneyForm) -> Json:
    """Take a payment; return it, the entries booked, and the loan's balances after it.

    Raises: what `take_payment` raises.
    """
    taken = take_payment(
        uow,
        payment.loan_id,
        amount=payment.amount,
        effective_date=payment.effective_date or loan_view(uow.connection, payment.loan_id).on,
        method=payment.method,
        external_id=payment.external_id,
        request_key=request_key,
        excess=payment.excess,
        overpayment=payment.overpayment,
    )
    return changed(uow, payment.loan_id, taken.payment_id, taken.entries, money)


def undo(
    uow: UnitOfWork,
    loan_id: int,
    payment_id: int,
    *,
    kind: Kind,
    why: str,
    request_key: str,
    money: MoneyForm,
) -> Json:
    """Undo a payment: returned by the bank with a code, or reversed for a reason.

    Raises: what `take_back_payment` and `reverse_payment` raise.
    """
    command = take_back_payment if kind is Kind.RETURNED else reverse_payment
    undone = command(uow, loan_id, payment_id, why, request_key)
    return changed(uow, loan_id, payment_id, undone.entries, money)


def changed(uow: UnitOfWork, loan_id: int, payment_id: int, numbers: tuple[int, ...], money: MoneyForm) -> Json:
    """Return a payment as it stands, the entries booked, and what is owed after them."""
    payments = loan_json(loan_view(uow.connection, loan_id), money)["payments"]
    (payment,) = [each for each in payments if each["payment_id"] == payment_id]
    return {"loan_id": loan_id, **payment, **loan_after(uow, loan_id, numbers, money)}


def loan_after(uow: UnitOfWork, loan_id: int, numbers: tuple[int, ...], money: MoneyForm) -> Json:
    """Return the entries that a change booked, and what is owed after it."""
    view = loan_view(uow.connection, loan_id)
    loan = loan_json(view, money)
    return {
        "entries": _booked(uow.connection, view, money, after=min(numbers) - 1) if numbers else [],
        "status": loan["status"],
        "balances": loan["balances"],
        "payoff": loan["payoff"],
    }


def _booked(connection: sa.Connection, view: LoanView, money: MoneyForm, *, after: int) -> list[Json]:
    names = {account.code: account for account in accounts(connection, view.loan.book_code)}
    return [entry_json(each, names, money) for each in entries(connection, view.loan.loan_id, after=after)]
