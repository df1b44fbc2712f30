"""A fold that goes on from a checkpoint comes to what the fold from the funding comes to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from servicing.aging import Position
from servicing.checkpoint import Checkpoint
from servicing.engine import fold
from servicing.events import Event
from servicing.state import LoanState
from servicing.terms import Terms
from tests.property.servicing.test_replay_properties import END, lives
from tests.unit.servicing.examples import day


def stored(checkpoint: Checkpoint | None) -> Checkpoint:
    """Return a checkpoint as it comes back from where JSON is kept."""
    assert checkpoint is not None
    return Checkpoint(checkpoint.day, json.loads(json.dumps(checkpoint.figures)))


def positions_since(whole: LoanState, rest: LoanState) -> tuple[Position, ...]:
    """Return the positions of a whole fold from the first of one that began later on."""
    begin = rest.positions[0].from_day if rest.positions else date.max
    return tuple(each for each in whole.positions if each.from_day >= begin)


@given(lives(), st.integers(0, END), st.integers(0, 60), st.booleans())
def test_a_fold_from_a_checkpoint_equals_the_fold_from_the_funding(
    life: tuple[Terms, tuple[Event, ...]], at: int, later: int, by_half: bool
) -> None:
    terms, events = life
    through, split = day(END + later), day(at)
    whole = fold(terms, events, through, fees_through=through, checkpoint_on=split)
    start = stored(whole.checkpoint)
    if by_half:
        # A checkpoint that was itself made from one.
        half = day(at // 2)
        first = fold(terms, events, through, fees_through=through, checkpoint_on=half).checkpoint
        rest = fold(terms, events, through, fees_through=through, start=stored(first), checkpoint_on=split)
        start = stored(rest.checkpoint)

    rest = fold(terms, events, through, fees_through=through, start=start)

    payments = {event.no for event in events if event.effective_date >= split}
    assert rest == replace(
        whole,
        allocations={no: parts for no, parts in whole.allocations.items() if no in payments},
        by_installment={no: parts for no, parts in whole.by_installment.items() if no in payments},
        planned=tuple(entry for entry in whole.planned if entry.effective_date >= split),
        positions=positions_since(whole, rest),
        checkpoint=None,
    )


@given(lives(), st.integers(0, END), st.integers(0, 60), st.integers(0, 90))
def test_what_is_known_to_be_booked_is_not_planned_and_changes_nothing_else(
    life: tuple[Terms, tuple[Event, ...]], at: int, later: int, known: int
) -> None:
    terms, events = life
    through, split = day(END + later), day(at)
    first = min(split + timedelta(days=known), through + timedelta(days=1))
    whole = fold(terms, events, through, fees_through=through, checkpoint_on=split)
    start = stored(whole.checkpoint)

    rest = fold(terms, events, through, fees_through=through, start=start, plan_from=first)

    everything = fold(terms, events, through, fees_through=through, start=start)
    assert rest.planned == tuple(entry for entry in whole.planned if entry.effective_date >= first)
    assert replace(rest, planned=()) == replace(everything, planned=())


@given(lives(), st.integers(0, END))
def test_making_a_checkpoint_changes_nothing(life: tuple[Terms, tuple[Event, ...]], at: int) -> None:
    terms, events = life
    through = day(END) + timedelta(days=1)
    plain = fold(terms, events, through, fees_through=through)
    assert replace(fold(terms, events, through, fees_through=through, checkpoint_on=day(at)), checkpoint=None) == plain
