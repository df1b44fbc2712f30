"""Keeping where loans stand as ranges of days, in step with the positions of their folds.

Ranges are a shortcut that can be made again, never the truth; what a later event has made otherwise stays, superseded,
so that a report can be drawn as the day was known. Never: decisions.
Next: `servicing/aging.py`, `servicing/sql/delinquency.sql`; `servicing/delinquency_queries.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from servicing import collection_tables as tables
from servicing.state import LoanState
from servicing.store import Loan

_KEEP = sa.text(
    "SELECT o_written FROM servicing.keep_delinquency(:loan_id, :today, CAST(:from_days AS date[]),"
    " CAST(:since AS date[]), CAST(:recent_since AS date[]), CAST(:counts_from AS date[]),"
    " CAST(:recent_counts_from AS date[]), CAST(:stopped_on AS date[]), CAST(:principal AS bigint[]),"
    " CAST(:interest AS bigint[]), CAST(:fees AS bigint[]), CAST(:penalties AS bigint[]), CAST(:statuses AS text[]))"
)


def keep_ranges(connection: sa.Connection, loan: Loan, state: LoanState) -> int:
    """Bring the ranges of a loan in step with its fold; return how many rows were written."""
    if not state.positions:
        return 0
    values = {
        "loan_id": loan.loan_id,
        "today": loan.business_date,
        "from_days": [each.from_day for each in state.positions],
        "since": [each.since for each in state.positions],
        "recent_since": [each.recent_since for each in state.positions],
        "counts_from": [each.counts_from for each in state.positions],
        "recent_counts_from": [each.recent_counts_from for each in state.positions],
        "stopped_on": [each.stopped_on for each in state.positions],
        "principal": [each.principal for each in state.positions],
        "interest": [each.interest for each in state.positions],
        "fees": [each.fees for each in state.positions],
        "penalties": [each.penalties for each in state.positions],
        "statuses": [each.status for each in state.positions],
    }
    return int(connection.scalar(_KEEP, values) or 0)


def begin_ranges(connection: sa.Connection, loans: Sequence[tuple[Loan, LoanState]]) -> None:
    """Write the ranges of loans that have none."""
    rows = [row for loan, state in loans for row in _rows(loan, state)]
    if rows:
        connection.execute(sa.insert(tables.delinquency_range), rows)


def _rows(loan: Loan, state: LoanState) -> Iterator[dict[str, Any]]:
    ends: list[date | None] = [each.from_day - timedelta(days=1) for each in state.positions[1:]]
    for no, (each, through) in enumerate(zip(state.positions, [*ends, None], strict=True), start=1):
        yield {
            "loan_id": loan.loan_id,
            "range_no": no,
            "from_day": each.from_day,
            "through": through,
            "since": each.since,
            "recent_since": each.recent_since,
            "counts_from": each.counts_from,
            "recent_counts_from": each.recent_counts_from,
            "stopped_on": each.stopped_on,
            "principal": each.principal,
            "interest": each.interest,
            "fees": each.fees,
            "penalties": each.penalties,
            "status": each.status,
            "known_on": loan.business_date,
        }
