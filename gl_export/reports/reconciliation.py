"""The reconciliation as a report: loans, control accounts and the GL side by side, with every break.

Amounts are signed, debits positive. Next: `gl_export/tie_out.py`; `gl_export/reports/clearing_accounts.py`.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from gl_export.queries.tie_out import tie_out
from gl_export.rendering import Cell, Column, Kind, Report
from gl_export.reports.stamps import stamp
from gl_export.tie_out import TieOutRow

COLUMNS = (
    Column("account", "Account"),
    Column("name", "Name"),
    Column("currency", "Currency"),
    Column("loans", "Loans", Kind.AMOUNT),
    Column("control", "Control account", Kind.AMOUNT),
    Column("exported", "Exported to GL", Kind.AMOUNT),
    Column("pending", "Not exported yet", Kind.AMOUNT),
    Column("loans_difference", "Loans less control", Kind.AMOUNT),
    Column("gl_difference", "Unexplained to GL", Kind.AMOUNT),
    Column("verdict", "Verdict"),
)


def reconciliation_report(
    connection: sa.Connection, book_code: str, *, as_of: date, known_at: int | None = None
) -> Report:
    """Return the reconciliation of every account with a balance, as of a day.

    Raises: BookUnknown.
    """
    rests_on = stamp(connection, book_code, as_of=as_of, known_at=known_at)
    found = tie_out(connection, book_code, as_of=as_of, known_at=rests_on.block_no)
    return Report(
        name="reconciliation",
        title=f"Reconciliation of {book_code} on {as_of.isoformat()}: {len(found.breaks)} breaks",
        stamp=rests_on,
        columns=COLUMNS,
        rows=tuple(_row(row) for row in found.rows),
    )


def _row(row: TieOutRow) -> tuple[Cell, ...]:
    loans = None if row.subledger is None else row.subledger.left
    difference = None if row.subledger is None else row.subledger.difference
    head = (row.account.code, row.account.name, row.exported.currency, loans, row.control)
    exported = (row.exported.right, row.exported.pending, difference, row.exported.unexplained)
    return (*head, *exported, str(row.verdict))
