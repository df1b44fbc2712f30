#!/usr/bin/env python3
"""Verify a Loanbook evidence bundle without a database: this one file, Python 3.11 or later, nothing else.

    python3 verify.py BUNDLE [--digest BLOCK:HASH | --digests FILE]... [--public-key HEX]

Everything that can be recomputed is: each entry's hash, each subledger's chain, the Merkle root, totals and hash of
each block, the chain of blocks, the chart of accounts. A digest that you hold already (published by the lender, or kept
from an earlier audit) is what proves that these are the books that were sealed; without one a bundle can only be shown
to agree with itself. Exit status: 0 nothing is wrong, 1 something is, 2 the bundle or the command cannot be read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

FORMAT, VERSION = "loanbook-evidence", 1
SHOWN = 20  # findings printed before the rest is only counted

Row = dict[str, Any]
TotalKey = tuple[int, int, str, str, str]


class Unreadable(Exception):
    """The bundle, or what was said on the command line, is not of the form that it should have."""


class Finding(NamedTuple):
    """What does not hold, and where: `edited`, `missing`, `truncated`, `forked` or `unsigned`."""

    kind: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.place}: {self.reason}"


# --- The byte form: PostgreSQL's record_send, column by column -------------------------------------------------------


def _integer(oid: int, size: int) -> Callable[[int | None], bytes]:
    head, null = oid.to_bytes(4, "big") + size.to_bytes(4, "big"), oid.to_bytes(4, "big") + b"\xff\xff\xff\xff"
    return lambda value: null if value is None else head + value.to_bytes(size, "big", signed=True)


def _bytes(oid: int) -> Callable[[bytes | None], bytes]:
    head, null = oid.to_bytes(4, "big"), oid.to_bytes(4, "big") + b"\xff\xff\xff\xff"
    return lambda value: null if value is None else head + len(value).to_bytes(4, "big") + value


int2, int4, int8, bytea, _text = _integer(21, 2), _integer(23, 4), _integer(20, 8), _bytes(17), _bytes(25)
_days, _micros = _integer(1082, 4), _integer(1184, 8)
_EPOCH_DAY, _EPOCH = date(2000, 1, 1).toordinal(), datetime(2000, 1, 1, tzinfo=UTC)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)


def text(value: str | None) -> bytes:
    return _text(None if value is None else value.encode())


def boolean(value: bool) -> bytes:
    return b"\x00\x00\x00\x10\x00\x00\x00\x01" + (b"\x01" if value else b"\x00")


def day(value: str) -> bytes:
    found = date.fromisoformat(value)
    if found.isoformat() != value:
        raise ValueError(f"{value} is not a date")
    return _days(found.toordinal() - _EPOCH_DAY)


def moment(value: str) -> bytes:
    if not _MOMENT.fullmatch(value):
        raise ValueError(f"{value} is not a moment")
    since = datetime.fromisoformat(value) - _EPOCH
    return _micros((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def unhex(value: str | None) -> bytes | None:
    if value is not None and not _HEX.fullmatch(value):
        raise ValueError(f"{value[:80]} is not hexadecimal")
    return None if value is None else bytes.fromhex(value)


def hexed(value: str | None) -> bytes:
    return bytea(unhex(value))


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class Form(NamedTuple):
    """A kind of row: its fields in order, how each is encoded (None: not in the record), and which may be null."""

    columns: dict[str, Callable[[Any], bytes] | None]
    nulls: frozenset[str] = frozenset()


ENTRY = Form(
    {
        "block_no": None, "subledger_id": int8, "entry_no": int4, "book_id": int4, "template": text,
        "template_version": int2, "effective_date": day, "booking_date": day, "recorded_at": moment, "actor": text,
        "approved_by": text, "request_key": text, "fingerprint": hexed, "source_ref": text, "reverses_no": int4,
        "corrects_no": int4, "group_id": int8, "narration": text, "details": text, "posting_count": int2,
        "postings": None, "leaf": None,
    },
    frozenset({"approved_by", "source_ref", "reverses_no", "corrects_no", "group_id", "narration", "details"}),
)  # fmt: skip
POSTING = Form(
    {
        "seq": int2, "debit_account": int4, "credit_account": int4, "amount": int8, "currency": text,
        "booking_date": day,
    },
)  # fmt: skip
MEMBER = Form(
    {"block_no": None, "subledger_id": int8, "from_no": int4, "to_no": int4, "previous": None, "digest": hexed},
    frozenset({"previous"}),
)
BLOCK = Form(
    {
        "block_no": int8, "previous_hash": hexed, "merkle_root": hexed, "member_count": int8, "entry_count": int8,
        "posting_count": int8, "totals_digest": hexed, "chart_no": int4, "chart_digest": hexed, "sealed_at": moment,
        "block_hash": None,
    },
    frozenset({"previous_hash"}),
)  # fmt: skip
TOTAL = Form(
    {
        "block_no": None, "book_id": int4, "account_id": int4, "currency": text, "booking_date": day,
        "effective_date": day, "debit": text, "credit": text,
    },
)  # fmt: skip
CHANGE = Form(
    {
        "change_no": int4, "account_id": int4, "book_id": int4, "code": text, "slug": text, "type": text,
        "normal_side": text, "currency": text, "header": boolean, "subledgered": boolean, "may_go_contra": boolean,
        "control": boolean, "opened_from": day, "effective_from": day, "name": text, "parent_id": int4,
        "is_closed": boolean, "actor": text, "recorded_at": moment, "digest": None,
    },
    frozenset({"currency", "parent_id"}),
)  # fmt: skip
FILES = {"seal_members": MEMBER, "entries": ENTRY, "seal_totals": TOTAL}
TOTAL_KEY = ("book_id", "account_id", "currency", "booking_date", "effective_date")
KINDS: dict[Any, type] = {int2: int, int4: int, int8: int, boolean: bool}
PLAIN = {"block_no": int, "postings": list}
POSTING_KINDS = [KINDS.get(encode, str) for encode in POSTING.columns.values()]


def record(row: Row, form: Form) -> bytes:
    parts = [encode(row[name]) for name, encode in form.columns.items() if encode is not None]
    return len(parts).to_bytes(4, "big") + b"".join(parts)


def member_record(subledger_id: int, from_no: int, to_no: int, digest: bytes | None) -> bytes:
    return b"\x00\x00\x00\x04" + int8(subledger_id) + int4(from_no) + int4(to_no) + bytea(digest)


# --- The Merkle tree of RFC 9162, 2.1 --------------------------------------------------------------------------------


class Tree:
    """A root over leaves that come one by one."""

    def __init__(self) -> None:
        self._subtrees: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        height, node = 0, sha256(b"\x00" + leaf)
        while self._subtrees and self._subtrees[-1][0] == height:
            node, height = sha256(b"\x01" + self._subtrees.pop()[1] + node), height + 1
        self._subtrees.append((height, node))

    def root(self) -> bytes:
        nodes = [node for _, node in self._subtrees] or [sha256(b"")]
        while len(nodes) > 1:
            right = nodes.pop()
            nodes[-1] = sha256(b"\x01" + nodes[-1] + right)
        return nodes[0]


def included(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Tell whether a proof leads from a leaf to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, node = index, size - 1, sha256(b"\x00" + leaf)
    for sibling in proof:
        if last == 0:
            return False
        if place % 2 or place == last:
            node = sha256(b"\x01" + sibling + node)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            node = sha256(b"\x01" + node + sibling)
        place, last = place // 2, last // 2
    return last == 0 and node == root


# --- Ed25519 signatures, RFC 8032, 5.1 -------------------------------------------------------------------------------

_P, _L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
Point = tuple[int, int, int, int]


def _add(one: Point, two: Point) -> Point:
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, two
    a, b = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: Point) -> Point:
    found: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = _add(found, point)
        point, scalar = _add(point, point), scalar >> 1
    return found


def _point(data: bytes) -> Point | None:
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(data) != 32 or y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


_BASE = _point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


def signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether an Ed25519 signature of a message was made with the key that belongs to a public one."""
    key, nonce, scalar = _point(public_key), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or nonce is None or _BASE is None or len(signature) != 64 or scalar >= _L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _L
    left, right = _times(scalar, _BASE), _add(nonce, _times(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % _P == 0 and (left[1] * right[2] - right[1] * left[2]) % _P == 0


# --- The bundle ------------------------------------------------------------------------------------------------------


class Bundle:
    """A folder, or a zip file of one, whose files are read line by line."""

    def __init__(self, path: Path) -> None:
        self._folder = None if path.is_file() else path
        try:
            self._zip = zipfile.ZipFile(path) if path.is_file() else None
            self.names = sorted(self._zip.namelist() if self._zip else (each.name for each in path.iterdir()))
        except (OSError, zipfile.BadZipFile) as error:
            raise Unreadable(f"{path} is neither a folder nor a zip file: {error}") from error

    def open(self, name: str) -> Any:
        try:
            return self._zip.open(name) if self._zip else (self._folder or Path()).joinpath(name).open("rb")
        except (OSError, KeyError) as error:
            raise Unreadable(f"{name} is not in the bundle") from error

    def read(self, name: str) -> bytes:
        with self.open(name) as stream:
            return bytes(stream.read())

    def hash(self, name: str) -> str:
        found = hashlib.sha256()
        with self.open(name) as stream:
            while chunk := stream.read(1 << 20):
                found.update(chunk)
        return found.hexdigest()

    def rows(self, name: str, form: Form, findings: list[Finding]) -> Iterator[Row]:
        """Yield the rows of a file of JSON lines; a line that is not exactly one becomes a finding."""
        if name not in self.names:
            findings.append(Finding("missing", name, "the file is not in the bundle"))
            return
        with self.open(name) as stream:
            for number, line in enumerate(stream, 1):
                try:
                    yield read_row(line.decode(), form)
                except (ValueError, TypeError, OverflowError, RecursionError) as error:
                    findings.append(Finding("edited", f"{name}, line {number}", str(error)[:120]))


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_row(line: str, form: Form) -> Row:
    """Return the row of a line in the one way that it can be written.

    Raises: ValueError, TypeError or OverflowError saying what is wrong.
    """
    row = json.loads(line)
    extra = ["proof"] if form is MEMBER and isinstance(row, dict) and "proof" in row else []
    if not isinstance(row, dict) or list(row) != [*form.columns, *extra] or dumps(row) + "\n" != line:
        raise ValueError("the line is not written as this format writes it")
    for name, encode in form.columns.items():
        if row[name] is None:
            if name not in form.nulls:
                raise TypeError(f"{name} is null")
        elif type(row[name]) is not PLAIN.get(name, KINDS.get(encode, str)):
            raise TypeError(f"{name} is of another kind")
        elif encode is not None:
            encode(row[name])
        elif name in ("previous", "digest", "leaf", "block_hash"):
            unhex(row[name])
    for values in row["postings"] if form is ENTRY else ():
        if not isinstance(values, list) or [type(value) for value in values] != POSTING_KINDS:
            raise TypeError("a posting is of another form")
        record(dict(zip(POSTING.columns, values, strict=True)), POSTING)
    return row


def parse_digest(value: str) -> tuple[int, str]:
    """Return the block number and hash of `BLOCK:HASH`, or of a published line of JSON."""
    try:
        stored = json.loads(value) if value.lstrip().startswith("{") else None
        number, digest = (stored["block_no"], stored["block_hash"]) if stored else value.strip().split(":")
        if len(bytes.fromhex(digest)) != 32 or int(number) < 1:
            raise ValueError
        return int(number), digest.lower()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unreadable(f"{value.strip()[:90]!r} is not BLOCK:HASH") from None


# --- What is recomputed ----------------------------------------------------------------------------------------------


class Ahead:
    """Rows of a file in the order of their blocks and subledgers, taken as far as they belong to what is asked for."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, block_no: int, subledger_id: int = -1) -> Iterator[Row]:
        """Yield the rows that come next and are of a block, or of one subledger in it."""
        wanted = (block_no, subledger_id)
        return self._while(lambda row: (row["block_no"], row["subledger_id"] if subledger_id >= 0 else -1) == wanted)

    def before(self, block_no: int, subledger_id: int = -1) -> Iterator[Row]:
        """Yield the rows that come next and should have come before."""
        return self._while(lambda row: (row["block_no"], row.get("subledger_id", -1)) < (block_no, subledger_id))

    def _while(self, condition: Callable[[Row], bool]) -> Iterator[Row]:
        while self._next is not None and condition(self._next):
            row, self._next = self._next, next(self._rows, None)
            yield row


@dataclass
class Tally:
    """What one block adds up to, or all of them together."""

    members: int = 0
    entries: int = 0
    postings: int = 0
    totals: dict[TotalKey, list[int]] = field(default_factory=dict)
    tree: Tree = field(default_factory=Tree)


class Audit:
    """One reading of a bundle from its first row to its last; what does not hold is in `findings`."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.findings: list[Finding] = []
        self.manifest = self._read_manifest()
        self.hashes: dict[int, str] = {}
        self.all = Tally()
        self.changes = 0
        self.whole = self.manifest["scope"] == "ledger"
        self.files = ("seal_members", "entries", "seal_totals") if self.whole else ("seal_members", "entries")
        self._chains: dict[int, tuple[int, str | None]] = {}
        self._accounts: dict[int, tuple[int, int]] = {}
        self._chart = {0: sha256(b"").hex()}

    def _read_manifest(self) -> Row:
        try:
            manifest = json.loads(self.bundle.read("manifest.json"))
            if (manifest["format"], manifest["version"]) != (FORMAT, VERSION):
                raise Unreadable(f"manifest.json is not of format {FORMAT} version {VERSION}")
            numbers = [manifest["first_block"], manifest["last_block"], *manifest["counts"].values()]
            texts = [manifest["scope"], manifest["head_hash"], *(each["sha256"] for each in manifest["files"].values())]
            if [type(each) for each in numbers + texts] != [int] * len(numbers) + [str] * len(texts):
                raise Unreadable("manifest.json has a value of another kind")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable(f"manifest.json cannot be read: {error!r}") from error
        return dict(manifest)

    def run(self) -> Audit:
        self._check_files()
        self._check_chart()
        files = {name: Ahead(self._rows(f"{name}.jsonl", form)) for name, form in FILES.items() if name in self.files}
        number, previous = self.manifest["first_block"] - 1, self.manifest["previous_hash"]
        for block in self._rows("seal_blocks.jsonl", BLOCK):
            self._check_block(block, number, previous)
            self._check_content(block, files)
            number, previous = block["block_no"], block["block_hash"]
        for rows in files.values():
            self._out_of_place(rows.before(sys.maxsize))
        self._check_manifest(number, previous)
        return self

    def _rows(self, name: str, form: Form) -> Iterator[Row]:
        return self.bundle.rows(name, form, self.findings)

    def _out_of_place(self, rows: Iterator[Row]) -> None:
        for row in rows:
            self._note("edited", _place(row), "it is out of its place")

    def _note(self, kind: str, place: str, reason: str) -> None:
        self.findings.append(Finding(kind, place, reason))

    def _check_files(self) -> None:
        listed = self.manifest["files"]
        for name in sorted({*listed, *self.bundle.names} - {"manifest.json", "manifest.sig"}):
            if name not in self.bundle.names:
                self._note("missing", name, "the manifest lists it")
            elif name not in listed or self.bundle.hash(name) != listed[name]["sha256"]:
                self._note("edited", name, "its hash is not the one in the manifest")

    def _check_manifest(self, last: int, head_hash: str) -> None:
        if last < self.manifest["last_block"]:
            self._note(
                "truncated", f"after block {last}", f"the manifest ends with block {self.manifest['last_block']}"
            )
        counts = {"blocks": len(self.hashes), "members": self.all.members, "entries": self.all.entries}
        counts |= {"postings": self.all.postings, "changes": self.changes}
        if (last, head_hash, counts) != tuple(self.manifest[name] for name in ("last_block", "head_hash", "counts")):
            self._note("edited", "manifest.json", "its last block, head or counts are not those of the bundle")

    def _check_chart(self) -> None:
        link = b""
        for change in self._rows("chart.jsonl", CHANGE):
            self.changes += 1
            link = sha256(link + record(change, CHANGE))
            if change["change_no"] != self.changes or change["digest"] != link.hex():
                self._note("edited", f"change {self.changes} of the chart", "it does not follow from the one before it")
                link = unhex(change["digest"]) or b""
            self._chart[self.changes] = link.hex()
            self._accounts.setdefault(change["account_id"], (change["book_id"], self.changes))

    def _check_block(self, block: Row, before: int, previous: str | None) -> None:
        place = f"block {block['block_no']}"
        self.hashes[block["block_no"]] = block["block_hash"]
        if block["block_no"] != before + 1:
            self._note("missing", f"block {before + 1}", f"{place} comes next")
        if sha256(b"\x01" + record(block, BLOCK)).hex() != block["block_hash"]:
            self._note("edited", place, "its hash is another")
        if block["previous_hash"] != previous:
            self._note("edited", place, "it does not follow from the block before it")
        if self._chart.get(block["chart_no"]) != block["chart_digest"]:
            self._note("edited", place, "its digest of the chart is another")

    def _check_content(self, block: Row, files: dict[str, Ahead]) -> None:
        number, tally, before = block["block_no"], Tally(), -1
        for rows in files.values():
            self._out_of_place(rows.before(number))
        for member in files["seal_members"].of(number):
            if member["subledger_id"] <= before:
                self._note("edited", _place(member), "the members of a block are not in order")
            before = member["subledger_id"]
            self._out_of_place(files["entries"].before(number, before))
            self._check_member(member, list(files["entries"].of(number, before)), block, tally)
        if self.whole:
            self._check_tally(block, tally, list(files["seal_totals"].of(number)))
        self.all.members += tally.members
        self.all.entries += tally.entries
        self.all.postings += tally.postings

    def _check_tally(self, block: Row, tally: Tally, stated: list[Row]) -> None:
        place = f"block {block['block_no']}"
        for name, count in (("member", tally.members), ("entry", tally.entries), ("posting", tally.postings)):
            if block[f"{name}_count"] != count:
                kind = "missing" if block[f"{name}_count"] > count else "edited"
                self._note(kind, place, f"its {name} count is {block[f'{name}_count']}, but {count} are here")
        if tally.tree.root().hex() != block["merkle_root"]:
            self._note("edited", place, "its Merkle root is not that of its members")
        keys = [tuple(row[name] for name in TOTAL_KEY) for row in stated]
        sums = [[row["debit"], row["credit"]] for row in stated]
        computed = sorted(tally.totals.items())
        if keys != [key for key, _ in computed] or sums != [
            [str(debit), str(credit)] for _, (debit, credit) in computed
        ]:
            self._note("edited", place, "its totals are not those of its postings")
        if sha256(b"".join(record(row, TOTAL) for row in stated)).hex() != block["totals_digest"]:
            self._note("edited", place, "the digest of its totals is another")

    def _check_member(self, member: Row, entries: list[Row], block: Row, tally: Tally) -> None:
        subledger_id, from_no, to_no = member["subledger_id"], member["from_no"], member["to_no"]
        start = (0, None) if self.manifest["first_block"] == 1 else (from_no - 1, member["previous"])
        last_no, previous = self._chains.get(subledger_id, start)
        if from_no > last_no + 1:
            self._note("missing", f"at ({subledger_id}, {last_no + 1})", f"the next member begins with entry {from_no}")
        elif from_no <= last_no or to_no < from_no or member["previous"] != previous:
            self._note("edited", _place(member), "the member does not follow from the one before it")
        self._chains[subledger_id] = (to_no, member["digest"])
        present = [entry["entry_no"] for entry in entries]
        whole = present == list(range(from_no, from_no + len(present))) and from_no + len(present) == to_no + 1
        if not whole:
            known = set(present)
            absent = next((number for number in range(from_no, to_no + 1) if number not in known), None)
            kind, number = ("edited", from_no) if absent is None else ("missing", absent)
            self._note(kind, f"at ({subledger_id}, {number})", f"the member is of entries {from_no} to {to_no}")
        faults = [self._fault(entry, block["chart_no"], tally) for entry in entries]
        for entry, (_, fault) in zip(entries, faults, strict=True):
            if fault:
                self._note("edited", _place(entry), fault)
        leaves = b"".join(leaf for leaf, _ in faults)
        digest = sha256(b"\x01" + member_record(subledger_id, from_no, to_no, unhex(member["previous"])) + leaves)
        if digest.hex() != member["digest"] and whole and not any(fault for _, fault in faults):
            self._note("edited", f"at ({subledger_id}, {from_no}..{to_no})", "the digest of these entries is another")
        self._check_place_in_tree(member, block, tally)

    def _check_place_in_tree(self, member: Row, block: Row, tally: Tally) -> None:
        leaf = record(member, MEMBER)
        tally.members += 1
        tally.tree.add(leaf)
        if self.whole:
            return
        try:
            proof = [unhex(each) or b"" for each in member["proof"]["hashes"]]
            root, index = unhex(block["merkle_root"]) or b"", int(member["proof"]["index"])
            holds = included(leaf, index, block["member_count"], proof, root)
        except (KeyError, TypeError, ValueError):
            holds = False
        if not holds:
            self._note("edited", _place(member), f"its proof does not lead to the root of block {block['block_no']}")

    def _fault(self, entry: Row, chart_no: int, tally: Tally) -> tuple[bytes, str]:
        """Return an entry's hash, and what is wrong with it, if anything is."""
        faults = []
        postings = [dict(zip(POSTING.columns, values, strict=True)) for values in entry["postings"]]
        leaf = sha256(b"\x01" + record(entry, ENTRY) + b"".join(record(posting, POSTING) for posting in postings))
        if leaf.hex() != entry["leaf"]:
            faults.append("its hash is another")
        if [posting["seq"] for posting in postings] != list(range(1, entry["posting_count"] + 1)):
            faults.append("its postings are not numbered as the header declares")
        for posting in postings:
            if posting["amount"] <= 0 or posting["debit_account"] == posting["credit_account"]:
                faults.append("a posting is not an amount from one account to another")
            if posting["booking_date"] != entry["booking_date"]:
                faults.append("a posting is booked on another day")
            for side, name in enumerate(("debit_account", "credit_account")):
                book_id, change_no = self._accounts.get(posting[name], (None, 0))
                if book_id != entry["book_id"] or change_no > chart_no:
                    faults.append(f"account {posting[name]} is not in the chart of its book")
                key = (
                    entry["book_id"],
                    posting[name],
                    posting["currency"],
                    entry["booking_date"],
                    entry["effective_date"],
                )
                tally.totals.setdefault(key, [0, 0])[side] += posting["amount"]
        tally.entries += 1
        tally.postings += len(postings)
        return leaf, ", ".join(faults[:2])


def _place(row: Row) -> str:
    number = row.get("entry_no", row.get("from_no"))
    return f"at ({row['subledger_id']}, {number})" if "subledger_id" in row else f"in block {row['block_no']}"


def check_digests(audit: Audit, digests: Iterable[tuple[int, str]]) -> int:
    """Compare the chain with digests held outside and return the latest block that one of them proves, 0 for none."""
    first, last = audit.manifest["first_block"], max(audit.hashes, default=0)
    hashes = {first - 1: audit.manifest["previous_hash"], **audit.hashes}
    proved = 0
    for number, digest in sorted(digests):
        if number > last:
            audit.findings.append(
                Finding("truncated", f"after block {last}", f"a digest of block {number} was published")
            )
            break
        if number in hashes and hashes[number] != digest:
            audit.findings.append(Finding("forked", f"at block {number}", f"the digest held outside is {digest}"))
            break
        proved = number if number in hashes else proved
    return proved


def check_signature(audit: Audit, public_key: str | None) -> str:
    """Check the manifest's signature against the signer's public key and say what came of it."""
    if public_key is None:
        return "The signature was not checked: no --public-key was given."
    try:
        stored = json.loads(audit.bundle.read("manifest.sig"))
        holds = signed(unhex(public_key) or b"", audit.bundle.read("manifest.json"), unhex(stored["signature"]) or b"")
    except (Unreadable, ValueError, KeyError, TypeError):
        holds = False
    if holds:
        return f"The manifest is signed with the key {public_key}."
    audit.findings.append(Finding("unsigned", "manifest.json", "it is not signed with the key given"))
    return "The signature does not hold."


def verdict(audit: Audit, proved: int) -> str:
    """Return the one line that says what was proved."""
    first, last = audit.manifest["first_block"], audit.manifest["last_block"]
    if audit.findings:
        return f"NOT VERIFIED: {len(audit.findings)} findings; the first: {audit.findings[0]}"
    extent = f"blocks {first} to {last}, {audit.all.entries} entries, {audit.all.postings} postings"
    if not audit.whole:
        extent += (
            f" of subledger {audit.manifest['subledger_id']} (only a whole bundle proves that none came after them)"
        )
    if proved >= last:
        return f"VERIFIED: {extent}, against the digest held for block {proved}"
    if proved >= first:
        return f"VERIFIED through block {proved}; consistent but unanchored after it: {extent}"
    return f"CONSISTENT BUT UNANCHORED: {extent}; head {last}:{audit.manifest['head_hash']}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="a folder or zip file as exported")
    parser.add_argument("--digest", action="append", default=[], metavar="BLOCK:HASH", help="a digest that you hold")
    parser.add_argument(
        "--digests", action="append", default=[], type=Path, metavar="FILE", help="a file of published digests"
    )
    parser.add_argument(
        "--public-key", metavar="HEX", help="the signer's Ed25519 key, had from elsewhere than the bundle"
    )
    chosen = parser.parse_args(arguments)
    try:
        lines = [
            line for file in chosen.digests for line in file.read_text(encoding="utf-8").splitlines() if line.strip()
        ]
        digests = [parse_digest(each) for each in chosen.digest + lines]
        audit = Audit(Bundle(chosen.bundle)).run()
    except (Unreadable, OSError) as error:
        print(f"cannot verify: {error}", file=sys.stderr)
        return 2
    print(check_signature(audit, chosen.public_key))
    proved = check_digests(audit, digests)
    for finding in audit.findings[:SHOWN]:
        print(f"- {finding}")
    if len(audit.findings) > SHOWN:
        print(f"- and {len(audit.findings) - SHOWN} more")
    print(verdict(audit, proved))
    return 1 if audit.findings else 0


if __name__ == "__main__":
    sys.exit(main())
