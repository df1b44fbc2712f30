"""The tables of the schema `ledger`, every constraint named.

What is a copy of something else says so: `account_balance`, `activity`, `period_balance` and `seal_mark` can all be
recomputed, and `ledger/verify.py` does. Keys of everything that grows with the loans begin with `subledger_id`, so
that the schema can be spread over machines. Triggers and grants are not here: `ledger/sql/` and the migrations.
Next: `ledger/sql/post_entry.sql`, the one way into `journal_entry` and `posting`.
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
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="ledger")

_NOW = func.clock_timestamp()


def _recorded_at() -> Column[object]:
    return Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=_NOW)


# --- Reference data: few rows, read by every post ---------------------------------------------------------

book = Table(
    "book",
    metadata,
    Column("book_id", Integer, nullable=False, autoincrement=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("base_currency", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("fiscal_year_start_month", SmallInteger, nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("own_subledger_id", BigInteger, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", name="book_pkey"),
    UniqueConstraint("code", name="book_code_key"),
    CheckConstraint("fiscal_year_start_month between 1 and 12", name="book_fiscal_year_start_month_valid"),
    CheckConstraint("business_date >= opened_on", name="book_business_date_not_before_opening"),
    comment="A legal entity's books; only the business date moves, and only forward",
)

business_day = Table(
    "business_day",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "business_date", name="business_day_pkey"),
    ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="business_day_book_fkey"),
    comment="Which business dates a book has had, and who opened them",
)

account = Table(
    "account",
    metadata,
    Column("account_id", Integer, nullable=False, autoincrement=False),
    Column("book_id", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("normal_side", Text, nullable=False),
    Column("currency", Text),
    Column("header", Boolean, nullable=False),
    Column("subledgered", Boolean, nullable=False),
    Column("may_go_contra", Boolean, nullable=False),
    Column("control", Boolean, nullable=False),
    Column("opened_from", Date, nullable=False),
    Column("closed_from", Date),
    PrimaryKeyConstraint("account_id", name="account_pkey"),
    UniqueConstraint("book_id", "code", name="account_code_key"),
    UniqueConstraint("book_id", "slug", name="account_slug_key"),
    ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="account_book_fkey"),
    CheckConstraint(
        "type in ('asset', 'liability', 'equity', 'income', 'expense', 'off_balance')",
        name="account_type_known",
    ),
    CheckConstraint("normal_side in ('debit', 'credit')", name="account_normal_side_known"),
    CheckConstraint("not (header and subledgered)", name="account_header_not_subledgered"),
    comment="What an account is for ever; closed_from repeats the latest row of account_change",
)

account_change = Table(
    "account_change",
    metadata,
    Column("change_no", Integer, nullable=False, autoincrement=False),
    Column("account_id", Integer, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("name", Text, nullable=False),
    Column("parent_id", Integer),
    Column("is_closed", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("change_no", name="account_change_pkey"),
    ForeignKeyConstraint(["account_id"], ["ledger.account.account_id"], name="account_change_account_fkey"),
    ForeignKeyConstraint(["parent_id"], ["ledger.account.account_id"], name="account_change_parent_fkey"),
    Index("account_change_by_account", "account_id", "effective_from", "change_no"),
    comment="What can change of an account, effective-dated; each row's digest covers the row before it",
)

role_map = Table(
    "role_map",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("map_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "map_name", "role", "effective_from", name="role_map_pkey"),
    ForeignKeyConstraint(["account_id"], ["ledger.account.account_id"], name="role_map_account_fkey"),
    comment="Which account plays a role, for the default map and for each product that differs",
)

period = Table(
    "period",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("month", Date, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("book_id", "month", name="period_pkey"),
    ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="period_book_fkey"),
    CheckConstraint("state in ('open', 'soft_closed', 'closing', 'closed')", name="period_state_known"),
    CheckConstraint("extract(day from month) = 1", name="period_month_is_first_day"),
    comment="The state of each month; the gate itself is subledger.closed_through",
)

period_event = Table(
    "period_event",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("month", Date, nullable=False),
    Column("event_no", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text),
    Column("reason", Text),
    Column("block_no", BigInteger),
    Column("trial_balance_digest", LargeBinary),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "month", "event_no", name="period_event_pkey"),
    ForeignKeyConstraint(
        ["book_id", "month"],
        ["ledger.period.book_id", "ledger.period.month"],
        name="period_event_period_fkey",
    ),
    CheckConstraint("approver <> actor", name="period_event_second_person"),
    comment="Everything that happened to a period; a reopening keeps the digest of the close before it",
)

birth_gate = Table(
    "birth_gate",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("slot", SmallInteger, nullable=False),
    Column("closed_through", Date, nullable=False),
    Column("births", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("book_id", "slot", name="birth_gate_pkey"),
    ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="birth_gate_book_fkey"),
    comment="A new head takes closed_through from here, under a row lock that a close takes too",
)

id_block = Table(
    "id_block",
    metadata,
    Column("name", Text, nullable=False),
    Column("next_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", name="id_block_pkey"),
    comment="Ids are handed out in blocks from here, never by a sequence",
)

year_end = Table(
    "year_end",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("fiscal_year_end", Date, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("entry_no", Integer, nullable=False),
    PrimaryKeyConstraint("book_id", "fiscal_year_end", "version", name="year_end_pkey"),
    ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="year_end_book_fkey"),
    comment="The closing entries to retained earnings, which an income statement leaves out",
)

# --- The journal ------------------------------------------------------------------------------------------

subledger = Table(
    "subledger",
    metadata,
    Column("subledger_id", BigInteger, nullable=False, autoincrement=False),
    Column("book_id", Integer, nullable=False),
    Column("last_entry_no", Integer, nullable=False, server_default=text("0")),
    Column("closed_through", Date, nullable=False),
    Column("frozen", Boolean, nullable=False, server_default=text("false")),
    Column("currency", Text),
    PrimaryKeyConstraint("subledger_id", name="subledger_pkey"),
    comment="The head of each subledger's gapless journal: the only row that posting locks",
    postgresql_with={"fillfactor": "70"},
)

journal_entry = Table(
    "journal_entry",
    metadata,
    Column("subledger_id", BigInteger, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("group_id", BigInteger),
    Column("entry_no", Integer, nullable=False),
    Column("book_id", Integer, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("booking_date", Date, nullable=False),
    Column("reverses_no", Integer),
    Column("corrects_no", Integer),
    Column("template_version", SmallInteger, nullable=False),
    Column("posting_count", SmallInteger, nullable=False),
    Column("template", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("approved_by", Text),
    Column("source_ref", Text),
    Column("narration", Text),
    Column("details", JSONB),
    PrimaryKeyConstraint("subledger_id", "entry_no", name="journal_entry_pkey"),
    CheckConstraint(
        "entry_no > 0 and posting_count > 0 and approved_by is distinct from actor"
        " and reverses_no < entry_no and corrects_no < entry_no",
        name="journal_entry_sound",
    ),
    Index("journal_entry_request_key", "subledger_id", "request_key", unique=True),
    Index(
        "journal_entry_reversed_once",
        "subledger_id",
        "reverses_no",
        unique=True,
        postgresql_where=text("reverses_no is not null"),
    ),
    Index(
        "journal_entry_by_day",
        "booking_date",
        "effective_date",
        "recorded_at",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": "32"},
    ),
    comment="One header per entry, numbered 1, 2, 3, ... in its subledger without gaps; append-only",
)

posting = Table(
    "posting",
    metadata,
    Column("subledger_id", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("entry_no", Integer, nullable=False),
    Column("debit_account", Integer, nullable=False),
    Column("credit_account", Integer, nullable=False),
    Column("booking_date", Date, nullable=False),
    Column("seq", SmallInteger, nullable=False),
    Column("posting_count", SmallInteger, nullable=False),
    Column("currency", Text, nullable=False),
    PrimaryKeyConstraint("subledger_id", "entry_no", "seq", name="posting_pkey"),
    CheckConstraint("amount > 0 and debit_account <> credit_account", name="posting_balanced"),
    Index("posting_by_day", "booking_date", postgresql_using="brin", postgresql_with={"pages_per_range": "32"}),
    comment="A debit and a credit of one amount: an unbalanced entry cannot be written down; append-only",
)

account_balance = Table(
    "account_balance",
    metadata,
    Column("subledger_id", BigInteger, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("may_go_contra", Boolean, nullable=False),
    Column("currency", Text, nullable=False),
    PrimaryKeyConstraint("subledger_id", "account_id", "currency", name="account_balance_pkey"),
    CheckConstraint("balance >= 0 or may_go_contra", name="account_balance_not_contra"),
    comment="Running balance of subledgered accounts, positive on the account's normal side; recomputable",
    postgresql_with={"fillfactor": "70"},
)

# --- Seals ------------------------------------------------------------------------------------------------

seal_block = Table(
    "seal_block",
    metadata,
    Column("block_no", BigInteger, nullable=False, autoincrement=False),
    Column("previous_hash", LargeBinary),
    Column("merkle_root", LargeBinary, nullable=False),
    Column("member_count", BigInteger, nullable=False),
    Column("entry_count", BigInteger, nullable=False),
    Column("posting_count", BigInteger, nullable=False),
    Column("totals_digest", LargeBinary, nullable=False),
    Column("chart_no", Integer, nullable=False),
    Column("chart_digest", LargeBinary, nullable=False),
    Column("sealed_at", DateTime(timezone=True), nullable=False),
    Column("block_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("block_no", name="seal_block_pkey"),
    CheckConstraint("block_no > 0 and (block_no = 1) = (previous_hash is null)", name="seal_block_chained"),
    comment="The chain: each block covers its members, the totals, the chart and the block before it",
)

seal_member = Table(
    "seal_member",
    metadata,
    Column("subledger_id", BigInteger, nullable=False),
    Column("block_no", BigInteger, nullable=False),
    Column("from_no", Integer, nullable=False),
    Column("to_no", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("subledger_id", "from_no", name="seal_member_pkey"),
    CheckConstraint("from_no > 0 and to_no >= from_no", name="seal_member_range_valid"),
    Index("seal_member_by_block", "block_no", "subledger_id"),
    comment="Which entries of a subledger a block sealed; the digest covers the previous member's",
)

seal_mark = Table(
    "seal_mark",
    metadata,
    Column("subledger_id", BigInteger, nullable=False, autoincrement=False),
    Column("sealed_no", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("subledger_id", name="seal_mark_pkey"),
    comment="The latest member of each subledger, kept by the sealer alone; recomputable",
    postgresql_with={"fillfactor": "70"},
)

seal_total = Table(
    "seal_total",
    metadata,
    Column("block_no", BigInteger, nullable=False),
    Column("book_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("currency", Text, nullable=False),
    Column("booking_date", Date, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("debit", Numeric(38, 0), nullable=False),
    Column("credit", Numeric(38, 0), nullable=False),
    PrimaryKeyConstraint(
        "block_no",
        "book_id",
        "account_id",
        "currency",
        "booking_date",
        "effective_date",
        name="seal_total_pkey",
    ),
    comment="What a block adds to each account, by day: a trial balance as known at a block takes later ones off",
)

activity = Table(
    "activity",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("currency", Text, nullable=False),
    Column("booking_date", Date, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("debit", Numeric(38, 0), nullable=False),
    Column("credit", Numeric(38, 0), nullable=False),
    PrimaryKeyConstraint("book_id", "account_id", "currency", "booking_date", "effective_date", name="activity_pkey"),
    comment="The sum of all seal totals by account and day, kept by the sealer; recomputable",
    postgresql_with={"fillfactor": "70"},
)

period_balance = Table(
    "period_balance",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("month", Date, nullable=False),
    Column("event_no", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("currency", Text, nullable=False),
    Column("debit", Numeric(38, 0), nullable=False),
    Column("credit", Numeric(38, 0), nullable=False),
    PrimaryKeyConstraint("book_id", "month", "event_no", "account_id", "currency", name="period_balance_pkey"),
    ForeignKeyConstraint(
        ["book_id", "month", "event_no"],
        ["ledger.period_event.book_id", "ledger.period_event.month", "ledger.period_event.event_no"],
        name="period_balance_event_fkey",
    ),
    comment="Totals of each account since the book opened, as they stood when a month was closed; recomputable",
)

# --- Requests, batches, manual journals -------------------------------------------------------------------

request = Table(
    "request",
    metadata,
    Column("subledger_id", BigInteger, nullable=False),
    Column("request_key", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("inputs", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("outcome", JSONB),
    Column("refused", Boolean),
    _recorded_at(),
    PrimaryKeyConstraint("subledger_id", "request_key", name="request_pkey"),
    comment="The outcome of every mutating call, a refusal included; inputs are digests by field",
)

batch_staging = Table(
    "batch_staging",
    metadata,
    Column("subledger_id", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    Column("debit_account", Integer, nullable=False),
    Column("credit_account", Integer, nullable=False),
    Column("seq", SmallInteger, nullable=False),
    Column("currency", Text, nullable=False),
    PrimaryKeyConstraint("subledger_id", "batch_id", "seq", name="batch_staging_pkey"),
    comment="What post_batch is about to book; empty between batches, not kept over a crash",
    prefixes=["UNLOGGED"],
)

batch_chunk = Table(
    "batch_chunk",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("request_key", Text, nullable=False),
    Column("chunk_no", Integer, nullable=False),
    Column("from_subledger_id", BigInteger, nullable=False),
    Column("to_subledger_id", BigInteger, nullable=False),
    Column("entry_count", Integer, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("book_id", "request_key", "chunk_no", name="batch_chunk_pkey"),
    comment="Which chunks of a batch are booked, so that a killed run resumes",
)

manual_journal = Table(
    "manual_journal",
    metadata,
    Column("journal_id", BigInteger, nullable=False, autoincrement=False),
    Column("book_id", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("maker", Text, nullable=False),
    Column("checker", Text),
    Column("effective_date", Date, nullable=False),
    Column("booking_date", Date),
    Column("narration", Text, nullable=False),
    Column("source_ref", Text),
    Column("lines", JSONB, nullable=False),
    Column("entry_no", Integer),
    Column("reason", Text),
    Column("decided_at", DateTime(timezone=True)),
    _recorded_at(),
    PrimaryKeyConstraint("journal_id", name="manual_journal_pkey"),
    ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="manual_journal_book_fkey"),
    CheckConstraint("state in ('proposed', 'approved', 'rejected')", name="manual_journal_state_known"),
    CheckConstraint("checker <> maker", name="manual_journal_second_person"),
    comment="Journals by hand: one person proposes, another approves, and only then is the entry booked",
)
