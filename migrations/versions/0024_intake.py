"""Create the tables of intake and verification: drafts, submissions, personal data apart from the rest, sources.

Revision: 0024, after 0023.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

APPENDED = (
    "application_form",
    "routing_table",
    "intake",
    "intake_version",
    "intake_submission",
    "consent",
    "personal_data_access",
    "personal_data_erasure",
    "verification_source",
    "verification",
    "verification_attempt",
    "verification_result",
)
KEPT = ("personal_data", "person_index", "intake_gate")
"""Tables whose rows stay, while something of them may be written anew."""


def upgrade() -> None:
    for create in CREATE:
        create()
    op.execute("INSERT INTO origination.intake_gate SELECT n, 0 FROM generate_series(0, 63) n")
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON origination.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
        op.execute(f"GRANT SELECT ON origination.{table} TO loanbook_app, loanbook_reader")
        op.execute(f"GRANT INSERT ON origination.{table} TO loanbook_app")
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER {table}_never_removed BEFORE DELETE OR TRUNCATE ON origination.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
    # Whoever only reads has no use for personal data, encrypted or not.
    op.execute("GRANT SELECT, INSERT ON origination.personal_data, origination.person_index TO loanbook_app")
    op.execute("GRANT UPDATE (key_id, token) ON origination.personal_data TO loanbook_app")
    op.execute("GRANT UPDATE (key_id, index_value) ON origination.person_index TO loanbook_app")
    op.execute("GRANT SELECT, UPDATE (passed) ON origination.intake_gate TO loanbook_app")


def _application_form() -> None:
    op.create_table(
        "application_form",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("declaration", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("release >= 1", name="application_form_from_one"),
        sa.PrimaryKeyConstraint("name", "release", name="application_form_pkey"),
        schema="origination",
        comment="What a product asks of its applicants, release after release",
    )


def _routing_table() -> None:
    op.create_table(
        "routing_table",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("declaration", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("release >= 1", name="routing_table_from_one"),
        sa.PrimaryKeyConstraint("book_id", "release", name="routing_table_pkey"),
        schema="origination",
        comment="Where applications of a book go, release after release",
    )


def _intake() -> None:
    op.create_table(
        "intake",
        sa.Column("application_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint(
            "channel in ('web', 'mobile', 'point_of_sale', 'agent', 'partner', 'file')", name="intake_channel_known"
        ),
        sa.PrimaryKeyConstraint("application_id", name="intake_pkey"),
        schema="origination",
        comment="An application from the first thing that was saved of it",
    )
    op.create_index("intake_by_external_id", "intake", ["book_id", "external_id"], unique=False, schema="origination")


def _intake_version() -> None:
    op.create_table(
        "intake_version",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("version_no", sa.BigInteger(), nullable=False),
        sa.Column("form_hash", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("saved_on", sa.Date(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("version_no >= 1", name="intake_version_from_one"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.intake.application_id"], name="intake_version_intake_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", "version_no", name="intake_version_pkey"),
        schema="origination",
        comment="What was saved of an application, without personal data; the last version counts",
    )


def _intake_submission() -> None:
    op.create_table(
        "intake_submission",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("version_no", sa.BigInteger(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("form_release", sa.BigInteger(), nullable=False),
        sa.Column("derived", postgresql.JSONB(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("routing_release", sa.BigInteger(), nullable=False),
        sa.Column("route_no", sa.BigInteger(), nullable=False),
        sa.Column("duplicate_of", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("submitted_on", sa.Date(), nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=False),
        _recorded_at(),
        sa.ForeignKeyConstraint(
            ["application_id", "version_no"],
            ["origination.intake_version.application_id", "origination.intake_version.version_no"],
            name="intake_submission_version_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.application.application_id"], name="intake_submission_application_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", name="intake_submission_pkey"),
        schema="origination",
        comment="The version that was submitted, where it went, and whose repeat it is",
    )
    op.create_index(
        "intake_submission_by_queue",
        "intake_submission",
        ["book_id", "queue", "application_id"],
        unique=False,
        schema="origination",
    )


def _consent() -> None:
    op.create_table(
        "consent",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("by_ip", sa.Boolean(), nullable=False),
        sa.Column("by_device", sa.Boolean(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("text_hash ~ '^[0-9a-f]{64}$'", name="consent_text_hash"),
        sa.CheckConstraint("by_ip or by_device or agent is not null", name="consent_has_origin"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.intake_submission.application_id"], name="consent_submission_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", "kind", name="consent_pkey"),
        schema="origination",
        comment="What an applicant agreed to: which text, when, from where; address and device are personal data",
    )


def _personal_data() -> None:
    op.create_table(
        "personal_data",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        _recorded_at(),
        sa.CheckConstraint("part in ('version', 'request', 'response')", name="personal_data_part_known"),
        sa.CheckConstraint("(key_id is null) = (token is null)", name="personal_data_erased_whole"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.intake.application_id"], name="personal_data_intake_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", "part", "number", "place", name="personal_data_pkey"),
        schema="origination",
        comment="Personal data of versions, requests and responses, encrypted; no token: they were erased",
    )
    op.create_index("personal_data_by_key", "personal_data", ["key_id"], unique=False, schema="origination")


def _person_index() -> None:
    op.create_table(
        "person_index",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("index_value", sa.Text(), nullable=True),
        sa.CheckConstraint("(key_id is null) = (index_value is null)", name="person_index_erased_whole"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.intake_submission.application_id"], name="person_index_submission_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", "kind", name="person_index_pkey"),
        schema="origination",
        comment="By what the same person is found again: HMACs of what identifies an applicant",
    )
    op.create_index("person_index_by_value", "person_index", ["index_value"], unique=False, schema="origination")


def _intake_gate() -> None:
    op.create_table(
        "intake_gate",
        sa.Column("gate_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("passed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gate_no", name="intake_gate_pkey"),
        schema="origination",
        comment="Sixty-four gates: two submissions of one person pass the same one, one after the other",
    )


def _personal_data_access() -> None:
    op.create_table(
        "personal_data_access",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("access_no", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("groups", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("access_no >= 1 and reason <> ''", name="personal_data_access_reasoned"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.intake.application_id"], name="personal_data_access_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", "access_no", name="personal_data_access_pkey"),
        schema="origination",
        comment="Who saw personal data as they are, in which role, and why",
    )


def _personal_data_erasure() -> None:
    op.create_table(
        "personal_data_erasure",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("rows_erased", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=True),
        sa.Column("erased_on", sa.Date(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("reason <> '' and approver <> actor", name="personal_data_erasure_reasoned"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.intake.application_id"], name="personal_data_erasure_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", name="personal_data_erasure_pkey"),
        schema="origination",
        comment="Which applications' personal data were erased, by whom and why",
    )


def _verification_source() -> None:
    op.create_table(
        "verification_source",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("declaration", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint(
            "kind in ('identity', 'credit_report', 'bank_data', 'income', 'fraud')",
            name="verification_source_kind_known",
        ),
        sa.CheckConstraint("release >= 1", name="verification_source_from_one"),
        sa.PrimaryKeyConstraint("name", "release", name="verification_source_pkey"),
        schema="origination",
        comment="Who can be asked about an applicant and how, release after release",
    )


def _verification() -> None:
    op.create_table(
        "verification",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("verification_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint(
            "kind in ('identity', 'credit_report', 'bank_data', 'income', 'fraud')", name="verification_kind_known"
        ),
        sa.CheckConstraint("verification_no >= 1", name="verification_from_one"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.intake_submission.application_id"], name="verification_submission_fkey"
        ),
        sa.PrimaryKeyConstraint("application_id", "verification_no", name="verification_pkey"),
        schema="origination",
        comment="What is to be found out about an applicant; without a result it is still being asked",
    )


def _verification_attempt() -> None:
    op.create_table(
        "verification_attempt",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("verification_no", sa.BigInteger(), nullable=False),
        sa.Column("attempt_no", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("latency_ms", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("response_hash", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint(
            "status in ('answered', 'timeout', 'unreachable', 'refused', 'malformed', 'circuit_open')",
            name="verification_attempt_status_known",
        ),
        sa.CheckConstraint("attempt_no >= 1 and latency_ms >= 0 and cost >= 0", name="verification_attempt_figures"),
        sa.ForeignKeyConstraint(
            ["application_id", "verification_no"],
            ["origination.verification.application_id", "origination.verification.verification_no"],
            name="verification_attempt_verification_fkey",
        ),
        sa.PrimaryKeyConstraint("application_id", "verification_no", "attempt_no", name="verification_attempt_pkey"),
        schema="origination",
        comment="Each time that a source was asked: what it took and cost, and how it ended",
    )
    op.create_index(
        "verification_attempt_by_source",
        "verification_attempt",
        ["source", "recorded_at"],
        unique=False,
        schema="origination",
    )


def _verification_result() -> None:
    op.create_table(
        "verification_result",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("verification_no", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint(
            "(outcome = 'completed' or facts = '{}'::jsonb) and (source is not null or reason is not null)",
            name="verification_result_sound",
        ),
        sa.CheckConstraint(
            "outcome in ('completed', 'no_record', 'manual_review')", name="verification_result_outcome_known"
        ),
        sa.ForeignKeyConstraint(
            ["application_id", "verification_no"],
            ["origination.verification.application_id", "origination.verification.verification_no"],
            name="verification_result_verification_fkey",
        ),
        sa.PrimaryKeyConstraint("application_id", "verification_no", name="verification_result_pkey"),
        schema="origination",
        comment="What a verification came to, and the facts that decisions read",
    )


def _recorded_at() -> sa.Column[object]:
    return sa.Column(
        "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
    )


CREATE = (
    _application_form,
    _routing_table,
    _intake,
    _intake_version,
    _intake_submission,
    _consent,
    _personal_data,
    _person_index,
    _intake_gate,
    _personal_data_access,
    _personal_data_erasure,
    _verification_source,
    _verification,
    _verification_attempt,
    _verification_result,
)
