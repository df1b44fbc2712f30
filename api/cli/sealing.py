"""Around every command that seals: what must hold before, and what leaves the database after.

Before: the guards are those of this version, and the chain is the one whose digests were published. After: the new
digests go to LOANBOOK_DIGEST_FILE and LOANBOOK_DIGEST_WEBHOOK. Next: `ledger/seals.py`; `api/guards.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.output import Column, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from api.guards import GuardCheck
    from ledger.digests import BlockDigest, Finding

FINDING_COLUMNS = (
    Column("code", "Finding"),
    Column("place", "Where"),
    Column("expected", "Expected", long=True),
    Column("found", "Found", long=True),
)


@contextmanager
def sealing(session: Session) -> Iterator[None]:
    """Do something that seals on a database that may be sealed, and publish what was sealed, even if it stops halfway.

    Raises: GuardsDiffer; click's Exit with code 1 where the chain departs from what was published, which is shown;
    FileUnusable; DigestNotDelivered.
    """
    from ledger.domain_error import DomainError

    require_sound(session)
    try:
        yield
    except DomainError:
        with suppress(DomainError):
            publish(session)
        raise
    publish(session)


def require_sound(session: Session) -> GuardCheck:
    """Refuse a database that was loosened, restored from an older copy, or written anew.

    Raises: as `sealing`.
    """
    from api.guards import require_guards
    from api.views import plain
    from ledger.seals import check_against_published

    checked = require_guards(session.edge)
    digests = published_digests(session)
    findings = session.read(lambda connection: check_against_published(connection, digests)) if digests else ()
    if findings:
        session.show({"findings": plain(findings)}, lambda: print_findings(findings))
        raise click.exceptions.Exit(1)
    return checked


def published_digests(session: Session) -> tuple[BlockDigest, ...]:
    """Return what LOANBOOK_DIGEST_FILE holds; nothing where it is not set or not there yet.

    A last line without its end was cut short by a crash: the next publication completes it.

    Raises: FileUnusable; MalformedRow.
    """
    from api.cli.files import read_text
    from ledger.digests import read_digests

    file = session.settings.digest_file
    if file is None or not file.exists():
        return ()
    return read_digests(read_text(file).rpartition("\n")[0], file=str(file))


def read_digest_files(files: Iterable[Path]) -> tuple[BlockDigest, ...]:
    """Return the digests of published files, which must be there.

    Raises: FileUnusable; MalformedRow naming file and line.
    """
    from api.cli.files import read_text
    from ledger.digests import read_digests

    return tuple(digest for file in files for digest in read_digests(read_text(file), file=str(file)))


def publish(session: Session) -> None:
    """Publish what was not published yet: every block to the file, the latest to the address; nothing in a dry run.

    Raises: FileUnusable; DigestNotDelivered.
    """
    from api.errors import FileUnusable
    from ledger.seals import head, publish_to_file, publish_to_webhook

    if session.dry_run:
        return
    file, address = session.settings.digest_file, session.settings.digest_webhook
    if file is not None:
        try:
            session.read(lambda connection: publish_to_file(connection, file))
        except OSError as error:
            raise FileUnusable(path=str(file), reason=error.strerror or "it cannot be written") from None
    if address is not None:
        latest = session.read(head)
        if latest is not None:
            publish_to_webhook(latest.digest, str(address))


def print_findings(findings: tuple[Finding, ...]) -> None:
    """Print what does not hold, if anything."""
    rows: list[dict[str, Any]] = [
        {"code": each.code, "place": each.place, "expected": each.expected, "found": each.found} for each in findings
    ]
    if rows:
        print_table(FINDING_COLUMNS, rows, title=f"{len(rows)} finding{'s' if len(rows) != 1 else ''}")
