"""Brings a database to the newest schema, and makes the roles that the schema is granted to.

`migrate` is what `loanbook migrate` and the tests call; `offline_sql` writes the same as a script for psql. A second
runner waits for the first and then finds nothing to do. Never: a downgrade, or a password (the operator gives the
login roles theirs).
Next: `migrations/env.py`; `ledger/sql/grants.sql` for what each role may do.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

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


def offline_sql(revisions: str = "head") -> str:
    """Return a script that brings an empty database to a revision, or from one to another (`0004:0005`).

    Its first statements are those of every run: roles, the lock, the timeouts; it is one transaction.
    """
    settings = config("postgresql+psycopg://")
    settings.output_buffer = StringIO()
    command.upgrade(settings, revisions, sql=True)
    return settings.output_buffer.getvalue()


def make_roles(roles: Sequence[str]) -> str:
    """Return a statement that makes those of some login roles that are missing.

    Roles are the whole cluster's: whoever makes one meanwhile, for another of its databases, is waited for.
    """
    return f"""
DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY '{{{", ".join(roles)}}}'::text[] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = v_role) THEN
            BEGIN
                EXECUTE 'CREATE ROLE ' || quote_ident(v_role) || ' LOGIN';
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- It has been made meanwhile.
            END;
        END IF;
    END LOOP;
END $$"""


# The owner creates schemas in this database. One runner at a time.
_PREPARE_OWNER = f"""
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock({MIGRATION_LOCK + 1});
    IF NOT pg_has_role('loanbook_owner', 'member') THEN
        GRANT loanbook_owner TO current_user;
    END IF;
    EXECUTE 'GRANT CREATE ON DATABASE ' || quote_ident(current_database()) || ' TO loanbook_owner';
    GRANT CREATE, USAGE ON SCHEMA public TO loanbook_owner;
END $$"""

BEFORE_EVERY_RUN = (
    make_roles(ROLES),
    _PREPARE_OWNER,
    f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})",
    "SET LOCAL ROLE loanbook_owner",
    f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'",
    f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'",
)
"""What a run does first, in its transaction: a second runner waits at the lock, then everything is the owner's."""
