"""What pays a loan off through a day: principal, interest to that day, fees, less the borrower's unapplied cash.

The figures are those of the fold at that day, with the late fees that the days before it bring if nothing comes; so
whoever pays the total on that day leaves exactly nothing. Never: storing a quote (`servicing/commands/payoffs.py`).
Next: `docs/spec/payoff.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from servicing.engine import fold
from servicing.events import Event
from servicing.state import LoanState
from servicing.terms import Terms

NIGHT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoffFigures:
    """What is owed on a day, in minor units; `late_fees_to_come` is the part of penalties that is not assessed yet.

    `per_diem` is what the day after adds to the total.
    """

    good_through: date
    principal: int
    interest: int
    fees: int
    penalties: int
    late_fees_to_come: int
    recoverable: int
    unapplied: int
    total: int
    per_diem: int


def payoff_figures(
    terms: Terms, events: Sequence[Event], *, good_through: date, fees_through: date | None
) -> PayoffFigures:
    """Return what pays a loan off through a day, if nothing happens to it until then.

    `fees_through` is the last day whose close was evaluated.
    """
    closed = max(good_through - NIGHT, fees_through or good_through - NIGHT)
    then = fold(terms, events, good_through, fees_through=closed)
    day_after = fold(terms, events, good_through + NIGHT, fees_through=closed)
    assessed = {fee.id for fee in fold(terms, events, good_through, fees_through=fees_through).fees}
    return PayoffFigures(
        good_through=good_through,
        principal=then.principal,
        interest=then.interest + then.interest_ahead,
        fees=then.other_fees,
        penalties=then.penalties,
        late_fees_to_come=sum(fee.owed for fee in then.fees if fee.id not in assessed),
        recoverable=then.recoverable,
        unapplied=then.unapplied,
        total=still_asked(then),
        per_diem=max(0, still_asked(day_after) - still_asked(then)),
    )


def before_the_close(terms: Terms, events: Sequence[Event], day: date, *, fees_through: date | None) -> LoanState:
    """Return a loan on a day after everything that was entered for it, and before its close."""
    marks = None if fees_through is None else min(fees_through, day - NIGHT)
    return fold(terms, events, day, fees_through=marks)


def still_asked(state: LoanState) -> int:
    """Return what pays a loan off beside the cash of the borrower that is there."""
    return max(0, state.payoff - state.unapplied)


def missing(state: LoanState) -> dict[str, int]:
    """Return what is missing of a payoff, by component; nothing of a loan that is paid off."""
    parts = {
        "principal": state.principal,
        "interest": state.interest + state.interest_ahead,
        "fees": state.other_fees,
        "penalties": state.penalties,
        "recoverable": state.recoverable,
    }
    return {name: minor for name, minor in parts.items() if minor}
