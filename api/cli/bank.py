"""`loanbook bank`: statements of the bank come in, their lines settle what went over the rails.

Next: `gl_export/commands/bank.py`; `docs/spec/bank.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import NUMBER, changes, reads
from api.cli.output import Column, amount, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    import sqlalchemy as sa

TAKEN_COLUMNS = (
    Column("statement", "No", right=True),
    Column("account", "Account"),
    Column("statement_id", "Statement"),
    Column("as_of", "As of"),
    Column("lines", "Lines", right=True),
    Column("new_lines", "New", right=True),
    Column("currency", ""),
)
LINE_COLUMNS = (
    Column("line", "Line", right=True),
    Column("booking_date", "Booked"),
    amount("amount", "Amount"),
    Column("currency", ""),
    Column("age_days", "Days", right=True),
    Column("match", "Match", right=True),
    Column("told", "What the bank says", long=True),
)
ITEM_COLUMNS = (
    Column("item", "Item"),
    Column("rail", "Rail"),
    Column("day", "Day"),
    amount("amount", "Amount"),
    Column("currency", ""),
    Column("age_days", "Days", right=True),
    Column("told", "References", long=True),
)
PROPOSAL_COLUMNS = (
    Column("told_lines", "Lines"),
    Column("told_items", "Items"),
    amount("told_amount", "Amount"),
    Column("score", "Score", right=True),
    Column("rule", "Rule"),
    Column("why", "Why", long=True),
)
MATCH_COLUMNS = (Column("match", "No", right=True), *PROPOSAL_COLUMNS, Column("actor", "By"))


@click.group()
def bank() -> None:
    """Settle what went over the rails with the bank, line by line.

    \b
    loanbook bank import statement.bai              BAI2, camt.053 or OFX; CSV with --map
    loanbook bank work                              what nothing settles yet, and what is proposed
    loanbook bank match                             confirm what is sure, and book the settlements
    loanbook bank confirm --line 7 --item ACH_CLEARING:51:3
    loanbook bank undo 4 --reason "Another deposit"
    """


@bank.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="For CSV: which column is what, in TOML.")
@changes
def take(session: Session, file: Path, map_file: Path | None) -> None:
    """Take the statements of a file: BAI2, camt.053 or OFX, told by how it begins; or CSV, with a map.

    A statement that does not foot, or whose totals and counts are wrong, is refused with the place. Lines that came in
    before are not taken twice, whichever file brings them.

    \b
    loanbook bank import statement.bai
    loanbook bank import download.csv --map bank.toml

    \b
    bank.toml:
      account = "0123456789"
      currency = "USD"
      columns = { booking_date = "Date", amount = "Amount", text = "Description", balance = "Balance" }
      days = ["MM/DD/YYYY"]
    """
    from api.bank import taken_json
    from api.cli.files import read_text
    from gl_export.bank.csv_file import parse_bank_map
    from gl_export.bank.reading import read_bank_file
    from gl_export.commands.bank import take_file
    from ledger.queries.accounts import book

    columns = None if map_file is None else parse_bank_map(read_text(map_file))
    currency = session.read(lambda connection: book(connection, session.book_code).base_currency)
    content = file.read_bytes()
    statements = read_bank_file(content, file.name, currency=currency, columns=columns)
    taken = session.change(lambda uow: take_file(uow, session.book_code, statements, content))
    rows = [taken_json(each) for each in taken]
    session.show({"statements": rows}, lambda: print_table(TAKEN_COLUMNS, rows))


@bank.command("lines")
@click.option("--open", "open_only", is_flag=True, help="Only those that nothing settles yet.")
@reads
def lines_(session: Session, open_only: bool) -> None:
    """List the lines of the bank.

    \b
    loanbook bank lines
    loanbook bank lines --open --json
    """
    from api.bank import line_json
    from api.views import major_units
    from gl_export.queries.bank import lines
    from ledger.queries.accounts import book

    def work(connection: sa.Connection) -> list[dict[str, Any]]:
        today = book(connection, session.book_code).business_date
        found = lines(connection, session.book_code, open_only=open_only)
        return [line_json(each, major_units, on=today) for each in found]

    rows = session.read(work)
    session.show({"lines": rows}, lambda: print_table(LINE_COLUMNS, [_told(row) for row in rows]))


@bank.command("work")
@reads
def work_(session: Session) -> int:
    """Show what nothing settles yet, on both sides, and which matches are proposed; exit code 1 if a line is open.

    \b
    loanbook bank work
    loanbook bank work --json
    """
    from api.bank import work_json
    from api.views import major_units
    from gl_export.queries.bank import work_list
    from ledger.queries.accounts import book

    def work(connection: sa.Connection) -> dict[str, Any]:
        today = book(connection, session.book_code).business_date
        return work_json(work_list(connection, session.book_code), major_units, on=today)

    found = session.read(work)
    session.show(found, lambda: _print_work(found))
    return 1 if found["lines"] else 0


@bank.command("match")
@click.option(
    "--at-least",
    type=click.IntRange(1, 100),
    default=70,
    show_default=True,
    help="Confirm proposals of this score or better.",
)
@changes
def match(session: Session, at_least: int) -> None:
    """Confirm the proposals that are sure, and book their settlements; a dry run shows them.

    \b
    loanbook bank match --dry-run
    loanbook bank match --at-least 85 --actor bob
    """
    from api.bank import match_json
    from api.views import major_units
    from gl_export.commands.bank import confirm_sure

    done = session.change(lambda uow: confirm_sure(uow, session.book_code, at_least=at_least))
    rows = [match_json(each, major_units) for each in done]
    session.show({"matches": rows}, lambda: _print_matches(rows))


@bank.command("confirm")
@click.option("--line", "line_nos", type=NUMBER, multiple=True, required=True, help="A line of the bank, repeatable.")
@click.option("--item", "items", metavar="ITEM", multiple=True, required=True, help="An open item, repeatable.")
@changes
def confirm_(session: Session, line_nos: tuple[int, ...], items: tuple[str, ...]) -> None:
    """Match lines with items, as you say, and book the settlement. Both sides must come to the same.

    \b
    loanbook bank confirm --line 7 --item ACH_CLEARING:51:3 --item ACH_CLEARING:52:3
    """
    from api.bank import match_json
    from api.views import major_units
    from gl_export.commands.bank import confirm

    done = session.change(lambda uow: confirm(uow, session.book_code, line_nos, items))
    rows = [match_json(done, major_units)]
    session.show(rows[0], lambda: _print_matches(rows))


@bank.command("matches")
@reads
def matches_(session: Session) -> None:
    """List the matches that stand.

    \b
    loanbook bank matches
    """
    from api.bank import match_json
    from api.views import major_units
    from gl_export.queries.bank import matches

    found = session.read(lambda connection: matches(connection, session.book_code))
    rows = [match_json(each, major_units) for each in found]
    session.show({"matches": rows}, lambda: _print_matches(rows))


@bank.command("undo")
@click.argument("match_no", type=NUMBER)
@click.option("--reason", metavar="TEXT", required=True, help="Why.")
@changes
def undo_(session: Session, match_no: int, reason: str) -> None:
    """Undo a match: its entries are reversed, its lines and items are open again.

    \b
    loanbook bank undo 4 --reason "It was another deposit"
    """
    from api.bank import match_json
    from api.views import major_units
    from gl_export.commands.bank import undo

    done = session.change(lambda uow: undo(uow, session.book_code, match_no, reason=reason))
    document = match_json(done, major_units)
    text = f"Match {match_no} is undone; {len(done.entries)} entries were reversed."
    session.show(document, lambda: print_line(text))


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "told": " ".join((*row["references"], row.get("text", ""))).strip()}


def _print_work(found: dict[str, Any]) -> None:
    print_table(LINE_COLUMNS, [_told(row) for row in found["lines"]], title="Lines that nothing settles")
    print_table(ITEM_COLUMNS, [_told(row) for row in found["items"]], title="Items that are not settled")
    print_table(PROPOSAL_COLUMNS, [_proposed(row) for row in found["proposals"]], title="Proposals")


def _print_matches(rows: list[dict[str, Any]]) -> None:
    print_table(MATCH_COLUMNS, [_proposed(row) for row in rows])


def _proposed(row: dict[str, Any]) -> dict[str, Any]:
    more = len(row["items"]) - 3
    return {
        **row,
        "told_lines": ", ".join(map(str, row["lines"])),
        "told_items": ", ".join(row["items"][:3]) + (f" and {more} more" if more > 0 else ""),
        "told_amount": row["amounts"][0] if len(row["amounts"]) == 1 else None,
    }
