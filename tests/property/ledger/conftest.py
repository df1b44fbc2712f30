"""Books for the machine of the ledger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.property.ledger.machine_rules import LedgerMachine
from tests.support.machine_books import Books


@pytest.fixture
def books(server_url: str) -> Iterator[Books]:
    """Yield what hands out books to the machine."""
    LedgerMachine.books = Books(server_url)
    yield LedgerMachine.books
    LedgerMachine.books.close()
