"""The contract schedule: when each installment is due, and what it is made of.

The last installment takes the remainder, so principal always sums to the amount. Never: what was paid.
Next: `servicing/amortization.py` for what installments ask for; `servicing/engine.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ledger.money import Money
from servicing.accrual import METHODS, Balances, Method, interest_of, rounded
from servicing.amortization import Ask, Start, ask, phases
from servicing.day_count import Period
from servicing.due_dates import due_dates, part_of_a_year
from servicing.terms import Terms


@dataclass(frozen=True, slots=True)
class Installment:
    """One installment of the contract, in minor units; `balance` is the principal left after it.

    Where `keeps_total` holds, its total is agreed, and interest that comes out otherwise moves its principal; else
    its principal is agreed, and interest comes on top. Where `asks_interest` does not, a later one asks for it.
    """

    no: int
    due: date
    principal: int
    interest: int
    balance: int
    keeps_total: bool
    asks_interest: bool = True

    @property
    def total(self) -> int:
        """Return principal and interest together."""
        return self.principal + self.interest


@dataclass(frozen=True, slots=True)
class Contract:
    """The installments of a loan as they are agreed at one time, and the interest period of each."""

    rows: tuple[Installment, ...]
    periods: tuple[Period, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the contract as JSON values."""
        return {
            "rows": [
                [r.no, r.due.isoformat(), r.principal, r.interest, r.balance, r.keeps_total, r.asks_interest]
                for r in self.rows
            ],
            "periods": [[p.start.isoformat(), p.end.isoformat(), str(p.nominal)] for p in self.periods],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Contract:
        """Return the contract that `as_json` wrote."""
        return cls(
            tuple(Installment(no, date.fromisoformat(due), *amounts) for no, due, *amounts in stored["rows"]),
            tuple(
                Period(date.fromisoformat(start), date.fromisoformat(end), Fraction(nominal))
                for start, end, nominal in stored["periods"]
            ),
        )


def dues_of(terms: Terms) -> tuple[date, ...]:
    """Return the due dates of a loan.

    Raises: TermsInvalid if they run past the end of the calendar.
    """
    if terms.rows:
        return tuple(row.due for row in terms.rows)
    return due_dates(terms.funded_on, terms.first_due_on, terms.frequency, terms.installments)


@lru_cache(maxsize=4096)
def periods_of(terms: Terms) -> tuple[Period, ...]:
    """Return the interest period of each installment."""
    nominal = part_of_a_year(terms.frequency)
    dues = dues_of(terms)
    return tuple(Period(start, due, nominal) for start, due in pairwise((terms.funded_on, *dues)))


@lru_cache(maxsize=4096)
def contract_schedule(terms: Terms) -> tuple[Installment, ...]:
    """Return the installments as agreed, each paid on its due date."""
    drawing, periods = _Drawing(terms), periods_of(terms)
    for phase in phases(terms):
        wanted = ask(terms, phase, Start(drawing.balance, periods[len(drawing.rows) :]))
        for period in periods[len(drawing.rows) : len(drawing.rows) + phase.installments]:
            drawing.add(wanted, period)
    return tuple(drawing.rows)


def contract_of(terms: Terms) -> Contract:
    """Return the contract as it was made."""
    return Contract(contract_schedule(terms), periods_of(terms))


def schedule_json(terms: Terms) -> list[dict[str, Any]]:
    """Return the contract schedule as scenarios print it."""
    return rows_json(contract_schedule(terms), terms.currency)


def rows_json(rows: Iterable[Installment], currency: str) -> list[dict[str, Any]]:
    """Return installments as scenarios print them: amounts as text of the major unit."""

    def text(minor: int) -> str:
        return Money(minor, currency).format()

    return [
        {
            "no": row.no,
            "due": row.due.isoformat(),
            "principal": text(row.principal),
            "interest": text(row.interest),
            "fees": text(0),
            "total": text(row.total),
            "balance": text(row.balance),
        }
        for row in rows
    ]


def rate_in(terms: Terms, place: int) -> Decimal:
    """Return the rate of a period, by its place from the funding on, in percent a year."""
    return Decimal(0) if place < terms.product.grace.interest_free else terms.rate


def method_of(terms: Terms) -> Method:
    """Return how a loan earns interest."""
    return METHODS[terms.product.interest, terms.product.rests]


class _Drawing:
    """The running figures of a schedule, in minor units; it lives only while the schedule is drawn up."""

    def __init__(self, terms: Terms) -> None:
        self.rows: list[Installment] = []
        self.balance = terms.principal.minor
        self._terms = terms
        self._interest = Fraction(0)
        self._asked = 0
        self._deferred = 0
        """Interest that installments have left to the next one because they ask for none."""

    def add(self, wanted: Ask, period: Period) -> None:
        """Add the installment of a period."""
        product = self._terms.product
        self._interest += self._interest_of(period)
        earned = rounded(self._interest, product.rounding) - self._asked
        asks_interest = len(self.rows) >= product.grace.interest_payment
        if not asks_interest:
            principal, interest = _parts(wanted, self.balance, earned - self._deferred)[0], 0
            self._deferred = earned
        elif len(self.rows) + 1 == self._terms.installments:
            principal, interest = self.balance, earned
        else:
            principal, interest = _parts(wanted, self.balance, earned, on_top=self._deferred)
            self._deferred = 0
        self.balance -= principal
        self._asked += interest
        no = len(self.rows) + 1
        self.rows.append(Installment(no, period.end, principal, interest, self.balance, wanted.is_total, asks_interest))

    def _interest_of(self, period: Period) -> Fraction:
        if not self.balance:
            return Fraction(0)
        balances = Balances(self.balance, self.balance, self.balance, self._terms.principal.minor)
        return interest_of(
            method_of(self._terms).balance(balances),
            rate_in(self._terms, len(self.rows)),
            self._terms.product.day_count,
            period,
            period.start,
            period.end,
        )


def _parts(wanted: Ask, balance: int, earned: int, on_top: int = 0) -> tuple[int, int]:
    """Return principal and interest of an installment; interest that its total has no room for waits for the next."""
    if not wanted.is_total:
        return min(balance, wanted.amount), earned
    interest = min(earned, wanted.amount + on_top)
    return min(balance, wanted.amount + on_top - interest), interest
