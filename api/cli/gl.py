"""`loanbook gl`: what the general ledger says of itself, laid beside what it was sent.

Next: `gl_export/commands/gl_reconciliation.py`; `docs/spec/gl_reconciliation.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import DAY, NUMBER, changes, reads
from api.cli.output import Column, amount, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from gl_export.commands.gl_reconciliation import GLFile

STATEMENT_COLUMNS = (
    Column("statement", "No", right=True),
    Column("kind", "Kind"),
    Column("from_date", "From"),
    Column("as_of", "As of"),
    Column("rows", "Rows", right=True),
    Column("file", "File"),
    Column("actor", "Taken by"),
)
BREAK_COLUMNS = (
    Column("break", "No", right=True),
    Column("state", "State"),
    Column("kind", "Kind"),
    Column("gl_account", "GL account"),
    amount("sent", "Sent"),
    amount("found", "Found"),
    amount("difference", "Difference"),
    Column("currency", ""),
    Column("age_days", "Days", right=True),
    Column("owner", "Owner"),
    Column("detail", "Why", long=True),
)
PROOF_COLUMNS = (
    Column("gl_account", "GL account"),
    amount("sent", "Sent"),
    amount("found", "Found"),
    amount("difference", "Difference"),
    amount("timing", "Timing"),
    amount("resolved", "Resolved"),
    amount("unexplained", "Unexplained"),
    Column("currency", ""),
)
STATEMENT = click.argument("statement_no", type=NUMBER, required=False, metavar="[STATEMENT]")


@click.group()
def gl() -> None:
    """Reconcile with the general ledger: take its trial balance or its postings, and bring every difference to zero.

    \b
    loanbook gl import tb.csv --as-of 2026-03-31       a trial balance: gl_account,debit,credit
    loanbook gl import gl.xlsx --map suite.toml --as-of 2026-03-31
    loanbook gl breaks                                 what differs, why, and for how long
    loanbook gl assign 4 --to dana
    loanbook gl resolve 4 --reference JE-1881 --note "Reclassified by hand"
    loanbook gl prove                                  exit code 1 unless every account comes to zero
    loanbook gl sign-off --actor bob --approver carol
    """


@gl.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--as-of", type=DAY, required=True, help="The last day that the file covers.")
@click.option("--from", "from_date", type=DAY, help="The first day of postings [default: the first of the month].")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="A TOML file that says which column is what.")
@click.option(
    "--window",
    type=click.IntRange(0, 366),
    default=5,
    show_default=True,
    help="So many days apart, a line and a posting may be the same.",
)
@changes
def take(session: Session, file: Path, as_of: date, from_date: date | None, map_file: Path | None, window: int) -> None:
    """Take a trial balance or the postings of the general ledger, from CSV or XLSX, and find every difference.

    Without a map the columns are gl_account, debit and credit. A map with a column for posting_date makes the file one
    of postings. Breaks that the file shows again are carried forward; those that it does not show are cleared.

    \b
    loanbook gl import tb.csv --as-of 2026-03-31
    loanbook gl import postings.xlsx --map suite.toml --from 2026-03-01 --as-of 2026-03-31

    \b
    suite.toml:
      columns = { gl_account = "Account", amount = "Amount", posting_date = "Date", reference = "Document" }
      days = ["MM/DD/YYYY"]
    """
    from api.gl_reconciliation import taken_json
    from gl_export.commands.gl_reconciliation import take_statement
    from gl_export.gl_file import StatementKind

    read = _read(session, file, map_file)
    if from_date is not None and read.kind is StatementKind.BALANCES:
        objection = "--from is for postings: the map names no column for posting_date"
        raise click.UsageError(objection, click.get_current_context())
    taken = session.change(
        lambda uow: take_statement(uow, session.book_code, read, as_of=as_of, from_date=from_date, window_days=window)
    )
    session.show(taken_json(taken), lambda: _print_taken(taken_json(taken)))


def _read(session: Session, file: Path, map_file: Path | None) -> GLFile:
    from api.cli.files import read_text
    from gl_export.commands.gl_reconciliation import GLFile
    from gl_export.gl_file import GLFileMap, parse_gl_map, read_gl_file
    from ledger.queries.accounts import book

    columns = GLFileMap() if map_file is None else parse_gl_map(read_text(map_file))
    currency = session.read(lambda connection: book(connection, session.book_code).base_currency)
    rows = read_gl_file(file, file.name, columns, currency=currency)
    return GLFile(file.name, file.read_bytes(), rows, columns.kind)


def _print_taken(taken: Mapping[str, Any]) -> None:
    counts = taken["breaks"]
    if not counts["is_new"]:
        print_line(f"GL statement {taken['statement']} has this file already.")
        return
    print_line(f"GL statement {taken['statement']}: {taken['rows']} rows of {taken['kind']} as of {taken['as_of']}")
    print_line(f"Breaks: {counts['new']} new, {counts['again']} still there, {counts['cleared']} cleared")


@gl.command("statements")
@reads
def statements_(session: Session) -> None:
    """List the files of the general ledger that were taken.

    \b
    loanbook gl statements
    """
    from api.gl_reconciliation import statement_json
    from gl_export.queries.gl_reconciliation import statements

    found = session.read(lambda connection: statements(connection, session.book_code))
    rows = [statement_json(each) for each in found]
    session.show({"statements": rows}, lambda: print_table(STATEMENT_COLUMNS, rows))


@gl.command("breaks")
@click.option("--all", "cleared", is_flag=True, help="Those that are over as well.")
@reads
def breaks_(session: Session, cleared: bool) -> None:
    """List the differences that stand: what was sent, what is there, why, how old, and whose they are.

    \b
    loanbook gl breaks
    loanbook gl breaks --all --json
    """
    from api.gl_reconciliation import break_json
    from api.views import major_units
    from gl_export.queries.gl_reconciliation import breaks
    from ledger.queries.accounts import book

    def work(connection: Any) -> list[dict[str, Any]]:
        today = book(connection, session.book_code).business_date
        found = breaks(connection, session.book_code, cleared=cleared)
        return [break_json(each, major_units, on=today) for each in found]

    rows = session.read(work)
    session.show({"breaks": rows}, lambda: print_table(BREAK_COLUMNS, rows))


@gl.command("assign")
@click.argument("break_no", type=NUMBER)
@click.option("--to", "owner", metavar="NAME", required=True, help="Who looks into it.")
@click.option("--note", metavar="TEXT", help="A word about it.")
@changes
def assign(session: Session, break_no: int, owner: str, note: str | None) -> None:
    """Give a break to a person.

    \b
    loanbook gl assign 4 --to dana
    """
    from gl_export.commands.gl_reconciliation import assign_break

    found = session.change(lambda uow: assign_break(uow, session.book_code, break_no, owner=owner, note=note))
    _show_break(session, found)


@gl.command("resolve")
@click.argument("break_no", type=NUMBER)
@click.option("--reference", metavar="TEXT", required=True, help="What explains it, such as the number of an entry.")
@click.option("--note", metavar="TEXT", help="A word about it.")
@changes
def resolve(session: Session, break_no: int, reference: str, note: str | None) -> None:
    """Say what explains a break. Should it come to another amount later, it is open again.

    \b
    loanbook gl resolve 4 --reference JE-1881 --note "Reclassified by hand"
    """
    from gl_export.commands.gl_reconciliation import resolve_break

    found = session.change(lambda uow: resolve_break(uow, session.book_code, break_no, reference=reference, note=note))
    _show_break(session, found)


def _show_break(session: Session, found: Any) -> None:
    from api.gl_reconciliation import break_json
    from api.views import major_units
    from ledger.queries.accounts import book

    today = session.read(lambda connection: book(connection, session.book_code).business_date)
    shown = break_json(found, major_units, on=today)
    session.show(shown, lambda: print_table(BREAK_COLUMNS, [shown]))


@gl.command("prove")
@STATEMENT
@reads
def prove(session: Session, statement_no: int | None) -> int:
    """Show account by account that what was sent and what is there come to zero; exit code 1 if they do not.

    A difference is explained when it is only a matter of time, or when somebody resolved it. Without a number it is
    the newest statement. A sign-off that no longer holds says which balance moved.

    \b
    loanbook gl prove
    loanbook gl prove 2 --json
    """
    from api.gl_reconciliation import reconciliation_json
    from api.views import major_units
    from gl_export.queries.gl_reconciliation import reconciliation
    from ledger.queries.accounts import book

    def work(connection: Any) -> dict[str, Any]:
        today = book(connection, session.book_code).business_date
        return reconciliation_json(reconciliation(connection, session.book_code, statement_no), major_units, on=today)

    found = session.read(work)
    session.show(found, lambda: _print_proof(found))
    return 0 if found["proved"] else 1


def _print_proof(found: Mapping[str, Any]) -> None:
    print_table(PROOF_COLUMNS, found["accounts"], title=f"GL statement {found['statement']} as of {found['as_of']}")
    if found["breaks"]:
        print_table(BREAK_COLUMNS, found["breaks"], title="Breaks")
    print_line("Every account comes to zero." if found["proved"] else "There are differences that nobody explained.")
    sign_off = found["sign_off"]
    if sign_off is None:
        print_line("It is not signed off.")
        return
    people = f"{sign_off['prepared_by']} and {sign_off['approved_by']}"
    if sign_off["holds"]:
        print_line(f"Signed off by {people}.")
        return
    print_line(f"The sign-off by {people} is suspended:")
    for each in sign_off["moved"]:
        print_line(f"  account {each['account']} moved by {each['by']} {each['currency']}")
    if sign_off["superseded_by"]:
        print_line(f"  GL statement {sign_off['superseded_by']} came after it")


@gl.command("sign-off")
@STATEMENT
@changes
def sign_off_(session: Session, statement_no: int | None) -> None:
    """Sign a statement off, by two people; every break must be a matter of time or resolved.

    The sign-off suspends itself when a balance of its day moves afterwards, or another file of that day comes in.

    \b
    loanbook gl sign-off --actor bob --approver carol
    """
    from gl_export.commands.gl_reconciliation import sign_off

    signed = session.change(lambda uow: sign_off(uow, session.book_code, statement_no))
    document = {
        "statement": signed.statement_no,
        "prepared_by": signed.prepared_by,
        "approved_by": signed.approved_by,
    }
    text = f"GL statement {signed.statement_no} is signed off by {signed.prepared_by} and {signed.approved_by}."
    session.show(document, lambda: print_line(text))
