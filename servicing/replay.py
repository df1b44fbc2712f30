"""From what the journal holds to what it should hold: which entries to reverse, which to book.

Entries meet by their keys. One that is as it should be is left alone; so a replay with nothing new books nothing. The
order keeps every receivable at zero or above on the way: payments are undone first, then right charges are booked,
wrong ones undone, and payments booked again. Never: the database. Next: `servicing/commands/converge.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger.journal import Posting
from servicing.posting_rules import PAYMENT_TEMPLATES, Roles, books
from servicing.state import PlannedEntry


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


def difference(desired: Sequence[Desired], booked: Sequence[Booked], roles: Roles) -> tuple[Step, ...]:
    """Return the steps from the booked entries to the desired ones, in the order in which they are taken."""
    wanted = {item.planned.key: item for item in desired}
    held = {entry.key: entry for entry in booked}
    wrong = [e for e in booked if e.key not in wanted or not _same(wanted[e.key], e, roles) or held[e.key] is not e]
    wrong_keys = {entry.key for entry in wrong}
    missing = [item for item in desired if item.planned.key not in held or item.planned.key in wrong_keys]
    right = [Book(item, held[item.planned.key].entry_no if item.planned.key in held else None) for item in missing]
    undo = [Reverse(entry) for entry in sorted(wrong, key=lambda e: e.entry_no, reverse=True)]
    return (
        *(step for step in undo if _lowers_debt(step)),
        *(step for step in right if not _lowers_debt(step)),
        *(step for step in undo if not _lowers_debt(step)),
        *(step for step in right if _lowers_debt(step)),
    )


def _same(desired: Desired, booked: Booked, roles: Roles) -> bool:
    planned = desired.planned
    if (planned.template, planned.effective_date) != (booked.template, booked.effective_date):
        return False
    return desired.postings == booked.postings or books(planned, booked.template_version, booked.postings, roles)


def touches_payments(steps: Sequence[Step]) -> bool:
    """Tell whether a payment is booked or undone by any of the steps."""
    return any(_lowers_debt(step) for step in steps)


def _lowers_debt(step: Step) -> bool:
    template = step.booked.template if isinstance(step, Reverse) else step.desired.planned.template
    return template in PAYMENT_TEMPLATES
