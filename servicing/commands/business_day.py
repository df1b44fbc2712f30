"""A business day of a book, step by step: what settled is credited, the loans are closed, what is asked for scheduled.

Settlement comes first, so that the close of a day knows every payment that counts by then: a run that makes up for
days finds the late fees that daily runs would have found. Each step is taken up where it was stopped.
Never: a question to anybody outside; cards are charged by the door (`api/day.py`). Next: `servicing/end_of_day.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from servicing.commands.autopay import RailReport, run_autopay, run_settlements
from servicing.commands.cycle import Progress, run_cycle
from servicing.end_of_day import DayReport


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """What a run came to: instructions that settled, the close of the loans, debits that were scheduled."""

    settled: RailReport
    closed: DayReport
    scheduled: RailReport

    @property
    def failed(self) -> bool:
        """Tell whether a loan or an instruction failed."""
        return bool(self.settled.failures or self.closed.failures or self.scheduled.failures)


def run_business_day(
    engine: sa.Engine,
    book_code: str,
    day: date,
    *,
    actor: str,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> BusinessDay:
    """Run the steps of every day up to and including this one; run again, it does nothing.

    A dry run shows each step by itself: it closes the loans without what would have settled.

    Raises: BookUnknown; EffectiveDateAhead; DayRunStopped.
    """
    settled = run_settlements(engine, book_code, day, actor=actor, dry_run=dry_run)
    closed = run_cycle(engine, book_code, day, actor=actor, dry_run=dry_run, on_progress=on_progress)
    scheduled = run_autopay(engine, book_code, day, actor=actor, dry_run=dry_run)
    return BusinessDay(settled, closed, scheduled)
