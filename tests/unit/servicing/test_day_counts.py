"""Day counts and accrual, by figures of ISDA and by hand."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import Rounding
from servicing.accrual import interest_of, rounded
from servicing.day_count import (
    CONVENTIONS,
    PARTS,
    Period,
    days_30_360,
    days_30e_360,
    part_of_period,
    year_fraction,
)
from tests.unit.servicing.examples import TERMS


def test_actual_conventions_count_every_night_once() -> None:
    assert year_fraction("actual/365", date(2026, 1, 15), date(2026, 2, 15)) == Fraction(31, 365)
    assert year_fraction("actual/360", date(2024, 1, 1), date(2025, 1, 1)) == Fraction(366, 360)
    assert year_fraction("actual/364", date(2026, 1, 1), date(2026, 1, 8)) == Fraction(1, 52)


def test_actual_actual_splits_at_the_year_end() -> None:
    # ISDA, "EMU and market conventions" (1999): 1 November 2003 to 1 May 2004 is 61/365 + 121/366.
    assert year_fraction("actual/actual", date(2003, 11, 1), date(2004, 5, 1)) == Fraction(61, 365) + Fraction(121, 366)
    # The night of 31 December belongs to the old year, here a leap year.
    assert year_fraction("actual/actual", date(2024, 12, 31), date(2025, 1, 1)) == Fraction(1, 366)


@pytest.mark.parametrize(
    ("start", "end", "us", "european"),
    [
        # From the examples that ISDA published beside its 2006 definitions; QuantLib tests itself against them too.
        (date(2006, 8, 20), date(2007, 2, 20), 180, 180),
        (date(2006, 8, 31), date(2007, 2, 28), 178, 178),
        (date(2007, 2, 28), date(2007, 8, 31), 183, 182),
        (date(2006, 1, 31), date(2006, 2, 28), 28, 28),
        (date(2006, 9, 30), date(2006, 10, 31), 30, 30),
        (date(2006, 2, 28), date(2006, 3, 3), 5, 5),
        (date(2008, 2, 28), date(2008, 3, 31), 33, 32),
        (date(2008, 2, 29), date(2009, 2, 28), 359, 359),
    ],
)
def test_months_of_thirty_days(start: date, end: date, us: int, european: int) -> None:
    assert (days_30_360(start, end), days_30e_360(start, end)) == (us, european)


@pytest.mark.parametrize("day_count", sorted(PARTS))
@given(st.dates(date(2023, 1, 1), date(2030, 1, 1)), st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_parts_of_a_period_sum_to_the_period(day_count: str, start: date, gaps: list[int]) -> None:
    days = [start]
    for gap in gaps:
        days.append(date.fromordinal(days[-1].toordinal() + gap))
    period = Period(start, max(days[-1], date.fromordinal(start.toordinal() + 1)), Fraction(1, 12))

    parts = [part_of_period(day_count, period, a, b) for a, b in pairwise(days)]

    assert sum(parts) == part_of_period(day_count, period, start, days[-1])
    assert min(parts) >= 0
    if day_count in CONVENTIONS:
        assert sum(parts) == year_fraction(day_count, start, days[-1])


def test_a_period_by_name_has_its_share_of_the_year_however_long_it_is() -> None:
    start, month = date(2026, 1, 15), Fraction(1, 12)
    for end in (date(2026, 2, 15), date(2026, 3, 1)):
        assert part_of_period("period", Period(start, end, month), start, end) == month
    assert part_of_period("period", Period(start, date(2026, 3, 1), month), start, date(2026, 1, 24)) == month / 5


def test_interest_of_a_month_by_hand() -> None:
    # 10,000.00 at 12% over 31 days of 365: 101.9178...
    month = Period(TERMS.funded_on, TERMS.first_due_on, Fraction(1, 12))
    exact = interest_of(1_000_000, TERMS.rate, "actual/365", month, month.start, month.end)
    assert exact == Fraction(1_000_000 * 12 * 31, 100 * 365)
    assert rounded(exact, Rounding.HALF_UP) == 10192


def test_rounding_modes_part_ways_at_the_half() -> None:
    assert rounded(Fraction(5, 2), Rounding.HALF_EVEN) == 2
    assert rounded(Fraction(7, 2), Rounding.HALF_EVEN) == 4
    assert rounded(Fraction(5, 2), Rounding.HALF_UP) == 3
    assert rounded(Fraction(21, 10), Rounding.UP) == 3
    assert rounded(Fraction(29, 10), Rounding.DOWN) == 2
