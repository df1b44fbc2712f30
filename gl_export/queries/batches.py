"""Batches as they were built, built again to prove it, and the entries behind each of their lines.

Next: `gl_export/commands/batches.py`, which builds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from gl_export import store
from gl_export.batch import BatchAnswer, BatchRecord, GLBatch, build
from gl_export.errors import BatchAltered, BatchUnknown, MappingUnknown
from gl_export.mapping import IDENTITY_VERSION, GLAccount, GLMapping, identity_mapping
from ledger.chart import Side
from ledger.money import Money, Total
from ledger.queries.accounts import accounts_by_id, book


def batches(connection: sa.Connection, book_code: str, *, through_block: int | None = None) -> tuple[BatchRecord, ...]:
    """Return a book's batches in order; with `through_block`, those that end with it or before.

    Raises: BookUnknown.
    """
    found = book(connection, book_code)
    return store.load_batches(connection, found.book_id, book_code, through_block=through_block)


def batch(connection: sa.Connection, book_code: str, batch_no: int) -> BatchRecord:
    """Return one batch.

    Raises: BookUnknown; BatchUnknown.
    """
    book_id = book(connection, book_code).book_id
    found = store.load_batches(connection, book_id, book_code, batch_no=batch_no)
    if not found:
        raise BatchUnknown(book=book_code, batch_no=batch_no)
    return found[0]


def undelivered(connection: sa.Connection, book_code: str) -> tuple[BatchRecord, ...]:
    """Return the batches that were built and whose files were never delivered, in order.

    A process that ends between the two leaves one; the next delivery takes it along.

    Raises: BookUnknown.
    """
    waiting = set(store.undelivered_batches(connection, book(connection, book_code).book_id))
    return tuple(record for record in batches(connection, book_code) if record.batch.batch_no in waiting)


def answers(connection: sa.Connection, book_code: str) -> dict[int, BatchAnswer]:
    """Return where each batch that was delivered stands, by its number; one that is not there is only built.

    Raises: BookUnknown.
    """
    return store.load_answers(connection, book(connection, book_code).book_id)


def mapping(connection: sa.Connection, book_code: str, version: int | None = None) -> GLMapping:
    """Return a version of a book's mapping; without a version, the newest, or the identity if there is none.

    Raises: BookUnknown; MappingUnknown.
    """
    book_id = book(connection, book_code).book_id
    if version is None:
        version = store.latest_mapping_version(connection, book_id)
    if version == IDENTITY_VERSION:
        return identity_mapping(accounts_by_id(connection, book_code).values())
    found = store.load_mapping(connection, book_id, version)
    if found is None:
        raise MappingUnknown(book=book_code, version=version)
    return found


def rebuild(connection: sa.Connection, book_code: str, batch_no: int) -> GLBatch:
    """Build a batch a second time from the seals, and return it if it is the same to the last byte.

    Names come from the batch itself: those of the chart, which the identity takes, may have changed.

    Raises: BatchUnknown; BatchAltered if what is sealed, or kept of the batch, is not what was built.
    """
    record = batch(connection, book_code, batch_no)
    kept = record.prove()
    accounts = accounts_by_id(connection, book_code)
    book_id = book(connection, book_code).book_id
    again = build(
        book_code=book_code,
        batch_no=batch_no,
        blocks=kept.blocks,
        totals=store.sealed_totals(connection, book_id, kept.blocks, accounts),
        mapping=GLMapping(kept.mapping_version, _mapped(kept)),
    )
    if again.digest() != record.digest:
        raise BatchAltered(batch_id=kept.batch_id, expected=record.digest.hex(), found=again.digest().hex())
    return again


def _mapped(kept: GLBatch) -> dict[str, GLAccount]:
    return {line.account: line.gl_account for line in kept.lines}


@dataclass(frozen=True, slots=True)
class EntryBehind:
    """An entry that went into a line, and how much of the line it is."""

    subledger_id: int
    entry_no: int
    template: str
    effective_date: date
    narration: str | None
    amount: Money


_ENTRIES_BEHIND = """
SELECT e.subledger_id, e.entry_no, e.template, e.effective_date, e.narration, sum(p.amount) AS amount
  FROM ledger.seal_member m
  JOIN ledger.posting p ON p.subledger_id = m.subledger_id AND p.entry_no BETWEEN m.from_no AND m.to_no
  JOIN ledger.journal_entry e ON e.subledger_id = p.subledger_id AND e.entry_no = p.entry_no
  JOIN ledger.account a ON a.account_id = p.{side}_account
 WHERE m.block_no BETWEEN :first AND :last AND p.booking_date = :day AND p.currency = :currency
   AND a.book_id = :book_id AND a.code = :account
   AND (e.subledger_id, e.entry_no) > (:after_subledger, :after_no)
 GROUP BY e.subledger_id, e.entry_no, e.template, e.effective_date, e.narration
 ORDER BY e.subledger_id, e.entry_no LIMIT :limit
"""


def entries_behind(
    connection: sa.Connection,
    book_code: str,
    batch_no: int,
    line_no: int,
    *,
    after: tuple[int, int] = (-1, 0),
    limit: int = 1_000,
) -> tuple[EntryBehind, ...]:
    """Return the entries behind a line by subledger and number, after the one named; their amounts sum to it.

    Raises: BatchUnknown; BatchLineUnknown.
    """
    kept = batch(connection, book_code, batch_no).batch
    line = kept.line(line_no)
    side = "debit" if line.side is Side.DEBIT else "credit"
    rows = connection.execute(
        sa.text(_ENTRIES_BEHIND.format(side=side)),
        {
            "first": kept.blocks.first,
            "last": kept.blocks.last,
            "day": line.booking_date,
            "currency": line.money.currency,
            "book_id": book(connection, book_code).book_id,
            "account": line.account,
            "after_subledger": after[0],
            "after_no": after[1],
            "limit": limit,
        },
    )
    return tuple(
        EntryBehind(
            row.subledger_id,
            row.entry_no,
            row.template,
            row.effective_date,
            row.narration,
            Total(int(row.amount), line.money.currency),
        )
        for row in rows
    )
