"""`loanbook index` and `loanbook rate`: the values that variable rates look at, and the rates of loans.

Next: `servicing/commands/indexes.py`; `servicing/commands/rate_resets.py`; `docs/spec/rates.md`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from api.cli.options import BOOK_DAY, REQUEST_KEY, changes, changes_installation, reads_installation
from api.cli.output import Column, print_line, print_table
from api.cli.session import Session, new_request_key

VALUES = (
    Column("on", "From"),
    Column("value", "Value %", right=True),
    Column("revision", "Revision", right=True),
    Column("actor", "Loaded by"),
    Column("recorded_at", "At"),
)
LEFT = (Column("loan_id", "Loan", right=True), Column("code", "Refused as"), Column("message", "Why"))


@click.group()
def index() -> None:
    """Load the values of an index and look at them; a value that was loaded is corrected, never changed.

    \b
    loanbook index load SOFR-30 sofr.csv
    loanbook index show SOFR-30
    """


@index.command("load")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--correct", is_flag=True, help="Where a day has another value, let this one take its place.")
@changes_installation
def load(session: Session, name: str, file: Path, *, correct: bool) -> None:
    """Load values from a CSV file with the columns on and value, in percent a year; `-` is standard input.

    The file is read whole first, and every mistake named by its row. A value that is known changes nothing.

    \b
    loanbook index load SOFR-30 sofr.csv --dry-run
    """
    from api.cli.files import read_text
    from api.rates import loaded_json
    from servicing.commands.indexes import load_index
    from servicing.index_rates import read_index

    values = read_index(read_text(file))
    loaded = session.change(lambda uow: load_index(uow, name, values, correct=correct))
    text = f"Index {name}: {loaded.new} new, {loaded.corrected} corrected, {loaded.unchanged} known before."
    session.show(loaded_json(loaded), lambda: print_line(text))


@index.command("show")
@click.argument("name")
@reads_installation
def show(session: Session, name: str) -> None:
    """Show the values of an index that are in force, by the days from which they are.

    \b
    loanbook index show SOFR-30 --json
    """
    from api.rates import index_json

    document = session.read(lambda connection: index_json(connection, name))
    session.show(document, lambda: print_table(VALUES, document["values"], title=name))


@click.group()
def rate() -> None:
    """Reset the rates of loans: one by hand, or all that are due by their index.

    \b
    loanbook rate reset 7 9.25 --on 2026-03-15
    loanbook rate follow 2026-03-31
    """


@rate.command("reset")
@click.argument("loan_id", type=int)
@click.argument("percent")
@click.option("--on", type=BOOK_DAY, help="From which day on [default: the business date].")
@click.option("--reason", default="", help="Why, kept with the reset.")
@REQUEST_KEY
@changes
def reset(session: Session, loan_id: int, percent: str, on: date | None, reason: str, request_key: str | None) -> None:
    """Let a loan have another rate from a day on, today's or an earlier one; what was paid since is replayed.

    \b
    loanbook rate reset 7 9.25 --on 2026-03-15 --reason "modified by agreement"
    """
    from api.rates import reset_by_hand, reset_json

    key = request_key or new_request_key()
    done = session.change(lambda uow: reset_by_hand(uow, loan_id, percent, on, reason, key))
    text = f"Loan {loan_id}: {percent}% from {done.effective_date} on; entries {list(done.entries) or 'none'}."
    session.show(reset_json(done), lambda: print_line(text))


@rate.command("follow")
@click.argument("day", type=BOOK_DAY)
@changes
def follow(session: Session, day: date) -> int:
    """Reset every variable rate of a book that is due up to a day, by its index; exit code 1 if one cannot be.

    A loan whose index has no value for a reset is named, and the others go on.

    \b
    loanbook rate follow 2026-03-31
    """
    from api.rates import follow_indexes

    document = follow_indexes(session.edge, session.book_code, day, actor=session.actor, dry_run=session.dry_run)
    loans, resets = document["loans"], document["resets"]

    def people() -> None:
        print_line(f"Looked at {loans} loans, and reset {resets} rates up to {day}.")
        if document["refused"]:
            print_table(LEFT, document["refused"], title="Not reset")

    session.show(document, people)
    return 1 if document["refused"] else 0
