"""Whatever is damaged is named, however it is saved it is the same, and what is masked does not tell."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from origination.application import CHANNELS
from origination.intake.checking import check
from origination.intake.documents import flat, masked, merged, nested, split
from origination.intake.errors import RouteMissing, RoutingInvalid
from origination.intake.form import Form, shipped_form
from origination.intake.routing import Routed, Routing, parse_routing
from tests.support.applications import WHOLE

TODAY = date(2026, 1, 5)
PATHS = sorted(flat(WHOLE))
DAMAGE = st.sampled_from([{"x": 1}, [1], 10**30, "\x00", "", 1.5, {}])
NEEDED_BY = {
    "applicant.housing_monthly": "applicant.housing",
    "employment.employer": "employment.status",
    "employment.months": "employment.status",
}
"""Fields that are required by the value of another; while that one is wrong, nobody can tell."""


def form() -> Form:
    found = shipped_form("personal")
    assert found is not None
    return found


@given(st.dictionaries(st.sampled_from(PATHS), DAMAGE, min_size=1, max_size=6))
def test_every_damaged_field_is_named_by_its_path_and_no_other(damage: dict[str, Any]) -> None:
    # An empty object is a field that is not there; those that may be missing are not damaged by it.
    optional = {"applicant.phone", "applicant.housing", *(path for path, by in NEEDED_BY.items() if by in damage)}
    values = {**flat(WHOLE), **damage}
    gone = {path for path, value in damage.items() if value == {}}
    wrong = {path for path in damage if path not in gone or path not in optional}
    data = nested({path: value for path, value in values.items() if path not in gone})

    found = {each.path for each in check(form(), data, whole=True, today=TODAY).problems}

    # A consent without its only origin is named itself.
    named = {path for path in found if not path.startswith("consents.")}
    assert named == {path for path in wrong if not path.startswith("consents.")}
    for path in wrong - named:
        assert path in found or path.removesuffix(".ip") in found, path


@given(st.randoms(use_true_random=False), st.integers(1, 8))
def test_parts_saved_in_any_order_are_the_whole(chance: random.Random, saves: int) -> None:
    values = list(flat(WHOLE).items())
    chance.shuffle(values)
    parts = [dict(values[start::saves]) for start in range(saves)]
    chance.shuffle(parts)

    kept: dict[str, Any] = {}
    for part in parts:
        kept = merged(kept, nested(part))
        assert check(form(), kept, whole=False, today=TODAY).problems == ()

    assert kept == WHOLE
    assert check(form(), kept, whole=True, today=TODAY) == check(form(), WHOLE, whole=True, today=TODAY)


@given(st.sets(st.sampled_from(PATHS)))
def test_what_is_taken_away_is_as_if_it_had_never_been(gone: set[str]) -> None:
    less = merged(WHOLE, nested(dict.fromkeys(gone)))

    assert less == nested({path: value for path, value in flat(WHOLE).items() if path not in gone})


@given(st.sets(st.sampled_from(PATHS)))
def test_the_two_parts_of_a_document_are_the_whole_and_the_open_one_holds_nothing_personal(some: set[str]) -> None:
    data = nested({path: value for path, value in flat(WHOLE).items() if path in some})
    fields = form().definitions

    parts = split(data, fields)

    assert merged(parts.open, parts.personal) == data
    assert not [path for path in flat(parts.open) if fields[path].is_personal]
    assert flat(masked(parts.personal, fields)).keys() == flat(parts.personal).keys()


@given(st.text(st.characters(categories=["L", "N"]), min_size=5, max_size=30))
def test_what_is_masked_shows_four_characters_at_most_and_never_more_than_half(text: str) -> None:
    fields = form().definitions
    for path in ("applicant.ssn", "applicant.last_name", "applicant.street", "bank.account_number"):
        shown = flat(masked(nested({path: text}), fields))[path].replace("*", "")
        assert len(shown) <= min(4, len(text) // 2)


ROWS = st.lists(
    st.fixed_dictionaries(
        {"queue": st.just("q")},
        optional={
            "channel": st.lists(st.sampled_from(CHANNELS), min_size=1, unique=True),
            "state": st.lists(st.sampled_from(["CA", "NY", "TX"]), min_size=1, unique=True),
            "product": st.lists(st.sampled_from(["personal", "car"]), min_size=1, unique=True),
            "amount_from": st.integers(0, 5),
            "amount_below": st.integers(1, 6),
            "duplicate": st.booleans(),
        },
    ),
    min_size=1,
    max_size=5,
)


@given(ROWS)
def test_a_row_is_refused_as_unreachable_exactly_when_no_application_reaches_it(rows: list[dict[str, Any]]) -> None:
    # Every application that there is, over small amounts: what the rows say has no more to tell apart.
    every = [
        Routed(product=product, channel=channel, state=state, amount=amount, duplicate=duplicate)
        for product in ("personal", "car", "boat")
        for channel in CHANNELS
        for state in ("CA", "NY", "TX", "FL")
        for amount in range(8)
        for duplicate in (False, True)
    ]
    table = Routing.model_validate({"route": rows})
    reached, lost = set(), False
    for each in every:
        try:
            reached.add(table.route_of(each)[0])
        except RouteMissing:
            lost = True
    empty = any(row.get("amount_from", 0) >= row.get("amount_below", 7) for row in rows)

    try:
        parse_routing({"route": rows})
        refused: tuple[str, ...] = ()
    except RoutingInvalid as error:
        refused = error.problems

    if not empty:
        named = {int(each.split()[1]) for each in refused if "never reached" in each}
        assert named == set(range(1, len(rows) + 1)) - reached
        assert any("no row takes" in each for each in refused) == lost
    assert bool(refused) == (empty or lost or len(reached) < len(rows))
