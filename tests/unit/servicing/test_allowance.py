"""What loss rates require: by bucket, by vintage and age, each segment rounded once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ledger.dates import Month
from servicing.allowance import Exposure, LossRates, segments
from servicing.errors import LossRateMissing

JANUARY, MARCH = Month(2026, 1), date(2026, 3, 31)


def exposure(carried: int, dpd: int = 0, made_in: Month = JANUARY) -> Exposure:
    return Exposure(currency="USD", made_in=made_in, days_past_due=dpd, loans=1, carried=carried)


def test_a_segment_is_rounded_once() -> None:
    rates = LossRates(MARCH, "bucket", {"current": (Decimal("0.5"),), "1-29": (Decimal(5),)})

    # 0.5 % of 1.00 twice is 0.01 in all, not 0.01 and 0.01; 5 % of 0.10 is 0.005, rounded up.
    found = segments(rates, [exposure(100), exposure(100, made_in=JANUARY.next), exposure(10, dpd=29)], MARCH)

    assert [(each.name, each.loans, each.required) for each in found] == [("1-29", 1, 1), ("current", 2, 1)]


def test_a_vintage_has_a_rate_for_each_month_of_its_age_and_the_last_one_stays() -> None:
    rates = LossRates(MARCH, "vintage", {"2026-01": (Decimal(6), Decimal(5)), "any": (Decimal(4),)})
    own = [exposure(10_000), exposure(10_000, made_in=Month(2025, 6))]

    on = {day: [each.required for each in segments(rates, own, day)] for day in (date(2026, 1, 31), MARCH)}

    assert on == {date(2026, 1, 31): [400, 600], MARCH: [400, 500]}


def test_what_the_books_carry_below_nothing_requires_nothing() -> None:
    rates = LossRates(MARCH, "bucket", {"current": (Decimal(5),)})

    assert segments(rates, [exposure(-500)], MARCH)[0].required == 0


def test_a_month_without_rates_is_refused() -> None:
    with pytest.raises(LossRateMissing):
        segments(LossRates(MARCH, "vintage", {"2025-01": (Decimal(6),)}), [exposure(1)], MARCH)
