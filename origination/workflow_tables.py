"""The tables of workflows: their versions, which is in force from when, and what happened to each application.

What happened takes new rows only; two people who act at the same instant want the same event number, and one of them is
refused. Standing and open tasks are what the events come to, for lists and for the clock: written with each event, and
recomputable. Keys begin with the application. Next: `origination/workflow_store.py`; `origination/tables.py`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from origination.tables import _recorded_at, metadata
from origination.workflow.state import Kind, Phase


def _one_of(column: str, values: type[Kind | Phase]) -> str:
    return f"{column} in ({', '.join(repr(str(value)) for value in values)})"


workflow_version = Table(
    "workflow_version",
    metadata,
    Column("content_hash", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("content_hash", name="workflow_version_pkey"),
    comment="What a workflow says, by the hash of it; never changed",
)

workflow_activation = Table(
    "workflow_activation",
    metadata,
    Column("code", Text, nullable=False),
    Column("activation_no", BigInteger, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("active_from", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text),
    _recorded_at(),
    PrimaryKeyConstraint("code", "activation_no", name="workflow_activation_pkey"),
    ForeignKeyConstraint(
        ["content_hash"], ["origination.workflow_version.content_hash"], name="workflow_activation_version_fkey"
    ),
    CheckConstraint("activation_no >= 1", name="workflow_activation_from_one"),
    comment="From when on applications are started on a version of a workflow; the latest activation counts",
)

workflow_event = Table(
    "workflow_event",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("event_no", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("visit", BigInteger),
    Column("reason", Text),
    Column("details", JSONB, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "event_no", name="workflow_event_pkey"),
    ForeignKeyConstraint(
        ["application_id"], ["origination.application.application_id"], name="workflow_event_application_fkey"
    ),
    CheckConstraint("event_no >= 1 and (event_no = 1) = (kind = 'started')", name="workflow_event_begins"),
    CheckConstraint(_one_of("kind", Kind), name="workflow_event_kind_known"),
    comment="What happened to an application in its workflow, in order; where it stands is the fold of it",
)

workflow_standing = Table(
    "workflow_standing",
    metadata,
    Column("application_id", BigInteger, nullable=False, autoincrement=False),
    Column("book_id", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("result", Text),
    Column("steps", ARRAY(Text), nullable=False),
    Column("last_event_no", BigInteger, nullable=False),
    Column("wakes_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("application_id", name="workflow_standing_pkey"),
    ForeignKeyConstraint(
        ["application_id"], ["origination.application.application_id"], name="workflow_standing_application_fkey"
    ),
    ForeignKeyConstraint(
        ["content_hash"], ["origination.workflow_version.content_hash"], name="workflow_standing_version_fkey"
    ),
    CheckConstraint(_one_of("phase", Phase), name="workflow_standing_phase_known"),
    CheckConstraint("(phase = 'ended') = (result is not null)", name="workflow_standing_result"),
    CheckConstraint("phase = 'running' or wakes_at is null", name="workflow_standing_rests"),
    Index(
        "workflow_standing_by_wake",
        "book_id",
        "wakes_at",
        "application_id",
        postgresql_where=text("wakes_at is not null"),
    ),
    comment="Where an application stands in its workflow, and when something next happens by itself; recomputable",
    postgresql_with={"fillfactor": "70"},
)

workflow_task = Table(
    "workflow_task",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("task_no", BigInteger, nullable=False),
    Column("book_id", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("owner", Text),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("escalations", BigInteger, nullable=False),
    PrimaryKeyConstraint("application_id", "task_no", name="workflow_task_pkey"),
    ForeignKeyConstraint(
        ["application_id"], ["origination.application.application_id"], name="workflow_task_application_fkey"
    ),
    Index("workflow_task_by_due", "book_id", "due_at", "application_id", "task_no"),
    Index("workflow_task_by_queue", "book_id", "queue", "due_at", "application_id", "task_no"),
    Index(
        "workflow_task_by_owner",
        "book_id",
        "owner",
        "due_at",
        "application_id",
        "task_no",
        postgresql_where=text("owner is not null"),
    ),
    comment="Tasks of people that are not done; the list of what is to do, recomputable",
    postgresql_with={"fillfactor": "70"},
)
