"""Policies and decisions as people look at them: versions, one decision with all that led to it, the open referrals.

Next: `origination/decision_commands.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from ledger.queries.accounts import book
from origination import policy_store as store
from origination import policy_tables as tables
from origination import tables as origination
from origination.decision_records import Activation, StoredDecision, StoredUnderwriting, Version
from origination.errors import ApplicationUnknown, DecisionUnknown, PolicyNotActive, PolicyUnknown
from origination.policies.authority import Authority, authority_from_json
from origination.policies.engine import Policy, decide, differences
from origination.policy_store import Position

OPEN = ("refer", "counter_offer")
"""Outcomes that wait for a person."""


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision, the policy that made it, what an underwriter made of it, and the application."""

    decision: StoredDecision
    policy: Policy
    underwriting: StoredUnderwriting | None
    position: Position
    external_id: str


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A policy by name: its versions and activations, the latest first, and the activation in force on a day."""

    name: str
    versions: tuple[Version, ...]
    activations: tuple[Activation, ...]
    in_force: Activation | None


@dataclass(frozen=True, slots=True)
class Referral:
    """An application that waits for an underwriter."""

    application_id: int
    decision_id: int
    external_id: str
    outcome: str
    decided_on: date
    entered_by: str
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision computed again, and in what it differs: in nothing."""

    decision_id: int
    content_hash: str
    differences: tuple[str, ...]


def version_named(connection: sa.Connection, name: str) -> Version:
    """Return the one version whose hash begins so, or the latest one of a policy of that name.

    Raises: PolicyUnknown.
    """
    of_name = store.versions(connection, name)
    if of_name:
        return of_name[0]
    hashes = store.hashes_beginning(connection, name) if len(name) >= 4 else ()
    if len(hashes) != 1:
        raise PolicyUnknown(name=name)
    return next(each for each in store.versions(connection) if each.content_hash == hashes[0])


def policy_version(connection: sa.Connection, name: str) -> Policy:
    """Return a version by its hash, the beginning of it, or the policy's name, compiled. Raises: PolicyUnknown."""
    return store.load_policy(connection, version_named(connection, name).content_hash)


def policy_names(connection: sa.Connection) -> tuple[str, ...]:
    """Return the names of all policies, in order."""
    return tuple(dict.fromkeys(each.name for each in store.versions(connection)))


def policy_view(connection: sa.Connection, name: str, day: date) -> PolicyView:
    """Return a policy with its versions and activations. Raises: PolicyUnknown."""
    found = store.versions(connection, name)
    if not found:
        raise PolicyUnknown(name=name)
    return PolicyView(name, found, store.activations(connection, name), store.activation_on(connection, name, day))


def active_policy(connection: sa.Connection, name: str, day: date) -> Activation:
    """Return what is active of a policy on a day. Raises: PolicyUnknown; PolicyNotActive."""
    found = store.activation_on(connection, name, day)
    if found is None:
        if not store.versions(connection, name):
            raise PolicyUnknown(name=name)
        raise PolicyNotActive(name=name, day=day)
    return found


def decision_view(connection: sa.Connection, decision_id: int) -> DecisionView:
    """Return a decision with all that led to it. Raises: DecisionUnknown."""
    found = store.decision_of(connection, decision_id)
    if found is None:
        raise DecisionUnknown(decision_id=decision_id)
    table = origination.application
    external_id = connection.execute(
        sa.select(table.c.external_id).where(table.c.application_id == found.application_id)
    ).scalar_one()
    return DecisionView(
        found,
        store.load_policy(connection, found.content_hash),
        store.underwriting_of(connection, found),
        store.positions(connection, (found.application_id,))[found.application_id],
        external_id,
    )


def decisions_of(connection: sa.Connection, application_id: int) -> tuple[StoredDecision, ...]:
    """Return the decisions on an application in order, shadows among them. Raises: ApplicationUnknown."""
    table = tables.decision
    if not store.positions(connection, (application_id,)):
        raise ApplicationUnknown(application_id=application_id)
    statement = sa.select(table).where(table.c.application_id == application_id).order_by(table.c.decision_no)
    return tuple(store.decision_row(row) for row in connection.execute(statement))


_LAST = sa.text(
    "SELECT decision_id FROM origination.decision WHERE application_id = :application_id AND role <> 'shadow'"
    " ORDER BY decision_no DESC LIMIT 1"
)


def last_with_effect(connection: sa.Connection, application_id: int) -> int | None:
    """Return the latest decision on an application that is no shadow."""
    found: int | None = connection.scalar(_LAST, {"application_id": application_id})
    return found


def replay(connection: sa.Connection, decision_id: int) -> Replayed:
    """Compute a decision again from the facts and the version that it keeps. Raises: DecisionUnknown."""
    found = store.decision_of(connection, decision_id)
    if found is None:
        raise DecisionUnknown(decision_id=decision_id)
    policy = store.load_policy(connection, found.content_hash)
    computed = decide(policy, policy.facts_from_json(found.facts)).as_json()
    unequal = differences(found.result, computed)
    if policy.content_hash != found.content_hash:
        unequal = (f"version: stored {found.content_hash}, computed {policy.content_hash}", *unequal)
    return Replayed(decision_id, found.content_hash, unequal)


def authority_in_force(connection: sa.Connection) -> tuple[int, Authority] | None:
    """Return the limits of authority in force with their version."""
    row = store.latest_authority(connection)
    return None if row is None else (row.version, authority_from_json(row.limits))


_REFERRALS = sa.text(
    "SELECT d.application_id, d.decision_id, a.external_id, d.outcome, d.business_date, a.entered_by, d.result"
    " FROM origination.application a"
    " CROSS JOIN LATERAL (SELECT v.state FROM origination.application_event v"
    "   WHERE v.application_id = a.application_id ORDER BY v.event_no DESC LIMIT 1) e"
    " CROSS JOIN LATERAL (SELECT l.* FROM origination.decision l WHERE l.application_id = a.application_id"
    "   AND l.role <> 'shadow' ORDER BY l.decision_no DESC LIMIT 1) d"
    " WHERE a.book_id = :book_id AND e.state = 'received' AND d.outcome = ANY (:outcomes)"
    " AND a.application_id > :after ORDER BY a.application_id LIMIT :limit"
)


def referrals(connection: sa.Connection, book_code: str, *, after: int = 0, limit: int = 100) -> tuple[Referral, ...]:
    """Return the applications of a book that wait for an underwriter, the oldest first. Raises: BookUnknown."""
    values = {
        "book_id": book(connection, book_code).book_id,
        "outcomes": list(OPEN),
        "after": after,
        "limit": limit,
    }
    return tuple(
        Referral(
            row.application_id,
            row.decision_id,
            row.external_id,
            row.outcome,
            row.business_date,
            row.entered_by,
            row.result,
        )
        for row in connection.execute(_REFERRALS, values)
    )


def past_facts(connection: sa.Connection, book_code: str, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the facts of every decision with effect that a policy made in a book, the last of each application."""
    decided, entered = tables.decision, origination.application
    latest = (
        sa.select(entered.c.external_id, decided.c.facts)
        .ext(sa.dialects.postgresql.distinct_on(decided.c.application_id))
        .join(entered, entered.c.application_id == decided.c.application_id)
        .where(
            entered.c.book_id == book(connection, book_code).book_id,
            decided.c.policy == name,
            decided.c.role != "shadow",
        )
        .order_by(decided.c.application_id, decided.c.decision_no.desc())
    )
    for row in connection.execution_options(yield_per=1000).execute(latest):
        yield row.external_id, row.facts
