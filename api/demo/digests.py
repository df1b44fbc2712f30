"""The digests that the demonstration publishes: a file for each month end, outside the database.

A digest in a file is what no owner of the database can rewrite, so the demonstration's proof rests on these. Never: a
change of a file that is there; a digest that was published stays as it was.
Next: `ledger/digests.py`; `ledger/seals.py`, which publishes every block where an operator wants it.
"""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa

from api.errors import DigestsForeign, FileUnusable
from gl_export.queries.close import close_status
from ledger.dates import Month
from ledger.digests import BlockDigest, digest_line, read_digests
from ledger.seals import block, check_against_published

FOLDER = "digests"


def publish_month_end(engine: sa.Engine, book_code: str, month: Month, out_dir: Path) -> None:
    """Write the digest of the block that a month's close rests on, unless it is published already.

    Raises: FileUnusable.
    """
    file = out_dir / FOLDER / f"{month}.jsonl"
    if file.exists():
        return
    with engine.connect() as connection:
        evidence = close_status(connection, book_code, month).evidence_of("write_package")
        found = block(connection, evidence["block_no"])
    assert found is not None, "the close rests on a block that is there"
    aside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(digest_line(found.digest), encoding="utf-8")
        aside.replace(file)
    except OSError as error:
        raise FileUnusable(path=str(file), reason=error.strerror or "it cannot be written") from None


def published_month_ends(out_dir: Path) -> tuple[BlockDigest, ...]:
    """Return what was published in a folder, the first month first.

    Raises: FileUnusable; MalformedRow.
    """
    found: list[BlockDigest] = []
    for file in sorted((out_dir / FOLDER).glob("*.jsonl")):
        try:
            found += read_digests(file.read_text(encoding="utf-8"), file=str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise FileUnusable(path=str(file), reason=str(error)) from None
    return tuple(found)


def refuse_foreign_digests(connection: sa.Connection, out_dir: Path) -> None:
    """Refuse a folder whose digests are not of this database, before anything is lived.

    Raises: DigestsForeign; as `published_month_ends`.
    """
    findings = check_against_published(connection, published_month_ends(out_dir))
    if findings:
        raise DigestsForeign(folder=str(out_dir / FOLDER), finding=str(findings[0]))
