"""Keep policies by the hash of their content, what they decide, and what underwriters decide.

Revision: 0023, after 0021.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("policy_version", "policy_activation", "authority_version", "decision", "underwriting")


def upgrade() -> None:
    _versions()
    _decisions()
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON origination.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
        op.execute(f"GRANT SELECT ON origination.{table} TO loanbook_app, loanbook_reader")
        op.execute(f"GRANT INSERT ON origination.{table} TO loanbook_app")


def _recorded_at() -> sa.Column[object]:
    now = sa.text("clock_timestamp()")
    return sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=now, nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _big(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _texts(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.ARRAY(sa.Text()), nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _day(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=False)


def _small(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.SmallInteger(), nullable=False)


def _versions() -> None:
    op.create_table(
        "policy_version",
        _text("content_hash"),
        _text("name"),
        _json("body"),
        _text("actor"),
        _recorded_at(),
        sa.PrimaryKeyConstraint("content_hash", name="policy_version_pkey"),
        schema="origination",
        comment="Policies, each version under the hash of its content",
    )
    version = ["origination.policy_version.content_hash"]
    op.create_table(
        "policy_activation",
        _text("name"),
        _big("activation_no"),
        _day("effective_date"),
        _text("champion"),
        _text("challenger", nullable=True),
        sa.Column("challenger_bp", sa.Integer(), nullable=False),
        _texts("shadows"),
        _text("reason"),
        _text("actor"),
        _text("approver"),
        _recorded_at(),
        sa.PrimaryKeyConstraint("name", "activation_no", name="policy_activation_pkey"),
        sa.ForeignKeyConstraint(["champion"], version, name="policy_activation_champion_fkey"),
        sa.ForeignKeyConstraint(["challenger"], version, name="policy_activation_challenger_fkey"),
        sa.CheckConstraint("activation_no >= 1", name="policy_activation_from_one"),
        sa.CheckConstraint("approver <> actor", name="policy_activation_second_person"),
        sa.CheckConstraint(
            "challenger_bp between 0 and 10000 and (challenger is null) = (challenger_bp = 0)",
            name="policy_activation_share_sound",
        ),
        schema="origination",
        comment="Which versions of a policy decide from a day on; a later one takes their place",
    )
    op.create_table(
        "authority_version",
        sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
        _text("content_hash"),
        _json("limits"),
        _text("actor"),
        _text("approver"),
        _recorded_at(),
        sa.PrimaryKeyConstraint("version", name="authority_version_pkey"),
        sa.CheckConstraint("version >= 1", name="authority_version_from_one"),
        sa.CheckConstraint("approver <> actor", name="authority_version_second_person"),
        schema="origination",
        comment="Who may decide on what policies refer, within which limits; the latest version is in force",
    )


def _decisions() -> None:
    op.create_table(
        "decision",
        _big("application_id"),
        _small("decision_no"),
        _big("decision_id"),
        _text("role"),
        _text("policy"),
        _text("content_hash"),
        _text("outcome"),
        _json("facts"),
        _json("result"),
        _day("business_date"),
        _text("actor"),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", "decision_no", name="decision_pkey"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.application.application_id"], name="decision_application_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["content_hash"], ["origination.policy_version.content_hash"], name="decision_version_fkey"
        ),
        sa.CheckConstraint("decision_no > 0", name="decision_number_positive"),
        sa.CheckConstraint("role in ('champion', 'challenger', 'shadow')", name="decision_role_known"),
        sa.CheckConstraint(
            "outcome in ('approve', 'counter_offer', 'refer', 'decline')", name="decision_outcome_known"
        ),
        schema="origination",
        comment="What a version of a policy decided on an application, on which facts; a shadow has no effect",
    )
    op.create_index("decision_by_id", "decision", ["decision_id"], schema="origination")
    op.create_table(
        "underwriting",
        _big("application_id"),
        _small("decision_no"),
        _big("decision_id"),
        _text("verdict"),
        _big("authority_version"),
        _text("authority_group"),
        _text("second_group", nullable=True),
        _texts("exceptions"),
        _json("reasons"),
        _text("reason", nullable=True),
        _day("business_date"),
        _text("actor"),
        _text("approver", nullable=True),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", "decision_no", name="underwriting_pkey"),
        sa.ForeignKeyConstraint(
            ["application_id", "decision_no"],
            ["origination.decision.application_id", "origination.decision.decision_no"],
            name="underwriting_decision_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["authority_version"], ["origination.authority_version.version"], name="underwriting_authority_fkey"
        ),
        sa.CheckConstraint("verdict in ('approve', 'decline', 'override')", name="underwriting_verdict_known"),
        sa.CheckConstraint("approver <> actor", name="underwriting_second_person"),
        sa.CheckConstraint("verdict <> 'override' or reason is not null", name="underwriting_override_has_reason"),
        sa.CheckConstraint("second_group is null or approver is not null", name="underwriting_second_group_sound"),
        schema="origination",
        comment="What an underwriter decided where the policy referred, or against it; by whose authority, and why",
    )
