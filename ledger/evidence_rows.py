"""The rows of an evidence bundle, read from the database block by block, in the one form that the verifier reads.

Dates are ISO, moments end in six digits and a Z, bytes are hexadecimal digits, sums that may pass 64 bits are decimal
digits. Never: files, or an opinion whether what is sealed holds; a bundle of damaged books must show the damage.
Next: `ledger/evidence.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from ledger.canonical import member_leaf_bytes
from ledger.merkle import inclusion_proof

Row = dict[str, Any]

ROWS_AT_ONCE = 2_000


def line(row: Mapping[str, Any]) -> bytes:
    """Return a row as one line of JSON."""
    return (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def books(connection: sa.Connection) -> Iterator[Row]:
    """Yield the books, which a bundle names for its reader; no seal covers their names."""
    yield from _rows(connection, "SELECT book_id, code, name, base_currency FROM ledger.book ORDER BY book_id")


def blocks(connection: sa.Connection, first: int, last: int) -> Iterator[Row]:
    """Yield the blocks of a range."""
    yield from _rows(connection, _BLOCKS, first=first, last=last)


def changes(connection: sa.Connection, through: int) -> Iterator[Row]:
    """Yield the changes of the chart, from the first one on."""
    yield from _rows(connection, _CHANGES, through=through)


def totals(connection: sa.Connection, first: int, last: int) -> Iterator[Row]:
    """Yield what the blocks of a range added up."""
    yield from _rows(connection, _TOTALS, first=first, last=last)


def members(connection: sa.Connection, first: int, last: int, subledger_id: int | None = None) -> Iterator[Row]:
    """Yield the members of a range of blocks, each with the digest before it."""
    for block_no in range(first, last + 1):
        yield from _rows(connection, _MEMBERS, block_no=block_no, subledger_id=subledger_id)


def proved_members(connection: sa.Connection, first: int, last: int, subledger_id: int) -> Iterator[Row]:
    """Yield the members of one subledger, each with the proof that leads to the root of its block."""
    for member in members(connection, first, last, subledger_id):
        leaves, index = [], 0
        rows = _stream(connection, _LEAVES, {"block_no": member["block_no"]})
        for place, row in enumerate(rows):
            index = place if row.subledger_id == subledger_id else index
            leaves.append(
                member_leaf_bytes(
                    subledger_id=row.subledger_id, from_no=row.from_no, to_no=row.to_no, digest=row.digest
                )
            )
        hashes = [each.hex() for each in inclusion_proof(leaves, index)]
        yield {**member, "proof": {"index": index, "hashes": hashes}}


def entries(connection: sa.Connection, first: int, last: int, subledger_id: int | None) -> Iterator[Row]:
    """Yield the entries of a range of blocks with their postings, in order of block, subledger and number."""
    for block_no in range(first, last + 1):
        for row in _rows(connection, _ENTRIES, block_no=block_no, subledger_id=subledger_id):
            leaf = row.pop("leaf")
            row["postings"] = [[plain(value) for value in posting] for posting in row["postings"] or []]
            yield {**row, "leaf": leaf}


def _rows(connection: sa.Connection, statement: str, **values: int | None) -> Iterator[Row]:
    for row in _stream(connection, statement, values):
        yield {name: plain(value) for name, value in row._mapping.items()}


def _stream(connection: sa.Connection, statement: str, values: Mapping[str, int | None]) -> Iterator[Any]:
    typed = sa.text(statement)
    if "subledger_id" in values:
        typed = typed.bindparams(sa.bindparam("subledger_id", type_=sa.BigInteger))
    yield from connection.execute(typed, values, execution_options={"stream_results": True, "yield_per": ROWS_AT_ONCE})


def plain(value: Any) -> Any:
    """Return the value as the bundle writes it."""
    match value:
        case bytes() | memoryview():
            return bytes(value).hex()
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value


_BLOCKS = """
    SELECT block_no, previous_hash, merkle_root, member_count, entry_count, posting_count, totals_digest, chart_no,
           chart_digest, sealed_at, block_hash
      FROM ledger.seal_block WHERE block_no BETWEEN :first AND :last ORDER BY block_no"""

_CHANGES = """
    SELECT c.change_no, c.account_id, a.book_id, a.code, a.slug, a.type, a.normal_side, a.currency, a.header,
           a.subledgered, a.may_go_contra, a.control, a.opened_from, c.effective_from, c.name, c.parent_id, c.is_closed,
           c.actor, c.recorded_at, c.digest
      FROM ledger.account_change c JOIN ledger.account a ON a.account_id = c.account_id
     WHERE c.change_no <= :through ORDER BY c.change_no"""

_TOTALS = """
    SELECT block_no, book_id, account_id, currency, booking_date, effective_date, debit, credit
      FROM ledger.seal_total WHERE block_no BETWEEN :first AND :last
     ORDER BY block_no, book_id, account_id, currency COLLATE "C", booking_date, effective_date"""

_MEMBERS = """
    SELECT m.block_no, m.subledger_id, m.from_no, m.to_no,
           (SELECT p.digest FROM ledger.seal_member p
             WHERE p.subledger_id = m.subledger_id AND p.to_no = m.from_no - 1) AS previous, m.digest
      FROM ledger.seal_member m
     WHERE m.block_no = :block_no AND (CAST(:subledger_id AS bigint) IS NULL OR m.subledger_id = :subledger_id)
     ORDER BY m.subledger_id"""

_LEAVES = """
    SELECT subledger_id, from_no, to_no, digest FROM ledger.seal_member
     WHERE block_no = :block_no ORDER BY subledger_id"""

_ENTRIES = """
    SELECT m.block_no, e.subledger_id, e.entry_no, e.book_id, e.template, e.template_version, e.effective_date,
           e.booking_date, e.recorded_at, e.actor, e.approved_by, e.request_key, e.fingerprint, e.source_ref,
           e.reverses_no, e.corrects_no, e.group_id, e.narration, CAST(e.details AS text) AS details, e.posting_count,
           p.postings,
           sha256(CAST('\\x01' AS bytea) || ledger.entry_record(e) || coalesce(p.bytes, CAST('' AS bytea))) AS leaf
      FROM ledger.seal_member m
      JOIN ledger.journal_entry e ON e.subledger_id = m.subledger_id AND e.entry_no BETWEEN m.from_no AND m.to_no,
           LATERAL (SELECT string_agg(ledger.posting_record(p), NULL ORDER BY p.seq) AS bytes,
                           jsonb_agg(jsonb_build_array(p.seq, p.debit_account, p.credit_account, p.amount, p.currency,
                                                       p.booking_date) ORDER BY p.seq) AS postings
                      FROM ledger.posting p WHERE p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no) p
     WHERE m.block_no = :block_no AND (CAST(:subledger_id AS bigint) IS NULL OR m.subledger_id = :subledger_id)
     ORDER BY e.subledger_id, e.entry_no"""
