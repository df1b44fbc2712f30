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

loss_rates = Table(
    "loss_rates",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("rates", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "effective_date", "revision", name="loss_rates_pkey"),
    CheckConstraint("revision >= 1", name="loss_rates_from_one"),
    CheckConstraint("method in ('bucket', 'vintage')", name="loss_rates_method_known"),
    comment="What a book expects to lose from a day on, in percent; a correction is a next revision of its day",
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

ach_sent = Table(
    "ach_sent",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("file_no", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("made_on", Date, nullable=False),
    Column("modifier", Text, nullable=False),
    Column("odfi", Text, nullable=False),
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("entry_count", BigInteger, nullable=False),
    Column("debits", BigInteger, nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "file_no", name="ach_sent_pkey"),
    UniqueConstraint("book_id", "sha256", name="ach_sent_once"),
    CheckConstraint("file_no >= 1", name="ach_sent_from_one"),
    CheckConstraint("first_sequence between 1 and last_sequence", name="ach_sent_sequences"),
    comment="Files sent to the clearing house: their hash, and which trace numbers they took",
)

ach_entry = Table(
    "ach_entry",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("file_no", BigInteger, nullable=False),
    Column("trace", Text, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("side", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("entry_class", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("payment_ref", Text),
    Column("first_trace", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", "file_no", "trace", name="ach_entry_pkey"),
    ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="ach_entry_loan_fkey"),
    CheckConstraint("side in ('debit', 'credit')", name="ach_entry_side"),
    CheckConstraint("amount >= 0", name="ach_entry_not_negative"),
    Index("ach_entry_by_trace", "trace"),
    comment="Entries sent: whose they are, which payment they bring, and which entry a retry presents again",
)

ach_received = Table(
    "ach_received",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("file_no", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("taken_on", Date, nullable=False),
    Column("item_count", BigInteger, nullable=False),
    Column("debits", BigInteger, nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "file_no", name="ach_received_pkey"),
    UniqueConstraint("book_id", "sha256", name="ach_received_once"),
    CheckConstraint("file_no >= 1", name="ach_received_from_one"),
    comment="Files of returns and changes that were taken, each once, by its hash",
)

ach_item = Table(
    "ach_item",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("file_no", BigInteger, nullable=False),
    Column("item_no", BigInteger, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("original_trace", Text, nullable=False),
    Column("trace", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("loan_id", BigInteger),
    Column("event_no", BigInteger),
    Column("entry_no", BigInteger),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "file_no", "item_no", name="ach_item_pkey"),
    ForeignKeyConstraint(
        ["book_id", "file_no"],
        ["servicing.ach_received.book_id", "servicing.ach_received.file_no"],
        name="ach_item_file_fkey",
    ),
    CheckConstraint("item_no >= 1", name="ach_item_from_one"),
    CheckConstraint("amount >= 0", name="ach_item_not_negative"),
    Index("ach_item_by_original_trace", "original_trace"),
    comment="What came back: a return, a change, or their sequels, and what became of it. entry_no: what it booked"
    " to the exceptions account",
)

ach_resolution = Table(
    "ach_resolution",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("file_no", BigInteger, nullable=False),
    Column("item_no", BigInteger, nullable=False),
    Column("how", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("resolved_on", Date, nullable=False),
    Column("loan_id", BigInteger),
    Column("event_no", BigInteger),
    Column("entry_no", BigInteger),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "file_no", "item_no", name="ach_resolution_pkey"),
    ForeignKeyConstraint(
        ["book_id", "file_no", "item_no"],
        ["servicing.ach_item.book_id", "servicing.ach_item.file_no", "servicing.ach_item.item_no"],
        name="ach_resolution_item_fkey",
    ),
    CheckConstraint("how in ('matched', 'recovered', 'noted')", name="ach_resolution_how"),
    comment="How a person settled what could not be settled by itself, once for each",
)
