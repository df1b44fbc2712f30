"""The tables of bank statements and of what settles what; all of them take new rows only.

Each line, and each open item, is in one match at a time: a part of a match names how often its line or item was matched
before, and each of those matches was undone, by a row that it points to. Next: `gl_export/bank_store.py`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY

from gl_export.tables import metadata


def _recorded_at() -> Column[object]:
    return Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


bank_statement = Table(
    "bank_statement",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("statement_no", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("statement_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("opening", BigInteger),
    Column("closing", BigInteger),
    Column("file_name", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "statement_no", name="bank_statement_pkey"),
    UniqueConstraint("book_id", "account", "currency", "statement_id", "sha256", name="bank_statement_once"),
    CheckConstraint("statement_no >= 1", name="bank_statement_from_one"),
    comment="What the bank said of an account, in a file",
)

bank_line = Table(
    "bank_line",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("line_no", BigInteger, nullable=False),
    Column("statement_no", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("booking_date", Date, nullable=False),
    Column("value_date", Date),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("names", ARRAY(Text), nullable=False),
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("book_id", "line_no", name="bank_line_pkey"),
    UniqueConstraint("book_id", "account", "currency", "key", name="bank_line_once"),
    ForeignKeyConstraint(
        ["book_id", "statement_no"],
        ["gl_export.bank_statement.book_id", "gl_export.bank_statement.statement_no"],
        name="bank_line_statement_fkey",
    ),
    CheckConstraint("amount <> 0 and line_no >= 1", name="bank_line_says_something"),
    comment="A line of the bank, once however often it is said; money that came in is positive",
)

bank_match = Table(
    "bank_match",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("match_no", BigInteger, nullable=False),
    Column("rule", Text, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("entries", ARRAY(BigInteger), nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "match_no", name="bank_match_pkey"),
    CheckConstraint("score between 0 and 100 and match_no >= 1", name="bank_match_score_of_hundred"),
    comment="What settles what: by which rule, how sure, why, and the entries of the book that settle it",
)

bank_match_part = Table(
    "bank_match_part",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("match_no", BigInteger, nullable=False),
    Column("side", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("times_before", Integer, nullable=False),
    Column("undone_before", Integer),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    PrimaryKeyConstraint("book_id", "side", "key", "times_before", name="bank_match_part_pkey"),
    ForeignKeyConstraint(
        ["book_id", "match_no"],
        ["gl_export.bank_match.book_id", "gl_export.bank_match.match_no"],
        name="bank_match_part_match_fkey",
    ),
    ForeignKeyConstraint(
        ["book_id", "side", "key", "undone_before"],
        [
            "gl_export.bank_match_undone.book_id",
            "gl_export.bank_match_undone.side",
            "gl_export.bank_match_undone.key",
            "gl_export.bank_match_undone.times_before",
        ],
        name="bank_match_part_after_undone_fkey",
    ),
    CheckConstraint("side in ('line', 'item')", name="bank_match_part_side_known"),
    CheckConstraint(
        "times_before = coalesce(undone_before + 1, 0) and times_before >= 0", name="bank_match_part_after_undone"
    ),
    comment="A line of the bank, or an open item, in a match; once at a time",
)

bank_match_undone = Table(
    "bank_match_undone",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("side", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("times_before", Integer, nullable=False),
    Column("match_no", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "side", "key", "times_before", name="bank_match_undone_pkey"),
    ForeignKeyConstraint(
        ["book_id", "match_no"],
        ["gl_export.bank_match.book_id", "gl_export.bank_match.match_no"],
        name="bank_match_undone_match_fkey",
    ),
    comment="A part of a match that was undone",
)
