"""Rows of a routing table: the first that takes an application, and what is wrong with a table."""

from __future__ import annotations

from typing import Any

import pytest

from origination.intake.errors import RouteMissing, RoutingInvalid
from origination.intake.routing import Routed, Routing, parse_routing, read_routing, shipped_routing

REST: dict[str, Any] = {"queue": "rest"}


def given(**changes: Any) -> Routed:
    return Routed(**{"product": "personal", "channel": "web", "state": "CA", "amount": 100_000, **changes})


@pytest.mark.parametrize(
    ("changes", "queue"),
    [
        ({}, "intake"),
        ({"amount": 2_499_999}, "intake"),
        ({"amount": 2_500_000}, "senior_underwriting"),
        ({"channel": "file"}, "wholesale"),
        ({"channel": "file", "amount": 2_500_000}, "senior_underwriting"),
        ({"duplicate": True, "amount": 2_500_000}, "duplicates"),
    ],
)
def test_the_first_row_that_takes_an_application_names_its_queue(changes: dict[str, Any], queue: str) -> None:
    assert shipped_routing().route_of(given(**changes))[1].queue == queue


@pytest.mark.parametrize(
    ("rows", "unreached"),
    [
        ([REST, {"queue": "late"}], [2]),
        ([{"channel": ["web"], "queue": "a"}, {"channel": ["web"], "state": ["CA"], "queue": "b"}, REST], [2]),
        # Neither row alone takes all that the third one does; the two together do.
        (
            [
                {"amount_below": 500, "queue": "a"},
                {"amount_from": 500, "channel": ["web"], "queue": "b"},
                {"channel": ["web"], "queue": "c"},
                REST,
            ],
            [3],
        ),
        ([{"amount_below": 500, "queue": "a"}, {"amount_from": 501, "queue": "b"}, REST], []),
        ([{"channel": ["web", "mobile"], "queue": "a"}, {"channel": ["mobile", "file"], "queue": "b"}, REST], []),
        ([{"duplicate": True, "queue": "a"}, {"duplicate": False, "queue": "b"}, REST], [3]),
    ],
)
def test_rows_that_are_never_reached_are_named(rows: list[dict[str, Any]], unreached: list[int]) -> None:
    if not unreached:
        parse_routing({"route": rows})
        return
    with pytest.raises(RoutingInvalid) as refused:
        parse_routing({"route": rows})

    assert [f"row {number} " in each for number, each in zip(unreached, refused.value.problems, strict=True)] == [True]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "there is no row"),
        ([{"channel": ["pigeon"], "queue": "a"}, REST], "channel pigeon"),
        ([{"state": ["ZZ"], "queue": "a"}, REST], "ZZ is no state"),
        ([{"amount_from": 5, "amount_below": 5, "queue": "a"}, REST], "row 1: no amount"),
        ([{"quue": "a"}], "route.1.quue: unknown key"),
        ([{"amount_below": 100, "queue": "a"}, {"amount_from": 101, "queue": "b"}], "amount 100"),
        ([{"state": ["CA"], "queue": "a"}], "end with a row that takes everything"),
    ],
)
def test_what_else_is_wrong_with_a_table_is_said(rows: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(RoutingInvalid) as refused:
        parse_routing({"route": rows})

    assert words in refused.value.message


def test_every_state_by_name_leaves_no_other() -> None:
    from origination.intake.values import STATES

    assert len(STATES) == 56
    parse_routing({"route": [{"state": list(STATES), "queue": "a"}]})


def test_a_text_that_is_no_toml_and_an_application_without_a_row() -> None:
    with pytest.raises(RoutingInvalid):
        read_routing("[[route")
    with pytest.raises(RouteMissing):
        Routing.model_validate({"route": [{"state": ["NY"], "queue": "a"}]}).route_of(given())
