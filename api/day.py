"""The daily cycle as the door runs it: the steps of the books, then the cards, where a processor is set.

A processor is asked between two transactions (`docs/decisions/0010-a-processor-is-asked-between-transactions.md`),
and only after the books have had their day: whatever it does, the loans are closed.
Next: `servicing/commands/business_day.py`, `api/cards.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from api.cards import charge_due
from api.edge import Edge
from api.rails import report_json
from api.views import Json, MoneyForm, plain
from servicing.commands.autopay import RailReport
from servicing.commands.business_day import BusinessDay, run_business_day
from servicing.commands.cycle import Progress
from servicing.rails.cards import CardProcessor


@dataclass(frozen=True, slots=True)
class DayRun:
    """A business day, and what was charged of cards; None where no processor is set."""

    books: BusinessDay
    charged: RailReport | None

    @property
    def failed(self) -> bool:
        """Tell whether anything failed that is to be mended and run again."""
        return self.books.failed or bool(self.charged and self.charged.failures)


def run_the_day(
    edge: Edge,
    processor: CardProcessor | None,
    book_code: str,
    day: date,
    *,
    actor: str,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> DayRun:
    """Run every step of the days up to this one. Raises: what `run_business_day` raises."""
    books = run_business_day(edge.engine, book_code, day, actor=actor, dry_run=dry_run, on_progress=on_progress)
    charged = None
    if processor is not None:
        charged = charge_due(edge, processor, book_code, day, actor=actor, dry_run=dry_run)
    return DayRun(books, charged)


def day_json(done: DayRun, money: MoneyForm) -> Json:
    """Return what the steps came to; `charged` is null where no processor is set."""
    books = done.books
    return {
        **plain(books.closed),
        "entries": books.closed.entries,
        "settled": report_json(books.settled, money),
        "scheduled": report_json(books.scheduled, money),
        "charged": None if done.charged is None else report_json(done.charged, money),
    }
