"""Evidence bundles: what was sealed, as files that anybody can check without this database.

A bundle holds entries with their postings, members, blocks, totals and the chart as JSON lines, a manifest with the
hash of every file, its signature, and the script that verifies all of it. Made twice of the same blocks it is the same,
byte for byte. A bundle of one subledger proves that loan to its auditor, and shows nothing of the others.
Next: `ledger/evidence_rows.py` for the rows; `ledger/offline_verifier.py` for what an auditor runs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ledger.digests import BlockDigest
from ledger.errors import BlockUnknown, EvidenceTargetRefused, SigningKeyInvalid, SubledgerUnknown
from ledger.evidence_rows import blocks, books, changes, entries, line, members, plain, proved_members, totals
from ledger.seals import block, head

FORMAT, VERSION = "loanbook-evidence", 1

Progress = Callable[[int, int], None]
"""Called with the blocks written so far and the blocks there are."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A bundle that was written: where, the digest of its last block, what it counts, and the signer's public key."""

    path: Path
    head: BlockDigest
    blocks: int
    members: int
    entries: int
    postings: int
    public_key: str | None


def export(
    connection: sa.Connection,
    target: Path,
    *,
    from_block: int = 1,
    to_block: int | None = None,
    subledger_id: int | None = None,
    signing_key: Ed25519PrivateKey | None = None,
    on_progress: Progress | None = None,
) -> Evidence:
    """Write a bundle to a new folder, or to a new zip file if the target's name ends so.

    Of every subledger, or of one with its proofs; both blocks are included, and the latest is meant if none is named.

    Raises: BlockUnknown; SubledgerUnknown; EvidenceTargetRefused if something is there already.
    """
    if target.exists():
        raise EvidenceTargetRefused(target=str(target), reason="something is there already")
    first, last = _range(connection, from_block, to_block)
    if subledger_id is not None:
        _refuse_unknown(connection, subledger_id)
    # Hashes are of text as the client's encoding has it.
    connection.execute(sa.text("SET LOCAL client_encoding TO 'UTF8'"))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".evidence-") as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        writer = _Writer(connection, folder, first, last, subledger_id)
        writer.write(on_progress)
        manifest = writer.manifest()
        public_key = _sign(folder, manifest, signing_key)
        if target.suffix == ".zip":
            _zip(folder, Path(scratch) / "bundle.zip").rename(target)
        else:
            folder.rename(target)
    counts = manifest["counts"]
    return Evidence(
        target,
        BlockDigest(last, bytes.fromhex(manifest["head_hash"])),
        counts["blocks"],
        counts["members"],
        counts["entries"],
        counts["postings"],
        public_key,
    )


def _range(connection: sa.Connection, from_block: int, to_block: int | None) -> tuple[int, int]:
    latest = head(connection)
    known = latest.block_no if latest else 0
    last = known if to_block is None else to_block
    for number in (from_block, last):
        if not 1 <= number <= known or from_block > last:
            raise BlockUnknown(block_no=number, latest=known)
    return from_block, last


def _refuse_unknown(connection: sa.Connection, subledger_id: int) -> None:
    found = connection.scalar(
        sa.text("SELECT count(*) FROM ledger.subledger WHERE subledger_id = :id"), {"id": subledger_id}
    )
    if not found:
        raise SubledgerUnknown(subledger_id=subledger_id)


class _Writer:
    """The files of one bundle, written one after the other, hashed and counted as they are."""

    def __init__(
        self, connection: sa.Connection, folder: Path, first: int, last: int, subledger_id: int | None
    ) -> None:
        self._connection, self._folder = connection, folder
        self._first, self._last, self._subledger_id = first, last, subledger_id
        self._counts = dict.fromkeys(("blocks", "members", "entries", "postings", "changes"), 0)
        self._files: dict[str, dict[str, Any]] = {}

    def write(self, on_progress: Progress | None) -> None:
        """Write every file but the manifest."""
        sealed = list(blocks(self._connection, self._first, self._last))
        self._write("seal_blocks.jsonl", sealed, "blocks")
        self._write("chart.jsonl", changes(self._connection, max(row["chart_no"] for row in sealed)), "changes")
        which = (self._first, self._last, self._subledger_id)
        self._write("entries.jsonl", self._counting(entries(self._connection, *which), on_progress), "entries")
        if self._subledger_id is None:
            self._write("seal_members.jsonl", members(self._connection, self._first, self._last), "members")
            self._write("seal_totals.jsonl", totals(self._connection, self._first, self._last))
        else:
            rows = proved_members(self._connection, self._first, self._last, self._subledger_id)
            self._write("seal_members.jsonl", rows, "members")
        self._copy("verify.py", files("ledger").joinpath("offline_verifier.py").read_bytes())
        self._copy("README.txt", _README.encode())

    def _counting(self, rows: Iterable[dict[str, Any]], on_progress: Progress | None) -> Iterable[dict[str, Any]]:
        before, total = 0, self._last - self._first + 1
        for row in rows:
            self._counts["postings"] += len(row["postings"])
            if on_progress is not None and row["block_no"] != before:
                before = row["block_no"]
                on_progress(before - self._first, total)
            yield row
        if on_progress is not None:
            on_progress(total, total)

    def _write(self, name: str, rows: Iterable[dict[str, Any]], counted: str | None = None) -> None:
        digest, number = hashlib.sha256(), 0
        with (self._folder / name).open("wb") as stream:
            for row in rows:
                number += 1
                data = line(row)
                digest.update(data)
                stream.write(data)
        self._files[name] = {"sha256": digest.hexdigest(), "bytes": (self._folder / name).stat().st_size}
        if counted:
            self._counts[counted] = number

    def _copy(self, name: str, data: bytes) -> None:
        (self._folder / name).write_bytes(data)
        self._files[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}

    def manifest(self) -> dict[str, Any]:
        """Return the manifest, which says nothing that another export of the same blocks would not say."""
        last = block(self._connection, self._last)
        before = block(self._connection, self._first - 1)
        assert last is not None
        return {
            "format": FORMAT,
            "version": VERSION,
            "scope": "ledger" if self._subledger_id is None else "subledger",
            "subledger_id": self._subledger_id,
            "books": list(books(self._connection)),
            "first_block": self._first,
            "last_block": self._last,
            "previous_hash": before.block_hash.hex() if before else None,
            "head_hash": last.block_hash.hex(),
            "sealed_at": plain(last.sealed_at),
            "counts": self._counts,
            "files": dict(sorted(self._files.items())),
        }


def _sign(folder: Path, manifest: dict[str, Any], key: Ed25519PrivateKey | None) -> str | None:
    """Write the manifest and, if there is a key, the signature beside it; return the public key."""
    data = (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
    (folder / "manifest.json").write_bytes(data)
    if key is None:
        return None
    public_key = public_key_of(key)
    signature = {"algorithm": "Ed25519", "public_key": public_key, "signature": key.sign(data).hex()}
    (folder / "manifest.sig").write_text(json.dumps(signature, indent=2) + "\n", encoding="utf-8")
    return public_key


def _zip(folder: Path, target: Path) -> Path:
    """Pack the files in order of their names, all with the same old date, so that the zip is the same each time."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(file.name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with file.open("rb") as source, archive.open(entry, "w", force_zip64=True) as packed:
                shutil.copyfileobj(source, packed)
    return target


def new_signing_key() -> str:
    """Return a new key for signing evidence, as PEM."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def read_signing_key(text: str) -> Ed25519PrivateKey:
    """Return the key of a setting: PEM, or 64 hexadecimal digits.

    Raises: SigningKeyInvalid.
    """
    try:
        if "-----BEGIN" in text:
            key = load_pem_private_key(text.encode(), password=None)
        else:
            key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip()))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyInvalid(reason=str(error)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyInvalid(reason="it is not an Ed25519 key")
    return key


def public_key_of(key: Ed25519PrivateKey) -> str:
    """Return the public half of a key in hexadecimal digits: what an auditor is given."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


_README = """\
What this is
============
Journal entries as they were sealed, with everything needed to prove that none was altered, removed or put in later.
One line of JSON for each row; hashes are SHA-256 in hexadecimal digits; amounts are in minor units of their currency.

  entries.jsonl       every journal entry, its postings (number, debit account, credit account, amount, currency,
                      booking date) and its hash, in order of block, subledger and number
  seal_members.jsonl  which entries of which subledger each block sealed, and their digest; in a bundle of one
                      subledger also the proof that it belongs to the block
  seal_blocks.jsonl   the chain of blocks
  seal_totals.jsonl   what each block adds to each account by day (not in a bundle of one subledger)
  chart.jsonl         the chart of accounts, change by change
  manifest.json       the extent of the bundle, counts, and the hash of every file
  manifest.sig        an Ed25519 signature of manifest.json, if the lender signs
  verify.py           the verifier: one file, Python 3.11 or later, nothing to install

How to verify
=============
  python3 verify.py . --digest BLOCK:HASH --public-key HEX

Take the digest from where the lender publishes them, or from your last audit, never from the bundle itself: it is what
proves that these are the books that were sealed. Without one the answer is "consistent but unanchored" at best. If you
do not trust the copy of verify.py in here, take it from elsewhere: it is the same file in every bundle of a version.

  VERIFIED                      everything holds, up to a block whose digest you hold
  CONSISTENT BUT UNANCHORED     the bundle agrees with itself; nothing shows that it is the true one
  edited at (subledger, entry)  that entry, or that run of entries, is not what was sealed
  missing                       an entry, a member, a block or a file is not there
  truncated after block N       blocks after N were published, and the bundle ends before them
  forked at block N             the chain was another when its digest was published
  unsigned                      the signature is not that of the key given

Exit status: 0 nothing is wrong, 1 something is, 2 the bundle or the command cannot be read.
"""
