"""A page of the journal and the moment at which it is known, as both doors ask for them.

Next: `ledger/queries/journal.py`; `api/pagination.py` for cursors.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import sqlalchemy as sa

from api.errors import InputMalformed
from api.pagination import decode_journal, encode_journal
from api.views import Json, MoneyForm, entry_json
from ledger.errors import BlockUnknown
from ledger.queries.accounts import accounts
from ledger.queries.journal import JournalFilter, journal
from ledger.seals import head, known_block


def read_page(
    connection: sa.Connection, wanted: JournalFilter, cursor: str | None, limit: int, money: MoneyForm
) -> Json:
    """Return a page of entries and the cursor of the next one, None if there is none.

    Raises: CursorInvalid; what the query raises.
    """
    question = asdict(wanted)
    page = journal(connection, wanted, after=decode_journal(cursor, question), limit=limit)
    names = {account.code: account for account in accounts(connection, wanted.book)}
    return {
        "entries": [entry_json(view, names, money) for view in page.entries],
        "next_cursor": encode_journal(page.next_key, question),
    }


def moment_of(text: str, place: str) -> datetime:
    """Read a moment with its offset, such as `2026-03-31T17:00Z`; without one it is UTC.

    Raises: InputMalformed.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputMalformed(place=place, reason=f"{text!r} is not a moment such as 2026-03-31T17:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def known_at_block(connection: sa.Connection, known_at: str | None) -> int | None:
    """Return the seal block of an `as known at`: a block's number, or a moment; None is now.

    Raises: InputMalformed; BlockUnknown if there is no such block.
    """
    if known_at is None:
        return None
    if not (known_at.isascii() and known_at.isdigit()):
        return known_block(connection, moment_of(known_at, "known at"))
    latest = head(connection)
    block_no, last = int(known_at), latest.block_no if latest else 0
    if not 1 <= block_no <= last:
        raise BlockUnknown(block_no=block_no, latest=last)
    return block_no
