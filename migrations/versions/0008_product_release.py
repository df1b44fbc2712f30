"""Let a product be loaded under its name, release after release.

Revision: 0008, after 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product_release",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("release >= 1", name="product_release_from_one"),
        sa.ForeignKeyConstraint(
            ["content_hash"], ["servicing.product_version.content_hash"], name="product_release_version_fkey"
        ),
        sa.PrimaryKeyConstraint("name", "release", name="product_release_pkey"),
        schema="servicing",
        comment="Which version of a product new loans get by its name: that of the latest release",
    )
    op.execute(
        "CREATE TRIGGER product_release_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON servicing.product_release"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
    )
    op.execute("GRANT SELECT ON servicing.product_release TO loanbook_app, loanbook_reader")
    op.execute("GRANT INSERT ON servicing.product_release TO loanbook_app")
