"""The annual percentage rate against the published examples of Regulation Z, 12 CFR 1026, Appendix J(c).

Where each figure was compared: docs/spec/apr.md.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction as F

import pytest

from servicing.apr import Flow, disclose
from tests.unit.servicing.cash_flows import Series, every_two_months, flows, two_decimals, usd

# Paragraph, advance, payments, and by the example: the first payment's whole and odd unit-periods, their number a year,
# and the rate.
SINGLE_ADVANCE: tuple[tuple[str, Series, list[Flow], int, str, str, str], ...] = (
    ("(1)(i)", ("5000", "1978-01-10", "monthly", 1), flows(("230", "1978-02-10", "monthly", 24)), 1, "0", "12", "9.69"),
    (
        "(1)(ii)",
        ("6000", "1978-02-10", "monthly", 1),
        flows(("200", "1978-04-01", "monthly", 36)),
        1,
        "19/30",
        "12",
        "11.82",
    ),
    (
        "(1)(iii)",
        ("5000", "1978-02-23", "monthly", 1),
        flows(("219.17", "1978-03-01", "semimonthly", 24)),
        0,
        "6/15",
        "24",
        "10.34",
    ),
    (
        "(1)(iv)",
        ("10000", "1978-05-23", "monthly", 1),
        flows(("385", "1978-10-01", "quarterly", 40)),
        1,
        "39/90",
        "4",
        "8.97",
    ),
    (
        "(1)(v)",
        ("500", "1978-03-20", "monthly", 1),
        flows(("17.60", "1978-04-21", "weekly", 30)),
        4,
        "4/7",
        "52",
        "14.96",
    ),
    (
        "(2)(i)",
        ("5000", "1978-01-10", "monthly", 1),
        flows(("250", "1978-02-10", "monthly", 1), ("230", "1978-03-10", "monthly", 23)),
        1,
        "0",
        "12",
        "10.08",
    ),
    (
        "(2)(ii)",
        ("400", "1978-03-18", "monthly", 1),
        flows(("39.50", "1978-04-20", "days:28", 1), ("38.31", "1978-05-18", "days:28", 11)),
        1,
        "5/28",
        "13",
        "28.50",
    ),
    (
        "(3)(i)",
        ("5000", "1978-01-10", "monthly", 1),
        flows(("230", "1978-02-10", "monthly", 23), ("280", "1980-01-10", "monthly", 1)),
        1,
        "0",
        "12",
        "10.50",
    ),
    (
        "(3)(ii)",
        ("200", "1978-04-03", "monthly", 1),
        flows(("9.50", "1978-04-11", "biweekly", 19), ("30", "1979-01-02", "biweekly", 1)),
        0,
        "8/14",
        "26",
        "12.22",
    ),
    (
        "(4)(i)",
        ("5000", "1978-01-10", "monthly", 1),
        flows(
            ("250", "1978-02-10", "monthly", 1),
            ("230", "1978-03-10", "monthly", 22),
            ("280", "1980-01-10", "monthly", 1),
        ),
        1,
        "0",
        "12",
        "10.90",
    ),
    (
        "(4)(ii)",
        ("8000", "1978-01-10", "monthly", 1),
        [
            *flows(("449.36", "1978-03-01", "monthly", 1)),
            *every_two_months("465", "1978-05-01", 18),
            *flows(("200", "1981-05-01", "monthly", 1)),
        ],
        0,
        "52/60",
        "6",
        "7.30",
    ),
    (
        "(5)(i)",
        ("1000", "1978-01-03", "monthly", 1),
        flows(("1080", "1978-09-15", "monthly", 1)),
        1,
        "0",
        "365/255",
        "11.45",
    ),
    (
        "(5)(ii)",
        ("1000", "1978-07-15", "monthly", 1),
        flows(("1044", "1978-10-15", "monthly", 1)),
        1,
        "0",
        "4",
        "17.60",
    ),
    (
        "(5)(iii)",
        ("1000", "1978-01-17", "monthly", 1),
        flows(("1135.19", "1979-07-17", "monthly", 1)),
        1,
        "6/12",
        "1",
        "8.76",
    ),
    (
        "(5)(iv)",
        ("1000", "1978-01-03", "monthly", 1),
        flows(("1240", "1980-01-03", "monthly", 1)),
        2,
        "0",
        "1",
        "11.36",
    ),
)


@pytest.mark.parametrize(
    ("advance", "payments", "whole", "odd", "a_year", "apr"),
    [example[1:] for example in SINGLE_ADVANCE],
    ids=[example[0] for example in SINGLE_ADVANCE],
)
def test_single_advances_come_to_the_rates_of_appendix_j(
    advance: Series, payments: list[Flow], whole: int, odd: str, a_year: str, apr: str
) -> None:
    found = disclose(flows(advance), payments)

    assert (found.payments[0].whole, found.payments[0].fraction) == (whole, F(odd))
    assert found.unit_period.a_year == F(a_year)
    assert two_decimals(found) == apr


def test_payments_every_four_weeks_that_skip_two_weeks_come_to_the_rate_of_appendix_j() -> None:
    # (c)(6)(i): 24 payments of 100.00, every 4 weeks, but the second one of a month is put off by 2 weeks.
    days = [date(1978, 2, 20)]
    while len(days) < 24:
        following = days[-1] + timedelta(days=28)
        same_month = (following.year, following.month) == (days[-1].year, days[-1].month)
        days.append(following + timedelta(days=14 if same_month else 0))

    found = disclose([Flow(date(1978, 1, 25), usd("2135"))], [Flow(day, usd("100")) for day in days])

    assert (str(found.unit_period), found.unit_period.a_year) == ("4 weeks", F(13))
    assert (found.payments[0].whole, found.payments[0].fraction) == (0, F(26, 28))
    assert two_decimals(found) == "12.00"
    assert found.is_irregular


def test_skipped_and_single_payments_come_to_the_rate_of_appendix_j() -> None:
    # (c)(6)(ii): three monthly payments, a single one, three more, a last one; the first is 6 12/30 months away.
    payments = flows(
        ("1000", "1978-09-15", "monthly", 3),
        ("2000", "1979-03-15", "monthly", 1),
        ("750", "1979-09-15", "monthly", 3),
        ("1000", "1980-02-01", "monthly", 1),
    )

    found = disclose(flows(("7350", "1978-03-03", "monthly", 1)), payments)

    assert (str(found.unit_period), found.payments[0].whole, found.payments[0].fraction) == ("month", 6, F(12, 30))
    assert two_decimals(found) == "10.22"
    assert found.is_irregular


GRADUATED = (
    *("291.81", "300.18", "308.78", "317.61", "326.65", "335.92", "345.42", "355.15", "365.12", "375.33"),
    *("385.76", "385.42", "385.03", "384.62", "384.17", "383.67", "383.13", "382.54", "381.90", "381.20"),
    *("380.43", "379.60", "378.68", "377.69", "376.60", "375.42", "374.13", "372.72", "371.18", "369.50"),
)
"""The monthly payments of the 30 years of (c)(6)(iii)."""


def test_a_mortgage_with_varying_payments_comes_to_the_rate_of_appendix_j() -> None:
    # (c)(6)(iii): 12 equal payments a year, from 1 June 1978, the first 1 21/30 months away.
    payments = flows(*((amount, f"{1978 + year}-06-01", "monthly", 12) for year, amount in enumerate(GRADUATED)))

    found = disclose(flows(("39688.56", "1978-04-10", "monthly", 1)), payments)

    assert (len(found.payments), found.payments[0].whole, found.payments[0].fraction) == (360, 1, F(21, 30))
    assert two_decimals(found) == "9.80"


def test_a_construction_loan_of_three_advances_comes_to_the_rate_of_appendix_j() -> None:
    # (c)(7)(i): the advances lie 0, 2 2/30 and 5 8/30 months from the first, the first payment 8.
    advances = [Flow(date(1979, month, day), usd("20000")) for month, day in ((4, 10), (6, 12), (9, 18))]

    found = disclose(advances, flows(("612.36", "1979-12-10", "monthly", 240)))

    assert [(each.whole, each.fraction) for each in found.advances] == [
        (0, 0),
        (2, F(2, 30)),
        (5, F(8, 30)),
    ]
    assert (found.payments[0].whole, found.payments[0].fraction) == (8, F(0))
    assert two_decimals(found) == "10.25"
    assert (found.is_irregular, found.tolerance) == (True, Decimal("0.25"))
