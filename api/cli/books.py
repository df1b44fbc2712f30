"""`loanbook init`, `migrate` and `day`: a book, the schema that it needs, and the date that it has.

Next: `ledger/commands/books.py`; `api/migrate.py`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import BOOK_DAY, CODE, changes, changes_installation, reads
from api.cli.output import print_facts, print_line
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.chart import Chart
    from ledger.unit_of_work import UnitOfWork

DEFAULT_CHART = "us_lender"


@click.command()
@click.option("--code", type=CODE, default="main", show_default=True, help="The book's code, by which --book names it.")
@click.option("--name", default="Main book", show_default=True, help="The legal entity whose books these are.")
@click.option("--currency", default="USD", show_default=True, help="The base currency (ISO 4217).")
@click.option("--time-zone", default="America/New_York", show_default=True, help="Where a business day ends (IANA).")
@click.option("--fiscal-year-start", type=click.IntRange(1, 12), default=1, show_default=True, help="A month's number.")
@click.option("--opened-on", type=BOOK_DAY, help="The first day that can be booked [default: the first of this month].")
@click.option(
    "--business-date", type=BOOK_DAY, help="The day on which entries are booked now [default: the opening day]."
)
@click.option(
    "--chart",
    "chart_file",
    type=click.Path(path_type=Path),
    help="A chart of accounts (TOML) instead of the US lender's.",
)
@changes_installation
def init(
    session: Session,
    code: str,
    name: str,
    currency: str,
    time_zone: str,
    fiscal_year_start: int,
    opened_on: date | None,
    business_date: date | None,
    chart_file: Path | None,
) -> None:
    """Create a book and load its chart of accounts.

    Where there is no database yet, the embedded server is started and the schema made first; with
    LOANBOOK_DATABASE_URL, that database is brought to the newest schema.

    \b
    loanbook init --name "Example Lending LLC" --opened-on 2026-01-01
    loanbook init --code uk --currency GBP --time-zone Europe/London --chart uk.toml
    """
    from api.database import Role
    from api.migrate import migrate as run_migrations
    from api.views import plain
    from ledger.commands.books import create_book, load_chart

    chart = chart_of(chart_file)
    if not session.dry_run:
        run_migrations(session.edge_as(Role.ADMIN, create=True))
    first_day = opened_on or datetime.now(UTC).date().replace(day=1)

    def work(uow: UnitOfWork) -> dict[str, Any]:
        book = create_book(
            uow,
            code=code,
            name=name,
            base_currency=currency,
            time_zone=time_zone,
            fiscal_year_start_month=fiscal_year_start,
            opened_on=first_day,
            business_date=business_date,
        )
        load = load_chart(uow, code, chart)
        return {"book": plain(book), "chart": chart.name, **plain(load)}

    made = session.change(work)
    book = made["book"]
    session.show(
        made,
        lambda: print_line(
            f"Book {code} ({name}, {currency}) opens on {first_day}, business date {book['business_date']}: "
            f"{len(made['opened'])} accounts and {made['roles_mapped']} roles of chart {chart.name}."
        ),
    )


def chart_of(file: Path | None) -> Chart:
    """Return the chart of a file, or without one that which a new book starts with."""
    from api.cli.files import read_text
    from ledger.chart_file import parse_chart

    return load_default_chart() if file is None else parse_chart(read_text(file), file=str(file))


def load_default_chart() -> Chart:
    """Return the chart that a new book starts with."""
    from importlib.resources import files

    from ledger.chart_file import parse_chart

    text = (files("ledger") / "charts" / f"{DEFAULT_CHART}.toml").read_text(encoding="utf-8")
    return parse_chart(text, file=DEFAULT_CHART)


@click.command()
@changes_installation
def migrate(session: Session) -> None:
    """Bring the database to the newest schema; all missing migrations, or none.

    It connects as LOANBOOK_OWNER_DATABASE_URL (default LOANBOOK_DATABASE_URL), which must be allowed to
    create roles.

    \b
    loanbook migrate --dry-run
    loanbook migrate
    """
    from api.database import Role
    from api.migrate import migrate as run_migrations
    from api.views import plain

    done = run_migrations(session.edge_as(Role.ADMIN, create=True), dry_run=session.dry_run)
    text = (
        f"schema {done.after} already"
        if done.before == done.after
        else f"schema {done.before or 'none'} -> {done.after}"
    )
    session.show(plain(done), lambda: print_line(text))


@click.group()
def day() -> None:
    """Show the business date, or move it forward.

    Entries are booked on the business date, not on the wall clock's: yesterday's books never move.

    \b
    loanbook day show
    loanbook day advance 2026-02-01
    """


@day.command()
@reads
def show(session: Session) -> None:
    """Show the book and its business date.

    \b
    loanbook day show --json
    """
    from api.views import plain
    from ledger.queries.accounts import book

    found = plain(session.read(lambda connection: book(connection, session.book_code)))
    session.show(found, lambda: print_facts(found))


@day.command()
@click.argument("to", type=BOOK_DAY, required=False)
@changes
def advance(session: Session, to: date | None) -> None:
    """Move the business date forward: to the next day, or to the one that is given.

    \b
    loanbook day advance
    loanbook day advance 2026-02-01 --dry-run
    """
    from api.views import plain
    from ledger.commands.books import advance_business_date
    from ledger.queries.accounts import book

    code = session.book_code
    moved = session.change(
        lambda uow: advance_business_date(uow, code, to or book(uow.connection, code).business_date + timedelta(days=1))
    )
    session.show(plain(moved), lambda: print_line(f"Business date of book {code}: {moved.business_date}"))
