"""The tables of the schema `servicing`, every constraint named: what is not money of a loan.

What a loan owes stands in the journal, not here. Keys begin with `loan_id`, which is the loan's subledger. The
application may insert everywhere; of a loan's row it may move the progress mark only, and what can be made again
(standing, checkpoint) it may replace. Next: `servicing/store.py`.
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
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from servicing.events import Kind

metadata = MetaData(schema="servicing")

KINDS = ", ".join(f"'{kind}'" for kind in Kind)


def _recorded_at() -> Column[object]:
    return Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


product_version = Table(
    "product_version",
    metadata,
    Column("content_hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("rules", JSONB, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("content_hash", name="product_version_pkey"),
    comment="The rules of products, each version under the hash of its content",
)

product_release = Table(
    "product_release",
    metadata,
    Column("name", Text, nullable=False),
    Column("release", BigInteger, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("name", "release", name="product_release_pkey"),
    ForeignKeyConstraint(
        ["content_hash"], ["servicing.product_version.content_hash"], name="product_release_version_fkey"
    ),
    CheckConstraint("release >= 1", name="product_release_from_one"),
    comment="Which version of a product new loans get by its name: that of the latest release",
)

index_value = Table(
    "index_value",
    metadata,
    Column("name", Text, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("value", Numeric(9, 6), nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("name", "effective_date", "revision", name="index_value_pkey"),
    CheckConstraint("revision >= 1", name="index_value_from_one"),
    comment="What an index is from a day on, in percent a year; a correction is a next revision of its day",
)

loan = Table(
    "loan",
    metadata,
    Column("loan_id", BigInteger, nullable=False, autoincrement=False),
    Column("book_id", Integer, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("fees_through", Date),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", name="loan_pkey"),
    Index("loan_by_external_id", "book_id", "external_id"),
    comment="A loan; its id is its subledger's. fees_through is the last day whose close was evaluated",
    postgresql_with={"fillfactor": "70"},
)

standing = Table(
    "standing",
    metadata,
    Column("loan_id", BigInteger, nullable=False, autoincrement=False),
    Column("booked", BigInteger, nullable=False),
    Column("receivable", BigInteger, nullable=False),
    Column("balance", BigInteger),
    Column("through", Date, nullable=False),
    Column("holds_through", Date, nullable=False),
    Column("next_step_on", Date, nullable=False),
    Column("unpaid_since", Date),
    Column("matures_on", Date, nullable=False),
    Column("receivable_account", Integer, nullable=False),
    Column("principal_account", Integer, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("is_daily", Boolean, nullable=False),
    Column("rounding", Text, nullable=False),
    Column("earned", Numeric, nullable=False),
    Column("nightly", Numeric, nullable=False),
    Column("denominator", Numeric, nullable=False),
    Column("fee_income", ARRAY(BigInteger)),
    PrimaryKeyConstraint("loan_id", name="standing_pkey"),
    ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="standing_loan_fkey"),
    CheckConstraint("earned >= 0 and nightly >= 0 and denominator > 0", name="standing_exact"),
    comment="How a loan goes on if nothing happens to it; made anew by whatever does, and recomputable",
    postgresql_with={"fillfactor": "70"},
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("loan_id", BigInteger, nullable=False, autoincrement=False),
    Column("day", Date, nullable=False),
    Column("terms_version", SmallInteger, nullable=False),
    Column("fold_version", SmallInteger, nullable=False),
    Column("figures", JSONB, nullable=False),
    PrimaryKeyConstraint("loan_id", name="checkpoint_pkey"),
    ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="checkpoint_loan_fkey"),
    comment="A loan as it stood when a day began, where its next fold begins; recomputable",
)

terms_version = Table(
    "terms_version",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("product_hash", Text, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", "version", name="terms_version_pkey"),
    ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="terms_version_loan_fkey"),
    ForeignKeyConstraint(
        ["product_hash"], ["servicing.product_version.content_hash"], name="terms_version_product_fkey"
    ),
    comment="The contract, version by version; a modification appends one",
)

event = Table(
    "event",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("event_no", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("entered_on", Date, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", "event_no", name="event_pkey"),
    UniqueConstraint("loan_id", "request_key", name="event_request_key_key"),
    ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="event_loan_fkey"),
    CheckConstraint("event_no >= 1", name="event_no_positive"),
    CheckConstraint(f"kind in ({KINDS})", name="event_kind_known"),
    comment="What happened to a loan: appended, never changed",
)

allocation_version = Table(
    "allocation_version",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("event_no", Integer, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("because_event_no", Integer),
    Column("allocation", JSONB, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", "event_no", "version", name="allocation_version_pkey"),
    ForeignKeyConstraint(
        ["loan_id", "event_no"],
        ["servicing.event.loan_id", "servicing.event.event_no"],
        name="allocation_version_event_fkey",
    ),
    comment="How each payment was allocated, and which event changed it (null: the daily cycle); empty: undone",
)

payoff_quote = Table(
    "payoff_quote",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("quote_no", BigInteger, nullable=False),
    Column("quoted_on", Date, nullable=False),
    Column("good_through", Date, nullable=False),
    Column("expires_on", Date, nullable=False),
    Column("after_event_no", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("principal", BigInteger, nullable=False),
    Column("interest", BigInteger, nullable=False),
    Column("fees", BigInteger, nullable=False),
    Column("penalties", BigInteger, nullable=False),
    Column("late_fees_to_come", BigInteger, nullable=False),
    Column("recoverable", BigInteger, nullable=False),
    Column("unapplied", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("per_diem", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", "quote_no", name="payoff_quote_pkey"),
    UniqueConstraint("loan_id", "request_key", name="payoff_quote_request_key_key"),
    ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="payoff_quote_loan_fkey"),
    CheckConstraint("quote_no >= 1", name="payoff_quote_no_positive"),
    CheckConstraint("good_through >= quoted_on", name="payoff_quote_looks_ahead"),
    CheckConstraint("expires_on <= good_through", name="payoff_quote_expires"),
    CheckConstraint(
        "least(principal, interest, fees, penalties, late_fees_to_come, recoverable, unapplied, total, per_diem) >= 0",
        name="payoff_quote_not_negative",
    ),
    CheckConstraint(
        "total = greatest(0, principal + interest + fees + penalties + recoverable - unapplied)",
        name="payoff_quote_total",
    ),
    comment="What a borrower was told pays a loan off, and through which day: appended, never changed",
)
