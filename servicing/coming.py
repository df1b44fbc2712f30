"""Installments to come: on which days further ones are due, and how they are agreed or worked out again.

Every modification of a contract puts a plan in their place that begins with what these functions make of them.
Never: what is owed. Next: `servicing/effects/modifications.py`; `servicing/drawing.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import dropwhile, groupby, takewhile

from servicing.amortization import LEVEL
from servicing.contract import Asked, Contract, Phase
from servicing.due_dates import due_dates
from servicing.terms import Terms

AGREED = frozenset({"total", "principal"})
"""Rules of amounts that are agreed one by one."""


def dues_after(contract: Contract, dues: Sequence[date], frequency: str, count: int) -> tuple[date, ...]:
    """Return the days of so many more installments; months are counted so that the 31st comes back."""
    longest = max((each.due for each in contract.asked), key=lambda due: due.day)
    anchor = due_dates(longest, dues[0], frequency, len(dues) + count)
    return anchor[len(dues) :] if anchor[: len(dues)] == tuple(dues) else _from(dues[-1], longest, frequency, count)


def next_due(contract: Contract, on: date, frequency: str) -> date:
    """Return the first day after a day on which a further installment would be due, after all that there are."""
    last, more = contract.asked[-1].due, 1
    while (found := _from(last, last, frequency, more)[-1]) <= on:
        more += 1
    return found


def moved_to_day(dues: Sequence[date], on: date, wanted: int) -> date:
    """Return the first day of the month by number, on or after the first due date; of a short month its last."""
    first = max(dues[0], on + timedelta(days=1))
    for month in (first, (first.replace(day=1) + timedelta(days=32)).replace(day=1)):
        last = ((month.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
        found = month.replace(day=min(wanted, last))
        if found >= first:
            return found
    raise AssertionError("one of two months has the day")


def kept(asked: Iterable[Asked]) -> tuple[Phase, ...]:
    """Return phases by which installments ask for the same amounts as before; the last takes what is left."""
    return tuple(Phase(len(list(same)), rule, amount) for (rule, amount), same in groupby(asked, _agreed))


def worked_out_again(terms: Terms, asked: Sequence[Asked]) -> tuple[Phase, ...]:
    """Return phases by which installments are worked out again; amounts agreed one by one become level ones.

    Those that a workout has set stay in front of them.
    """
    if terms.product.amortization in ("step", "custom"):
        return (Phase(len(asked), "level"),)
    lead = list(takewhile(_is_set, asked))
    rest = list(dropwhile(_is_set, asked))
    if any(each.phase.rule in AGREED for each in rest):
        return (*kept(lead), Phase(len(rest), "level"))
    again = tuple(Phase(len(list(same)), rule) for rule, same in groupby(rest, lambda each: each.phase.rule))
    return (*kept(lead), *again)


def with_more(phases: Sequence[Phase], count: int) -> tuple[Phase, ...]:
    """Return phases of which the last has so many more installments."""
    *before, last = phases
    return (*before, Phase(last.installments + count, last.rule, last.agreed))


def _is_set(each: Asked) -> bool:
    return each.phase.rule == "total"


def _agreed(each: Asked) -> tuple[str, int | None]:
    if each.phase.rule == "interest_only":
        return "interest_only", None
    return (each.phase.rule if each.phase.rule in LEVEL | AGREED else "principal"), each.amount


def _from(first: date, longest: date, frequency: str, count: int) -> tuple[date, ...]:
    return due_dates(longest, first, frequency, count + 1)[1:]
