"""One loan as it stands: balances, installments, days past due, payments with their allocations.

Folded from the loan's events, never from a stored copy. Next: `ledger/queries/entries.py` for its journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from ledger.chart import Side
from ledger.money import Money
from ledger.queries.accounts import accounts, balances, role_map
from ledger.queries.accounts import book as load_book
from ledger.queries.entries import entries
from ledger.queries.trial_balance import trial_balance
from servicing.delinquency import days_past_due
from servicing.engine import fold
from servicing.errors import IndexUnknown, PayoffQuoteUnknown, ProductUnknown
from servicing.events import UNDOING
from servicing.final_account import FinalAccount, final_account
from servicing.posting_rules import BALANCE_ROLES
from servicing.product import Product, shipped, shipped_names, stored_product
from servicing.state import CLOSED, LoanState
from servicing.store import Loan, allocation_versions, load_loan, loan_ids_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanView:
    """A loan at the close of a day."""

    loan: Loan
    on: date
    state: LoanState
    dpd: int
    bucket: str


def loan_view(connection: sa.Connection, loan_id: int, on: date | None = None) -> LoanView:
    """Return a loan at the close of a day (None: the business date).

    Raises: LoanUnknown.
    """
    loan = load_loan(connection, loan_id, lock=False)
    day = on or loan.business_date
    marks = None if loan.fees_through is None else min(loan.fees_through, day)
    state = fold(loan.terms, loan.events, day, fees_through=marks)
    dpd = days_past_due(state, day)
    return LoanView(loan=loan, on=day, state=state, dpd=dpd, bucket=loan.terms.product.delinquency.bucket(dpd))


def loan_ids(connection: sa.Connection, book_code: str, *, after: int = 0, limit: int = 1000) -> list[int]:
    """Return the next ids of a book's loans, in order."""
    return loan_ids_of(connection, book_code, after, limit)


def versions(connection: sa.Connection, loan_id: int) -> list[tuple[int, int | None, dict[str, int]]]:
    """Return every version of every payment's allocation: payment, the event that made it, the parts.

    A version that no event made (None) is the work of the daily cycle: a late fee took its place before the payment.
    """
    return allocation_versions(connection, loan_id)


def boarded_loans(connection: sa.Connection, book_code: str) -> dict[str, int]:
    """Return the id of every loan of a book by the name that the lender's other systems know it by."""
    statement = sa.text(
        "SELECT l.external_id, l.loan_id FROM servicing.loan l"
        " JOIN ledger.book b ON b.book_id = l.book_id AND b.code = :book_code"
    )
    return {row.external_id: row.loan_id for row in connection.execute(statement, {"book_code": book_code})}


def payment_numbers(connection: sa.Connection, book_code: str) -> dict[str, int]:
    """Return the number of every payment of a book by its external id."""
    statement = sa.text(
        "SELECT e.payload ->> 'external_id' AS external_id, e.event_no FROM servicing.event e"
        " JOIN servicing.loan l ON l.loan_id = e.loan_id"
        " JOIN ledger.book b ON b.book_id = l.book_id AND b.code = :book_code WHERE e.kind = 'payment'"
    )
    return {row.external_id: row.event_no for row in connection.execute(statement, {"book_code": book_code})}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRelease:
    """A release of a product: who loaded it and when, and its rules."""

    name: str
    release: int
    content_hash: str
    actor: str
    recorded_at: datetime
    product: Product


_RELEASES = sa.text(
    "SELECT r.name, r.release, r.content_hash, r.actor, r.recorded_at, v.rules"
    " FROM servicing.product_release r JOIN servicing.product_version v ON v.content_hash = r.content_hash"
    " WHERE CAST(:name AS text) IS NULL OR r.name = :name ORDER BY r.name, r.release DESC"
)


def product_releases(connection: sa.Connection, name: str | None = None) -> tuple[ProductRelease, ...]:
    """Return the releases of one product or of all, by name, the latest first."""
    return tuple(
        ProductRelease(
            name=row.name,
            release=row.release,
            content_hash=row.content_hash,
            actor=row.actor,
            recorded_at=row.recorded_at,
            product=stored_product(row.rules),
        )
        for row in connection.execute(_RELEASES, {"name": name})
    )


def product_named(connection: sa.Connection, name: str) -> Product:
    """Return the product that a name stands for: its latest release, else the one that is shipped.

    Raises: ProductUnknown.
    """
    statement = sa.text(
        "SELECT v.rules FROM servicing.product_release r"
        " JOIN servicing.product_version v ON v.content_hash = r.content_hash"
        " WHERE r.name = :name ORDER BY r.release DESC LIMIT 1"
    )
    rules = connection.scalar(statement, {"name": name})
    if rules is not None:
        return stored_product(rules)
    if name not in shipped_names():
        loaded = connection.scalars(sa.text("SELECT DISTINCT r.name FROM servicing.product_release r"))
        raise ProductUnknown(name=name, known=tuple(sorted({*shipped_names(), *loaded})))
    return shipped(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoffQuote:
    """A payoff quote as it was given, in minor units, and how it stands on the business date.

    `status` is `used` by a payoff that names it, `expired`, `superseded` where something has happened to the loan
    since, or `open`.
    """

    loan_id: int
    quote_id: int
    quoted_on: date
    good_through: date
    expires_on: date
    currency: str
    principal: int
    interest: int
    fees: int
    penalties: int
    late_fees_to_come: int
    recoverable: int
    unapplied: int
    total: int
    per_diem: int
    actor: str
    request_key: str
    status: str


_QUOTES = sa.text("SELECT q.* FROM servicing.payoff_quote q WHERE q.loan_id = :loan_id ORDER BY q.quote_no")


def payoff_quotes(connection: sa.Connection, loan_id: int) -> tuple[PayoffQuote, ...]:
    """Return the payoff quotes of a loan, in order.

    Raises: LoanUnknown.
    """
    loan = load_loan(connection, loan_id, lock=False)
    rows = connection.execute(_QUOTES, {"loan_id": loan_id}).mappings()
    kept = [field.name for field in fields(PayoffQuote) if field.name not in ("quote_id", "status")]
    return tuple(
        PayoffQuote(quote_id=row["quote_no"], status=_status(loan, row), **{name: row[name] for name in kept})
        for row in rows
    )


def payoff_quote(connection: sa.Connection, loan_id: int, quote_id: int) -> PayoffQuote:
    """Return one payoff quote of a loan.

    Raises: LoanUnknown; PayoffQuoteUnknown.
    """
    for quote in payoff_quotes(connection, loan_id):
        if quote.quote_id == quote_id:
            return quote
    raise PayoffQuoteUnknown(loan_id=loan_id, quote_id=str(quote_id))


def _status(loan: Loan, row: Any) -> str:
    undone = {event.of for event in loan.events if event.kind in UNDOING}
    for event in loan.events:
        if event.details.get("quote_id") == row["quote_no"] and event.no not in undone:
            return "used"
    if loan.business_date > row["expires_on"]:
        return "expired"
    return "superseded" if any(event.no > row["after_event_no"] for event in loan.events) else "open"


def booked_balances(connection: sa.Connection, loan_id: int) -> dict[str, int]:
    """Return what the journal says is owed, by component and in minor units.

    It lacks only the interest that is earned but not booked yet. Raises: LoanUnknown.
    """
    book_code = load_loan(connection, loan_id, lock=False).book_code
    roles = role_map(connection, book_code, "default")
    held = {code: money.minor for code, money in balances(connection, loan_id).items()}
    return {name: sum(held.get(roles[role], 0) for role in of) for name, of in BALANCE_ROLES.items()}


def booked_claim(connection: sa.Connection, loan_id: int) -> int:
    """Return what the journal says of a claim that is charged off, in minor units; of other loans, nothing.

    It is what is owed by contract, of whatever component. Raises: LoanUnknown.
    """
    book_code = load_loan(connection, loan_id, lock=False).book_code
    code = role_map(connection, book_code, "default").get("CHARGED_OFF_CLAIM")
    return sum(money.minor for held, money in balances(connection, loan_id).items() if held == code)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalView:
    """A loan today, and what became of every account of it."""

    view: LoanView
    account: FinalAccount

    @property
    def ended_as(self) -> str | None:
        """Return how a loan ended: paid off, refinanced, charged off, sold; None while it goes on."""
        state, undone = self.view.state, {event.of for event in self.view.loan.events if event.kind in UNDOING}
        if state.status not in CLOSED:
            return None
        standing = (event for event in self.view.loan.events if event.no not in undone)
        is_refinanced = state.status == "paid_off" and any("refinanced_into" in event.details for event in standing)
        return "refinanced" if is_refinanced else state.status


def final_view(connection: sa.Connection, loan_id: int) -> FinalView:
    """Return the final account of a loan as it stands now.

    Raises: LoanUnknown.
    """
    view = loan_view(connection, loan_id)
    chart = accounts(connection, view.loan.book_code)
    return FinalView(view=view, account=final_account(chart, [each.entry for each in entries(connection, loan_id)]))


def clearing_balance(connection: sa.Connection, book_code: str, currency: str) -> Money:
    """Return what the conversion clearing account holds today, debits positive: nothing once a conversion is paid for.

    Raises: BookUnknown; RoleMapUnknown.
    """
    code = role_map(connection, book_code, "default")["CONVERSION_CLEARING"]
    today = load_book(connection, book_code).business_date
    rows = trial_balance(connection, book_code, as_of=today).balance.rows
    held = [row.balance_on(Side.DEBIT) for row in rows if row.account.code == code and row.currency == currency]
    return Money.sum(held, currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexValueView:
    """What an index is from a day on, in percent a year; a correction is a revision above 1."""

    on: date
    value: Decimal
    revision: int
    actor: str
    recorded_at: datetime


_INDEX_VALUES = sa.text(
    "SELECT DISTINCT ON (effective_date) effective_date AS on, value, revision, actor, recorded_at"
    " FROM servicing.index_value WHERE name = :name ORDER BY effective_date, revision DESC"
)


def index_values(connection: sa.Connection, name: str) -> tuple[IndexValueView, ...]:
    """Return the values of an index that are in force, by their days.

    Raises: IndexUnknown.
    """
    rows = connection.execute(_INDEX_VALUES, {"name": name}).mappings().all()
    if not rows:
        known = connection.scalars(sa.text("SELECT DISTINCT name FROM servicing.index_value ORDER BY name"))
        raise IndexUnknown(name=name, known=tuple(known))
    return tuple(IndexValueView(**{**row, "value": row["value"].normalize()}) for row in rows)


_MODIFIED = sa.text(
    "SELECT e.loan_id, bool_or(e.kind IN ('modification', 'trial_plan') AND e.effective_date <= :on) AS modified,"
    " max(e.event_no) AS last_no FROM servicing.event e JOIN servicing.loan l ON l.loan_id = e.loan_id"
    " JOIN ledger.book b ON b.book_id = l.book_id AND b.code = :book_code"
    " WHERE e.loan_id IN (SELECT m.loan_id FROM servicing.event m WHERE m.kind IN ('modification', 'trial_plan'))"
    " AND e.recorded_at <= :known GROUP BY e.loan_id ORDER BY e.loan_id"
)


def modified_loans(connection: sa.Connection, book_code: str, *, on: date, known: datetime) -> Iterator[LoanView]:
    """Yield the loans of a book that were modified by a day, at its close, by what was recorded by a moment."""
    rows = connection.execute(_MODIFIED, {"book_code": book_code, "on": on, "known": known}).all()
    for row in rows:
        if not row.modified:
            continue
        loan = load_loan(connection, row.loan_id, lock=False)
        events = tuple(event for event in loan.events if event.no <= row.last_no)
        marks = None if loan.fees_through is None else min(loan.fees_through, on)
        state = fold(loan.terms, events, on, fees_through=marks)
        dpd = days_past_due(state, on)
        if state.modified:
            yield LoanView(loan=loan, on=on, state=state, dpd=dpd, bucket=loan.terms.product.delinquency.bucket(dpd))
