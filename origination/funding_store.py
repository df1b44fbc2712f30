"""Rows of offers, contracts and fundings to values and back; every write is an INSERT.

Never: decisions, or a commit. Next: `origination/offer_commands.py`, `origination/funding_commands.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ledger.money import Money
from origination import funding_tables as tables
from origination.funding.payout import Payout, SealedAccount
from origination.funding.policy import FundingPolicy, policy_of
from origination.funding.readiness import Approval, DecidedCondition
from origination.offers.contract import Contract
from origination.offers.offer import Offer, terms_json, terms_of
from origination.tables import disbursement

LOCKS = 256
"""Among so many locks the applications are dealt out, so that many of them are locked by few."""

_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('applications:' || :place, 0))")


def lock_applications(connection: sa.Connection, application_ids: Sequence[int]) -> None:
    """Wait until nobody else makes offers for these, accepts or funds them; held until the transaction ends."""
    # In one order, so that two who lock several cannot wait for each other.
    for place in sorted({application_id % LOCKS for application_id in application_ids}):
        connection.execute(_LOCK, {"place": str(place)})


# --- Offers -----------------------------------------------------------------------------------------------


def with_offers(connection: sa.Connection, application_ids: Sequence[int]) -> tuple[int, ...]:
    """Return which of these applications have offers."""
    own = tables.offer.c.application_id
    wanted = own == sa.any_(sa.literal(list(application_ids), postgresql.ARRAY(sa.BigInteger)))
    return tuple(connection.scalars(sa.select(own).distinct().where(wanted).order_by(own)))


def insert_offers(connection: sa.Connection, offers: Sequence[Offer]) -> None:
    """Write offers."""
    rows = [
        {
            "application_id": each.application_id,
            "offer_no": each.offer_no,
            "set_no": each.set_no,
            "is_counter": each.is_counter,
            "terms": terms_json(each.terms),
            "disclosure": dict(each.disclosure),
            "made_on": each.made_on,
            "expires_on": each.expires_on,
            "actor": each.actor,
        }
        for each in offers
    ]
    connection.execute(sa.insert(tables.offer), rows)


def offers_of(connection: sa.Connection, application_id: int) -> tuple[Offer, ...]:
    """Return the offers of an application, in order."""
    table = tables.offer
    rows = connection.execute(
        sa.select(table).where(table.c.application_id == application_id).order_by(table.c.offer_no)
    )
    return tuple(
        Offer(
            application_id=row.application_id,
            offer_no=row.offer_no,
            set_no=row.set_no,
            is_counter=row.is_counter,
            terms=terms_of(row.terms),
            disclosure=row.disclosure,
            made_on=row.made_on,
            expires_on=row.expires_on,
            actor=row.actor,
        )
        for row in rows
    )


# --- Contracts --------------------------------------------------------------------------------------------


def insert_contract(connection: sa.Connection, contract: Contract, payouts: Sequence[Payout]) -> bool:
    """Write a contract and where its proceeds go; tell whether nobody else had written one."""
    row = {
        "application_id": contract.application_id,
        "offer_no": contract.offer_no,
        "canonical": contract.canonical,
        "sha256": contract.sha256,
        "funding_rules": dict(contract.funding_rules),
        "accepted_on": contract.accepted_on,
        "actor": contract.actor,
    }
    if not _insert_once(connection, tables.contract, row):
        return False
    connection.execute(sa.insert(tables.payout), [_payout_row(contract.application_id, each) for each in payouts])
    return True


def contract_of(connection: sa.Connection, application_id: int) -> Contract | None:
    """Return the contract of an application, if it has one."""
    table = tables.contract
    row = connection.execute(sa.select(table).where(table.c.application_id == application_id)).one_or_none()
    if row is None:
        return None
    return Contract(
        application_id=row.application_id,
        offer_no=row.offer_no,
        canonical=bytes(row.canonical),
        sha256=row.sha256,
        funding_rules=row.funding_rules,
        accepted_on=row.accepted_on,
        actor=row.actor,
    )


def payouts_of(connection: sa.Connection, application_id: int) -> tuple[Payout, ...]:
    """Return where the proceeds of a contract go, in order."""
    table = tables.payout
    rows = connection.execute(
        sa.select(table).where(table.c.application_id == application_id).order_by(table.c.payout_no)
    )
    return tuple(
        Payout(
            payout_no=row.payout_no,
            payee=row.payee,
            rail=row.rail,
            amount=Money(row.amount, row.currency),
            account=None
            if row.token is None
            else SealedAccount(
                routing=row.routing,
                kind=row.account_kind,
                last_four=row.last_four,
                key_id=row.key_id,
                token=row.token,
            ),
        )
        for row in rows
    )


def insert_disbursements(
    connection: sa.Connection, application_id: int, loan_id: int, payouts: Sequence[Payout], *, due_on: date
) -> None:
    """Write what a funding has scheduled to be sent."""
    rows = [
        {
            "application_id": application_id,
            "disbursement_no": each.payout_no,
            "loan_id": loan_id,
            "payee": each.payee,
            "rail": each.rail,
            "amount": each.amount.minor,
            "currency": each.amount.currency,
            "due_on": due_on,
        }
        for each in payouts
    ]
    connection.execute(sa.insert(disbursement), rows)


# --- Policies, conditions, approvals ----------------------------------------------------------------------


def policy_in_force(connection: sa.Connection, book_id: int, product: str) -> tuple[int, FundingPolicy] | None:
    """Return the latest rules that were loaded for a product, with their number."""
    table = tables.funding_policy
    row = connection.execute(
        sa.select(table.c.policy_no, table.c.rules)
        .where(table.c.book_id == book_id, table.c.product == product)
        .order_by(table.c.policy_no.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.policy_no, policy_of(row.rules))


def products_with_rules(connection: sa.Connection, book_ids: Sequence[int]) -> frozenset[tuple[int, str]]:
    """Return the products of books for which rules were loaded, each with its book."""
    table = tables.funding_policy
    wanted = table.c.book_id == sa.any_(sa.literal(list(book_ids), postgresql.ARRAY(sa.Integer)))
    rows = connection.execute(sa.select(table.c.book_id, table.c.product).distinct().where(wanted))
    return frozenset((row.book_id, row.product) for row in rows)


def insert_policy(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Write a version of the rules of a product."""
    connection.execute(sa.insert(tables.funding_policy), [dict(row)])


def conditions_of(connection: sa.Connection, application_id: int) -> tuple[DecidedCondition, ...]:
    """Return the conditions of a funding that are decided."""
    table = tables.funding_condition
    names = ("condition", "outcome", "evidence", "decided_on", "actor")
    rows = connection.execute(
        sa.select(*(table.c[name] for name in names))
        .where(table.c.application_id == application_id)
        .order_by(table.c.condition)
    )
    return tuple(DecidedCondition(**row) for row in rows.mappings())


def insert_condition(connection: sa.Connection, application_id: int, decided: DecidedCondition) -> bool:
    """Write that a condition is decided; tell whether nobody else had."""
    row = {
        "application_id": application_id,
        "condition": decided.condition,
        "outcome": decided.outcome,
        "evidence": decided.evidence,
        "decided_on": decided.decided_on,
        "actor": decided.actor,
    }
    return _insert_once(connection, tables.funding_condition, row)


def approvals_of(connection: sa.Connection, application_id: int) -> tuple[Approval, ...]:
    """Return who has approved a funding, in the order in which they did."""
    table = tables.funding_approval
    rows = connection.execute(
        sa.select(table.c.actor, table.c.contract_sha256, table.c.approved_on)
        .where(table.c.application_id == application_id)
        .order_by(table.c.recorded_at, table.c.actor)
    )
    return tuple(Approval(**row) for row in rows.mappings())


def insert_approval(connection: sa.Connection, application_id: int, approval: Approval) -> bool:
    """Write an approval; tell whether the person had given none."""
    row = {
        "application_id": application_id,
        "actor": approval.actor,
        "contract_sha256": approval.contract_sha256,
        "approved_on": approval.approved_on,
    }
    return _insert_once(connection, tables.funding_approval, row)


# --- Documents --------------------------------------------------------------------------------------------


def documents_of(connection: sa.Connection, application_id: int) -> list[Any]:
    """Return the documents of an application without their content, in order."""
    table = tables.document
    columns = [column for column in table.c if column.name != "content"]
    return list(
        connection.execute(
            sa.select(*columns)
            .where(table.c.application_id == application_id)
            .order_by(table.c.kind, table.c.version, table.c.format)
        )
    )


def document_content(connection: sa.Connection, application_id: int, kind: str, version: int, form: str) -> Any:
    """Return one document, or None."""
    table = tables.document
    return connection.execute(
        sa.select(table).where(
            table.c.application_id == application_id,
            table.c.kind == kind,
            table.c.version == version,
            table.c.format == form,
        )
    ).one_or_none()


def insert_document(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Write a document."""
    connection.execute(sa.insert(tables.document), [dict(row)])


def _payout_row(application_id: int, payout: Payout) -> dict[str, Any]:
    account = payout.account
    return {
        "application_id": application_id,
        "payout_no": payout.payout_no,
        "payee": payout.payee,
        "rail": payout.rail,
        "amount": payout.amount.minor,
        "currency": payout.amount.currency,
        "routing": None if account is None else account.routing,
        "account_kind": None if account is None else account.kind,
        "last_four": None if account is None else account.last_four,
        "key_id": None if account is None else account.key_id,
        "token": None if account is None else account.token,
    }


def _insert_once(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    """Write a row, unless there is one of its key; whoever writes the same key at once is waited for."""
    key = next(iter(table.primary_key.columns))
    statement = postgresql.insert(table).values(**row).on_conflict_do_nothing().returning(key)
    return connection.execute(statement).one_or_none() is not None
