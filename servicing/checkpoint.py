"""A loan as it stood when a day began, as JSON values: a fold goes on from there instead of from the funding.

Everything before the day is in it, nothing of the day itself. It is a shortcut and never the truth: whoever changes
anything before its day folds from an earlier one, or from the funding. Never: the database.
Next: `servicing/folding.py`, which makes them; `docs/spec/replay.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The figures of a loan at the beginning of a day."""

    day: date
    figures: Figures
    entries_from: int = 0
    """No entry of the loan with a lower number is effective on the day or later."""


def text_of_day(day: date | None) -> str | None:
    """Return a day as text."""
    return None if day is None else day.isoformat()


def day_of_text(text: str | None) -> date | None:
    """Return the day of a text that `text_of_day` wrote."""
    return None if text is None else date.fromisoformat(text)


def text_of_fraction(exact: Fraction) -> str:
    """Return an exact amount as text: integers are of any size."""
    return f"{exact.numerator}/{exact.denominator}"
