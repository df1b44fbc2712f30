"""Paying a loan off: a quote with the day through which it is good, and the payment that closes the loan.

A quote changes nothing and is never edited; a payment late or short of it is applied and leaves the loan open, and what
is missing is named. Never: the figures themselves (`servicing/payoff.py`). Next: `docs/spec/payoff.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from ledger.chart import AccountCode
from ledger.errors import RequestKeyReused
from ledger.money import Money
from ledger.queries.accounts import balances
from ledger.unit_of_work import UnitOfWork
from servicing import tables
from servicing.commands.payments import Taken, take_payment
from servicing.errors import PayoffDateRefused
from servicing.payoff import before_the_close, missing, payoff_figures
from servicing.queries import PayoffQuote, payoff_quote, payoff_quotes
from servicing.store import Loan, load_loan

LONGEST_QUOTE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class PaidOff:
    """A payoff as it was taken; what is missing by component, and what accounts of the loan still hold.

    `days_late` counts from the day through which its quote was good.
    """

    taken: Taken
    missing: Mapping[str, int]
    left: Mapping[AccountCode, Money]
    days_late: int


def quote_payoff(uow: UnitOfWork, loan_id: int, *, good_through: date, request_key: str) -> PayoffQuote:
    """Say what pays a loan off through a day, today or later, and keep what was said.

    Raises: LoanUnknown; PayoffDateRefused; RequestKeyReused.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    known = payoff_quotes(uow.connection, loan_id)
    before = next((quote for quote in known if quote.request_key == request_key), None)
    if before is not None:
        if before.good_through != good_through:
            raise RequestKeyReused(
                request_key=request_key,
                field="good_through",
                stored=str(before.good_through),
                given=str(good_through),
            )
        return before
    last = loan.business_date + LONGEST_QUOTE
    if not loan.business_date <= good_through <= last:
        raise PayoffDateRefused(good_through=good_through, first=loan.business_date, last=last)
    _write(uow, loan, len(known) + 1, good_through, request_key)
    return payoff_quote(uow.connection, loan_id, len(known) + 1)


def _write(uow: UnitOfWork, loan: Loan, quote_no: int, good_through: date, request_key: str) -> None:
    found = payoff_figures(loan.terms, loan.events, good_through=good_through, fees_through=loan.fees_through)
    row = {
        "loan_id": loan.loan_id,
        "quote_no": quote_no,
        "quoted_on": loan.business_date,
        "good_through": good_through,
        "expires_on": good_through,
        "after_event_no": max((event.no for event in loan.events), default=0),
        "currency": loan.terms.currency,
        "principal": found.principal,
        "interest": found.interest,
        "fees": found.fees,
        "penalties": found.penalties,
        "late_fees_to_come": found.late_fees_to_come,
        "recoverable": found.recoverable,
        "unapplied": found.unapplied,
        "total": found.total,
        "per_diem": found.per_diem,
        "actor": uow.actor,
        "request_key": request_key,
    }
    uow.connection.execute(sa.insert(tables.payoff_quote), [row])


def pay_off(
    uow: UnitOfWork,
    loan_id: int,
    *,
    amount: Money,
    effective_date: date,
    method: str,
    external_id: str,
    request_key: str,
    quote_id: int | None = None,
    overpayment: str | None = None,
) -> PaidOff:
    """Take a payment that is to close a loan: everything that is owed on its day, by the `payoff` waterfall.

    Unapplied cash pays what it leaves. If something is missing even so, it is named, and the loan stays open.
    Raises: PayoffQuoteUnknown; what `take_payment` raises.
    """
    quote = None if quote_id is None else payoff_quote(uow.connection, loan_id, quote_id)
    taken = take_payment(
        uow,
        loan_id,
        amount=amount,
        effective_date=effective_date,
        method=method,
        external_id=external_id,
        request_key=request_key,
        waterfall="payoff",
        overpayment=overpayment,
        payoff={"payoff": True, **({} if quote is None else {"quote_id": quote.quote_id})},
    )
    loan = load_loan(uow.connection, loan_id, lock=False)
    after = before_the_close(loan.terms, loan.events, effective_date, fees_through=loan.fees_through)
    held = {account: money for account, money in balances(uow.connection, loan_id).items() if money.minor}
    late = 0 if quote is None else max(0, (effective_date - quote.good_through).days)
    return PaidOff(taken, missing(after), held, late)
