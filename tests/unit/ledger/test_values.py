"""Values of the ledger cannot be changed once made."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from ledger import canonical, chart, dates, journal, money, periods, templates, trial_balance

VALUES = [
    cls
    for module in (canonical, chart, dates, journal, money, periods, templates, trial_balance)
    for cls in vars(module).values()
    if inspect.isclass(cls) and cls.__module__ == module.__name__ and dataclasses.is_dataclass(cls)
]


@pytest.mark.parametrize("cls", VALUES, ids=lambda cls: cls.__name__)
def test_every_value_is_frozen_and_has_slots(cls: type) -> None:
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]  # every dataclass has it
    assert "__slots__" in vars(cls)


def test_values_of_many_fields_are_made_by_name() -> None:
    by_name = {cls.__name__ for cls in VALUES if all(field.kw_only for field in dataclasses.fields(cls))}

    assert by_name >= {
        "EntryDraft",
        "BookedEntry",
        "EntryHeader",
        "EntryPosting",
        "BlockHeader",
        "PeriodView",
    }
