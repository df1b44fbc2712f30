"""Bringing the database to the newest schema, or trying whether it can be: a dry run is the same, rolled
back.

All missing migrations run in one transaction. Never: a downgrade. Next: `migrations/env.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from alembic import command

from api.edge import Edge
from api.guards import require_guards_on
from migrations.runner import config


@dataclass(frozen=True, slots=True)
class Migration:
    """The schema's revision before and after; None before there was any."""

    before: str | None
    after: str | None


def migrate(edge: Edge, *, dry_run: bool = False) -> Migration:
    """Run every missing migration; the edge's role must be allowed to create roles.

    Raises: DatabaseUnreachable; the database's own error if a migration fails, and GuardsDiffer if the schema is not
    the one of this version when all have run: nothing is kept of any then.
    """
    with edge.named_trouble(), edge.engine.connect() as connection, connection.begin() as transaction:
        before = _revision(connection)
        settings = config(edge.engine.url.render_as_string(hide_password=False))
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
        after = _revision(connection)
        require_guards_on(connection, edge.place)
        if dry_run:
            transaction.rollback()
    return Migration(before, after)


def _revision(connection: sa.Connection) -> str | None:
    if connection.scalar(sa.text("SELECT to_regclass('public.alembic_version')")) is None:
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM public.alembic_version"))
    return found
