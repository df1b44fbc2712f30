"""Fresh databases for tests: migrated once, then copied; with a URL and an engine for each role."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import sqlalchemy as sa

from ledger.db import create_engine
from migrations.runner import migrate

TEMPLATE = "loanbook_template"
ADMIN, OWNER, APP, READER = "loanbook_admin", "loanbook_owner", "loanbook_app", "loanbook_reader"

_numbers = itertools.count(1)

# CREATE DATABASE copies tables, not what was granted or set on the database itself.
_COPY_GRANTS = """
    UPDATE pg_database AS copy SET datacl = original.datacl
    FROM pg_database AS original WHERE original.datname = %(template)s AND copy.datname = %(name)s
"""
_COPY_SETTINGS = """
    INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)
    SELECT copy.oid, setting.setrole, setting.setconfig
    FROM pg_database AS copy, pg_db_role_setting AS setting
    JOIN pg_database AS original ON original.oid = setting.setdatabase
    WHERE original.datname = %(template)s AND copy.datname = %(name)s
"""


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a test's own. Engines made here are disposed of when it ends."""

    name: str
    admin_url: str
    _engines: list[sa.Engine] = field(default_factory=list, repr=False, compare=False)

    @property
    def owner_url(self) -> str:
        """Return the URL for the role that owns the schemas."""
        return self.url_for(OWNER)

    @property
    def app_url(self) -> str:
        """Return the URL for the role of the application."""
        return self.url_for(APP)

    @property
    def reader_url(self) -> str:
        """Return the URL for the role that only reads."""
        return self.url_for(READER)

    def url_for(self, role: str) -> str:
        """Return the SQLAlchemy URL for any role."""
        return self.admin_url.replace(f"//{ADMIN}@", f"//{role}@", 1)

    def libpq_url_for(self, role: str) -> str:
        """Return the URL for psycopg itself, psql and pg_dump."""
        return self.url_for(role).replace("postgresql+psycopg:", "postgresql:", 1)

    def engine(self, role: str = APP, **options: Any) -> sa.Engine:
        """Return the application's own kind of engine for a role."""
        engine = create_engine(self.url_for(role), **options)
        self._engines.append(engine)
        return engine

    def connect(self, role: str = APP, **options: Any) -> psycopg.Connection[Any]:
        """Return a plain psycopg connection, which the test closes: for tests that speak SQL themselves."""
        return psycopg.connect(self.libpq_url_for(role), **options)

    def close(self) -> None:
        """Close every connection of this process that went through `engine`."""
        for engine in self._engines:
            engine.dispose()


def create_template(admin_url: str) -> None:
    """Create and migrate the database that all others are copied from.

    `admin_url` is that of the server's database `postgres`.
    """
    with _admin(admin_url) as admin:
        admin.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
    migrate(url_of(admin_url, TEMPLATE))
    with _admin(admin_url) as admin:
        # Nobody may connect any more: a copy needs its original alone.
        admin.execute(f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true ALLOW_CONNECTIONS false")


@contextmanager
def fresh_database(admin_url: str, template: str = TEMPLATE) -> Iterator[Database]:
    """Yield a copy of the template, and drop it at the end, whoever is still connected."""
    name = f"loanbook_test_{os.getpid()}_{next(_numbers)}"
    parameters = {"template": template, "name": name}
    with _admin(admin_url) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        admin.execute(_COPY_GRANTS, parameters)
        admin.execute(_COPY_SETTINGS, parameters)
    database = Database(name, url_of(admin_url, name))
    try:
        yield database
    finally:
        database.close()
        with _admin(admin_url) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def template_of(admin_url: str, fill: Callable[[Database], None]) -> Iterator[str]:
    """Yield the name of a database that `fill` has put something into, for others to be copied from."""
    with fresh_database(admin_url) as database:
        fill(database)
        database.close()
        with _admin(admin_url) as admin:
            # Nobody may be connected: a copy needs its original alone.
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database.name])
            admin.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false")
        yield database.name


def url_of(admin_url: str, database: str) -> str:
    """Return the URL of another database on the same server, for the same role."""
    return sa.make_url(admin_url).set(database=database).render_as_string(hide_password=False)


@contextmanager
def _admin(admin_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection in which every statement is a transaction of its own, as CREATE DATABASE wants."""
    with psycopg.connect(admin_url.replace("postgresql+psycopg:", "postgresql:", 1), autocommit=True) as admin:
        yield admin
