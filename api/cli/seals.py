"""`loanbook seal`, `verify` and `evidence`: proof that nothing was altered, removed or back-dated.

Digests of blocks are published to the file and the address that the settings name; what was published is held
against the database before it seals on. Next: `ledger/seals.py`; `ledger/verify.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.options import changes_installation, reads_installation
from api.cli.output import Column, print_facts, print_line, print_table
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.digests import BlockDigest, Finding

FINDING_COLUMNS = (
    Column("code", "Finding"),
    Column("place", "Where"),
    Column("expected", "Expected", long=True),
    Column("found", "Found", long=True),
)


@click.command()
@changes_installation
def seal(session: Session) -> int:
    """Seal what was posted since the last seal, in one more block of the chain.

    The hash of the block is appended to LOANBOOK_DIGEST_FILE and posted to LOANBOOK_DIGEST_WEBHOOK, where
    they are set. A database that departs from what was published, or whose guards (triggers, grants, functions)
    are not those of this version, is not sealed on; the exit code is then 1.

    \b
    loanbook seal
    LOANBOOK_DIGEST_FILE=/mnt/worm/digests.jsonl loanbook seal --json
    """
    from api.guards import require_guards
    from api.views import plain
    from ledger.seals import seal as seal_now

    require_guards(session.edge)
    if departs_from_published(session):
        return 1
    block = session.change(seal_now)
    if not session.dry_run:
        _publish(session)
    if block is None:
        session.show({"block": None}, lambda: print_line("Everything that was posted is sealed already."))
        return 0
    text = (
        f"Block {block.block_no}: {block.entry_count} entries of {block.member_count} subledgers, "
        f"hash {block.block_hash.hex()}"
    )
    session.show({"block": plain(block)}, lambda: print_line(text))
    return 0


def departs_from_published(session: Session) -> bool:
    """Tell, and show where, the database departs from what was published: it was restored, or written anew."""
    from api.views import plain
    from ledger.seals import check_against_published

    published = _published(session)
    if not published:
        return False
    findings = session.read(lambda connection: check_against_published(connection, published))
    if findings:
        session.show({"findings": plain(findings)}, lambda: print_findings(findings))
    return bool(findings)


def _published(session: Session) -> tuple[BlockDigest, ...]:
    from ledger.seals import read_published

    file = session.settings.digest_file
    return () if file is None else read_published(file)


def _publish(session: Session) -> None:
    """Publish what was not published yet: every block to the file, the latest to the address."""
    from ledger.seals import head, publish_to_file, publish_to_webhook

    file, address = session.settings.digest_file, session.settings.digest_webhook
    if file is not None:
        session.read(lambda connection: publish_to_file(connection, file))
    if address is not None:
        latest = session.read(head)
        if latest is not None:
            publish_to_webhook(latest.digest, str(address))


@click.command()
@click.option("--digests", type=click.Path(path_type=Path), help="Published digests [default: LOANBOOK_DIGEST_FILE].")
@click.option("--digest", "known", metavar="BLOCK:HASH", multiple=True, help="A digest that you hold, repeatable.")
@reads_installation
def verify(session: Session, digests: Path | None, known: tuple[str, ...]) -> int:
    """Recompute every digest, total and balance, and report what differs; exit code 1 if anything does.

    The guards of the schema (triggers, grants, functions, constraints) are held against the manifest that this
    version was delivered with. Without a digest from outside the database it can show that the books are
    consistent, not that they are the ones that were sealed: an owner of the database could have written all of
    them anew. Nobody waits for it.

    \b
    loanbook verify
    loanbook verify --digest 12:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    """
    from api.cli.progress import progress
    from api.views import plain
    from ledger.seals import read_published
    from ledger.self_check import self_check
    from ledger.verify import verify as verify_books

    published = (*(_published(session) if digests is None else read_published(digests)), *map(_digest, known))
    with progress("Verifying", quiet=session.as_json) as advance:
        report = session.read(lambda connection: verify_books(connection, published=published, on_progress=advance))
    findings = (*session.read(self_check), *report.findings)
    verdict = _verdict(holds=not findings, anchored=bool(published))
    facts = {
        "verdict": verdict,
        "blocks": report.blocks,
        "entries": report.entries,
        "postings": report.postings,
        "latest_block": None if report.head is None else str(report.head),
    }
    document = {**facts, "holds": not findings, "findings": plain(findings)}

    def people() -> None:
        print_facts({name.replace("_", " "): value for name, value in facts.items()})
        print_findings(findings)

    session.show(document, people)
    return 1 if findings else 0


def _verdict(*, holds: bool, anchored: bool) -> str:
    if not holds:
        return "damaged"
    return "verified against published digests" if anchored else "consistent but unanchored"


def _digest(text: str) -> BlockDigest:
    """Read `BLOCK:HASH`.

    Raises: InputMalformed.
    """
    from api.errors import InputMalformed
    from ledger.digests import BlockDigest

    number, _, digits = text.partition(":")
    try:
        block_no, block_hash = int(number), bytes.fromhex(digits)
    except ValueError:
        block_no, block_hash = 0, b""
    if block_no < 1 or len(block_hash) != 32:
        reason = "a digest is the number of a block, a colon and 64 hexadecimal digits"
        raise InputMalformed(place="--digest", reason=reason)
    return BlockDigest(block_no, block_hash)


def print_findings(findings: tuple[Finding, ...]) -> None:
    """Print what does not hold, if anything."""
    rows: list[dict[str, Any]] = [
        {"code": each.code, "place": each.place, "expected": each.expected, "found": each.found} for each in findings
    ]
    if rows:
        print_table(FINDING_COLUMNS, rows, title=f"{len(rows)} findings")
