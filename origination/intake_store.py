"""Rows of intake to values and back: forms, routes, drafts, submissions, consents, who is found again.

Never: personal data (`origination/personal_store.py`), decisions, or a commit. Next: `origination/intake_commands.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from origination import intake_tables as tables
from origination import tables as core
from origination.intake.records import Consent, Intake, Release, Submission, Version

_TEXTS: sa.types.TypeEngine[Any] = postgresql.ARRAY(sa.Text)


def latest_release(connection: sa.Connection, table: sa.Table, key: Mapping[str, Any]) -> Release | None:
    """Return the latest release of a declaration; None before the first."""
    wanted = [table.c[name] == value for name, value in key.items()]
    row = connection.execute(sa.select(table).where(*wanted).order_by(table.c.release.desc()).limit(1)).one_or_none()
    return None if row is None else Release(row.release, row.content_hash, row.declaration)


def add_release(
    connection: sa.Connection,
    table: sa.Table,
    key: Mapping[str, Any],
    content_hash: str,
    declaration: Mapping[str, Any],
    actor: str,
    **more: Any,
) -> tuple[Release, bool]:
    """Write a declaration as the next release, unless it is in force already; return what is, and whether it is new.

    Two who load at once take the same number; the second is run again.
    """
    latest = latest_release(connection, table, key)
    if latest is not None and latest.content_hash == content_hash:
        return latest, False
    release = 1 if latest is None else latest.release + 1
    values = {**key, **more, "release": release, "content_hash": content_hash, "declaration": dict(declaration)}
    connection.execute(sa.insert(table), {**values, "actor": actor})
    return Release(release, content_hash, declaration), True


def releases(connection: sa.Connection, table: sa.Table) -> list[Any]:
    """Return every release of every declaration, the latest of each first."""
    key = table.primary_key.columns.values()[0]
    return list(connection.execute(sa.select(table).order_by(key, table.c.release.desc())))


def insert_intakes(connection: sa.Connection, intakes: Sequence[Intake]) -> None:
    """Write applications from their first save on."""
    names = _names(tables.intake)
    rows = [{name: getattr(each, name) for name in names} for each in intakes]
    connection.execute(sa.insert(tables.intake), rows)


def load_intake(connection: sa.Connection, application_id: int) -> Intake | None:
    """Return an application; None if there is none."""
    row = connection.execute(
        sa.select(tables.intake).where(tables.intake.c.application_id == application_id)
    ).one_or_none()
    if row is None:
        return None
    values = {name: value for name, value in row._mapping.items() if name != "recorded_at"}
    return Intake(**values)


def known_intakes(connection: sa.Connection, book_id: int, external_ids: Sequence[str]) -> dict[str, int]:
    """Return which of these external ids are applications or drafts already, and which."""
    found: dict[str, int] = {}
    for table in (tables.intake, core.application):
        wanted = sa.any_(sa.literal(list(external_ids), _TEXTS))
        rows = connection.execute(
            sa.select(table.c.external_id, table.c.application_id).where(
                table.c.book_id == book_id, table.c.external_id == wanted
            )
        )
        found |= {row.external_id: row.application_id for row in rows}
    return found


def insert_version(connection: sa.Connection, application_id: int, version: Version) -> None:
    """Write a version; a number that somebody else took is a unique violation, and the work is run again."""
    connection.execute(
        sa.insert(tables.intake_version),
        {
            "application_id": application_id,
            "version_no": version.version_no,
            "form_hash": version.form_hash,
            "data": dict(version.data),
            "actor": version.actor,
            "saved_on": version.saved_on,
        },
    )


def load_versions(connection: sa.Connection, application_id: int) -> tuple[Version, ...]:
    """Return every version of an application, the first one first."""
    table = tables.intake_version
    rows = connection.execute(
        sa.select(table).where(table.c.application_id == application_id).order_by(table.c.version_no)
    )
    return tuple(Version(row.version_no, row.form_hash, row.data, row.actor, row.saved_on) for row in rows)


def latest_version(connection: sa.Connection, application_id: int) -> Version | None:
    """Return the version that counts."""
    table = tables.intake_version
    row = connection.execute(
        sa.select(table).where(table.c.application_id == application_id).order_by(table.c.version_no.desc()).limit(1)
    ).one_or_none()
    return None if row is None else Version(row.version_no, row.form_hash, row.data, row.actor, row.saved_on)


def insert_submission(connection: sa.Connection, submission: Submission) -> None:
    """Write a submission."""
    names = _names(tables.intake_submission)
    values = {name: getattr(submission, name) for name in names}
    connection.execute(sa.insert(tables.intake_submission), {**values, "duplicate_of": list(submission.duplicate_of)})


def load_submission(connection: sa.Connection, application_id: int) -> Submission | None:
    """Return what was submitted; None for a draft."""
    table = tables.intake_submission
    row = connection.execute(sa.select(table).where(table.c.application_id == application_id)).one_or_none()
    if row is None:
        return None
    values = {name: value for name, value in row._mapping.items() if name != "recorded_at"}
    return Submission(**{**values, "duplicate_of": tuple(row.duplicate_of)})


def insert_consents(connection: sa.Connection, application_id: int, consents: Iterable[Consent]) -> None:
    """Write the consents of an application."""
    names = _names(tables.consent, without="application_id")
    rows = [{"application_id": application_id, **{name: getattr(each, name) for name in names}} for each in consents]
    if rows:
        connection.execute(sa.insert(tables.consent), rows)


def load_consents(connection: sa.Connection, application_id: int) -> tuple[Consent, ...]:
    """Return the consents of an application, by kind."""
    table = tables.consent
    rows = connection.execute(sa.select(table).where(table.c.application_id == application_id).order_by(table.c.kind))
    names = _names(table, without="application_id")
    return tuple(Consent(**{name: getattr(row, name) for name in names}) for row in rows)


def pass_gates(connection: sa.Connection, gates: Iterable[int]) -> None:
    """Wait until nobody else is at these gates, and keep them until the transaction ends; the lowest first."""
    gate = tables.intake_gate
    for number in sorted(set(gates)):
        connection.execute(sa.update(gate).where(gate.c.gate_no == number).values(passed=gate.c.passed + 1))


def same_person(
    connection: sa.Connection, book_id: int, product: str, indexes: Sequence[str], since: date
) -> tuple[int, ...]:
    """Return the applications of a person for a product since a day that were not withdrawn, in order."""
    index, submission, event = tables.person_index, tables.intake_submission, core.application_event
    latest = (
        sa.select(event.c.state)
        .where(event.c.application_id == submission.c.application_id)
        .order_by(event.c.event_no.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = connection.scalars(
        sa.select(submission.c.application_id)
        .join(index, index.c.application_id == submission.c.application_id)
        .where(
            index.c.index_value == sa.any_(sa.literal(list(indexes), _TEXTS)),
            submission.c.book_id == book_id,
            submission.c.product == product,
            submission.c.submitted_on >= since,
            latest != "withdrawn",
        )
        .distinct()
        .order_by(submission.c.application_id)
    )
    return tuple(found)


def _names(table: sa.Table, *, without: str = "") -> list[str]:
    return [column.name for column in table.columns if column.name not in ("recorded_at", without)]
