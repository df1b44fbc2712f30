"""The daily cycle as a list of steps, each with its purpose, and the report of a run.

Every step is done for every day that has not been run yet, and books nothing the second time; so a run that was killed
is taken up by running it again. Never: the work itself (`servicing/commands/business_day.py`,
`cycle.py`; cards, `api/day.py`). Next: `docs/how-to/run_day.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class DayStep:
    """A step of the daily cycle: its name, and what it is for."""

    name: str
    purpose: str


STEPS = (
    DayStep(
        "settle",
        "Credit what was sent over a rail that nobody confirms and has settled by the day, as of the day on which it"
        " counts. Before the close, so that no fee is charged for want of a payment that has come.",
    ),
    DayStep(
        "accrue",
        "Book the interest of each day that has not been run, on its own date, that of loans in non-accrual as a"
        " memorandum, and at month ends the income of origination fees, set-based: for all loans to which the close of"
        " that day brings nothing else.",
    ),
    DayStep(
        "bring_forward",
        "Fold the other loans up to the day, one by one: late fees, the turn of an interest period, non-accrual and"
        " charge-off by the product's days past due, a loan that was left behind. A loan that fails is named, and the"
        " others go on.",
    ),
    DayStep(
        "collect",
        "Open, move and close collection cases by the book's policy, and decide which promises were kept or broken, for"
        " each day that was not run, in one transaction a day.",
    ),
    DayStep("age", "Count the open loans by days past due."),
    DayStep("mature", "Count the open loans whose last installment has fallen due."),
    DayStep(
        "schedule",
        "Schedule what mandates ask for, one banking day before it is to be sent; lower what waits where less is due by"
        " now. A day that nobody ran is made up for within a week.",
    ),
    DayStep(
        "charge",
        "Where a card processor is set, have it carry out what is due of cards, each once; what it does not answer is"
        " left, and taken up by the next run.",
    ),
)


@dataclass(frozen=True, slots=True)
class LoanFailure:
    """A loan that could not be brought forward, and why; it stays as it was before the run."""

    loan_id: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """What a run of the daily cycle came to.

    `days` were booked set-based; `accrual_entries` then, `other_entries` by the folds of `brought_forward` loans;
    `collections` are cases and promises by what became of them, those alone of which there are any.
    """

    day: date
    days: int
    accrual_entries: int
    brought_forward: int
    other_entries: int
    failures: tuple[LoanFailure, ...]
    buckets: Mapping[str, int]
    matured: int
    collections: Mapping[str, int] = field(default_factory=dict)

    @property
    def entries(self) -> int:
        """Return how many entries were booked."""
        return self.accrual_entries + self.other_entries
