"""`loanbook period`: the life of the accounting months.

Next: `ledger/periods.py` for which step is possible when; `ledger/commands/periods.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from api.cli.options import MONTH, changes, reads
from api.cli.output import Column, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.dates import Month

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
@reads
def list_months(session: Session) -> None:
    """List the months of a book and the state of each.

    \b
    loanbook period list
    """
    from ledger.commands.periods import view
    from ledger.dates import Month
    from ledger.queries.accounts import book

    def work(connection: Any) -> list[dict[str, Any]]:
        found = book(connection, session.book_code)
        month, rows = Month.of(found.opened_on), []
        while (state := view(connection, found, month).state) is not None:
            rows.append({"month": str(month), "state": str(state)})
            month = month.next
        return rows

    rows = session.read(work)
    session.show(
        {"book": session.book_code, "periods": rows},
        lambda: print_table((Column("month", "Month"), Column("state", "State")), rows),
    )


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
@click.argument("fiscal_year", type=int)
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
