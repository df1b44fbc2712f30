"""Business days, and where due dates go that are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from servicing.calendars import adjusted, is_business_day, is_calendar
from servicing.errors import ProductInvalid, TermsInvalid
from servicing.product import Product, parse_product
from servicing.schedule import contract_schedule
from tests.unit.servicing.examples import TERMS

# Holidays observed by the Federal Reserve System, 2026, as the Board of Governors publishes them (K.8). Independence
# Day falls on a Saturday: the banks are open on the Friday before.
BANK_HOLIDAYS = (
    *("2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-04"),
    *("2026-09-07", "2026-10-12", "2026-11-11", "2026-11-26", "2026-12-25"),
)


def test_american_business_days_are_those_of_the_federal_reserve() -> None:
    closed = {date.fromisoformat(text) for text in BANK_HOLIDAYS}
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]

    assert [day for day in year if is_business_day("US", day)] == [
        day for day in year if day.weekday() < 5 and day not in closed
    ]


def test_other_calendars_go_by_country_or_market() -> None:
    # Friday 3 July 2026: the New York Stock Exchange is closed; in Britain it is a day like others.
    assert not is_business_day("XNYS", date(2026, 7, 3))
    assert is_business_day("GB", date(2026, 7, 3))
    assert not is_business_day("DE", date(2026, 10, 3))
    assert [is_calendar(code) for code in ("US", "XFED", "GB", "XX", "us", "", "ZZZZ")] == [True] * 3 + [False] * 4


@pytest.mark.parametrize(
    ("convention", "expected"),
    [("none", "2026-01-31"), ("following", "2026-02-02"), ("modified_following", "2026-01-30")],
)
def test_a_saturday_at_the_end_of_a_month_moves_by_the_convention(convention: str, expected: str) -> None:
    assert adjusted(date(2026, 1, 31), "US", convention) == date.fromisoformat(expected)
    assert adjusted(date(2026, 2, 16), "US", "preceding") == date(2026, 2, 13)


def test_a_calendar_that_nobody_keeps_is_refused() -> None:
    with pytest.raises(ProductInvalid, match=r"calendar: .*it is US"):
        parse_product({"business_days": {"calendar": "XX"}})


def test_a_first_due_date_may_not_move_to_the_funding() -> None:
    rules = Product.model_validate({"business_days": {"convention": "preceding"}})
    terms = replace(TERMS, product=rules, funded_on=date(2026, 2, 13), first_due_on=date(2026, 2, 14))

    with pytest.raises(TermsInvalid, match="first_due_on: its business day, 2026-02-13"):
        contract_schedule(terms)


def test_a_rule_of_a_later_release_leaves_the_hash_of_a_product_as_it_was() -> None:
    # What the release before wrote for a product of no rules of its own.
    assert set(Product().as_json()) & {"odd_days", "business_days"} == set()
    asked = Product.model_validate({"odd_days": "at_funding", "business_days": {"convention": "following"}})
    assert asked.as_json()["odd_days"] == "at_funding"
    assert Product.model_validate(asked.as_json()) == asked
    assert asked.content_hash() != Product().content_hash()
