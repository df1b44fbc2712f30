"""What the tests of this folder share."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.integration.gl_export.books import open_book
from tests.support.database import Database


@pytest.fixture
def engine(database: Database) -> sa.Engine:
    """Return the application's engine on a fresh database with one book."""
    engine = database.engine()
    open_book(engine)
    return engine
