"""An origination fee becomes income over the life of the loan: by its level yield, or in equal parts a night.

By the level yield, each period's income is the yield on what the books carry, principal less the fee that is not earned
yet, less the interest of the contract (ASC 310-20-35-18). Within a period it goes by nights. Whatever changes a
contract spreads what is left over the periods that then remain. Never: what was paid, or when it is booked.
Next: `servicing/running_fee.py`; `docs/spec/origination_fees.md`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate

from servicing.contract import Change, Contract
from servicing.day_count import Period, part_of_period
from servicing.schedule import contract_of
from servicing.terms import Terms

ARITHMETIC = Context(prec=40)
CLOSE = Decimal("1e-15")
"""By how much the last balance may miss zero, in minor units, for the yield to be found."""

MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class Share:
    """What is earned of a fee between two days, and before them, in minor units, exact; by nights."""

    start: date
    end: date
    amount: Fraction
    before: Fraction = Fraction(0)


@lru_cache(maxsize=4096)
def shares_of(terms: Terms, changes: tuple[Change, ...], since: date, fee: Fraction) -> tuple[Share, ...]:
    """Return how a fee is earned from a day on; the shares are zero or more, and sum to it."""
    contract = contract_of(terms, changes)
    places = [place for place, period in enumerate(contract.periods) if period.end > max(since, period.start)]
    if not places:
        return ()
    if terms.product.origination_fee.income == "straight_line":
        return (Share(since, contract.periods[places[-1]].end, fee),)
    amounts = _level(terms, contract, places, fee)
    periods = [contract.periods[place] for place in places]
    before = accumulate(amounts, initial=Fraction(0))
    return tuple(
        Share(max(since, period.start), period.end, amount, earned)
        for period, amount, earned in zip(periods, amounts, before, strict=False)
    )


def earned_by(shares: Sequence[Share], day: date) -> Fraction:
    """Return what is earned of a fee up to a day, in minor units, exact."""
    place = bisect_right(shares, day, key=lambda share: share.start) - 1
    if place < 0:
        return Fraction(0)
    share = shares[place]
    nights = (share.end - share.start).days
    return share.before + share.amount * Fraction(min((day - share.start).days, nights), nights)


def level_yield(carried: Decimal, payments: Sequence[Decimal], parts: Sequence[Decimal], first: Decimal) -> Decimal:
    """Return the yearly yield at which payments pay off what is carried, period by period; `first` is where to begin.

    What is left at the end grows with the yield, and ever faster: from where it is below zero the first step of
    Newton's method goes too far, and each one after it comes closer.
    """
    found = first
    for _ in range(MOST_STEPS):
        left, slope = carried, Decimal(0)
        for payment, part in zip(payments, parts, strict=True):
            growth = 1 + found * part
            slope = slope * growth + left * part
            left = left * growth - payment
        if abs(left) <= CLOSE or slope <= 0:
            break
        found -= left / slope
    return found


def _level(terms: Terms, contract: Contract, places: Sequence[int], fee: Fraction) -> list[Fraction]:
    rows = [contract.rows[place] for place in places]
    parts = [_part(terms, contract.periods[place]) for place in places]
    carried = _decimal(rows[0].balance + rows[0].principal - fee)
    with localcontext(ARITHMETIC):
        rate = contract.rate_on(contract.periods[places[0]].start) / 100
        found = level_yield(carried, [Decimal(row.total) for row in rows], parts, rate)
        income = []
        for place, row, part in zip(places, rows, parts, strict=True):
            interest = contract.earned[place]
            income.append(Fraction(carried * found * part) - interest)
            carried = carried * (1 + found * part) - row.total
    return _to_the_fee(income, fee)


def _part(terms: Terms, period: Period) -> Decimal:
    return _decimal(part_of_period(terms.product.day_count, period, period.start, period.end))


def _decimal(exact: Fraction) -> Decimal:
    return ARITHMETIC.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def _to_the_fee(income: Sequence[Fraction], fee: Fraction) -> list[Fraction]:
    """Return shares of zero or more that sum to the fee: rounding of installments leaves a part of a cent over."""
    left, found = fee, []
    for amount in income[:-1]:
        share = min(left, max(Fraction(0), amount))
        found.append(share)
        left -= share
    return [*found, left]
