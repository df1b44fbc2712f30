"""The tables of policies and decisions, every constraint named; all of them take new rows only.

A version of a policy stands under the hash of its content. A decision keeps the facts that it was made on and all that
the policy said, so that it can be computed again. Next: `origination/policy_store.py`; migration 0023.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from origination.tables import metadata


def _recorded_at() -> Column[object]:
    return Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


policy_version = Table(
    "policy_version",
    metadata,
    Column("content_hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("content_hash", name="policy_version_pkey"),
    comment="Policies, each version under the hash of its content",
)

policy_activation = Table(
    "policy_activation",
    metadata,
    Column("name", Text, nullable=False),
    Column("activation_no", BigInteger, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("champion", Text, nullable=False),
    Column("challenger", Text),
    Column("challenger_bp", Integer, nullable=False),
    Column("shadows", ARRAY(Text), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("name", "activation_no", name="policy_activation_pkey"),
    ForeignKeyConstraint(
        ["champion"], ["origination.policy_version.content_hash"], name="policy_activation_champion_fkey"
    ),
    ForeignKeyConstraint(
        ["challenger"], ["origination.policy_version.content_hash"], name="policy_activation_challenger_fkey"
    ),
    CheckConstraint("activation_no >= 1", name="policy_activation_from_one"),
    CheckConstraint("approver <> actor", name="policy_activation_second_person"),
    CheckConstraint(
        "challenger_bp between 0 and 10000 and (challenger is null) = (challenger_bp = 0)",
        name="policy_activation_share_sound",
    ),
    comment="Which versions of a policy decide from a day on; a later one takes their place",
)

authority_version = Table(
    "authority_version",
    metadata,
    Column("version", BigInteger, nullable=False, autoincrement=False),
    Column("content_hash", Text, nullable=False),
    Column("limits", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("version", name="authority_version_pkey"),
    CheckConstraint("version >= 1", name="authority_version_from_one"),
    CheckConstraint("approver <> actor", name="authority_version_second_person"),
    comment="Who may decide on what policies refer, within which limits; the latest version is in force",
)

decision = Table(
    "decision",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("decision_no", SmallInteger, nullable=False),
    Column("decision_id", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("result", JSONB, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "decision_no", name="decision_pkey"),
    ForeignKeyConstraint(
        ["application_id"], ["origination.application.application_id"], name="decision_application_fkey"
    ),
    ForeignKeyConstraint(["content_hash"], ["origination.policy_version.content_hash"], name="decision_version_fkey"),
    Index("decision_by_id", "decision_id"),
    CheckConstraint("decision_no > 0", name="decision_number_positive"),
    CheckConstraint("role in ('champion', 'challenger', 'shadow')", name="decision_role_known"),
    CheckConstraint("outcome in ('approve', 'counter_offer', 'refer', 'decline')", name="decision_outcome_known"),
    comment="What a version of a policy decided on an application, on which facts; a shadow has no effect",
)

underwriting = Table(
    "underwriting",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("decision_no", SmallInteger, nullable=False),
    Column("decision_id", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("authority_version", BigInteger, nullable=False),
    Column("authority_group", Text, nullable=False),
    Column("second_group", Text),
    Column("exceptions", ARRAY(Text), nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("reason", Text),
    Column("business_date", Date, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "decision_no", name="underwriting_pkey"),
    ForeignKeyConstraint(
        ["application_id", "decision_no"],
        ["origination.decision.application_id", "origination.decision.decision_no"],
        name="underwriting_decision_fkey",
    ),
    ForeignKeyConstraint(
        ["authority_version"], ["origination.authority_version.version"], name="underwriting_authority_fkey"
    ),
    CheckConstraint("verdict in ('approve', 'decline', 'override')", name="underwriting_verdict_known"),
    CheckConstraint("approver <> actor", name="underwriting_second_person"),
    CheckConstraint("verdict <> 'override' or reason is not null", name="underwriting_override_has_reason"),
    CheckConstraint("second_group is null or approver is not null", name="underwriting_second_group_sound"),
    comment="What an underwriter decided where the policy referred, or against it; by whose authority, and why",
)
