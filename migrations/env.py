"""Runs the migrations: as the owner role, one at a time, and never waiting long for a lock.

The url is the Config's `sqlalchemy.url`, of a role that may create roles; or a connection is handed over in the
Config's attributes. Everything that is created belongs to `loanbook_owner`. Never: downgrades.
Next: `migrations/runner.py`, which the command line and the tests call.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from migrations.metadata import metadata_of_every_package, ours_only
from migrations.runner import LOCK_TIMEOUT, MIGRATION_LOCK, STATEMENT_TIMEOUT, prepare_roles


def run(connection: sa.Connection) -> None:
    """Run what is missing, in one transaction under a lock that a second runner waits for."""
    prepare_roles(connection)
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    connection.execute(sa.text("SET LOCAL ROLE loanbook_owner"))
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(sa.text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))
    context.configure(
        connection=connection,
        target_metadata=metadata_of_every_package(),
        include_schemas=True,
        include_name=ours_only,
        compare_type=True,
        compare_server_default=False,
        version_table_schema="public",
    )
    context.run_migrations()


def main() -> None:
    """Use the connection that was handed over, or open one."""
    handed_over = context.config.attributes.get("connection")
    if handed_over is not None:
        run(handed_over)
        return
    engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=sa.NullPool)
    with engine.begin() as connection:
        run(connection)
    engine.dispose()


main()
