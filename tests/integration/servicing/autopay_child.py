"""Runs the mandates of a book in a process of its own, which kills itself after so many loans.

`python -m tests.integration.servicing.autopay_child URL BOOK LOANS`; next: `test_autopay_resume.py`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from datetime import date

from ledger.db import create_engine
from ledger.unit_of_work import UnitOfWork
from servicing.commands import autopay
from servicing.rails.instruction import Instruction
from tests.support.loan_lives import ACTOR


def main(url: str, code: str, loans: str) -> None:
    """Run, or die in the middle of a loan, after so many, as if the power were cut: no handler runs."""
    done, work = 0, autopay.autopay_loan

    def watched(uow: UnitOfWork, loan_id: int, day: date) -> Sequence[Instruction]:
        nonlocal done
        made = work(uow, loan_id, day)
        done += 1
        if done == int(loans):
            os.kill(os.getpid(), signal.SIGKILL)
        return made

    autopay.autopay_loan = watched  # type: ignore[assignment] # a test stands in its way
    autopay.run_autopay(create_engine(url), code, actor=ACTOR)


if __name__ == "__main__":
    main(*sys.argv[1:])
