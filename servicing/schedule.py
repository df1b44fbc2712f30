"""The contract schedule: when each installment is due, and what it is made of.

The last installment takes the remainder, so principal always sums to the amount. Never: what was paid.
Next: `servicing/amortization.py` for what installments ask for; `servicing/engine.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache

from servicing.accrual import interest_of, rounded
from servicing.amortization import Ask, Start, ask, phases
from servicing.due_dates import due_dates
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
def contract_schedule(terms: Terms) -> tuple[Installment, ...]:
    """Return the installments as agreed, each paid on its due date."""
    balance, start, product = terms.principal.minor, terms.funded_on, terms.product
    dues = dues_of(terms)
    cumulative, asked = Fraction(0), 0
    rows: list[Installment] = []
    for phase in phases(terms):
        wanted = ask(terms, phase, Start(balance, terms.installments - len(rows)))
        for due in dues[len(rows) : len(rows) + phase.installments]:
            cumulative += interest_of(balance, terms.rate, product.day_count, start, start, due)
            earned = rounded(cumulative, product.rounding) - asked
            last = len(rows) + 1 == terms.installments
            principal, interest = (balance, earned) if last else _parts(wanted, balance, earned)
            balance, asked, start = balance - principal, asked + interest, due
            rows.append(Installment(len(rows) + 1, due, principal, interest, balance, wanted.is_total))
    return tuple(rows)


def _parts(wanted: Ask, balance: int, earned: int) -> tuple[int, int]:
    """Return principal and interest of an installment; interest that its total has no room for waits for the next."""
    if not wanted.is_total:
        return min(balance, wanted.amount), earned
    interest = min(earned, wanted.amount)
    return min(balance, wanted.amount - interest), interest
