"""Post with fewer and cheaper statements: the functions and guards of posting anew, one by one and in batches.

The guards of a head stand after the update, because a row trigger before it makes every post lock the row once more.
Revision: 0005, after 0004.
"""

from __future__ import annotations

from alembic import op

from ledger.sql_files import read_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REPLACED = (
    "open_balance(bigint, integer, text, bigint, boolean)",
    "refuse_mixed_memoranda(integer[], integer[], integer[])",
    "change_batch_balances(bigint, bigint, bigint)",
)


def upgrade() -> None:
    for name in ("guards.sql", "post_entry.sql", "post_batch.sql", "grants.sql"):
        op.execute(read_sql(name))
    for function in REPLACED:
        op.execute(f"DROP FUNCTION IF EXISTS ledger.{function}")
