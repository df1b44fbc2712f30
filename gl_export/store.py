"""Rows of `gl_export` to values and back, and the sealed totals of the ledger that batches are made of.

Every write is an INSERT; the database refuses anything else. Never: decisions, or a commit.
Next: `gl_export/commands/`, `gl_export/queries/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gl_export import tables
from gl_export.batch import BatchAnswer, BatchLine, BatchRecord, BatchState, BlockRange, DayTotal, GLBatch
from gl_export.close import StepEvidence
from gl_export.mapping import GLAccount, GLMapping
from ledger.chart import AccountDefinition, AccountType, Side
from ledger.money import Money, Total

# --- Mappings ---------------------------------------------------------------------------------------------


def latest_mapping_version(connection: sa.Connection, book_id: int) -> int:
    """Return the newest version of a book's mapping, 0 if it has none."""
    statement = sa.select(sa.func.coalesce(sa.func.max(tables.account_mapping.c.version), 0))
    found = connection.scalar(statement.where(tables.account_mapping.c.book_id == book_id))
    assert isinstance(found, int)
    return found


def load_mapping(connection: sa.Connection, book_id: int, version: int) -> GLMapping | None:
    """Return a version of a book's mapping, None if there is no such version."""
    mapping = tables.account_mapping
    rows = connection.execute(
        sa.select(mapping.c.account, mapping.c.gl_account, mapping.c.gl_name).where(
            mapping.c.book_id == book_id, mapping.c.version == version
        )
    )
    gl_accounts = {account: GLAccount(gl_account, gl_name) for account, gl_account, gl_name in rows}
    return GLMapping(version, gl_accounts) if gl_accounts else None


def insert_mapping(connection: sa.Connection, book_id: int, mapping: GLMapping, actor: str) -> None:
    """Write a new version of a mapping."""
    rows = [
        {
            "book_id": book_id,
            "version": mapping.version,
            "account": account,
            "gl_account": gl_account.code,
            "gl_name": gl_account.name,
            "actor": actor,
        }
        for account, gl_account in mapping.gl_accounts.items()
    ]
    connection.execute(sa.insert(tables.account_mapping), rows)


# --- Batches ----------------------------------------------------------------------------------------------


def last_batch(connection: sa.Connection, book_id: int) -> tuple[int, int]:
    """Return number and last block of a book's newest batch; (0, 0) if there is none."""
    batch = tables.batch
    row = connection.execute(
        sa.select(batch.c.batch_no, batch.c.last_block)
        .where(batch.c.book_id == book_id)
        .order_by(batch.c.batch_no.desc())
        .limit(1)
    ).one_or_none()
    return (0, 0) if row is None else (row.batch_no, row.last_block)


_SEALED_TOTALS = sa.text(
    "SELECT booking_date, account_id, currency, sum(debit) AS debits, sum(credit) AS credits"
    " FROM ledger.seal_total WHERE book_id = :book_id AND block_no BETWEEN :first AND :last"
    " GROUP BY booking_date, account_id, currency"
)


def sealed_totals(
    connection: sa.Connection, book_id: int, blocks: BlockRange, accounts: Mapping[int, AccountDefinition]
) -> tuple[DayTotal, ...]:
    """Return what a run of blocks did to each account by day."""
    values = {"book_id": book_id, "first": blocks.first, "last": blocks.last}
    return tuple(
        DayTotal(
            row.booking_date,
            accounts[row.account_id],
            Total(int(row.debits), row.currency),
            Total(int(row.credits), row.currency),
        )
        for row in connection.execute(_SEALED_TOTALS, values)
    )


def insert_batch(connection: sa.Connection, book_id: int, batch: GLBatch, last_block_hash: bytes, actor: str) -> bool:
    """Write a batch with its lines; return False, having written nothing, if another builder was first."""
    header = {
        "book_id": book_id,
        "batch_no": batch.batch_no,
        "batch_id": batch.batch_id,
        "after_block": batch.blocks.first - 1 or None,
        "first_block": batch.blocks.first,
        "last_block": batch.blocks.last,
        "last_block_hash": last_block_hash,
        "format_version": batch.format_version,
        "mapping_version": batch.mapping_version,
        "line_count": len(batch.lines),
        "digest": batch.digest(),
        "actor": actor,
    }
    statement = postgresql.insert(tables.batch).values(header).on_conflict_do_nothing()
    if connection.execute(statement).rowcount == 0:
        return False
    connection.execute(sa.insert(tables.batch_line), [_line_row(book_id, batch, line) for line in batch.lines])
    return True


def load_batches(
    connection: sa.Connection,
    book_id: int,
    book_code: str,
    *,
    batch_no: int | None = None,
    through_block: int | None = None,
) -> tuple[BatchRecord, ...]:
    """Return a book's batches in order: one, those through a block, or all."""
    batch, line = tables.batch, tables.batch_line
    wanted = [batch.c.book_id == book_id]
    if batch_no is not None:
        wanted.append(batch.c.batch_no == batch_no)
    if through_block is not None:
        wanted.append(batch.c.last_block <= through_block)
    headers = connection.execute(sa.select(batch).where(*wanted).order_by(batch.c.batch_no)).all()
    numbers = [header.batch_no for header in headers]
    lines: dict[int, list[BatchLine]] = {number: [] for number in numbers}
    rows = connection.execute(
        sa.select(line)
        .where(line.c.book_id == book_id, line.c.batch_no == sa.any_(sa.literal(numbers, _INTEGERS)))
        .order_by(line.c.batch_no, line.c.line_no)
    )
    for row in rows:
        lines[row.batch_no].append(_line(row))
    return tuple(_record(book_code, header, tuple(lines[header.batch_no])) for header in headers)


_INTEGERS: sa.types.TypeEngine[Any] = postgresql.ARRAY(sa.Integer)


def undelivered_batches(connection: sa.Connection, book_id: int) -> tuple[int, ...]:
    """Return the numbers of the batches whose files were never delivered, in order."""
    batch, delivery = tables.batch, tables.batch_delivery
    delivered = sa.exists().where(delivery.c.book_id == batch.c.book_id, delivery.c.batch_no == batch.c.batch_no)
    statement = sa.select(batch.c.batch_no).where(batch.c.book_id == book_id, ~delivered)
    return tuple(connection.scalars(statement.order_by(batch.c.batch_no)))


def insert_delivery(
    connection: sa.Connection,
    book_id: int,
    batch_no: int,
    *,
    target: str,
    files: Mapping[str, str],
    actor: str,
) -> int:
    """Write that the files of a batch were put somewhere; return the number of the delivery."""
    delivery = tables.batch_delivery
    of_batch = (delivery.c.book_id == book_id, delivery.c.batch_no == batch_no)
    row = {"book_id": book_id, "batch_no": batch_no, "target": target, "files": dict(files), "actor": actor}
    while True:
        # Two that deliver at once take a number each: whoever comes second looks again.
        number = 1 + (connection.scalar(sa.select(sa.func.max(delivery.c.delivery_no)).where(*of_batch)) or 0)
        taken = postgresql.insert(delivery).values({**row, "delivery_no": number}).on_conflict_do_nothing()
        if connection.scalar(taken.returning(delivery.c.delivery_no)) == number:
            return number


_ANSWERS = sa.text(
    "SELECT DISTINCT ON (d.batch_no) d.batch_no, d.delivery_no, a.answer, a.reference, a.reason"
    " FROM gl_export.batch_delivery d LEFT JOIN gl_export.batch_answer a"
    " ON a.book_id = d.book_id AND a.batch_no = d.batch_no AND a.delivery_no = d.delivery_no"
    " WHERE d.book_id = :book_id"
    # A batch that was acknowledged stays so, though its files were written again later.
    " ORDER BY d.batch_no, coalesce(a.answer = 'acknowledged', false) DESC, d.delivery_no DESC"
)


def load_answers(connection: sa.Connection, book_id: int) -> dict[int, BatchAnswer]:
    """Return where each batch that was delivered stands, by its number."""
    return {
        row.batch_no: BatchAnswer(
            BatchState.DELIVERED if row.answer is None else BatchState(row.answer),
            row.delivery_no,
            row.reference,
            row.reason,
        )
        for row in connection.execute(_ANSWERS, {"book_id": book_id})
    }


def insert_answer(connection: sa.Connection, book_id: int, batch_no: int, answer: BatchAnswer, *, actor: str) -> bool:
    """Write what the GL answered to a delivery; return False if somebody else wrote an answer first."""
    row = {
        "book_id": book_id,
        "batch_no": batch_no,
        "delivery_no": answer.delivery_no,
        "answer": str(answer.state),
        "reference": answer.reference,
        "reason": answer.reason,
        "actor": actor,
    }
    statement = postgresql.insert(tables.batch_answer).values(row).on_conflict_do_nothing()
    return connection.scalar(statement.returning(tables.batch_answer.c.batch_no)) is not None


def block_hash(connection: sa.Connection, block_no: int) -> bytes | None:
    """Return the hash of a seal block, None if there is no such block."""
    statement = sa.text("SELECT block_hash FROM ledger.seal_block WHERE block_no = :block_no")
    found: bytes | None = connection.scalar(statement, {"block_no": block_no})
    return found


def sealed_at(connection: sa.Connection, block_no: int) -> datetime | None:
    """Return when a block was sealed, None if there is no such block."""
    statement = sa.text("SELECT sealed_at FROM ledger.seal_block WHERE block_no = :block_no")
    found: datetime | None = connection.scalar(statement, {"block_no": block_no})
    return found


def business_date_at(connection: sa.Connection, book_id: int, block_no: int) -> date | None:
    """Return the business date of a book when a block was sealed, None if there was none yet."""
    statement = sa.text(
        "SELECT max(d.business_date) FROM ledger.business_day d JOIN ledger.seal_block b ON b.block_no = :block_no"
        " WHERE d.book_id = :book_id AND d.recorded_at <= b.sealed_at"
    )
    found: date | None = connection.scalar(statement, {"book_id": book_id, "block_no": block_no})
    return found


def head_block(connection: sa.Connection) -> int:
    """Return the number of the newest seal block, 0 if nothing was ever sealed."""
    found = connection.scalar(sa.text("SELECT coalesce(max(block_no), 0) FROM ledger.seal_block"))
    assert isinstance(found, int)
    return found


def _line_row(book_id: int, batch: GLBatch, line: BatchLine) -> dict[str, Any]:
    return {
        "book_id": book_id,
        "batch_no": batch.batch_no,
        "line_no": line.line_no,
        "booking_date": line.booking_date,
        "account": line.account,
        "account_type": str(line.account_type),
        "gl_account": line.gl_account.code,
        "gl_name": line.gl_account.name,
        "side": str(line.side),
        "amount": line.money.minor,
        "currency": line.money.currency,
    }


def _line(row: Any) -> BatchLine:
    return BatchLine(
        line_no=row.line_no,
        booking_date=row.booking_date,
        account=row.account,
        account_type=AccountType(row.account_type),
        gl_account=GLAccount(row.gl_account, row.gl_name),
        side=Side(row.side),
        money=Money(row.amount, row.currency),
    )


def _record(book_code: str, header: Any, lines: tuple[BatchLine, ...]) -> BatchRecord:
    batch = GLBatch(
        book_code=book_code,
        batch_no=header.batch_no,
        blocks=BlockRange(header.first_block, header.last_block),
        mapping_version=header.mapping_version,
        lines=lines,
        format_version=header.format_version,
    )
    return BatchRecord(batch, header.last_block_hash, header.digest, header.actor, header.recorded_at)


# --- The close --------------------------------------------------------------------------------------------


def closing_event(connection: sa.Connection, book_id: int, month: date) -> tuple[int, bytes] | None:
    """Return block and trial balance digest of the newest close of a month, None if it was never closed."""
    statement = sa.text(
        "SELECT block_no, trial_balance_digest FROM ledger.period_event"
        " WHERE book_id = :book_id AND month = :month AND to_state = 'closed' ORDER BY event_no DESC LIMIT 1"
    )
    row = connection.execute(statement, {"book_id": book_id, "month": month}).one_or_none()
    return None if row is None else (row.block_no or 0, row.trial_balance_digest)


_ACCRUED = sa.text(
    "SELECT p.currency, count(DISTINCT (e.subledger_id, e.entry_no)) AS entries, sum(p.amount) AS amount"
    " FROM ledger.journal_entry e"
    " JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no"
    " WHERE e.book_id = :book_id AND e.template = :template AND e.effective_date = :day"
    " GROUP BY p.currency ORDER BY p.currency"
)


def booked_on(connection: sa.Connection, book_id: int, template: str, day: date) -> tuple[tuple[int, Money], ...]:
    """Return how many entries of a template are effective on a day, and what they sum to, by currency."""
    values = {"book_id": book_id, "template": template, "day": day}
    return tuple((row.entries, Total(int(row.amount), row.currency)) for row in connection.execute(_ACCRUED, values))


def count_loans(connection: sa.Connection, book_id: int) -> int:
    """Return how many loans a book has."""
    statement = sa.text("SELECT count(*) FROM servicing.loan WHERE book_id = :book_id")
    found = connection.scalar(statement, {"book_id": book_id})
    assert isinstance(found, int)
    return found


def latest_run(connection: sa.Connection, book_id: int, month: date) -> int:
    """Return the number of the newest close of a month, 0 if there is none. `month` is its first day."""
    run = tables.close_run
    statement = sa.select(sa.func.coalesce(sa.func.max(run.c.run_no), 0))
    found = connection.scalar(statement.where(run.c.book_id == book_id, run.c.month == month))
    assert isinstance(found, int)
    return found


def insert_run(connection: sa.Connection, book_id: int, month: date, run_no: int, *, actor: str, approver: str) -> None:
    """Write that a run began; a second closer at the same instant joins the run that is there."""
    row = {"book_id": book_id, "month": month, "run_no": run_no, "actor": actor, "approver": approver}
    connection.execute(postgresql.insert(tables.close_run).values(row).on_conflict_do_nothing())


def insert_evidence(
    connection: sa.Connection,
    key: Mapping[str, Any],
    evidence: StepEvidence,
    *,
    approver: str,
) -> bool:
    """Write what a step left behind, unless somebody else did; `key` is book_id, month (its first day) and run_no."""
    row = {**key, "step": evidence.step, "evidence": dict(evidence.evidence), "actor": evidence.actor}
    statement = postgresql.insert(tables.close_step).values({**row, "approver": approver})
    written = statement.on_conflict_do_nothing().returning(tables.close_step.c.step)
    return connection.scalar(written) is not None


def load_evidence(connection: sa.Connection, key: Mapping[str, Any]) -> dict[str, StepEvidence]:
    """Return what the steps of a run left behind, by step."""
    step = tables.close_step
    rows: Iterable[Any] = connection.execute(
        sa.select(step.c.step, step.c.evidence, step.c.actor).where(
            *(step.c[name] == value for name, value in key.items())
        )
    )
    return {row.step: StepEvidence(row.step, row.evidence, row.actor) for row in rows}
