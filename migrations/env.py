"""Runs the migrations: as the owner role, one at a time, and never waiting long for a lock.

The url is the Config's `sqlalchemy.url`, of a role that may create roles; or a connection is handed over in the
Config's attributes. Everything that is created belongs to `loanbook_owner`. Never: downgrades.
Next: `migrations/runner.py`, which the command line and the tests call.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from migrations.metadata import metadata_of_every_package, ours_only
from migrations.runner import BEFORE_EVERY_RUN


def run(connection: sa.Connection) -> None:
    """Run what is missing, in one transaction under a lock that a second runner waits for."""
    for statement in BEFORE_EVERY_RUN:
        connection.exec_driver_sql(statement)
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


def write() -> None:
    """Write what would be run as a script of one transaction, without a connection."""
    # A parameter style without percent signs, which would be doubled in functions otherwise.
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},
        literal_binds=True,
        version_table_schema="public",
    )
    with context.begin_transaction():
        for statement in BEFORE_EVERY_RUN:
            context.execute(statement)
        context.run_migrations()


def main() -> None:
    """Use the connection that was handed over, or open one; with `--sql` write a script instead."""
    if context.is_offline_mode():
        write()
        return
    handed_over = context.config.attributes.get("connection")
    if handed_over is not None:
        run(handed_over)
        return
    engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=sa.NullPool)
    with engine.begin() as connection:
        run(connection)
    engine.dispose()


main()
