"""How each step of the close is done, and what evidence it leaves.

Each is finished in one transaction together with its evidence. What spans several transactions, or writes
files, is prepared before: doing that again changes nothing, so it may be killed anywhere. Never: the order of
the steps (`gl_export/close.py`).
Next: `gl_export/commands/package.py`, what the last step writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa

from gl_export import store
from gl_export.commands.batches import build_batch, record_delivery, total_as_json, write_batch
from gl_export.commands.package import Package, write_package
from gl_export.delivery import DeliveredFile
from gl_export.errors import CloseGateRefused
from gl_export.queries.balances import clearing_ages
from gl_export.queries.batches import batches
from gl_export.queries.tie_out import tie_out
from ledger.commands.books import advance_business_date
from ledger.commands.periods import close_period, soft_close_period, view
from ledger.dates import Month
from ledger.money import Money
from ledger.periods import PeriodState
from ledger.queries.accounts import book
from ledger.queries.trial_balance import trial_balance
from ledger.seals import seal
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.allowance import provide
from servicing.commands.cycle import run_cycle

INTEREST_ACCRUED = "interest_accrued"

GL_FOLDER = "gl"
"""Where the batches lie within the folder of a month."""

Evidence = Mapping[str, Any]
Report = Callable[[int, int], None]
"""Called with the parts of a long step that are done and the parts there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseContext:
    """What every step knows. `evidence` holds that of the steps before, and grows as the close goes on."""

    engine: sa.Engine
    book_code: str
    month: Month
    run_no: int
    actor: str
    approver: str
    folder: Path
    evidence: dict[str, Evidence]


def _reach_month_end(uow: UnitOfWork, context: CloseContext, _prepared: Evidence) -> Evidence:
    found = book(uow.connection, context.book_code)
    period = view(uow.connection, found, context.month)
    if period.month < period.first_month:
        _refuse(context, "reach_month_end", f"the book opens in {period.first_month}")
    if period.month > period.first_month and period.previous_state is not PeriodState.CLOSED:
        _refuse(context, "reach_month_end", f"{context.month.previous} is not closed yet")
    if found.business_date < context.month.last_day:
        advance_business_date(uow, context.book_code, context.month.last_day)
    return {
        "business_date_before": found.business_date.isoformat(),
        "business_date": max(found.business_date, context.month.last_day).isoformat(),
    }


def _prepare_accrue(context: CloseContext, report: Report) -> Evidence:
    """Close every day of the month for every loan: interest, and late fees of the days that have closed.

    It books nothing the second time. Once the business date lies past the month, what is still missing is booked on
    it, in the next month: the books of a day that is over do not move.
    """
    done = run_cycle(
        context.engine,
        context.book_code,
        context.month.last_day,
        actor=context.actor,
        on_progress=lambda _step, done, total: report(done, total),
    )
    for failure in done.failures:
        _refuse(
            context, "accrue", f"{len(done.failures)} loans failed, loan {failure.loan_id} first: {failure.message}"
        )
    return {}


def _accrue(uow: UnitOfWork, context: CloseContext, _prepared: Evidence) -> Evidence:
    found, last_day = book(uow.connection, context.book_code), context.month.last_day
    booked = store.booked_on(uow.connection, found.book_id, INTEREST_ACCRUED, last_day)
    return {
        "through": last_day.isoformat(),
        "booked_on": found.business_date.isoformat(),
        "loans": store.count_loans(uow.connection, found.book_id),
        "interest": [{"entries": entries, "amount": str(amount)} for entries, amount in booked],
    }


def _provide(uow: UnitOfWork, context: CloseContext, _prepared: Evidence) -> Evidence:
    """Provide for losses; a month that was closed before there was this step stays as it is."""
    found, last_day = book(uow.connection, context.book_code), context.month.last_day
    if view(uow.connection, found, context.month).state is PeriodState.CLOSED:
        return {"through": last_day.isoformat(), "allowances": []}
    key = f"provision:{context.month}:{context.run_no}"
    provided = provide(uow, context.book_code, last_day, request_key=key)
    return {
        "through": last_day.isoformat(),
        "allowances": [
            {
                "currency": each.currency,
                "required": Money(each.required, each.currency).format(),
                "held": Money(each.held, each.currency).format(),
                "change": Money(each.change, each.currency).format(),
            }
            for each in provided
        ],
    }


def _roll_business_date(uow: UnitOfWork, context: CloseContext, _prepared: Evidence) -> Evidence:
    found = book(uow.connection, context.book_code)
    to = max(found.business_date, context.month.next.first_day)
    advance_business_date(uow, context.book_code, to)
    return {"business_date": to.isoformat()}


def _seal(uow: UnitOfWork, context: CloseContext, _prepared: Evidence) -> Evidence:
    sealed = seal(uow)
    block_no = store.head_block(uow.connection)
    return {
        "block_no": block_no,
        "block_hash": _hex(store.block_hash(uow.connection, block_no)),
        "sealed_now": sealed is not None,
    }


def _prove_trial_balance(uow: UnitOfWork, context: CloseContext, _prepared: Evidence) -> Evidence:
    block_no = context.evidence["seal"]["block_no"]
    # A trial balance that does not balance cannot be made: reading it is the proof.
    found = trial_balance(uow.connection, context.book_code, as_of=context.month.last_day, known_at=block_no).balance
    return {
        "block_no": block_no,
        "accounts": len(found.rows),
        "digest": found.digest().hex(),
        "totals": [
            {
                "currency": totals.currency,
                "debits": totals.debits.format(),
                "credits": totals.credits.format(),
                "difference": (totals.debits - totals.credits).format(),
            }
            for totals in found.totals
        ],
    }


def _tie_out(uow: UnitOfWork, context: CloseContext, _prepared: Evidence) -> Evidence:
    as_of, block_no = context.month.last_day, context.evidence["seal"]["block_no"]
    found = tie_out(uow.connection, context.book_code, as_of=as_of, known_at=block_no)
    found.prove()
    ages = clearing_ages(uow.connection, context.book_code, as_of=as_of, known_at=block_no)
    return {
        "block_no": block_no,
        "accounts": len(found.rows),
        "breaks": len(found.breaks),
        "clearing": [
            {"account": each.account, "balance": str(each.balance), "age_days": each.age_days}
            for each in ages
            if each.open_items
        ],
    }


def _soft_close(uow: UnitOfWork, context: CloseContext, _prepared: Evidence) -> Evidence:
    found = book(uow.connection, context.book_code)
    before = view(uow.connection, found, context.month).state
    if before is PeriodState.OPEN:
        soft_close_period(uow, context.book_code, context.month)
    return {"state_before": str(before), "approver": context.approver}


def _prepare_export(context: CloseContext, _report: Report) -> Evidence:
    """Seal, build the next batch, and write the files of every batch that was not delivered yet.

    A batch is committed before a file of it is written: a file of a batch that never came to be could be
    imported.
    """
    block_no = run(context.engine, lambda uow: _seal_and_build(uow, context.book_code), actor=context.actor)
    with context.engine.connect() as connection:
        waiting = store.undelivered_batches(connection, book(connection, context.book_code).book_id)
        files = {number: _write(connection, context, number) for number in waiting}
    return {"block_no": block_no, "files": files}


def _export(uow: UnitOfWork, context: CloseContext, prepared: Evidence) -> Evidence:
    delivered: Mapping[int, tuple[DeliveredFile, ...]] = prepared["files"]
    for batch_no, files in delivered.items():
        record_delivery(uow, context.book_code, batch_no, context.folder / GL_FOLDER, files)
    return {
        "block_no": prepared["block_no"],
        "batches": list(delivered),
        "control_totals": {
            record.batch.batch_id: [total_as_json(total) for total in record.batch.control_totals]
            for record in batches(uow.connection, context.book_code)
            if record.batch.batch_no in delivered
        },
        "files": _hashes(file for files in delivered.values() for file in files),
    }


def _prepare_close_period(context: CloseContext, report: Report) -> Evidence:
    with context.engine.connect() as connection:
        found = book(connection, context.book_code)
        state = view(connection, found, context.month).state
    if state is not PeriodState.CLOSED:
        close_period(
            context.engine,
            context.book_code,
            context.month,
            actor=context.actor,
            approver=context.approver,
            on_progress=report,
        )
    return {}


def _close_period(uow: UnitOfWork, context: CloseContext, _prepared: Evidence) -> Evidence:
    book_id = book(uow.connection, context.book_code).book_id
    event = store.closing_event(uow.connection, book_id, context.month.first_day)
    assert event is not None, "the period was closed a moment ago"
    block_no, digest = event
    return {"block_no": block_no, "trial_balance_digest": digest.hex(), "approver": context.approver}


def _prepare_package(context: CloseContext, _report: Report) -> Evidence:
    with context.engine.connect() as connection:
        return {"files": write_package(connection, _package(connection, context), context.folder)}


def _write_package(_uow: UnitOfWork, context: CloseContext, prepared: Evidence) -> Evidence:
    return {
        "folder": str(context.folder),
        "block_no": context.evidence["export_rest"]["block_no"],
        "files": _hashes(prepared["files"]),
    }


def restore_files(context: CloseContext) -> None:
    """Write the files of a close that is done where they are missing, and hold them against the evidence.

    Raises: EvidenceDiffers if a file would not come out as it was delivered; DeliveryRefused.
    """
    with context.engine.connect() as connection:
        for step in ("export", "export_rest"):
            evidence = context.evidence[step]
            for batch_no in evidence["batches"]:
                _write(connection, context, batch_no, before=evidence["files"])
        before = context.evidence["write_package"]["files"]
        write_package(connection, _package(connection, context), context.folder, before=before)


def _seal_and_build(uow: UnitOfWork, book_code: str) -> int:
    """Seal, build a batch if there is something for it, and return the block through which all went out."""
    seal(uow)
    block_no = store.head_block(uow.connection)
    built = build_batch(uow, book_code)
    # Another sealer may have added a block in between, and the batch have taken it.
    return block_no if built is None else built.batch.blocks.last


def _write(
    connection: sa.Connection, context: CloseContext, batch_no: int, *, before: Mapping[str, str] | None = None
) -> tuple[DeliveredFile, ...]:
    return write_batch(connection, context.book_code, batch_no, context.folder / GL_FOLDER, before=before)


def _package(connection: sa.Connection, context: CloseContext) -> Package:
    exported = [*context.evidence["export"]["batches"], *context.evidence["export_rest"]["batches"]]
    return Package(
        book_code=context.book_code,
        month=context.month,
        run_no=context.run_no,
        block_no=context.evidence["export_rest"]["block_no"],
        trial_balance_digest=context.evidence["close_period"]["trial_balance_digest"],
        batch_ids=tuple(
            record.batch.batch_id
            for record in batches(connection, context.book_code)
            if record.batch.batch_no in exported
        ),
    )


def _hashes(files: Iterable[DeliveredFile]) -> dict[str, str]:
    return {file.name: file.sha256 for file in files}


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()


def _refuse(context: CloseContext, step: str, reason: str) -> NoReturn:
    raise CloseGateRefused(month=str(context.month), step=step, reason=reason)


@dataclass(frozen=True, slots=True)
class StepWork:
    """How a step is done: `prepare`, in transactions of its own, then `finish`, in that of the evidence."""

    finish: Callable[[UnitOfWork, CloseContext, Evidence], Evidence]
    prepare: Callable[[CloseContext, Report], Evidence] | None = None


WORK: Mapping[str, StepWork] = {
    "reach_month_end": StepWork(_reach_month_end),
    "accrue": StepWork(_accrue, _prepare_accrue),
    "provide": StepWork(_provide),
    "roll_business_date": StepWork(_roll_business_date),
    "seal": StepWork(_seal),
    "prove_trial_balance": StepWork(_prove_trial_balance),
    "tie_out": StepWork(_tie_out),
    "soft_close": StepWork(_soft_close),
    "export": StepWork(_export, _prepare_export),
    "close_period": StepWork(_close_period, _prepare_close_period),
    "export_rest": StepWork(_export, _prepare_export),
    "write_package": StepWork(_write_package, _prepare_package),
}
