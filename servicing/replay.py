"""From what the journal holds to what it should hold: which entries to reverse, which to book.

Entries meet by their keys. One that is as it should be is left alone; so a replay with nothing new books nothing. The
order keeps every balance at zero or above on the way: first what spent unapplied cash is undone, then payments; right
charges are booked, wrong ones undone; payments are booked again, and last what spends unapplied cash.
Never: the database. Next: `servicing/commands/converge.py`; `docs/spec/replay.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date

from ledger.journal import Posting
from servicing.posting_rules import PAYMENT_TEMPLATES, UNAPPLIED_TEMPLATES, Roles, books
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
    if any(entry.template in PAYMENT_TEMPLATES for entry in wrong):
        # The cash that these spent may be that of a payment which is undone.
        wrong += [entry for entry in booked if entry.template in UNAPPLIED_TEMPLATES and entry not in wrong]
    wrong_keys = {entry.key for entry in wrong}
    missing = [item for item in desired if item.planned.key not in held or item.planned.key in wrong_keys]
    book = [Book(item, held[item.planned.key].entry_no if item.planned.key in held else None) for item in missing]
    undo = [Reverse(entry) for entry in sorted(wrong, key=lambda e: e.entry_no, reverse=True)]
    return (
        *_of(undo, UNAPPLIED_TEMPLATES),
        *_of(undo, PAYMENT_TEMPLATES),
        *_charges(book),
        *_charges(undo),
        *_of(book, PAYMENT_TEMPLATES),
        *_of(book, UNAPPLIED_TEMPLATES),
    )


def _same(desired: Desired, booked: Booked, roles: Roles) -> bool:
    planned = desired.planned
    if (planned.template, planned.effective_date) != (booked.template, booked.effective_date):
        return False
    return desired.postings == booked.postings or books(planned, booked.template_version, booked.postings, roles)


def touches_payments(steps: Sequence[Step]) -> bool:
    """Tell whether a payment is booked or undone by any of the steps."""
    return any(_template(step) in PAYMENT_TEMPLATES for step in steps)


def _of(steps: Sequence[Step], templates: Set[str]) -> Iterator[Step]:
    return (step for step in steps if _template(step) in templates)


def _charges(steps: Sequence[Step]) -> Iterator[Step]:
    return (step for step in steps if _template(step) not in PAYMENT_TEMPLATES | UNAPPLIED_TEMPLATES)


def _template(step: Step) -> str:
    return step.booked.template if isinstance(step, Reverse) else step.desired.planned.template
