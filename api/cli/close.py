"""`loanbook close`: the month-end close, step by step, each leaving its evidence.

Next: `gl_export/close.py` for the steps; `gl_export/commands/close.py`, which does them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.default_group import DefaultGroup
from api.cli.options import MONTH, changes, reads
from api.cli.output import Column, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from gl_export.close import CloseStatus, StepProgress
    from ledger.dates import Month

COLUMNS = (
    Column("no", "", right=True),
    Column("step", "Step"),
    Column("state", "State"),
    Column("actor", "By"),
    Column("purpose", "Purpose", long=True),
)


@click.group(cls=DefaultGroup, default="run")
def close() -> None:
    """Close a month, step by step, each leaving its evidence.

    \b
    loanbook close 2026-03 --actor bob --approver carol
    loanbook close status 2026-03      the checklist: what is done, by whom, and what is next
    """


@close.command("run")
@click.argument("month", type=MONTH)
@click.option("--until", metavar="STEP", help="Stop after this step.")
@click.option("--resume", is_flag=True, help="Only go on with a close that was begun; a new one is refused.")
@click.option("--status", "status_only", is_flag=True, help="Show where the close stands, and do nothing.")
@click.option(
    "--out",
    "out_dir",
    type=click.Path(path_type=Path),
    help="Where the files go [default: LOANBOOK_OUT_DIR].",
)
@changes
def run(
    session: Session, month: Month, until: str | None, resume: bool, status_only: bool, out_dir: Path | None
) -> None:
    """Close a month: accrue, seal, prove, tie out, export, close the period, write the close package.

    Each step is done once and leaves its evidence, so that a close that was killed is taken up by running it
    again. It takes two people. A dry run shows the steps that are left to do. A month whose books do not tie
    out stops the close with exit code 1.

    \b
    loanbook close 2026-03 --actor bob --approver carol
    loanbook close 2026-03 --actor bob --approver carol --until tie_out
    loanbook close 2026-03 --actor bob --approver carol --resume
    """
    from api.cli.sealing import sealing
    from gl_export.commands.close import close_month

    if status_only or session.dry_run:
        _show(session, _status(session, month))
        return
    if resume:
        _refuse_new(session, month)
    with sealing(session), _progress(session, month) as report, session.edge.named_trouble():
        done = close_month(
            session.edge.engine,
            session.book_code,
            month,
            actor=session.actor,
            approver=session.approver or "",
            out_dir=out_dir or session.settings.out_dir,
            until=until,
            on_progress=report,
        )
    _show(session, done)


@close.command("status")
@click.argument("month", type=MONTH)
@reads
def status_(session: Session, month: Month) -> None:
    """Show the close of a month as a checklist: each step, its purpose, who did it, and its evidence in --json.

    \b
    loanbook close status 2026-03
    loanbook close status 2026-03 --json
    """
    _show(session, _status(session, month))


def _refuse_new(session: Session, month: Month) -> None:
    """Refuse a close that was never begun.

    Raises: CloseNotStarted.
    """
    from gl_export.queries.close import close_status

    session.read(lambda connection: close_status(connection, session.book_code, month))


def _status(session: Session, month: Month) -> CloseStatus:
    """Return the checklist; of a close that was never started, the list of what it will do."""
    from gl_export.close import status
    from gl_export.errors import CloseNotStarted
    from gl_export.queries.close import close_status

    try:
        return session.read(lambda connection: close_status(connection, session.book_code, month))
    except CloseNotStarted:
        return status(book_code=session.book_code, month=month, run_no=0, evidence={})


@contextmanager
def _progress(session: Session, month: Month) -> Iterator[Callable[[StepProgress], None]]:
    """Yield what the close reports its steps to."""
    from api.cli.progress import progress

    with progress(f"Closing {month}", quiet=session.as_json) as advance:

        def report(at: StepProgress) -> None:
            share = at.part / at.whole if at.whole else 0
            advance(round((at.number - 1 + share) * 100), at.of * 100, at.step.name)

        yield report


def _show(session: Session, found: CloseStatus) -> None:
    rows = [
        {
            "no": number,
            "step": step.name,
            "state": str(state),
            "actor": left.actor if left else None,
            "purpose": step.purpose,
            "gate": step.gate,
            "evidence": dict(left.evidence) if left else None,
        }
        for number, (step, state, left) in enumerate(found.steps, start=1)
    ]
    document = {
        "book": found.book_code,
        "month": str(found.month),
        "run": found.run_no,
        "complete": found.is_complete,
        "steps": rows,
    }
    session.show(document, lambda: _print(found, rows))


def _print(found: CloseStatus, rows: list[dict[str, Any]]) -> None:
    print_table(COLUMNS, rows, title=f"Close of {found.month}, book {found.book_code}, run {found.run_no}")
    if found.is_complete:
        print_line(f"Closed; the package is in {found.evidence_of('write_package')['folder']}")
