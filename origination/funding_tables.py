"""The tables of offers, contracts and fundings; all of them take new rows only.

A contract is one row for each application, so of two acceptances at one instant one finds it taken; an approval is one
row for each person. Next: `origination/tables.py` for the rest of the schema; `origination/funding_store.py`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from origination.tables import _recorded_at, metadata


def _of_application(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["application_id"], ["origination.application.application_id"], name=f"{table}_application_fkey"
    )


def _of_contract(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["application_id"], ["origination.contract.application_id"], name=f"{table}_contract_fkey"
    )


offer = Table(
    "offer",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("offer_no", BigInteger, nullable=False),
    Column("set_no", BigInteger, nullable=False),
    Column("is_counter", Boolean, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("disclosure", JSONB, nullable=False),
    Column("made_on", Date, nullable=False),
    Column("expires_on", Date, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "offer_no", name="offer_pkey"),
    _of_application("offer"),
    CheckConstraint("least(offer_no, set_no) >= 1", name="offer_from_one"),
    CheckConstraint("expires_on >= made_on", name="offer_expires_later"),
    comment="What an applicant may choose from: terms with product, and what is disclosed of them",
)

contract = Table(
    "contract",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("offer_no", BigInteger, nullable=False),
    Column("canonical", LargeBinary, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("funding_rules", JSONB, nullable=False),
    Column("accepted_on", Date, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", name="contract_pkey"),
    UniqueConstraint("application_id", "sha256", name="contract_of_hash"),
    ForeignKeyConstraint(
        ["application_id", "offer_no"],
        ["origination.offer.application_id", "origination.offer.offer_no"],
        name="contract_offer_fkey",
    ),
    CheckConstraint("sha256 = encode(sha256(canonical), 'hex')", name="contract_hash_sound"),
    comment="The one offer that was accepted, frozen: its canonical text and the hash of it",
)

payout = Table(
    "payout",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("payout_no", BigInteger, nullable=False),
    Column("payee", Text, nullable=False),
    Column("rail", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("routing", Text),
    Column("account_kind", Text),
    Column("last_four", Text),
    Column("key_id", Text),
    Column("token", Text),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "payout_no", name="payout_pkey"),
    _of_contract("payout"),
    CheckConstraint("amount > 0 and payout_no >= 1", name="payout_positive"),
    CheckConstraint("rail in ('ach', 'wire', 'check')", name="payout_rail_known"),
    CheckConstraint(
        "num_nonnulls(routing, account_kind, last_four, key_id, token) in (0, 5)", name="payout_account_whole"
    ),
    comment="To whom the proceeds of a contract go, by which rail; an account number is encrypted",
)

document = Table(
    "document",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("format", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("made_on", Date, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "kind", "version", "format", name="document_pkey"),
    _of_application("document"),
    CheckConstraint("format in ('html', 'pdf')", name="document_format_known"),
    CheckConstraint("sha256 = encode(sha256(content), 'hex')", name="document_hash_sound"),
    comment="Documents as they were given out, byte for byte",
)

funding_policy = Table(
    "funding_policy",
    metadata,
    Column("book_id", BigInteger, nullable=False),
    Column("product", Text, nullable=False),
    Column("policy_no", BigInteger, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("rules", JSONB, nullable=False),
    Column("loaded_on", Date, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "product", "policy_no", name="funding_policy_pkey"),
    CheckConstraint("policy_no >= 1", name="funding_policy_from_one"),
    CheckConstraint("approver <> actor", name="funding_policy_second_person"),
    comment="Who approves fundings of a product and what must be there before; the latest holds for new contracts",
)

funding_condition = Table(
    "funding_condition",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("condition", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("decided_on", Date, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "condition", name="funding_condition_pkey"),
    _of_contract("funding_condition"),
    CheckConstraint("outcome in ('satisfied', 'waived')", name="funding_condition_outcome"),
    CheckConstraint("evidence <> ''", name="funding_condition_evidence"),
    comment="What was to be there before a funding: satisfied with its evidence, or waived with its reason",
)

funding_approval = Table(
    "funding_approval",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("contract_sha256", Text, nullable=False),
    Column("approved_on", Date, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "actor", name="funding_approval_pkey"),
    UniqueConstraint("application_id", "actor", "contract_sha256", name="funding_approval_of_contract"),
    ForeignKeyConstraint(
        ["application_id", "contract_sha256"],
        ["origination.contract.application_id", "origination.contract.sha256"],
        name="funding_approval_contract_fkey",
    ),
    comment="Who has approved the funding of a contract, each person once, and of which contract",
)
