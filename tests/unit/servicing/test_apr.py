"""The annual percentage rate: amounts, unit-periods, counting, and what is refused.

Next: `test_appendix_j.py` for the published examples.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from ledger.errors import DomainError
from ledger.money import Money
from servicing.apr import Flow, disclose, disclose_terms
from servicing.errors import (
    AdvanceUnrepaid,
    FlowNotPositive,
    NeverPaidBack,
    NoRateFound,
    NothingAdvanced,
    NothingPaid,
    NoTimeToEarn,
)
from servicing.product import Product
from servicing.unit_periods import (
    DAY,
    MONTH,
    SEMIMONTH,
    YEAR,
    Interval,
    UnitPeriod,
    day_to_return_to,
    find_unit_period,
    parse_unit_period,
    unit_periods_between,
)
from tests.unit.servicing.cash_flows import flows, usd
from tests.unit.servicing.examples import TERMS


def test_the_amounts_are_what_is_advanced_what_is_paid_and_the_difference() -> None:
    found = disclose(flows(("5000", "1978-01-10", "monthly", 1)), flows(("230", "1978-02-10", "monthly", 24)))

    assert (found.amount_financed, found.total_of_payments) == (usd("5000"), usd("5520"))
    assert found.finance_charge == usd("520")
    assert found.apr == Decimal("9.6857")


def test_an_origination_fee_is_a_prepaid_finance_charge() -> None:
    free = disclose_terms(TERMS)
    fee = replace(TERMS, product=Product.model_validate({"origination_fee": {"percent": "3"}}))
    paid = disclose_terms(fee)

    assert (free.amount_financed, paid.amount_financed) == (usd("10000"), usd("9700"))
    assert paid.finance_charge - free.finance_charge == usd("300")
    # docs/spec/apr.md: the actual/365 contract rate of 12, months counted as equal; then with 300.00 kept.
    assert (free.apr, paid.apr) == (Decimal("11.9505"), Decimal("17.7761"))


def test_a_loan_without_a_finance_charge_has_a_rate_of_zero() -> None:
    found = disclose(flows(("600", "2026-01-10", "monthly", 1)), flows(("100", "2026-02-10", "monthly", 6)))

    assert (found.apr, found.finance_charge) == (Decimal(0), usd("0"))


def test_a_disclosed_rate_may_differ_by_an_eighth_of_a_point_and_no_more() -> None:
    # (1)(i) made exact: one payment a year later, 10 percent.
    found = disclose(flows(("1000", "2026-01-10", "monthly", 1)), flows(("1100", "2027-01-10", "monthly", 1)))

    assert not found.is_irregular
    assert [found.allows(Decimal(rate)) for rate in ("9.875", "10.125")] == [True, True]
    assert [found.allows(Decimal(rate)) for rate in ("9.8749", "10.1251")] == [False, False]


@pytest.mark.parametrize(
    ("payments", "irregular"),
    [
        ([("50", 1), ("100", 2), ("100", 3), ("100", 4), ("30", 5)], False),
        ([("100", 2), ("100", 3), ("100", 4)], False),
        ([("100", 1), ("90", 2), ("100", 3), ("100", 4)], True),
        ([("100", 1), ("100", 2), ("100", 4), ("100", 5)], True),
    ],
)
def test_odd_ends_leave_a_loan_regular_and_odd_middles_do_not(payments: list[tuple[str, int]], irregular: bool) -> None:
    paid = [Flow(date(2026, 1 + month, 10), usd(amount)) for amount, month in payments]

    assert disclose([Flow(date(2026, 1, 10), usd("250"))], paid).is_irregular is irregular


@pytest.mark.parametrize(
    ("days", "unit"),
    [
        ("2026-01-31 2026-02-28 2026-03-31 2026-04-30", "month"),
        ("2026-01-30 2026-02-28 2026-03-30", "month"),
        ("2026-01-01 2026-01-16 2026-02-01 2026-02-16", "semimonth"),
        ("2026-01-15 2026-01-31 2026-02-15 2026-02-28", "semimonth"),
        ("2026-02-02 2026-03-02 2026-03-30 2026-04-27", "4 weeks"),
        ("2026-07-01 2026-08-01 2026-09-01", "month"),
        ("2026-02-01 2026-08-01 2027-02-01", "6 months"),
        ("2024-02-29 2025-02-28 2026-02-28", "year"),
        ("2026-01-01 2026-01-11 2026-01-21", "10 days"),
        # A week and a month, each twice: the smaller.
        ("2026-01-01 2026-01-08 2026-01-15 2026-02-15 2026-03-15", "week"),
        # No common period: 10, 21 and 32 days are 10, 21 and 31 of months of 30; the average of 20 2/3 is 3 weeks.
        ("2026-01-01 2026-01-11 2026-02-01 2026-03-05", "3 weeks"),
        # Common periods of more than a year: the average, but a year at most.
        ("2026-01-01 2028-01-01 2030-01-01", "year"),
    ],
)
def test_the_unit_period_is_the_common_period_that_occurs_most_often(days: str, unit: str) -> None:
    first, *payments = (date.fromisoformat(day) for day in days.split())

    assert str(find_unit_period(first, [first], payments)) == unit


def test_an_average_between_two_standard_intervals_takes_the_lower() -> None:
    # 10 and 11 days: the average of 10 1/2 lies between a week and two weeks.
    days = [date(2026, 1, 1), date(2026, 1, 11), date(2026, 1, 22)]

    assert str(find_unit_period(days[0], days[:1], days[1:])) == "week"


@pytest.mark.parametrize(
    ("start", "end", "unit", "whole", "fraction"),
    [
        ("2026-01-20", "2026-03-01", MONTH, 1, "12/30"),
        ("2026-01-01", "2026-03-31", MONTH, 3, "0"),  # 2 months back to 31 January, then 30 days of 30
        ("2026-01-20", "2026-03-01", UnitPeriod(Interval.MONTH, 2), 0, "42/60"),
        ("2026-02-20", "2026-03-01", SEMIMONTH, 0, "9/15"),
        ("2026-01-01", "2026-01-20", UnitPeriod(Interval.DAY, 14), 1, "5/14"),
        ("2026-01-01", "2026-01-20", DAY, 19, "0"),
        ("2026-01-01", "2028-04-01", YEAR, 2, "3/12"),
        ("2026-01-01", "2028-04-02", YEAR, 2, "91/365"),
    ],
)
def test_unit_periods_are_counted_back_from_the_later_day(
    start: str, end: str, unit: UnitPeriod, whole: int, fraction: str
) -> None:
    found = unit_periods_between(unit, date.fromisoformat(start), date.fromisoformat(end))

    assert found == (whole, Fraction(fraction))


def test_the_end_of_february_stands_for_the_day_that_the_series_returns_to() -> None:
    month_ends = [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    thirtieths = [date(2026, 1, 30), date(2026, 2, 28), date(2026, 3, 30)]

    assert day_to_return_to(month_ends[1], month_ends) == 31
    assert day_to_return_to(thirtieths[1], thirtieths) == 30
    assert day_to_return_to(date(2026, 2, 28), [date(2026, 2, 28)]) == 28
    assert unit_periods_between(MONTH, date(2025, 12, 31), date(2026, 2, 28), anchor=31) == (2, Fraction(0))


@pytest.mark.parametrize("text", ["day", "week", "4 weeks", "52 weeks", "semimonth", "month", "11 months", "year"])
def test_a_unit_period_is_read_and_written(text: str) -> None:
    assert str(parse_unit_period(text)) == text


@pytest.mark.parametrize("text", ["", "0 weeks", "53 weeks", "13 months", "2 years", "2 semimonths", "fortnight"])
def test_what_is_no_unit_period_of_a_year_at_most_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it is"):
        parse_unit_period(text)


ADVANCE = Flow(date(2026, 1, 10), usd("100"))


@pytest.mark.parametrize(
    ("advances", "payments", "error", "sentence"),
    [
        ([], [ADVANCE], NothingAdvanced, "advances: there is none, but there are payments (1)"),
        ([ADVANCE], [], NothingPaid, "payments: there is none to repay 100.00 USD"),
        (
            [ADVANCE],
            [Flow(ADVANCE.on, usd("0"))],
            FlowNotPositive,
            "an advance or a payment of 0.00 USD on 2026-01-10 is not above zero",
        ),
        (
            [ADVANCE],
            [Flow(date(2026, 2, 10), usd("99.99"))],
            NeverPaidBack,
            "payments: they sum to 99.99 USD, and never pay back the 100.00 USD that are advanced",
        ),
        (
            [ADVANCE, Flow(date(2026, 3, 1), usd("1"))],
            [Flow(date(2026, 2, 10), usd("200"))],
            AdvanceUnrepaid,
            "advances: the one on 2026-03-01 is not repaid, the last payment is on 2026-02-10",
        ),
        (
            [ADVANCE],
            [Flow(ADVANCE.on, usd("110"))],
            NoTimeToEarn,
            "what is advanced on 2026-01-10 is repaid the same day with a finance charge of 10.00 USD",
        ),
    ],
)
def test_what_has_no_rate_is_refused_with_its_figures(
    advances: list[Flow], payments: list[Flow], error: type[DomainError], sentence: str
) -> None:
    with pytest.raises(error) as refused:
        disclose(advances, payments)

    assert str(refused.value) == sentence


def test_a_cent_more_than_the_least_that_pays_back_has_a_rate_above_zero() -> None:
    assert disclose([ADVANCE], [Flow(date(2026, 2, 10), usd("100.01"))]).apr == Decimal("0.1200")


def test_payments_that_are_worth_more_at_every_rate_are_refused() -> None:
    # 100 - 90 / (1 + i) + 1 / (1 + i)^2 is above zero for every i of zero or more.
    payments = [Flow(date(2026, 1, 1), usd("100")), Flow(date(2026, 3, 1), usd("1"))]

    with pytest.raises(NoRateFound, match="makes them worth the advances"):
        disclose([Flow(date(2026, 2, 1), usd("90"))], payments)


def test_the_smallest_advance_and_the_largest_payment_have_a_rate() -> None:
    largest = Money(2**63 - 1 - 30, "USD")
    rest = [Flow(date(2026, 1, 12) + timedelta(days=n), usd("0.01")) for n in range(30)]

    found = disclose([Flow(date(2026, 1, 10), usd("0.01"))], [Flow(date(2026, 1, 11), largest), *rest])

    assert found.apr > Decimal(2) ** 62 * 36500
    far = [Flow(date(9999, 12, 30), usd("100")), Flow(date(9999, 12, 31), usd("100"))]
    assert disclose([Flow(date.min, usd("100"))], far).apr > 0
