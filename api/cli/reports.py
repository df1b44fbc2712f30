"""`loanbook reconcile` and `report`: what finance reads, as a table, as CSV or as JSON.

`REPORTS` is the list of reports, each drawn from sealed data alone so that it comes out the same for ever.
Next: `gl_export/reports/`, one file per report.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from api.cli.options import DAY, MONTH, reads
from api.cli.output import Column, print_line, print_table
from api.cli.session import Session
from api.cli.statements import KNOWN_AT

if TYPE_CHECKING:
    from gl_export.rendering import Report
    from ledger.dates import Month


class Declared(NamedTuple):
    """A report: the function that draws it, whether it is of a month or of a day, and what it says."""

    function: str
    of_month: bool
    purpose: str


REPORTS: Mapping[str, Declared] = {
    "trial-balance": Declared(
        "gl_export.reports.trial_balance:trial_balance_report", False, "debits, credits and balances"
    ),
    "loan-roll-forward": Declared(
        "gl_export.reports.loan_roll_forward:loan_roll_forward_report", True, "opening, movements, closing"
    ),
    "loan-roll-forward-detail": Declared(
        "gl_export.reports.loan_roll_forward:loan_roll_forward_detail", True, "the same, loan by loan"
    ),
    "reconciliation": Declared(
        "gl_export.reports.reconciliation:reconciliation_report", False, "loans = control account = exported"
    ),
    "clearing-accounts": Declared(
        "gl_export.reports.clearing_accounts:clearing_report", False, "what is in transit, and how old"
    ),
}
STATEMENTS = {
    "balance-sheet": "assets, liabilities and equity on a day",
    "income-statement": "income and expenses of a month",
}
_LIST = "\n".join(
    f"    {name:<26} {text}" for name, text in {**{n: d.purpose for n, d in REPORTS.items()}, **STATEMENTS}.items()
)

SECTION_COLUMNS = (Column("account", "Account"), Column("name", ""), Column("amount", "Amount", right=True))


@click.command(
    help=f"""Draw a report: as a table, as CSV for spreadsheets, or as JSON.

    \b
{_LIST}

    A report rests on a seal block, the newest unless --known-at names one, and says which; drawn again on
    that block it is the same byte for byte.

    \b
    loanbook report balance-sheet --as-of 2026-03-31
    loanbook report loan-roll-forward --month 2026-03 --csv > roll_forward.csv
    """
)
@click.argument("name", type=click.Choice([*REPORTS, *STATEMENTS]))
@click.option("--as-of", type=DAY, help="For a report of a day [default: the business date].")
@click.option("--month", type=MONTH, help="For a report of a month [default: that of the business date].")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@KNOWN_AT
@reads
def report(
    session: Session, name: str, as_of: date | None, month: Month | None, as_csv: bool, known_at: str | None
) -> None:
    from api.journal import known_at_block

    if name in STATEMENTS:
        _statement(session, name, as_of, month, known_at)
        return
    block = known_at_block(known_at)
    drawn = session.read(lambda connection: draw(connection, session.book_code, name, as_of, month, block))
    _print(session, drawn, as_csv=as_csv)


def draw(
    connection: Any, book_code: str, name: str, as_of: date | None, month: Month | None, block: int | None
) -> Report:
    """Draw a report of the list."""
    from ledger.dates import Month
    from ledger.queries.accounts import book

    declared = REPORTS[name]
    module, _, function = declared.function.partition(":")
    make = getattr(__import__(module, fromlist=[function]), function)
    today = book(connection, book_code).business_date
    when = {"month": month or Month.of(as_of or today)} if declared.of_month else {"as_of": as_of or today}
    drawn: Report = make(connection, book_code, known_at=block, **when)
    return drawn


def _print(session: Session, drawn: Report, *, as_csv: bool) -> None:
    from gl_export.rendering import Kind, to_csv, to_json, to_table

    if session.as_json:
        click.echo(to_json(drawn), nl=False)
        return
    if as_csv:
        click.echo(to_csv(drawn), nl=False)
        return
    heading, *rows = to_table(drawn)
    right = (Kind.AMOUNT, Kind.INTEGER)
    columns = [
        Column(column.name, text, right=column.kind in right)
        for column, text in zip(drawn.columns, heading, strict=True)
    ]
    named = [dict(zip((column.field for column in columns), row, strict=True)) for row in rows]
    body = len(drawn.rows)
    print_table(columns, named[:body], title=drawn.title, totals=named[body:])
    print_line(f"Rests on block {drawn.stamp.block_no} {drawn.stamp.block_hash[:16]}")


@click.command()
@click.option("--as-of", type=DAY, help="Through this day [default: the business date].")
@KNOWN_AT
@click.option("--breaks", "breaks_only", is_flag=True, help="Only the accounts at which two books differ.")
@reads
def reconcile(session: Session, as_of: date | None, known_at: str | None, breaks_only: bool) -> int:
    """Prove that loans, control accounts and the exported GL agree; exit code 1 if they do not.

    What is sealed but not exported yet is no difference; it has a column of its own.

    \b
    loanbook reconcile --as-of 2026-03-31
    loanbook reconcile --breaks && echo the books agree
    """
    from api.journal import known_at_block
    from gl_export.matching import Verdict

    block = known_at_block(known_at)
    drawn = session.read(lambda connection: draw(connection, session.book_code, "reconciliation", as_of, None, block))
    verdict = [column.name for column in drawn.columns].index("verdict")
    breaks = tuple(row for row in drawn.rows if Verdict(str(row[verdict])).is_break)
    if breaks_only:
        from dataclasses import replace

        drawn = replace(drawn, rows=breaks)
    _print(session, drawn, as_csv=False)
    return 1 if breaks else 0


def _statement(session: Session, name: str, as_of: date | None, month: Month | None, known_at: str | None) -> None:
    from api.journal import known_at_block

    block = known_at_block(known_at)
    if name == "balance-sheet":
        found = session.read(lambda connection: _balance_sheet(connection, session.book_code, as_of, block))
    else:
        found = session.read(lambda connection: _income_statement(connection, session.book_code, as_of, month, block))
    session.show(found, lambda: _print_statement(found))


def _balance_sheet(connection: Any, code: str, as_of: date | None, block: int | None) -> dict[str, Any]:
    from api.views import balance_sheet_json, major_units
    from ledger.queries.accounts import book
    from ledger.queries.trial_balance import balance_sheet_at

    day = as_of or book(connection, code).business_date
    sheet = balance_sheet_at(connection, code, as_of=day, known_at=block)
    return {
        "statement": f"Balance sheet of {code}, {day}",
        "as_of": day.isoformat(),
        **balance_sheet_json(sheet, major_units),
    }


def _income_statement(
    connection: Any, code: str, as_of: date | None, month: Month | None, block: int | None
) -> dict[str, Any]:
    from api.views import income_statement_json, major_units
    from ledger.dates import Month
    from ledger.queries.accounts import book
    from ledger.queries.trial_balance import income_statement_between

    today = as_of or book(connection, code).business_date
    of = month or Month.of(today)
    last = min(of.last_day, as_of) if as_of else of.last_day
    found = income_statement_between(connection, code, from_date=of.first_day, to_date=last, known_at=block)
    return {
        "statement": f"Income statement of {code}, {of.first_day} to {last}",
        "from_date": of.first_day.isoformat(),
        "to_date": last.isoformat(),
        **income_statement_json(found, major_units),
    }


def _print_statement(found: Mapping[str, Any]) -> None:
    from api.cli.output import grouped

    print_line(f"{found['statement']}, {found['currency']}")
    for name, value in found.items():
        heading = name.replace("_", " ").capitalize()
        if isinstance(value, Mapping):
            rows = [{**line, "amount": grouped(line["amount"])} for line in value["lines"]]
            print_table(
                SECTION_COLUMNS,
                rows,
                title=heading,
                totals=[{"name": "Total", "amount": grouped(value["total"])}],
            )
        elif name not in ("statement", "currency", "as_of", "from_date", "to_date"):
            print_line(f"{heading}: {grouped(value)}")
