"""The unit of work: one transaction, opened and committed at a door, joined by every command inside it.

A command receives it and never opens, commits or rolls back. What loses a race with another transaction is run again,
a bounded number of times; a dry run is the same work, rolled back. Never: decisions.
Next: `ledger/commands/`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ledger.db import RETRYABLE, sqlstate, translate

T = TypeVar("T")

ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """An open transaction, who acts in it, and who approved the act (None: nobody had to)."""

    connection: sa.Connection
    actor: str
    approver: str | None = None


def run(
    engine: sa.Engine,
    work: Callable[[UnitOfWork], T],
    *,
    actor: str,
    approver: str | None = None,
    dry_run: bool = False,
) -> T:
    """Run work in a transaction of its own and return its result; in a dry run nothing is kept.

    Raises: the DomainError that a command raised or the database refused with; the database's own error otherwise.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with engine.connect() as connection, connection.begin() as transaction:
                result = work(UnitOfWork(connection, actor, approver))
                if dry_run:
                    transaction.rollback()
                return result
        except DBAPIError as error:
            refusal = translate(error)
            if refusal is not None:
                raise refusal from error
            if sqlstate(error) not in RETRYABLE or attempt == ATTEMPTS:
                raise
        # The pause is spread, so that those who collided do not meet again.
        time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311 - not for secrets
    raise AssertionError("the last attempt returns or raises")
