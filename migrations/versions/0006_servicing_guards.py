"""Let a loan be neither removed nor renamed, and its mark of closed days move forward only.

A loan's name becomes a request of its book that is made once: loans that were boarded before get theirs here. And a
version of an allocation may be without an event: the daily cycle made it, by a late fee that took its place.

Revision: 0006, after 0005.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FIXED = ("loan_id", "book_id", "external_id", "currency", "actor", "recorded_at")
"""Columns of a loan that never change."""


def upgrade() -> None:
    op.alter_column("allocation_version", "because_event_no", nullable=True, schema="servicing")
    op.create_table_comment(
        "allocation_version",
        "How each payment was allocated, and which event changed it (null: the daily cycle); empty: undone",
        schema="servicing",
    )
    op.execute(
        "CREATE TRIGGER loan_never_removed BEFORE DELETE OR TRUNCATE ON servicing.loan"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER loan_mark_moves_forward_only BEFORE UPDATE ON servicing.loan FOR EACH ROW"
        " WHEN (OLD.fees_through IS NOT NULL AND (NEW.fees_through < OLD.fees_through) IS NOT FALSE"
        f" OR {_row('NEW')} IS DISTINCT FROM {_row('OLD')})"
        " EXECUTE FUNCTION ledger.refuse_change()"
    )
    loans = "FROM servicing.loan l JOIN ledger.book b ON b.book_id = l.book_id"
    key = "b.own_subledger_id, 'loan:' || l.external_id"
    op.execute(f"SELECT ledger.begin_request({key}, 'board_loan', '{{}}', l.actor) {loans}")
    op.execute(f"SELECT ledger.answer_request({key}, jsonb_build_object('loan_id', l.loan_id), false) {loans}")


def _row(which: str) -> str:
    return f"ROW ({', '.join(f'{which}.{name}' for name in FIXED)})"
