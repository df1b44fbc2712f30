"""`loanbook seal` and `verify`: proof that nothing was altered, removed or back-dated.

Next: `api/cli/sealing.py` for what is checked before and published after; `ledger/seals.py`; `ledger/verify.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.options import changes_installation, reads_installation
from api.cli.output import print_facts, print_line
from api.cli.session import Session

if TYPE_CHECKING:
    from ledger.digests import BlockDigest

DIGEST_FILES = click.option(
    "--digests",
    "files",
    metavar="FILE",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A file of published digests, repeatable.",
)
DIGESTS = click.option(
    "--digest", "known", metavar="BLOCK:HASH", multiple=True, help="A digest that you hold, repeatable."
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
    from api.cli.sealing import sealing
    from api.views import plain
    from ledger.seals import seal as seal_now

    with sealing(session):
        block = session.change(seal_now)
    if block is None:
        session.show({"block": None}, lambda: print_line("Everything that was posted is sealed already."))
        return 0
    text = (
        f"Block {block.block_no}: {block.entry_count} entries of {block.member_count} subledgers, "
        f"hash {block.block_hash.hex()}"
    )
    session.show({"block": plain(block)}, lambda: print_line(text))
    return 0


@click.command()
@DIGEST_FILES
@DIGESTS
@reads_installation
def verify(session: Session, files: tuple[Path, ...], known: tuple[str, ...]) -> int:
    """Recompute every digest, total and balance, and report what differs; exit code 1 if anything does.

    The guards of the schema (triggers, grants, functions, constraints) are held against the manifest that this
    version was delivered with. Without a digest from outside the database it can show that the books are
    consistent, not that they are the ones that were sealed: an owner of the database could have written all of
    them anew. What LOANBOOK_DIGEST_FILE holds is taken where no --digests is given. Nobody waits for it.

    \b
    loanbook verify
    loanbook verify --digests out/demo-1000-20260101/digests/2026-03.jsonl
    loanbook verify --digest 12:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    """
    from api.cli.progress import progress
    from api.cli.sealing import print_findings, published_digests, read_digest_files
    from api.views import plain
    from ledger.self_check import self_check
    from ledger.verify import verify as verify_books

    held = (*(read_digest_files(files) if files else published_digests(session)), *map(_digest, known))
    with progress("Verifying", quiet=session.as_json) as advance:
        report = session.read(lambda connection: verify_books(connection, published=held, on_progress=advance))
    findings = (*session.read(self_check), *report.findings)
    anchor = max((digest.block_no for digest in held), default=None)
    facts = {
        "verdict": _verdict(holds=not findings, anchored=anchor is not None),
        "anchored_through_block": anchor if not findings else None,
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
