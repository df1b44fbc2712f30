"""`loanbook loan final`: what every account of a loan came to, and the entries that took it to zero.

Next: `api/final_accounts.py`, which both doors share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from api.cli.options import reads
from api.cli.output import Column, amount, grouped, print_line, print_table
from api.cli.session import Session

ACCOUNT_COLUMNS = (
    Column("account", "Account"),
    Column("name", "Name"),
    amount("rose", "Rose"),
    amount("fell", "Fell"),
    amount("balance", "Balance"),
)
ENTRY_COLUMNS = (
    Column("account", "Account"),
    Column("entry_no", "Entry", right=True),
    Column("effective_date", "Effective"),
    Column("booking_date", "Booked"),
    Column("template", "Template"),
    amount("amount", "Amount"),
)


@click.command("final")
@click.argument("loan_id", type=int)
@reads
def final(session: Session, loan_id: int) -> int:
    """Show what became of every account of a loan; exit 1 if anything is left on one.

    \b
    loanbook loan final 7
    loanbook loan final 7 --json
    """
    from api.final_accounts import final_json
    from api.views import major_units
    from servicing.queries import final_view

    found = session.read(lambda connection: final_json(final_view(connection, loan_id), major_units))
    session.show(found, lambda: _print(found))
    return 0 if found["is_done"] else 1


def _print(found: Mapping[str, Any]) -> None:
    figures = ("rose", "fell", "balance", "amount")

    def row(each: Mapping[str, Any], account: str | None = None) -> dict[str, Any]:
        shown = {name: grouped(value) if name in figures else value for name, value in each.items()}
        return shown if account is None else {**shown, "account": account}

    print_table(ACCOUNT_COLUMNS, [row(each) for each in found["accounts"]], title="Accounts of the loan")
    entries = [row(entry, each["account"]) for each in found["accounts"] for entry in each["since_it_last_rose"]]
    print_table(ENTRY_COLUMNS, entries, title="Entries since each last rose")
    print_table(ACCOUNT_COLUMNS, [row(each) for each in found["results"]], title="What it came to")
    left = ", ".join(f"{slug} {grouped(value)}" for slug, value in found["left"].items())
    print_line(f"Loan {found['loan_id']} is {found['status']}: {f'left are {left}' if left else 'nothing is left'}")
