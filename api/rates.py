"""Indexes and resets of rates as people and programs see them.

Never: what a reset comes to (`servicing/rates.py`). Next: `api/cli/rates.py`; `api/routes/indexes.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import sqlalchemy as sa

from api.edge import Edge
from ledger.domain_error import DomainError
from ledger.unit_of_work import UnitOfWork
from servicing.commands.indexes import LoadedIndex
from servicing.commands.rate_resets import RateReset, reset_by_index, reset_rate
from servicing.errors import RateOutOfRange
from servicing.queries import index_values, loan_ids, loan_view
from servicing.rates import HIGHEST

Json = dict[str, Any]

CHUNK_LOANS = 1000


def loaded_json(loaded: LoadedIndex) -> Json:
    """Return what loading an index came to."""
    return {
        "name": loaded.name,
        "new": loaded.new,
        "corrected": loaded.corrected,
        "unchanged": loaded.unchanged,
    }


def index_json(connection: sa.Connection, name: str) -> Json:
    """Return the values of an index that are in force, by their days.

    Raises: IndexUnknown.
    """
    values = [
        {
            "on": each.on.isoformat(),
            "value": f"{each.value:f}",
            "revision": each.revision,
            "actor": each.actor,
            "recorded_at": each.recorded_at.isoformat(),
        }
        for each in index_values(connection, name)
    ]
    return {"name": name, "values": values}


def reset_json(done: RateReset) -> Json:
    """Return what a reset came to."""
    return {
        "loan_id": done.loan_id,
        "event_no": done.event_no,
        "effective_date": done.effective_date.isoformat(),
        "entries": list(done.entries),
    }


def reset_by_hand(uow: UnitOfWork, loan_id: int, percent: str, on: date | None, reason: str, key: str) -> RateReset:
    """Reset the rate of a loan from a day on (None: the business date).

    Raises: RateOutOfRange; what `reset_rate` raises.
    """
    try:
        rate = Decimal(percent)
    except InvalidOperation:
        raise RateOutOfRange(rate=percent[:50], most=str(HIGHEST)) from None
    day = on or loan_view(uow.connection, loan_id).loan.business_date
    return reset_rate(uow, loan_id, rate=rate, effective_date=day, request_key=key, reason=reason)


def follow_indexes(edge: Edge, book_code: str, day: date, *, actor: str, dry_run: bool) -> Json:
    """Reset the rates of a book's loans by their indexes, each loan in a transaction; one that cannot be is named."""
    refused: list[Json] = []
    loans = resets = 0
    for loan_id in _all_loans(edge, book_code):
        loans += 1
        try:
            resets += len(_follow(edge, loan_id, day, actor=actor, dry_run=dry_run))
        except DomainError as refusal:
            refused.append({"loan_id": loan_id, "code": refusal.code, "message": refusal.message})
    return {"day": day.isoformat(), "loans": loans, "resets": resets, "refused": refused}


def _all_loans(edge: Edge, book_code: str) -> Iterator[int]:
    ids = [0]
    while ids:
        read = partial(loan_ids, book_code=book_code, after=ids[-1], limit=CHUNK_LOANS)
        ids = edge.read(read)
        yield from ids


def _follow(edge: Edge, loan_id: int, day: date, *, actor: str, dry_run: bool) -> tuple[RateReset, ...]:
    return edge.change(lambda uow: reset_by_index(uow, loan_id, day), actor=actor, dry_run=dry_run)
