"""Whether the journal of loans is what the engine makes of their events: each is folded again from its funding.

Reads only. Next: `servicing/commands/converge.py`, which books what is lacking.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from ledger.domain_error import DomainError
from servicing.commands.converge import lacking
from servicing.replay import Reverse
from servicing.store import load_loans, loan_ids_of


@dataclass(frozen=True, slots=True)
class Departure:
    """A loan whose journal is not what its events make, in words."""

    loan_id: int
    reason: str


def every_loan(connection: sa.Connection, book_code: str) -> Iterator[int]:
    """Yield the ids of all loans of a book, in order."""
    after = 0
    while ids := loan_ids_of(connection, book_code, after, 10_000):
        yield from ids
        after = ids[-1]


def departures(connection: sa.Connection, loan_ids: Sequence[int]) -> Iterator[Departure]:
    """Fold loans again, and yield those whose journal lacks a step."""
    for loan in load_loans(connection, loan_ids, lock=False):
        try:
            _, steps = lacking(connection, loan)
        except DomainError as trouble:
            yield Departure(loan.loan_id, f"it cannot be folded: {trouble}")
            continue
        undo = sum(isinstance(step, Reverse) for step in steps)
        if steps:
            yield Departure(loan.loan_id, f"{undo} entries are to be reversed, {len(steps) - undo} to be booked")
