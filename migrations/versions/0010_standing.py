"""Let a day on which nothing happens to a loan cost no fold of it: where it stands, and checkpoints.

Loans that are there get their standing when the daily cycle first brings them forward. And many entries of one loan are
posted in one round trip.

Revision: 0010, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from ledger.sql_files import read_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("post_entries.sql", "grants.sql"):
        op.execute(read_sql(name))
    _standing()
    _checkpoint()
    # The daily cycle moves the mark of every loan: each row keeps room for its next version.
    op.execute("ALTER TABLE servicing.loan SET (fillfactor = 70)")
    op.execute(read_sql("accrual.sql", "servicing"))
    op.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA servicing FROM PUBLIC")
    op.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA servicing TO loanbook_app, loanbook_reader")
    for table in ("standing", "checkpoint"):
        op.execute(f"GRANT SELECT ON servicing.{table} TO loanbook_app, loanbook_reader")
        op.execute(f"GRANT INSERT, UPDATE ON servicing.{table} TO loanbook_app")


def _standing() -> None:
    op.create_table(
        "standing",
        sa.Column("loan_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("booked", sa.BigInteger(), nullable=False),
        sa.Column("receivable", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=True),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("holds_through", sa.Date(), nullable=False),
        sa.Column("next_step_on", sa.Date(), nullable=False),
        sa.Column("unpaid_since", sa.Date(), nullable=True),
        sa.Column("matures_on", sa.Date(), nullable=False),
        sa.Column("receivable_account", sa.Integer(), nullable=False),
        sa.Column("principal_account", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("is_daily", sa.Boolean(), nullable=False),
        sa.Column("rounding", sa.Text(), nullable=False),
        sa.Column("earned", sa.Numeric(), nullable=False),
        sa.Column("nightly", sa.Numeric(), nullable=False),
        sa.Column("denominator", sa.Numeric(), nullable=False),
        sa.Column("fee_income", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.CheckConstraint("earned >= 0 and nightly >= 0 and denominator > 0", name="standing_exact"),
        sa.ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="standing_loan_fkey"),
        sa.PrimaryKeyConstraint("loan_id", name="standing_pkey"),
        schema="servicing",
        comment="How a loan goes on if nothing happens to it; made anew by whatever does, and recomputable",
        postgresql_with={"fillfactor": "70"},
    )


def _checkpoint() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("loan_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("terms_version", sa.SmallInteger(), nullable=False),
        sa.Column("fold_version", sa.SmallInteger(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="checkpoint_loan_fkey"),
        sa.PrimaryKeyConstraint("loan_id", name="checkpoint_pkey"),
        schema="servicing",
        comment="A loan as it stood when a day began, where its next fold begins; recomputable",
    )
