"""The schema can be spread over several machines by subledger, proved from the catalogue of a plain PostgreSQL.

Every table is either on the list of reference tables, which each machine has whole, or its first key column is the
subledger's (or loan's) id, in every primary key, unique key and foreign key. Nothing is deferrable, no id comes from a
sequence, no transaction id is stored, and no trigger reads a table that is spread or writes any.
Next: docs/architecture.md, the last but one section.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg

from tests.support.database import ADMIN, Database

SCHEMAS = ("ledger", "servicing", "origination", "gl_export", "api")
SHARD_KEYS = frozenset({"subledger_id", "loan_id", "application_id"})

# Small, or growing with days and accounts rather than with loans: whole on every machine.
REFERENCE_TABLES = frozenset(
    {
        "ledger.book",
        "ledger.business_day",
        "ledger.account",
        "ledger.account_change",
        "ledger.role_map",
        "ledger.period",
        "ledger.period_event",
        "ledger.period_balance",
        "ledger.birth_gate",
        "ledger.id_block",
        "ledger.year_end",
        "ledger.seal_block",
        "ledger.seal_total",
        "ledger.activity",
        "ledger.batch_chunk",
        "ledger.manual_journal",
        "servicing.product_version",
        "gl_export.account_mapping",
        "gl_export.batch",
        "gl_export.batch_line",
        "gl_export.batch_delivery",
        "gl_export.close_run",
        "gl_export.close_step",
    }
)

TRIGGERS_MAY_READ = frozenset({"ledger.period", "ledger.account"})
SQL_FILES = Path(__file__).parents[2] / "ledger" / "sql"
REFUSED_SQL = (
    (re.compile(r"\bGROUPING SETS\b|\bROLLUP\b|\bCUBE\b", re.IGNORECASE), "grouping sets"),
    (re.compile(r"\bFOR (KEY )?SHARE\b", re.IGNORECASE), "a shared row lock"),
    (re.compile(r"\btxid_current|pg_current_xact_id|\bxmin\b", re.IGNORECASE), "a transaction id"),
)


def findings(database: Database) -> list[str]:
    """Return a line for each thing that would keep the schema on one machine."""
    with database.connect(ADMIN) as connection:
        rows = [*_keys(connection), *_columns(connection), *_constraints(connection), *_triggers(connection)]
    return [*rows, *_statements()]


def _keys(connection: psycopg.Connection[Any]) -> list[str]:
    """Every key of a table that is spread begins with the shard key, or at least holds it."""
    statement = """
        SELECT n.nspname || '.' || t.relname, i.relname,
               ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = ANY (x.indkey))
          FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
          JOIN pg_namespace n ON n.oid = t.relnamespace
         WHERE n.nspname = ANY (%s) AND x.indisunique"""
    return [
        f"unique key {index} of {table} does not hold the shard key"
        for table, index, columns in connection.execute(statement, [list(SCHEMAS)])
        if table not in REFERENCE_TABLES and not SHARD_KEYS.intersection(columns)
    ]


def _columns(connection: psycopg.Connection[Any]) -> list[str]:
    """No identity, no sequence, no transaction id."""
    statement = """
        SELECT n.nspname || '.' || t.relname, a.attname, a.attidentity <> '',
               coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE '%%nextval%%', false),
               format_type(a.atttypid, NULL)
          FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid JOIN pg_namespace n ON n.oid = t.relnamespace
          LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
         WHERE n.nspname = ANY (%s) AND t.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"""
    found = []
    for table, column, identity, sequence, kind in connection.execute(statement, [list(SCHEMAS)]):
        if identity or sequence:
            found.append(f"{table}.{column} takes its value from a sequence")
        if kind in ("xid", "xid8"):
            found.append(f"{table}.{column} holds a transaction id")
    return found


def _constraints(connection: psycopg.Connection[Any]) -> list[str]:
    """Nothing deferrable; a foreign key leads to a reference table, or from shard key to shard key."""
    statement = """
        SELECT c.conname, n.nspname || '.' || t.relname, c.condeferrable, c.contype::text,
               (SELECT m.nspname || '.' || f.relname FROM pg_class f JOIN pg_namespace m ON m.oid = f.relnamespace
                 WHERE f.oid = c.confrelid),
               (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = c.conkey[1])
          FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
         WHERE n.nspname = ANY (%s)"""
    found = []
    for name, table, deferrable, kind, target, first in connection.execute(statement, [list(SCHEMAS)]):
        if deferrable:
            found.append(f"{name} of {table} is deferrable")
        if kind == "f" and target not in REFERENCE_TABLES and first not in SHARD_KEYS:
            found.append(f"foreign key {name} of {table} does not begin with the shard key")
    return found


def _triggers(connection: psycopg.Connection[Any]) -> list[str]:
    """A trigger writes nothing, and reads the row, the new rows and small reference tables alone."""
    statement = """
        SELECT DISTINCT p.oid::regprocedure::text, p.prosrc FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
          JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_namespace n ON n.oid = t.relnamespace
         WHERE NOT g.tgisinternal AND n.nspname = ANY (%s)"""
    found = []
    for function, source in connection.execute(statement, [list(SCHEMAS)]):
        if re.search(r"\b(INSERT INTO|UPDATE \w+\.|DELETE FROM)\b", source):
            found.append(f"trigger function {function} writes")
        read = set(re.findall(rf"\b(?:FROM|JOIN)\s+((?:{'|'.join(SCHEMAS)})\.\w+)", source))
        found += [f"trigger function {function} reads {table}" for table in sorted(read - TRIGGERS_MAY_READ)]
    return found


def _statements() -> list[str]:
    return [
        f"{file.name} uses {what}"
        for file in sorted(SQL_FILES.glob("*.sql"))
        for pattern, what in REFUSED_SQL
        if pattern.search(re.sub(r"--.*", "", file.read_text(encoding="utf-8")))
    ]
