"""What guards a schema, as the catalogue has it, and what becomes of an attack with a guard and without it.

A guard is a trigger, a CHECK, a unique index or a foreign key. Everything happens in a transaction that is rolled back.
Next: `tests/integration/ledger/test_guard_removal.py`, the table of attacks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]

THROUGH = "went through"


@dataclass(frozen=True, slots=True, order=True)
class Guard:
    """One guard of a table; its name is unique in the schema."""

    kind: str
    schema: str
    table: str
    name: str

    def remove(self, connection: Connection) -> None:
        """Take it away."""
        texts = {
            "trigger": "DROP TRIGGER {name} ON {table}",
            "check": "ALTER TABLE {table} DROP CONSTRAINT {name}",
            "foreign key": "ALTER TABLE {table} DROP CONSTRAINT {name}",
            "primary key": "ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE",
            "unique": "ALTER TABLE {table} DROP CONSTRAINT {name}",
            "unique index": "DROP INDEX {index}",
        }
        names = {
            "name": sql.Identifier(self.name),
            "table": sql.Identifier(self.schema, self.table),
            "index": sql.Identifier(self.schema, self.name),
        }
        connection.execute(sql.SQL(texts[self.kind]).format(**names))


_GUARDS = """
    SELECT 'trigger', n.nspname, c.relname, t.tgname, t.tgenabled = 'O'
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal AND n.nspname = %(schema)s
    UNION ALL
    SELECT CASE k.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key' ELSE 'unique'
           END, n.nspname, c.relname, k.conname, k.convalidated
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND n.nspname = %(schema)s
    UNION ALL
    SELECT 'unique index', n.nspname, c.relname, i.relname, x.indisvalid AND x.indisready AND x.indimmediate
      FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE x.indisunique AND n.nspname = %(schema)s
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
    ORDER BY 1, 2, 3, 4
"""


def guards_of(connection: Connection, schema: str) -> dict[Guard, bool]:
    """Return every guard of a schema, and whether it is switched on and holds for all rows."""
    rows = connection.execute(_GUARDS, {"schema": schema}).fetchall()
    return {Guard(*row[:4]): bool(row[4]) for row in rows}


def outcome(attack: Callable[[], object]) -> str:
    """Return how an attack ended: by SQLSTATE, with table and operation where the error names them."""
    try:
        attack()
    except psycopg.Error as error:
        detail = error.diag.message_detail or ""
        figures = json.loads(detail) if detail.startswith("{") else {}
        place = f" {figures['operation']} of {figures['table']}" if "operation" in figures else ""
        return f"{error.sqlstate}{place}"
    return THROUGH


def attempt(connection: Connection, role: str, statements: Iterable[str]) -> str:
    """Execute statements as a role and return how that ended; a savepoint undoes them."""

    def attack() -> None:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
            for statement in statements:
                connection.execute(statement)

    return outcome(attack)
