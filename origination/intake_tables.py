"""The tables of intake: forms, routes, drafts, what was submitted, consents, and personal data apart from the rest.

All of them take new rows only, but for three: the encrypted token of personal data and the blind index of a person are
written anew when a key changes, and emptied when the data are erased; a gate is what two submissions of one person wait
at. Keys begin with the application. Next: `origination/intake_store.py`; `origination/tables.py` for the rest.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from origination.application import CHANNELS
from origination.tables import _recorded_at, metadata

_CHANNELS = ", ".join(f"'{name}'" for name in CHANNELS)

application_form = Table(
    "application_form",
    metadata,
    Column("name", Text, nullable=False),
    Column("release", BigInteger, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("declaration", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("name", "release", name="application_form_pkey"),
    CheckConstraint("release >= 1", name="application_form_from_one"),
    comment="What a product asks of its applicants, release after release",
)

routing_table = Table(
    "routing_table",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("release", BigInteger, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("declaration", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "release", name="routing_table_pkey"),
    CheckConstraint("release >= 1", name="routing_table_from_one"),
    comment="Where applications of a book go, release after release",
)

intake = Table(
    "intake",
    metadata,
    Column("application_id", BigInteger, nullable=False, autoincrement=False),
    Column("book_id", Integer, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("entered_by", Text, nullable=False),
    Column("entered_on", Date, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", name="intake_pkey"),
    Index("intake_by_external_id", "book_id", "external_id"),
    CheckConstraint(f"channel in ({_CHANNELS})", name="intake_channel_known"),
    comment="An application from the first thing that was saved of it",
)

intake_version = Table(
    "intake_version",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("version_no", BigInteger, nullable=False),
    Column("form_hash", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("saved_on", Date, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "version_no", name="intake_version_pkey"),
    ForeignKeyConstraint(["application_id"], ["origination.intake.application_id"], name="intake_version_intake_fkey"),
    CheckConstraint("version_no >= 1", name="intake_version_from_one"),
    comment="What was saved of an application, without personal data; the last version counts",
)

intake_submission = Table(
    "intake_submission",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("version_no", BigInteger, nullable=False),
    Column("book_id", Integer, nullable=False),
    Column("product", Text, nullable=False),
    Column("form_release", BigInteger, nullable=False),
    Column("derived", JSONB, nullable=False),
    Column("workflow", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("routing_release", BigInteger, nullable=False),
    Column("route_no", BigInteger, nullable=False),
    Column("duplicate_of", ARRAY(BigInteger), nullable=False),
    Column("actor", Text, nullable=False),
    Column("submitted_on", Date, nullable=False),
    Column("keep_until", Date, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", name="intake_submission_pkey"),
    ForeignKeyConstraint(
        ["application_id", "version_no"],
        ["origination.intake_version.application_id", "origination.intake_version.version_no"],
        name="intake_submission_version_fkey",
    ),
    ForeignKeyConstraint(
        ["application_id"], ["origination.application.application_id"], name="intake_submission_application_fkey"
    ),
    Index("intake_submission_by_queue", "book_id", "queue", "application_id"),
    comment="The version that was submitted, where it went, and whose repeat it is",
)

consent = Table(
    "consent",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text_version", Text, nullable=False),
    Column("text_hash", Text, nullable=False),
    Column("given_at", DateTime(timezone=True), nullable=False),
    Column("channel", Text, nullable=False),
    Column("agent", Text),
    Column("by_ip", Boolean, nullable=False),
    Column("by_device", Boolean, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "kind", name="consent_pkey"),
    ForeignKeyConstraint(
        ["application_id"], ["origination.intake_submission.application_id"], name="consent_submission_fkey"
    ),
    CheckConstraint("text_hash ~ '^[0-9a-f]{64}$'", name="consent_text_hash"),
    CheckConstraint("by_ip or by_device or agent is not null", name="consent_has_origin"),
    comment="What an applicant agreed to: which text, when, from where; address and device are personal data",
)

personal_data = Table(
    "personal_data",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("part", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("key_id", Text),
    Column("token", Text),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "part", "number", "place", name="personal_data_pkey"),
    ForeignKeyConstraint(["application_id"], ["origination.intake.application_id"], name="personal_data_intake_fkey"),
    CheckConstraint("part in ('version', 'request', 'response')", name="personal_data_part_known"),
    CheckConstraint("(key_id is null) = (token is null)", name="personal_data_erased_whole"),
    Index("personal_data_by_key", "key_id"),
    comment="Personal data of versions, requests and responses, encrypted; no token: they were erased",
)

person_index = Table(
    "person_index",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key_id", Text),
    Column("index_value", Text),
    PrimaryKeyConstraint("application_id", "kind", name="person_index_pkey"),
    ForeignKeyConstraint(
        ["application_id"], ["origination.intake_submission.application_id"], name="person_index_submission_fkey"
    ),
    CheckConstraint("(key_id is null) = (index_value is null)", name="person_index_erased_whole"),
    Index("person_index_by_value", "index_value"),
    comment="By what the same person is found again: HMACs of what identifies an applicant",
)

intake_gate = Table(
    "intake_gate",
    metadata,
    Column("gate_no", Integer, nullable=False, autoincrement=False),
    Column("passed", BigInteger, nullable=False),
    PrimaryKeyConstraint("gate_no", name="intake_gate_pkey"),
    comment="Sixty-four gates: two submissions of one person pass the same one, one after the other",
)

personal_data_access = Table(
    "personal_data_access",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("access_no", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("groups", ARRAY(Text), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "access_no", name="personal_data_access_pkey"),
    ForeignKeyConstraint(["application_id"], ["origination.intake.application_id"], name="personal_data_access_fkey"),
    CheckConstraint("access_no >= 1 and reason <> ''", name="personal_data_access_reasoned"),
    comment="Who saw personal data as they are, in which role, and why",
)

personal_data_erasure = Table(
    "personal_data_erasure",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("rows_erased", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text),
    Column("erased_on", Date, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", name="personal_data_erasure_pkey"),
    ForeignKeyConstraint(["application_id"], ["origination.intake.application_id"], name="personal_data_erasure_fkey"),
    CheckConstraint("reason <> '' and approver <> actor", name="personal_data_erasure_reasoned"),
    comment="Which applications' personal data were erased, by whom and why",
)
