"""Keep loss rates, and close the days of loans in non-accrual set-based too: what they earn is a memorandum.

Revision: 0017, after 0016.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from ledger.sql_files import read_sql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BEFORE = "integer, bigint, bigint, date, boolean, integer, integer, integer, bigint, integer, integer, bigint"
"""The parameters that closing a day had before memoranda."""


def upgrade() -> None:
    op.create_table(
        "loss_rates",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("rates", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("revision >= 1", name="loss_rates_from_one"),
        sa.CheckConstraint("method in ('bucket', 'vintage')", name="loss_rates_method_known"),
        sa.PrimaryKeyConstraint("book_id", "effective_date", "revision", name="loss_rates_pkey"),
        schema="servicing",
        comment="What a book expects to lose from a day on, in percent; a correction is a next revision of its day",
    )
    op.execute(
        "CREATE TRIGGER loss_rates_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON servicing.loss_rates"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
    )
    op.execute("GRANT SELECT ON servicing.loss_rates TO loanbook_app, loanbook_reader")
    op.execute("GRANT INSERT ON servicing.loss_rates TO loanbook_app")
    op.execute(f"DROP FUNCTION IF EXISTS servicing.close_day({BEFORE})")
    op.execute(read_sql("accrual.sql", "servicing"))
    op.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA servicing FROM PUBLIC")
    op.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA servicing TO loanbook_app, loanbook_reader")
