"""The contract schedule: when each installment is due, and what it is made of.

The last installment takes the remainder, so principal always sums to the amount. Never: what was paid.
Next: `servicing/amortization.py` for what installments ask for; `servicing/engine.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from servicing.accrual import METHODS, Balances, Method, interest_of, rounded
from servicing.amortization import Ask, Start, ask, phases
from servicing.day_count import Period
from servicing.due_dates import due_dates, part_of_a_year
from servicing.terms import Terms


@dataclass(frozen=True, slots=True)
class Installment:
    """One installment of the contract, in minor units; `balance` is the principal left after it.

    Where `keeps_total` holds, its total is agreed, and interest that comes out otherwise moves its principal; else
    its principal is agreed, and interest comes on top.
    """

    no: int
    due: date
    principal: int
    interest: int
    balance: int
    keeps_total: bool

    @property
    def total(self) -> int:
        """Return principal and interest together."""
        return self.principal + self.interest


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
    balance, product, method = terms.principal.minor, terms.product, method_of(terms)
    periods = periods_of(terms)
    cumulative, asked = Fraction(0), 0
    rows: list[Installment] = []
    for phase in phases(terms):
        wanted = ask(terms, phase, Start(balance, periods[len(rows) :]))
        for period in periods[len(rows) : len(rows) + phase.installments]:
            base = method.balance(Balances(balance, balance, balance, terms.principal.minor)) if balance else 0
            cumulative += interest_of(base, terms.rate, product.day_count, period, period.start, period.end)
            earned = rounded(cumulative, product.rounding) - asked
            last = len(rows) + 1 == terms.installments
            principal, interest = (balance, earned) if last else _parts(wanted, balance, earned)
            balance, asked = balance - principal, asked + interest
            rows.append(Installment(len(rows) + 1, period.end, principal, interest, balance, wanted.is_total))
    return tuple(rows)


def method_of(terms: Terms) -> Method:
    """Return how a loan earns interest."""
    return METHODS[terms.product.interest, terms.product.rests]


def _parts(wanted: Ask, balance: int, earned: int) -> tuple[int, int]:
    """Return principal and interest of an installment; interest that its total has no room for waits for the next."""
    if not wanted.is_total:
        return min(balance, wanted.amount), earned
    interest = min(earned, wanted.amount)
    return min(balance, wanted.amount - interest), interest
