"""Two transactions side by side, in an order that the test decides: hold one open, see the other wait, let go.

Nothing sleeps and hopes: a step is over when PostgreSQL itself says that a session waits for a lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg

from tests.support.database import ADMIN, APP, Database

T = TypeVar("T")

PATIENCE_SECONDS = 20.0

_WAITING = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
"""


@contextmanager
def aside(workers: int = 1) -> Iterator[ThreadPoolExecutor]:
    """Yield threads for what happens beside the test's own; at the end they have ended."""
    with ThreadPoolExecutor(workers) as threads:
        yield threads


def outcome(future: Future[T]) -> T:
    """Return what came of something aside, or raise what it raised."""
    return future.result(timeout=PATIENCE_SECONDS)


def outcomes(futures: list[Future[T]]) -> list[T | BaseException]:
    """Return what came of each, an exception where one was raised."""
    return [future.exception(PATIENCE_SECONDS) or future.result() for future in futures]


def wait_until_waiting(database: Database, sessions: int = 1) -> None:
    """Return as soon as so many sessions wait for a lock."""
    with database.connect(ADMIN, autocommit=True) as admin:
        wait_for(lambda: _count(admin) >= sessions, f"{sessions} sessions to wait for a lock")


def nobody_waits(database: Database) -> bool:
    """Tell whether no session waits for a lock at this moment."""
    with database.connect(ADMIN, autocommit=True) as admin:
        return _count(admin) == 0


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as a condition holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


@contextmanager
def held(database: Database, *statements: str, role: str = APP) -> Iterator[psycopg.Connection[Any]]:
    """Yield a transaction in which statements were executed, committed when the block is left."""
    with database.connect(role, options="-c lock_timeout=10s") as connection:
        for statement in statements:
            connection.execute(statement)
        yield connection


def _count(admin: psycopg.Connection[Any]) -> int:
    row = admin.execute(_WAITING).fetchone()
    assert row is not None
    return int(row[0])
