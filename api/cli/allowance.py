"""`loanbook allowance`: loss rates are loaded, and what they require is looked at before a close provides for it.

Next: `api/allowance.py`; `servicing/commands/allowance.py`; `docs/spec/allowance.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli.options import BOOK_DAY, changes, reads
from api.cli.output import Column, amount, grouped, print_line, print_table
from api.cli.session import Session

SEGMENTS = (
    Column("name", "Segment"),
    Column("loans", "Loans", right=True),
    amount("carried", "Carried"),
    Column("rate", "Rate %", right=True),
    amount("required", "Required"),
)


@click.group()
def allowance() -> None:
    """Load rates of loss, by bucket or by vintage, and see what they require.

    \b
    loanbook allowance load rates.toml
    loanbook allowance show --on 2026-03-31
    """


@allowance.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--correct", is_flag=True, help="Where the day has other rates, let these take their place.")
@changes
def load(session: Session, file: Path, *, correct: bool) -> None:
    """Load rates of loss from a TOML file; `-` is standard input. Those that are known change nothing.

    \b
    loanbook allowance load rates.toml --dry-run
    """
    from api.cli.files import read_text
    from servicing.allowance import read_loss_rates
    from servicing.commands.allowance import load_loss_rates

    rates = read_loss_rates(read_text(file))
    revision = session.change(lambda uow: load_loss_rates(uow, session.book_code, rates, correct=correct))
    known = "known before" if revision is None else f"revision {revision}"
    document = {"effective_on": rates.effective_on.isoformat(), "method": rates.method, "revision": revision}
    session.show(document, lambda: print_line(f"Rates by {rates.method} from {rates.effective_on}: {known}."))


@allowance.command("show")
@click.option("--on", type=BOOK_DAY, help="At the close of this day [default: the business date].")
@reads
def show(session: Session, on: date | None) -> None:
    """Show what the rates in force require of the loans, what is held, and what a close would provide.

    \b
    loanbook allowance show --json
    """
    from api.allowance import allowance_json
    from api.views import major_units
    from ledger.queries.accounts import book

    def read(connection: Any) -> dict[str, Any]:
        return allowance_json(
            connection, session.book_code, on or book(connection, session.book_code).business_date, major_units
        )

    found = session.read(read)
    session.show(found, lambda: _print(found))


def _print(found: Mapping[str, Any]) -> None:
    if found["method"] is None:
        print_line(f"No rates of loss are in force on {found['on']}.")
    for each in found["allowances"]:
        rows = [
            {name: grouped(value) if name in ("carried", "required") else value for name, value in row.items()}
            for row in each["segments"]
        ]
        print_table(SEGMENTS, rows, title=f"{each['currency']}, rates by {found['method']} from {found['rates_of']}")
        figures = ", ".join(f"{name} {grouped(each[name])}" for name in ("required", "held", "change"))
        print_line(f"{each['currency']}: {figures}")
