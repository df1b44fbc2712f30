"""The month-end close: the declared steps in their order, each done once, each leaving its evidence.

Killed at any instant and started again, it goes on at the first step without evidence, and comes to the same
books and the same files. A month that was reopened gets another run. Never: how a step is done
(`close_steps.py`), or the order (`gl_export/close.py`). Next: `gl_export/commands/close_steps.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gl_export import store
from gl_export.close import (
    CloseStatus,
    CloseStep,
    StepEvidence,
    StepProgress,
    StepState,
    remaining,
    step_names,
)
from gl_export.commands.close_steps import WORK, CloseContext, restore_files
from gl_export.queries.close import close_status
from ledger.commands.periods import view
from ledger.dates import Month
from ledger.errors import ApprovalMissing
from ledger.periods import PeriodState
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork, run

Progress = Callable[[StepProgress], None]


def close_month(
    engine: sa.Engine,
    book_code: str,
    month: Month,
    *,
    actor: str,
    approver: str,
    out_dir: Path,
    until: str | None = None,
    on_progress: Progress | None = None,
) -> CloseStatus:
    """Close a month, or go on with its close, through the last step or `until`; return the checklist.

    Files go to a folder of `out_dir` named after the month. On a month that is closed already nothing is done
    again, but its files are written where they are missing, and must come out as they were.

    Raises: ApprovalMissing without a second person; CloseStepUnknown; CloseGateRefused; what a step is
    refused for.
    """
    if approver in (None, "", actor):
        raise ApprovalMissing(action=f"close of {month}", actor=actor, approver=approver or None)
    todo_if_new = remaining((), until=until)
    key, done = run(engine, lambda uow: _begin(uow, book_code, month), actor=actor, approver=approver)
    context = CloseContext(
        engine=engine,
        book_code=book_code,
        month=month,
        run_no=key["run_no"],
        actor=actor,
        approver=approver,
        folder=out_dir / _folder_name(month, key["run_no"]),
        evidence={name: left.evidence for name, left in done.items()},
    )
    if len(done) == len(step_names()):
        restore_files(context)
    for step in todo_if_new:
        if step.name not in done:
            _do(context, key, step, on_progress or _nobody)
    with engine.connect() as connection:
        return close_status(connection, book_code, month)


def _begin(uow: UnitOfWork, book_code: str, month: Month) -> tuple[dict[str, Any], dict[str, StepEvidence]]:
    """Find the run to go on with, or begin one: the first, or the next after a reopening."""
    found = book(uow.connection, book_code)
    run_no = store.latest_run(uow.connection, found.book_id, month.first_day)
    key = {"book_id": found.book_id, "month": month.first_day, "run_no": run_no}
    done = store.load_evidence(uow.connection, key)
    state = view(uow.connection, found, month).state
    if run_no == 0 or (len(done) == len(step_names()) and state is not PeriodState.CLOSED):
        assert uow.approver is not None
        key, done = {**key, "run_no": run_no + 1}, {}
        store.insert_run(
            uow.connection,
            found.book_id,
            month.first_day,
            run_no + 1,
            actor=uow.actor,
            approver=uow.approver,
        )
    return key, done


def _do(context: CloseContext, key: Mapping[str, Any], step: CloseStep, on_progress: Progress) -> None:
    """Do one step and keep its evidence: in one transaction where the step is one.

    Of two closers at once the evidence of the first stands; the other's work is rolled back, and goes on from there.
    """
    number, of = step_names().index(step.name) + 1, len(step_names())

    def report(part: int, whole: int) -> None:
        on_progress(StepProgress(step, number, of, StepState.RUNNING, part, whole))

    def finish(uow: UnitOfWork) -> Mapping[str, Any]:
        evidence = work.finish(uow, context, prepared)
        if not _keep(uow, key, step, evidence):
            raise _DoneBySomebodyElse
        return evidence

    report(0, 0)
    work = WORK[step.name]
    prepared = {} if work.prepare is None else work.prepare(context, report)
    try:
        context.evidence[step.name] = run(context.engine, finish, actor=context.actor, approver=context.approver)
    except _DoneBySomebodyElse:
        with context.engine.connect() as connection:
            context.evidence[step.name] = store.load_evidence(connection, key)[step.name].evidence
    on_progress(StepProgress(step, number, of, StepState.DONE))


class _DoneBySomebodyElse(Exception):
    """A step has its evidence from another closer."""


def _keep(uow: UnitOfWork, key: Mapping[str, Any], step: CloseStep, evidence: Mapping[str, Any]) -> bool:
    assert uow.approver is not None
    left = StepEvidence(step.name, evidence, uow.actor)
    return store.insert_evidence(uow.connection, key, left, approver=uow.approver)


def _folder_name(month: Month, run_no: int) -> str:
    """Return `2026-11`, and `2026-11-run2` after a reopening, so that no package is ever overwritten."""
    return str(month) if run_no == 1 else f"{month}-run{run_no}"


def _nobody(_: StepProgress) -> None:
    """Report to nobody."""
