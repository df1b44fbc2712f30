"""Runs a day in a process of its own, which kills itself after so many chunks.

`python -m tests.integration.servicing.run_day_child URL BOOK DAY CHUNKS`; next: `test_run_day_resume.py`.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import date

from ledger.db import create_engine
from servicing.commands import bulk_accrual, cycle
from servicing.commands.cycle import run_cycle
from tests.support.loan_lives import ACTOR

SMALL = 4
"""Loans in a chunk, so that there are many."""


def main(url: str, code: str, day: str, chunks: str) -> None:
    """Run the day, or die after so many chunks as if the power were cut: nothing is flushed, no handler runs."""
    done = 0

    def watch(step: str, part: int, parts: int) -> None:
        nonlocal done
        done += 1
        if done == int(chunks):
            os.kill(os.getpid(), signal.SIGKILL)

    bulk_accrual.CHUNK_LOANS = cycle.CHUNK_LOANS = SMALL
    run_cycle(create_engine(url), code, date.fromisoformat(day), actor=ACTOR, on_progress=watch)


if __name__ == "__main__":
    main(*sys.argv[1:])
