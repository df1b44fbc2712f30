"""`loanbook export`: batches for the general ledger, built from sealed blocks, each exactly once.

Next: `gl_export/batch.py` for what a batch is; `gl_export/commands/batches.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.default_group import DefaultGroup
from api.cli.options import NUMBER, changes, reads
from api.cli.output import Column, amount, grouped, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from gl_export.batch import BatchRecord
    from gl_export.delivery import DeliveredFile
    from ledger.unit_of_work import UnitOfWork

FOLDER = click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    help="Where the files go [default: LOANBOOK_OUT_DIR/gl].",
)
FORMAT = click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME",
    help="Only this format, repeatable; `export formats` lists them [default: csv, jsonl, beancount, hledger].",
)
RECEIVERS = click.option(
    "--receivers",
    type=click.Path(path_type=Path),
    help="A TOML file that says what formats want to be told, a table for each, such as [xero] tax_rate.",
)

BATCH_COLUMNS = (
    Column("batch_no", "No", right=True),
    Column("batch_id", "Batch"),
    Column("from_day", "From"),
    Column("to_day", "To"),
    Column("lines", "Lines", right=True),
    amount("debits", "Debits"),
    amount("credits", "Credits"),
    Column("currency", ""),
)
STATE_COLUMNS = (Column("state", "State"), Column("answer", "The GL says", long=True))
LINE_COLUMNS = (
    Column("line_no", "Line", right=True),
    Column("booking_date", "Booked"),
    Column("account", "Account"),
    Column("gl_account", "GL account"),
    Column("name", "Name"),
    amount("debit", "Debit"),
    amount("credit", "Credit"),
    Column("currency", ""),
)
ENTRY_COLUMNS = (
    Column("subledger_id", "Subledger", right=True),
    Column("entry_no", "Entry", right=True),
    Column("effective_date", "Effective"),
    Column("template", "Template"),
    amount("amount", "Amount"),
    Column("narration", "Narration"),
)


@click.group(cls=DefaultGroup, default="next", bare=True)
def export() -> None:
    """Write batches for the general ledger.

    A batch takes every sealed block after the batch before it, so that each entry leaves exactly once; it
    comes out the same, byte for byte, whenever it is written again.

    \b
    loanbook export                    seal, build the next batch, write its files
    loanbook export list
    loanbook export acknowledge 3      the general ledger took it; reject: it did not
    loanbook export show 3             its lines; --line 7 shows the entries behind one
    loanbook export write 3            the same files again
    loanbook export mapping gl.csv     which GL account each account is
    """


@export.command("next")
@FOLDER
@FORMAT
@RECEIVERS
@changes
def next_batch(session: Session, folder: Path | None, formats: tuple[str, ...], receivers: Path | None) -> None:
    """Seal what is booked, build the next batch and write its files.

    A batch that was built before and never delivered, because the program ended in between, is written first. A dry
    run shows the totals of the batch that would be built.

    \b
    loanbook export --out /srv/gl/inbox --format csv
    """
    from api.cli.sealing import sealing
    from gl_export.commands.batches import build_batch
    from gl_export.queries.batches import undelivered
    from ledger.seals import seal

    chosen = _chosen(formats, receivers)
    code = session.book_code

    def work(uow: UnitOfWork) -> BatchRecord | None:
        seal(uow)
        return build_batch(uow, code)

    with sealing(session):
        built = session.change(work)
    waiting = session.read(lambda connection: undelivered(connection, code))
    if session.dry_run:
        _show_batches(session, built, (*waiting, *((built,) if built else ())), {})
        return
    target = folder or session.settings.out_dir / "gl"
    written = {record.batch.batch_no: _deliver(session, record, target, chosen) for record in waiting}
    _show_batches(session, built, waiting, written, target)


@export.command("write")
@click.argument("batch_no", type=NUMBER)
@FOLDER
@FORMAT
@RECEIVERS
@changes
def write(
    session: Session, batch_no: int, folder: Path | None, formats: tuple[str, ...], receivers: Path | None
) -> None:
    """Write the files of a batch again: built anew from the seals, and refused if a byte differs.

    \b
    loanbook export write 3 --out /srv/gl/inbox
    loanbook export write 3 --format xero --receivers receivers.toml
    """
    from gl_export.queries.batches import batch, rebuild

    code, chosen = session.book_code, _chosen(formats, receivers)
    session.read(lambda connection: rebuild(connection, code, batch_no))
    record = session.read(lambda connection: batch(connection, code, batch_no))
    if session.dry_run:
        _show_batches(session, record, (record,), {})
        return
    target = folder or session.settings.out_dir / "gl"
    files = _deliver(session, record, target, chosen)
    _show_batches(session, record, (record,), {batch_no: files}, target)


def _chosen(names: tuple[str, ...], file: Path | None) -> Mapping[str, Any]:
    """Return the formats to write, and what the lender says of their receivers, as `write_batch` takes them."""
    from api.cli.files import read_text
    from gl_export.formats.declared import DEFAULT, format_named, read_receivers

    formats = tuple(format_named(name) for name in names) or DEFAULT
    receivers = None if file is None else read_receivers(read_text(file))
    for each in formats:
        # What is wanted is asked for before anything is built.
        each.told(receivers)
    return {"formats": formats, "receivers": receivers}


def _deliver(
    session: Session, record: BatchRecord, target: Path, chosen: Mapping[str, Any]
) -> tuple[DeliveredFile, ...]:
    from gl_export.commands.batches import record_delivery, write_batch

    code, number = session.book_code, record.batch.batch_no
    files = session.read(lambda connection: write_batch(connection, code, number, target, **chosen))
    session.change(lambda uow: record_delivery(uow, code, number, target, files))
    return files


def _show_batches(
    session: Session,
    asked: BatchRecord | None,
    records: Sequence[BatchRecord],
    written: Mapping[int, tuple[DeliveredFile, ...]],
    folder: Path | None = None,
) -> None:
    """Show the batch that was asked for, and those that were left over from before."""
    from api.views import plain

    documents = [
        {
            **_batch_json(record),
            "folder": str(folder) if folder else None,
            "files": plain(written.get(record.batch.batch_no, ())),
        }
        for record in records
    ]
    number = asked and asked.batch.batch_no
    document = {
        "batch": next((each for each in documents if each["batch_no"] == number), None),
        "left_over": [each for each in documents if each["batch_no"] != number],
    }

    def people() -> None:
        if not records:
            print_line("Everything that is booked was exported before.")
            return
        print_table(BATCH_COLUMNS, (row for record in records for row in _batch_rows(record)))
        for record in records:
            if record.batch.batch_no != number:
                print_line(f"Batch {record.batch.batch_id} was built before, and had never been delivered.")
        for files in written.values():
            print_line(f"Written to {folder}: {', '.join(file.name for file in files)}")

    session.show(document, people)


@export.command("list")
@reads
def list_batches(session: Session) -> None:
    """List the batches that were built: which were delivered, and what the general ledger answered.

    \b
    loanbook export list --json
    """
    from gl_export.batch import BUILT, BatchState
    from gl_export.queries.batches import answers, batches

    code = session.book_code
    found = session.read(lambda connection: batches(connection, code))
    answered = session.read(lambda connection: answers(connection, code))

    def told(record: BatchRecord) -> dict[str, Any]:
        answer = answered.get(record.batch.batch_no, BUILT)
        return {
            "delivered": answer.state is not BatchState.BUILT,
            "state": str(answer.state),
            "answer": answer.reference or answer.reason,
        }

    rows = [{**row, **told(record)} for record in found for row in _batch_rows(record)]
    document = [{**_batch_json(record), **told(record)} for record in found]
    session.show({"batches": document}, lambda: print_table((*BATCH_COLUMNS, *STATE_COLUMNS), rows))


@export.command("acknowledge")
@click.argument("batch_no", type=NUMBER)
@click.option("--reference", metavar="TEXT", required=True, help="What the general ledger calls it.")
@changes
def acknowledge(session: Session, batch_no: int, reference: str) -> None:
    """Keep that the general ledger took a batch, and what it calls it.

    \b
    loanbook export acknowledge 3 --reference JE-2026-1181
    """
    _answer(session, batch_no, {"reference": reference})


@export.command("reject")
@click.argument("batch_no", type=NUMBER)
@click.option("--reason", metavar="TEXT", required=True, help="Why it was not taken.")
@changes
def reject(session: Session, batch_no: int, reason: str) -> None:
    """Keep that the general ledger did not take a batch. Once it was delivered again, it can be acknowledged.

    \b
    loanbook export reject 3 --reason "Account 4010 is closed"
    loanbook export write 3
    """
    _answer(session, batch_no, {"reason": reason})


def _answer(session: Session, batch_no: int, answer: Mapping[str, str]) -> None:
    from gl_export.commands.batches import answer_batch

    done = session.change(lambda uow: answer_batch(uow, session.book_code, batch_no, **answer))
    document = {"batch_no": batch_no, "state": str(done.state), "delivery": done.delivery_no, **answer}
    session.show(document, lambda: print_line(f"Batch {batch_no} is {done.state}: {done.reference or done.reason}"))


@export.command("show")
@click.argument("batch_no", type=NUMBER)
@click.option("--line", "line_no", type=NUMBER, help="Show the entries behind this line.")
@reads
def show(session: Session, batch_no: int, line_no: int | None) -> None:
    """Show the lines of a batch, or the entries behind one of them.

    \b
    loanbook export show 3 --line 7
    """
    from gl_export.queries.batches import batch, entries_behind

    code = session.book_code
    if line_no is not None:
        number = line_no
        entries = session.read(lambda connection: entries_behind(connection, code, batch_no, number))
        _show_entries(session, entries)
        return
    record = session.read(lambda connection: batch(connection, code, batch_no))
    lines = [_line_json(line) for line in record.batch.lines]
    shown = [{**line, **{side: grouped(line[side]) for side in ("debit", "credit") if line[side]}} for line in lines]
    session.show(
        {**_batch_json(record), "lines": lines},
        lambda: print_table(LINE_COLUMNS, shown, title=f"Batch {record.batch.batch_id}"),
    )


def _show_entries(session: Session, entries: Any) -> None:
    from api.views import plain

    rows = plain(entries)
    shown = [{**row, "amount": grouped(row["amount"])} for row in rows]
    session.show({"entries": rows}, lambda: print_table(ENTRY_COLUMNS, shown))


@export.command("formats")
@reads
def list_formats(session: Session) -> None:
    """List the formats that a batch can be written in, and what each wants to be told of its receiver.

    \b
    loanbook export formats
    """
    from gl_export.formats.declared import FORMATS

    rows = [
        {
            "name": each.name,
            "ending": each.ending,
            "purpose": each.purpose,
            "settings": [
                {"name": one.name, "about": one.about, "default": one.default, "is_needed": one.default is None}
                for one in each.settings
            ],
            "told": ", ".join(one.name if one.default is None else f"[{one.name}]" for one in each.settings),
        }
        for each in FORMATS
    ]
    columns = (
        Column("name", "Format"),
        Column("ending", "Ending"),
        Column("purpose", "For"),
        Column("told", "Is told"),
    )
    session.show({"formats": rows}, lambda: print_table(columns, rows))


@export.command("fec")
@click.argument("year", type=click.IntRange(1900, 9999))
@click.option("--siren", required=True, help="The nine digits of the company.")
@FOLDER
@reads
def fec_(session: Session, year: int, siren: str, folder: Path | None) -> None:
    """Write the FEC of a fiscal year: every sealed entry in the 18 columns that French law asks for.

    \b
    loanbook export fec 2026 --siren 732829320 --out /srv/fec
    """
    from gl_export.delivery import deliver_file
    from gl_export.fec import file_name
    from gl_export.queries.fec import fec, last_day

    def work(connection: Any) -> tuple[str, bytes]:
        name = file_name(siren, last_day(connection, session.book_code, year))
        return name, "".join(fec(connection, session.book_code, year)).encode()

    name, content = session.read(work)
    target = folder or session.settings.out_dir / "gl"
    done = deliver_file(target, name, content)
    lines = content.count(b"\n") - 1
    document = {"file": str(target / name), "lines": lines, "sha256": done.sha256}
    session.show(document, lambda: print_line(f"{lines:,} lines in {target / name}"))


@export.command("mapping")
@click.argument("file", type=click.Path(path_type=Path))
@changes
def mapping(session: Session, file: Path) -> None:
    """Load a CSV file (account, gl_account, gl_name) as the next version of the mapping.

    Batches that are built keep theirs; without a mapping, the GL has the accounts of the chart.

    \b
    loanbook export mapping gl.csv --dry-run
    """
    from api.cli.files import read_text
    from gl_export.commands.batches import load_mapping

    rows = read_text(file).splitlines(keepends=True)
    code = session.book_code
    loaded = session.change(lambda uow: load_mapping(uow, code, rows, file=file.name))
    count = len(loaded.gl_accounts)
    session.show(
        {"version": loaded.version, "accounts": count},
        lambda: print_line(f"Mapping version {loaded.version}: {count} accounts"),
    )


def _batch_json(record: BatchRecord) -> dict[str, Any]:
    from api.views import plain

    batch = record.batch
    return {
        "batch_no": batch.batch_no,
        "batch_id": batch.batch_id,
        "first_block": batch.blocks.first,
        "last_block": batch.blocks.last,
        "last_block_hash": record.last_block_hash.hex(),
        "mapping_version": batch.mapping_version,
        "from_day": batch.lines[0].booking_date.isoformat(),
        "to_day": batch.lines[-1].booking_date.isoformat(),
        "digest": record.digest.hex(),
        "control_totals": plain(batch.control_totals),
    }


def _batch_rows(record: BatchRecord) -> list[dict[str, Any]]:
    facts = _batch_json(record)
    return [
        {
            **facts,
            "lines": total.line_count,
            "debits": total.debits.format(grouping=True),
            "credits": total.credits.format(grouping=True),
            "currency": total.currency,
        }
        for total in record.batch.control_totals
    ]


def _line_json(line: Any) -> dict[str, Any]:
    return {
        "line_no": line.line_no,
        "booking_date": line.booking_date.isoformat(),
        "account": line.account,
        "gl_account": line.gl_account.code,
        "name": line.gl_account.name,
        "debit": line.debit.format() if line.debit else None,
        "credit": line.credit.format() if line.credit else None,
        "currency": line.money.currency,
    }
