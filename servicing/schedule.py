"""The contract schedule: when each installment is due, and what it is made of.

The last installment takes the remainder, so principal always sums to the amount. It is drawn from the funding on each
time, with everything that has changed it since (`Change`). Never: what was paid.
Next: `servicing/amortization.py` for what installments ask for; `servicing/drawing.py`; `servicing/engine.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ledger.money import Money
from servicing.calendars import adjusted
from servicing.contract import Change, Contract, Installment
from servicing.day_count import Period
from servicing.drawing import Drawing, unmoved_dues
from servicing.due_dates import part_of_a_year, regular_start
from servicing.errors import TermsInvalid
from servicing.precomputed import by_digits
from servicing.terms import Terms


def dues_of(terms: Terms) -> tuple[date, ...]:
    """Return the days on which the regular installments of a loan are due: business days, where the product says so.

    Raises: TermsInvalid if they run past the end of the calendar, or one moves to the funding or before it.
    """
    rule = terms.product.business_days
    unadjusted = unmoved_dues(terms)
    if rule.convention == "none":
        return unadjusted
    dues = tuple(adjusted(day, rule.calendar, rule.convention) for day in unadjusted)
    if dues[0] <= terms.funded_on:
        reason = f"its business day, {dues[0]}, does not lie after the funding"
        raise TermsInvalid(field="first_due_on", reason=reason)
    return dues


@lru_cache(maxsize=4096)
def periods_of(terms: Terms) -> tuple[Period, ...]:
    """Return the interest period of each regular installment."""
    nominal = part_of_a_year(terms.frequency)
    ends = dues_of(terms) if terms.product.business_days.adjusted else unmoved_dues(terms)
    first, *later = pairwise((terms.funded_on, *ends))
    odd = Period(*first, nominal, _regular_from(terms))
    return (odd, *(Period(start, end, nominal) for start, end in later))


def agreed_changes(terms: Terms) -> tuple[Change, ...]:
    """Return the changes that are agreed from the first: another rate from a day on.

    Raises: TermsInvalid if two are from one day, or one is not before the last due date.
    """
    periods, resolves = periods_of(terms), terms.product.at_rate_change == "recalculate"
    days = [periods[step.installment - 1].start if step.installment else step.on for step in terms.rates]
    found = [
        Change(on=day, rate=step.rate, resolves=resolves) for day, step in zip(days, terms.rates, strict=True) if day
    ]
    if any(a.on >= b.on for a, b in pairwise(found)):
        raise TermsInvalid(field="rates", reason="each must be from a later day than the one before")
    if found and found[-1].on >= periods[-1].end:
        raise TermsInvalid(field="rates", reason=f"each must be from a day before {periods[-1].end}")
    return tuple(found)


def contract_schedule(terms: Terms) -> tuple[Installment, ...]:
    """Return the installments as agreed at first, each paid on its due date."""
    return contract_of(terms).rows


def contract_of(terms: Terms, changes: tuple[Change, ...] = ()) -> Contract:
    """Return the contract with what has changed it, in the order of its days.

    Raises: TermsInvalid.
    """
    return _contract(terms, changes)


@lru_cache(maxsize=4096)
def _contract(terms: Terms, changes: tuple[Change, ...]) -> Contract:
    every = sorted((*agreed_changes(terms), *changes), key=lambda change: change.on)
    contract = Drawing(terms, periods_of(terms), dues_of(terms), every).contract()
    return by_digits(terms, contract) if terms.product.method.by_digits else contract


def proceeds_of(terms: Terms) -> Money:
    """Return what is paid out on the day of the funding, after everything that is kept from it.

    Raises: TermsInvalid.
    """
    return terms.proceeds_before_interest - Money(contract_of(terms).withheld, terms.currency)


def rate_kept_until(terms: Terms) -> date | None:
    """Return the day from which the rate can change, if interest of the days before was kept from the proceeds."""
    return _regular_from(terms) if contract_of(terms).withheld else None


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


def _regular_from(terms: Terms) -> date | None:
    """Return where a regular first period would begin, if the odd days before or after that count by day."""
    if terms.product.odd_days is None:
        return None
    return regular_start(terms.funded_on, terms.first_due_on, terms.frequency)
