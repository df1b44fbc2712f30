"""Values of an index: loaded day by day, never changed; a correction is a next revision of its day.

Never: reading a file (`servicing/index_rates.py`). Next: `servicing/commands/rate_resets.py`, which looks them up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ledger.unit_of_work import UnitOfWork
from servicing import tables
from servicing.errors import IndexNameInvalid, IndexValueDiffers, IndexValueMissing
from servicing.index_rates import NAME, IndexValue
from servicing.rates import ResetDay

_KNOWN = sa.text(
    "SELECT DISTINCT ON (effective_date) effective_date, revision, value FROM servicing.index_value"
    " WHERE name = :name AND effective_date = ANY (:days) ORDER BY effective_date, revision DESC"
)
_LATEST = sa.text(
    "SELECT effective_date, value FROM servicing.index_value WHERE name = :name AND effective_date <= :day"
    " ORDER BY effective_date DESC, revision DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class LoadedIndex:
    """How many values were new, corrected, and known before."""

    name: str
    new: int
    corrected: int
    unchanged: int


def load_index(uow: UnitOfWork, name: str, values: Sequence[IndexValue], *, correct: bool = False) -> LoadedIndex:
    """Keep values of an index; one that is known already changes nothing.

    Raises: IndexNameInvalid; IndexValueDiffers for a day that has another value, unless it is to be corrected.
    """
    if NAME.fullmatch(name) is None:
        raise IndexNameInvalid(name=name[:50])
    new = corrected = 0
    while rows := _missing(uow, name, values, correct=correct):
        # Whoever loads the same day meanwhile takes the revision; then this one looks again.
        statement = insert(tables.index_value).on_conflict_do_nothing().returning(tables.index_value.c.revision)
        kept = [revision for row in rows for revision in uow.connection.scalars(statement, row)]
        new, corrected = new + kept.count(1), corrected + len(kept) - kept.count(1)
    return LoadedIndex(name, new, corrected, len(values) - new - corrected)


def _missing(uow: UnitOfWork, name: str, values: Sequence[IndexValue], *, correct: bool) -> list[dict[str, Any]]:
    """Return the rows that are not there yet.

    Raises: IndexValueDiffers.
    """
    days = {"name": name, "days": [each.on for each in values]}
    known = {row.effective_date: row for row in uow.connection.execute(_KNOWN, days)}
    rows: list[dict[str, Any]] = []
    for each in values:
        before = known.get(each.on)
        if before is not None and before.value == each.value:
            continue
        if before is not None and not correct:
            raise IndexValueDiffers(index=name, on=each.on, known=str(before.value.normalize()), given=str(each.value))
        revision = 1 if before is None else before.revision + 1
        own = {"name": name, "effective_date": each.on, "revision": revision}
        rows.append({**own, "value": each.value, "actor": uow.actor})
    return rows


def value_for(connection: sa.Connection, reset: ResetDay) -> Decimal:
    """Return the value of the index that a reset looks at: the latest by its day, if it is not too old.

    Raises: IndexValueMissing.
    """
    row = connection.execute(_LATEST, {"name": reset.index, "day": reset.observed_on}).one_or_none()
    if row is None or row.effective_date < reset.oldest:
        last = "none" if row is None else f"of {row.effective_date}"
        raise IndexValueMissing(
            index=reset.index, observed_on=reset.observed_on, oldest=reset.oldest, reset_on=reset.on, last=last
        )
    return Decimal(row.value)
