"""The bytes that are sealed are those that PostgreSQL itself makes.

Every hexadecimal figure here was printed by PostgreSQL 15 (UTF-8, session time zone America/New_York), with
`record_send(ROW(...))` over columns of the types named in `ledger/canonical.py`, and `sha256`. Version 1 of
the form keeps them for ever: a change that needs other figures is another version.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256

import pytest

from ledger.canonical import (
    ActivityTotal,
    BlockHeader,
    EntryHeader,
    EntryPosting,
    block_hash,
    boolean,
    bytea,
    chart_link,
    day,
    entry_bytes,
    entry_leaf,
    int2,
    int4,
    int8,
    member_digest,
    member_leaf_bytes,
    moment,
    record,
    text,
    totals_digest,
)

HEADER = EntryHeader(
    subledger_id=1_000_000_007,
    entry_no=3,
    book_id=1,
    template="payment_applied",
    template_version=1,
    effective_date=date(2026, 2, 15),
    booking_date=date(2026, 2, 17),
    recorded_at=datetime(2026, 2, 17, 14, 30, 15, 123456, tzinfo=UTC),
    actor="olga",
    approved_by=None,
    request_key="payment:p1",
    fingerprint=bytes.fromhex("00ff10"),
    source_ref="",
    reverses_no=None,
    corrects_no=None,
    group_id=None,
    narration="Payment of 888.49 \u2013 Zo\u00eb",
    details='{"method": "ach"}',
    posting_count=2,
)
POSTINGS = tuple(
    EntryPosting(
        seq=seq,
        debit_account=12,
        credit_account=account,
        amount=amount,
        currency="USD",
        booking_date=date(2026, 2, 17),
    )
    for seq, account, amount in ((1, 15, 10_192), (2, 14, 78_657))
)

HEADER_HEX = (
    "000000130000001400000008000000003b9aca07000000170000000400000003000000170000000400000001"
    "000000190000000f7061796d656e745f6170706c696564000000150000000200010000043a00000004000025"
    "460000043a0000000400002548000004a0000000080002ee04adb68e0000000019000000046f6c6761000000"
    "19ffffffff000000190000000a7061796d656e743a7031000000110000000300ff1000000019000000000000"
    "0017ffffffff00000017ffffffff00000014ffffffff000000190000001a5061796d656e74206f6620383838"
    "2e343920e28093205a6fc3ab00000019000000117b226d6574686f64223a2022616368227d00000015000000"
    "020002"
)
FIRST_POSTING_HEX = (
    "000000060000001500000002000100000017000000040000000c00000017000000040000000f0000001400"
    "00000800000000000027d000000019000000035553440000043a0000000400002548"
)
SECOND_POSTING_HEX = (
    "000000060000001500000002000200000017000000040000000c00000017000000040000000e0000001400"
    "000008000000000001334100000019000000035553440000043a0000000400002548"
)
LEAF_HEX = "e5f66794e1fd748e97ea9f57b86cac6a463233f6aec73aeb8075018882950926"
FIRST_MEMBER_HEX = "c63d5494804c86a5865668d4717561f8dce181eccc99ade5f5f975326d14bc02"
SECOND_MEMBER_HEX = "cad3e03c28af5bb535fba6a4baca01b6047beaf0cb2d713330fc0c42be6d0195"
MEMBER_LEAF_HEX = (
    "000000040000001400000008000000003b9aca07000000170000000400000003000000170000000400000004"
    "0000001100000020" + FIRST_MEMBER_HEX
)
TOTALS_HEX = "67fba32f652038ee85c8b164f7e2b6d359676af540b8344d549602ef9520ee0d"
FIRST_BLOCK_HEX = "d6664e16419c59ac876c2e76e3b75ca07b8f130e305073822aa1d7669e90cc8d"
SECOND_BLOCK_HEX = "52c3be66a7e6367ce22b38b561c7f953f6502cdab73ba8543fbdc19785a70f1b"
FIRST_LINK_HEX = "638fe58193a6cba2178fa34e9512054964da238600522757e75bdbeb23ed10a6"
SECOND_LINK_HEX = "0d8512dc31547eed572a69ab5afae69be86fa83d7c1071236e18c6a4b10216ff"


def test_every_type_and_its_null_are_encoded_as_the_database_does() -> None:
    encoded = record(
        boolean(True),
        boolean(False),
        boolean(None),
        int2(1),
        int4(-1),
        int8(9_223_372_036_854_775_807),
        text(""),
        text(None),
        text("\u00e9"),
        bytea(b""),
        bytea(None),
        day(date(1999, 12, 31)),
        day(date(2000, 1, 1)),
        moment(datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    )

    nothing = record(*(encode(None) for encode in (boolean, bytea, int8, int2, int4, text, day, moment)))

    assert nothing.hex() == "00000008" + "".join(f"{oid:08x}ffffffff" for oid in (16, 17, 20, 21, 23, 25, 1082, 1184))
    assert encoded.hex() == (
        "0000000e00000010000000010100000010000000010000000010ffffffff000000150000000200010000001700000004"
        "ffffffff00000014000000087fffffffffffffff000000190000000000000019ffffffff0000001900000002c3a90000"
        "00110000000000000011ffffffff0000043a00000004ffffffff0000043a0000000400000000000004a0000000"
        "08ffffffffffffffff"
    )


def test_entry_is_the_version_byte_the_header_and_the_postings_in_order_of_seq() -> None:
    expected = bytes.fromhex("01" + HEADER_HEX + FIRST_POSTING_HEX + SECOND_POSTING_HEX)

    assert entry_bytes(HEADER, POSTINGS) == expected
    assert entry_bytes(HEADER, reversed(POSTINGS)) == expected
    assert entry_leaf(HEADER, POSTINGS).hex() == LEAF_HEX


def test_members_of_a_subledger_are_chained() -> None:
    first = member_digest(
        subledger_id=1_000_000_007,
        from_no=3,
        to_no=4,
        previous_digest=None,
        leaves=[bytes.fromhex(LEAF_HEX), sha256(b"second").digest()],
    )
    second = member_digest(
        subledger_id=1_000_000_007,
        from_no=5,
        to_no=5,
        previous_digest=first,
        leaves=[sha256(b"third").digest()],
    )

    assert (first.hex(), second.hex()) == (FIRST_MEMBER_HEX, SECOND_MEMBER_HEX)
    assert member_leaf_bytes(subledger_id=1_000_000_007, from_no=3, to_no=4, digest=first).hex() == MEMBER_LEAF_HEX


TOTALS = [
    ActivityTotal(1, account, currency, date(2026, 2, 17), date(2026, 2, 15), debit, credit)
    for account, currency, debit, credit in (
        (14, "USD", 0, 78_657),
        (12, "USD", 88_849, 0),
        (12, "EUR", 1, 1),
        (15, "USD", 0, 10_192),
    )
]


def test_totals_are_hashed_in_the_order_of_their_keys() -> None:
    assert totals_digest(TOTALS).hex() == TOTALS_HEX
    assert totals_digest(reversed(TOTALS)).hex() == TOTALS_HEX
    assert totals_digest([]) == sha256(b"").digest()
    assert totals_digest([TOTALS[0]._replace(debit=2**64)]) != totals_digest([TOTALS[0]])


def test_blocks_are_chained() -> None:
    first = BlockHeader(
        block_no=1,
        previous_hash=None,
        merkle_root=sha256(b"root").digest(),
        member_count=1,
        entry_count=2,
        posting_count=4,
        totals_digest=bytes.fromhex(TOTALS_HEX),
        chart_no=1,
        chart_digest=sha256(b"chart").digest(),
        sealed_at=datetime(2026, 2, 17, 23, 0, tzinfo=UTC),
    )
    second = replace(
        first,
        block_no=2,
        previous_hash=block_hash(first),
        sealed_at=datetime(2026, 2, 18, 23, 0, 0, 500_000, tzinfo=UTC),
    )

    assert block_hash(first).hex() == FIRST_BLOCK_HEX
    assert block_hash(second).hex() == SECOND_BLOCK_HEX


def test_changes_of_the_chart_are_chained() -> None:
    first = chart_link(None, record(int4(1), text("1010")))

    assert first.hex() == FIRST_LINK_HEX
    assert chart_link(first, record(int4(2), text("1020"))).hex() == SECOND_LINK_HEX


def test_a_moment_is_the_same_in_every_time_zone_and_must_have_one() -> None:
    new_york = HEADER.recorded_at.astimezone(timezone(timedelta(hours=-5)))

    assert moment(new_york) == moment(HEADER.recorded_at)
    with pytest.raises(TypeError):
        moment(datetime(2026, 2, 17))  # noqa: DTZ001  # the point of the test


def test_numbers_too_large_for_their_column_are_refused() -> None:
    for encode, bits in ((int2, 16), (int4, 32), (int8, 64)):
        assert encode(2 ** (bits - 1) - 1).value == bytes.fromhex("7f" + "ff" * (bits // 8 - 1))
        with pytest.raises(OverflowError):
            encode(2 ** (bits - 1))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"source_ref": "A|B", "narration": "C"}, {"source_ref": "A", "narration": "B|C"}),
        ({"source_ref": None}, {"source_ref": ""}),
        ({"source_ref": "1"}, {"source_ref": "01"}),
        ({"narration": "\u00e9"}, {"narration": "e\u0301"}),
        ({"reverses_no": 1, "corrects_no": None}, {"reverses_no": None, "corrects_no": 1}),
        ({"reverses_no": None}, {"reverses_no": 0}),
        ({"effective_date": date(2026, 2, 16)}, {"effective_date": date(2026, 2, 17)}),
    ],
)
def test_entries_that_differ_anywhere_have_leaves_that_differ(
    left: dict[str, object], right: dict[str, object]
) -> None:
    assert entry_leaf(replace(HEADER, **left), POSTINGS) != entry_leaf(  # type: ignore[arg-type]  # any column
        replace(HEADER, **right),  # type: ignore[arg-type]  # any column
        POSTINGS,
    )
