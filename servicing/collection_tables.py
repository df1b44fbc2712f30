"""The tables of `servicing` that say how far behind loans are, and what is done about it; every constraint named.

Ranges can be made again; of cases, promises and flags the standing may move; policies and notes are appended.
Next: `servicing/commands/delinquency.py`, `servicing/collection_store.py`.
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
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from servicing.tables import metadata


def _recorded_at() -> Column[object]:
    return Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


def _loan(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["loan_id"], ["servicing.loan.loan_id"], name=f"{table}_loan_fkey")


delinquency_range = Table(
    "delinquency_range",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("range_no", BigInteger, nullable=False),
    Column("from_day", Date, nullable=False),
    Column("through", Date),
    Column("since", Date),
    Column("recent_since", Date),
    Column("counts_from", Date),
    Column("recent_counts_from", Date),
    Column("stopped_on", Date),
    Column("principal", BigInteger, nullable=False),
    Column("interest", BigInteger, nullable=False),
    Column("fees", BigInteger, nullable=False),
    Column("penalties", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("known_on", Date, nullable=False),
    Column("superseded_on", Date),
    _recorded_at(),
    CheckConstraint("since < from_day", name="delinquency_range_since"),
    CheckConstraint("(since is null) = (counts_from is null)", name="delinquency_range_counts"),
    CheckConstraint("through >= from_day", name="delinquency_range_ends"),
    _loan("delinquency_range"),
    PrimaryKeyConstraint("loan_id", "range_no", name="delinquency_range_pkey"),
    Index(
        "delinquency_range_past_due",
        "through",
        postgresql_where=text("superseded_on IS NULL AND counts_from IS NOT NULL"),
    ),
    comment="Where a loan stands on days from_day to through (null: until something changes): days past due count"
    " from counts_from, in a pause up to stopped_on alone. Recomputable; what a later event has made otherwise"
    " is superseded",
    postgresql_with={"fillfactor": "80"},
)

collection_policy = Table(
    "collection_policy",
    metadata,
    Column("book_id", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("rules", JSONB, nullable=False),
    Column("loaded_on", Date, nullable=False),
    Column("actor", Text, nullable=False),
    _recorded_at(),
    CheckConstraint("version >= 1", name="collection_policy_from_one"),
    PrimaryKeyConstraint("book_id", "version", name="collection_policy_pkey"),
    comment="How a book collects what is past due, version by version; the latest is in force",
)

collection_mark = Table(
    "collection_mark",
    metadata,
    Column("book_id", BigInteger, nullable=False, autoincrement=False),
    Column("through", Date, nullable=False),
    PrimaryKeyConstraint("book_id", name="collection_mark_pkey"),
    comment="The last day on which the cases of a book were decided",
)

collection_case = Table(
    "collection_case",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("case_no", BigInteger, nullable=False),
    Column("book_id", BigInteger, nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("queue", Text, nullable=False),
    Column("owner", Text),
    Column("priority", BigInteger, nullable=False),
    Column("next_action", Text, nullable=False),
    Column("next_action_on", Date, nullable=False),
    Column("closed_on", Date),
    Column("policy_version", BigInteger, nullable=False),
    _recorded_at(),
    CheckConstraint("case_no >= 1", name="collection_case_from_one"),
    CheckConstraint("closed_on >= opened_on", name="collection_case_closes"),
    _loan("collection_case"),
    PrimaryKeyConstraint("loan_id", "case_no", name="collection_case_pkey"),
    Index(
        "collection_case_open",
        "book_id",
        "queue",
        "priority",
        "next_action_on",
        "loan_id",
        postgresql_where=text("closed_on IS NULL"),
    ),
    comment="The work on a loan that is past due, from the day on which policy opened it to its close",
)

collection_note = Table(
    "collection_note",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("note_no", BigInteger, nullable=False),
    Column("on_day", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    _recorded_at(),
    CheckConstraint("note_no >= 1", name="collection_note_from_one"),
    _loan("collection_note"),
    PrimaryKeyConstraint("loan_id", "note_no", name="collection_note_pkey"),
    UniqueConstraint("loan_id", "request_key", name="collection_note_request_key_key"),
    comment="What was done and what happened in collecting from a borrower: appended, never changed",
)

promise = Table(
    "promise",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("promise_no", BigInteger, nullable=False),
    Column("plan_no", BigInteger, nullable=False),
    Column("promised_on", Date, nullable=False),
    Column("counts_from", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("least", BigInteger, nullable=False),
    Column("grace_days", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("decided_on", Date),
    Column("received", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    _recorded_at(),
    CheckConstraint("amount > 0 and least between 0 and amount", name="promise_amounts"),
    CheckConstraint("due_on >= promised_on", name="promise_looks_ahead"),
    CheckConstraint("status in ('open', 'kept', 'broken')", name="promise_status"),
    _loan("promise"),
    PrimaryKeyConstraint("loan_id", "promise_no", name="promise_pkey"),
    UniqueConstraint("loan_id", "request_key", name="promise_request_key_key"),
    Index("promise_by_due", "due_on"),
    comment="What a borrower promised to pay by a day, and what came of it; promises of one plan share its number",
)

contact_flag = Table(
    "contact_flag",
    metadata,
    Column("loan_id", BigInteger, nullable=False),
    Column("flag_no", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("set_on", Date, nullable=False),
    Column("actor", Text, nullable=False),
    Column("lifted_on", Date),
    Column("lifted_by", Text),
    _recorded_at(),
    _loan("contact_flag"),
    PrimaryKeyConstraint("loan_id", "flag_no", name="contact_flag_pkey"),
    comment="By which channel a borrower must not be contacted, or by none at all (all), until the flag is lifted",
)
