"""The database's edge: engines that always post at READ COMMITTED, and refusals turned into this house's errors.

A refusal is recognized by its SQLSTATE alone; the figures come as JSON in DETAIL. Never: SQL of the ledger's tables
(`ledger/store.py`, `ledger/queries/`), or reading a message text or a constraint's name.
Next: `ledger/unit_of_work.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from operator import itemgetter
from typing import Any

import psycopg
import sqlalchemy as sa

from ledger.errors import BY_SQLSTATE, AmountOutOfRange, DomainError
from ledger.money import MAX_MINOR

NUMERIC_VALUE_OUT_OF_RANGE = "22003"

UNIQUE_VIOLATION = "23505"

RETRYABLE = frozenset({"40001", "40P01", "55P03", UNIQUE_VIOLATION})
"""Serialization failure, deadlock, lock not available: the same work, run again, may succeed. So it may after a key
was taken by a twin: the next attempt sees what the twin wrote, and replays it or refuses it by name."""


def create_engine(url: str, *, pool_size: int = 5, **options: Any) -> sa.Engine:
    """Return an engine for a database url of the form `postgresql+psycopg://...`."""
    return sa.create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC -c jit=off", "prepare_threshold": 2},
        json_serializer=dump_json,
        json_deserializer=_load_json,
        **options,
    )


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a database error, wrapped by SQLAlchemy or not."""
    cause = getattr(error, "orig", error)
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def translate(error: BaseException) -> DomainError | None:
    """Return the fact that the database refused, or None if the error is of another kind."""
    cause = getattr(error, "orig", error)
    if not isinstance(cause, psycopg.Error):
        return None
    if cause.sqlstate == NUMERIC_VALUE_OUT_OF_RANGE:
        return AmountOutOfRange(amount=MAX_MINOR + 1, limit=MAX_MINOR)
    refusal = BY_SQLSTATE.get(cause.sqlstate or "")
    if refusal is None:
        return None
    return refusal.from_detail(json.loads(cause.diag.message_detail or "{}"))


def dump_json(value: Any) -> str:
    """Return JSON with sorted keys; a Decimal is a number, digit for digit, and what JSON has no form for is text."""
    match value:
        case Decimal() if value.is_finite():
            return str(value)
        case Mapping():
            items = sorted(((str(key), item) for key, item in value.items()), key=itemgetter(0))
            return "{" + ",".join(f"{_dump(key)}:{dump_json(item)}" for key, item in items) + "}"
        case list() | tuple():
            return "[" + ",".join(map(dump_json, value)) + "]"
        case _:
            return _dump(value)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _load_json(text: str) -> Any:
    # A number with a point stays exact: it is read as Decimal, never through a float.
    return json.loads(text, parse_float=Decimal)
