"""Close a day of many loans by one call, and guard a loan's row after the update, not before.

The daily cycle moves the mark of every loan; a row trigger before the update locks each row once more.
Revision: 0013, after 0012.
"""

from __future__ import annotations

from alembic import op

from ledger.sql_files import read_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FIXED = ("loan_id", "book_id", "external_id", "currency", "actor", "recorded_at")
"""Columns of a loan that never change."""


def upgrade() -> None:
    op.execute(read_sql("accrual.sql", "servicing"))
    op.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA servicing FROM PUBLIC")
    op.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA servicing TO loanbook_app, loanbook_reader")
    op.execute("DROP TRIGGER loan_mark_moves_forward_only ON servicing.loan")
    op.execute(
        "CREATE TRIGGER loan_mark_moves_forward_only AFTER UPDATE OF fees_through ON servicing.loan FOR EACH ROW"
        " WHEN (OLD.fees_through IS NOT NULL AND (NEW.fees_through < OLD.fees_through) IS NOT FALSE)"
        " EXECUTE FUNCTION ledger.refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER loan_identity_holds AFTER UPDATE OF {', '.join(FIXED)} ON servicing.loan FOR EACH ROW"
        " EXECUTE FUNCTION ledger.refuse_change()"
    )
