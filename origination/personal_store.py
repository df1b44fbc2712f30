"""Personal data: encrypted on the way in, decrypted for whoever has the keys, emptied when they are erased.

Beside them who looked, and what was erased: rows that stay. Never: a value in a message or a log.
Next: `servicing/vault.py`; `origination/personal_data.py`; `docs/spec/intake.md`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from origination import intake_tables as tables
from origination.intake.errors import PersonalDataKeyUnknown
from origination.intake.records import Access, Erasure
from servicing.vault import Sealed, Vault

VERSION, REQUEST, RESPONSE = "version", "request", "response"


def keep_text(
    connection: sa.Connection, application_id: int, part: str, sealed: Sealed, *, number: int, place: int = 0
) -> None:
    """Write what was sealed."""
    connection.execute(
        sa.insert(tables.personal_data),
        {
            "application_id": application_id,
            "part": part,
            "number": number,
            "place": place,
            "key_id": sealed.key_id,
            "token": sealed.token,
        },
    )


def keep(
    connection: sa.Connection, vault: Vault, application_id: int, part: str, data: Mapping[str, Any], *, number: int
) -> None:
    """Encrypt and write personal data."""
    keep_text(connection, application_id, part, vault.seal_text(json.dumps(data, sort_keys=True)), number=number)


def read(
    connection: sa.Connection, vault: Vault, application_id: int, part: str, *, number: int, place: int = 0
) -> Any | None:
    """Return personal data; None if they were erased, or never there.

    Raises: PersonalDataKeyUnknown.
    """
    table = tables.personal_data
    row = connection.execute(
        sa.select(table.c.key_id, table.c.token).where(
            table.c.application_id == application_id,
            table.c.part == part,
            table.c.number == number,
            table.c.place == place,
        )
    ).one_or_none()
    if row is None or row.token is None:
        return None
    return json.loads(_opened(vault, application_id, row.key_id, row.token))


def insert_indexes(connection: sa.Connection, vault: Vault, application_id: int, texts: Mapping[str, str]) -> None:
    """Write by what a person is found again."""
    rows = [
        {
            "application_id": application_id,
            "kind": kind,
            "key_id": vault.key_id,
            "index_value": vault.indexes(kind, text)[0],
        }
        for kind, text in texts.items()
    ]
    if rows:
        connection.execute(sa.insert(tables.person_index), rows)


def empty(connection: sa.Connection, application_id: int) -> int:
    """Empty every row of personal data of an application, and return how many there were."""
    data, index = tables.personal_data, tables.person_index
    done = connection.execute(
        sa.update(data)
        .where(data.c.application_id == application_id, data.c.token.is_not(None))
        .values(key_id=None, token=None)
    ).rowcount
    connection.execute(
        sa.update(index).where(index.c.application_id == application_id).values(key_id=None, index_value=None)
    )
    return done


def insert_erasure(connection: sa.Connection, application_id: int, erasure: Erasure) -> None:
    """Write that personal data were erased."""
    connection.execute(
        sa.insert(tables.personal_data_erasure),
        {
            "application_id": application_id,
            "rows_erased": erasure.rows_erased,
            "reason": erasure.reason,
            "actor": erasure.actor,
            "approver": erasure.approver,
            "erased_on": erasure.erased_on,
        },
    )


def load_erasure(connection: sa.Connection, application_id: int) -> Erasure | None:
    """Return who erased the personal data of an application; None while they are there."""
    table = tables.personal_data_erasure
    row = connection.execute(sa.select(table).where(table.c.application_id == application_id)).one_or_none()
    if row is None:
        return None
    return Erasure(row.erased_on, row.actor, row.approver, row.reason, row.rows_erased)


def insert_access(
    connection: sa.Connection, application_id: int, *, actor: str, role: str, groups: Sequence[str], reason: str
) -> None:
    """Write that somebody sees personal data as they are."""
    table = tables.personal_data_access
    last = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.max(table.c.access_no), 0)).where(table.c.application_id == application_id)
    )
    connection.execute(
        sa.insert(table),
        {
            "application_id": application_id,
            "access_no": int(last or 0) + 1,
            "role": role,
            "groups": list(groups),
            "reason": reason,
            "actor": actor,
        },
    )


def load_accesses(connection: sa.Connection, application_id: int) -> tuple[Access, ...]:
    """Return who saw the personal data of an application, the first one first."""
    table = tables.personal_data_access
    rows = connection.execute(
        sa.select(table).where(table.c.application_id == application_id).order_by(table.c.access_no)
    )
    return tuple(
        Access(row.access_no, row.actor, row.role, tuple(row.groups), row.reason, row.recorded_at) for row in rows
    )


def under_other_keys(connection: sa.Connection, key_id: str, limit: int) -> list[Any]:
    """Return rows of personal data that are under another key, locked until they are written anew."""
    table = tables.personal_data
    statement = sa.select(table).where(table.c.key_id.is_not(None), table.c.key_id != key_id)
    order = (table.c.application_id, table.c.part, table.c.number, table.c.place)
    return list(connection.execute(statement.order_by(*order).limit(limit).with_for_update(key_share=True)))


def count_under_other_keys(connection: sa.Connection, key_id: str) -> int:
    """Return how many rows are under another key."""
    found = 0
    for table in (tables.personal_data, tables.person_index):
        wanted = sa.and_(table.c.key_id.is_not(None), table.c.key_id != key_id)
        found += connection.scalar(sa.select(sa.func.count()).select_from(table).where(wanted)) or 0
    return found


def rewrite(connection: sa.Connection, vault: Vault, row: Any) -> None:
    """Encrypt a row by the key in use.

    Raises: PersonalDataKeyUnknown.
    """
    table = tables.personal_data
    sealed = vault.seal_text(_opened(vault, row.application_id, row.key_id, row.token))
    connection.execute(
        sa.update(table)
        .where(
            table.c.application_id == row.application_id,
            table.c.part == row.part,
            table.c.number == row.number,
            table.c.place == row.place,
        )
        .values(key_id=sealed.key_id, token=sealed.token)
    )


def indexes_under_other_keys(connection: sa.Connection, key_id: str, limit: int) -> list[Any]:
    """Return blind indexes that are under another key."""
    table = tables.person_index
    statement = sa.select(table).where(table.c.key_id.is_not(None), table.c.key_id != key_id)
    order = (table.c.application_id, table.c.kind)
    return list(connection.execute(statement.order_by(*order).limit(limit).with_for_update(key_share=True)))


def rewrite_index(connection: sa.Connection, row: Any, key_id: str, index_value: str | None) -> None:
    """Write a blind index anew; without a value it is emptied."""
    table = tables.person_index
    connection.execute(
        sa.update(table)
        .where(table.c.application_id == row.application_id, table.c.kind == row.kind)
        .values(key_id=None if index_value is None else key_id, index_value=index_value)
    )


def _opened(vault: Vault, application_id: int, key_id: str, token: str) -> str:
    text = vault.open_text(token)
    if text is None:
        raise PersonalDataKeyUnknown(application_id=application_id, key_id=key_id)
    return text
