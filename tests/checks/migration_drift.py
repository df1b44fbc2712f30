"""The tables that the packages declare are what the migrations make: alembic's own comparison finds no difference."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from migrations.metadata import metadata_of_every_package
from migrations.runner import config
from tests.support.database import ADMIN, Database


def findings(database: Database) -> list[str]:
    """Return a line for each difference, and one if the history has more than one head."""
    heads = ScriptDirectory.from_config(config(database.admin_url)).get_heads()
    found = [] if len(heads) == 1 else [f"the history has {len(heads)} heads: {', '.join(heads)}"]
    with database.engine(ADMIN).connect() as connection:
        for metadata in metadata_of_every_package():
            found += differences(connection, metadata)
    return found


def differences(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """Return what the database has otherwise than one package declares."""

    def of_package(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "schema" or name == metadata.schema

    options = {"include_schemas": True, "include_name": of_package, "compare_type": True}
    context = MigrationContext.configure(connection, opts=options)
    return [f"{metadata.schema}: {difference}" for difference in compare_metadata(context, metadata)]
