"""Streams of equal amounts, and a rate as published examples give it."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from ledger.money import Money
from servicing.apr import Disclosure, Flow, percent_a_year
from servicing.due_dates import due_dates

Series = tuple[str, str, str, int]
"""Amount, first day, frequency and number of equal flows."""


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def flows(*series: Series) -> list[Flow]:
    """Return the flows of series, in order."""
    return [
        Flow(day, usd(amount))
        for amount, first, frequency, count in series
        for day in due_dates(date.min, date.fromisoformat(first), frequency, count)
    ]


def every_two_months(amount: str, first: str, count: int) -> list[Flow]:
    return flows((amount, first, "monthly", 2 * count))[::2]


def two_decimals(disclosed: Disclosure) -> str:
    """Return the unrounded rate rounded to two decimals, as the examples give it."""
    exact = percent_a_year(disclosed.unit_rate, disclosed.unit_period)
    return str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))
