"""`loanbook ach`: files of the clearing house, the codes by which entries come back, and what is done about them.

`read` and `codes` touch no database. Next: `api/ach.py`; `docs/spec/nacha.md`, `docs/spec/ach_returns.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.ach_lists import files, rates, retries, work
from api.cli.ach_tables import ITEM_COLUMNS, with_grouped
from api.cli.options import DAY, NUMBER, changes, reads_installation
from api.cli.output import Column, amount, grouped, print_facts, print_json, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from api.cli.ach_build import Making
    from ledger.unit_of_work import UnitOfWork
    from servicing.commands.ach_build import BuiltFile

BATCH_COLUMNS = (
    Column("number", "Batch", right=True),
    Column("class", "Class"),
    Column("company_name", "Company"),
    Column("description", "Description"),
    Column("effective_on", "Effective"),
    Column("descriptive_date", "Flag"),
    Column("entry_count", "Count", right=True),
    Column("entry_hash", "Hash"),
    amount("debits", "Debits"),
    amount("credits", "Credits"),
)
ENTRY_COLUMNS = (
    Column("batch", "Batch", right=True),
    Column("trace", "Trace"),
    Column("side", "Side"),
    Column("use", "Use"),
    Column("account_kind", "Account"),
    Column("routing", "Routing"),
    Column("account", "Number"),
    amount("amount", "Amount"),
    Column("name", "Name"),
    Column("told", "Comes with", long=True),
)
CODE_COLUMNS = (
    Column("code", "Code"),
    Column("name", "Name", long=True),
    Column("stage", "Stage"),
    Column("policy", "What follows"),
    Column("days", "Days", right=True),
    Column("rate", "Rate"),
)
SENT_COLUMNS = (
    Column("trace", "Entry"),
    Column("loan_id", "Loan", right=True),
    Column("instruction_no", "Instruction", right=True),
    Column("direction", "Side"),
    amount("amount", "Amount"),
    Column("settles_on", "Settles"),
    Column("attempt", "Attempt", right=True),
)
LEFT_COLUMNS = (
    Column("loan_id", "Loan", right=True),
    Column("instruction_no", "Instruction", right=True),
    Column("reason", "Left behind", long=True),
)
OUT = click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
PROGRAM = click.option(
    "--program", type=click.Path(path_type=Path), help="Who sends, and how [default: LOANBOOK_ACH_PROGRAM]."
)
AT = click.option(
    "--at", metavar="HH:MM", help="When it goes to the bank, eastern time [default: now; 09:00 of other days]."
)


@click.group()
def ach() -> None:
    """Read files of the clearing house, take in returns, and see what is to be done about them.

    \b
    loanbook ach read returns.ach
    loanbook ach take returns.ach
    loanbook ach work
    """


@ach.command("read")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--sent", is_flag=True, help="Hold the file to what is asked of files that this house sends.")
@reads_installation
def read_file(session: Session, file: Path, *, sent: bool) -> None:
    """Read a file in Nacha's format: its batches, entries, returns and notifications of change.

    The file is checked whole: hash, totals, counts, blocks, padding, check digits, trace numbers, codes. The first
    fault is told with its line, and nothing is shown. Account numbers are masked. `-` is standard input.

    \b
    loanbook ach read returns.ach
    loanbook ach read loan-payments.ach --sent
    loanbook ach read returns.ach --json
    """
    from servicing.nacha.documents import file_document
    from servicing.nacha.reading import read
    from servicing.nacha.rules import Held

    document = file_document(read(_content(file), Held.SENT if sent else Held.RECEIVED))
    session.show(document, lambda: _print_file(document))


@ach.command()
@click.argument("code", required=False)
@reads_installation
def codes(session: Session, code: str | None) -> None:
    """List the reasons for which entries come back and the codes of changes, with what follows from each.

    \b
    loanbook ach codes
    loanbook ach codes R01
    loanbook ach codes --json
    """
    from api.errors import InputMalformed
    from servicing.nacha.documents import code_rows

    rows = [row for row in code_rows() if code is None or row["code"] == code.upper()]
    if not rows:
        raise InputMalformed(place="code", reason=f"there is no return reason or change code {code}")
    if session.as_json:
        print_json(rows)
        return
    print_table(CODE_COLUMNS, rows)


@ach.command()
@OUT
@click.option("--date", "through", type=DAY, help="What is to be sent by this day [default: the business date].")
@PROGRAM
@AT
@changes
def build(session: Session, out: Path, through: date | None, program: Path | None, at: str | None) -> None:
    """Make the file of the payment instructions that are due, and send them.

    The file holds account numbers: nobody but its owner may read it, and its text is kept nowhere else. What cannot go
    out is left behind and named. A file that is there already is not written over.

    \b
    loanbook ach build --out payments.ach --dry-run
    loanbook ach build --book main --date 2026-03-20 --at 15:00 --out payments.ach
    """
    from api.cli.ach_build import write_file
    from servicing.commands.ach_build import build_file

    def make(uow: UnitOfWork, by: Making) -> BuiltFile:
        return build_file(uow, by.vault, by.book_code, by.program, at=by.at, through=through)

    document = write_file(session, out, program=program, at=at, make=make)
    session.show(document, lambda: _print_sent(document))


@ach.command()
@click.argument("traces", metavar="TRACE...", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why they should never have been sent.")
@OUT
@PROGRAM
@AT
@changes
def reverse(
    session: Session, traces: tuple[str, ...], reason: str, out: Path, program: Path | None, at: str | None
) -> None:
    """Make the file that takes back debits by their trace numbers, and undo their payments without a fee.

    Within five banking days of settlement, once for each.

    \b
    loanbook ach reverse 121042880000001 121042880000002 --reason "sent twice" --out reversal.ach
    """
    from api.cli.ach_build import write_file
    from servicing.commands.ach_reverse import reverse_entries

    def make(uow: UnitOfWork, by: Making) -> BuiltFile:
        return reverse_entries(uow, by.vault, by.book_code, by.program, traces, reason=reason, at=by.at)

    document = write_file(session, out, program=program, at=at, make=make)
    session.show(document, lambda: _print_sent(document))


@ach.command()
@click.argument("file", type=click.Path(path_type=Path))
@changes
def take(session: Session, file: Path) -> None:
    """Take in a file of returns and notifications of change; `-` is standard input.

    Each return finds its payment by trace number and undoes it, with the product's fee; debits without funds are
    scheduled again by the rules, changes correct the bank account. What finds nothing stands in the list of work, its
    money in the account of unmatched returns. The file is taken whole or not at all, and once.

    \b
    loanbook ach take returns.ach --dry-run
    """
    from api.ach import desk_of, program_of, taken_json
    from api.settings import secret_text
    from api.views import major_units

    data, code = _content(file), session.book_code
    desk = desk_of(program_of(session.settings), secret_text(session.settings.bank_account_keys))
    done = session.change(lambda uow: taken_json(uow, code, data, file.name, desk, money=major_units))
    before = ", taken before: nothing has changed" if done["replayed"] else ""

    def people() -> None:
        print_line(f"File {done['file_no']}{before}.")
        print_table(ITEM_COLUMNS, (with_grouped(item) for item in done["items"]))

    session.show(done, people)


@ach.command()
@click.argument("file_no", type=NUMBER)
@click.argument("item_no", type=NUMBER)
@click.option("--payment", type=(int, int), metavar="LOAN PAYMENT", help="It is the return of this payment.")
@click.option("--recovered", is_flag=True, help="The money came back by the rail.")
@click.option("--note", default="", help="What was found; alone, it settles what moved no money.")
@changes
def resolve(
    session: Session, file_no: int, item_no: int, payment: tuple[int, int] | None, recovered: bool, note: str
) -> None:
    """Settle an item of the list of work: it returns a payment after all, its money came back, or it is noted.

    \b
    loanbook ach resolve 3 2 --payment 7 12
    loanbook ach resolve 3 4 --recovered --note "dishonored as R67"
    """
    from api.ach import resolved_json
    from api.errors import InputMalformed
    from servicing.commands.ach_work import How

    if payment and recovered:
        raise InputMalformed(place="--recovered", reason="it matches a payment, or its money came back")
    if not payment and not recovered and not note:
        raise InputMalformed(place="--note", reason="say --payment, --recovered, or what was found")
    how = How.MATCHED if payment else How.RECOVERED if recovered else How.NOTED
    code = session.book_code
    done = session.change(lambda uow: resolved_json(uow, code, file_no, item_no, how=how, note=note, payment=payment))
    session.show(done, lambda: print_line(f"Item {item_no} of file {file_no}: {done['how']}."))


def _content(file: Path) -> bytes:
    from api.errors import FileUnusable

    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise FileUnusable(path=str(file), reason=error.strerror or "it cannot be read") from None


def _print_file(document: Mapping[str, Any]) -> None:
    made = f"{document['created_on']} {document['created_at']}, file {document['modifier']} of the day"
    print_facts(
        {
            "from": f"{document['origin']} {document['origin_name']}",
            "to": f"{document['destination']} {document['destination_name']}",
            "made": made,
            "records": f"{document['batch_count']} batches, {document['entry_count']} entries and addenda, "
            f"{document['block_count']} blocks",
            "hash": document["entry_hash"],
            "debits": grouped(document["debits"]),
            "credits": grouped(document["credits"]),
        }
    )
    print_line("")
    print_table(BATCH_COLUMNS, (with_grouped(batch) for batch in document["batches"]))
    print_line("")
    print_table(ENTRY_COLUMNS, _entries(document))


def _print_sent(document: Mapping[str, Any]) -> None:
    trials = f" and {len(document['prenotes'])} prenotes" if document["prenotes"] else ""
    print_line(f"File {document['file_no']}, {len(document['sent'])} entries{trials}, SHA-256 {document['sha256']}.")
    print_table(SENT_COLUMNS, (with_grouped(each) for each in document["sent"]))
    if document["left_behind"]:
        print_table(LEFT_COLUMNS, document["left_behind"])


def _entries(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for batch in document["batches"]:
        for entry in batch["entries"]:
            told = "; ".join(_told(addendum) for addendum in entry["addenda"])
            yield {**with_grouped(entry), "batch": batch["number"], "told": told}


def _told(addendum: Mapping[str, Any]) -> str:
    if "meaning" not in addendum:
        return str(addendum["text"])
    code = addendum.get("reason_code") or addendum.get("refusal_code") or addendum["change_code"]
    of = f"{code} {addendum['meaning']} (of {addendum['original_trace']})"
    correction = addendum.get("correction")
    if not correction:
        return of
    return f"{of}: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in correction.items())


for command in (work, files, retries, rates):
    ach.add_command(command)
