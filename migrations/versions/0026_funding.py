"""Keep offers, contracts, documents, approvals and conditions of a funding; send proceeds by instructions.

Revision: 0026, after 0025.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

KINDS = (
    "funded",
    "funding_unwound",
    "disbursed",
    "disbursement_returned",
    "boarded",
    "drawdown",
    "rate_reset",
    "payment",
    "payment_returned",
    "payment_reversed",
    "event_reversed",
    "fee",
    "waiver",
    "refund",
    "goodwill_credit",
    "merchant_refund",
    "credit_balance_refund",
    "chargeback",
    "write_off",
    "modification",
    "trial_plan",
    "trial_plan_ended",
    "delinquency_paused",
    "delinquency_resumed",
    "accelerated",
    "settled",
    "non_accrual",
    "accrual_resumed",
    "charge_off",
    "recovery",
    "sold",
    "bought_back",
    "flagged",
)

TABLES = (
    "offer",
    "contract",
    "payout",
    "document",
    "funding_policy",
    "funding_condition",
    "funding_approval",
)


def upgrade() -> None:
    op.execute("ALTER TABLE servicing.event DROP CONSTRAINT event_kind_known")
    known = ", ".join(f"'{kind}'" for kind in KINDS)
    op.execute(f"ALTER TABLE servicing.event ADD CONSTRAINT event_kind_known CHECK (kind in ({known})) NOT VALID")
    op.execute("ALTER TABLE servicing.payment_instruction ADD COLUMN payee text")
    op.execute(
        "ALTER TABLE servicing.payment_instruction ADD CONSTRAINT payment_instruction_payee"
        " CHECK (payee is null or direction = 'credit') NOT VALID"
    )
    _offers()
    _contracts()
    _documents()
    _funding()
    _fundings_of_applications()
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON origination.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
        op.execute(f"GRANT SELECT ON origination.{table} TO loanbook_app, loanbook_reader")
        op.execute(f"GRANT INSERT ON origination.{table} TO loanbook_app")


def _offers() -> None:
    op.create_table(
        "offer",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("offer_no", sa.BigInteger(), nullable=False),
        sa.Column("set_no", sa.BigInteger(), nullable=False),
        sa.Column("is_counter", sa.Boolean(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("disclosure", postgresql.JSONB(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", "offer_no", name="offer_pkey"),
        _of_application("offer"),
        sa.CheckConstraint("least(offer_no, set_no) >= 1", name="offer_from_one"),
        sa.CheckConstraint("expires_on >= made_on", name="offer_expires_later"),
        schema="origination",
        comment="What an applicant may choose from: terms with product, and what is disclosed of them",
    )


def _contracts() -> None:
    op.create_table(
        "contract",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("offer_no", sa.BigInteger(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("funding_rules", postgresql.JSONB(), nullable=False),
        sa.Column("accepted_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", name="contract_pkey"),
        sa.UniqueConstraint("application_id", "sha256", name="contract_of_hash"),
        sa.ForeignKeyConstraint(
            ["application_id", "offer_no"],
            ["origination.offer.application_id", "origination.offer.offer_no"],
            name="contract_offer_fkey",
        ),
        sa.CheckConstraint("sha256 = encode(sha256(canonical), 'hex')", name="contract_hash_sound"),
        schema="origination",
        comment="The one offer that was accepted, frozen: its canonical text and the hash of it",
    )
    op.create_table(
        "payout",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("payout_no", sa.BigInteger(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("routing", sa.Text(), nullable=True),
        sa.Column("account_kind", sa.Text(), nullable=True),
        sa.Column("last_four", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", "payout_no", name="payout_pkey"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.contract.application_id"], name="payout_contract_fkey"
        ),
        sa.CheckConstraint("amount > 0 and payout_no >= 1", name="payout_positive"),
        sa.CheckConstraint("rail in ('ach', 'wire', 'check')", name="payout_rail_known"),
        sa.CheckConstraint(
            "num_nonnulls(routing, account_kind, last_four, key_id, token) in (0, 5)", name="payout_account_whole"
        ),
        schema="origination",
        comment="To whom the proceeds of a contract go, by which rail; an account number is encrypted",
    )


def _documents() -> None:
    op.create_table(
        "document",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", "kind", "version", "format", name="document_pkey"),
        _of_application("document"),
        sa.CheckConstraint("format in ('html', 'pdf')", name="document_format_known"),
        sa.CheckConstraint("sha256 = encode(sha256(content), 'hex')", name="document_hash_sound"),
        schema="origination",
        comment="Documents as they were given out, byte for byte",
    )


def _funding() -> None:
    op.create_table(
        "funding_policy",
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("policy_no", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.Column("loaded_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("book_id", "product", "policy_no", name="funding_policy_pkey"),
        sa.CheckConstraint("policy_no >= 1", name="funding_policy_from_one"),
        sa.CheckConstraint("approver <> actor", name="funding_policy_second_person"),
        schema="origination",
        comment="Who approves fundings of a product and what must be there before; the latest holds for new contracts",
    )
    op.create_table(
        "funding_condition",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", "condition", name="funding_condition_pkey"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["origination.contract.application_id"], name="funding_condition_contract_fkey"
        ),
        sa.CheckConstraint("outcome in ('satisfied', 'waived')", name="funding_condition_outcome"),
        sa.CheckConstraint("evidence <> ''", name="funding_condition_evidence"),
        schema="origination",
        comment="What was to be there before a funding: satisfied with its evidence, or waived with its reason",
    )
    op.create_table(
        "funding_approval",
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("contract_sha256", sa.Text(), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=False),
        _recorded_at(),
        sa.PrimaryKeyConstraint("application_id", "actor", name="funding_approval_pkey"),
        sa.UniqueConstraint("application_id", "actor", "contract_sha256", name="funding_approval_of_contract"),
        sa.ForeignKeyConstraint(
            ["application_id", "contract_sha256"],
            ["origination.contract.application_id", "origination.contract.sha256"],
            name="funding_approval_contract_fkey",
        ),
        schema="origination",
        comment="Who has approved the funding of a contract, each person once, and of which contract",
    )


def _fundings_of_applications() -> None:
    """Let an application be funded once, and by contract only where its approver has approved this very contract."""
    event = "ALTER TABLE origination.application_event ADD"
    op.execute(f"{event} COLUMN contract_sha256 text")
    op.execute(
        f"{event} CONSTRAINT application_event_contract_named"
        " CHECK ((action = 'fund_contract') = (contract_sha256 is not null)) NOT VALID"
    )
    op.execute(
        f"{event} CONSTRAINT application_event_approval_fkey FOREIGN KEY (application_id, approver, contract_sha256)"
        " REFERENCES origination.funding_approval (application_id, actor, contract_sha256) NOT VALID"
    )
    op.create_index(
        "application_event_funded_once",
        "application_event",
        ["application_id"],
        unique=True,
        schema="origination",
        postgresql_where=sa.text("loan_id is not null"),
    )


def _of_application(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["application_id"], ["origination.application.application_id"], name=f"{table}_application_fkey"
    )


def _recorded_at() -> sa.Column[object]:
    return sa.Column(
        "recorded_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
    )
