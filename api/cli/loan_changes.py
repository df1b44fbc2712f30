"""What a command that changed a loan prints for people: the payment or event, the entries booked, what is owed now.

Next: `api/loans.py` for what is printed; `api/cli/loans.py`, `api/cli/payoffs.py`, `api/cli/fees.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from api.cli.output import Column, amount, grouped, print_line, print_table

EXCESS = click.option(
    "--excess",
    type=click.Choice(["apply", "hold", "refund"]),
    help="What is more than is due [default: the product's].",
)
OVERPAYMENT = click.option(
    "--overpayment",
    type=click.Choice(["hold", "refund", "refuse"]),
    help="What is more than the payoff [default: the product's].",
)
PAYMENT_COLUMNS = (
    Column("payment_id", "Payment", right=True),
    Column("external_id", "External id"),
    Column("effective_date", "Effective"),
    Column("entered_on", "Entered"),
    Column("method", "Method"),
    amount("amount", "Amount"),
    amount("principal", "Principal"),
    amount("interest", "Interest"),
    amount("fees", "Fees"),
    amount("penalties", "Penalties"),
    amount("unapplied", "Unapplied"),
    Column("undone_as", "Undone"),
)
EVENT_COLUMNS = (
    Column("event_no", "Event", right=True),
    Column("kind", "Kind"),
    Column("effective_date", "Effective"),
    Column("entered_on", "Entered"),
    amount("amount", "Amount"),
    Column("of", "Of", right=True),
    Column("fee_id", "Fee"),
    Column("component", "Component"),
    Column("reason", "Reason"),
    Column("undone_by", "Undone by", right=True),
)
AMOUNTS = frozenset(
    {
        *("principal", "interest", "penalties", "fees", "unapplied", "amount", "tax", "paid", "waived", "owed"),
        *("decided", "stands"),
    }
)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its amounts as people read them."""
    return {name: grouped(value) if name in AMOUNTS and value else value for name, value in row.items()}


def print_payment(done: Mapping[str, Any]) -> None:
    """Print a payment with its allocation, the entries booked, and what is owed after it."""
    print_table(PAYMENT_COLUMNS, [{**shown(done["allocation"] or {}), **shown(done)}])
    print_entries(done)
    print_owed(done)


def print_event(done: Mapping[str, Any]) -> None:
    """Print an event that was recorded, the entries booked, and what is owed after it."""
    print_table(EVENT_COLUMNS, [shown(done)])
    print_entries(done)
    print_owed(done)


def print_entries(done: Mapping[str, Any]) -> None:
    """Print the entries that a change booked."""
    from api.cli.entries import LINE_COLUMNS

    for entry in done["entries"]:
        title = f"Entry {entry['entry_no']}, {entry['template']}, effective {entry['effective_date']}"
        lines = [
            {name: grouped(value) if name in ("debit", "credit") and value else value for name, value in line.items()}
            for line in entry["lines"]
        ]
        print_table(LINE_COLUMNS, lines, title=title)


def print_owed(done: Mapping[str, Any]) -> None:
    """Print what is owed after a change."""
    owed = ", ".join(f"{name} {grouped(value)}" for name, value in done["balances"].items())
    print_line(f"Loan {done['loan_id']} is {done['status']}: {owed}; payoff {grouped(done['payoff'])}")
