"""Create the tables of the GL export and of the month-end close, which take new rows only.

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("account_mapping", "batch", "batch_line", "batch_delivery", "close_run", "close_step")


def upgrade() -> None:
    op.execute("CREATE SCHEMA gl_export")
    op.create_table(
        "account_mapping",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("gl_account", sa.Text(), nullable=False),
        sa.Column("gl_name", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "version", "account", name="account_mapping_pkey"),
        sa.CheckConstraint("version > 0", name="account_mapping_version_positive"),
        schema="gl_export",
        comment="Which GL account takes an account, by version; without one, accounts keep their codes",
    )
    op.create_table(
        "batch",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("batch_no", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("after_block", sa.BigInteger(), nullable=True),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.Column("last_block", sa.BigInteger(), nullable=False),
        sa.Column("last_block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("format_version", sa.SmallInteger(), nullable=False),
        sa.Column("mapping_version", sa.Integer(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "batch_no", name="batch_pkey"),
        sa.UniqueConstraint("batch_id", name="batch_id_key"),
        sa.UniqueConstraint("book_id", "after_block", name="batch_after_block_key"),
        sa.UniqueConstraint("book_id", "last_block", name="batch_last_block_key"),
        sa.ForeignKeyConstraint(
            ["book_id", "after_block"],
            ["gl_export.batch.book_id", "gl_export.batch.last_block"],
            name="batch_follows_batch_fkey",
        ),
        sa.CheckConstraint(
            "first_block = coalesce(after_block, 0) + 1 and (after_block is null) = (batch_no = 1)"
            " and last_block >= first_block and batch_no > 0",
            name="batch_contiguous",
        ),
        sa.CheckConstraint("line_count > 0", name="batch_not_empty"),
        schema="gl_export",
        comment="A contiguous run of seal blocks as the general ledger got it",
    )
    op.create_table(
        "batch_line",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("batch_no", sa.Integer(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("account_type", sa.Text(), nullable=False),
        sa.Column("gl_account", sa.Text(), nullable=False),
        sa.Column("gl_name", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "batch_no", "line_no", name="batch_line_pkey"),
        sa.UniqueConstraint(
            "book_id", "batch_no", "booking_date", "account", "currency", "side", name="batch_line_once"
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "batch_no"],
            ["gl_export.batch.book_id", "gl_export.batch.batch_no"],
            name="batch_line_batch_fkey",
        ),
        sa.CheckConstraint("amount > 0 and line_no > 0", name="batch_line_positive"),
        sa.CheckConstraint("side in ('debit', 'credit')", name="batch_line_side_known"),
        schema="gl_export",
        comment="The lines of a batch, as they were rendered: what leaves the books is kept word for word",
    )
    op.create_table(
        "batch_delivery",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("batch_no", sa.Integer(), nullable=False),
        sa.Column("delivery_no", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("files", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "batch_no", "delivery_no", name="batch_delivery_pkey"),
        sa.ForeignKeyConstraint(
            ["book_id", "batch_no"],
            ["gl_export.batch.book_id", "gl_export.batch.batch_no"],
            name="batch_delivery_batch_fkey",
        ),
        sa.CheckConstraint("delivery_no > 0", name="batch_delivery_number_positive"),
        schema="gl_export",
        comment="Where the files of a batch were put, with the SHA-256 of each",
    )
    op.create_table(
        "close_run",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("run_no", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "month", "run_no", name="close_run_pkey"),
        sa.CheckConstraint("approver <> actor", name="close_run_second_person"),
        sa.CheckConstraint("extract(day from month) = 1", name="close_run_month_is_first_day"),
        sa.CheckConstraint("run_no > 0", name="close_run_number_positive"),
        schema="gl_export",
        comment="A close of a month; after a reopening there is another",
    )
    op.create_table(
        "close_step",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("run_no", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "month", "run_no", "step", name="close_step_pkey"),
        sa.ForeignKeyConstraint(
            ["book_id", "month", "run_no"],
            ["gl_export.close_run.book_id", "gl_export.close_run.month", "gl_export.close_run.run_no"],
            name="close_step_run_fkey",
        ),
        sa.CheckConstraint("approver <> actor", name="close_step_second_person"),
        schema="gl_export",
        comment="A step that is done, with its evidence: counts, totals, hashes",
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gl_export.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
    op.execute("GRANT USAGE ON SCHEMA gl_export TO loanbook_app, loanbook_reader")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA gl_export TO loanbook_app, loanbook_reader")
    op.execute("GRANT INSERT ON ALL TABLES IN SCHEMA gl_export TO loanbook_app")


def _recorded_at() -> sa.Column[object]:
    return sa.Column(
        "recorded_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
    )
