"""Precomputed interest: the Rule of 78, and where the law forbids it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from servicing.errors import ProductInvalid, RuleOf78TooLong
from servicing.precomputed import shares
from servicing.product import parse_product
from servicing.schedule import contract_schedule
from tests.unit.servicing.examples import TERMS

BY_DIGITS = {"interest": "precomputed", "rebate": "rule_of_78"}
EVEN = {"day_count": "period"}


def test_twelve_periods_earn_by_the_digits_of_78() -> None:
    assert shares(12)[:3] == (Fraction(12, 78), Fraction(11, 78), Fraction(10, 78))
    assert sum(shares(12)) == 1
    # The part that is refunded after 3 of 12: 9 x 10 / (12 x 13), 0.5769.
    assert sum(shares(12)[3:]) == Fraction(90, 156)


def test_totals_stay_and_interest_comes_sooner() -> None:
    actuarial = contract_schedule(replace(TERMS, product=parse_product({"interest": "precomputed", **EVEN})))
    digits = contract_schedule(replace(TERMS, product=parse_product({**BY_DIGITS, **EVEN})))

    assert [row.total for row in digits] == [row.total for row in actuarial]
    assert sum(row.interest for row in digits) == sum(row.interest for row in actuarial)
    assert sum(row.principal for row in digits) == 1_000_000
    # 100.00 by the actuarial method; 12/78 of the whole charge of 661.85.
    assert (actuarial[0].interest, digits[0].interest) == (10_000, 10_182)


def test_consumer_credit_of_more_than_61_months_has_no_rule_of_78() -> None:
    product = parse_product(BY_DIGITS)
    longest = replace(TERMS, product=product, installments=61)

    assert len(contract_schedule(longest)) == 61
    with pytest.raises(RuleOf78TooLong) as refused:
        replace(longest, installments=62)
    assert refused.value.message == (
        "consumer credit from 2026-01-15 to 2031-03-15 is longer than 61 months: no Rule of 78 (15 USC 1615)"
    )
    business = parse_product({**BY_DIGITS, "purpose": "business"})
    assert len(contract_schedule(replace(TERMS, product=business, installments=72))) == 72


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({"rebate": "rule_of_78"}, "rebate"),
        ({**BY_DIGITS, "amortization": "equal_principal"}, "rebate"),
        ({**BY_DIGITS, "grace": {"principal": 2}}, "rebate"),
        ({**BY_DIGITS, "odd_days": "at_funding"}, "odd_days"),
    ],
)
def test_what_the_rule_of_78_does_not_go_with_is_refused(keys: dict[str, object], place: str) -> None:
    with pytest.raises(ProductInvalid, match=f"^product.{place}: "):
        parse_product(keys)
