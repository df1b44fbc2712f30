"""Databases without a schema, for tests that bring them forward; and what is in one, to compare it with another."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from ledger import self_check
from migrations.metadata import SCHEMAS
from migrations.runner import config
from tests.support.database import ADMIN, Database, url_of

_numbers = itertools.count(1)

_COMMENTS = sa.text(
    "SELECT c.oid::regclass::text, d.objsubid, d.description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid"
    " AND d.classoid = 'pg_class'::regclass WHERE c.relnamespace::regnamespace::text = ANY (:schemas) ORDER BY 1, 2"
)
_OTHER = sa.text(
    "SELECT 'version', version_num FROM public.alembic_version"
    " UNION ALL SELECT 'tables in public', string_agg(relname || ' of ' || pg_get_userbyid(relowner), ', ')"
    " FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    " UNION ALL SELECT 'owner creates schemas',"
    " has_database_privilege('loanbook_owner', current_database(), 'CREATE')::text"
)

Catalogue = dict[str, str]
"""Everything that migrations make, by schema, kind and name."""


def revisions() -> list[str]:
    """Return every revision, the first one first."""
    script = ScriptDirectory.from_config(config("postgresql+psycopg://"))
    return [each.revision for each in reversed(list(script.walk_revisions()))]


@pytest.fixture
def new_database(server_url: str) -> Iterator[Callable[[], Database]]:
    """Return what makes a database with nothing in it, which is dropped after the test."""
    with psycopg.connect(_libpq(server_url), autocommit=True) as admin, ExitStack() as stack:

        def new() -> Database:
            name = f"loanbook_migrations_{os.getpid()}_{next(_numbers)}"
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
            database = Database(name, url_of(server_url, name))
            stack.callback(admin.execute, f"DROP DATABASE {name} WITH (FORCE)")
            stack.callback(database.close)
            return database

        yield new


@pytest.fixture
def empty(new_database: Callable[[], Database]) -> Database:
    """Return a database with nothing in it."""
    return new_database()


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Callable[[Database], Catalogue]:
    """Return what reads the catalogue of a database: the ledger's own manifest, of every schema of ours."""

    def read(database: Database) -> Catalogue:
        found: Catalogue = {}
        with database.engine(ADMIN).connect() as connection:
            there = set(connection.scalars(sa.text("SELECT nspname FROM pg_namespace")))
            connection.rollback()
            for schema in sorted(SCHEMAS & there):
                monkeypatch.setattr(self_check, "SCHEMA", schema)
                manifest = self_check.read_manifest(connection)
                found |= {f"{schema}: {name}": definition for name, definition in manifest.items()}
            for name, column, text in connection.execute(_COMMENTS, {"schemas": sorted(SCHEMAS)}):
                found[f"comment {name} {column}"] = text
            if connection.scalar(sa.text("SELECT to_regclass('public.alembic_version')")):
                found.update(tuple(row) for row in connection.execute(_OTHER))
        return found

    return read


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg:", "postgresql:", 1)
