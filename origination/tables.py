"""The tables of the schema `origination`, every constraint named; all of them take new rows only.

An application's state is that of its latest event; two people who act at the same instant want the same event
number, and one of them is refused. Keys begin with the application. No personal data: an applicant is a
reference.
Next: `origination/store.py`; the migrations for triggers and grants.
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
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="origination")


def _recorded_at() -> Column[object]:
    return Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


application = Table(
    "application",
    metadata,
    Column("application_id", BigInteger, nullable=False, autoincrement=False),
    Column("book_id", Integer, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("applicant", Text, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("entered_by", Text, nullable=False),
    Column("entered_on", Date, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", name="application_pkey"),
    Index("application_by_external_id", "book_id", "external_id"),
    CheckConstraint(
        "channel in ('web', 'mobile', 'point_of_sale', 'agent', 'partner', 'file')",
        name="application_channel_known",
    ),
    comment="A request for a loan, as it was entered; the terms are those that a funding boards",
)

application_event = Table(
    "application_event",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("event_no", SmallInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text),
    Column("reason", Text),
    Column("loan_id", BigInteger),
    _recorded_at(),
    Column("contract_sha256", Text),
    PrimaryKeyConstraint("application_id", "event_no", name="application_event_pkey"),
    ForeignKeyConstraint(
        ["application_id"],
        ["origination.application.application_id"],
        name="application_event_application_fkey",
    ),
    ForeignKeyConstraint(
        ["application_id", "approver", "contract_sha256"],
        [f"origination.funding_approval.{name}" for name in ("application_id", "actor", "contract_sha256")],
        name="application_event_approval_fkey",
    ),
    Index("application_event_funded_once", "application_id", unique=True, postgresql_where=text("loan_id is not null")),
    CheckConstraint(
        "(action = 'fund_contract') = (contract_sha256 is not null)", name="application_event_contract_named"
    ),
    CheckConstraint("approver <> actor", name="application_event_second_person"),
    CheckConstraint(
        "(state = 'funded') = (loan_id is not null) and (state <> 'funded' or approver is not null)",
        name="application_event_funding_sound",
    ),
    CheckConstraint("event_no > 0", name="application_event_number_positive"),
    comment="What happened to an application, in order; the last row says where it stands",
)

disbursement = Table(
    "disbursement",
    metadata,
    Column("application_id", BigInteger, nullable=False),
    Column("disbursement_no", SmallInteger, nullable=False),
    Column("loan_id", BigInteger, nullable=False),
    Column("payee", Text, nullable=False),
    Column("rail", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    _recorded_at(),
    PrimaryKeyConstraint("application_id", "disbursement_no", name="disbursement_pkey"),
    ForeignKeyConstraint(
        ["application_id"],
        ["origination.application.application_id"],
        name="disbursement_application_fkey",
    ),
    CheckConstraint("amount > 0 and disbursement_no > 0", name="disbursement_positive"),
    CheckConstraint("rail in ('ach', 'wire', 'check')", name="disbursement_rail_known"),
    comment="Instructions to pay out the proceeds of a loan, written in the transaction that funds it",
)
