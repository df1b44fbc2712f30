"""Seal blocks: making the next one, looking one up, and telling the world outside what its digest is.

Digests leave the database by an append-only file or a webhook, so that a tail that was cut off or a chain that was
written anew is found against them. Never: how a block is computed (`ledger/sql/seal.sql`).
Next: `ledger/verify.py`, which recomputes everything; `ledger/digests.py` for the comparison.
"""

from __future__ import annotations

import fcntl
import os
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from ledger.digests import BlockDigest, Finding, compare_with_published, digest_line, read_digests
from ledger.errors import DigestNotDelivered
from ledger.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class SealBlock:
    """One row of `ledger.seal_block`."""

    block_no: int
    previous_hash: bytes | None
    merkle_root: bytes
    member_count: int
    entry_count: int
    posting_count: int
    totals_digest: bytes
    chart_no: int
    chart_digest: bytes
    sealed_at: datetime
    block_hash: bytes

    @property
    def digest(self) -> BlockDigest:
        """Return what is published of the block."""
        return BlockDigest(self.block_no, self.block_hash)


def seal(uow: UnitOfWork) -> SealBlock | None:
    """Seal every entry that is committed and not sealed yet in one more block; None if there is none.

    A second sealer waits for the first, and then seals what came since. Posters wait for neither.

    Raises: SealBroken naming an entry that is not whole.
    """
    block_no = uow.connection.scalar(sa.text("SELECT ledger.seal()"))
    return None if block_no is None else block(uow.connection, block_no)


def head(connection: sa.Connection) -> SealBlock | None:
    """Return the latest block, None before the first seal."""
    return _load(connection, "ORDER BY block_no DESC LIMIT 1", {})


def block(connection: sa.Connection, block_no: int) -> SealBlock | None:
    """Return a block by its number, None if there is no such block."""
    return _load(connection, "WHERE block_no = :block_no", {"block_no": block_no})


def blocks(connection: sa.Connection, *, after: int = 0) -> tuple[SealBlock, ...]:
    """Return the blocks after a number, the first one first."""
    return tuple(_rows(connection, "WHERE block_no > :after ORDER BY block_no", {"after": after}))


def known_block(connection: sa.Connection, moment: datetime) -> int:
    """Return the number of the latest block sealed at a moment or before it, 0 if there was none.

    Raises: TypeError for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise TypeError(f"{moment} has no time zone")
    statement = sa.text("SELECT coalesce(max(block_no), 0) FROM ledger.seal_block WHERE sealed_at <= :moment")
    block_no = connection.scalar(statement, {"moment": moment})
    assert isinstance(block_no, int)
    return block_no


def _load(connection: sa.Connection, which: str, values: dict[str, int]) -> SealBlock | None:
    return next(_rows(connection, which, values), None)


def _rows(connection: sa.Connection, which: str, values: dict[str, int]) -> Iterator[SealBlock]:
    statement = sa.text(f"SELECT {', '.join(SealBlock.__slots__)} FROM ledger.seal_block {which}")  # noqa: S608 - our own words
    return (SealBlock(**row._mapping) for row in connection.execute(statement, values))


def check_against_published(connection: sa.Connection, published: Iterable[BlockDigest]) -> tuple[Finding, ...]:
    """Return where the database departs from digests that were published: forked at a block, or truncated after one.

    Asked at start-up: a database restored from an older copy ends before the latest published block, and sealing
    on would fork the chain.
    """
    digests = tuple(published)
    if not digests:
        return ()
    statement = sa.text("SELECT block_no, block_hash FROM ledger.seal_block WHERE block_no = ANY (:numbers)")
    rows = connection.execute(statement, {"numbers": [digest.block_no for digest in digests]})
    latest = head(connection)
    return compare_with_published(
        digests, known={row.block_no: row.block_hash for row in rows}, head_no=latest.block_no if latest else 0
    )


def read_published(file: Path) -> tuple[BlockDigest, ...]:
    """Return the digests of a published file, none if there is no such file yet.

    Raises: MalformedRow naming the line.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    return read_digests(text, file=str(file))


def publish_to_file(connection: sa.Connection, file: Path) -> tuple[BlockDigest, ...]:
    """Append to a file, one line of JSON each, the digests that it does not have yet, and return them.

    Called after the seal's transaction is committed. Whatever was lost between the two is made up for at the next
    call; nothing that stands in the file is ever changed.

    Raises: MalformedRow if the file holds something else.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        text = stream.read()
        whole, _, torn = text.rpartition("\n")
        published = read_digests(whole, file=str(file))
        latest = max((digest.block_no for digest in published), default=0)
        missing = tuple(each.digest for each in blocks(connection, after=latest))
        if missing:
            # A line that a crash cut short is the beginning of the one that is written now.
            lines = "".join(map(digest_line, missing))
            if not lines.startswith(torn):
                read_digests(text, file=str(file))
            stream.write(lines.removeprefix(torn))
            stream.flush()
            os.fsync(stream.fileno())
    return missing


def publish_to_webhook(digest: BlockDigest, url: str, *, timeout_seconds: float = 10) -> None:
    """Post a digest as JSON to an address of http or https; any answer of the 200s is a receipt.

    Raises: DigestNotDelivered with the reason.
    """
    if not url.startswith(("http://", "https://")):
        raise DigestNotDelivered(block_no=digest.block_no, url=url, reason="it is not an address of http or https")
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        url, data=digest_line(digest).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds):  # noqa: S310 - as above
            return
    except (urllib.error.URLError, OSError) as error:
        raise DigestNotDelivered(block_no=digest.block_no, url=url, reason=str(error)) from error
