"""Close the days of loans in non-accrual set-based too: what they earn by contract is a memorandum.

Revision: 0017, after 0016.
"""

from __future__ import annotations

from alembic import op

from ledger.sql_files import read_sql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BEFORE = "integer, bigint, bigint, date, boolean, integer, integer, integer, bigint, integer, integer, bigint"
"""The parameters that closing a day had before memoranda."""


def upgrade() -> None:
    op.execute(f"DROP FUNCTION IF EXISTS servicing.close_day({BEFORE})")
    op.execute(read_sql("accrual.sql", "servicing"))
    op.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA servicing FROM PUBLIC")
    op.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA servicing TO loanbook_app, loanbook_reader")
