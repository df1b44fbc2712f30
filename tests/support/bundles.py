"""Evidence bundles made without a database: what `ledger/evidence.py` would write, from the pure modules alone.

So the offline verifier, which shares no code with them, is held against `ledger/canonical.py` and `ledger/merkle.py`.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ledger.canonical import (
    ActivityTotal,
    BlockHeader,
    EntryHeader,
    EntryPosting,
    block_hash,
    boolean,
    chart_link,
    day,
    entry_leaf,
    int4,
    member_digest,
    member_leaf_bytes,
    moment,
    record,
    text,
    totals_digest,
)
from ledger.merkle import inclusion_proof, root

Row = dict[str, Any]
Files = dict[str, list[Row]]

BOOK_ID = 1
CASH, PRINCIPAL, INTEREST, INCOME = 1, 2, 3, 4
START = datetime(2026, 1, 5, 17, 0, 0, 250, tzinfo=UTC)


def write_bundle(folder: Path, files: Files, **manifest: Any) -> Path:
    """Write a bundle whose manifest agrees with its files, whatever they hold; `manifest` sets single values."""
    folder.mkdir(exist_ok=True)
    listed = {}
    for name, rows in files.items():
        data = "".join(line(row) for row in rows).encode()
        (folder / name).write_bytes(data)
        listed[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    blocks, entries = files["seal_blocks.jsonl"], files["entries.jsonl"]
    counts = {
        "blocks": len(blocks),
        "members": len(files["seal_members.jsonl"]),
        "entries": len(entries),
        "postings": sum(len(entry["postings"]) for entry in entries),
        "changes": len(files["chart.jsonl"]),
    }
    values = {
        "format": "loanbook-evidence",
        "version": 1,
        "scope": "ledger",
        "subledger_id": None,
        "books": [{"book_id": BOOK_ID, "code": "MAIN", "name": "Main Street", "base_currency": "USD"}],
        "first_block": blocks[0]["block_no"] if blocks else 1,
        "last_block": blocks[-1]["block_no"] if blocks else 0,
        "previous_hash": blocks[0]["previous_hash"] if blocks else None,
        "head_hash": blocks[-1]["block_hash"] if blocks else "",
        "counts": counts,
        "files": listed,
    }
    (folder / "manifest.json").write_text(json.dumps({**values, **manifest}, indent=2) + "\n", encoding="utf-8")
    return folder


def line(row: Mapping[str, Any]) -> str:
    """Return a row as a bundle has it."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


@dataclass
class Books:
    """Entries that grow and are sealed; everything else follows from them."""

    chart: list[Row] = field(default_factory=list)
    sealed: list[list[Row]] = field(default_factory=list)

    def files(self) -> Files:
        """Return the rows of every file, all digests computed from the entries as they are now."""
        files: Files = {"chart.jsonl": self.chart, "entries.jsonl": [], "seal_members.jsonl": []}
        files |= {"seal_blocks.jsonl": [], "seal_totals.jsonl": []}
        chains: dict[int, bytes] = {}
        previous: bytes | None = None
        for block_no, entries in enumerate(self.sealed, 1):
            members = list(_members(block_no, entries, chains))
            totals = _totals(entries)
            header = BlockHeader(
                block_no=block_no,
                previous_hash=previous,
                merkle_root=root(map(_leaf_bytes, members)),
                member_count=len(members),
                entry_count=len(entries),
                posting_count=sum(len(entry["postings"]) for entry in entries),
                totals_digest=totals_digest(totals),
                chart_no=len(self.chart),
                chart_digest=bytes.fromhex(self.chart[-1]["digest"]),
                sealed_at=START + timedelta(days=block_no),
            )
            previous = block_hash(header)
            files["entries.jsonl"] += [{"block_no": block_no, **entry, "leaf": _leaf(entry).hex()} for entry in entries]
            files["seal_members.jsonl"] += members
            files["seal_blocks.jsonl"].append(_block_row(header, previous))
            files["seal_totals.jsonl"] += [_total_row(block_no, total) for total in sorted(totals)]
        return files

    def files_of(self, subledger_id: int) -> Files:
        """Return the rows of one subledger's bundle, with proofs."""
        files = self.files()
        members = files["seal_members.jsonl"]
        del files["seal_totals.jsonl"]
        files["entries.jsonl"] = [row for row in files["entries.jsonl"] if row["subledger_id"] == subledger_id]
        files["seal_members.jsonl"] = [
            {**member, "proof": _proof(member, [each for each in members if each["block_no"] == member["block_no"]])}
            for member in members
            if member["subledger_id"] == subledger_id
        ]
        return files


def sample_books(*, loans: int = 12, seed: int = 7) -> Books:
    """Return books of four entries a loan in three blocks, with every nullable column both ways."""
    choose = random.Random(seed)
    books = Books(list(_chart()), [[], [], []])
    for number, subledger_id in enumerate(range(100, 100 + loans)):
        for entry_no in range(1, 5):
            block = 0 if entry_no < 3 else 1 if entry_no == 3 else 2
            books.sealed[block].append(_entry(subledger_id, entry_no, number, choose))
    return books


def _entry(subledger_id: int, entry_no: int, number: int, choose: random.Random) -> Row:
    booked = date(2026, 1, 5 + entry_no)
    pairs = [(PRINCIPAL, CASH), (INTEREST, INCOME), (CASH, INTEREST)][: choose.randint(1, 3)]
    postings = [
        [
            seq,
            debit,
            credit,
            choose.randint(1, 10 ** choose.randint(3, 12)),
            choose.choice(["USD", "EUR"]),
            booked.isoformat(),
        ]
        for seq, (debit, credit) in enumerate(pairs, 1)
    ]
    return {
        "subledger_id": subledger_id,
        "entry_no": entry_no,
        "book_id": BOOK_ID,
        "template": choose.choice(["loan_funded", "payment_applied"]),
        "template_version": 1,
        "effective_date": (booked - timedelta(days=choose.randint(0, 9))).isoformat(),
        "booking_date": booked.isoformat(),
        "recorded_at": (START + timedelta(days=entry_no, microseconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor": "olga",
        "approved_by": choose.choice([None, "nadia"]),
        "request_key": f"key:{entry_no}",
        "fingerprint": hashlib.sha256(b"%d" % number).hexdigest(),
        "source_ref": choose.choice([None, "", "ach:17"]),
        "reverses_no": None,
        "corrects_no": entry_no - 1 if entry_no == 3 and number % 2 else None,
        "group_id": choose.choice([None, 9]),
        "narration": choose.choice([None, "Zins \u2013 f\u00fcr Zo\u00eb", "payment"]),
        "details": choose.choice([None, '{"apr": 12.50, "tags": ["a", null]}']),
        "posting_count": len(postings),
        "postings": postings,
    }


def _chart() -> Iterable[Row]:
    link: bytes | None = None
    for change_no, (code, slug, kind) in enumerate(
        [
            ("1020", "cash", "asset"),
            ("1210", "principal", "asset"),
            ("1220", "interest", "asset"),
            ("4010", "income", "income"),
        ],
        1,
    ):
        row: Row = {
            "change_no": change_no,
            "account_id": change_no,
            "book_id": BOOK_ID,
            "code": code,
            "slug": slug,
            "type": kind,
            "normal_side": "debit" if kind == "asset" else "credit",
            "currency": None,
            "header": False,
            "subledgered": code.startswith("12"),
            "may_go_contra": True,
            "control": False,
            "opened_from": "2026-01-01",
            "effective_from": "2026-01-01",
            "name": slug.capitalize(),
            "parent_id": None,
            "is_closed": False,
            "actor": "olga",
            "recorded_at": "2026-01-01T09:00:00.000000Z",
        }
        encoders = [int4, int4, int4, text, text, text, text, text, boolean, boolean, boolean, boolean]
        fields = [encode(value) for encode, value in zip(encoders, list(row.values())[:12], strict=True)]  # type: ignore[operator]
        fields += [
            day(date(2026, 1, 1)),
            day(date(2026, 1, 1)),
            text(row["name"]),
            int4(None),
            boolean(False),
            text("olga"),
        ]
        fields.append(moment(datetime(2026, 1, 1, 9, tzinfo=UTC)))
        link = chart_link(link, record(*fields))
        yield {**row, "digest": link.hex()}


def _leaf(entry: Row) -> bytes:
    values = {**entry, "fingerprint": bytes.fromhex(entry["fingerprint"])}
    postings = [
        EntryPosting(
            seq=seq,
            debit_account=debit,
            credit_account=credit,
            amount=amount,
            currency=currency,
            booking_date=date.fromisoformat(booked),
        )
        for seq, debit, credit, amount, currency, booked in values.pop("postings")
    ]
    for name in ("effective_date", "booking_date"):
        values[name] = date.fromisoformat(values[name])
    values["recorded_at"] = datetime.fromisoformat(values["recorded_at"])
    return entry_leaf(EntryHeader(**values), postings)


def _members(block_no: int, entries: list[Row], chains: dict[int, bytes]) -> Iterable[Row]:
    for subledger_id in sorted({entry["subledger_id"] for entry in entries}):
        own = [entry for entry in entries if entry["subledger_id"] == subledger_id]
        from_no, to_no, previous = own[0]["entry_no"], own[-1]["entry_no"], chains.get(subledger_id)
        digest = member_digest(
            subledger_id=subledger_id, from_no=from_no, to_no=to_no, previous_digest=previous, leaves=map(_leaf, own)
        )
        chains[subledger_id] = digest
        yield {
            "block_no": block_no,
            "subledger_id": subledger_id,
            "from_no": from_no,
            "to_no": to_no,
            "previous": previous.hex() if previous else None,
            "digest": digest.hex(),
        }


def _leaf_bytes(member: Row) -> bytes:
    return member_leaf_bytes(
        subledger_id=member["subledger_id"],
        from_no=member["from_no"],
        to_no=member["to_no"],
        digest=bytes.fromhex(member["digest"]),
    )


def _proof(member: Row, members: list[Row]) -> Row:
    index = members.index(member)
    return {
        "index": index,
        "hashes": [each.hex() for each in inclusion_proof([_leaf_bytes(each) for each in members], index)],
    }


def _totals(entries: list[Row]) -> list[ActivityTotal]:
    sums: dict[tuple[Any, ...], list[int]] = {}
    for entry in entries:
        for _, debit, credit, amount, currency, _ in entry["postings"]:
            for side, account in enumerate((debit, credit)):
                days = (date.fromisoformat(entry["booking_date"]), date.fromisoformat(entry["effective_date"]))
                sums.setdefault((BOOK_ID, account, currency, *days), [0, 0])[side] += amount
    return [ActivityTotal(*key, *sides) for key, sides in sums.items()]


def _total_row(block_no: int, total: ActivityTotal) -> Row:
    row = {"block_no": block_no, **total._asdict()}
    return {
        **row,
        "booking_date": total.booking_date.isoformat(),
        "effective_date": total.effective_date.isoformat(),
        "debit": str(total.debit),
        "credit": str(total.credit),
    }


def _block_row(header: BlockHeader, digest: bytes) -> Row:
    row = {name: getattr(header, name) for name in header.__slots__}
    plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
    sealed_at = header.sealed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {**plain, "sealed_at": sealed_at, "block_hash": digest.hex()}
