"""`loanbook trial-balance` and `statement`: what the accounts hold, and how they came to hold it.

Next: `ledger/queries/trial_balance.py` and `statement.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import click

from api.cli.options import DAY, reads
from api.cli.output import Column, amount, blank_zero, grouped, print_line, print_table
from api.cli.session import Session

KNOWN_AT = click.option(
    "--known-at", metavar="BLOCK", help="As known at a seal block, or at a moment such as 2026-03-31T17:00Z."
)

TRIAL_BALANCE_COLUMNS = (
    Column("account", "Account"),
    Column("name", "Name"),
    amount("debit_balance", "Debit"),
    amount("credit_balance", "Credit"),
    Column("currency", ""),
)
STATEMENT_COLUMNS = (
    Column("booking_date", "Booked"),
    Column("effective_date", "Effective"),
    Column("subledger_id", "Subledger", right=True),
    Column("entry_no", "Entry", right=True),
    Column("template", "Template"),
    amount("debit", "Debit"),
    amount("credit", "Credit"),
    amount("balance", "Balance"),
    Column("narration", "Narration"),
)


BY = click.option(
    "--by",
    type=click.Choice(["booking", "effective"]),
    default="booking",
    show_default=True,
    help="Which day.",
)


@click.command("trial-balance")
@click.option("--as-of", type=DAY, help="Through this day, included [default: the business date].")
@BY
@KNOWN_AT
@reads
def trial_balance(session: Session, as_of: date | None, by: Any, known_at: str | None) -> None:
    """Show debits and credits of every account on a day.

    By booking date it is what the books said that day; by effective date it counts what was entered later for
    that day. With --known-at it is what was known when that block was sealed, and comes out the same for
    ever.

    \b
    loanbook trial-balance --as-of 2026-03-31
    loanbook trial-balance --as-of 2026-03-31 --by effective --known-at 12 --json
    """
    from api.journal import known_at_block
    from api.views import major_units, trial_balance_json
    from ledger.queries.accounts import book
    from ledger.queries.trial_balance import trial_balance as report_of

    code = session.book_code

    def work(connection: Any) -> dict[str, Any]:
        day = as_of or book(connection, code).business_date
        block = known_at_block(connection, known_at)
        return trial_balance_json(report_of(connection, code, as_of=day, by=by, known_at=block), major_units)

    found = session.read(work)
    session.show(found, lambda: print_trial_balance(found))


def print_trial_balance(found: Mapping[str, Any]) -> None:
    """Print a trial balance with its totals and what it reflects."""
    print_table(
        TRIAL_BALANCE_COLUMNS,
        [_blanked(row) for row in found["rows"]],
        title=f"Trial balance of {found['book']}, {found['as_of']} by {found['by']} date",
        totals=[{"name": "Total", **_blanked(totals, plural="s")} for totals in found["totals"]],
    )
    print_line(reflects(found))


def reflects(found: Mapping[str, Any]) -> str:
    """Return which block a trial balance or a statement reflects, and whether it may still change."""
    seal = f"block {found['block_no']} ({found['block_hash'][:16]}...)" if found["block_no"] else "no block yet"
    return f"Reflects {seal}{' and entries not sealed yet' if found['includes_unsealed'] else ''}."


def _blanked(row: Mapping[str, Any], *, plural: str = "") -> dict[str, Any]:
    amounts = {side: blank_zero(row[f"{side}{plural}"]) for side in ("debit_balance", "credit_balance")}
    return {**row, **amounts}


@click.command()
@click.argument("account")
@click.option("--from", "from_date", type=DAY, help="From this day [default: the day the book opened].")
@click.option("--to", "to_date", type=DAY, help="Through this day [default: the business date].")
@click.option("--subledger", "subledger_id", type=int, help="Of one loan, or of one subledger only.")
@click.option("--currency", help="In this currency [default: the book's].")
@BY
@KNOWN_AT
@reads
def statement(session: Session, account: str, known_at: str | None, **asked: Any) -> None:
    """Show what moved an account, with its running balance; ACCOUNT is a code or a slug.

    These are the entries behind a total: with the day, date and block of a trial balance the closing balance is the
    one that stands there. `loanbook entry` shows one of them whole.

    \b
    loanbook statement 1210 --subledger 7
    loanbook statement cash --from 2026-03-01 --to 2026-03-31 --json
    loanbook statement 4010 --to 2026-03-31 --by effective --known-at 12
    """
    from api.journal import known_at_block
    from api.views import major_units, statement_json
    from ledger.queries.statement import account_statement

    def work(connection: Any) -> dict[str, Any]:
        block = known_at_block(connection, known_at)
        found = account_statement(connection, session.book_code, account, known_at=block, **asked)
        return statement_json(found, major_units)

    found = session.read(work)
    session.show(found, lambda: _print_statement(found))


def _print_statement(found: Mapping[str, Any]) -> None:
    opening = {
        "narration": "Opening balance",
        "booking_date": found["from_date"],
        "balance": grouped(found["opening"]),
    }
    lines = [
        {
            name: grouped(value) if name in ("debit", "credit", "balance") and value else value
            for name, value in line.items()
        }
        for line in found["lines"]
    ]
    print_table(
        STATEMENT_COLUMNS,
        [opening, *lines],
        title="{account} {name}, {currency}, balance on the {normal_side} side".format_map(found),
        totals=[
            {
                "narration": "Closing balance",
                "booking_date": found["to_date"],
                "balance": grouped(found["closing"]),
            }
        ],
    )
