"""Entries one by one: with their lines as an accountant draws them, what reversed them and what corrected them.

Next: `ledger/queries/journal.py` to search them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from ledger.errors import EntryUnknown
from ledger.journal import BookedEntry, Line, lines_of
from ledger.store import load_entries


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry with its lines, the entry that reversed it, those that corrected it, and the block that sealed it."""

    entry: BookedEntry
    lines: tuple[Line, ...]
    reversed_by: int | None
    corrected_by: tuple[int, ...]
    block_no: int | None


def entry(connection: sa.Connection, subledger_id: int, entry_no: int) -> EntryView:
    """Return one entry with everything around it.

    Raises: EntryUnknown.
    """
    values = {"subledger_id": subledger_id, "entry_no": entry_no}
    found = load_entries(connection, "e.subledger_id = :subledger_id AND e.entry_no = :entry_no", values)
    if not found:
        raise EntryUnknown(subledger_id=subledger_id, entry_no=entry_no)
    return views(connection, found)[0]


def entries(connection: sa.Connection, subledger_id: int, *, after: int = 0) -> tuple[EntryView, ...]:
    """Return the entries of a subledger with numbers above `after`, in order."""
    values = {"subledger_id": subledger_id, "after": after}
    found = load_entries(connection, "e.subledger_id = :subledger_id AND e.entry_no > :after", values)
    return views(connection, found)


def entry_of_request(connection: sa.Connection, subledger_id: int, request_key: str) -> EntryView | None:
    """Return the entry that a request key booked in a subledger, if it has."""
    values = {"subledger_id": subledger_id, "key": request_key}
    found = load_entries(connection, "e.subledger_id = :subledger_id AND e.request_key = :key", values)
    return views(connection, found)[0] if found else None


def entries_of_keys(connection: sa.Connection, keys: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], EntryView]:
    """Return entries by subledger and number, in one round trip each for them and for what came later of them."""
    if not keys:
        return {}
    found = load_entries(
        connection,
        "(e.subledger_id, e.entry_no) IN"
        " (SELECT * FROM unnest(CAST(:subledgers AS bigint[]), CAST(:numbers AS integer[])))",
        {"subledgers": [key[0] for key in keys], "numbers": [key[1] for key in keys]},
    )
    return {(int(view.entry.subledger_id), view.entry.entry_no): view for view in views(connection, found)}


_LATER = sa.text(
    "SELECT w.subledger_id, w.entry_no,"
    " (SELECT r.entry_no FROM ledger.journal_entry r"
    "   WHERE r.subledger_id = w.subledger_id AND r.reverses_no = w.entry_no) AS reversed_by,"
    " (SELECT array_agg(c.entry_no ORDER BY c.entry_no) FROM ledger.journal_entry c"
    "   WHERE c.subledger_id = w.subledger_id AND c.corrects_no = w.entry_no"
    "   AND c.entry_no > w.entry_no) AS corrected_by,"
    " (SELECT m.block_no FROM ledger.seal_member m WHERE m.subledger_id = w.subledger_id AND m.from_no <= w.entry_no"
    "   AND m.to_no >= w.entry_no ORDER BY m.from_no DESC LIMIT 1) AS block_no"
    " FROM unnest(CAST(:subledgers AS bigint[]), CAST(:numbers AS integer[])) w (subledger_id, entry_no)"
)


def views(connection: sa.Connection, found: tuple[BookedEntry, ...]) -> tuple[EntryView, ...]:
    """Return entries with what came later of each."""
    rows = connection.execute(
        _LATER,
        {
            "subledgers": [booked.subledger_id for booked in found],
            "numbers": [booked.entry_no for booked in found],
        },
    )
    later = {(row.subledger_id, row.entry_no): row for row in rows}
    return tuple(
        EntryView(
            entry=booked,
            lines=lines_of(booked.postings),
            reversed_by=later[booked.subledger_id, booked.entry_no].reversed_by,
            corrected_by=tuple(later[booked.subledger_id, booked.entry_no].corrected_by or ()),
            block_no=later[booked.subledger_id, booked.entry_no].block_no,
        )
        for booked in found
    )
