"""Keep what the general ledger says of itself, the breaks found, what is done about them, and sign-offs.

Revision: 0027, after 0026.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TABLES = ("gl_statement", "gl_statement_row", "gl_break", "gl_break_sighting", "gl_break_action", "gl_sign_off")

GUARD = """
CREATE FUNCTION gl_export.refuse_open_breaks() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    open_break bigint;
BEGIN
    SELECT s.break_no INTO open_break
      FROM gl_export.gl_break_sighting s
     WHERE s.book_id = NEW.book_id AND s.statement_no = NEW.statement_no AND s.kind <> 'timing'
       AND NOT EXISTS (
           SELECT 1 FROM gl_export.gl_break_action a
            WHERE a.book_id = s.book_id AND a.break_no = s.break_no AND a.action = 'resolved'
              AND a.difference = s.sent - s.found)
     ORDER BY s.break_no LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'GL statement % cannot be signed off: break % is open', NEW.statement_no, open_break
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    _statements()
    _breaks()
    _sign_offs()
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gl_export.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
        op.execute(f"GRANT SELECT ON gl_export.{table} TO loanbook_app, loanbook_reader")
        op.execute(f"GRANT INSERT ON gl_export.{table} TO loanbook_app")
    op.execute(GUARD)
    op.execute(
        "CREATE TRIGGER gl_sign_off_explained BEFORE INSERT ON gl_export.gl_sign_off"
        " FOR EACH ROW EXECUTE FUNCTION gl_export.refuse_open_breaks()"
    )


def _statements() -> None:
    op.create_table(
        "gl_statement",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("statement_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "statement_no", name="gl_statement_pkey"),
        sa.CheckConstraint("kind in ('balances', 'detail')", name="gl_statement_kind_known"),
        sa.CheckConstraint("(kind = 'detail') = (from_date is not null)", name="gl_statement_detail_has_period"),
        sa.CheckConstraint("from_date <= as_of", name="gl_statement_days_in_order"),
        sa.CheckConstraint("least(statement_no, row_count) >= 1", name="gl_statement_from_one"),
        schema="gl_export",
        comment="A file in which the general ledger says what it holds: balances of a day, or postings of a period",
    )
    op.create_table(
        "gl_statement_row",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("statement_no", sa.BigInteger(), nullable=False),
        sa.Column("row_no", sa.BigInteger(), nullable=False),
        sa.Column("gl_account", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("posting_date", sa.Date(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("book_id", "statement_no", "row_no", name="gl_statement_row_pkey"),
        _of_statement("gl_statement_row"),
        schema="gl_export",
        comment="The rows of such a file, by their numbers in it; amounts are signed, debits positive",
    )


def _breaks() -> None:
    op.create_table(
        "gl_break",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("break_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("statement_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "break_no", name="gl_break_pkey"),
        sa.UniqueConstraint("book_id", "statement_no", "key", name="gl_break_once_in_a_statement"),
        _of_statement("gl_break"),
        sa.CheckConstraint("kind in ('balances', 'detail')", name="gl_break_kind_known"),
        sa.CheckConstraint("break_no >= 1", name="gl_break_from_one"),
        schema="gl_export",
        comment="A difference between what the general ledger was sent and what it says, from the day it was found",
    )
    op.create_table(
        "gl_break_sighting",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("statement_no", sa.BigInteger(), nullable=False),
        sa.Column("break_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("gl_account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("sent", sa.Numeric(40, 0), nullable=False),
        sa.Column("found", sa.Numeric(40, 0), nullable=False),
        sa.Column("posting_date", sa.Date(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "statement_no", "break_no", name="gl_break_sighting_pkey"),
        _of_statement("gl_break_sighting"),
        _of_break("gl_break_sighting"),
        sa.CheckConstraint(
            "kind in ('timing', 'missing', 'duplicated', 'amount', 'mapping', 'foreign')",
            name="gl_break_sighting_kind_known",
        ),
        schema="gl_export",
        comment="A break as a statement shows it: what was sent, what was found, and why they differ",
    )
    op.create_table(
        "gl_break_action",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("break_no", sa.BigInteger(), nullable=False),
        sa.Column("action_no", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("difference", sa.Numeric(40, 0), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "break_no", "action_no", name="gl_break_action_pkey"),
        _of_break("gl_break_action"),
        sa.CheckConstraint("action in ('assigned', 'resolved')", name="gl_break_action_known"),
        sa.CheckConstraint("(action = 'assigned') = (owner is not null)", name="gl_break_action_owner"),
        sa.CheckConstraint("(action = 'resolved') = (reference is not null)", name="gl_break_action_reference"),
        schema="gl_export",
        comment="Who looks into a break, and what explains it; a resolution holds for the difference that it names",
    )


def _sign_offs() -> None:
    op.create_table(
        "gl_sign_off",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("statement_no", sa.BigInteger(), nullable=False),
        sa.Column("sign_off_no", sa.BigInteger(), nullable=False),
        sa.Column("balances", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "statement_no", "sign_off_no", name="gl_sign_off_pkey"),
        _of_statement("gl_sign_off"),
        sa.CheckConstraint("approver <> actor", name="gl_sign_off_second_person"),
        schema="gl_export",
        comment="Two people's word that a statement agrees, with the balances of the book that it rests on",
    )


def _of_statement(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["book_id", "statement_no"],
        ["gl_export.gl_statement.book_id", "gl_export.gl_statement.statement_no"],
        name=f"{name}_statement_fkey",
    )


def _of_break(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["book_id", "break_no"],
        ["gl_export.gl_break.book_id", "gl_export.gl_break.break_no"],
        name=f"{name}_break_fkey",
    )


def _recorded_at() -> sa.Column[object]:
    return sa.Column(
        "recorded_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
    )
