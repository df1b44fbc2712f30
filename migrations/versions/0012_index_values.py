"""Keep the values of the indexes that variable rates look at.

Revision: 0012, after 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "index_value",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Numeric(9, 6), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("revision >= 1", name="index_value_from_one"),
        sa.PrimaryKeyConstraint("name", "effective_date", "revision", name="index_value_pkey"),
        schema="servicing",
        comment="What an index is from a day on, in percent a year; a correction is a next revision of its day",
    )
    op.execute(
        "CREATE TRIGGER index_value_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON servicing.index_value"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
    )
    op.execute("GRANT SELECT ON servicing.index_value TO loanbook_app, loanbook_reader")
    op.execute("GRANT INSERT ON servicing.index_value TO loanbook_app")
