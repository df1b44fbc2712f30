"""Who approves how much, and until when a contract may be canceled."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.money import Money
from origination.errors import FundingPolicyInvalid
from origination.funding.policy import policy_of, read_policy, standard_policy
from origination.funding.rescission import last_day_to_cancel


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def policy(**more: Any) -> Any:
    groups = {"officers": ["olga", "omar"], "managers": ["omar", "mia"]}
    needs = [{"group": "officers", "count": 1}, {"group": "managers", "count": 1}]
    tiers = [{"up_to": "5000.00", "needs": [{"count": 1}]}, {"needs": needs}]
    return policy_of({"product": "car", "groups": groups, "approvals": tiers, **more})


@pytest.mark.parametrize(
    ("amount", "people", "missing"),
    [
        ("5000.00", ["zoe"], ()),
        ("5000.01", ["zoe"], ("officers", "managers")),
        # Omar is in both groups, but fills one place.
        ("5000.01", ["omar"], ("managers",)),
        ("5000.01", ["omar", "omar"], ("managers",)),
        # Olga takes the officers' place, so Omar moves to the managers', in whichever order they came.
        ("5000.01", ["olga", "omar"], ()),
        ("5000.01", ["omar", "olga"], ()),
        ("5000.01", ["mia", "omar"], ()),
        ("5000.01", ["mia", "zoe"], ("officers",)),
    ],
)
def test_one_person_fills_one_place(amount: str, people: list[str], missing: tuple[str, ...]) -> None:
    assert policy().missing_approvals(usd(amount), people) == missing


def test_a_product_without_rules_of_its_own_takes_one_person_up_to_25000_and_two_above() -> None:
    rules = standard_policy("installment")
    assert rules.missing_approvals(usd("25000.00"), ["a"]) == ()
    assert rules.missing_approvals(usd("25000.01"), ["a"]) == ("anyone",)


def test_every_mistake_is_named() -> None:
    with pytest.raises(FundingPolicyInvalid) as refused:
        policy(
            approvals=[{"up_to": "9", "needs": [{"group": "nobody"}]}, {"up_to": "5", "needs": [{"count": 1}]}],
            conditions=[{"name": "a", "title": "A"}, {"name": "a", "title": "B"}],
        )
    assert refused.value.problems == (
        "approvals: the last tier has no limit, so that every amount has its approvers",
        "approvals: each limit is above the one before",
        "conditions: a stands there twice",
        "groups: there is no nobody",
    )
    with pytest.raises(FundingPolicyInvalid, match="no TOML"):
        read_policy("approvals = [")


@pytest.mark.parametrize(
    ("made_on", "days", "last"),
    [
        # Comment 2(a)(6)-2: 4 July 2026 is a Saturday. Friday 3 July counts, Sunday the 5th does not.
        (date(2026, 7, 2), 3, date(2026, 7, 7)),
        # Saturday counts: Thursday 5 November to Friday, Saturday, Monday.
        (date(2026, 11, 5), 3, date(2026, 11, 9)),
        # Wednesday 11 November 2026 is Veterans Day.
        (date(2026, 11, 9), 3, date(2026, 11, 13)),
        # Thanksgiving is Thursday 26 November 2026.
        (date(2026, 11, 24), 3, date(2026, 11, 28)),
        (date(2026, 11, 24), 0, date(2026, 11, 23)),
    ],
)
def test_the_last_day_to_cancel_counts_saturdays_and_not_holidays(made_on: date, days: int, last: date) -> None:
    assert last_day_to_cancel(made_on, days) == last
