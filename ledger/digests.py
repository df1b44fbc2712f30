"""Digests of seal blocks as the world outside holds them, and what to say when the database tells another story.

A digest that was published is the one thing that an owner of the database cannot rewrite: a tail that was cut off or
a chain that was written anew is found against it, and against nothing else. Never: files, sockets, a database.
Next: `ledger/seals.py`, which publishes digests and checks them at start-up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger.errors import MalformedRow

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class BlockDigest:
    """The number of a seal block and its hash of 32 bytes."""

    block_no: int
    block_hash: bytes

    def __str__(self) -> str:
        return f"{self.block_no}:{self.block_hash.hex()}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold: what it is called, where it is, what should be there and what is."""

    code: str
    place: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.code}: {self.place}: expected {self.expected}, found {self.found}"


def digest_line(digest: BlockDigest) -> str:
    """Return a digest as one line of JSON, which is how it is published."""
    return json.dumps({"block_no": digest.block_no, "block_hash": digest.block_hash.hex()}) + "\n"


def read_digests(text: str, *, file: str) -> tuple[BlockDigest, ...]:
    """Return the digests of a published file; `file` is its name for error messages.

    Raises: MalformedRow naming the line.
    """
    return tuple(_read_line(line, file=file, row=row) for row, line in enumerate(text.splitlines(), 1) if line.strip())


def _read_line(line: str, *, file: str, row: int) -> BlockDigest:
    try:
        stored = json.loads(line)
        block_no, block_hash = stored["block_no"], stored["block_hash"]
    except (ValueError, KeyError, TypeError):
        raise MalformedRow(
            file=file, row=row, field="line", value=line[:80], reason="it is not a digest as published"
        ) from None
    if not isinstance(block_no, int) or isinstance(block_no, bool) or block_no < 1:
        raise MalformedRow(
            file=file, row=row, field="block_no", value=str(block_no), reason="it is not the number of a block"
        )
    if not isinstance(block_hash, str) or not _HASH.fullmatch(block_hash):
        raise MalformedRow(
            file=file, row=row, field="block_hash", value=str(block_hash), reason="it is not 64 hexadecimal digits"
        )
    return BlockDigest(block_no, bytes.fromhex(block_hash))


def compare_with_published(
    published: Iterable[BlockDigest], *, known: Mapping[int, bytes], head_no: int
) -> tuple[Finding, ...]:
    """Return where the chain departs from what was published: the first block that differs, and whether it ends early.

    `known` holds the hashes of at least those published blocks that the database has; `head_no` is its latest block,
    0 if it has none.
    """
    digests = sorted(set(published))
    forked = (
        digest for digest in digests if digest.block_no <= head_no and known.get(digest.block_no) != digest.block_hash
    )
    findings = [
        Finding(
            "forked-at-block", f"block {digest.block_no}", digest.block_hash.hex(), _hex(known.get(digest.block_no))
        )
        for digest in list(forked)[:1]
    ]
    if digests and digests[-1].block_no > head_no:
        missing = next(digest for digest in digests if digest.block_no > head_no)
        findings.append(
            Finding(
                "truncated-after-block",
                f"block {head_no}",
                f"block {missing.block_no} and what follows",
                "the end of the chain",
            )
        )
    return tuple(findings)


def _hex(value: bytes | None) -> str:
    return "no such block" if value is None else value.hex()
