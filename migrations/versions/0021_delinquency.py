"""Keep how far behind loans are as ranges of days, and the cases, promises and contacts of collecting what is past due.

Ranges can be made again from the fold; of cases, promises and flags the standing may move, their log is appended.
Revision: 0021, after 0020.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from ledger.sql_files import read_sql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

APPENDED = ("collection_policy", "collection_note")
MOVED = {
    "collection_mark": "through",
    "collection_case": "queue, owner, priority, next_action, next_action_on, closed_on, policy_version",
    "promise": "status, decided_on, received",
    "contact_flag": "lifted_on, lifted_by",
}
"""What of a row may change, by table."""


def upgrade() -> None:
    _delinquency_range()
    _policy()
    _case()
    _note()
    _promise()
    _flag()
    op.execute(read_sql("delinquency.sql", "servicing"))
    op.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA servicing FROM PUBLIC")
    op.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA servicing TO loanbook_app, loanbook_reader")
    op.execute("GRANT SELECT ON servicing.delinquency_range TO loanbook_app, loanbook_reader")
    op.execute("GRANT INSERT, UPDATE, DELETE ON servicing.delinquency_range TO loanbook_app")
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON servicing.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
    for table in (*APPENDED, *MOVED):
        op.execute(f"GRANT SELECT ON servicing.{table} TO loanbook_app, loanbook_reader")
        op.execute(f"GRANT INSERT ON servicing.{table} TO loanbook_app")
    for table, columns in MOVED.items():
        op.execute(f"GRANT UPDATE ({columns}) ON servicing.{table} TO loanbook_app")


def _recorded_at() -> sa.Column[object]:
    return sa.Column(
        "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
    )


def _loan(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name=f"{table}_loan_fkey")


def _delinquency_range() -> None:
    op.create_table(
        "delinquency_range",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("range_no", sa.BigInteger(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("through", sa.Date(), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("recent_since", sa.Date(), nullable=True),
        sa.Column("counts_from", sa.Date(), nullable=True),
        sa.Column("recent_counts_from", sa.Date(), nullable=True),
        sa.Column("stopped_on", sa.Date(), nullable=True),
        sa.Column("principal", sa.BigInteger(), nullable=False),
        sa.Column("interest", sa.BigInteger(), nullable=False),
        sa.Column("fees", sa.BigInteger(), nullable=False),
        sa.Column("penalties", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("superseded_on", sa.Date(), nullable=True),
        _recorded_at(),
        sa.CheckConstraint("since < from_day", name="delinquency_range_since"),
        sa.CheckConstraint("(since is null) = (counts_from is null)", name="delinquency_range_counts"),
        sa.CheckConstraint("through >= from_day", name="delinquency_range_ends"),
        _loan("delinquency_range"),
        sa.PrimaryKeyConstraint("loan_id", "range_no", name="delinquency_range_pkey"),
        schema="servicing",
        comment="Where a loan stands on days from_day to through (null: until something changes): days past due count"
        " from counts_from, in a pause up to stopped_on alone. Recomputable; what a later event has made otherwise"
        " is superseded",
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "delinquency_range_past_due",
        "delinquency_range",
        ["through"],
        schema="servicing",
        postgresql_where=sa.text("superseded_on IS NULL AND counts_from IS NOT NULL"),
    )


def _policy() -> None:
    op.create_table(
        "collection_policy",
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.Column("loaded_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("version >= 1", name="collection_policy_from_one"),
        sa.PrimaryKeyConstraint("book_id", "version", name="collection_policy_pkey"),
        schema="servicing",
        comment="How a book collects what is past due, version by version; the latest is in force",
    )
    op.create_table(
        "collection_mark",
        sa.Column("book_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", name="collection_mark_pkey"),
        schema="servicing",
        comment="The last day on which the cases of a book were decided",
    )


def _case() -> None:
    op.create_table(
        "collection_case",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("case_no", sa.BigInteger(), nullable=False),
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("next_action", sa.Text(), nullable=False),
        sa.Column("next_action_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("case_no >= 1", name="collection_case_from_one"),
        sa.CheckConstraint("closed_on >= opened_on", name="collection_case_closes"),
        _loan("collection_case"),
        sa.PrimaryKeyConstraint("loan_id", "case_no", name="collection_case_pkey"),
        schema="servicing",
        comment="The work on a loan that is past due, from the day on which policy opened it to its close",
    )
    op.create_index(
        "collection_case_open",
        "collection_case",
        ["book_id", "queue", "priority", "next_action_on", "loan_id"],
        schema="servicing",
        postgresql_where=sa.text("closed_on IS NULL"),
    )


def _note() -> None:
    op.create_table(
        "collection_note",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("note_no", sa.BigInteger(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("note_no >= 1", name="collection_note_from_one"),
        _loan("collection_note"),
        sa.PrimaryKeyConstraint("loan_id", "note_no", name="collection_note_pkey"),
        sa.UniqueConstraint("loan_id", "request_key", name="collection_note_request_key_key"),
        schema="servicing",
        comment="What was done and what happened in collecting from a borrower: appended, never changed",
    )


def _promise() -> None:
    op.create_table(
        "promise",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("promise_no", sa.BigInteger(), nullable=False),
        sa.Column("plan_no", sa.BigInteger(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("counts_from", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("least", sa.BigInteger(), nullable=False),
        sa.Column("grace_days", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("amount > 0 and least between 0 and amount", name="promise_amounts"),
        sa.CheckConstraint("due_on >= promised_on", name="promise_looks_ahead"),
        sa.CheckConstraint("status in ('open', 'kept', 'broken')", name="promise_status"),
        _loan("promise"),
        sa.PrimaryKeyConstraint("loan_id", "promise_no", name="promise_pkey"),
        sa.UniqueConstraint("loan_id", "request_key", name="promise_request_key_key"),
        schema="servicing",
        comment="What a borrower promised to pay by a day, and what came of it; promises of one plan share its number",
    )
    op.create_index("promise_by_due", "promise", ["due_on"], schema="servicing")


def _flag() -> None:
    op.create_table(
        "contact_flag",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("flag_no", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("lifted_on", sa.Date(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        _recorded_at(),
        _loan("contact_flag"),
        sa.PrimaryKeyConstraint("loan_id", "flag_no", name="contact_flag_pkey"),
        schema="servicing",
        comment="By which channel a borrower must not be contacted, or by none at all (all), until the flag is lifted",
    )
