"""Verification in the database: everything that can be recomputed is, and whatever does not hold is named.

Digests, blocks and totals from the entries; balances, activity and periods from what they are copies of; the chart from
its changes; and all of it against digests that were published outside. Reads only, waits for nobody, needs no lock.
Next: `ledger/sql/verify_seals.sql`, `ledger/sql/verify_books.sql`; `ledger/offline_verifier.py` for the same without
a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from ledger.digests import BlockDigest, Finding
from ledger.seals import check_against_published, head

CHECKS = (
    ("entries, members and heads", "find_broken_members"),
    ("heads of subledgers", "find_missing_heads"),
    ("blocks", "find_broken_blocks"),
    ("totals and accounts", "find_broken_totals"),
    ("balances", "find_broken_balances"),
    ("activity and closed periods", "find_broken_activity"),
    ("chart of accounts", "find_broken_chart"),
    ("periods", "find_broken_periods"),
    ("reversals and request keys", "find_broken_entries"),
)
"""What is checked, for people, and the function of the database that checks it."""

FINDINGS_PER_CHECK = 1_000

Progress = Callable[[int, int, str], None]
"""Called before each check with the checks done, the checks there are, and what is checked next."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found, how much was sealed, and the digest of the latest block."""

    findings: tuple[Finding, ...]
    blocks: int
    members: int
    entries: int
    postings: int
    head: BlockDigest | None

    @property
    def holds(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings


def verify(
    connection: sa.Connection,
    *,
    published: Iterable[BlockDigest] = (),
    on_progress: Progress | None = None,
) -> VerifyReport:
    """Recompute everything and return what does not hold, at most a thousand findings of each check.

    Each check is one statement, hence true to one moment, while others post. Without a published digest the books
    can be shown to be consistent, but not that they are the ones that were sealed.
    """
    findings = list(_encoding(connection))
    for done, (title, function) in enumerate(CHECKS):
        if on_progress is not None:
            on_progress(done, len(CHECKS), title)
        findings += _check(connection, title, function)
    findings += check_against_published(connection, published)
    latest = head(connection)
    blocks, members, entries, postings = map(int, connection.execute(_COUNTS).one())
    if on_progress is not None:
        on_progress(len(CHECKS), len(CHECKS), "done")
    digest = latest.digest if latest else None
    return VerifyReport(tuple(findings), blocks, members, entries, postings, digest)


_COUNTS = sa.text(
    "SELECT count(*), coalesce(sum(member_count), 0), coalesce(sum(entry_count), 0), coalesce(sum(posting_count), 0)"
    " FROM ledger.seal_block"
)


def _check(connection: sa.Connection, title: str, function: str) -> list[Finding]:
    statement = sa.text(f"SELECT code, place, expected, found FROM ledger.{function}() LIMIT :limit")  # noqa: S608 - declared above
    rows = connection.execute(statement, {"limit": FINDINGS_PER_CHECK + 1}).all()
    found = [Finding(*row) for row in rows[:FINDINGS_PER_CHECK]]
    if len(rows) > FINDINGS_PER_CHECK:
        found.append(Finding("more-findings", title, f"{FINDINGS_PER_CHECK} findings at most", "more"))
    return found


def _encoding(connection: sa.Connection) -> Iterable[Finding]:
    encoding = connection.scalar(sa.text("SHOW server_encoding"))
    if encoding != "UTF8":
        yield Finding("encoding-differs", "the database", "UTF8", str(encoding))
