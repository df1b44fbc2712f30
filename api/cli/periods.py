"""`loanbook period`: the life of the accounting months.

Next: `ledger/periods.py` for which step is possible when; `ledger/commands/periods.py`.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import MONTH, changes, reads
from api.cli.output import Column, print_line, print_note, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.dates import Month
    from ledger.queries.periods import PeriodEvent, PeriodHistory

LIST_COLUMNS = (
    Column("month", "Month"),
    Column("state", "State"),
    Column("soft_closed", "Soft-closed"),
    Column("closed", "Closed"),
    Column("reopened", "Reopened"),
    Column("reason", "Reason", long=True),
    Column("digest", "Digest"),
)
ONE_MONTH = click.argument("month", type=MONTH)


@click.group()
def period() -> None:
    """List, open, soft-close, close and reopen months.

    An open month takes entries; a soft-closed one only with a second person's approval; a closed one none at
    all.

    \b
    loanbook period list
    loanbook period close 2026-03
    loanbook period reopen 2026-03 --approver carol --reason "Vendor invoice of March came late"
    """


@period.command("list")
@click.option("--from", "first", type=MONTH, help="This month and those after it [default: the book's first].")
@click.option("--limit", type=click.IntRange(1, 1000), default=120, show_default=True, help="How many months.")
@reads
def list_months(session: Session, first: Month | None, limit: int) -> None:
    """List the months of a book: the state of each, who closed and reopened it when and why, and its digest.

    Times are in UTC; the second name is the approver's. The digest is that of the trial balance at the last close,
    in brackets if the month was reopened since. With --json, every event of each month is there.

    \b
    loanbook period list
    loanbook period list --from 2026-01 --limit 12 --json
    """
    from ledger.queries.periods import periods

    code = session.book_code
    found = session.read(lambda connection: periods(connection, code, first=first, limit=limit + 1))
    shown, more = found[:limit], found[limit:]
    document = {
        "book": code,
        "periods": [period_json(each) for each in shown],
        "next_from": str(more[0].month) if more else None,
    }
    session.show(document, lambda: _print_list(shown, more))


def _print_list(shown: tuple[PeriodHistory, ...], more: tuple[PeriodHistory, ...]) -> None:
    print_table(LIST_COLUMNS, map(_list_row, shown))
    if more:
        print_note(f"There is more: --from {more[0].month}")


def _list_row(found: PeriodHistory) -> dict[str, Any]:
    from ledger.periods import PeriodAction, PeriodState

    reopened = found.latest(PeriodAction.REOPEN)
    digest = found.trial_balance_digest
    short = f"{digest.hex()[:16]}..." if digest else None
    return {
        "month": str(found.month),
        "state": str(found.state),
        "soft_closed": _who_and_when(found.latest(PeriodAction.SOFT_CLOSE)),
        "closed": _who_and_when(found.latest(PeriodAction.FINISH_CLOSE)),
        "reopened": _who_and_when(reopened),
        "reason": reopened and reopened.reason,
        "digest": short if short is None or found.state is PeriodState.CLOSED else f"({short})",
    }


def _who_and_when(event: PeriodEvent | None) -> str | None:
    if event is None:
        return None
    people = event.actor if event.approver is None else f"{event.actor}, {event.approver}"
    return f"{event.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M} {people}"


def period_json(found: PeriodHistory) -> dict[str, Any]:
    """Return a period as JSON: what a reader asks first by name, then every event."""
    from api.views import plain
    from ledger.periods import PeriodAction

    return {
        "month": str(found.month),
        "state": str(found.state),
        "soft_closed": plain(found.latest(PeriodAction.SOFT_CLOSE)),
        "closed": plain(found.latest(PeriodAction.FINISH_CLOSE)),
        "reopened": plain(found.latest(PeriodAction.REOPEN)),
        "trial_balance_digest": plain(found.trial_balance_digest),
        "events": plain(found.events),
    }


@period.command("open")
@ONE_MONTH
@changes
def open_month(session: Session, month: Month) -> None:
    """Open a month ahead of the business date, which opens months as it enters them.

    \b
    loanbook period open 2026-04
    """
    from ledger.commands.periods import open_period

    _step(session, month, open_period)


@period.command("soft-close")
@ONE_MONTH
@changes
def soft_close(session: Session, month: Month) -> None:
    """Close a month to ordinary work; entries with an approver may still be booked into it.

    \b
    loanbook period soft-close 2026-03
    """
    from ledger.commands.periods import soft_close_period

    _step(session, month, soft_close_period)


@period.command("lift")
@ONE_MONTH
@changes
def lift(session: Session, month: Month) -> None:
    """Open a soft-closed month to ordinary work again.

    \b
    loanbook period lift 2026-03
    """
    from ledger.commands.periods import lift_soft_close

    _step(session, month, lift_soft_close)


def _step(session: Session, month: Month, step: Any) -> None:
    book = session.book_code
    change = session.change(lambda uow: step(uow, book, month))
    _show(session, change)


@period.command("close")
@ONE_MONTH
@changes
def close(session: Session, month: Month) -> None:
    """Close a month for good: everything is sealed, and nothing is booked into it any more.

    Several short transactions; one that was killed is taken up by running this again. A dry run checks
    whether the close may begin, and does no more.

    \b
    loanbook period close 2026-03
    """
    from api.cli.progress import progress
    from api.cli.sealing import sealing
    from ledger.commands.periods import close_period

    if session.dry_run:
        _rehearse(session, month, "start_close", None)
        return
    book = session.book_code
    showing = progress(f"Closing {month}", quiet=session.as_json)
    with sealing(session), showing as advance, session.edge.named_trouble():
        change = close_period(
            session.edge.engine,
            book,
            month,
            actor=session.actor,
            approver=session.approver,
            on_progress=advance,
        )
    _show(session, change)


@period.command("reopen")
@ONE_MONTH
@click.option("--reason", required=True, help="Why; it is kept for the auditor.")
@changes
def reopen(session: Session, month: Month, reason: str) -> None:
    """Open the latest closed month to approved entries again; it takes two people, and the old digest is
    kept.

    \b
    loanbook period reopen 2026-03 --actor bob --approver carol --reason "Vendor invoice of March came late"
    """
    from api.cli.progress import progress
    from ledger.commands.periods import reopen_period

    if session.dry_run:
        _rehearse(session, month, "reopen", reason)
        return
    book = session.book_code
    with progress(f"Reopening {month}", quiet=session.as_json) as advance, session.edge.named_trouble():
        change = reopen_period(
            session.edge.engine,
            book,
            month,
            actor=session.actor,
            approver=session.approver,
            reason=reason,
            on_progress=advance,
        )
    _show(session, change)


@period.command("year-end")
@click.argument("fiscal_year", type=click.IntRange(1900, 2199))
@changes
def year_end(session: Session, fiscal_year: int) -> None:
    """Carry income and expense of a fiscal year to retained earnings; it takes two people.

    Booked on the last day of the year while its month is not closed; income statements leave it out. Run again
    after late adjustments, it closes what has come since.

    \b
    loanbook period year-end 2026 --actor bob --approver carol
    """
    from api.views import plain
    from ledger.commands.year_end import year_end_close

    book = session.book_code
    done = session.change(lambda uow: year_end_close(uow, book, fiscal_year))
    text = (
        f"Fiscal year {fiscal_year}: nothing was left to close"
        if done.posted is None
        else f"Fiscal year {fiscal_year} is closed by entry {done.posted.entry_no} of {done.posted.booking_date}"
    )
    session.show(plain(done), lambda: print_line(text))


def _rehearse(session: Session, month: Month, action: str, reason: str | None) -> None:
    """Ask whether a step of several transactions may begin, without beginning it."""
    from ledger.commands.periods import PeriodChange, view
    from ledger.periods import PeriodAction, decide_transition
    from ledger.queries.accounts import book

    def work(connection: Any) -> PeriodChange:
        found = book(connection, session.book_code)
        step = decide_transition(
            view(connection, found, month),
            PeriodAction(action),
            business_date=found.business_date,
            actor=session.actor,
            approver=session.approver,
            reason=reason,
        )
        return PeriodChange(month, step.source, step.target)

    _show(session, session.read(work))


def _show(session: Session, change: Any) -> None:
    from api.views import plain

    before = "new" if change.before is None else change.before
    digest = change.trial_balance_digest
    proof = f"; block {change.block_no}, trial balance {digest.hex()[:16]}..." if digest else ""
    session.show(plain(change), lambda: print_line(f"Period {change.month}: {before} -> {change.after}{proof}"))
