"""Writing a file of the clearing house: made and sent in one transaction, on disk before the books say so.

It holds account numbers, so that only its owner may read it. Next: `servicing/commands/ach_build.py`, `ach_reverse.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from api.ach import built_json, eastern_hour, program_of
from api.cli.files import usable_folder
from api.errors import FileUnusable, InputMalformed
from api.settings import secret_text
from api.views import Json, major_units
from ledger.queries.accounts import book
from servicing.vault import Vault

if TYPE_CHECKING:
    from api.cli.session import Session
    from ledger.unit_of_work import UnitOfWork
    from servicing.commands.ach_build import BuiltFile
    from servicing.nacha.program import Program


@dataclass(frozen=True, slots=True)
class Making:
    """What a file is made with: the keys of account numbers, the book, the program, the hour at which it goes out."""

    vault: Vault
    book_code: str
    program: Program
    at: time


def write_file(
    session: Session,
    out: Path,
    *,
    program: Path | None,
    at: str | None,
    make: Callable[[UnitOfWork, Making], BuiltFile],
) -> Json:
    """Make a file, send its entries and write it; a dry run writes nothing.

    It is written beside its name before the transaction ends, and named after: a file that was sent is never lost.

    Raises: FileUnusable; InputMalformed; VaultKeyMissing; AchProgramInvalid; what `make` raises.
    """
    found = program_of(session.settings, program)
    if found is None:
        raise InputMalformed(place="--program", reason="say who sends, here or in LOANBOOK_ACH_PROGRAM")
    hour = None if at is None else _hour(at)
    vault = Vault.of_keys(secret_text(session.settings.bank_account_keys))
    code, beside = session.book_code, out.with_name(f"{out.name}.unsent")
    usable_folder(out.parent)
    for there in (out, beside):
        if there.exists():
            raise FileUnusable(path=str(there), reason="it is there already")

    def work(uow: UnitOfWork) -> Json:
        when = hour or eastern_hour(datetime.now(UTC), book(uow.connection, code).business_date)
        built = make(uow, Making(vault, code, found, when))
        if not session.dry_run:
            _write(beside, built.data)
        return built_json(built, money=major_units)

    try:
        document = session.change(work)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if not session.dry_run:
        beside.replace(out)
    return document


def _hour(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").replace(tzinfo=UTC).time()
    except ValueError:
        raise InputMalformed(place="--at", reason=f"{text!r} is no hour such as 15:30") from None


def _write(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, down to the disk; an attempt before this one is written over."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
