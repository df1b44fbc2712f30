"""Brings a database to the newest schema, and makes the roles that the schema is granted to.

`migrate` is what `loanbook migrate` and the tests call. A second runner waits for the first and then finds nothing
to do. Never: a downgrade, or a password (the operator gives the login roles theirs).
Next: `migrations/env.py`; `ledger/sql/grants.sql` for what each role may do.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

ROLES = ("loanbook_owner", "loanbook_app", "loanbook_reader")
MIGRATION_LOCK = 0x10A2B00C
LOCK_TIMEOUT = "10s"
STATEMENT_TIMEOUT = "30min"


def config(url: str) -> Config:
    """Return alembic's configuration for a database, without a file."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return settings


def migrate(url: str, revision: str = "head") -> None:
    """Run every missing migration up to a revision."""
    command.upgrade(config(url), revision)


def prepare_roles(connection: sa.Connection) -> None:
    """Create the three roles where they are missing, and let the owner create schemas in this database."""
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK + 1})
    existing = set(connection.scalars(sa.text("SELECT rolname FROM pg_roles WHERE rolname LIKE 'loanbook%'")))
    for role in ROLES:
        if role not in existing:
            connection.execute(sa.text(f"CREATE ROLE {role} LOGIN"))
    database = connection.scalar(sa.text("SELECT quote_ident(current_database())"))
    member = connection.scalar(sa.text("SELECT pg_has_role('loanbook_owner', 'member')"))
    if not member:
        connection.execute(sa.text("GRANT loanbook_owner TO current_user"))
    connection.execute(sa.text(f"GRANT CREATE ON DATABASE {database} TO loanbook_owner"))
    connection.execute(sa.text("GRANT CREATE, USAGE ON SCHEMA public TO loanbook_owner"))
