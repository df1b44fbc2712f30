"""Paying a loan off, and refunds, as both doors show them: quotes, payoffs with what is missing, cash sent back.

Next: `servicing/commands/payoffs.py`, `servicing/commands/refunds.py`; `api/routes/payoffs.py`, `api/cli/payoffs.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from api.loans import PaymentIn, changed, loan_after
from api.views import Json, MoneyForm, day
from ledger.money import Money
from ledger.queries.accounts import accounts
from ledger.unit_of_work import UnitOfWork
from servicing.commands.payoffs import PaidOff, pay_off, quote_payoff
from servicing.commands.refunds import refund
from servicing.queries import PayoffQuote, loan_view, payoff_quotes

QUOTED = ("principal", "interest", "fees", "penalties", "late_fees_to_come", "recoverable", "unapplied", "total")


def quote(uow: UnitOfWork, loan_id: int, good_through: date, *, request_key: str, money: MoneyForm) -> Json:
    """Quote a payoff; return the quote.

    Raises: what `quote_payoff` raises.
    """
    return quote_json(quote_payoff(uow, loan_id, good_through=good_through, request_key=request_key), money)


def quotes(connection: sa.Connection, loan_id: int, money: MoneyForm) -> list[Json]:
    """Return every payoff quote of a loan.

    Raises: LoanUnknown.
    """
    return [quote_json(each, money) for each in payoff_quotes(connection, loan_id)]


def quote_json(given: PayoffQuote, money: MoneyForm) -> Json:
    """Return a payoff quote as it was given, and how it stands today."""
    amounts = {name: money(Money(getattr(given, name), given.currency)) for name in (*QUOTED, "per_diem")}
    return {
        "loan_id": given.loan_id,
        "quote_id": given.quote_id,
        "status": given.status,
        "quoted_on": day(given.quoted_on),
        "good_through": day(given.good_through),
        "expires_on": day(given.expires_on),
        "currency": given.currency,
        **amounts,
        "actor": given.actor,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoffIn:
    """A payoff as it comes in at a door: a payment, and the quote that it answers, if it does."""

    payment: PaymentIn
    quote_id: int | None


def settle(uow: UnitOfWork, given: PayoffIn, *, request_key: str, money: MoneyForm) -> Json:
    """Pay a loan off; return the payment, what is missing by component, and what accounts of the loan still hold.

    Raises: what `pay_off` raises.
    """
    payment = given.payment
    done = pay_off(
        uow,
        payment.loan_id,
        amount=payment.amount,
        effective_date=payment.effective_date or loan_view(uow.connection, payment.loan_id).on,
        method=payment.method,
        external_id=payment.external_id,
        request_key=request_key,
        quote_id=given.quote_id,
        overpayment=payment.overpayment,
    )
    shown = changed(uow, payment.loan_id, done.taken.payment_id, done.taken.entries, money)
    return {**shown, **_outcome(uow, done, payment, money), "quote_id": given.quote_id}


def _outcome(uow: UnitOfWork, done: PaidOff, payment: PaymentIn, money: MoneyForm) -> Json:
    book = loan_view(uow.connection, payment.loan_id).loan.book_code
    names = {account.code: account for account in accounts(uow.connection, book)}
    return {
        "missing": {name: money(Money(minor, payment.amount.currency)) for name, minor in done.missing.items()},
        "left": [
            {"account": code, "slug": names[code].slug, "name": names[code].name, "balance": money(held)}
            for code, held in done.left.items()
        ],
        "days_late": done.days_late,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundIn:
    """A refund as it comes in at a door; without a date it is effective on the business date."""

    loan_id: int
    amount: Money
    effective_date: date | None
    method: str
    reason: str
    credit_balance: bool


def give_back(uow: UnitOfWork, given: RefundIn, *, request_key: str, money: MoneyForm) -> Json:
    """Refund unapplied cash or a credit balance; return the refund, the entries booked, and what is owed after it.

    Raises: what `refund` raises.
    """
    on = given.effective_date or loan_view(uow.connection, given.loan_id).on
    done = refund(
        uow,
        given.loan_id,
        amount=given.amount,
        effective_date=on,
        method=given.method,
        request_key=request_key,
        reason=given.reason,
        credit_balance=given.credit_balance,
    )
    own: Json = {
        "event_no": done.event_no,
        "kind": "credit_balance_refund" if given.credit_balance else "refund",
        "amount": money(done.amount),
        "method": given.method,
        "effective_date": day(on),
        "reason": given.reason,
    }
    return {"loan_id": given.loan_id, **own, **loan_after(uow, given.loan_id, done.entries, money)}
