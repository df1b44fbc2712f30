"""The edge: one engine, and the one place where transactions are opened and committed.

A door says what it wants done; a change runs in a unit of work of its own (rolled back when it is a dry run),
a reading in a transaction that sees one moment and cannot write. Trouble with the database becomes an error
that names it. Never: decisions. Next: `ledger/unit_of_work.py`; `ledger/requests.py` for requests that come
twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, ProgrammingError

from api.database import place_of
from api.errors import (
    BookAmbiguous,
    BookMissing,
    DatabaseNotMigrated,
    DatabaseRoleRefused,
    DatabaseTrouble,
    DatabaseUnreachable,
    InputMalformed,
)
from ledger.db import create_engine, sqlstate, translate
from ledger.domain_error import DomainError
from ledger.queries.accounts import books
from ledger.requests import Outcome, settle
from ledger.unit_of_work import UnitOfWork, run

T = TypeVar("T")

# What a server says when the migrations have not run: no such role, schema, table, column or function; no
# rights on it.
NOT_MIGRATED = frozenset({"28000", "3F000", "42P01", "42703", "42704", "42883"})
NO_RIGHT = "42501"
# Too many connections, no room on the disk, a wait that took too long, a server that stops, a replica.
PASSING = ("53", "57", "58", "40001", "40P01", "55P03", "25006")


@dataclass(frozen=True, slots=True)
class Edge:
    """An engine for one database, and how to work on it."""

    engine: sa.Engine
    place: str

    @classmethod
    def open(cls, url: sa.URL, *, pool_size: int = 2) -> Edge:
        """Return the edge of a database; nothing is connected yet."""
        engine = create_engine(url.render_as_string(hide_password=False), pool_size=pool_size)
        return cls(engine, place_of(url))

    def change(
        self,
        work: Callable[[UnitOfWork], T],
        *,
        actor: str,
        approver: str | None = None,
        dry_run: bool = False,
    ) -> T:
        """Do something in a transaction of its own; in a dry run it is done and then undone.

        Raises: what the work raises; DatabaseUnreachable; DatabaseNotMigrated.
        """
        with self.named_trouble():
            return run(self.engine, work, actor=actor, approver=approver, dry_run=dry_run)

    def answer(
        self,
        work: Callable[[UnitOfWork], Outcome],
        *,
        actor: str,
        approver: str | None = None,
        dry_run: bool = False,
    ) -> Outcome:
        """Answer a request that carries a key: do it once, and give the outcome of that once ever after.

        Raises: the refusal that the outcome is, after it was committed; as `change`.
        """
        return settle(self.change(work, actor=actor, approver=approver, dry_run=dry_run))

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Read in one transaction that sees one moment; a write in it is refused by the database.

        Raises: what the work raises; DatabaseUnreachable; DatabaseNotMigrated.
        """
        with self.named_trouble(), self.engine.connect() as connection:
            snapshot = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return work(snapshot)

    @contextmanager
    def named_trouble(self) -> Iterator[None]:
        """Turn trouble with the database itself into errors that say what to do.

        Raises: DatabaseUnreachable; DatabaseNotMigrated; DatabaseRoleRefused; DatabaseTrouble; what the database
        refused; any other error as it came.
        """
        try:
            yield
        except DBAPIError as error:
            trouble = self._trouble(error) or translate(error)
            if trouble is None:
                raise
            raise trouble from error

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _trouble(self, error: DBAPIError) -> DomainError | None:
        state = sqlstate(error)
        first_line = str(error.orig).partition("\n")[0].strip()
        if state in NOT_MIGRATED or (state is None and "does not exist" in first_line):
            return DatabaseNotMigrated(where=self.place, reason=first_line)
        if state == NO_RIGHT:
            return DatabaseRoleRefused(where=self.place, reason=first_line)
        if isinstance(error, OperationalError | InterfaceError) and (state is None or error.connection_invalidated):
            return DatabaseUnreachable(where=self.place, reason=first_line)
        if state is not None and state.startswith(PASSING):
            return DatabaseTrouble(where=self.place, reason=first_line)
        if state is None and isinstance(error, DataError):
            return InputMalformed(place="a text", reason=first_line)
        if state is None and isinstance(error, ProgrammingError) and error.statement is None:
            # A url with an option that the driver does not know.
            return DatabaseUnreachable(where=self.place, reason=first_line)
        return None


def choose_book(connection: sa.Connection, wanted: str | None) -> str:
    """Return the code of the book to work on: the one that is asked for, or the only one.

    Raises: BookMissing if there is none; BookAmbiguous if there are several and none is asked for.
    """
    if wanted is not None:
        return wanted
    known = tuple(book.code for book in books(connection))
    if not known:
        raise BookMissing()
    if len(known) > 1:
        raise BookAmbiguous(known=known)
    return known[0]
