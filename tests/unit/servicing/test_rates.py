"""Variable rates: on which days they are reset, and what they then come to; and files of an index's values."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from servicing.errors import IndexFileInvalid, ProductInvalid, TermsInvalid
from servicing.index_rates import IndexValue, read_index
from servicing.product import parse_product
from servicing.rates import reset_days, reset_rate
from servicing.schedule import contract_schedule
from servicing.terms import RateStep, Terms, terms_from_json
from tests.unit.servicing.examples import TERMS

SOFR: dict[str, Any] = {"index": "SOFR", "margin": "2.75"}


def variable(**rule: Any) -> Terms:
    return replace(TERMS, rate=Decimal("5.00"), product=parse_product({"variable_rate": {**SOFR, **rule}}))


def test_a_rate_is_reset_where_periods_begin_and_looks_back_from_there() -> None:
    found = list(reset_days(variable(first_reset=3, reset_every=6, lookback_days=45, max_age_days=10)))

    assert [each.on for each in found] == [date(2026, 4, 15), date(2026, 10, 15)]
    assert (found[0].index, found[0].observed_on, found[0].oldest) == ("SOFR", date(2026, 3, 1), date(2026, 2, 19))
    assert list(reset_days(TERMS)) == []


# A 2/5 cap structure as adjustable-rate notes have it: index and margin, rounded to the nearest 1/8 of a point, no more
# than 2 points from the rate before and 5 from the first one. By hand: 4.31 + 2.75 = 7.06, nearest 1/8 is 7.
@pytest.mark.parametrize(
    ("value", "in_force", "expected"),
    [
        ("4.31", "5.00", "7.000"),
        ("4.32", "6.00", "7.125"),
        ("4.3125", "6.00", "7.125"),
        ("9.00", "5.00", "7.00"),
        ("9.00", "9.00", "10.00"),
        ("-4.00", "5.00", "3.00"),
        ("-4.00", "2.00", "2.50"),
    ],
)
def test_index_and_margin_are_rounded_and_then_held_within_the_limits(value: str, in_force: str, expected: str) -> None:
    terms = variable(
        rounding={"to": "0.125"},
        cap={"per_reset": "2", "lifetime": "5"},
        floor={"per_reset": "2", "rate": "2.50"},
    )

    assert reset_rate(terms, Decimal(value), in_force=Decimal(in_force)) == Decimal(expected)


def test_a_rate_without_limits_is_never_below_zero_and_a_loan_may_have_a_margin_of_its_own() -> None:
    assert reset_rate(variable(), Decimal("-9"), in_force=Decimal(5)) == 0
    assert reset_rate(replace(variable(), margin=Decimal(1)), Decimal("4.5555"), in_force=Decimal(5)) == Decimal(
        "5.556"
    )


def test_terms_with_rates_come_back_from_what_is_stored() -> None:
    steps = (RateStep(Decimal("9.5"), installment=4), RateStep(Decimal("8"), on=date(2026, 8, 1)))
    stepped, own_margin = replace(TERMS, rates=steps), replace(variable(), margin=Decimal("3.125"))

    assert terms_from_json(TERMS.product, stepped.as_json()) == stepped
    assert terms_from_json(own_margin.product, own_margin.as_json()) == own_margin
    assert set(TERMS.as_json()) & {"rates", "margin"} == set()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"margin": Decimal(1)}, "margin: the product has no variable rate"),
        ({"rates": (RateStep(Decimal(5)),)}, "rates: each is from a day or an installment"),
        ({"rates": (RateStep(Decimal(-1), installment=2),)}, "rates: each must be 0 to 1000 percent"),
        ({"rates": (RateStep(Decimal(5), installment=13),)}, "rates: installments are 2 to 12"),
        ({"rates": (RateStep(Decimal(5), on=date(2026, 1, 15)),)}, "rates: each must be from a day after the funding"),
    ],
)
def test_rates_that_cannot_be_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(TermsInvalid) as refused:
        replace(TERMS, **changes)
    assert refused.value.message == reason


def test_steps_must_follow_one_another_and_come_before_the_end() -> None:
    for steps, reason in (
        ((RateStep(Decimal(5), installment=3), RateStep(Decimal(6), on=date(2026, 3, 15))), "from a later day"),
        ((RateStep(Decimal(5), on=date(2027, 1, 15)),), "from a day before 2027-01-15"),
    ):
        with pytest.raises(TermsInvalid, match=reason):
            contract_schedule(replace(TERMS, rates=steps))


@pytest.mark.parametrize("rule", [{"index": "1X"}, {"margin": "1", "cap": {"per_reset": "-1"}}, {"reset_every": 0}])
def test_a_rule_that_cannot_be_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ProductInvalid, match=r"^product\.variable_rate\."):
        parse_product({"variable_rate": {**SOFR, **rule}})


def test_a_file_of_values_is_read_in_the_order_of_its_days() -> None:
    assert read_index("on,value\n2026-03-02,4.30\n2026-03-01,-0.125\n") == (
        IndexValue(date(2026, 3, 1), Decimal("-0.125")),
        IndexValue(date(2026, 3, 2), Decimal("4.30")),
    )


def test_every_mistake_of_a_file_is_named_by_its_row() -> None:
    with pytest.raises(IndexFileInvalid) as refused:
        read_index(
            "on,value\n2026-02-30,1\n2026-03-01,x\n2026-03-01,1.1234567\n2026-03-02,1\n2026-03-02,2\n2026-03-03\n"
        )

    assert refused.value.count == 5
    assert refused.value.mistakes == (
        "row 2, column on: '2026-02-30' is not a date",
        "row 3, column value: 'x' is not a percentage of at most 6 decimals",
        "row 4, column value: '1.1234567' is not a percentage of at most 6 decimals",
        "row 6, column on: 2026-03-02 stands twice",
        "row 7: it has not as many values as the header has columns",
    )
    for text in ("", "on,value\n", "day,value\n2026-03-01,1\n"):
        with pytest.raises(IndexFileInvalid):
            read_index(text)
