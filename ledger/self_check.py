"""The start-up self-check: is the schema `ledger` the one that the migrations made?

Somebody with the owner's rights can switch a trigger off, widen a grant or put another function in place. The seal
finds what was done to the books; this finds what was done to their guards. The manifest beside this file is written by
`python -m ledger.self_check URL > ledger/manifest.json` and is the same on every version of PostgreSQL.
Next: `ledger/sql/guards.sql`, `ledger/sql/grants.sql`, for what is guarded.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from importlib.resources import files

import sqlalchemy as sa

from ledger.digests import Finding

SCHEMA = "ledger"
ROLES = ("public", "loanbook_app", "loanbook_reader")
TABLE_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")

Manifest = dict[str, str]
"""What each thing of the schema is, by kind and name: `trigger posting.posting_append_only` and the like."""


def self_check(connection: sa.Connection) -> tuple[Finding, ...]:
    """Return every difference between the schema and the manifest, and a session in which no trigger would fire."""
    return (*compare(expected_manifest(), read_manifest(connection)), *_session(connection))


def expected_manifest() -> Manifest:
    """Return the manifest that this version of the ledger was delivered with."""
    stored: Manifest = json.loads((files("ledger") / "manifest.json").read_text(encoding="utf-8"))
    return stored


def compare(expected: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is missing, what is there beside it, and what is another, in the order of their names."""
    for name in sorted({*expected, *found}):
        if expected.get(name) != found.get(name):
            code = (
                "guard-missing" if name not in found else "guard-unknown" if name not in expected else "guard-differs"
            )
            yield Finding(code, name, expected.get(name, "nothing"), found.get(name, "nothing"))


def read_manifest(connection: sa.Connection) -> Manifest:
    """Return what the schema of this database holds, from its tables to who may do what with them."""
    found: Manifest = {}
    values = {"schema": SCHEMA, "roles": list(ROLES), "privileges": list(TABLE_PRIVILEGES)}
    with connection.begin_nested() if connection.in_transaction() else connection.begin() as transaction:
        # What is written in full depends on the search path.
        connection.execute(sa.text("SET LOCAL search_path TO pg_catalog"))
        for statement in _READINGS:
            for kind, name, definition in connection.execute(sa.text(statement), values):
                found[f"{kind} {name}"] = definition
        transaction.rollback()
    return {name: _shortened(found[name]) for name in sorted(found)}


def _shortened(definition: str) -> str:
    """Return a definition on one line, or its hash if it is long."""
    words = " ".join(definition.split())
    return words if len(words) <= 200 else "sha256:" + hashlib.sha256(definition.encode()).hexdigest()


def _session(connection: sa.Connection) -> Iterator[Finding]:
    role = connection.scalar(sa.text("SHOW session_replication_role"))
    if role != "origin":
        yield Finding("guard-differs", "setting session_replication_role", "origin", str(role))


# Nothing that one version of the server writes otherwise than the next: functions by their source, and NOT NULL
# by the column, for newer servers make a constraint of it.
_READINGS = (
    """
    SELECT 'table', c.relname,
           concat_ws(' ', 'kind', c.relkind, 'persistence', c.relpersistence, 'owner', pg_get_userbyid(c.relowner),
                     CASE WHEN c.relrowsecurity THEN 'row security' END, array_to_string(c.reloptions, ','))
      FROM pg_class c
     WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    """,
    """
    SELECT 'column', c.relname || '.' || a.attname,
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                     'default ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, ''),
                     nullif(a.attgenerated, ''))
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    """,
    """
    SELECT 'constraint', c.relname || '.' || k.conname,
           concat_ws(' ', pg_get_constraintdef(k.oid), CASE WHEN NOT k.convalidated THEN 'not validated' END)
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
     WHERE c.relnamespace = CAST(:schema AS regnamespace) AND k.contype <> 'n'
    """,
    """
    SELECT 'index', c.relname,
           concat_ws(' ', pg_get_indexdef(c.oid), CASE WHEN NOT (i.indisvalid AND i.indisready) THEN 'invalid' END)
      FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
     WHERE c.relnamespace = CAST(:schema AS regnamespace)
    """,
    """
    SELECT 'trigger', c.relname || '.' || t.tgname, concat_ws(' ', 'enabled', t.tgenabled, pg_get_triggerdef(t.oid))
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = CAST(:schema AS regnamespace) AND NOT t.tgisinternal
    UNION ALL
    SELECT 'foreign key triggers', c.relname, 'not enabled: ' || count(*)
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = CAST(:schema AS regnamespace) AND t.tgisinternal AND t.tgenabled <> 'O'
     GROUP BY c.relname
    """,
    """
    SELECT 'function', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
           concat_ws(' ', pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), l.lanname, p.prokind,
                     p.provolatile, p.proparallel, CASE WHEN p.proisstrict THEN 'strict' END,
                     CASE WHEN p.prosecdef THEN 'security definer' END, array_to_string(p.proconfig, ','),
                     pg_get_userbyid(p.proowner), p.prosrc)
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = CAST(:schema AS regnamespace)
    """,
    """
    SELECT 'view', c.relname, pg_get_viewdef(c.oid)
      FROM pg_class c WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'v'
    """,
    """
    SELECT 'rule', c.relname || '.' || r.rulename, concat_ws(' ', 'enabled', r.ev_enabled)
      FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
     WHERE c.relnamespace = CAST(:schema AS regnamespace) AND r.rulename <> '_RETURN'
    """,
    """
    SELECT 'grant on table', c.relname || ' to ' || role, string_agg(privilege, ' ' ORDER BY privilege)
      FROM pg_class c, unnest(CAST(:roles AS text[])) role, unnest(CAST(:privileges AS text[])) privilege
     WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND (has_table_privilege(role, c.oid, privilege)
            OR (privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                AND has_any_column_privilege(role, c.oid, privilege)))
     GROUP BY c.relname, role
    """,
    """
    SELECT 'grant on function',
           p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ') to ' || role, 'EXECUTE'
      FROM pg_proc p, unnest(CAST(:roles AS text[])) role
     WHERE p.pronamespace = CAST(:schema AS regnamespace) AND has_function_privilege(role, p.oid, 'EXECUTE')
    """,
    """
    SELECT 'grant on schema', CAST(:schema AS text) || ' to ' || role, string_agg(privilege, ' ' ORDER BY privilege)
      FROM unnest(CAST(:roles AS text[])) role, unnest(ARRAY['CREATE', 'USAGE']) privilege
     WHERE has_schema_privilege(role, CAST(:schema AS regnamespace), privilege) GROUP BY role
    """,
    """
    SELECT 'role', r.rolname,
           concat_ws(' ', CASE WHEN r.rolsuper THEN 'superuser' END,
                     CASE WHEN r.rolbypassrls THEN 'passes row security' END,
                     CASE WHEN pg_has_role(r.oid, 'loanbook_owner', 'MEMBER') THEN 'may become the owner' END,
                     CASE WHEN r.rolcreaterole THEN 'creates roles' END)
      FROM pg_roles r WHERE r.rolname IN ('loanbook_app', 'loanbook_reader')
    """,
)


def main() -> None:
    """Print the manifest of a freshly migrated database."""
    with sa.create_engine(sys.argv[1]).connect() as connection:
        print(json.dumps(read_manifest(connection), indent=1))


if __name__ == "__main__":
    main()
