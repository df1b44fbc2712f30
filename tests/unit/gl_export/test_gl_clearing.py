"""The age of a clearing account: first in, first out."""

from __future__ import annotations

from datetime import date

import pytest

from gl_export.clearing import BUCKET_NAMES, ClearingAge, DayMovement, age, is_clearing_role
from ledger.money import Money

AS_OF = date(2026, 11, 30)


def movement(day: date, change: Money) -> DayMovement:
    return DayMovement(day, debits=max(change, change * 0), credits=max(-change, change * 0))


def aged(*movements: tuple[int, str], month: int = 11) -> ClearingAge:
    days = [movement(date(2026, month, day), Money.parse(text, "USD")) for day, text in movements]
    return age("1120", days, as_of=AS_OF, currency="USD")


def open_items(found: ClearingAge) -> list[str]:
    return [f"{item.day.day}: {item.amount.format()}" for item in found.open_items]


def test_an_account_that_came_back_to_zero_has_no_age() -> None:
    found = aged((2, "100.00"), (4, "-100.00"))

    assert (found.balance.minor, found.oldest, found.age_days) == (0, None, 0)
    assert all(not amount for amount in found.buckets)


def test_the_oldest_amount_is_settled_first() -> None:
    found = aged((2, "100.00"), (3, "50.00"), (4, "-120.00"))

    assert open_items(found) == ["3: 30.00"]
    assert found.age_days == 27


def test_a_settlement_before_the_payment_is_open_on_the_other_side() -> None:
    found = aged((2, "-70.00"), (3, "100.00"), (5, "10.00"))

    assert open_items(found) == ["3: 30.00", "5: 10.00"]
    assert str(found.balance) == "40.00 USD"


def test_a_day_settles_what_is_open_before_its_own_amounts_offset_each_other() -> None:
    usd = [Money.parse(text, "USD") for text in ("0", "5.00", "10.00")]
    days = [
        DayMovement(date(2026, 11, 2), debits=usd[2], credits=usd[0]),
        DayMovement(date(2026, 11, 4), debits=usd[1], credits=usd[2]),
    ]

    found = age("1120", days, as_of=AS_OF, currency="USD")

    assert open_items(found) == ["4: 5.00"]


def test_a_settlement_larger_than_all_that_is_open_turns_the_balance() -> None:
    found = aged((2, "10.00"), (3, "10.00"), (20, "-25.00"))

    assert open_items(found) == ["20: -5.00"]


@pytest.mark.parametrize(
    ("day", "bucket"), [(30, "0-1"), (29, "0-1"), (28, "2-5"), (25, "2-5"), (24, "6-30"), (1, "6-30")]
)
def test_an_item_falls_into_the_bucket_of_its_age(day: int, bucket: str) -> None:
    found = aged((day, "1.00"))

    filled = [name for name, amount in zip(BUCKET_NAMES, found.buckets, strict=True) if amount]
    assert filled == [bucket]


def test_an_item_of_thirty_one_days_is_in_the_last_bucket() -> None:
    assert aged((30, "1.00"), month=10).buckets[-1] == Money(100, "USD")


def test_clearing_and_suspense_roles_must_come_back_to_zero_and_cash_need_not() -> None:
    roles = ("ACH_CLEARING", "REFINANCE_CLEARING", "SUSPENSE", "UNMATCHED_RECEIPTS", "CASH", "LOAN_PRINCIPAL")

    assert [is_clearing_role(role) for role in roles] == [True, True, True, True, False, False]
