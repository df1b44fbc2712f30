"""Keep bank statements, and what settles what.

Revision: 0028, after 0027.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TABLES = ("bank_statement", "bank_line", "bank_match", "bank_match_undone", "bank_match_part")

GUARD = """
CREATE FUNCTION gl_export.refuse_unequal_match() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    v_match bigint;
    v_apart numeric;
BEGIN
    SELECT p.match_no, sum(CASE p.side WHEN 'line' THEN p.amount ELSE -p.amount END) INTO v_match, v_apart
      FROM new_parts p GROUP BY p.book_id, p.match_no, p.currency
    HAVING sum(CASE p.side WHEN 'line' THEN p.amount ELSE -p.amount END) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'bank match %: lines and items are % apart', v_match, v_apart
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    _statements()
    _matches()
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gl_export.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
        op.execute(f"GRANT SELECT ON gl_export.{table} TO loanbook_app, loanbook_reader")
        op.execute(f"GRANT INSERT ON gl_export.{table} TO loanbook_app")
    op.execute(GUARD)
    op.execute(
        "CREATE TRIGGER bank_match_part_equal AFTER INSERT ON gl_export.bank_match_part"
        " REFERENCING NEW TABLE AS new_parts FOR EACH STATEMENT EXECUTE FUNCTION gl_export.refuse_unequal_match()"
    )


def _statements() -> None:
    op.create_table(
        "bank_statement",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("statement_no", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("statement_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=True),
        sa.Column("closing", sa.BigInteger(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "statement_no", name="bank_statement_pkey"),
        sa.UniqueConstraint("book_id", "account", "currency", "statement_id", "sha256", name="bank_statement_once"),
        sa.CheckConstraint("statement_no >= 1", name="bank_statement_from_one"),
        schema="gl_export",
        comment="What the bank said of an account, in a file",
    )
    op.create_table(
        "bank_line",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), nullable=False),
        sa.Column("statement_no", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "line_no", name="bank_line_pkey"),
        sa.UniqueConstraint("book_id", "account", "currency", "key", name="bank_line_once"),
        sa.ForeignKeyConstraint(
            ["book_id", "statement_no"],
            ["gl_export.bank_statement.book_id", "gl_export.bank_statement.statement_no"],
            name="bank_line_statement_fkey",
        ),
        sa.CheckConstraint("amount <> 0 and line_no >= 1", name="bank_line_says_something"),
        schema="gl_export",
        comment="A line of the bank, once however often it is said; money that came in is positive",
    )


def _matches() -> None:
    op.create_table(
        "bank_match",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("match_no", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("entries", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "match_no", name="bank_match_pkey"),
        sa.CheckConstraint("score between 0 and 100 and match_no >= 1", name="bank_match_score_of_hundred"),
        schema="gl_export",
        comment="What settles what: by which rule, how sure, why, and the entries of the book that settle it",
    )
    op.create_table(
        "bank_match_undone",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("times_before", sa.Integer(), nullable=False),
        sa.Column("match_no", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "side", "key", "times_before", name="bank_match_undone_pkey"),
        sa.ForeignKeyConstraint(
            ["book_id", "match_no"],
            ["gl_export.bank_match.book_id", "gl_export.bank_match.match_no"],
            name="bank_match_undone_match_fkey",
        ),
        schema="gl_export",
        comment="A part of a match that was undone",
    )
    op.create_table(
        "bank_match_part",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("match_no", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("times_before", sa.Integer(), nullable=False),
        sa.Column("undone_before", sa.Integer(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "side", "key", "times_before", name="bank_match_part_pkey"),
        sa.ForeignKeyConstraint(
            ["book_id", "match_no"],
            ["gl_export.bank_match.book_id", "gl_export.bank_match.match_no"],
            name="bank_match_part_match_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "side", "key", "undone_before"],
            [
                "gl_export.bank_match_undone.book_id",
                "gl_export.bank_match_undone.side",
                "gl_export.bank_match_undone.key",
                "gl_export.bank_match_undone.times_before",
            ],
            name="bank_match_part_after_undone_fkey",
        ),
        sa.CheckConstraint("side in ('line', 'item')", name="bank_match_part_side_known"),
        sa.CheckConstraint(
            "times_before = coalesce(undone_before + 1, 0) and times_before >= 0", name="bank_match_part_after_undone"
        ),
        schema="gl_export",
        comment="A line of the bank, or an open item, in a match; once at a time",
    )


def _recorded_at() -> sa.Column[object]:
    return sa.Column(
        "recorded_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
    )
