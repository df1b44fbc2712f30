"""A run of a day that is killed, between chunks and at random instants, ends by the next run as if it never was."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.verify import verify
from servicing.commands.cycle import run_cycle
from tests.integration.servicing.test_run_cycle import OPENING, advance, in_force, lender, portfolio, ties_out
from tests.support.database import APP, Database
from tests.support.loan_lives import ACTOR

ROOT = Path(__file__).resolve().parents[3]
DAY = OPENING + timedelta(days=45)


def run_and_kill(database: Database, code: str, day: date, chunks: int, after: float | None = None) -> int:
    """Run a day in a process that kills itself after so many chunks, or that is killed after some seconds."""
    command = [sys.executable, "-m", "tests.integration.servicing.run_day_child"]
    child = subprocess.Popen(
        [*command, database.url_for(APP), code, day.isoformat(), str(chunks)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    if after is not None:
        time.sleep(after)
        child.kill()
    return child.wait()


def at_a_chunk(chunks: int) -> Callable[[Database, str], None]:
    def kill(database: Database, code: str) -> None:
        assert run_and_kill(database, code, DAY, chunks) == -signal.SIGKILL

    return kill


def now_and_then(seed: int) -> Callable[[Database, str], None]:
    def kill(database: Database, code: str) -> None:
        chance = random.Random(seed)
        for _ in range(4):
            run_and_kill(database, code, DAY, 0, after=0.6 + chance.random())

    return kill


@pytest.mark.parametrize(
    "kill",
    [at_a_chunk(1), at_a_chunk(7), at_a_chunk(40), now_and_then(1)],
    ids=["first", "seventh", "late", "any time"],
)
def test_a_run_that_was_killed_is_finished_by_the_next(
    module_database: Database, engine: sa.Engine, kill: Callable[[Database, str], None]
) -> None:
    drafts = portfolio()
    books = [lender(engine, drafts), lender(engine, drafts)]
    (code, ids), (undisturbed, others) = books
    for each, _ in books:
        advance(engine, each, DAY)

    kill(module_database, code)
    run_cycle(engine, code, DAY, actor=ACTOR)
    run_cycle(engine, undisturbed, DAY, actor=ACTOR)

    assert in_force(engine, ids) == in_force(engine, others)
    ties_out(engine, ids)
    assert run_cycle(engine, code, DAY, actor=ACTOR).entries == 0
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM ledger.batch_staging")) == 0
        assert verify(connection).holds
