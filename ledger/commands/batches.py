"""Posting a batch: staged once, then booked in chunks, each a transaction of its own.

A chunk locks a few thousand heads for a fraction of a second. Killed at any instant and run again with the same key,
a batch ends with the same entries. Never: what is accrued; the caller says the amounts.
Next: `ledger/sql/post_batch.sql`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import count, islice

import sqlalchemy as sa

from ledger.batch import Batch, BatchResult
from ledger.errors import BatchMismatch
from ledger.ids import take_ids
from ledger.store import Book, ids_of, load_book
from ledger.unit_of_work import UnitOfWork, run

CHUNK_SUBLEDGERS = 5_000
WORKERS = 2  # chunks share no row, so they are booked side by side; more would crowd out those who post meanwhile

Progress = Callable[[int, int], None]
"""Called with the entries booked so far and the entries there are."""


@dataclass(frozen=True, slots=True)
class StagedBatch:
    """A batch whose postings are in the staging table: by `stage`, or by an INSERT ... SELECT of the caller."""

    batch_id: int
    book_code: str
    request_key: str
    fingerprint: bytes
    template: str
    template_version: int
    effective_date: date
    narration: str | None = None
    source_ref: str | None = None


def post_batch(
    engine: sa.Engine,
    batch: Batch,
    *,
    actor: str,
    chunk: int = CHUNK_SUBLEDGERS,
    on_progress: Progress | None = None,
) -> BatchResult:
    """Book one entry for each subledger of a batch, each chunk in a transaction of its own.

    Raises: BatchMismatch if the key was used for another batch; what a chunk is refused for, with the figures of the
    first subledger that is at fault: chunks that are booked stay booked.
    """
    staged = run(engine, lambda uow: stage(uow, batch), actor=actor)
    return post_staged(engine, staged, actor=actor, chunk=chunk, on_progress=on_progress)


def post_batch_within(uow: UnitOfWork, batch: Batch) -> BatchResult:
    """Book a batch as one chunk inside a transaction that is open already; for batches of a few thousand.

    Raises: as `post_batch`.
    """
    staged = stage(uow, batch)
    ids = [row.subledger_id for row in batch.rows]
    return post_staged_within(uow, staged, first=min(ids, default=0), last=max(ids, default=0))


def post_staged_within(uow: UnitOfWork, staged: StagedBatch, *, first: int, last: int) -> BatchResult:
    """Book what is staged of a range of subledgers as one chunk inside a transaction that is open already.

    Whoever computes amounts in the database stages a batch without rows, and inserts them by its number.
    Raises: as `post_batch`.
    """
    book = load_book(uow.connection, staged.book_code)
    before, chunks = _chunks_so_far(uow.connection, book, staged)
    posted = _post_chunk(uow, book=book, staged=staged, first=first, last=last, chunk_no=chunks + 1, resume=chunks > 0)
    return BatchResult(posted, before)


def stage(uow: UnitOfWork, batch: Batch) -> StagedBatch:
    """Write the postings of a batch into the staging table."""
    book = load_book(uow.connection, batch.book_code)
    (batch_id,) = take_ids(uow.connection.engine, "batch")
    pairs = {(row.debit, row.credit) for row in batch.rows}
    account_ids = {code: ids_of(uow.connection, book.book_id, [code])[0] for pair in pairs for code in pair}
    rows = (
        (
            row.subledger_id,
            row.money.minor,
            batch_id,
            account_ids[row.debit],
            account_ids[row.credit],
            seq,
            row.money.currency,
        )
        for seq, row in batch.numbered_rows()
    )
    _copy(uow.connection, rows)
    return StagedBatch(
        batch_id=batch_id,
        book_code=batch.book_code,
        request_key=batch.request_key,
        fingerprint=batch.fingerprint(),
        template=batch.template,
        template_version=batch.template_version,
        effective_date=batch.effective_date,
        narration=batch.narration,
        source_ref=batch.source_ref,
    )


def post_staged(
    engine: sa.Engine,
    staged: StagedBatch,
    *,
    actor: str,
    chunk: int = CHUNK_SUBLEDGERS,
    on_progress: Progress | None = None,
) -> BatchResult:
    """Book what is staged, chunk by chunk; see `post_batch`. What a refusal leaves staged is thrown away."""
    try:
        return _post_chunks(engine, staged, actor, chunk, on_progress)
    except BaseException:
        with suppress(sa.exc.DBAPIError):
            run(engine, lambda uow: _discard(uow, staged.batch_id), actor=actor)
        raise


def _post_chunks(
    engine: sa.Engine, staged: StagedBatch, actor: str, chunk: int, on_progress: Progress | None
) -> BatchResult:
    with engine.connect() as connection:
        book = load_book(connection, staged.book_code)
        before, chunks = _chunks_so_far(connection, book, staged)
        bounds = connection.execute(_BOUNDS, {"batch_id": staged.batch_id, "chunk": chunk}).all()
    total, posted = sum(row.subledgers for row in bounds), 0

    def post(number: int) -> int:
        _, first, last = bounds[number]
        attempts = count(1)

        def work(uow: UnitOfWork) -> int:
            # What lost a race lost it to a twin of this batch: some of its entries may be there by now.
            planned = next(attempts) == 1
            return _post_chunk(
                uow,
                book=book,
                staged=staged,
                first=first,
                last=last,
                chunk_no=chunks + number + 1 if planned else _chunks_so_far(uow.connection, book, staged)[1] + 1,
                resume=chunks > 0 or not planned,
            )

        return run(engine, work, actor=actor)

    ahead = iter(range(len(bounds)))
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="batch") as pool:
        pending = deque(pool.submit(post, number) for number in islice(ahead, WORKERS))
        while pending:
            posted += pending.popleft().result()
            if on_progress is not None:
                on_progress(posted, total)
            pending.extend(pool.submit(post, number) for number in islice(ahead, 1))
    return BatchResult(posted, before)


def _discard(uow: UnitOfWork, batch_id: int) -> None:
    statement = sa.text("DELETE FROM ledger.batch_staging WHERE batch_id = :batch_id")
    uow.connection.execute(statement, {"batch_id": batch_id})


_BOUNDS = sa.text(
    "SELECT count(*) AS subledgers, min(subledger_id) AS first, max(subledger_id) AS last"
    " FROM (SELECT subledger_id, (row_number() OVER (ORDER BY subledger_id) - 1) / :chunk AS chunk_no"
    " FROM (SELECT DISTINCT subledger_id FROM ledger.batch_staging WHERE batch_id = :batch_id) s) t"
    " GROUP BY chunk_no ORDER BY chunk_no"
)
_CHUNKS = sa.text(
    "SELECT coalesce(sum(entry_count), 0), coalesce(max(chunk_no), 0),"
    " count(*) FILTER (WHERE fingerprint <> :fingerprint)"
    " FROM ledger.batch_chunk WHERE book_id = :book_id AND request_key = :request_key"
)
_POST_CHUNK = sa.text(
    "SELECT ledger.post_batch_chunk(:batch_id, :first, :last, :book_id, :request_key, :fingerprint, :template,"
    " :template_version, :effective_date, :actor, :narration, :source_ref, :resume)"
)
_RECORD_CHUNK = sa.text(
    "SELECT ledger.record_batch_chunk(:book_id, :request_key, :chunk_no, :first, :last, :entries, :fingerprint)"
)


def _chunks_so_far(connection: sa.Connection, book: Book, staged: StagedBatch) -> tuple[int, int]:
    """Return how many entries and chunks of this batch are booked.

    Raises: BatchMismatch if they belong to another batch with the same key.
    """
    values = {"book_id": book.book_id, "request_key": staged.request_key, "fingerprint": staged.fingerprint}
    entries, chunks, others = connection.execute(_CHUNKS, values).one()
    if others:
        raise BatchMismatch(request_key=staged.request_key, reason="its key was used for a batch with another header")
    return entries, chunks


def _post_chunk(
    uow: UnitOfWork, *, book: Book, staged: StagedBatch, first: int, last: int, chunk_no: int, resume: bool
) -> int:
    common = {
        "batch_id": staged.batch_id,
        "first": first,
        "last": last,
        "book_id": book.book_id,
        "request_key": staged.request_key,
        "fingerprint": staged.fingerprint,
    }
    entries = uow.connection.scalar(
        _POST_CHUNK,
        {
            **common,
            "template": staged.template,
            "template_version": staged.template_version,
            "effective_date": staged.effective_date,
            "actor": uow.actor,
            "narration": staged.narration,
            "source_ref": staged.source_ref,
            "resume": resume,
        },
    )
    assert isinstance(entries, int)
    if entries:
        uow.connection.execute(_RECORD_CHUNK, {**common, "chunk_no": chunk_no, "entries": entries})
    return entries


def _copy(connection: sa.Connection, rows: Iterable[tuple[object, ...]]) -> None:
    cursor = connection.connection.cursor()
    columns = "subledger_id, amount, batch_id, debit_account, credit_account, seq, currency"
    with cursor.copy(f"COPY ledger.batch_staging ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
