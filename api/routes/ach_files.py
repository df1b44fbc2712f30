"""`/v1/ach`: files made and sent, debits taken back, files read, and the codes by which entries come back.

A file that is sent is the answer's `content`, and holds account numbers: what is kept under the request's key is
encrypted like the numbers themselves, so that a call that comes again gets the same file, and a lost answer loses none.
Next: `api/ach.py`; `servicing/commands/ach_build.py`; `docs/spec/ach_returns.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Annotated, Any

from flask import Blueprint, Response, current_app, request
from pydantic import Field, StringConstraints

from api import http
from api.ach import built_json, eastern_hour
from api.errors import InputMalformed
from api.models import Body, Day, ShortText
from api.routes.ach import MAX_FILE_BYTES, PROGRAM
from api.routes.rails import VAULT_KEYS
from api.views import Json, minor_units
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from servicing.commands.ach_build import BuiltFile, build_file
from servicing.commands.ach_reverse import reverse_entries
from servicing.nacha.documents import code_rows, file_document
from servicing.nacha.errors import AchFileSealed, AchReasonUnknown
from servicing.nacha.program import Program
from servicing.nacha.reading import read
from servicing.nacha.rules import Held
from servicing.vault import Vault

routes = Blueprint("ach_files", __name__)

SEALED = "sealed"
"""Where a kept answer holds the encrypted file."""

Hour = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Trace = Annotated[str, StringConstraints(pattern=r"^[0-9]{15}$")]


class BuildBody(Body):
    """Up to which day instructions go out, and when the file goes to the bank, eastern time."""

    date: Day | None = None
    at: Hour | None = None


class ReversalBody(Body):
    """Which debits are taken back, and why they should never have been sent."""

    traces: Annotated[list[Trace], Field(min_length=1, max_length=10_000)]
    reason: ShortText
    at: Hour | None = None


class ReadBody(Body):
    """A file as text; `sent` holds it to what is asked of files that this house sends."""

    content: Annotated[str, Field(max_length=MAX_FILE_BYTES)]
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Making:
    """What a file is made with."""

    vault: Vault
    book_code: str
    program: Program
    at: time


@routes.post("/v1/ach/sent-files")
def build() -> Response:
    """Make the file of the payment instructions that are due, and send them."""
    given = http.body(BuildBody)

    def make(uow: UnitOfWork, by: Making) -> BuiltFile:
        return build_file(uow, by.vault, by.book_code, by.program, at=by.at, through=given.date)

    return _sent("build_ach_file", given, given.at, make)


@routes.post("/v1/ach/reversals")
def reverse() -> Response:
    """Make the file that takes back debits by their trace numbers, and undo their payments without a fee."""
    given = http.body(ReversalBody)

    def make(uow: UnitOfWork, by: Making) -> BuiltFile:
        return reverse_entries(uow, by.vault, by.book_code, by.program, given.traces, reason=given.reason, at=by.at)

    return _sent("reverse_ach_entries", given, given.at, make)


@routes.post("/v1/ach/readings")
def read_file() -> Response:
    """Return what a file holds, its account numbers masked. Nothing is changed, and nothing kept."""
    request.max_content_length = 2 * MAX_FILE_BYTES
    given = http.body(ReadBody)
    held = Held.SENT if given.sent else Held.RECEIVED
    return http.reply(file_document(read(given.content.encode(), held)))


@routes.get("/v1/ach/codes")
def list_codes() -> Response:
    """Return the reasons for which entries come back and the codes of changes."""
    return http.reply({"codes": list(code_rows())})


@routes.get("/v1/ach/codes/<code>")
def show_code(code: str) -> Response:
    """Return one reason or code, with what follows from it."""
    found = next((row for row in code_rows() if row["code"] == code.upper()), None)
    if found is None:
        raise AchReasonUnknown(reason=code[:8])
    return http.reply(found)


def _sent(command: str, given: Body, at: str | None, make: Callable[[UnitOfWork, Making], BuiltFile]) -> Response:
    """Make a file once for its key, and answer with its text; a dry run shows what would go out, without it."""
    change = http.change()
    code, program = http.chosen_book(change.book), current_app.extensions[PROGRAM]
    if program is None:
        raise InputMalformed(place="LOANBOOK_ACH_PROGRAM", reason="it is not set: it says who sends, and how")
    vault = Vault.of_keys(current_app.extensions[VAULT_KEYS])

    def work(uow: UnitOfWork) -> Outcome:
        found = book(uow.connection, code)

        def answer() -> Json:
            hour = eastern_hour(datetime.now(UTC), found.business_date) if at is None else time.fromisoformat(at)
            built = make(uow, Making(vault, code, program, hour))
            return {**built_json(built, money=minor_units), SEALED: vault.seal_text(built.data.decode("ascii")).token}

        inputs = given.model_dump(mode="json")
        return once(
            uow, subledger_id=found.own_subledger_id, key=change.key, command=command, inputs=inputs, work=answer
        )

    outcome = http.edge().answer(work, actor=change.actor, dry_run=change.dry_run)
    shown = _shown(outcome.result, vault, dry_run=change.dry_run)
    return http.reply_outcome(Outcome(shown, outcome.replayed), dry_run=change.dry_run)


def _shown(kept: Mapping[str, Any], vault: Vault, *, dry_run: bool) -> Json:
    """Return a kept answer with the text of its file. Raises: AchFileSealed."""
    document = {name: value for name, value in kept.items() if name != SEALED}
    if dry_run:
        return document
    content = vault.open_text(kept[SEALED])
    if content is None:
        raise AchFileSealed(file_no=kept["file_no"])
    return {**document, "content": content}
