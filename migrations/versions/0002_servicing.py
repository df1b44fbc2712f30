"""Create servicing.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("product_version", "terms_version", "event", "allocation_version")


def _recorded_at() -> sa.Column[object]:
    return sa.Column(
        "recorded_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
    )


def upgrade() -> None:
    op.execute("CREATE SCHEMA servicing")
    op.create_table(
        "product_version",
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("content_hash", name="product_version_pkey"),
        schema="servicing",
        comment="The rules of products, each version under the hash of its content",
    )
    op.create_table(
        "loan",
        sa.Column("loan_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("fees_through", sa.Date(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("loan_id", name="loan_pkey"),
        schema="servicing",
        comment="A loan; its id is its subledger's. fees_through is the last day whose close was evaluated",
    )
    op.create_index("loan_by_external_id", "loan", ["book_id", "external_id"], schema="servicing")
    op.create_table(
        "terms_version",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("product_hash", sa.Text(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("loan_id", "version", name="terms_version_pkey"),
        sa.ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="terms_version_loan_fkey"),
        sa.ForeignKeyConstraint(
            ["product_hash"], ["servicing.product_version.content_hash"], name="terms_version_product_fkey"
        ),
        schema="servicing",
        comment="The contract, version by version; a modification appends one",
    )
    op.create_table(
        "event",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("event_no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("event_no >= 1", name="event_no_positive"),
        sa.CheckConstraint(
            "kind in ('funded', 'payment', 'payment_returned', 'payment_reversed')", name="event_kind_known"
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="event_loan_fkey"),
        sa.PrimaryKeyConstraint("loan_id", "event_no", name="event_pkey"),
        sa.UniqueConstraint("loan_id", "request_key", name="event_request_key_key"),
        schema="servicing",
        comment="What happened to a loan: appended, never changed",
    )
    op.create_table(
        "allocation_version",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("event_no", sa.Integer(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("because_event_no", sa.Integer(), nullable=False),
        sa.Column("allocation", postgresql.JSONB(), nullable=False),
        _recorded_at(),
        sa.ForeignKeyConstraint(
            ["loan_id", "event_no"],
            ["servicing.event.loan_id", "servicing.event.event_no"],
            name="allocation_version_event_fkey",
        ),
        sa.PrimaryKeyConstraint("loan_id", "event_no", "version", name="allocation_version_pkey"),
        schema="servicing",
        comment="How each payment was allocated, and which event changed it; an empty one means it was undone",
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON servicing.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
    op.execute("GRANT USAGE ON SCHEMA servicing TO loanbook_app, loanbook_reader")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA servicing TO loanbook_app, loanbook_reader")
    op.execute("GRANT INSERT ON ALL TABLES IN SCHEMA servicing TO loanbook_app")
    op.execute("GRANT UPDATE (fees_through) ON servicing.loan TO loanbook_app")
