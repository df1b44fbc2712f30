"""`loanbook reconcile` and `report`: what finance reads, as a table, as CSV or as JSON.

Each report is drawn from sealed data alone, so that it comes out the same for ever.
Next: `gl_export/reports/declared.py`, the list of them.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import DAY, MONTH, reads
from api.cli.output import Column, grouped, print_line, print_table, shown
from api.cli.session import Session
from api.cli.statements import KNOWN_AT, reflects
from api.journal import known_at_block
from api.views import balance_sheet_json, income_statement_json, major_units, trial_balance_json
from gl_export.html import to_html
from gl_export.matching import Verdict
from gl_export.rendering import Kind, Report, to_csv, to_json, to_table
from gl_export.reports.declared import REPORTS
from gl_export.xlsx import to_xlsx
from ledger.queries.accounts import book
from ledger.queries.trial_balance import By, balance_sheet_at, income_statement_between, trial_balance

if TYPE_CHECKING:
    import sqlalchemy as sa

    from ledger.dates import Month


STATEMENTS = {
    "balance-sheet": "assets, liabilities and equity on a day",
    "income-statement": "income and expenses of a month, or from a day through another",
}
DECLARED = {each.name.replace("_", "-"): each for each in REPORTS}
NAMES = {**{name: each.purpose for name, each in DECLARED.items()}, **STATEMENTS}
_LIST = "\n".join(f"    {name:<26} {purpose}" for name, purpose in NAMES.items())

FACTS = ("as_of", "by", "block_no", "block_hash", "includes_unsealed")
"""What a statement reflects, by the names that a trial balance has for it."""

FILES: Mapping[str, Callable[[Report], bytes]] = {
    ".xlsx": lambda report: to_xlsx((report,), title=report.title),
    ".html": lambda report: to_html((report,), title=report.title),
    ".csv": to_csv,
    ".json": to_json,
}
"""What writes a report into a file with this ending."""

SECTION_COLUMNS = (Column("account", "Account"), Column("name", ""), Column("amount", "Amount", right=True))


@click.command(
    help=f"""Draw a report: as a table, as CSV for spreadsheets, or as JSON.

    \b
{_LIST}

    A report rests on a seal block, the newest unless --known-at names one, and says which; drawn again on
    that block it is the same byte for byte. Balance sheet and income statement count what is not sealed yet
    too, unless --known-at is given; they are drawn by either date.

    \b
    loanbook report balance-sheet --as-of 2026-03-31
    loanbook report income-statement --from 2026-01-01 --as-of 2026-03-31 --by effective
    loanbook report loan-roll-forward --month 2026-03 --csv > roll_forward.csv
    loanbook report delinquency-aging --as-of 2026-03-31 --out aging.html
    loanbook report trial-balance --as-of 2026-03-31 --out trial_balance.xlsx
    """
)
@click.argument("name", metavar="REPORT", type=click.Choice(list(NAMES)))
@click.option("--as-of", type=DAY, help="For a report of a day [default: the business date].")
@click.option("--month", type=MONTH, help="For a report of a month [default: that of the business date].")
@click.option("--from", "from_date", type=DAY, help="Where an income statement begins [default: the month's first].")
@click.option("--by", type=click.Choice(["booking", "effective"]), help="By which date a statement is drawn.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option(
    "--out",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the file instead, as its ending says: .xlsx, .html, .csv or .json.",
)
@KNOWN_AT
@reads
def report(
    session: Session,
    name: str,
    as_of: date | None,
    month: Month | None,
    from_date: date | None,
    by: By | None,
    as_csv: bool,
    out: Path | None,
    known_at: str | None,
) -> None:
    _check_options(name, as_of=as_of, month=month, from_date=from_date, by=by, as_csv=as_csv, as_json=session.as_json)
    _check_file(name, out, as_csv=as_csv, as_json=session.as_json)
    if name in STATEMENTS:
        draw_it = _balance_sheet if name == "balance-sheet" else _income_statement

        def work(connection: sa.Connection) -> dict[str, Any]:
            day = _day(connection, session.book_code, as_of, month)
            block = known_at_block(connection, known_at)
            return draw_it(connection, session.book_code, from_date, day, by or "booking", block)

        _show_statement(session, session.read(work), as_csv=as_csv)
        return
    drawn = session.read(lambda connection: draw(connection, session.book_code, name, as_of, month, known_at))
    if out is not None:
        _write(drawn, out)
        return
    _print(session, drawn, as_csv=as_csv)


def _check_options(name: str, *, as_csv: bool, as_json: bool, **given: Any) -> None:
    """Refuse options that would be left unheeded."""
    objection = None
    if given["by"] and name not in STATEMENTS:
        objection = f"--by is for {' and '.join(STATEMENTS)}"
    elif given["from_date"] and name != "income-statement":
        objection = "--from is for income-statement"
    elif given["month"] and given["as_of"]:
        objection = "give either --as-of or --month"
    elif given["month"] and given["from_date"]:
        objection = "give either --from or --month"
    elif as_csv and as_json:
        objection = "give either --csv or --json"
    if objection:
        raise click.UsageError(objection, click.get_current_context())


def _check_file(name: str, out: Path | None, *, as_csv: bool, as_json: bool) -> None:
    """Refuse a file that cannot be written as its ending says."""
    objection = None
    if out is None:
        return
    if name in STATEMENTS:
        objection = f"--out is not for {' and '.join(STATEMENTS)}"
    elif as_csv or as_json:
        objection = "give either --out or --csv or --json"
    elif out.suffix not in FILES:
        objection = f"--out ends with {', '.join(FILES)}, not with {out.suffix or 'nothing'}"
    if objection:
        raise click.UsageError(objection, click.get_current_context())


def _write(drawn: Report, out: Path) -> None:
    from gl_export.delivery import deliver_file

    done = deliver_file(out.parent, out.name, FILES[out.suffix](drawn))
    print_line(f"{drawn.title}: {len(drawn.rows):,} rows in {out}")
    print_line(f"SHA-256 {done.sha256}")


def draw(
    connection: sa.Connection, code: str, name: str, as_of: date | None, month: Month | None, known_at: str | None
) -> Report:
    """Draw a report of a day, or of the month in which it lies."""
    day = _day(connection, code, as_of, month)
    return DECLARED[name].draw(connection, code, as_of=day, known_at=known_at_block(connection, known_at))


def _day(connection: sa.Connection, code: str, as_of: date | None, month: Month | None) -> date:
    """Return the day that is asked for, the last one of the month, or the business date."""
    if as_of is not None:
        return as_of
    return book(connection, code).business_date if month is None else month.last_day


def _print(session: Session, drawn: Report, *, as_csv: bool) -> None:
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
    drawn = session.read(
        lambda connection: draw(connection, session.book_code, "reconciliation", as_of, None, known_at)
    )
    verdict = [column.name for column in drawn.columns].index("verdict")
    breaks = tuple(row for row in drawn.rows if Verdict(str(row[verdict])).is_break)
    if breaks_only:
        drawn = replace(drawn, rows=breaks)
    _print(session, drawn, as_csv=False)
    return 1 if breaks else 0


def _balance_sheet(
    connection: sa.Connection, code: str, _from: date | None, day: date, by: By, block: int | None
) -> dict[str, Any]:
    sheet = balance_sheet_at(connection, code, as_of=day, by=by, known_at=block)
    return {
        "statement": f"Balance sheet of {code}, {day} by {by} date",
        **_reflects(connection, code, day, by, block),
        **balance_sheet_json(sheet, major_units),
    }


def _income_statement(
    connection: sa.Connection, code: str, from_date: date | None, day: date, by: By, block: int | None
) -> dict[str, Any]:
    first = from_date or day.replace(day=1)
    found = income_statement_between(connection, code, from_date=first, to_date=day, by=by, known_at=block)
    return {
        "statement": f"Income statement of {code}, {first} to {day} by {by} date",
        "from_date": first.isoformat(),
        "to_date": day.isoformat(),
        **_reflects(connection, code, day, by, block),
        **income_statement_json(found, major_units),
    }


def _reflects(connection: sa.Connection, code: str, day: date, by: By, block: int | None) -> dict[str, Any]:
    found = trial_balance_json(trial_balance(connection, code, as_of=day, by=by, known_at=block), major_units)
    return {name: found[name] for name in FACTS}


def _show_statement(session: Session, found: Mapping[str, Any], *, as_csv: bool) -> None:
    if not as_csv:
        session.show(found, lambda: _print_statement(found))
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("section", "account", "name", "amount", "currency", "from_date", *FACTS))
    facts = [found.get("from_date"), *(shown(found[name]) for name in FACTS)]
    for section, value in found.items():
        for line in value["lines"] if isinstance(value, Mapping) else ():
            writer.writerow((section, line["account"], line["name"], line["amount"], found["currency"], *facts))
    if "current_earnings" in found:
        row = ("equity", None, "Current earnings", found["current_earnings"], found["currency"])
        writer.writerow((*row, *facts))


def _print_statement(found: Mapping[str, Any]) -> None:
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
        elif name not in ("statement", "currency", "from_date", "to_date", *FACTS):
            print_line(f"{heading}: {grouped(value)}")
    print_line(reflects(found))
