"""Keep workflows, what happened to applications in them, where each stands and what is to do.

Revision: 0025, after 0024.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

APPENDED = ("workflow_version", "workflow_activation", "workflow_event")
RECOMPUTABLE = ("workflow_standing", "workflow_task")
KINDS = (
    "'started', 'done', 'failed', 'retried', 'claimed', 'released', 'reassigned', 'completed', 'escalated',"
    " 'timed_out', 'signaled', 'facts_given', 'canceled'"
)


def upgrade() -> None:
    _versions()
    _events()
    _standing()
    _tasks()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON origination.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
    for table in (*APPENDED, *RECOMPUTABLE):
        op.execute(f"GRANT SELECT ON origination.{table} TO loanbook_app, loanbook_reader")
        op.execute(f"GRANT INSERT ON origination.{table} TO loanbook_app")
    for table in RECOMPUTABLE:
        op.execute(f"GRANT UPDATE, DELETE ON origination.{table} TO loanbook_app")


def _versions() -> None:
    op.create_table(
        "workflow_version",
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("content_hash", name="workflow_version_pkey"),
        schema="origination",
        comment="What a workflow says, by the hash of it; never changed",
    )
    op.create_table(
        "workflow_activation",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("activation_no", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        _recorded_at(),
        sa.CheckConstraint("activation_no >= 1", name="workflow_activation_from_one"),
        sa.ForeignKeyConstraint(
            ["content_hash"], ["origination.workflow_version.content_hash"], name="workflow_activation_version_fkey"
        ),
        sa.PrimaryKeyConstraint("code", "activation_no", name="workflow_activation_pkey"),
        schema="origination",
        comment="From when on applications are started on a version of a workflow; the latest activation counts",
    )


def _events() -> None:
    op.create_table(
        "workflow_event",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("visit", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("event_no >= 1 and (event_no = 1) = (kind = 'started')", name="workflow_event_begins"),
        sa.CheckConstraint(f"kind in ({KINDS})", name="workflow_event_kind_known"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.application.application_id"], name="workflow_event_application_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", "event_no", name="workflow_event_pkey"),
        schema="origination",
        comment="What happened to an application in its workflow, in order; where it stands is the fold of it",
    )


def _standing() -> None:
    op.create_table(
        "workflow_standing",
        sa.Column("application_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("steps", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("last_event_no", sa.BigInteger(), nullable=False),
        sa.Column("wakes_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("phase in ('running', 'ended', 'canceled')", name="workflow_standing_phase_known"),
        sa.CheckConstraint("(phase = 'ended') = (result is not null)", name="workflow_standing_result"),
        sa.CheckConstraint("phase = 'running' or wakes_at is null", name="workflow_standing_rests"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.application.application_id"], name="workflow_standing_application_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["content_hash"], ["origination.workflow_version.content_hash"], name="workflow_standing_version_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", name="workflow_standing_pkey"),
        schema="origination",
        comment="Where an application stands in its workflow, and when something next happens by itself; recomputable",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "workflow_standing_by_wake",
        "workflow_standing",
        ["book_id", "wakes_at", "application_id"],
        unique=False,
        schema="origination",
        postgresql_where=sa.text("wakes_at is not null"),
    )


def _tasks() -> None:
    op.create_table(
        "workflow_task",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("task_no", sa.BigInteger(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("escalations", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.application.application_id"], name="workflow_task_application_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", "task_no", name="workflow_task_pkey"),
        schema="origination",
        comment="Tasks of people that are not done; the list of what is to do, recomputable",
        postgresql_with={"fillfactor": "70"},
    )
    place = ["due_at", "application_id", "task_no"]
    for name, first in (("due", []), ("queue", ["queue"]), ("owner", ["owner"])):
        op.create_index(
            f"workflow_task_by_{name}",
            "workflow_task",
            ["book_id", *first, *place],
            unique=False,
            schema="origination",
            postgresql_where=sa.text("owner is not null") if name == "owner" else None,
        )


def _recorded_at() -> sa.Column[object]:
    return sa.Column(
        "recorded_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
    )
