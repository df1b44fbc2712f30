"""`loanbook check`: what the books check of themselves, as often as anybody likes.

Next: `gl_export/queries/self_checks.py`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import DAY, reads
from api.cli.output import Column, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    import sqlalchemy as sa

COLUMNS = (
    Column("check", "Check"),
    Column("holds", "Holds"),
    Column("looked_at", "Looked at", right=True),
    Column("about", "What holds", long=True),
)


@click.command()
@click.option("--as-of", type=DAY, help="As of this day [default: the business date].")
@click.option("--sample", type=click.IntRange(min=0), help="Fold so many loans again [default: every one].")
@click.option("--seed", default="", help="Which ones: the same seed draws the same.")
@click.option(
    "--clearing-days",
    type=click.IntRange(min=0),
    default=31,
    show_default=True,
    help="How old a balance of a clearing account may be.",
)
@reads
def check(session: Session, as_of: date | None, sample: int | None, seed: str, clearing_days: int) -> int:
    """Check that the books balance, agree with each other and with the engine; exit code 1 if anything does not hold.

    Every loan is folded again from its events and compared with its journal, entry by entry; --sample takes some of
    them. For what was altered behind the books' back there is `loanbook verify`.

    \b
    loanbook check
    loanbook check --sample 500 --seed 2026-11-30 --json
    """
    from api.cli.progress import progress
    from api.self_checks import checks_json
    from gl_export.queries.self_checks import Asked, self_checks
    from ledger.queries.accounts import book

    with progress("Checking", quiet=session.as_json) as advance:

        def work(connection: sa.Connection) -> dict[str, Any]:
            day = as_of or book(connection, session.book_code).business_date
            asked = Asked(session.book_code, day, clearing_days, sample, seed)
            made = self_checks(
                connection,
                asked,
                on_progress=lambda name, done, whole: advance(done, whole, name),
            )
            return checks_json(asked, made)

        found = session.read(work)
    session.show(found, lambda: _print(found))
    return 0 if found["holds"] else 1


def _print(found: dict[str, Any]) -> None:
    checks = found["checks"]
    rows = [{**each, "holds": "yes" if each["holds"] else "no"} for each in checks]
    print_table(COLUMNS, rows, title=f"Book {found['book']} on {found['as_of']}")
    for each in checks:
        for finding in each["findings"]:
            print_line(f"{each['check']}: {finding}")
