"""The allowance for credit losses: loss rates are loaded, and what they require is provided for at a month end.

What is booked is the change: required less held, on the book's own subledger. Never: arithmetic
(`servicing/allowance.py`). Next: `gl_export/commands/close_steps.py`; `docs/spec/allowance.md`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from ledger.chart import Side
from ledger.commands.posting import post_entry
from ledger.dates import Month
from ledger.journal import EntryDraft
from ledger.money import Money
from ledger.queries.accounts import book
from ledger.queries.trial_balance import trial_balance
from ledger.templates import instantiate, narrate
from ledger.unit_of_work import UnitOfWork
from servicing.allowance import Exposure, LossRates, Segment, segments
from servicing.errors import LossRatesDiffer
from servicing.posting_rules import TEMPLATES
from servicing.store import load_roles

ALLOWANCE = "ALLOWANCE_FOR_CREDIT_LOSSES"

_KNOWN = sa.text(
    "SELECT revision, method, rates FROM servicing.loss_rates"
    " WHERE book_id = :book_id AND effective_date = :day ORDER BY revision DESC LIMIT 1"
)
_KEEP = sa.text(
    "INSERT INTO servicing.loss_rates (book_id, effective_date, revision, method, rates, actor)"
    " VALUES (:book_id, :day, :revision, :method, CAST(:rates AS jsonb), :actor)"
)
_IN_FORCE = sa.text(
    "SELECT effective_date, method, rates FROM servicing.loss_rates"
    " WHERE book_id = :book_id AND effective_date <= :day ORDER BY effective_date DESC, revision DESC LIMIT 1"
)
_EXPOSURES = sa.text(
    "SELECT l.currency, date_trunc('month', (t.terms ->> 'funded_on')::date)::date AS made_in,"
    " CASE WHEN s.unpaid_since < :day THEN :day - s.unpaid_since ELSE 0 END AS dpd,"
    " count(*) AS loans, sum(b.carried) AS carried"
    " FROM servicing.loan l"
    " JOIN servicing.standing s ON s.loan_id = l.loan_id"
    " JOIN servicing.terms_version t ON t.loan_id = l.loan_id AND t.version = 1"
    " JOIN (SELECT h.subledger_id, sum(CASE WHEN a.normal_side = 'debit' THEN h.balance ELSE -h.balance END) AS carried"
    "         FROM ledger.account_balance h JOIN ledger.account a ON a.account_id = h.account_id"
    "        WHERE a.book_id = :book_id AND a.code = ANY (:codes) GROUP BY h.subledger_id) b"
    "   ON b.subledger_id = l.loan_id"
    " WHERE l.book_id = :book_id AND b.carried <> 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)
CARRIED = ("LOAN_PRINCIPAL", "DEFERRED_ORIGINATION_FEES", "DEFERRED_ORIGINATION_COSTS", "COST_RECOVERY_APPLIED")
"""The roles of the accounts whose balances are what is carried of a loan, contra-assets as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What rates require in a currency on a day, segment by segment, and what is held, in minor units."""

    currency: str
    segments: tuple[Segment, ...]
    held: int

    @property
    def required(self) -> int:
        """Return what is required in all."""
        return sum(each.required for each in self.segments)

    @property
    def change(self) -> int:
        """Return what is to be provided, or released if it is below zero."""
        return self.required - self.held


def load_loss_rates(uow: UnitOfWork, book_code: str, rates: LossRates, *, correct: bool = False) -> int | None:
    """Keep loss rates of a book from their day on; return their revision, or None if they are known.

    Raises: BookUnknown; LossRatesDiffer from those of the same day, unless they are to be corrected.
    """
    book_id, day = book(uow.connection, book_code).book_id, rates.effective_on
    known = uow.connection.execute(_KNOWN, {"book_id": book_id, "day": day}).one_or_none()
    if known is not None and (known.method, known.rates) == (rates.method, rates.as_json()):
        return None
    if known is not None and not correct:
        raise LossRatesDiffer(effective_on=day)
    revision = 1 if known is None else known.revision + 1
    values = {"book_id": book_id, "day": day, "revision": revision, "method": rates.method, "actor": uow.actor}
    uow.connection.execute(_KEEP, {**values, "rates": json.dumps(rates.as_json())})
    return revision


def rates_in_force(connection: sa.Connection, book_code: str, day: date) -> LossRates | None:
    """Return the loss rates of a book that are in force on a day; None if there are none.

    Raises: BookUnknown.
    """
    values = {"book_id": book(connection, book_code).book_id, "day": day}
    row = connection.execute(_IN_FORCE, values).one_or_none()
    if row is None:
        return None
    rates = {name: tuple(Decimal(each) for each in listed) for name, listed in row.rates.items()}
    return LossRates(row.effective_date, row.method, rates)


def allowances(connection: sa.Connection, book_code: str, day: date) -> tuple[Allowance, ...]:
    """Return what the rates in force require of the loans as they stand, and what is held at the close of a day.

    The daily cycle has been run through the day. Nothing, where no rates are in force. Raises: LossRateMissing.
    """
    rates = rates_in_force(connection, book_code, day)
    return () if rates is None else tuple(_allowances(connection, book_code, rates, day))


def provide(uow: UnitOfWork, book_code: str, day: date, *, request_key: str) -> tuple[Allowance, ...]:
    """Book the change of the allowance at the close of a day, once for a request key; return what it was made of.

    Raises: what `allowances` and posting raise.
    """
    found = allowances(uow.connection, book_code, day)
    roles = load_roles(uow.connection, book_code).now
    for each in (each for each in found if each.change):
        template = TEMPLATES.get("provision_made" if each.change > 0 else "provision_released")
        amounts = {"amount": Money(abs(each.change), each.currency)}
        draft = EntryDraft(
            subledger_id=book(uow.connection, book_code).own_subledger_id,
            template=template.name,
            template_version=template.version,
            effective_date=day,
            actor=uow.actor,
            request_key=f"{request_key}:{each.currency}",
            source_ref=f"provision:{day}:{each.currency}",
            narration=narrate(template),
            postings=instantiate(template, amounts, roles),
            details={"required": each.required, "held": each.held},
        )
        post_entry(uow, draft)
    return found


def _allowances(connection: sa.Connection, book_code: str, rates: LossRates, day: date) -> Iterator[Allowance]:
    held = _held(connection, book_code, day)
    exposures = _exposures(connection, book_code, day)
    for currency in sorted({*held, *(each.currency for each in exposures)}):
        own = [each for each in exposures if each.currency == currency]
        yield Allowance(currency=currency, segments=segments(rates, own, day), held=held.get(currency, 0))


def _held(connection: sa.Connection, book_code: str, day: date) -> dict[str, int]:
    codes = load_roles(connection, book_code).ever.get(ALLOWANCE, frozenset())
    rows = trial_balance(connection, book_code, as_of=day).balance.rows
    held: dict[str, int] = {}
    for row in (row for row in rows if row.account.code in codes):
        held[row.currency] = held.get(row.currency, 0) + row.balance_on(Side.CREDIT).minor
    return held


def _exposures(connection: sa.Connection, book_code: str, day: date) -> list[Exposure]:
    ever = load_roles(connection, book_code).ever
    codes = sorted(code for role in CARRIED for code in ever.get(role, ()))
    values = {"book_id": book(connection, book_code).book_id, "day": day, "codes": codes}
    return [
        Exposure(
            currency=row.currency,
            made_in=Month.of(row.made_in),
            days_past_due=row.dpd,
            loans=row.loans,
            carried=int(row.carried),
        )
        for row in connection.execute(_EXPOSURES, values)
    ]
