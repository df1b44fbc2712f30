"""The tables of what the general ledger says of itself, and of the breaks found; all take new rows only.

A break has a row for itself, one for each statement that shows it, and one for each thing that a person does about it;
where it stands follows from them. Next: `gl_export/gl_statement_store.py`.
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
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from gl_export.tables import metadata


def _recorded_at() -> Column[object]:
    return Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


def _of_statement(name: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["book_id", "statement_no"],
        ["gl_export.gl_statement.book_id", "gl_export.gl_statement.statement_no"],
        name=f"{name}_statement_fkey",
    )


def _of_break(name: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["book_id", "break_no"],
        ["gl_export.gl_break.book_id", "gl_export.gl_break.break_no"],
        name=f"{name}_break_fkey",
    )


gl_statement = Table(
    "gl_statement",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("statement_no", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("from_date", Date),
    Column("as_of", Date, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "statement_no", name="gl_statement_pkey"),
    CheckConstraint("kind in ('balances', 'detail')", name="gl_statement_kind_known"),
    CheckConstraint("(kind = 'detail') = (from_date is not null)", name="gl_statement_detail_has_period"),
    CheckConstraint("from_date <= as_of", name="gl_statement_days_in_order"),
    CheckConstraint("least(statement_no, row_count) >= 1", name="gl_statement_from_one"),
    comment="A file in which the general ledger says what it holds: balances of a day, or postings of a period",
)

gl_statement_row = Table(
    "gl_statement_row",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("statement_no", BigInteger, nullable=False),
    Column("row_no", BigInteger, nullable=False),
    Column("gl_account", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("posting_date", Date),
    Column("reference", Text),
    Column("description", Text),
    PrimaryKeyConstraint("book_id", "statement_no", "row_no", name="gl_statement_row_pkey"),
    _of_statement("gl_statement_row"),
    comment="The rows of such a file, by their numbers in it; amounts are signed, debits positive",
)

gl_break = Table(
    "gl_break",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("break_no", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("statement_no", BigInteger, nullable=False),
    PrimaryKeyConstraint("book_id", "break_no", name="gl_break_pkey"),
    UniqueConstraint("book_id", "statement_no", "key", name="gl_break_once_in_a_statement"),
    _of_statement("gl_break"),
    CheckConstraint("kind in ('balances', 'detail')", name="gl_break_kind_known"),
    CheckConstraint("break_no >= 1", name="gl_break_from_one"),
    comment="A difference between what the general ledger was sent and what it says, from the day it was found",
)

gl_break_sighting = Table(
    "gl_break_sighting",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("statement_no", BigInteger, nullable=False),
    Column("break_no", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("gl_account", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("sent", Numeric(40, 0), nullable=False),
    Column("found", Numeric(40, 0), nullable=False),
    Column("posting_date", Date),
    Column("reference", Text),
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("book_id", "statement_no", "break_no", name="gl_break_sighting_pkey"),
    _of_statement("gl_break_sighting"),
    _of_break("gl_break_sighting"),
    CheckConstraint(
        "kind in ('timing', 'missing', 'duplicated', 'amount', 'mapping', 'foreign')",
        name="gl_break_sighting_kind_known",
    ),
    comment="A break as a statement shows it: what was sent, what was found, and why they differ",
)

gl_break_action = Table(
    "gl_break_action",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("break_no", BigInteger, nullable=False),
    Column("action_no", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("owner", Text),
    Column("reference", Text),
    Column("note", Text),
    Column("difference", Numeric(40, 0), nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "break_no", "action_no", name="gl_break_action_pkey"),
    _of_break("gl_break_action"),
    CheckConstraint("action in ('assigned', 'resolved')", name="gl_break_action_known"),
    CheckConstraint("(action = 'assigned') = (owner is not null)", name="gl_break_action_owner"),
    CheckConstraint("(action = 'resolved') = (reference is not null)", name="gl_break_action_reference"),
    comment="Who looks into a break, and what explains it; a resolution holds for the difference that it names",
)

gl_sign_off = Table(
    "gl_sign_off",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("statement_no", BigInteger, nullable=False),
    Column("sign_off_no", BigInteger, nullable=False),
    Column("balances", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "statement_no", "sign_off_no", name="gl_sign_off_pkey"),
    _of_statement("gl_sign_off"),
    CheckConstraint("approver <> actor", name="gl_sign_off_second_person"),
    comment="Two people's word that a statement agrees, with the balances of the book that it rests on",
)
