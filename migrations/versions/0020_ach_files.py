"""Keep which files went to the clearing house and came from it, entry by entry, and what a person settled.

Revision: 0020, after 0017.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = ("ach_sent", "ach_entry", "ach_received", "ach_item", "ach_resolution")


def upgrade() -> None:
    _sent()
    _received()
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON servicing.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
        op.execute(f"GRANT SELECT ON servicing.{table} TO loanbook_app, loanbook_reader")
        op.execute(f"GRANT INSERT ON servicing.{table} TO loanbook_app")


def _recorded_at() -> sa.Column[object]:
    now = sa.text("clock_timestamp()")
    return sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=now, nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _date(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=False)


def _book() -> sa.Column[object]:
    return sa.Column("book_id", sa.Integer(), nullable=False)


def _sent() -> None:
    op.create_table(
        "ach_sent",
        _book(),
        _big("file_no"),
        _text("sha256"),
        _date("made_on"),
        _text("modifier"),
        _text("odfi"),
        *(_big(name) for name in ("first_sequence", "last_sequence", "entry_count", "debits", "credits")),
        _text("actor"),
        _recorded_at(),
        sa.CheckConstraint("file_no >= 1", name="ach_sent_from_one"),
        sa.CheckConstraint("first_sequence between 1 and last_sequence", name="ach_sent_sequences"),
        sa.PrimaryKeyConstraint("book_id", "file_no", name="ach_sent_pkey"),
        sa.UniqueConstraint("book_id", "sha256", name="ach_sent_once"),
        schema="servicing",
        comment="Files sent to the clearing house: their hash, and which trace numbers they took",
    )
    op.create_table(
        "ach_entry",
        _big("loan_id"),
        _big("file_no"),
        _text("trace"),
        _date("effective_on"),
        _text("side"),
        _big("amount"),
        _text("entry_class"),
        _text("purpose"),
        _text("payment_ref", nullable=True),
        _text("first_trace"),
        _recorded_at(),
        sa.CheckConstraint("side in ('debit', 'credit')", name="ach_entry_side"),
        sa.CheckConstraint("amount >= 0", name="ach_entry_not_negative"),
        sa.ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="ach_entry_loan_fkey"),
        sa.PrimaryKeyConstraint("loan_id", "file_no", "trace", name="ach_entry_pkey"),
        schema="servicing",
        comment="Entries sent: whose they are, which payment they bring, and which entry a retry presents again",
    )
    op.create_index("ach_entry_by_trace", "ach_entry", ["trace"], schema="servicing")


def _received() -> None:
    op.create_table(
        "ach_received",
        _book(),
        _big("file_no"),
        _text("sha256"),
        _text("name"),
        _date("taken_on"),
        *(_big(name) for name in ("item_count", "debits", "credits")),
        _text("actor"),
        _recorded_at(),
        sa.CheckConstraint("file_no >= 1", name="ach_received_from_one"),
        sa.PrimaryKeyConstraint("book_id", "file_no", name="ach_received_pkey"),
        sa.UniqueConstraint("book_id", "sha256", name="ach_received_once"),
        schema="servicing",
        comment="Files of returns and changes that were taken, each once, by its hash",
    )
    op.create_table(
        "ach_item",
        _book(),
        *(_big(name) for name in ("file_no", "item_no", "line")),
        *(_text(name) for name in ("kind", "code", "original_trace", "trace", "side")),
        _big("amount"),
        _text("outcome"),
        _text("reason"),
        *(_big(name, nullable=True) for name in ("loan_id", "event_no", "entry_no")),
        _recorded_at(),
        sa.CheckConstraint("item_no >= 1", name="ach_item_from_one"),
        sa.CheckConstraint("amount >= 0", name="ach_item_not_negative"),
        sa.ForeignKeyConstraint(
            ["book_id", "file_no"],
            ["servicing.ach_received.book_id", "servicing.ach_received.file_no"],
            name="ach_item_file_fkey",
        ),
        sa.PrimaryKeyConstraint("book_id", "file_no", "item_no", name="ach_item_pkey"),
        schema="servicing",
        comment="What came back: a return, a change, or their sequels, and what became of it. entry_no: what it booked"
        " to the exceptions account",
    )
    op.create_index("ach_item_by_original_trace", "ach_item", ["original_trace"], schema="servicing")
    op.create_table(
        "ach_resolution",
        _book(),
        *(_big(name) for name in ("file_no", "item_no")),
        *(_text(name) for name in ("how", "note")),
        _date("resolved_on"),
        *(_big(name, nullable=True) for name in ("loan_id", "event_no", "entry_no")),
        _text("actor"),
        _recorded_at(),
        sa.CheckConstraint("how in ('matched', 'recovered', 'noted')", name="ach_resolution_how"),
        sa.ForeignKeyConstraint(
            ["book_id", "file_no", "item_no"],
            ["servicing.ach_item.book_id", "servicing.ach_item.file_no", "servicing.ach_item.item_no"],
            name="ach_resolution_item_fkey",
        ),
        sa.PrimaryKeyConstraint("book_id", "file_no", "item_no", name="ach_resolution_pkey"),
        schema="servicing",
        comment="How a person settled what could not be settled by itself, once for each",
    )
