"""`loanbook ach`: look into files of the clearing house, and at the codes by which entries come back.

Neither command touches a database. Next: `servicing/nacha/reading.py`; `docs/spec/nacha.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from api.cli.options import reads_installation
from api.cli.output import Column, amount, grouped, print_facts, print_json, print_line, print_table
from api.cli.session import Session

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


@click.group()
def ach() -> None:
    """Read files of the clearing house, and look up their codes.

    \b
    loanbook ach read returns.ach
    loanbook ach codes R01
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
    print_table(BATCH_COLUMNS, (_shown(batch) for batch in document["batches"]))
    print_line("")
    print_table(ENTRY_COLUMNS, _entries(document))


def _entries(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for batch in document["batches"]:
        for entry in batch["entries"]:
            told = "; ".join(_told(addendum) for addendum in entry["addenda"])
            yield {**_shown(entry), "batch": batch["number"], "told": told}


def _told(addendum: Mapping[str, Any]) -> str:
    if "meaning" not in addendum:
        return str(addendum["text"])
    code = addendum.get("reason_code") or addendum.get("refusal_code") or addendum["change_code"]
    of = f"{code} {addendum['meaning']} (of {addendum['original_trace']})"
    correction = addendum.get("correction")
    if not correction:
        return of
    return f"{of}: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in correction.items())


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    amounts = ("debits", "credits", "amount")
    return {name: grouped(value) if name in amounts else value for name, value in row.items()}
