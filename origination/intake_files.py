"""Applications from a file: every row is checked first, then they are entered in chunks, each a transaction of its own.

Killed at any instant and run again, it goes on where it stopped: a row whose application is on the book is passed over
and counted. Never: how a file is written (`servicing/tapes/`). Next: `origination/intake/file_rows.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice

import sqlalchemy as sa

from ledger.domain_error import DomainError
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork, run
from origination import intake_store
from origination.intake.errors import ApplicationFieldsInvalid, DuplicateApplication, RouteMissing
from origination.intake.file_rows import NAME, ApplicationFile, FileApplication
from origination.intake.persons import matches_of
from origination.intake_commands import Opening, gates_of, open_applications, submit_intake
from origination.workflow.acts import Person
from origination.workflow_commands.starting import start_routed
from servicing.tapes.rows import Mistake, Refused
from servicing.vault import Vault

CHUNK = 200
HELD_AGAINST = (DuplicateApplication, ApplicationFieldsInvalid, RouteMissing)
"""What only shows when an application is entered, and is a mistake of its row."""

Progress = Callable[[int], None]


@dataclass(slots=True)
class FileChecked:
    """What a file holds: rows, those that are right, that are on the book already, and that are refused."""

    rows: int = 0
    right: int = 0
    found: int = 0
    refused: int = 0
    mistakes: list[Mistake] = field(default_factory=list)


@dataclass(slots=True)
class FileEntered:
    """What became of a file: the applications that were entered, and the rows refused on the way."""

    application_ids: list[int] = field(default_factory=list)
    found: int = 0
    flagged: int = 0
    mistakes: list[Mistake] = field(default_factory=list)


def check_file(
    engine: sa.Engine,
    book_code: str,
    source: ApplicationFile,
    *,
    on_refused: Refused | None = None,
    on_progress: Progress | None = None,
) -> FileChecked:
    """Read a whole file and name every mistake in it; refused rows are handed on one by one, in order.

    Raises: TapeUnreadable; BookUnknown.
    """
    checked = FileChecked(mistakes=list(source.header_mistakes()))
    if checked.mistakes:
        return checked
    for chunk in _chunks(source.applications()):
        known = _known(engine, book_code, chunk)
        for each in chunk:
            checked.rows += 1
            if each.mistakes:
                checked.refused += 1
                checked.mistakes.extend(each.mistakes)
                if on_refused is not None:
                    on_refused(each.row, each.mistakes)
            elif each.external_id in known:
                checked.found += 1
            else:
                checked.right += 1
        if on_progress is not None:
            on_progress(checked.rows)
    return checked


def enter_file(
    engine: sa.Engine,
    vault: Vault,
    book_code: str,
    source: ApplicationFile,
    *,
    actor: str,
    channel: str = "file",
    started_at: datetime | None = None,
    dry_run: bool = False,
    on_refused: Refused | None = None,
    on_progress: Progress | None = None,
) -> FileEntered:
    """Enter the right rows of a file that was checked; repeats of a person are refused or flagged as the form says.

    With `started_at` each starts on its workflow at that moment, and goes on with the next run of what is due.

    Raises: TapeUnreadable; BookUnknown; ChannelUnknown: chunks before stay entered.
    """
    entered, done = FileEntered(), 0
    for chunk in _chunks(source.applications()):
        right = [each for each in chunk if not each.mistakes]
        work = partial(
            _enter_chunk, vault=vault, book_code=book_code, source=source, chunk=right, channel=channel, at=started_at
        )
        came = run(engine, work, actor=actor, dry_run=dry_run)
        entered.application_ids += came.application_ids
        entered.found += came.found
        entered.flagged += came.flagged
        entered.mistakes += came.mistakes
        if on_refused is not None:
            _hand_on(chunk, came.mistakes, on_refused)
        done += len(chunk)
        if on_progress is not None:
            on_progress(done)
    return entered


def _enter_chunk(
    uow: UnitOfWork,
    *,
    vault: Vault,
    book_code: str,
    source: ApplicationFile,
    chunk: Sequence[FileApplication],
    channel: str,
    at: datetime | None,
) -> FileEntered:
    came = FileEntered()
    known = intake_store.known_intakes(
        uow.connection, book(uow.connection, book_code).book_id, [each.external_id for each in chunk]
    )
    new = [each for each in chunk if each.external_id not in known and each.data is not None]
    came.found = len(chunk) - len(new)
    # All gates of a chunk at once and in order, so that two files with the same people do not wait for each other.
    people = (matches_of(source.form, each.data or {}) for each in new)
    intake_store.pass_gates(uow.connection, {gate for each in people for gate in gates_of(vault, each)})
    for each in new:
        savepoint = uow.connection.begin_nested()
        try:
            opening = Opening(product=source.form.name, channel=channel, external_id=each.external_id)
            saved = open_applications(uow, vault, book_code, [(opening, each.data or {})])[0]
            submission = submit_intake(uow, vault, book_code, saved.application_id, is_new=True)
            if at is not None:
                start_routed(uow, book_code, submission, Person(uow.actor, at))
        except HELD_AGAINST as refusal:
            savepoint.rollback()
            came.mistakes.append(_mistake(each, refusal))
            continue
        savepoint.commit()
        came.application_ids.append(saved.application_id)
        came.flagged += bool(submission.duplicate_of)
    return came


def _mistake(each: FileApplication, refusal: DomainError) -> Mistake:
    return Mistake(each.row.number, refusal.message, NAME, each.external_id)


def _hand_on(chunk: Iterable[FileApplication], late: Sequence[Mistake], on_refused: Refused) -> None:
    """Hand on what is refused in a chunk in the order of its rows, whenever it showed."""
    by_row = {mistake.row: mistake for mistake in late}
    for each in chunk:
        if each.mistakes:
            on_refused(each.row, each.mistakes)
        elif each.row.number in by_row:
            on_refused(each.row, [by_row[each.row.number]])


def _known(engine: sa.Engine, book_code: str, chunk: Sequence[FileApplication]) -> dict[str, int]:
    with engine.connect() as connection:
        book_id = book(connection, book_code).book_id
        return intake_store.known_intakes(connection, book_id, [each.external_id for each in chunk])


def _chunks(rows: Iterator[FileApplication]) -> Iterator[list[FileApplication]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
