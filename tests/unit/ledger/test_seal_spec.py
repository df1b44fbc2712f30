"""The page that describes the byte form shows figures that hold."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from pathlib import Path

from ledger.canonical import EntryHeader, EntryPosting, entry_bytes, entry_leaf

PAGE = Path(__file__).parents[3] / "docs" / "spec" / "seals.md"


def block(kind: str) -> str:
    """Return the text of the page's block of this kind."""
    found = re.search(rf"^```\w+ {kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert found is not None
    return found[1]


def test_the_entry_on_the_page_has_the_bytes_and_the_leaf_on_the_page() -> None:
    columns = json.loads(block("entry"))
    postings = [
        EntryPosting(**{**posting, "booking_date": date.fromisoformat(posting["booking_date"])})
        for posting in columns.pop("postings")
    ]
    header = EntryHeader(
        **{
            **columns,
            "effective_date": date.fromisoformat(columns["effective_date"]),
            "booking_date": date.fromisoformat(columns["booking_date"]),
            "recorded_at": datetime.fromisoformat(columns["recorded_at"]),
            "fingerprint": bytes.fromhex(columns["fingerprint"]),
        }
    )

    assert entry_bytes(header, postings).hex() == "".join(block("bytes").split())
    assert entry_leaf(header, postings).hex() == block("leaf").strip()
