"""What the demonstration shows at its end: what was lived, the loans' roll-forward, the proof, the files.

Read back out of the journal and the seals. Next: `api/cli/demo.py`, which prints it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from api.demo.digests import published_month_ends
from api.demo.story import Lived, Plan
from gl_export.queries.batches import batches
from gl_export.queries.tie_out import tie_out
from gl_export.rendering import Report
from gl_export.reports.loan_roll_forward import loan_roll_forward_report
from ledger.digests import BlockDigest
from ledger.money import Money
from ledger.queries.trial_balance import trial_balance
from ledger.verify import VerifyReport, verify
from origination.queries import Funnel, funnel

LOAN_PRINCIPAL = "loan_principal"
SHOWN = ("opening", "funded", "paid", "charged_off", "closing")


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a demonstration, in figures."""

    lived: Lived
    funnel: Funnel
    principal: tuple[Mapping[str, str], ...]
    total_debits: Money
    breaks: int
    batch_count: int
    proof: VerifyReport
    anchors: tuple[BlockDigest, ...]
    files: int
    as_of: date


def summarize(connection: sa.Connection, plan: Plan, lived: Lived, out_dir: Path) -> Summary:
    """Return the figures of a demonstration that is over."""
    as_of = plan.months[-1].last_day
    report = trial_balance(connection, plan.book_code, as_of=as_of)
    anchors = published_month_ends(out_dir)
    tied = tie_out(connection, plan.book_code, as_of=as_of, known_at=report.block_no)
    return Summary(
        lived=lived,
        funnel=funnel(connection, plan.book_code),
        principal=tuple(_principal(connection, plan)),
        total_debits=report.balance.totals[0].debit_balances,
        breaks=len(tied.breaks),
        batch_count=len(batches(connection, plan.book_code)),
        proof=verify(connection, published=anchors),
        anchors=anchors,
        files=sum(1 for path in out_dir.rglob("*") if path.is_file()),
        as_of=as_of,
    )


def _principal(connection: sa.Connection, plan: Plan) -> Sequence[Mapping[str, str]]:
    """Return the roll-forward of principal, month by month."""
    found = []
    for month in plan.months:
        row = _row_of(loan_roll_forward_report(connection, plan.book_code, month=month))
        found.append({"month": str(month), **{name: _text(row[name]) for name in SHOWN}})
    return found


def _row_of(report: Report) -> Mapping[str, Any]:
    names = [column.name for column in report.columns]
    rows = (dict(zip(names, cells, strict=True)) for cells in report.rows)
    return next(row for row in rows if row["name"] == "Loan principal")


def _text(cell: Any) -> str:
    return cell.format(grouping=True) if isinstance(cell, Money) else str(cell)
