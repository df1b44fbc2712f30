"""The contract schedule: due dates, the level payment, and principal and interest of each installment.

Due dates are counted from the first one, so that the 31st comes back after a short month. The last installment takes
the remainder. Never: what was paid. Next: `servicing/engine.py`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from dateutil.relativedelta import relativedelta

from ledger.money import Rounding
from servicing.accrual import interest_of, rounded
from servicing.errors import TermsInvalid
from servicing.terms import PERIODS_A_YEAR, Terms, every_days

_MONTHS = {"monthly": 1, "quarterly": 3, "semiannual": 6, "annual": 12}
_DAYS = {"weekly": 7, "biweekly": 14}


@dataclass(frozen=True, slots=True)
class Installment:
    """One installment of the contract, in minor units; `balance` is the principal left after it."""

    no: int
    due: date
    principal: int
    interest: int
    balance: int

    @property
    def total(self) -> int:
        """Return principal and interest together."""
        return self.principal + self.interest


def due_dates(first: date, frequency: str, count: int) -> tuple[date, ...]:
    """Return the due dates, anchored on the first one.

    Raises: TermsInvalid if they run past the end of the calendar.
    """
    try:
        return _due_dates(first, frequency, count)
    except (OverflowError, ValueError):
        reason = f"{count} of them from {first} run past the year {date.max.year}"
        raise TermsInvalid(field="installments", reason=reason) from None


def _due_dates(first: date, frequency: str, count: int) -> tuple[date, ...]:
    step = every_days(frequency) or _DAYS.get(frequency)
    if step is not None:
        return tuple(first + timedelta(days=step * n) for n in range(count))
    if frequency == "semimonthly":
        return tuple(_semimonthly(first, count))
    months = _MONTHS[frequency]
    return tuple(first + relativedelta(months=months * n) for n in range(count))


def level_payment(terms: Terms) -> int:
    """Return the payment that pays the loan off in equal periods, rounded by the product, in minor units."""
    if terms.installment_amount is not None:
        return terms.installment_amount.minor
    days = every_days(terms.frequency)
    periods = Fraction(365, days) if days else Fraction(PERIODS_A_YEAR[terms.frequency])
    rate = Fraction(terms.rate) / 100 / periods
    if rate == 0:
        exact = Fraction(terms.principal.minor, terms.installments)
    else:
        growth = (1 + rate) ** terms.installments
        exact = terms.principal.minor * rate * growth / (growth - 1)
    rule = terms.product.installment_rounding
    unit = max(1, _minor_units(rule.to, terms))
    return rounded(exact / unit, Rounding(rule.mode)) * unit


@lru_cache(maxsize=4096)
def contract_schedule(terms: Terms) -> tuple[Installment, ...]:
    """Return the installments as agreed, each paid on its due date."""
    payment = level_payment(terms)
    balance, start, product = terms.principal.minor, terms.funded_on, terms.product
    dues = due_dates(terms.first_due_on, terms.frequency, terms.installments)
    cumulative, booked = Fraction(0), 0
    installments = []
    for no, due in enumerate(dues, start=1):
        cumulative += interest_of(balance, terms.rate, product.day_count, start, start, due)
        interest = rounded(cumulative, product.rounding) - booked
        booked += interest
        last = no == terms.installments
        principal = balance if last else min(balance, max(0, payment - interest))
        balance -= principal
        installments.append(Installment(no, due, principal, interest, balance))
        start = due
    return tuple(installments)


def _minor_units(major: Decimal, terms: Terms) -> int:
    return terms.amount(major).minor


def _semimonthly(first: date, count: int) -> Iterator[date]:
    """Yield the day of the first due date and the one half a month from it, month by month."""
    early = first.day if first.day <= 15 else first.day - 15
    month = first.replace(day=1)
    late_next = first.day > 15
    for _ in range(count):
        last_day = calendar.monthrange(month.year, month.month)[1]
        yield month.replace(day=min(early + 15, last_day) if late_next else early)
        if late_next:
            month = month + relativedelta(months=1)
        late_next = not late_next
