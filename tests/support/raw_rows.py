"""Rows of the journal written past every function, in each way that PostgreSQL knows, for tests that attack it.

Next: `tests/integration/ledger/test_invariants.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

Row = Mapping[str, Any]
Connection = psycopg.Connection[Any]
Writer = Callable[[Connection, str, Iterable[Row]], None]


def header(subledger_id: int, entry_no: int, **columns: Any) -> dict[str, Any]:
    """Return a header of a two-posting entry that is right in itself."""
    return {
        "subledger_id": subledger_id,
        "recorded_at": "2026-01-15T12:00:00+00:00",
        "entry_no": entry_no,
        "book_id": 1,
        "effective_date": "2026-01-15",
        "booking_date": "2026-01-15",
        "template_version": 1,
        "posting_count": 2,
        "template": "forged",
        "actor": "mallory",
        "request_key": f"forged {entry_no}",
        "fingerprint": "\\x00",
        **columns,
    }


def posting(subledger_id: int, entry_no: int, seq: int, **columns: Any) -> dict[str, Any]:
    """Return the n-th posting of a two-posting entry; accounts 1 and 2 exist in the first book's chart."""
    return {
        "subledger_id": subledger_id,
        "amount": 100,
        "entry_no": entry_no,
        "debit_account": 1,
        "credit_account": 2,
        "booking_date": "2026-01-15",
        "seq": seq,
        "posting_count": 2,
        "currency": "USD",
        **columns,
    }


def _records(table: str, rows: Iterable[Row], statement: str) -> tuple[sql.Composed, list[str]]:
    names = sql.Identifier("ledger", table)
    rows = list(rows)
    columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    values = sql.SQL(", ").join(sql.Identifier("v", column) for column in rows[0])
    return sql.SQL(statement).format(table=names, columns=columns, values=values), [json.dumps(rows)]


def by_insert(connection: Connection, table: str, rows: Iterable[Row]) -> None:
    """INSERT all rows with one statement."""
    statement = "INSERT INTO {table} ({columns}) SELECT {values} FROM jsonb_populate_recordset(NULL::{table}, %s) v"
    connection.execute(*_records(table, rows, statement))


def by_insert_one_by_one(connection: Connection, table: str, rows: Iterable[Row]) -> None:
    """INSERT each row with a statement of its own."""
    for row in rows:
        by_insert(connection, table, [row])


def by_insert_overriding(connection: Connection, table: str, rows: Iterable[Row]) -> None:
    """INSERT as one who wants to choose generated values himself."""
    statement = (
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE"
        " SELECT {values} FROM jsonb_populate_recordset(NULL::{table}, %s) v"
    )
    connection.execute(*_records(table, rows, statement))


def by_on_conflict(connection: Connection, table: str, rows: Iterable[Row]) -> None:
    """INSERT, passing over what is there."""
    statement = (
        "INSERT INTO {table} ({columns}) SELECT {values} FROM jsonb_populate_recordset(NULL::{table}, %s) v"
        " ON CONFLICT DO NOTHING"
    )
    connection.execute(*_records(table, rows, statement))


def by_merge(connection: Connection, table: str, rows: Iterable[Row]) -> None:
    """MERGE rows that match nothing."""
    statement = (
        "MERGE INTO {table} t USING jsonb_populate_recordset(NULL::{table}, %s) v ON false"
        " WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})"
    )
    connection.execute(*_records(table, rows, statement))


def by_with(connection: Connection, table: str, rows: Iterable[Row]) -> None:
    """INSERT inside a query that looks like a reading."""
    statement = (
        "WITH written AS (INSERT INTO {table} ({columns})"
        " SELECT {values} FROM jsonb_populate_recordset(NULL::{table}, %s) v RETURNING 1)"
        " SELECT count(*) FROM written"
    )
    connection.execute(*_records(table, rows, statement))


def by_copy(connection: Connection, table: str, rows: Iterable[Row]) -> None:
    """COPY rows from outside."""
    rows = list(rows)
    columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier("ledger", table), columns)
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(list(row.values()))


WRITERS: tuple[Writer, ...] = (
    by_insert,
    by_insert_one_by_one,
    by_insert_overriding,
    by_on_conflict,
    by_merge,
    by_with,
    by_copy,
)
