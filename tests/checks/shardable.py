"""The schema can be spread over several machines: what a distributed PostgreSQL asks for, checked on a plain one.

Everything that grows with the loans is keyed by the loan, in every key; nothing waits for the end of a transaction
to be checked, nothing is numbered by a sequence, and triggers only refuse. Tables that would be copied to every
machine are declared here, with the reason that they stay small. Never: a distributed server.
Next: `docs/architecture.md`; `tests/migrations/test_shardable.py`, which breaks each rule once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.support.database import ADMIN, Database

Connection = psycopg.Connection[Any]

ROOT = Path(__file__).parents[2]

# What a row belongs to, by schema: the column by which its tables are spread. `loan_id` and `subledger_id` are one id.
SHARD_KEYS = {
    "ledger": "subledger_id",
    "servicing": "loan_id",
    "origination": "application_id",
    "gl_export": None,
    "api": None,
}

# Tables that every machine has a copy of.
REFERENCE_TABLES = {
    "ledger": {
        "account": "the chart of accounts",
        "account_change": "the chart of accounts",
        "activity": "one row for each account and day",
        "batch_chunk": "one row for each few thousand entries of a batch",
        "birth_gate": "sixteen rows for each book",
        "book": "the legal entities",
        "business_day": "one row for each book and day",
        "id_block": "one row for each kind of id",
        "manual_journal": "what people write by hand",
        "period": "one row for each book and month",
        "period_balance": "one row for each account and month",
        "period_event": "a few rows for each book and month",
        "role_map": "the chart of accounts",
        "seal_block": "one row for each seal",
        "seal_total": "one row for each seal, account and day",
        "year_end": "one row for each book and year",
    },
    "servicing": {
        "product_version": "the products",
        "product_release": "the products",
        "index_value": "one row for each index and day",
        "ach_sent": "one row for each file that is sent",
        "ach_received": "one row for each file that is taken",
        "ach_item": "one row for each entry that comes back",
        "ach_resolution": "one row for each of them that a person settles",
        "loss_rates": "a few rows for each book and year",
        "collection_policy": "how books collect, a row for each version",
        "collection_mark": "one row for each book",
    },
    "origination": {
        "application_form": "the forms of the products",
        "routing_table": "a few rows for each book",
        "intake_gate": "sixty-four rows",
        "verification_source": "the sources",
        "workflow_version": "the workflows",
        "workflow_activation": "the workflows",
        "policy_version": "the policies",
        "policy_activation": "a few rows for each policy",
        "authority_version": "the limits of authority",
        "funding_policy": "one row for each version of the rules of a product",
    },
    "gl_export": {
        "account_mapping": "the chart of accounts",
        "batch": "one row for each export",
        "batch_line": "one row for each export, account and day",
        "batch_delivery": "a few rows for each export",
        "batch_answer": "one row for each delivery",
        "close_run": "a few rows for each book and month",
        "close_step": "one row for each step of a close",
        "gl_statement": "one row for each file of the general ledger",
        "gl_statement_row": "one row for each of its rows",
        "gl_break": "one row for each difference to the general ledger",
        "gl_break_sighting": "one row for each file that shows it",
        "gl_break_action": "a few rows for each of them",
        "gl_sign_off": "a row or two for each file",
        "bank_statement": "one row for each file of the bank",
        "bank_line": "one row for each line of the bank, which are fewer than payments",
        "bank_match": "one row for each settlement",
        "bank_match_part": "a few rows for each settlement",
        "bank_match_undone": "one row for each that was undone",
    },
    "api": {},
}

# What a guard may look at: small tables that say whether a row may be.
READ_BY_TRIGGERS = {
    "ledger.period",
    "gl_export.gl_break_sighting",
    "gl_export.gl_break_action",
}


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the house, and the column by which it is spread: None for one that every machine has."""

    schema: str
    name: str
    key: str | None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def findings(database: Database) -> list[str]:
    """Return what would keep the schema from being spread over machines."""
    with database.connect(ADMIN) as connection:
        return [*findings_in(connection), *findings_in_files()]


def findings_in(connection: Connection) -> list[str]:
    """Return what the catalogue of a database says against it."""
    found: list[str] = []
    tables = []
    for table, reason in declared(connection):
        if reason:
            found.append(reason)
        else:
            tables.append(table)
    for check in (keys, foreign_keys, deferrable, sequences, transaction_ids, children):
        found += check(connection, tables)
    found += triggers(connection)
    found += changeable_checks(connection)
    found += (f"function {name}: {reason}" for name, body in functions(connection) for reason in sql_findings(body))
    return found


def declared(connection: Connection) -> Iterator[tuple[Table, str]]:
    """Yield every table of the house, and what is wrong with where it belongs."""
    rows = connection.execute(
        "SELECT n.nspname, c.relname, array_agg(a.attname::text) FILTER (WHERE a.attnotnull) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY (%s) GROUP BY 1, 2 ORDER BY 1, 2",
        [list(SHARD_KEYS)],
    ).fetchall()
    for schema, name, not_null in rows:
        key, is_reference = SHARD_KEYS[schema], name in REFERENCE_TABLES[schema]
        table = Table(schema, name, None if is_reference else key)
        if is_reference or (key is not None and key in (not_null or ())):
            yield table, ""
        else:
            yield table, f"{table} has no column {key} NOT NULL and is not declared as a table of every machine"
    there = {(schema, name) for schema, name, _ in rows}
    schemas = {schema for schema, _, _ in rows}
    for schema, names in REFERENCE_TABLES.items():
        for name in names:
            if schema in schemas and (schema, name) not in there:
                yield Table(schema, name, None), f"{schema}.{name} is declared and does not exist"


def keys(connection: Connection, tables: Iterable[Table]) -> Iterator[str]:
    """Yield unique indexes of spread tables without the key, and tables without a primary key."""
    for table in tables:
        rows = connection.execute(
            "SELECT i.relname, x.indisprimary, array_agg(a.attname::text ORDER BY k.place) FROM pg_index x"
            " JOIN pg_class i ON i.oid = x.indexrelid"
            " CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY k (attnum, place)"
            " LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum"
            " WHERE x.indisunique AND x.indrelid = %s::regclass GROUP BY 1, 2",
            [str(table)],
        ).fetchall()
        if not any(is_primary for _, is_primary, _ in rows):
            yield f"{table} has no primary key"
        for name, is_primary, columns in rows:
            if table.key is not None and table.key not in columns:
                yield f"{table}: {name} is unique without {table.key}"
            elif table.key is not None and is_primary and columns[0] != table.key:
                yield f"{table}: {name} does not begin with {table.key}"


def foreign_keys(connection: Connection, tables: Iterable[Table]) -> Iterator[str]:
    """Yield foreign keys that would lead to another machine."""
    by_name = {str(table): table for table in tables}
    for table in by_name.values():
        rows = connection.execute(
            "SELECT k.conname, k.confrelid::regclass::text,"
            " (SELECT array_agg(a.attname::text || '=' || b.attname ORDER BY p.place)"
            "    FROM unnest(k.conkey, k.confkey) WITH ORDINALITY p (own, other, place)"
            "    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.own"
            "    JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.other)"
            " FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = %s::regclass",
            [str(table)],
        ).fetchall()
        for name, target_name, pairs in rows:
            target = by_name.get(target_name)
            if target is None or target.key is None:
                continue
            if table.key is None or f"{table.key}={target.key}" not in pairs:
                yield f"{table}: {name} leads to {target} without its key"


def deferrable(connection: Connection, tables: Iterable[Table]) -> Iterator[str]:
    """Yield constraints and triggers that may wait for the end of a transaction."""
    for table in tables:
        rows = connection.execute(
            "SELECT conname FROM pg_constraint WHERE condeferrable AND conrelid = %(table)s::regclass UNION"
            " SELECT tgname FROM pg_trigger WHERE tgdeferrable AND tgrelid = %(table)s::regclass",
            {"table": str(table)},
        ).fetchall()
        yield from (f"{table}: {name} is deferrable" for (name,) in rows)


def sequences(connection: Connection, tables: Iterable[Table]) -> Iterator[str]:
    """Yield columns that are numbered by the machine that happens to write them."""
    for table in tables:
        rows = connection.execute(
            "SELECT a.attname FROM pg_attribute a"
            " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
            " WHERE a.attrelid = %s::regclass AND a.attnum > 0"
            " AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE '%%nextval(%%')",
            [str(table)],
        ).fetchall()
        yield from (f"{table}.{column} is numbered by a sequence" for (column,) in rows)


def transaction_ids(connection: Connection, tables: Iterable[Table]) -> Iterator[str]:
    """Yield columns that hold what means something on one machine only."""
    for table in tables:
        rows = connection.execute(
            "SELECT attname, atttypid::regtype::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND atttypid IN ('xid'::regtype, 'xid8'::regtype, 'pg_lsn'::regtype, 'txid_snapshot'::regtype,"
            " 'pg_snapshot'::regtype, 'oid'::regtype, 'tid'::regtype)",
            [str(table)],
        ).fetchall()
        yield from (f"{table}.{column} is of type {kind}" for column, kind in rows)


def children(connection: Connection, tables: Iterable[Table]) -> Iterator[str]:
    """Yield tables whose rows stand elsewhere."""
    for table in tables:
        row = connection.execute("SELECT FROM pg_inherits WHERE inhparent = %s::regclass", [str(table)]).fetchone()
        if row is not None:
            yield f"{table} has child tables"


_WRITES = re.compile(r"\b(insert\s+into|update\s+\w|delete\s+from|truncate|merge\s+into|copy)\b", re.IGNORECASE)
_READS = re.compile(r"\b(?:from|join|into|update|table)\s+(\w+\.\w+)", re.IGNORECASE)


def triggers(connection: Connection) -> Iterator[str]:
    """Yield trigger functions that write, or read what is not on every machine."""
    rows = connection.execute(
        "SELECT DISTINCT p.oid::regprocedure::text, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE NOT t.tgisinternal AND n.nspname = ANY (%s) ORDER BY 1",
        [list(SHARD_KEYS)],
    ).fetchall()
    for name, body in rows:
        text = _without_comments(body)
        if _WRITES.search(text):
            yield f"trigger function {name} writes"
        for table in sorted(set(_READS.findall(text)) - READ_BY_TRIGGERS):
            yield f"trigger function {name} reads {table}, which is not declared"


def changeable_checks(connection: Connection) -> Iterator[str]:
    """Yield CHECKs whose outcome may differ from one machine or day to another."""
    rows = connection.execute(
        "SELECT n.nspname, c.relname, k.conname, pg_get_expr(k.conbin, k.conrelid) FROM pg_constraint k"
        " JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE k.contype = 'c' AND n.nspname = ANY (%s) ORDER BY 1, 2, 3",
        [list(SHARD_KEYS)],
    ).fetchall()
    for schema, table, name, expression in rows:
        # An index takes immutable expressions alone: PostgreSQL itself judges.
        index = sql.SQL("CREATE INDEX ON {} (({}))").format(sql.Identifier(schema, table), sql.SQL(expression))
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(index)
        except psycopg.errors.InvalidObjectDefinition:
            yield f"{schema}.{table}: {name} is not immutable"


def functions(connection: Connection) -> list[tuple[str, str]]:
    """Return the functions of the house with their bodies."""
    return connection.execute(
        "SELECT p.oid::regprocedure::text, p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = ANY (%s) ORDER BY 1",
        [list(SHARD_KEYS)],
    ).fetchall()


_GROUPING = re.compile(r"\b(grouping\s+sets|rollup\s*\(|cube\s*\()", re.IGNORECASE)
_LOCKING = re.compile(r"\bfor\s+(?:no\s+key\s+update|update|share|key\s+share)\b", re.IGNORECASE)
_STATEMENT = re.compile(r"\b(?:select|perform)\b", re.IGNORECASE)
_ONE_KEY = re.compile(r"\b\w+(?:_id|_no|code|month)\s*=\s*[:%(\w]", re.IGNORECASE)


def sql_findings(text: str) -> Iterator[str]:
    """Yield what a text in SQL does that does not spread: several rows locked at once, several groupings at once."""
    text = _without_comments(text)
    for found in _GROUPING.finditer(text):
        yield f"{found[0].upper().strip(' (')} does not spread"
    for found in _LOCKING.finditer(text):
        begins = [start.start() for start in _STATEMENT.finditer(text, 0, found.start())]
        statement = text[begins[-1] if begins else 0 : found.start()]
        if re.search(r"\bjoin\b", statement, re.IGNORECASE) or not _ONE_KEY.search(statement):
            yield f"{' '.join(found[0].upper().split())} is not on a single key: {' '.join(statement.split())}"


def findings_in_files() -> list[str]:
    """Return what the sources of the packages say in SQL against it."""
    found = []
    for package in SHARD_KEYS:
        for file in sorted((ROOT / package).rglob("*")):
            if file.suffix not in (".sql", ".py"):
                continue
            text = file.read_text(encoding="utf-8")
            if file.suffix == ".py":
                text = _strings_of(text)
            found += [f"{file.relative_to(ROOT)}: {reason}" for reason in sql_findings(text)]
    return found


def _strings_of(source: str) -> str:
    """Return what looks like SQL in a Python source: its upper-case key words, with the pieces joined."""
    joined = re.sub(r'"\s*\n\s*f?"', "", source)
    return "\n".join(line for line in joined.splitlines() if re.search(r"\b(SELECT|FOR UPDATE|GROUP BY)\b", line))


def _without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*", "", text)
