"""Keep what the general ledger answered to each delivery of a batch.

Revision: 0029, after 0028.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch_answer",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("batch_no", sa.Integer(), nullable=False),
        sa.Column("delivery_no", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("book_id", "batch_no", "delivery_no", name="batch_answer_pkey"),
        sa.ForeignKeyConstraint(
            ["book_id", "batch_no", "delivery_no"],
            [
                "gl_export.batch_delivery.book_id",
                "gl_export.batch_delivery.batch_no",
                "gl_export.batch_delivery.delivery_no",
            ],
            name="batch_answer_delivery_fkey",
        ),
        sa.CheckConstraint("answer in ('acknowledged', 'rejected')", name="batch_answer_known"),
        sa.CheckConstraint(
            "(answer = 'acknowledged') = (reference is not null) and (answer = 'rejected') = (reason is not null)",
            name="batch_answer_says_which_or_why",
        ),
        schema="gl_export",
        comment="What the general ledger answered to a delivery: its reference, or why it took nothing",
    )
    op.create_index(
        "batch_acknowledged_once",
        "batch_answer",
        ["book_id", "batch_no"],
        unique=True,
        schema="gl_export",
        postgresql_where=sa.text("answer = 'acknowledged'"),
    )
    op.execute(
        "CREATE TRIGGER batch_answer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gl_export.batch_answer"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
    )
    op.execute("GRANT SELECT ON gl_export.batch_answer TO loanbook_app, loanbook_reader")
    op.execute("GRANT INSERT ON gl_export.batch_answer TO loanbook_app")
