"""Keep what a borrower was told pays a loan off.

Revision: 0009, after 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

AMOUNTS = (
    "principal",
    "interest",
    "fees",
    "penalties",
    "late_fees_to_come",
    "recoverable",
    "unapplied",
    "total",
    "per_diem",
)


def upgrade() -> None:
    op.create_table(
        "payoff_quote",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("quote_no", sa.BigInteger(), nullable=False),
        sa.Column("quoted_on", sa.Date(), nullable=False),
        sa.Column("good_through", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("after_event_no", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in AMOUNTS),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("quote_no >= 1", name="payoff_quote_no_positive"),
        sa.CheckConstraint("good_through >= quoted_on", name="payoff_quote_looks_ahead"),
        sa.CheckConstraint("expires_on <= good_through", name="payoff_quote_expires"),
        sa.CheckConstraint(f"least({', '.join(AMOUNTS)}) >= 0", name="payoff_quote_not_negative"),
        sa.CheckConstraint(
            "total = greatest(0, principal + interest + fees + penalties + recoverable - unapplied)",
            name="payoff_quote_total",
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="payoff_quote_loan_fkey"),
        sa.PrimaryKeyConstraint("loan_id", "quote_no", name="payoff_quote_pkey"),
        sa.UniqueConstraint("loan_id", "request_key", name="payoff_quote_request_key_key"),
        schema="servicing",
        comment="What a borrower was told pays a loan off, and through which day: appended, never changed",
    )
    op.execute(
        "CREATE TRIGGER payoff_quote_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON servicing.payoff_quote"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
    )
    op.execute("GRANT SELECT ON servicing.payoff_quote TO loanbook_app, loanbook_reader")
    op.execute("GRANT INSERT ON servicing.payoff_quote TO loanbook_app")
