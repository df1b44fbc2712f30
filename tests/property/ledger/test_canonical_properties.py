"""No two records share their bytes, and every field of an entry reaches its leaf."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.canonical import (
    EntryHeader,
    EntryPosting,
    Field,
    boolean,
    bytea,
    day,
    entry_bytes,
    entry_leaf,
    int2,
    int4,
    int8,
    moment,
    record,
    text,
)

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
INT2 = st.integers(-(2**15), 2**15 - 1)
INT4 = st.integers(-(2**31), 2**31 - 1)
INT8 = st.integers(-(2**63), 2**63 - 1)
DAYS = st.dates()
MOMENTS = st.datetimes(timezones=st.just(UTC))

# Each kind with the function that encodes it, and the one that reads its bytes back.
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
KINDS: dict[int, tuple[Any, Any, Any]] = {
    16: (boolean, st.booleans(), lambda raw: raw == b"\x01"),
    17: (bytea, st.binary(max_size=6), bytes),
    20: (int8, INT8, lambda raw: int.from_bytes(raw, "big", signed=True)),
    21: (int2, INT2, lambda raw: int.from_bytes(raw, "big", signed=True)),
    23: (int4, INT4, lambda raw: int.from_bytes(raw, "big", signed=True)),
    25: (text, TEXTS, lambda raw: raw.decode()),
    1082: (day, DAYS, lambda raw: date(2000, 1, 1) + timedelta(int.from_bytes(raw, "big", signed=True))),
    1184: (
        moment,
        MOMENTS,
        lambda raw: EPOCH + timedelta(microseconds=int.from_bytes(raw, "big", signed=True)),
    ),
}
COLUMNS = st.lists(
    st.sampled_from(sorted(KINDS)).flatmap(lambda oid: st.tuples(st.just(oid), st.none() | KINDS[oid][1])),
    max_size=6,
)


def encode(columns: list[tuple[int, Any]]) -> bytes:
    encoded: list[Field] = [KINDS[oid][0](value) for oid, value in columns]
    return record(*encoded)


def decode(raw: bytes) -> tuple[list[tuple[int, Any]], bytes]:
    """Read one record, and return what follows it too."""
    count, raw = int.from_bytes(raw[:4], "big"), raw[4:]
    columns = []
    for _ in range(count):
        oid, length = int.from_bytes(raw[:4], "big"), int.from_bytes(raw[4:8], "big", signed=True)
        value, raw = raw[8 : 8 + max(length, 0)], raw[8 + max(length, 0) :]
        columns.append((oid, None if length < 0 else KINDS[oid][2](value)))
    return columns, raw


@given(COLUMNS)
def test_a_record_can_be_read_back_so_no_two_share_their_bytes(columns: list[tuple[int, Any]]) -> None:
    assert decode(encode(columns)) == (columns, b"")


@given(COLUMNS, COLUMNS)
def test_records_in_a_row_cannot_be_taken_for_others(left: list[tuple[int, Any]], right: list[tuple[int, Any]]) -> None:
    first, rest = decode(encode(left) + encode(right))

    assert (first, decode(rest)) == (left, (right, b""))


@given(st.lists(st.none() | TEXTS, min_size=2, max_size=4), st.lists(st.none() | TEXTS, min_size=2, max_size=4))
def test_text_cannot_move_into_the_column_beside_it(left: list[str | None], right: list[str | None]) -> None:
    assert (record(*map(text, left)) == record(*map(text, right))) == (left == right)


HEADERS = st.builds(
    EntryHeader,
    subledger_id=INT8,
    entry_no=INT4,
    book_id=INT4,
    template=TEXTS,
    template_version=INT2,
    effective_date=DAYS,
    booking_date=DAYS,
    recorded_at=MOMENTS,
    actor=TEXTS,
    approved_by=st.none() | TEXTS,
    request_key=TEXTS,
    fingerprint=st.binary(max_size=4),
    source_ref=st.none() | TEXTS,
    reverses_no=st.none() | INT4,
    corrects_no=st.none() | INT4,
    group_id=st.none() | INT8,
    narration=st.none() | TEXTS,
    details=st.none() | TEXTS,
    posting_count=INT2,
)
POSTINGS = st.builds(
    EntryPosting,
    seq=INT2,
    debit_account=INT4,
    credit_account=INT4,
    amount=INT8,
    currency=TEXTS,
    booking_date=DAYS,
)


@given(HEADERS, HEADERS, st.lists(POSTINGS, min_size=1, max_size=3, unique_by=lambda posting: posting.seq))
def test_every_field_of_the_header_reaches_the_leaf(
    header: EntryHeader, other: EntryHeader, postings: list[EntryPosting]
) -> None:
    leaf = entry_leaf(header, postings)

    for field in fields(EntryHeader):
        value = getattr(other, field.name)
        changed = replace(header, **{field.name: value})
        assert (entry_leaf(changed, postings) == leaf) == (value == getattr(header, field.name))


@given(HEADERS, POSTINGS, POSTINGS)
def test_every_field_of_a_posting_reaches_the_leaf(
    header: EntryHeader, posting: EntryPosting, other: EntryPosting
) -> None:
    leaf = entry_leaf(header, [posting])

    for field in fields(EntryPosting):
        value = getattr(other, field.name)
        changed = replace(posting, **{field.name: value})
        assert (entry_leaf(header, [changed]) == leaf) == (value == getattr(posting, field.name))


@given(HEADERS, POSTINGS, POSTINGS)
def test_a_posting_more_or_less_changes_the_entry(
    header: EntryHeader, posting: EntryPosting, other: EntryPosting
) -> None:
    assume(posting.seq < other.seq)
    both = entry_bytes(header, [posting, other])

    assert both != entry_bytes(header, [posting])
    assert both == entry_bytes(header, [other, posting])
    assert both.startswith(entry_bytes(header, [posting]))
