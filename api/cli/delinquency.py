"""`loanbook delinquency history`: how far behind a loan was, day by day, in ranges of days.

Next: `api/delinquency.py`, which both doors share; `docs/spec/delinquency.md`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import DAY, reads
from api.cli.output import Column, amount, grouped, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    import sqlalchemy as sa

COLUMNS = (
    Column("from", "From"),
    Column("through", "Through"),
    Column("unpaid_since", "Unpaid since"),
    Column("dpd_from", "Days", right=True),
    Column("dpd_through", "to", right=True),
    Column("bucket", "Bucket"),
    amount("past_due", "Past due"),
    Column("status", "Status"),
)


@click.command("history")
@click.argument("loan_id", type=int)
@click.option("--from", "from_day", type=DAY, help="From this day on [default: from the funding].")
@click.option("--to", "through", type=DAY, help="Through this day [default: the business date].")
@click.option("--known-at", type=DAY, help="As it was known at the close of this day [default: today].")
@reads
def history(session: Session, loan_id: int, from_day: date | None, through: date | None, known_at: date | None) -> None:
    """Show where a loan stood from day to day: since when it was past due, in which bucket, with how much.

    A range that is open goes on until something happens to the loan.

    \b
    loanbook delinquency history 7
    loanbook delinquency history 7 --from 2026-03-01 --to 2026-03-31 --json
    """
    from api.delinquency import PARTS, history_json
    from api.views import major_units
    from servicing.delinquency_queries import delinquency_history

    def work(connection: sa.Connection) -> dict[str, Any]:
        currency, ranges = delinquency_history(
            connection, loan_id, from_day=from_day, through=through, known_at=known_at
        )
        return dict(history_json(loan_id, currency, ranges, major_units))

    found = session.read(work)

    def show() -> None:
        rows = [
            {name: grouped(value) if name in PARTS else value for name, value in each.items()}
            for each in found["ranges"]
        ]
        print_table(COLUMNS, rows, title=f"Delinquency of loan {loan_id}")

    session.show(found, show)
