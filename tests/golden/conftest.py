"""A database for the golden tests; a scenario leaves nothing behind in it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.support.database import Database


@pytest.fixture(scope="module")
def engine(module_database: Database) -> sa.Engine:
    """Return an engine of the application's role."""
    return module_database.engine()
