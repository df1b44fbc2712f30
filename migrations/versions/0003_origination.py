"""Create the tables of origination, which take new rows only.

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("application", "application_event", "disbursement")


def upgrade() -> None:
    op.execute("CREATE SCHEMA origination")
    op.create_table(
        "application",
        sa.Column("application_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("applicant", sa.Text(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", name="application_pkey"),
        sa.CheckConstraint(
            "channel in ('web', 'mobile', 'point_of_sale', 'agent', 'partner', 'file')",
            name="application_channel_known",
        ),
        schema="origination",
        comment="A request for a loan, as it was entered; the terms are those that a funding boards",
    )
    op.create_index(
        "application_by_external_id",
        "application",
        ["book_id", "external_id"],
        unique=False,
        schema="origination",
    )
    op.create_table(
        "application_event",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("event_no", sa.SmallInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("loan_id", sa.BigInteger(), nullable=True),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", "event_no", name="application_event_pkey"),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["origination.application.application_id"],
            name="application_event_application_fkey",
        ),
        sa.CheckConstraint("approver <> actor", name="application_event_second_person"),
        sa.CheckConstraint(
            "(state = 'funded') = (loan_id is not null) and (state <> 'funded' or approver is not null)",
            name="application_event_funding_sound",
        ),
        sa.CheckConstraint("event_no > 0", name="application_event_number_positive"),
        schema="origination",
        comment="What happened to an application, in order; the last row says where it stands",
    )
    op.create_table(
        "disbursement",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("disbursement_no", sa.SmallInteger(), nullable=False),
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", "disbursement_no", name="disbursement_pkey"),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["origination.application.application_id"],
            name="disbursement_application_fkey",
        ),
        sa.CheckConstraint("amount > 0 and disbursement_no > 0", name="disbursement_positive"),
        sa.CheckConstraint("rail in ('ach', 'wire', 'check')", name="disbursement_rail_known"),
        schema="origination",
        comment="Instructions to pay out the proceeds of a loan, written in the transaction that funds it",
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON origination.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
    op.execute("GRANT USAGE ON SCHEMA origination TO loanbook_app, loanbook_reader")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA origination TO loanbook_app, loanbook_reader")
    op.execute("GRANT INSERT ON ALL TABLES IN SCHEMA origination TO loanbook_app")


def _recorded_at() -> sa.Column[object]:
    return sa.Column(
        "recorded_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
    )
