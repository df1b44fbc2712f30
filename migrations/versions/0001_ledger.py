"""Create the ledger: its tables, its guards, and the functions that are the only way in.

Revision: 0001, the first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from ledger.sql_files import LEDGER_SQL, read_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA ledger")
    op.create_table(
        "account_balance",
        sa.Column("subledger_id", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("may_go_contra", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint("balance >= 0 or may_go_contra", name="account_balance_not_contra"),
        sa.PrimaryKeyConstraint("subledger_id", "account_id", "currency", name="account_balance_pkey"),
        schema="ledger",
        comment="Running balance of subledgered accounts, positive on the account's normal side; recomputable",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "activity",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("debit", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("credit", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.PrimaryKeyConstraint(
            "book_id", "account_id", "currency", "booking_date", "effective_date", name="activity_pkey"
        ),
        schema="ledger",
        comment="The sum of all seal totals by account and day, kept by the sealer; recomputable",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "batch_chunk",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("chunk_no", sa.Integer(), nullable=False),
        sa.Column("from_subledger_id", sa.BigInteger(), nullable=False),
        sa.Column("to_subledger_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("book_id", "request_key", "chunk_no", name="batch_chunk_pkey"),
        schema="ledger",
        comment="Which chunks of a batch are booked, so that a killed run resumes",
    )
    op.create_table(
        "batch_staging",
        sa.Column("subledger_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("debit_account", sa.Integer(), nullable=False),
        sa.Column("credit_account", sa.Integer(), nullable=False),
        sa.Column("seq", sa.SmallInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subledger_id", "batch_id", "seq", name="batch_staging_pkey"),
        schema="ledger",
        comment="What post_batch is about to book; empty between batches, not kept over a crash",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "book",
        sa.Column("book_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base_currency", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("fiscal_year_start_month", sa.SmallInteger(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("own_subledger_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("business_date >= opened_on", name="book_business_date_not_before_opening"),
        sa.CheckConstraint("fiscal_year_start_month between 1 and 12", name="book_fiscal_year_start_month_valid"),
        sa.PrimaryKeyConstraint("book_id", name="book_pkey"),
        sa.UniqueConstraint("code", name="book_code_key"),
        schema="ledger",
        comment="A legal entity's books; only the business date moves, and only forward",
    )
    op.create_table(
        "id_block",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="id_block_pkey"),
        schema="ledger",
        comment="Ids are handed out in blocks from here, never by a sequence",
    )
    op.create_table(
        "journal_entry",
        sa.Column("subledger_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("entry_no", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("reverses_no", sa.Integer(), nullable=True),
        sa.Column("corrects_no", sa.Integer(), nullable=True),
        sa.Column("template_version", sa.SmallInteger(), nullable=False),
        sa.Column("posting_count", sa.SmallInteger(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("source_ref", sa.Text(), nullable=True),
        sa.Column("narration", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "entry_no > 0 and posting_count > 0 and approved_by is distinct from actor"
            " and reverses_no < entry_no and corrects_no < entry_no",
            name="journal_entry_sound",
        ),
        sa.PrimaryKeyConstraint("subledger_id", "entry_no", name="journal_entry_pkey"),
        schema="ledger",
        comment="One header per entry, numbered 1, 2, 3, ... in its subledger without gaps; append-only",
    )
    op.create_index(
        "journal_entry_by_day",
        "journal_entry",
        ["booking_date", "effective_date", "recorded_at"],
        unique=False,
        schema="ledger",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": "32"},
    )
    op.create_index(
        "journal_entry_request_key",
        "journal_entry",
        ["subledger_id", "request_key"],
        unique=True,
        schema="ledger",
    )
    op.create_index(
        "journal_entry_reversed_once",
        "journal_entry",
        ["subledger_id", "reverses_no"],
        unique=True,
        schema="ledger",
        postgresql_where=sa.text("reverses_no is not null"),
    )
    op.create_table(
        "posting",
        sa.Column("subledger_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("entry_no", sa.Integer(), nullable=False),
        sa.Column("debit_account", sa.Integer(), nullable=False),
        sa.Column("credit_account", sa.Integer(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("seq", sa.SmallInteger(), nullable=False),
        sa.Column("posting_count", sa.SmallInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint("amount > 0 and debit_account <> credit_account", name="posting_balanced"),
        sa.PrimaryKeyConstraint("subledger_id", "entry_no", "seq", name="posting_pkey"),
        schema="ledger",
        comment="A debit and a credit of one amount: an unbalanced entry cannot be written down; append-only",
    )
    op.create_index(
        "posting_by_day",
        "posting",
        ["booking_date"],
        unique=False,
        schema="ledger",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": "32"},
    )
    op.create_table(
        "request",
        sa.Column("subledger_id", sa.BigInteger(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("outcome", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("refused", sa.Boolean(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("subledger_id", "request_key", name="request_pkey"),
        schema="ledger",
        comment="The outcome of every mutating call, a refusal included; inputs are digests by field",
    )
    op.create_table(
        "seal_block",
        sa.Column("block_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=True),
        sa.Column("merkle_root", sa.LargeBinary(), nullable=False),
        sa.Column("member_count", sa.BigInteger(), nullable=False),
        sa.Column("entry_count", sa.BigInteger(), nullable=False),
        sa.Column("posting_count", sa.BigInteger(), nullable=False),
        sa.Column("totals_digest", sa.LargeBinary(), nullable=False),
        sa.Column("chart_no", sa.Integer(), nullable=False),
        sa.Column("chart_digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("block_no > 0 and (block_no = 1) = (previous_hash is null)", name="seal_block_chained"),
        sa.PrimaryKeyConstraint("block_no", name="seal_block_pkey"),
        schema="ledger",
        comment="The chain: each block covers its members, the totals, the chart and the block before it",
    )
    op.create_table(
        "seal_mark",
        sa.Column("subledger_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_no", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subledger_id", name="seal_mark_pkey"),
        schema="ledger",
        comment="The latest member of each subledger, kept by the sealer alone; recomputable",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "seal_member",
        sa.Column("subledger_id", sa.BigInteger(), nullable=False),
        sa.Column("block_no", sa.BigInteger(), nullable=False),
        sa.Column("from_no", sa.Integer(), nullable=False),
        sa.Column("to_no", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("from_no > 0 and to_no >= from_no", name="seal_member_range_valid"),
        sa.PrimaryKeyConstraint("subledger_id", "from_no", name="seal_member_pkey"),
        schema="ledger",
        comment="Which entries of a subledger a block sealed; the digest covers the previous member's",
    )
    op.create_index("seal_member_by_block", "seal_member", ["block_no", "subledger_id"], unique=False, schema="ledger")
    op.create_table(
        "seal_total",
        sa.Column("block_no", sa.BigInteger(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("debit", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("credit", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.PrimaryKeyConstraint(
            "block_no",
            "book_id",
            "account_id",
            "currency",
            "booking_date",
            "effective_date",
            name="seal_total_pkey",
        ),
        schema="ledger",
        comment="What a block adds to each account, by day: a trial balance as known at a block takes later ones off",
    )
    op.create_table(
        "subledger",
        sa.Column("subledger_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("last_entry_no", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("closed_through", sa.Date(), nullable=False),
        sa.Column("frozen", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("subledger_id", name="subledger_pkey"),
        schema="ledger",
        comment="The head of each subledger's gapless journal: the only row that posting locks",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "account",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("normal_side", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("header", sa.Boolean(), nullable=False),
        sa.Column("subledgered", sa.Boolean(), nullable=False),
        sa.Column("may_go_contra", sa.Boolean(), nullable=False),
        sa.Column("control", sa.Boolean(), nullable=False),
        sa.Column("opened_from", sa.Date(), nullable=False),
        sa.Column("closed_from", sa.Date(), nullable=True),
        sa.CheckConstraint("normal_side in ('debit', 'credit')", name="account_normal_side_known"),
        sa.CheckConstraint(
            "type in ('asset', 'liability', 'equity', 'income', 'expense', 'off_balance')",
            name="account_type_known",
        ),
        sa.CheckConstraint("not (header and subledgered)", name="account_header_not_subledgered"),
        sa.ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="account_book_fkey"),
        sa.PrimaryKeyConstraint("account_id", name="account_pkey"),
        sa.UniqueConstraint("book_id", "code", name="account_code_key"),
        sa.UniqueConstraint("book_id", "slug", name="account_slug_key"),
        schema="ledger",
        comment="What an account is for ever; closed_from repeats the latest row of account_change",
    )
    op.create_table(
        "birth_gate",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("closed_through", sa.Date(), nullable=False),
        sa.Column("births", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="birth_gate_book_fkey"),
        sa.PrimaryKeyConstraint("book_id", "slot", name="birth_gate_pkey"),
        schema="ledger",
        comment="A new head takes closed_through from here, under a row lock that a close takes too",
    )
    op.create_table(
        "business_day",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="business_day_book_fkey"),
        sa.PrimaryKeyConstraint("book_id", "business_date", name="business_day_pkey"),
        schema="ledger",
        comment="Which business dates a book has had, and who opened them",
    )
    op.create_table(
        "manual_journal",
        sa.Column("journal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("checker", sa.Text(), nullable=True),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=True),
        sa.Column("narration", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=True),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("entry_no", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("state in ('proposed', 'approved', 'rejected')", name="manual_journal_state_known"),
        sa.CheckConstraint("checker <> maker", name="manual_journal_second_person"),
        sa.ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="manual_journal_book_fkey"),
        sa.PrimaryKeyConstraint("journal_id", name="manual_journal_pkey"),
        schema="ledger",
        comment="Journals by hand: one person proposes, another approves, and only then is the entry booked",
    )
    op.create_table(
        "period",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state in ('open', 'soft_closed', 'closing', 'closed')", name="period_state_known"),
        sa.CheckConstraint("extract(day from month) = 1", name="period_month_is_first_day"),
        sa.ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="period_book_fkey"),
        sa.PrimaryKeyConstraint("book_id", "month", name="period_pkey"),
        schema="ledger",
        comment="The state of each month; the gate itself is subledger.closed_through",
    )
    op.create_table(
        "year_end",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("fiscal_year_end", sa.Date(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("entry_no", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["ledger.book.book_id"], name="year_end_book_fkey"),
        sa.PrimaryKeyConstraint("book_id", "fiscal_year_end", "version", name="year_end_pkey"),
        schema="ledger",
        comment="The closing entries to retained earnings, which an income statement leaves out",
    )
    op.create_table(
        "account_change",
        sa.Column("change_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["account_id"], ["ledger.account.account_id"], name="account_change_account_fkey"),
        sa.ForeignKeyConstraint(["parent_id"], ["ledger.account.account_id"], name="account_change_parent_fkey"),
        sa.PrimaryKeyConstraint("change_no", name="account_change_pkey"),
        schema="ledger",
        comment="What can change of an account, effective-dated; each row's digest covers the row before it",
    )
    op.create_index(
        "account_change_by_account",
        "account_change",
        ["account_id", "effective_from", "change_no"],
        unique=False,
        schema="ledger",
    )
    op.create_table(
        "period_event",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("event_no", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("block_no", sa.BigInteger(), nullable=True),
        sa.Column("trial_balance_digest", sa.LargeBinary(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("approver <> actor", name="period_event_second_person"),
        sa.ForeignKeyConstraint(
            ["book_id", "month"],
            ["ledger.period.book_id", "ledger.period.month"],
            name="period_event_period_fkey",
        ),
        sa.PrimaryKeyConstraint("book_id", "month", "event_no", name="period_event_pkey"),
        schema="ledger",
        comment="Everything that happened to a period; a reopening keeps the digest of the close before it",
    )
    op.create_table(
        "role_map",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("map_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["account_id"], ["ledger.account.account_id"], name="role_map_account_fkey"),
        sa.PrimaryKeyConstraint("book_id", "map_name", "role", "effective_from", name="role_map_pkey"),
        schema="ledger",
        comment="Which account plays a role, for the default map and for each product that differs",
    )
    op.create_table(
        "period_balance",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("event_no", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("debit", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("credit", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id", "month", "event_no"],
            ["ledger.period_event.book_id", "ledger.period_event.month", "ledger.period_event.event_no"],
            name="period_balance_event_fkey",
        ),
        sa.PrimaryKeyConstraint("book_id", "month", "event_no", "account_id", "currency", name="period_balance_pkey"),
        schema="ledger",
        comment="Totals of each account since the book opened, as they stood when a month was closed; recomputable",
    )
    for name in LEDGER_SQL:
        op.execute(read_sql(name))
