"""The tables of verification: sources, what was asked of them, every attempt, and what came of it.

All of them take new rows only; what is personal in requests and responses stands in `personal_data`, encrypted. Keys
begin with the application. Next: `origination/verification_store.py`; `docs/spec/verification.md`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from origination.tables import _recorded_at, metadata
from origination.verification.kinds import ATTEMPT_STATUSES, KINDS, OUTCOMES


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


verification_source = Table(
    "verification_source",
    metadata,
    Column("name", Text, nullable=False),
    Column("release", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("declaration", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("name", "release", name="verification_source_pkey"),
    CheckConstraint("release >= 1", name="verification_source_from_one"),
    CheckConstraint(_one_of("kind", KINDS), name="verification_source_kind_known"),
    comment="Who can be asked about an applicant and how, release after release",
)

verification = Table(
    "verification",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("verification_no", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("asked_on", Date, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "verification_no", name="verification_pkey"),
    ForeignKeyConstraint(
        ["application_id"], ["origination.intake_submission.application_id"], name="verification_submission_fkey"
    ),
    CheckConstraint("verification_no >= 1", name="verification_from_one"),
    CheckConstraint(_one_of("kind", KINDS), name="verification_kind_known"),
    comment="What is to be found out about an applicant; without a result it is still being asked",
)

verification_attempt = Table(
    "verification_attempt",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("verification_no", BigInteger, nullable=False),
    Column("attempt_no", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_hash", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("http_status", Integer),
    Column("latency_ms", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("response_hash", Text),
    Column("detail", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "verification_no", "attempt_no", name="verification_attempt_pkey"),
    ForeignKeyConstraint(
        ["application_id", "verification_no"],
        ["origination.verification.application_id", "origination.verification.verification_no"],
        name="verification_attempt_verification_fkey",
    ),
    Index("verification_attempt_by_source", "source", "recorded_at"),
    CheckConstraint(_one_of("status", ATTEMPT_STATUSES), name="verification_attempt_status_known"),
    CheckConstraint("attempt_no >= 1 and latency_ms >= 0 and cost >= 0", name="verification_attempt_figures"),
    comment="Each time that a source was asked: what it took and cost, and how it ended",
)

verification_result = Table(
    "verification_result",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("verification_no", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("source", Text),
    Column("facts", JSONB, nullable=False),
    Column("reason", Text),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "verification_no", name="verification_result_pkey"),
    ForeignKeyConstraint(
        ["application_id", "verification_no"],
        ["origination.verification.application_id", "origination.verification.verification_no"],
        name="verification_result_verification_fkey",
    ),
    CheckConstraint(_one_of("outcome", OUTCOMES), name="verification_result_outcome_known"),
    CheckConstraint(
        "(outcome = 'completed' or facts = '{}'::jsonb) and (source is not null or reason is not null)",
        name="verification_result_sound",
    ),
    comment="What a verification came to, and the facts that decisions read",
)
