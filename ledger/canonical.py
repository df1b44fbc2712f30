"""The byte form of what is sealed, version 1: the same bytes in Python, PostgreSQL and the offline verifier.

A record is encoded as PostgreSQL's `record_send` does: a four-byte column count, then for each column the
four-byte OID of its type, the four-byte length of its value (-1 for NULL) and the value, all big-endian. So
no column can borrow from its neighbor, and NULL is not an empty text. Text is hashed as stored, in UTF-8,
and never normalized. A version byte leads every leaf; a second form would be added beside this one, never
in its place.
Next: `ledger/merkle.py`, the tree over the members of a block.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

VERSION = b"\x01"

_EPOCH_DAY = date(2000, 1, 1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Field(NamedTuple):
    """One column: the OID of its type and its value in binary, None for NULL."""

    oid: int
    value: bytes | None


def boolean(value: bool | None) -> Field:
    """Encode a `boolean`."""
    return Field(16, None if value is None else b"\x01" if value else b"\x00")


def bytea(value: bytes | None) -> Field:
    """Encode a `bytea`."""
    return Field(17, value)


def int8(value: int | None) -> Field:
    """Encode a `bigint`."""
    return Field(20, _integer(value, 8))


def int2(value: int | None) -> Field:
    """Encode a `smallint`."""
    return Field(21, _integer(value, 2))


def int4(value: int | None) -> Field:
    """Encode an `integer`."""
    return Field(23, _integer(value, 4))


def text(value: str | None) -> Field:
    """Encode a `text`."""
    return Field(25, None if value is None else value.encode())


def day(value: date | None) -> Field:
    """Encode a `date`: days since 2000-01-01."""
    return Field(1082, None if value is None else _integer((value - _EPOCH_DAY).days, 4))


def moment(value: datetime | None) -> Field:
    """Encode a `timestamptz`: microseconds since 2000-01-01 00:00 UTC.

    Raises: TypeError for a moment without a time zone.
    """
    if value is None:
        return Field(1184, None)
    since = value - _EPOCH
    return Field(1184, _integer((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds, 8))


def _integer(value: int | None, size: int) -> bytes | None:
    return None if value is None else value.to_bytes(size, "big", signed=True)


def record(*fields: Field) -> bytes:
    """Return the columns as one record; records have the same bytes only if all their columns are equal."""
    parts = [len(fields).to_bytes(4, "big")]
    for oid, value in fields:
        length = -1 if value is None else len(value)
        parts += (oid.to_bytes(4, "big"), length.to_bytes(4, "big", signed=True), value or b"")
    return b"".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryHeader:
    """The columns of `ledger.journal_entry`; `details` is the JSON text as it is stored."""

    subledger_id: int
    entry_no: int
    book_id: int
    template: str
    template_version: int
    effective_date: date
    booking_date: date
    recorded_at: datetime
    actor: str
    approved_by: str | None
    request_key: str
    fingerprint: bytes
    source_ref: str | None
    reverses_no: int | None
    corrects_no: int | None
    group_id: int | None
    narration: str | None
    details: str | None
    posting_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPosting:
    """The columns of `ledger.posting` beside its key's first two; accounts by their ids."""

    seq: int
    debit_account: int
    credit_account: int
    amount: int
    currency: str
    booking_date: date


def entry_bytes(header: EntryHeader, postings: Iterable[EntryPosting]) -> bytes:
    """Return the version byte, the header's record, and those of all postings in order of `seq`."""
    in_order = sorted(postings, key=attrgetter("seq"))
    return b"".join((VERSION, _header_record(header), *map(_posting_record, in_order)))


def entry_leaf(header: EntryHeader, postings: Iterable[EntryPosting]) -> bytes:
    """Return the SHA-256 of an entry."""
    return sha256(entry_bytes(header, postings)).digest()


def _header_record(header: EntryHeader) -> bytes:
    return record(
        int8(header.subledger_id),
        int4(header.entry_no),
        int4(header.book_id),
        text(header.template),
        int2(header.template_version),
        day(header.effective_date),
        day(header.booking_date),
        moment(header.recorded_at),
        text(header.actor),
        text(header.approved_by),
        text(header.request_key),
        bytea(header.fingerprint),
        text(header.source_ref),
        int4(header.reverses_no),
        int4(header.corrects_no),
        int8(header.group_id),
        text(header.narration),
        text(header.details),
        int2(header.posting_count),
    )


def _posting_record(posting: EntryPosting) -> bytes:
    return record(
        int2(posting.seq),
        int4(posting.debit_account),
        int4(posting.credit_account),
        int8(posting.amount),
        text(posting.currency),
        day(posting.booking_date),
    )


def member_digest(
    *, subledger_id: int, from_no: int, to_no: int, previous_digest: bytes | None, leaves: Iterable[bytes]
) -> bytes:
    """Return the digest of a subledger's entries `from_no` to `to_no`, chained to the member before.

    Both numbers are included. The leaves come in order of entry number; the first member of a subledger has
    no previous digest.
    """
    head = record(int8(subledger_id), int4(from_no), int4(to_no), bytea(previous_digest))
    return sha256(b"".join((VERSION, head, *leaves))).digest()


def member_leaf_bytes(*, subledger_id: int, from_no: int, to_no: int, digest: bytes) -> bytes:
    """Return a member as the Merkle tree takes it, before the tree's own leaf prefix."""
    return record(int8(subledger_id), int4(from_no), int4(to_no), bytea(digest))


class ActivityTotal(NamedTuple):
    """What a block adds to one account in one currency on one pair of days; amounts in minor units."""

    book_id: int
    account_id: int
    currency: str
    booking_date: date
    effective_date: date
    debit: int
    credit: int


def totals_digest(rows: Iterable[ActivityTotal]) -> bytes:
    """Return the SHA-256 of a block's totals, ordered by their keys (text by code point).

    Debits and credits are decimal digits, for they may add up to more than 64 bits.
    """
    return sha256(b"".join(map(_total_record, sorted(rows)))).digest()


def _total_record(row: ActivityTotal) -> bytes:
    return record(
        int4(row.book_id),
        int4(row.account_id),
        text(row.currency),
        day(row.booking_date),
        day(row.effective_date),
        text(str(row.debit)),
        text(str(row.credit)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """What the hash of a seal block covers; the first block has no previous hash."""

    block_no: int
    previous_hash: bytes | None
    merkle_root: bytes
    member_count: int
    entry_count: int
    posting_count: int
    totals_digest: bytes
    chart_no: int
    chart_digest: bytes
    sealed_at: datetime


def block_hash(block: BlockHeader) -> bytes:
    """Return the SHA-256 that names a block and chains it to the one before."""
    return sha256(
        VERSION
        + record(
            int8(block.block_no),
            bytea(block.previous_hash),
            bytea(block.merkle_root),
            int8(block.member_count),
            int8(block.entry_count),
            int8(block.posting_count),
            bytea(block.totals_digest),
            int4(block.chart_no),
            bytea(block.chart_digest),
            moment(block.sealed_at),
        )
    ).digest()


def chart_link(previous_digest: bytes | None, change: bytes) -> bytes:
    """Return the digest of the chart of accounts after one more change, given as a record."""
    return sha256((previous_digest or b"") + change).digest()
