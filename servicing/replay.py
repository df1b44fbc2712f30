"""From what the journal holds to what it should hold: which entries to reverse, which to book.

Entries meet by their keys. One that is as it should be is left alone; so a replay with nothing new books nothing. The
order keeps every balance at zero or above on the way: what adds to them comes first and goes last (`ORDER`), and what
spent cash that is no longer there is undone with the payment that brought it.
Never: the database. Next: `servicing/commands/converge.py`; `docs/spec/replay.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from ledger.chart import AccountCode
from ledger.journal import Posting
from servicing.posting_rules import ASSETS, TAKES_FROM, TURNS, Roles, books
from servicing.state import PlannedEntry
from servicing.turns import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """An entry of the journal that has a key, and is neither a reversal nor reversed."""

    entry_no: int
    key: str
    template: str
    template_version: int
    effective_date: date
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Desired:
    """A planned entry with its postings."""

    planned: PlannedEntry
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Reverse:
    """A step: undo this entry."""

    booked: Booked


@dataclass(frozen=True, slots=True)
class Book:
    """A step: book this entry; `corrects` is the number of the one that it takes the place of."""

    desired: Desired
    corrects: int | None


Step = Reverse | Book


NOTHING: Mapping[str, int] = MappingProxyType({})

ORDER: tuple[tuple[type[Step], Turn], ...] = (
    (Book, Turn.CHARGES),
    (Reverse, Turn.SENDS),
    (Reverse, Turn.SPENDS),
    (Reverse, Turn.SETTLES),
    (Reverse, Turn.CONVERTS),
    (Reverse, Turn.CHARGES),
    (Book, Turn.CONVERTS),
    (Book, Turn.SETTLES),
    (Book, Turn.SPENDS),
    (Book, Turn.SENDS),
)
"""The order of the steps. Of one turn, what is undone goes from the latest entry back, what is booked by the plan."""


def difference(
    desired: Sequence[Desired], booked: Sequence[Booked], roles: Roles, opening: Mapping[str, int] = NOTHING
) -> tuple[Step, ...]:
    """Return the steps from the booked entries to the desired ones, in the order in which they are taken.

    `opening` is what liabilities held before all of these entries, in minor units by role.
    """
    wanted = {item.planned.key: item for item in desired}
    held = {entry.key: entry for entry in booked}
    wrong = [e for e in booked if e.key not in wanted or not _same(wanted[e.key], e, roles) or held[e.key] is not e]
    if wrong:
        wrong += _left_without_cover(desired, booked, wrong, roles, opening)
    wrong_keys = {entry.key for entry in wrong}
    missing = [item for item in desired if item.planned.key not in held or item.planned.key in wrong_keys]
    steps: list[Step] = [Reverse(entry) for entry in sorted(wrong, key=lambda e: e.entry_no, reverse=True)]
    steps += [Book(item, held[item.planned.key].entry_no if item.planned.key in held else None) for item in missing]
    return tuple(step for kind, turn in ORDER for step in steps if isinstance(step, kind) and turn_of(step) is turn)


def touches_payments(steps: Sequence[Step]) -> bool:
    """Tell whether anything that pays what is owed is booked or undone by any of the steps."""
    return any(turn_of(step) is Turn.SETTLES for step in steps)


def turn_of(step: Step) -> Turn:
    """Return the turn of the entry that a step books or undoes."""
    return TURNS[step.booked.template if isinstance(step, Reverse) else step.desired.planned.template]


def _same(desired: Desired, booked: Booked, roles: Roles) -> bool:
    planned = desired.planned
    if (planned.template, planned.effective_date) != (booked.template, booked.effective_date):
        return False
    return desired.postings == booked.postings or books(planned, booked.template_version, booked.postings, roles)


def _left_without_cover(
    desired: Sequence[Desired],
    booked: Sequence[Booked],
    wrong: Sequence[Booked],
    roles: Roles,
    opening: Mapping[str, int],
) -> list[Booked]:
    """Return the entries that are right but for a while spend what is not there, the latest first.

    While the wrong entries are undone and not booked again, an account holds what it held at first, and what the others
    and the new charges say.
    """
    undone = {entry.entry_no for entry in wrong}
    kept = {entry.key: entry for entry in booked if entry.entry_no not in undone}
    charges = [item for item in desired if TURNS[item.planned.template] is Turn.CHARGES]
    new = [posting for item in charges if item.planned.key not in kept for posting in item.postings]
    found: list[Booked] = []
    moved = any(TURNS[entry.template] is Turn.CONVERTS for entry in wrong)
    for turn, role in TAKES_FROM:
        if role in ASSETS and not moved:
            continue
        accounts, sign = roles.ever.get(role, frozenset()), -1 if role in ASSETS else 1
        left = opening.get(role, 0) + sign * sum(
            _added([*new, *(p for entry in kept.values() for p in entry.postings)], accounts)
        )
        for entry in sorted(kept.values(), key=lambda e: e.entry_no, reverse=True):
            if left >= 0:
                break
            taken = -sign * sum(_added(entry.postings, accounts))
            if TURNS[entry.template] is turn and taken > 0:
                found.append(kept.pop(entry.key))
                left += taken
    return found


def _added(postings: Iterable[Posting], accounts: frozenset[AccountCode]) -> Iterator[int]:
    """Yield what each posting adds to liabilities."""
    return (p.money.minor * ((p.credit in accounts) - (p.debit in accounts)) for p in postings)
