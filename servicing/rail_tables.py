"""The tables of payment rails: bank accounts, mandates, instructions and their moves.

Everything is appended and never changed; only the encrypted number of a bank account may be written anew, when its key
is. Keys begin with `loan_id`. Next: `servicing/tables.py` for the rest of the schema; `servicing/rail_store.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY

from servicing.rails.instruction import Direction, Status
from servicing.rails.mandates import AMOUNT_RULES, ENDINGS, ENTRY_CLASSES
from servicing.tables import _recorded_at, metadata


def _one_of(column: str, values: Iterable[str]) -> str:
    return f"{column} in ({', '.join(repr(str(value)) for value in values)})"


bank_account = Table(
    "bank_account",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("account_no", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("routing", Text, nullable=False),
    Column("last_four", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", "account_no", "version", name="bank_account_pkey"),
    UniqueConstraint("loan_id", "request_key", name="bank_account_request_key_key"),
    ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="bank_account_loan_fkey"),
    CheckConstraint("least(account_no, version) >= 1", name="bank_account_from_one"),
    CheckConstraint("routing ~ '^[0-9]{9}$'", name="bank_account_routing"),
    CheckConstraint("length(last_four) <= 4", name="bank_account_masked"),
    CheckConstraint("kind in ('checking', 'savings')", name="bank_account_kind"),
    comment="Bank accounts of borrowers; a correction is a next version. The number itself is encrypted elsewhere",
)

bank_account_secret = Table(
    "bank_account_secret",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("account_no", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("token", Text, nullable=False),
    PrimaryKeyConstraint("loan_id", "account_no", "version", name="bank_account_secret_pkey"),
    ForeignKeyConstraint(
        ["loan_id", "account_no", "version"],
        [
            "servicing.bank_account.loan_id",
            "servicing.bank_account.account_no",
            "servicing.bank_account.version",
        ],
        name="bank_account_secret_version_fkey",
    ),
    Index("bank_account_secret_by_key", "key_id"),
    comment="The number of each version of a bank account, encrypted; written anew when the key changes",
)

mandate = Table(
    "mandate",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("mandate_no", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("account_no", BigInteger),
    Column("card_token", Text),
    Column("amount_rule", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("day_of_month", BigInteger),
    Column("starts_on", Date, nullable=False),
    Column("entry_class", Text),
    Column("authorized_on", Date, nullable=False),
    Column("text_version", Text, nullable=False),
    Column("authorized_how", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", "mandate_no", name="mandate_pkey"),
    UniqueConstraint("loan_id", "request_key", name="mandate_request_key_key"),
    ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="mandate_loan_fkey"),
    CheckConstraint("mandate_no >= 1", name="mandate_from_one"),
    CheckConstraint(_one_of("amount_rule", AMOUNT_RULES), name="mandate_amount_rule"),
    CheckConstraint("(amount_rule = 'amount_due') = (amount = 0) and amount >= 0", name="mandate_amount"),
    CheckConstraint("num_nonnulls(account_no, card_token) = 1", name="mandate_one_source"),
    CheckConstraint("day_of_month between 1 and 31", name="mandate_day"),
    CheckConstraint(_one_of("entry_class", ENTRY_CLASSES), name="mandate_entry_class"),
    comment="What a borrower has authorized to be debited, and how it was authorized",
)

mandate_end = Table(
    "mandate_end",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("mandate_no", BigInteger, nullable=False),
    Column("ended_on", Date, nullable=False),
    Column("cause", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", "mandate_no", name="mandate_end_pkey"),
    ForeignKeyConstraint(
        ["loan_id", "mandate_no"],
        ["servicing.mandate.loan_id", "servicing.mandate.mandate_no"],
        name="mandate_end_mandate_fkey",
    ),
    CheckConstraint(_one_of("cause", ENDINGS), name="mandate_end_cause"),
    comment="How a mandate ended: revoked by the borrower, or of no use any more; once",
)

payment_instruction = Table(
    "payment_instruction",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("instruction_no", BigInteger, nullable=False),
    Column("direction", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("account_no", BigInteger),
    Column("card_token", Text),
    Column("mandate_no", BigInteger),
    Column("retry_of", BigInteger),
    Column("payee", Text),
    Column("attempt", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", "instruction_no", name="payment_instruction_pkey"),
    UniqueConstraint("loan_id", "request_key", name="payment_instruction_request_key_key"),
    UniqueConstraint("loan_id", "retry_of", name="payment_instruction_retried_once"),
    ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name="payment_instruction_loan_fkey"),
    ForeignKeyConstraint(
        ["loan_id", "mandate_no"],
        ["servicing.mandate.loan_id", "servicing.mandate.mandate_no"],
        name="payment_instruction_mandate_fkey",
    ),
    ForeignKeyConstraint(
        ["loan_id", "retry_of"],
        ["servicing.payment_instruction.loan_id", "servicing.payment_instruction.instruction_no"],
        name="payment_instruction_retry_fkey",
    ),
    CheckConstraint("instruction_no >= 1", name="payment_instruction_from_one"),
    CheckConstraint(_one_of("direction", Direction), name="payment_instruction_direction"),
    CheckConstraint("amount > 0", name="payment_instruction_positive"),
    CheckConstraint("num_nonnulls(account_no, card_token) <= 1", name="payment_instruction_one_source"),
    CheckConstraint("attempt >= 1 and (attempt > 1) = (retry_of is not null)", name="payment_instruction_attempt"),
    CheckConstraint("payee is null or direction = 'credit'", name="payment_instruction_payee"),
    Index("payment_instruction_by_due", "due_on"),
    comment="What is to be taken from a borrower, or sent to one, by a rail; how it fares is in its moves",
)

payment_move = Table(
    "payment_move",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("instruction_no", BigInteger, nullable=False),
    Column("move_no", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("moved_on", Date, nullable=False),
    Column("settles_on", Date),
    Column("available_on", Date),
    Column("trace", Text),
    Column("reason", Text, nullable=False),
    Column("event_no", BigInteger),
    Column("entries", ARRAY(BigInteger), nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("loan_id", "instruction_no", "move_no", name="payment_move_pkey"),
    UniqueConstraint("loan_id", "instruction_no", "request_key", "status", name="payment_move_request_key_key"),
    UniqueConstraint("loan_id", "trace", name="payment_move_trace_key"),
    ForeignKeyConstraint(
        ["loan_id", "instruction_no"],
        ["servicing.payment_instruction.loan_id", "servicing.payment_instruction.instruction_no"],
        name="payment_move_instruction_fkey",
    ),
    ForeignKeyConstraint(
        ["loan_id", "event_no"],
        ["servicing.event.loan_id", "servicing.event.event_no"],
        name="payment_move_event_fkey",
    ),
    CheckConstraint("move_no >= 1", name="payment_move_from_one"),
    CheckConstraint("(move_no = 1) = (status = 'scheduled')", name="payment_move_begins"),
    CheckConstraint(_one_of("status", Status), name="payment_move_status"),
    Index("payment_move_by_trace", "trace"),
    comment="Each status that an instruction came to, the loan's event that it made, and the entries it booked",
)
