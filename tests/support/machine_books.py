"""Books for machines that live whole lives: each example has a new one, in a database that many of them share.

Next: `tests/property/ledger/test_ledger_machine.py`, `tests/property/servicing/test_loan_machine.py`.
"""

from __future__ import annotations

import itertools
from contextlib import ExitStack

import sqlalchemy as sa

from tests.support.database import Database, fresh_database

BOOKS_PER_DATABASE = 20
"""Proving a database reads every book in it: a fresh one now and then keeps long runs linear."""


class Books:
    """Hands out books, each new, in a database that many of them share."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._stack = ExitStack()
        self._numbers = itertools.count()
        self._database: Database | None = None
        self._engine: sa.Engine | None = None

    def next(self) -> tuple[Database, sa.Engine, str]:
        """Return a database, an engine for it, and the code of a book that it has not."""
        number = next(self._numbers)
        if self._database is None or self._engine is None or number % BOOKS_PER_DATABASE == 0:
            self.close()
            self._database = self._stack.enter_context(fresh_database(self._server_url))
            self._engine = self._database.engine(pool_size=2)
        return self._database, self._engine, f"BOOK{number}"

    def close(self) -> None:
        """Drop the database."""
        self._stack.close()
