"""`loanbook application load`: a file of applications, checked row by row and entered in chunks.

Next: `origination/intake_files.py`; `api/cli/boarding.py`, whose ways with files these are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.boarding import FORMATS, MISTAKE_COLUMNS
from api.cli.options import changes
from api.cli.output import print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from origination.intake.file_rows import ApplicationFile
    from origination.intake_files import FileChecked, FileEntered
    from servicing.tapes.rows import Mistake


@click.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--product", required=True, help="What they are for.")
@click.option("--channel", type=click.Choice(["file", "partner", "agent"]), default="file", show_default=True)
@click.option("--format", "format_", type=click.Choice(FORMATS), help="The file's format [default: by its ending].")
@click.option("--errors", type=click.Path(path_type=Path), help="Write the rows that are refused to this file.")
@click.option("--partial", "is_partial", is_flag=True, help="Enter the rows that are right although others are not.")
@changes
def load_file(
    session: Session,
    file: Path,
    product: str,
    channel: str,
    format_: str | None,
    errors: Path | None,
    is_partial: bool,
) -> int:
    """Enter the applications of a file: CSV, XLSX or JSON Lines.

    Its columns are external_id and fields by their paths (application.amount, applicant.ssn); a line of JSON may hold
    whole sections as objects. Amounts are decimals. Every row is checked first, and every mistake named by row and
    column. Rows that are refused keep all others from being entered, unless --partial; an errors file, mended, is a
    file again. Applications are entered in chunks, each a transaction of its own; a run that was killed is run again,
    and passes over what was entered. That somebody has applied before only shows then: such a row is refused alone.

    The exit code is 1 if rows were left out, 2 if nothing was entered for them.

    \b
    loanbook application load partner.csv --product personal --channel partner --errors refused.csv --dry-run
    loanbook application load refused.csv --product personal --channel partner --partial --errors again.csv
    """
    from api.errors import FileUnusable

    source = _source(session, file, product, format_)
    if errors is not None and errors.exists() and errors.samefile(file):
        raise FileUnusable(path=str(errors), reason="it is the file itself")
    checked = _check(session, source, errors)
    if not checked.rows and not checked.mistakes:
        raise FileUnusable(path=str(file), reason="there is no application in it")
    if not (is_partial and checked.refused):
        _refuse(session, checked.mistakes, file)
    entered = _enter(session, source, channel, errors)
    mistakes = [*checked.mistakes, *entered.mistakes]
    refused = len({mistake.row for mistake in mistakes})
    if errors is not None and not refused:
        errors.unlink(missing_ok=True)
    document = {
        "applications": len(entered.application_ids),
        "found": entered.found,
        "flagged": entered.flagged,
        "refused": refused,
        "mistakes": [mistake.as_json() for mistake in mistakes],
        "application_ids": entered.application_ids,
    }
    session.show(document, lambda: _print(document, mistakes))
    return 1 if mistakes else 0


def _source(session: Session, file: Path, product: str, format_: str | None) -> ApplicationFile:
    from ledger.queries.accounts import book
    from origination.intake.file_rows import ApplicationFile, open_file
    from origination.intake_commands import form_in_force

    code = session.book_code
    form = session.read(lambda connection: form_in_force(connection, product))
    today = session.read(lambda connection: book(connection, code)).business_date
    return ApplicationFile(open_file(file, format_), form, today)


def _check(session: Session, source: ApplicationFile, errors: Path | None) -> FileChecked:
    from api.cli.progress import progress
    from origination.intake_files import check_file

    with ExitStack() as stack:
        advance = stack.enter_context(progress(f"Checking {source.file.path.name}", quiet=session.as_json))
        stack.enter_context(session.edge.named_trouble())
        on_refused = None if errors is None else stack.enter_context(source.file.refused_to(errors))
        return check_file(
            session.edge.engine,
            session.book_code,
            source,
            on_refused=on_refused,
            on_progress=partial(advance, total=0),
        )


def _enter(session: Session, source: ApplicationFile, channel: str, errors: Path | None) -> FileEntered:
    from api.cli.applications import vault_of
    from api.cli.progress import progress
    from api.workflows import now
    from origination.intake_files import enter_file

    with ExitStack() as stack:
        advance = stack.enter_context(progress("Entering", quiet=session.as_json))
        stack.enter_context(session.edge.named_trouble())
        # What only shows when a row is entered, such as a repeat, belongs into the errors file too.
        on_refused = None if errors is None else stack.enter_context(source.file.refused_to(errors))
        return enter_file(
            session.edge.engine,
            vault_of(session),
            session.book_code,
            source,
            actor=session.actor,
            channel=channel,
            started_at=now(),
            dry_run=session.dry_run,
            on_refused=on_refused,
            on_progress=partial(advance, total=0),
        )


def _refuse(session: Session, mistakes: Sequence[Mistake], file: Path) -> None:
    from servicing.errors import TapeInvalid
    from servicing.tapes.tape import refuse

    if mistakes and not session.as_json:
        _print_mistakes(mistakes)
    try:
        refuse(mistakes, **({} if session.as_json else {"shown": 1}))
    except TapeInvalid as refusal:
        refusal.add_note(file.name)
        raise


def _print(document: Mapping[str, Any], mistakes: Sequence[Mistake]) -> None:
    _print_mistakes(mistakes)
    facts = [f"{document['applications']:,} applications entered"]
    facts += [f"{document['found']:,} on the book already"] if document["found"] else []
    facts += [f"{document['flagged']:,} flagged as repeats"] if document["flagged"] else []
    facts += [f"{document['refused']:,} rows refused"] if document["refused"] else []
    print_line("; ".join(facts))


def _print_mistakes(mistakes: Sequence[Mistake]) -> None:
    if mistakes:
        print_table(MISTAKE_COLUMNS, (mistake.as_json() for mistake in mistakes), title="Mistakes")
