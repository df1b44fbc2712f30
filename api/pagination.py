"""Cursors: where a page of a listing ended, as text that a caller hands back and does not read.

A cursor holds the key of the page's last row, so that the next page begins after it whatever has arrived
meanwhile, and a digest of the question, so that it is refused when it comes back with another one. It grants
nothing and hides nothing: every page is asked for anew, with all its conditions. Next:
`ledger/queries/journal.py`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from api.errors import CursorInvalid
from ledger.queries.journal import JournalKey

VERSION = 1
_LONGEST = 512


def encode(key: Sequence[Any], question: Mapping[str, Any]) -> str:
    """Return the cursor of a key, whose parts are JSON values or dates."""
    parts = [part.isoformat() if isinstance(part, date) else part for part in key]
    text = json.dumps([VERSION, _digest(question), *parts], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, question: Mapping[str, Any]) -> list[Any]:
    """Return the parts of the key, as JSON values.

    Raises: CursorInvalid if the text is no cursor, or that of another question.
    """
    try:
        padded = cursor[:_LONGEST] + "=" * (-len(cursor) % 4)
        document = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise CursorInvalid(reason="it cannot be read") from None
    match document:
        case [version, digest, *parts] if version == VERSION:
            if digest != _digest(question):
                raise CursorInvalid(reason="it belongs to a listing with other filters")
            return parts
    raise CursorInvalid(reason="it is of another version")


def encode_journal(key: JournalKey | None, question: Mapping[str, Any]) -> str | None:
    """Return the cursor after a page of the journal; None after the last page."""
    return None if key is None else encode(key, question)


def decode_journal(cursor: str | None, question: Mapping[str, Any]) -> JournalKey | None:
    """Return the key after which the next page of the journal begins; None for the first page.

    Raises: CursorInvalid.
    """
    if cursor is None:
        return None
    match decode(cursor, question):
        case [str() as day, int() as subledger_id, int() as entry_no]:
            try:
                return JournalKey(date.fromisoformat(day), subledger_id, entry_no)
            except ValueError:
                pass
    raise CursorInvalid(reason="it does not hold the place of an entry")


def _digest(question: Mapping[str, Any]) -> str:
    """Return a short digest of what was asked for, whatever its order; what is not asked for does not
    count."""
    asked = {name: str(value) for name, value in question.items() if value is not None}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
