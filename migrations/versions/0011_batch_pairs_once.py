"""Look up the accounts of a batch once: what was staged a moment ago was read again for each of its rows.

Revision: 0011, after 0010.
"""

from __future__ import annotations

from alembic import op

from ledger.sql_files import read_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(read_sql("post_batch.sql"))
