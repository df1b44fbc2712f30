"""What the demonstration's borrowers and its lender do when payments fail: retries, workouts, losses, recoveries.

A few loans in a hundred are in hardship, the same for the same portfolio. Never: figures that a command works out.
Next: `api/demo/story.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from ledger.money import Money
from servicing.drafts import LoanDraft
from servicing.events import Kind
from servicing.portfolio import Action, PaymentAction, UndoAction
from servicing.portfolio import ScriptedDay as Scripted
from servicing.schedule import contract_schedule

IN_HOW_MANY = 25
"""In so many loans, each kind of hardship comes once."""
RETRY_AFTER = timedelta(days=5)
RETRY = "-retry"
"""How the name of a payment ends that is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the lender decides about a loan, or takes from an agency; `what` is what the summary calls it."""

    loan: int
    external_id: str
    what: str
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Day:
    """What happens on a business date: loans boarded, then everything else, in order."""

    day: date
    boarded: tuple[int, ...]
    actions: tuple[Action | Decision, ...]


def with_hardship(days: Sequence[Scripted], drafts: Sequence[LoanDraft]) -> tuple[Day, ...]:
    """Return scripted days with what hardship adds to them, and without what it keeps from happening."""
    last = days[-1].day
    happening: dict[date, list[Action | Decision]] = {day.day: [] for day in days}
    for day in days:
        for action in day.actions:
            if not _stops(action, drafts):
                happening[day.day].append(action)
                _add(happening, last, _retries(action, day.day))
    for place, draft in enumerate(drafts):
        _add(happening, last, HARDSHIPS.get(place % IN_HOW_MANY, _none)(place, draft))
    boarded = {day.day: day.boarded for day in days}
    return tuple(Day(day, boarded.get(day, ()), tuple(happening[day])) for day in sorted(happening))


def _add(
    happening: dict[date, list[Action | Decision]], last: date, found: Iterator[tuple[date, Action | Decision]]
) -> None:
    for day, action in found:
        if day <= last:
            happening.setdefault(day, []).append(action)


def _retries(action: Action, day: date) -> Iterator[tuple[date, Action | Decision]]:
    """Yield the debit that is presented again after a return for want of funds."""
    if isinstance(action, UndoAction) and action.kind is Kind.RETURNED:
        again = day + RETRY_AFTER
        yield (
            again,
            PaymentAction(
                loan=action.loan,
                external_id=f"{action.external_id}{RETRY}",
                amount=action.amount,
                effective_date=again,
                method="ach",
            ),
        )


# --- The kinds of hardship --------------------------------------------------------------------------------


def _none(_place: int, _draft: LoanDraft) -> Iterator[tuple[date, Decision]]:
    yield from ()


def _extended(place: int, draft: LoanDraft) -> Iterator[tuple[date, Decision]]:
    yield _on(draft, 40), _decision(place, draft, "modifications", kind="extend", told={"installments": "3"})


def _deferred(place: int, draft: LoanDraft) -> Iterator[tuple[date, Decision]]:
    yield _on(draft, 35), _decision(place, draft, "modifications", kind="defer", told={"installments": "1"})


def _tried_out(place: int, draft: LoanDraft) -> Iterator[tuple[date, Action | Decision]]:
    """Yield a trial plan of two weekly payments, which the borrower makes."""
    half = Money(max(1, contract_schedule(draft.terms)[0].total // 2), draft.terms.currency)
    begins = _on(draft, 42)
    dues = [begins + timedelta(days=7 * n) for n in (1, 2)]
    yield begins, _decision(place, draft, "trial plans", payments=len(dues), amount=half, first_due_on=dues[0])
    for n, due in enumerate(dues, 1):
        yield (
            due,
            PaymentAction(
                loan=place, external_id=f"{draft.external_id}-T{n}", amount=half, effective_date=due, method="ach"
            ),
        )


def _lost(place: int, draft: LoanDraft) -> Iterator[tuple[date, Decision]]:
    """Yield a charge-off, and what an agency recovers of it later."""
    recovered = Money(draft.terms.principal.minor // 10, draft.terms.currency)
    yield _on(draft, 45), _decision(place, draft, "charge-offs")
    yield _on(draft, 56), _decision(place, draft, "recoveries", amount=recovered)


HARDSHIPS: Mapping[int, Callable[[int, LoanDraft], Iterator[tuple[date, Action | Decision]]]] = {
    2: _extended,
    4: _tried_out,
    6: _lost,
    9: _deferred,
}
"""By a loan's place among so many, what befalls it."""
STOPPING = {4: 0, 6: 1}
"""Of these, how many installments are paid before payments stop."""


def _stops(action: Action, drafts: Sequence[LoanDraft]) -> bool:
    """Tell whether hardship keeps a payment, or its undoing, from happening."""
    paid = STOPPING.get(action.loan % IN_HOW_MANY)
    if paid is None:
        return False
    first = {f"{drafts[action.loan].external_id}-P{n}" for n in range(1, paid + 1)}
    return action.external_id not in first or isinstance(action, UndoAction)


def _on(draft: LoanDraft, days: int) -> date:
    return draft.terms.funded_on + timedelta(days=days)


def _decision(place: int, draft: LoanDraft, what: str, **told: Any) -> Decision:
    return Decision(loan=place, external_id=f"{draft.external_id}:{what}", what=what, told=told)
