"""The tables of the schema `gl_export`, every constraint named; all of them take new rows only.

That each seal block is in one batch, and none is left out, is held by the shape of `batch`: it begins after
the block with which the batch before it ended. Rows of the ledger are named by their keys, and never deleted.
Next: `gl_export/store.py`; the migrations for triggers and grants.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="gl_export")


def _recorded_at() -> Column[object]:
    return Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


account_mapping = Table(
    "account_mapping",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("gl_account", Text, nullable=False),
    Column("gl_name", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "version", "account", name="account_mapping_pkey"),
    CheckConstraint("version > 0", name="account_mapping_version_positive"),
    comment="Which GL account takes an account, by version; without one, accounts keep their codes",
)

batch = Table(
    "batch",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("batch_no", Integer, nullable=False),
    Column("batch_id", Text, nullable=False),
    Column("after_block", BigInteger),
    Column("first_block", BigInteger, nullable=False),
    Column("last_block", BigInteger, nullable=False),
    Column("last_block_hash", LargeBinary, nullable=False),
    Column("format_version", SmallInteger, nullable=False),
    Column("mapping_version", Integer, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "batch_no", name="batch_pkey"),
    UniqueConstraint("batch_id", name="batch_id_key"),
    UniqueConstraint("book_id", "after_block", name="batch_after_block_key"),
    UniqueConstraint("book_id", "last_block", name="batch_last_block_key"),
    ForeignKeyConstraint(
        ["book_id", "after_block"],
        ["gl_export.batch.book_id", "gl_export.batch.last_block"],
        name="batch_follows_batch_fkey",
    ),
    CheckConstraint(
        "first_block = coalesce(after_block, 0) + 1 and (after_block is null) = (batch_no = 1)"
        " and last_block >= first_block and batch_no > 0",
        name="batch_contiguous",
    ),
    CheckConstraint("line_count > 0", name="batch_not_empty"),
    comment="A contiguous run of seal blocks as the general ledger got it",
)

batch_line = Table(
    "batch_line",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("batch_no", Integer, nullable=False),
    Column("line_no", Integer, nullable=False),
    Column("booking_date", Date, nullable=False),
    Column("account", Text, nullable=False),
    Column("account_type", Text, nullable=False),
    Column("gl_account", Text, nullable=False),
    Column("gl_name", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    PrimaryKeyConstraint("book_id", "batch_no", "line_no", name="batch_line_pkey"),
    UniqueConstraint("book_id", "batch_no", "booking_date", "account", "currency", "side", name="batch_line_once"),
    ForeignKeyConstraint(
        ["book_id", "batch_no"],
        ["gl_export.batch.book_id", "gl_export.batch.batch_no"],
        name="batch_line_batch_fkey",
    ),
    CheckConstraint("amount > 0 and line_no > 0", name="batch_line_positive"),
    CheckConstraint("side in ('debit', 'credit')", name="batch_line_side_known"),
    comment="The lines of a batch, as they were rendered: what leaves the books is kept word for word",
)

batch_delivery = Table(
    "batch_delivery",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("batch_no", Integer, nullable=False),
    Column("delivery_no", Integer, nullable=False),
    Column("target", Text, nullable=False),
    Column("files", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "batch_no", "delivery_no", name="batch_delivery_pkey"),
    ForeignKeyConstraint(
        ["book_id", "batch_no"],
        ["gl_export.batch.book_id", "gl_export.batch.batch_no"],
        name="batch_delivery_batch_fkey",
    ),
    CheckConstraint("delivery_no > 0", name="batch_delivery_number_positive"),
    comment="Where the files of a batch were put, with the SHA-256 of each",
)

batch_answer = Table(
    "batch_answer",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("batch_no", Integer, nullable=False),
    Column("delivery_no", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("reference", Text),
    Column("reason", Text),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "batch_no", "delivery_no", name="batch_answer_pkey"),
    ForeignKeyConstraint(
        ["book_id", "batch_no", "delivery_no"],
        [
            "gl_export.batch_delivery.book_id",
            "gl_export.batch_delivery.batch_no",
            "gl_export.batch_delivery.delivery_no",
        ],
        name="batch_answer_delivery_fkey",
    ),
    Index(
        "batch_acknowledged_once",
        "book_id",
        "batch_no",
        unique=True,
        postgresql_where=text("answer = 'acknowledged'"),
    ),
    CheckConstraint("answer in ('acknowledged', 'rejected')", name="batch_answer_known"),
    CheckConstraint(
        "(answer = 'acknowledged') = (reference is not null) and (answer = 'rejected') = (reason is not null)",
        name="batch_answer_says_which_or_why",
    ),
    comment="What the general ledger answered to a delivery: its reference, or why it took nothing",
)

close_run = Table(
    "close_run",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("month", Date, nullable=False),
    Column("run_no", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "month", "run_no", name="close_run_pkey"),
    CheckConstraint("approver <> actor", name="close_run_second_person"),
    CheckConstraint("extract(day from month) = 1", name="close_run_month_is_first_day"),
    CheckConstraint("run_no > 0", name="close_run_number_positive"),
    comment="A close of a month; after a reopening there is another",
)

close_step = Table(
    "close_step",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("month", Date, nullable=False),
    Column("run_no", Integer, nullable=False),
    Column("step", Text, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "month", "run_no", "step", name="close_step_pkey"),
    ForeignKeyConstraint(
        ["book_id", "month", "run_no"],
        ["gl_export.close_run.book_id", "gl_export.close_run.month", "gl_export.close_run.run_no"],
        name="close_step_run_fkey",
    ),
    CheckConstraint("approver <> actor", name="close_step_second_person"),
    comment="A step that is done, with its evidence: counts, totals, hashes",
)
