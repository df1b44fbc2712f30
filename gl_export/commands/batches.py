"""Building the next batch of a book, and putting its files where the general ledger picks them up.

A batch takes every seal block after the batch before it, exactly once: two builders at the same instant come
out as one batch. Never: sealing, which the caller does first; or a change of a batch that is built.
Next: `gl_export/batch.py`; `gl_export/queries/batches.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import sqlalchemy as sa

from gl_export import store
from gl_export.batch import BUILT, BatchAnswer, BatchRecord, BatchState, BlockRange, ControlTotal, GLBatch, build
from gl_export.delivery import DeliveredFile, NamedContent, deliver, sha256_of
from gl_export.errors import BatchAnswerRefused
from gl_export.formats.declared import DEFAULT, Format, Receivers
from gl_export.mapping import GLMapping, read_mapping
from gl_export.queries.batches import batch as load_batch
from gl_export.queries.batches import mapping as load_mapping_version
from ledger.queries.accounts import accounts_by_id, book
from ledger.unit_of_work import UnitOfWork

ATTEMPTS = 3


def load_mapping(uow: UnitOfWork, book_code: str, rows: Iterable[str], *, file: str) -> GLMapping:
    """Read a CSV file (account, gl_account, gl_name) as the next version of a book's mapping.

    Batches that are built keep theirs.

    Raises: BookUnknown; MalformedRow; MappingInvalid.
    """
    book_id = book(uow.connection, book_code).book_id
    version = store.latest_mapping_version(uow.connection, book_id) + 1
    mapping = read_mapping(rows, file=file, version=version)
    store.insert_mapping(uow.connection, book_id, mapping, uow.actor)
    return mapping


def build_batch(uow: UnitOfWork, book_code: str) -> BatchRecord | None:
    """Build the batch of all blocks since the last one and keep it; None if they hold nothing of this book.

    Raises: BookUnknown; MappingIncomplete.
    """
    book_id = book(uow.connection, book_code).book_id
    for _ in range(ATTEMPTS):
        batch = _next_batch(uow.connection, book_code, book_id)
        if batch is None:
            return None
        last_hash = store.block_hash(uow.connection, batch.blocks.last)
        assert last_hash is not None, "a batch ends with a block that is there"
        if store.insert_batch(uow.connection, book_id, batch, last_hash, uow.actor):
            return load_batch(uow.connection, book_code, batch.batch_no)
        # Another builder was first: what is left after its batch is looked at again.
    return None


def _next_batch(connection: sa.Connection, book_code: str, book_id: int) -> GLBatch | None:
    batch_no, last_block = store.last_batch(connection, book_id)
    blocks = BlockRange(last_block + 1, store.head_block(connection))
    if blocks.last < blocks.first:
        return None
    totals = store.sealed_totals(connection, book_id, blocks, accounts_by_id(connection, book_code))
    if not totals:
        return None
    return build(
        book_code=book_code,
        batch_no=batch_no + 1,
        blocks=blocks,
        totals=totals,
        mapping=load_mapping_version(connection, book_code),
    )


def write_batch(
    connection: sa.Connection,
    book_code: str,
    batch_no: int,
    folder: Path,
    *,
    formats: tuple[Format, ...] = DEFAULT,
    receivers: Receivers | None = None,
    before: Mapping[str, str] | None = None,
) -> tuple[DeliveredFile, ...]:
    """Write a batch to a folder, a file per format and a manifest: the same bytes every time.

    Raises: BatchUnknown; BatchAltered; ReceiversInvalid; FormatRefused; EvidenceDiffers from `before`; DeliveryRefused.
    """
    record = load_batch(connection, book_code, batch_no)
    batch = record.prove()
    files = [file for each in formats for file in each.files(batch, receivers)]
    listed = (f"{batch.batch_id}.manifest.json", manifest(record, files))
    return deliver(folder, (*files, listed), checksums=f"{batch.batch_id}.sha256", before=before)


def record_delivery(
    uow: UnitOfWork, book_code: str, batch_no: int, folder: Path, files: Iterable[DeliveredFile]
) -> int:
    """Keep that a batch was delivered, where, and which files; return the number of the delivery.

    Raises: BookUnknown.
    """
    return store.insert_delivery(
        uow.connection,
        book(uow.connection, book_code).book_id,
        batch_no,
        target=str(folder),
        files={file.name: file.sha256 for file in files},
        actor=uow.actor,
    )


def answer_batch(
    uow: UnitOfWork, book_code: str, batch_no: int, *, reference: str | None = None, reason: str | None = None
) -> BatchAnswer:
    """Keep what the GL answered to the newest delivery of a batch: its reference if it took it, else why it did not.

    A batch that was rejected may be delivered again, and then be acknowledged; one that was acknowledged stays so.

    Raises: BookUnknown; BatchUnknown; BatchAnswerRefused.
    """
    load_batch(uow.connection, book_code, batch_no)
    book_id = book(uow.connection, book_code).book_id
    wanted = BatchState.REJECTED if reference is None else BatchState.ACKNOWLEDGED
    now = store.load_answers(uow.connection, book_id).get(batch_no, BUILT)
    answer = BatchAnswer(wanted, now.delivery_no, reference, reason)
    written = now.state is BatchState.DELIVERED and store.insert_answer(
        uow.connection, book_id, batch_no, answer, actor=uow.actor
    )
    if not written:
        raise BatchAnswerRefused(batch_no=batch_no, state=str(now.state), wanted=str(wanted))
    return answer


def manifest(record: BatchRecord, files: Iterable[NamedContent]) -> bytes:
    """Return what a receiver checks a batch by: blocks, digest, control totals, the SHA-256 of each file."""
    batch = record.batch
    document = {
        "batch_id": batch.batch_id,
        "book": batch.book_code,
        "batch_no": batch.batch_no,
        "first_block": batch.blocks.first,
        "last_block": batch.blocks.last,
        "last_block_hash": record.last_block_hash.hex(),
        "format_version": batch.format_version,
        "mapping_version": batch.mapping_version,
        "from_day": batch.lines[0].booking_date.isoformat(),
        "to_day": batch.lines[-1].booking_date.isoformat(),
        "digest": record.digest.hex(),
        "control_totals": [total_as_json(total) for total in batch.control_totals],
        "files": {name: sha256_of(content) for name, content in files},
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def total_as_json(total: ControlTotal) -> dict[str, str | int]:
    """Return a control total as JSON values, amounts as text."""
    return {
        "currency": total.currency,
        "lines": total.line_count,
        "debits": total.debits.format(),
        "credits": total.credits.format(),
    }
