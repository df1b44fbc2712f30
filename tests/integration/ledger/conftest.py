"""A book of its own for each test."""

from __future__ import annotations

import pytest

from tests.support.database import Database
from tests.support.ledger_setup import Ledger, new_ledger


@pytest.fixture
def book(database: Database) -> Ledger:
    """Return a book with the default chart and three loans, on 15 January 2026."""
    return new_ledger(database)
