"""The check that the schema can be spread over machines finds nothing, and would find each thing that it looks for."""

from __future__ import annotations

import pytest

from tests.checks.shardable import findings, findings_in, sql_findings
from tests.support.database import ADMIN, OWNER, Database


def test_the_schema_can_be_spread_over_machines(module_database: Database) -> None:
    assert findings(module_database) == []


BREACHES = {
    "a table without the key": (
        "CREATE TABLE ledger.note (note_id int PRIMARY KEY)",
        "ledger.note has no column subledger_id NOT NULL and is not declared as a table of every machine",
    ),
    "a key that may be null": (
        "CREATE TABLE ledger.note (note_id int PRIMARY KEY, subledger_id bigint)",
        "ledger.note has no column subledger_id NOT NULL and is not declared as a table of every machine",
    ),
    "a table of the auditors' schema": (
        "CREATE TABLE gl_export.note (subledger_id bigint PRIMARY KEY)",
        "gl_export.note has no column None NOT NULL and is not declared as a table of every machine",
    ),
    "a declared table that is gone": (
        "DROP TABLE ledger.batch_chunk",
        "ledger.batch_chunk is declared and does not exist",
    ),
    "no primary key": (
        "ALTER TABLE ledger.request DROP CONSTRAINT request_pkey",
        "ledger.request has no primary key",
    ),
    "a primary key that begins elsewhere": (
        "CREATE TABLE ledger.note (subledger_id bigint, note_no int, PRIMARY KEY (note_no, subledger_id))",
        "ledger.note: note_pkey does not begin with subledger_id",
    ),
    "a unique index without the key": (
        "CREATE UNIQUE INDEX by_source ON ledger.journal_entry (source_ref)",
        "ledger.journal_entry: by_source is unique without subledger_id",
    ),
    "a unique index on an expression": (
        "CREATE UNIQUE INDEX by_source ON ledger.journal_entry (lower(source_ref))",
        "ledger.journal_entry: by_source is unique without subledger_id",
    ),
    "a foreign key to another machine": (
        (
            "ALTER TABLE ledger.batch_chunk ADD CONSTRAINT led_astray FOREIGN KEY (from_subledger_id)"
            " REFERENCES ledger.subledger (subledger_id)"
        ),
        "ledger.batch_chunk: led_astray leads to ledger.subledger without its key",
    ),
    "a foreign key past its own key": (
        (
            "ALTER TABLE ledger.journal_entry ADD CONSTRAINT led_astray FOREIGN KEY (group_id)"
            " REFERENCES ledger.subledger (subledger_id)"
        ),
        "ledger.journal_entry: led_astray leads to ledger.subledger without its key",
    ),
    "a deferrable key": (
        (
            "ALTER TABLE ledger.posting ADD CONSTRAINT entry_fkey FOREIGN KEY (subledger_id, entry_no)"
            " REFERENCES ledger.journal_entry (subledger_id, entry_no) DEFERRABLE"
        ),
        "ledger.posting: entry_fkey is deferrable",
    ),
    "an identity column": (
        "ALTER TABLE ledger.request ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY",
        "ledger.request.n is numbered by a sequence",
    ),
    "a sequence": (
        "ALTER TABLE ledger.request ADD COLUMN n bigserial",
        "ledger.request.n is numbered by a sequence",
    ),
    "a transaction id": (
        "ALTER TABLE ledger.request ADD COLUMN x xid8",
        "ledger.request.x is of type xid8",
    ),
    "a child table": (
        "CREATE TABLE public.more () INHERITS (ledger.posting)",
        "ledger.posting has child tables",
    ),
    "a trigger that writes": (
        (
            "CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN INSERT INTO ledger.period VALUES (1); RETURN NULL; END $$"
        ),
        "trigger function ledger.refuse_change() writes",
    ),
    "a trigger that reads a large table": (
        (
            "CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM FROM ledger.journal_entry; RETURN NULL; END $$"
        ),
        "trigger function ledger.refuse_change() reads ledger.journal_entry, which is not declared",
    ),
    "a check that depends on the day": (
        "ALTER TABLE ledger.posting ADD CONSTRAINT today CHECK (booking_date <= current_date)",
        "ledger.posting: today is not immutable",
    ),
    "a function that groups in several ways": (
        (
            "CREATE FUNCTION ledger.cubed() RETURNS bigint LANGUAGE sql AS"
            " $$ SELECT count(*) FROM ledger.posting GROUP BY GROUPING SETS ((currency), ()) $$"
        ),
        "function ledger.cubed(): GROUPING SETS does not spread",
    ),
}


@pytest.mark.parametrize(("breach", "finding"), BREACHES.values(), ids=BREACHES)
def test_each_breach_is_found(module_database: Database, breach: str, finding: str) -> None:
    with module_database.connect(ADMIN) as admin:
        admin.execute("SET LOCAL search_path = pg_catalog")
        admin.execute(breach)

        assert finding in findings_in(admin)

        admin.rollback()


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("SELECT 1 FROM ledger.subledger s WHERE s.subledger_id = p_id FOR UPDATE", 0),
        ("SELECT 1 FROM ledger.period p WHERE p.book_id = :book_id AND p.month = :month FOR NO KEY UPDATE", 0),
        ("SELECT 1 FROM ledger.subledger s WHERE s.book_id > 3 FOR NO KEY UPDATE", 1),
        ("SELECT 1 FROM ledger.subledger s ORDER BY 1 FOR SHARE", 1),
        ("SELECT 1 FROM a JOIN b USING (x) WHERE a.loan_id = 1 FOR UPDATE OF a", 1),
        ("-- FOR UPDATE is not used here", 0),
        ("SELECT a, sum(b) FROM t GROUP BY ROLLUP (a)", 1),
        ("SELECT a, sum(b) FROM t GROUP BY CUBE (a)", 1),
        ("SELECT a, sum(b) FROM t GROUP BY a", 0),
    ],
)
def test_locks_and_groupings_are_read_from_the_text(text: str, complaints: int) -> None:
    assert len(list(sql_findings(text))) == complaints


def test_the_check_leaves_the_database_as_it_was(module_database: Database) -> None:
    indexes = "SELECT count(*) FROM pg_class WHERE relkind = 'i'"
    with module_database.connect(OWNER) as owner:
        before = owner.execute(indexes).fetchone()
        findings(module_database)
        assert owner.execute(indexes).fetchone() == before
