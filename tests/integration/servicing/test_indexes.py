"""Values of an index in the database: each day once, corrected by a next revision, looked up by a reset."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from ledger.unit_of_work import run
from servicing.commands.indexes import LoadedIndex, load_index, value_for
from servicing.errors import IndexNameInvalid, IndexUnknown, IndexValueDiffers, IndexValueMissing
from servicing.index_rates import IndexValue
from servicing.queries import index_values
from servicing.rates import ResetDay
from tests.support.loan_lives import ACTOR

MARCH = IndexValue(date(2026, 3, 2), Decimal("4.31"))


def load(engine: sa.Engine, name: str, *values: IndexValue, correct: bool = False) -> LoadedIndex:
    return run(engine, lambda uow: load_index(uow, name, values, correct=correct), actor=ACTOR)


def test_values_are_kept_once_and_corrected_only_when_asked(engine: sa.Engine) -> None:
    later = IndexValue(date(2026, 3, 3), Decimal("4.4"))
    corrected = IndexValue(MARCH.on, Decimal("4.32"))

    assert load(engine, "ONCE", MARCH, later) == LoadedIndex("ONCE", new=2, corrected=0, unchanged=0)
    assert load(engine, "ONCE", MARCH, later) == LoadedIndex("ONCE", new=0, corrected=0, unchanged=2)
    with pytest.raises(IndexValueDiffers) as refused:
        load(engine, "ONCE", corrected)
    assert (refused.value.known, refused.value.given) == ("4.31", "4.32")
    assert load(engine, "ONCE", corrected, correct=True) == LoadedIndex("ONCE", new=0, corrected=1, unchanged=0)

    with engine.connect() as connection:
        found = index_values(connection, "ONCE")
    assert [(each.on, each.value, each.revision) for each in found] == [
        (MARCH.on, Decimal("4.32"), 2),
        (later.on, Decimal("4.4"), 1),
    ]


def test_a_value_counts_until_the_next_one_but_not_when_it_is_too_old(engine: sa.Engine) -> None:
    load(engine, "AGE", MARCH)
    reset = ResetDay(date(2026, 4, 1), "AGE", observed_on=date(2026, 3, 9), oldest=date(2026, 3, 2))

    with engine.connect() as connection:
        assert value_for(connection, reset) == Decimal("4.31")
        with pytest.raises(IndexValueMissing, match="its last value is of 2026-03-02"):
            value_for(connection, replace(reset, oldest=date(2026, 3, 3)))
        with pytest.raises(IndexValueMissing, match="its last value is none"):
            value_for(connection, ResetDay(reset.on, "NONE", reset.observed_on, reset.oldest))


def test_names_are_words_and_an_unknown_one_is_refused_with_those_that_are_known(engine: sa.Engine) -> None:
    with pytest.raises(IndexNameInvalid):
        load(engine, "two words", MARCH)
    load(engine, "KNOWN", MARCH)
    with engine.connect() as connection, pytest.raises(IndexUnknown) as refused:
        index_values(connection, "UNKNOWN")
    assert "KNOWN" in refused.value.known
