"""The stamp of a report: the book, the day, and the seal block that it rests on.

Without a block, a report rests on the newest: what is not sealed yet is left out, so that every report can be
drawn again. Next: `gl_export/rendering.py`.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from gl_export import store
from gl_export.rendering import Stamp


def stamp(
    connection: sa.Connection,
    book_code: str,
    *,
    as_of: date,
    known_at: int | None = None,
    from_date: date | None = None,
) -> Stamp:
    """Return the stamp of a report on a day, known at a block or at the newest."""
    block_no = store.head_block(connection) if known_at is None else known_at
    found = store.block_hash(connection, block_no)
    return Stamp(book_code, as_of, block_no, "" if found is None else found.hex(), from_date)
