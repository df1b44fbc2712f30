"""Rows of policies and decisions to values and back; every write is an INSERT.

A version is compiled once in a process, by its hash: what stands under a hash never changes. Never: decisions, or a
commit. Next: `origination/policy_commands.py`, `origination/decision_commands.py`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from origination import policy_tables as tables
from origination.application import ApplicationState, Standing
from origination.decision_records import Activation, StoredDecision, StoredUnderwriting, Version
from origination.policies.engine import Policy, policy_from_json

_IDS: sa.types.TypeEngine[Any] = postgresql.ARRAY(sa.BigInteger)
_KEPT = 64
_LOCK = threading.Lock()
_COMPILED: dict[str, Policy] = {}


@dataclass(frozen=True, slots=True)
class Position:
    """Where an application stands for whoever decides: its state, its last event and its last decision."""

    standing: Standing
    book_id: int
    last_event_no: int
    last_decision_no: int


# One document for all rows: as arrays of text, every quote of every JSON value would be escaped, one by one.
_COLUMNS = (
    "application_id, decision_no, decision_id, role, policy, content_hash, outcome, facts, result, business_date, actor"
)
_INSERT_DECISIONS = sa.text(
    f"INSERT INTO origination.decision ({_COLUMNS}) SELECT {_COLUMNS}"  # noqa: S608 - the names are those above
    " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (application_id bigint, decision_no smallint,"
    " decision_id bigint, role text, policy text, content_hash text, outcome text, facts jsonb, result jsonb,"
    " business_date date, actor text) ON CONFLICT DO NOTHING RETURNING application_id, decision_no"
)

_POSITIONS = sa.text(
    "SELECT a.application_id, a.book_id, a.entered_by, e.event_no, e.state,"
    " coalesce((SELECT max(d.decision_no) FROM origination.decision d WHERE d.application_id = a.application_id), 0)"
    "   AS decision_no"
    " FROM origination.application a"
    " CROSS JOIN LATERAL (SELECT v.event_no, v.state FROM origination.application_event v"
    "   WHERE v.application_id = a.application_id ORDER BY v.event_no DESC LIMIT 1) e"
    " WHERE a.application_id = ANY (:ids)"
).bindparams(sa.bindparam("ids", type_=_IDS))


def positions(connection: sa.Connection, application_ids: Sequence[int]) -> dict[int, Position]:
    """Return where applications stand, in one round trip; ids that do not exist are left out."""
    return {
        row.application_id: Position(
            Standing(row.application_id, ApplicationState(row.state), row.entered_by),
            row.book_id,
            row.event_no,
            row.decision_no,
        )
        for row in connection.execute(_POSITIONS, {"ids": list(application_ids)})
    }


def decided_on(connection: sa.Connection, application_ids: Sequence[int]) -> tuple[int, ...]:
    """Return about which of these applications a policy has said something, with effect."""
    table = tables.decision
    wanted = table.c.application_id == sa.any_(sa.literal(list(application_ids), postgresql.ARRAY(sa.BigInteger)))
    own = table.c.application_id
    return tuple(connection.scalars(sa.select(own).distinct().where(wanted, table.c.role != "shadow").order_by(own)))


def insert_version(connection: sa.Connection, policy: Policy, *, actor: str) -> bool:
    """Write a version; return whether it is new."""
    table = tables.policy_version
    values = {
        "content_hash": policy.content_hash,
        "name": policy.name,
        "body": policy.document.as_json(),
        "actor": actor,
    }
    statement = postgresql.insert(table).on_conflict_do_nothing().returning(table.c.content_hash)
    return connection.scalar(statement, values) is not None


def versions(connection: sa.Connection, name: str | None = None) -> tuple[Version, ...]:
    """Return the versions of a policy, or of all, the latest first."""
    table = tables.policy_version
    statement = sa.select(table.c.content_hash, table.c.name, table.c.actor, table.c.recorded_at)
    if name is not None:
        statement = statement.where(table.c.name == name)
    rows = connection.execute(statement.order_by(table.c.name, table.c.recorded_at.desc(), table.c.content_hash))
    return tuple(Version(row.content_hash, row.name, row.actor, row.recorded_at) for row in rows)


def hashes_beginning(connection: sa.Connection, start: str) -> tuple[str, ...]:
    """Return the hashes of versions that begin so, two at most."""
    table = tables.policy_version
    statement = sa.select(table.c.content_hash).where(table.c.content_hash.startswith(start, autoescape=True)).limit(2)
    return tuple(connection.scalars(statement))


def load_policy(connection: sa.Connection, content_hash: str) -> Policy:
    """Return the version under a hash, compiled; it exists."""
    with _LOCK:
        found = _COMPILED.get(content_hash)
    if found is not None:
        return found
    table = tables.policy_version
    body = connection.execute(sa.select(table.c.body).where(table.c.content_hash == content_hash)).scalar_one()
    policy = policy_from_json(body)
    with _LOCK:
        if len(_COMPILED) >= _KEPT:
            _COMPILED.pop(next(iter(_COMPILED)))
        return _COMPILED.setdefault(content_hash, policy)


def insert_activation(connection: sa.Connection, activation: Activation) -> bool:
    """Write an activation; return whether its number was free."""
    table = tables.policy_activation
    values = {name: getattr(activation, name) for name in Activation.__slots__}
    values["shadows"] = list(activation.shadows)
    statement = postgresql.insert(table).on_conflict_do_nothing().returning(table.c.activation_no)
    return connection.scalar(statement, values) is not None


def activations(connection: sa.Connection, name: str | None = None) -> tuple[Activation, ...]:
    """Return the activations of a policy, or of all, the last first."""
    table = tables.policy_activation
    statement = sa.select(table)
    if name is not None:
        statement = statement.where(table.c.name == name)
    return tuple(
        _activation(row) for row in connection.execute(statement.order_by(table.c.name, table.c.activation_no.desc()))
    )


def activation_on(connection: sa.Connection, name: str, day: date) -> Activation | None:
    """Return the activation of a policy that is in force on a day."""
    table = tables.policy_activation
    statement = (
        sa.select(table)
        .where(table.c.name == name, table.c.effective_date <= day)
        .order_by(table.c.effective_date.desc(), table.c.activation_no.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _activation(row)


def _activation(row: Any) -> Activation:
    return Activation(
        row.name,
        row.activation_no,
        row.effective_date,
        row.champion,
        row.challenger,
        row.challenger_bp,
        tuple(row.shadows),
        row.reason,
        row.actor,
        row.approver,
    )


def insert_authority(
    connection: sa.Connection, version: int, content_hash: str, limits: Mapping[str, Any], *, actor: str, approver: str
) -> bool:
    """Write a version of the limits; return whether its number was free."""
    table = tables.authority_version
    values = {
        "version": version,
        "content_hash": content_hash,
        "limits": limits,
        "actor": actor,
        "approver": approver,
    }
    statement = postgresql.insert(table).on_conflict_do_nothing().returning(table.c.version)
    return connection.scalar(statement, values) is not None


def latest_authority(connection: sa.Connection) -> Any | None:
    """Return the row of the limits in force: version, content_hash, limits."""
    table = tables.authority_version
    statement = sa.select(table.c.version, table.c.content_hash, table.c.limits)
    return connection.execute(statement.order_by(table.c.version.desc()).limit(1)).one_or_none()


def insert_decisions(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> frozenset[tuple[int, int]]:
    """Write decisions in one statement; return the (application, number) pairs that somebody else took first."""
    in_order = sorted(rows, key=lambda row: (row["application_id"], row["decision_no"]))
    values = {"rows": json.dumps(in_order, ensure_ascii=False, separators=(",", ":"), default=date.isoformat)}
    written = {(row.application_id, row.decision_no) for row in connection.execute(_INSERT_DECISIONS, values)}
    return frozenset((row["application_id"], row["decision_no"]) for row in rows) - written


def decision_of(connection: sa.Connection, decision_id: int) -> StoredDecision | None:
    """Return the decision with an id."""
    table = tables.decision
    row = connection.execute(sa.select(table).where(table.c.decision_id == decision_id)).one_or_none()
    return None if row is None else decision_row(row)


def decision_row(row: Any) -> StoredDecision:
    """Return a decision from its row."""
    return StoredDecision(**{name: getattr(row, name) for name in StoredDecision.__slots__})


def insert_underwriting(connection: sa.Connection, values: Mapping[str, Any]) -> bool:
    """Write what an underwriter decided; return whether nobody did before."""
    table = tables.underwriting
    statement = postgresql.insert(table).on_conflict_do_nothing().returning(table.c.decision_id)
    return connection.scalar(statement, values) is not None


def underwriting_of(connection: sa.Connection, decision: StoredDecision) -> StoredUnderwriting | None:
    """Return what an underwriter decided about a decision."""
    table = tables.underwriting
    wanted = (table.c.application_id == decision.application_id, table.c.decision_no == decision.decision_no)
    row = connection.execute(sa.select(table).where(*wanted)).one_or_none()
    if row is None:
        return None
    values = {name: getattr(row, name) for name in StoredUnderwriting.__slots__}
    values["exceptions"] = tuple(row.exceptions)
    values["reasons"] = tuple((name, code, text) for name, code, text in row.reasons)
    return StoredUnderwriting(**values)
