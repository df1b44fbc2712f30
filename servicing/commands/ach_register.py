"""The register of files: what was sent and taken in, and of each entry that was sent until when it may come back.

Reads only. Next: `servicing/commands/ach_sent.py`, `ach_returns.py`, which write it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from ledger.queries.accounts import book
from servicing.nacha.banking_days import Returnable, returnable_until
from servicing.nacha.entry_classes import ENTRY_CLASSES
from servicing.nacha.errors import AchFileUnknown
from servicing.nacha.transaction_codes import Side


@dataclass(frozen=True, slots=True)
class RegisteredFile:
    """A file that was sent, or taken in; amounts in cents."""

    way: str
    file_no: int
    on: date
    entries: int
    debits: int
    credits: int
    sha256: str
    actor: str


@dataclass(frozen=True, slots=True)
class SentEntry:
    """An entry of a file that was sent, until when it may come back, and why it did, if it has."""

    trace: str
    loan_id: int
    side: Side
    amount: int
    entry_class: str
    purpose: str
    settles_on: date
    returnable: Returnable
    code: str | None


_FILES = sa.text(
    "SELECT 'sent' AS way, file_no, made_on AS on_day, entry_count AS entries, debits, credits, sha256, actor,"
    " recorded_at FROM servicing.ach_sent WHERE book_id = :book_id"
    " UNION ALL SELECT 'taken', file_no, taken_on, item_count, debits, credits, sha256, actor, recorded_at"
    " FROM servicing.ach_received WHERE book_id = :book_id ORDER BY recorded_at DESC, way, file_no DESC LIMIT :limit"
)
_ENTRIES = sa.text(
    "SELECT e.trace, e.loan_id, e.side, e.amount, e.entry_class, e.purpose, e.effective_on,"
    " (SELECT i.code FROM servicing.ach_item i WHERE i.original_trace = e.trace AND i.loan_id = e.loan_id"
    "   AND i.outcome = 'returned' ORDER BY i.file_no LIMIT 1) AS code"
    " FROM servicing.ach_sent s JOIN servicing.ach_entry e ON e.file_no = s.file_no"
    # By the index of trace numbers; nothing else finds the entries of a file without reading those of all.
    " AND e.trace BETWEEN s.odfi || lpad(s.first_sequence::text, 7, '0')"
    "   AND s.odfi || lpad(s.last_sequence::text, 7, '0')"
    " JOIN servicing.loan l ON l.loan_id = e.loan_id AND l.book_id = s.book_id"
    " WHERE s.book_id = :book_id AND s.file_no = :file_no ORDER BY e.trace"
)


def registered_files(connection: sa.Connection, book_code: str, *, limit: int = 100) -> tuple[RegisteredFile, ...]:
    """Return the files of a book, the latest first.

    Raises: BookUnknown.
    """
    values = {"book_id": book(connection, book_code).book_id, "limit": limit}
    return tuple(
        RegisteredFile(row.way, row.file_no, row.on_day, row.entries, row.debits, row.credits, row.sha256, row.actor)
        for row in connection.execute(_FILES, values)
    )


def entries_of_file(connection: sa.Connection, book_code: str, file_no: int) -> tuple[SentEntry, ...]:
    """Return the entries of a file that was sent, in the order of the file.

    Raises: BookUnknown; AchFileUnknown.
    """
    values = {"book_id": book(connection, book_code).book_id, "file_no": file_no}
    rows = connection.execute(_ENTRIES, values).all()
    if not rows:
        raise AchFileUnknown(file_no=file_no)
    return tuple(
        SentEntry(
            row.trace,
            row.loan_id,
            Side(row.side),
            row.amount,
            row.entry_class,
            row.purpose,
            row.effective_on,
            returnable_until(
                row.effective_on,
                consumer=ENTRY_CLASSES[row.entry_class].consumer,
                debit=Side(row.side) is Side.DEBIT,
            ),
            row.code,
        )
        for row in rows
    )
