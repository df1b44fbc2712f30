"""Keep the rails of payments: bank accounts, mandates, instructions, and each move of an instruction.

Everything is appended; only the encrypted number of a bank account may be written anew, when its key is changed.
Revision: 0016, after 0014.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

APPENDED = ("bank_account", "mandate", "mandate_end", "payment_instruction", "payment_move")


def upgrade() -> None:
    _bank_account()
    _bank_account_secret()
    _mandate()
    _mandate_end()
    _payment_instruction()
    _payment_move()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON servicing.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER bank_account_secret_never_removed BEFORE DELETE OR TRUNCATE ON servicing.bank_account_secret"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()"
    )
    for table in APPENDED:
        op.execute(f"GRANT SELECT ON servicing.{table} TO loanbook_app, loanbook_reader")
        op.execute(f"GRANT INSERT ON servicing.{table} TO loanbook_app")
    # Whoever only reads has no use for the numbers, encrypted or not.
    op.execute("GRANT SELECT, INSERT ON servicing.bank_account_secret TO loanbook_app")
    op.execute("GRANT UPDATE (key_id, token) ON servicing.bank_account_secret TO loanbook_app")


def _bank_account() -> None:
    op.create_table(
        "bank_account",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("account_no", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("routing", sa.Text(), nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("kind in ('checking', 'savings')", name="bank_account_kind"),
        sa.CheckConstraint("routing ~ '^[0-9]{9}$'", name="bank_account_routing"),
        sa.CheckConstraint("least(account_no, version) >= 1", name="bank_account_from_one"),
        sa.CheckConstraint("length(last_four) <= 4", name="bank_account_masked"),
        sa.ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="bank_account_loan_fkey"),
        sa.PrimaryKeyConstraint("loan_id", "account_no", "version", name="bank_account_pkey"),
        sa.UniqueConstraint("loan_id", "request_key", name="bank_account_request_key_key"),
        schema="servicing",
        comment="Bank accounts of borrowers; a correction is a next version. The number itself is encrypted elsewhere",
    )


def _bank_account_secret() -> None:
    op.create_table(
        "bank_account_secret",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("account_no", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["loan_id", "account_no", "version"],
            ["servicing.bank_account.loan_id", "servicing.bank_account.account_no", "servicing.bank_account.version"],
            name="bank_account_secret_version_fkey",
        ),
        sa.PrimaryKeyConstraint("loan_id", "account_no", "version", name="bank_account_secret_pkey"),
        schema="servicing",
        comment="The number of each version of a bank account, encrypted; written anew when the key changes",
    )
    op.create_index("bank_account_secret_by_key", "bank_account_secret", ["key_id"], unique=False, schema="servicing")


def _mandate() -> None:
    op.create_table(
        "mandate",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("mandate_no", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("account_no", sa.BigInteger(), nullable=True),
        sa.Column("card_token", sa.Text(), nullable=True),
        sa.Column("amount_rule", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("day_of_month", sa.BigInteger(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("entry_class", sa.Text(), nullable=True),
        sa.Column("authorized_on", sa.Date(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("authorized_how", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("(amount_rule = 'amount_due') = (amount = 0) and amount >= 0", name="mandate_amount"),
        sa.CheckConstraint("amount_rule in ('amount_due', 'fixed', 'amount_due_plus')", name="mandate_amount_rule"),
        sa.CheckConstraint("entry_class in ('PPD', 'WEB', 'TEL', 'CCD')", name="mandate_entry_class"),
        sa.CheckConstraint("day_of_month between 1 and 31", name="mandate_day"),
        sa.CheckConstraint("mandate_no >= 1", name="mandate_from_one"),
        sa.CheckConstraint("num_nonnulls(account_no, card_token) = 1", name="mandate_one_source"),
        sa.ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="mandate_loan_fkey"),
        sa.PrimaryKeyConstraint("loan_id", "mandate_no", name="mandate_pkey"),
        sa.UniqueConstraint("loan_id", "request_key", name="mandate_request_key_key"),
        schema="servicing",
        comment="What a borrower has authorized to be debited, and how it was authorized",
    )


def _mandate_end() -> None:
    op.create_table(
        "mandate_end",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("mandate_no", sa.BigInteger(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("cause in ('revoked', 'invalidated')", name="mandate_end_cause"),
        sa.ForeignKeyConstraint(
            ["loan_id", "mandate_no"],
            ["servicing.mandate.loan_id", "servicing.mandate.mandate_no"],
            name="mandate_end_mandate_fkey",
        ),
        sa.PrimaryKeyConstraint("loan_id", "mandate_no", name="mandate_end_pkey"),
        schema="servicing",
        comment="How a mandate ended: revoked by the borrower, or of no use any more; once",
    )


def _payment_instruction() -> None:
    op.create_table(
        "payment_instruction",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("instruction_no", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("account_no", sa.BigInteger(), nullable=True),
        sa.Column("card_token", sa.Text(), nullable=True),
        sa.Column("mandate_no", sa.BigInteger(), nullable=True),
        sa.Column("retry_of", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("direction in ('debit', 'credit')", name="payment_instruction_direction"),
        sa.CheckConstraint("amount > 0", name="payment_instruction_positive"),
        sa.CheckConstraint(
            "attempt >= 1 and (attempt > 1) = (retry_of is not null)", name="payment_instruction_attempt"
        ),
        sa.CheckConstraint("instruction_no >= 1", name="payment_instruction_from_one"),
        sa.CheckConstraint("num_nonnulls(account_no, card_token) <= 1", name="payment_instruction_one_source"),
        sa.ForeignKeyConstraint(
            ["loan_id", "mandate_no"],
            ["servicing.mandate.loan_id", "servicing.mandate.mandate_no"],
            name="payment_instruction_mandate_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["loan_id", "retry_of"],
            ["servicing.payment_instruction.loan_id", "servicing.payment_instruction.instruction_no"],
            name="payment_instruction_retry_fkey",
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="payment_instruction_loan_fkey"),
        sa.PrimaryKeyConstraint("loan_id", "instruction_no", name="payment_instruction_pkey"),
        sa.UniqueConstraint("loan_id", "request_key", name="payment_instruction_request_key_key"),
        sa.UniqueConstraint("loan_id", "retry_of", name="payment_instruction_retried_once"),
        schema="servicing",
        comment="What is to be taken from a borrower, or sent to one, by a rail; how it fares is in its moves",
    )
    op.create_index("payment_instruction_by_due", "payment_instruction", ["due_on"], unique=False, schema="servicing")


def _payment_move() -> None:
    op.create_table(
        "payment_move",
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("instruction_no", sa.BigInteger(), nullable=False),
        sa.Column("move_no", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.Column("settles_on", sa.Date(), nullable=True),
        sa.Column("available_on", sa.Date(), nullable=True),
        sa.Column("trace", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=True),
        sa.Column("entries", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("(move_no = 1) = (status = 'scheduled')", name="payment_move_begins"),
        sa.CheckConstraint(
            "status in ('scheduled', 'batched', 'sent', 'settled', 'returned', 'canceled')", name="payment_move_status"
        ),
        sa.CheckConstraint("move_no >= 1", name="payment_move_from_one"),
        sa.ForeignKeyConstraint(
            ["loan_id", "event_no"],
            ["servicing.event.loan_id", "servicing.event.event_no"],
            name="payment_move_event_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["loan_id", "instruction_no"],
            ["servicing.payment_instruction.loan_id", "servicing.payment_instruction.instruction_no"],
            name="payment_move_instruction_fkey",
        ),
        sa.PrimaryKeyConstraint("loan_id", "instruction_no", "move_no", name="payment_move_pkey"),
        sa.UniqueConstraint("loan_id", "instruction_no", "request_key", "status", name="payment_move_request_key_key"),
        sa.UniqueConstraint("loan_id", "trace", name="payment_move_trace_key"),
        schema="servicing",
        comment="Each status that an instruction came to, the loan's event that it made, and the entries it booked",
    )
    op.create_index("payment_move_by_trace", "payment_move", ["trace"], unique=False, schema="servicing")
