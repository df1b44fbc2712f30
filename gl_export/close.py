"""The month-end close as a list for a controller to read: each step, its purpose, and what must hold to pass.

The order is the law; how a step is done stands in `gl_export/commands/close_steps.py`. A step leaves evidence
and is done once; a run that was killed goes on at the first step without evidence. Never: a clock, a
database.
Next: `gl_export/commands/close.py`, which walks the list.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gl_export.errors import CloseStepUnknown
from ledger.dates import Month


class StepState(StrEnum):
    """Where a step stands in a run."""

    DONE = "done"
    RUNNING = "running"
    NEXT = "next"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class CloseStep:
    """A step by name: its purpose, and its gate, the condition without which the close does not go on."""

    name: str
    purpose: str
    gate: str


STEPS = (
    CloseStep(
        "reach_month_end",
        "The business date reaches the last day of the month, so that its last entries are booked in it.",
        "The month before is closed, or this is the first.",
    ),
    CloseStep(
        "accrue",
        "Every day of the month is closed for every loan: its interest and its late fees are booked.",
        "No loan is left behind.",
    ),
    CloseStep(
        "provide",
        "The allowance for credit losses comes to what the loss rates in force require of what the loans carry.",
        "The rates know every loan; without rates nothing is provided.",
    ),
    CloseStep(
        "roll_business_date",
        "The business date moves past the month: ordinary work goes into the next one.",
        "The business date lies past the month.",
    ),
    CloseStep("seal", "Everything booked so far is sealed.", "The block covers every entry committed before it."),
    CloseStep(
        "prove_trial_balance",
        "Debits equal credits in what was sealed.",
        "The difference is zero in every currency.",
    ),
    CloseStep(
        "tie_out",
        "The loans, one by one, add up to the control accounts.",
        "Not one break; clearing accounts are listed with their age.",
    ),
    CloseStep(
        "soft_close",
        "Only entries that a second person approved may still be booked to the month.",
        "Two people: who closes and who approves.",
    ),
    CloseStep(
        "export",
        "The blocks that the GL has not seen become a batch, and the batch a set of files.",
        "The batch balances by day and currency; every account is mapped.",
    ),
    CloseStep(
        "close_period",
        "The month is closed for good, and its trial balance gets a digest.",
        "Every subledger refuses the month.",
    ),
    CloseStep(
        "export_rest",
        "What was still booked between the batch and the close leaves in a batch of its own.",
        "The GL was sent exactly what the closed books say.",
    ),
    CloseStep(
        "write_package",
        "Trial balance, loan roll-forward and reconciliation are written with the seal they rest on.",
        "The roll-forward closes at the trial balance, and every book agrees.",
    ),
)


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How far a close is: the step, its place among all, and how many parts of a long step are done."""

    step: CloseStep
    number: int
    of: int
    state: StepState
    part: int = 0
    whole: int = 0


@dataclass(frozen=True, slots=True)
class StepEvidence:
    """What a step left behind: counts, totals and hashes, as JSON values."""

    step: str
    evidence: Mapping[str, Any]
    actor: str


@dataclass(frozen=True, slots=True)
class CloseStatus:
    """A run of the close of a month, as a checklist."""

    book_code: str
    month: Month
    run_no: int
    steps: tuple[tuple[CloseStep, StepState, StepEvidence | None], ...]

    @property
    def is_complete(self) -> bool:
        """Tell whether every step is done."""
        return all(state is StepState.DONE for _, state, _ in self.steps)

    def evidence_of(self, step: str) -> Mapping[str, Any]:
        """Return the evidence of a step that is done.

        Raises: CloseStepUnknown.
        """
        for each, _, left in self.steps:
            if each.name == step and left is not None:
                return left.evidence
        raise CloseStepUnknown(step=step, known=step_names())


def step_names() -> tuple[str, ...]:
    """Return the names of all steps in order."""
    return tuple(step.name for step in STEPS)


def step_named(name: str) -> CloseStep:
    """Return a step.

    Raises: CloseStepUnknown.
    """
    for step in STEPS:
        if step.name == name:
            return step
    raise CloseStepUnknown(step=name, known=step_names())


def remaining(done: Collection[str], *, until: str | None = None) -> tuple[CloseStep, ...]:
    """Return the steps that are still to do, through `until` where it is given.

    Raises: CloseStepUnknown.
    """
    names = step_names()
    last = len(names) if until is None else names.index(step_named(until).name) + 1
    return tuple(step for step in STEPS[:last] if step.name not in done)


def status(*, book_code: str, month: Month, run_no: int, evidence: Mapping[str, StepEvidence]) -> CloseStatus:
    """Return the checklist of a run from the evidence that it has left so far."""
    open_steps = remaining(evidence.keys())
    states = {
        step.name: StepState.NEXT if position == 0 else StepState.WAITING for position, step in enumerate(open_steps)
    }
    rows = tuple((step, states.get(step.name, StepState.DONE), evidence.get(step.name)) for step in STEPS)
    return CloseStatus(book_code, month, run_no, rows)
