"""Rows of bank statements, lines and matches to values and back; every write is an INSERT.

Never: decisions, or a commit. Next: `gl_export/queries/bank.py`, `gl_export/commands/bank.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gl_export import bank_tables as tables
from gl_export.bank.kept import KeptLine, KeptMatch, Part
from gl_export.bank.statement import BankLine, BankStatement
from ledger.money import Money

_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('bank:' || :book_id, 0))")


def lock_bank(connection: sa.Connection, book_id: int) -> None:
    """Wait until nobody else takes statements or matches lines of this book; held until the transaction ends."""
    connection.execute(_LOCK, {"book_id": str(book_id)})


# --- Statements -------------------------------------------------------------------------------------------


def insert_statement(
    connection: sa.Connection, book_id: int, statement: BankStatement, *, sha256: bytes, actor: str
) -> int | None:
    """Write a statement without its lines; return its number, None if this file gave it already."""
    table = tables.bank_statement
    last = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.max(table.c.statement_no), 0)).where(table.c.book_id == book_id)
    )
    row = {
        "book_id": book_id,
        "statement_no": int(last or 0) + 1,
        "account": statement.account,
        "statement_id": statement.statement_id,
        "currency": statement.currency,
        "as_of": statement.as_of,
        "opening": None if statement.opening is None else statement.opening.minor,
        "closing": None if statement.closing is None else statement.closing.minor,
        "file_name": statement.file,
        "sha256": sha256,
        "actor": actor,
    }
    written = postgresql.insert(table).values(row).on_conflict_do_nothing().returning(table.c.statement_no)
    found: int | None = connection.scalar(written)
    return found


def known_lines(connection: sa.Connection, book_id: int, statement: BankStatement) -> dict[str, BankLine]:
    """Return the lines that are kept under the keys of a statement."""
    table = tables.bank_line
    keys = [key for key, _ in statement.keyed_lines()]
    rows = connection.execute(
        sa.select(table).where(
            table.c.book_id == book_id,
            table.c.account == statement.account,
            table.c.currency == statement.currency,
            table.c.key == sa.any_(sa.literal(keys, postgresql.ARRAY(sa.Text))),
        )
    )
    return {row.key: _line(row) for row in rows}


def insert_lines(
    connection: sa.Connection, book_id: int, statement_no: int, of: BankStatement, lines: Sequence[tuple[str, BankLine]]
) -> None:
    """Write lines that are new, by their keys."""
    table = tables.bank_line
    last = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.max(table.c.line_no), 0)).where(table.c.book_id == book_id)
    )
    rows = [
        {
            "book_id": book_id,
            "line_no": number,
            "statement_no": statement_no,
            "account": of.account,
            "key": key,
            "place": line.place,
            "booking_date": line.booking_date,
            "value_date": line.value_date,
            "amount": line.amount.minor,
            "currency": line.amount.currency,
            "kind": line.kind,
            "names": list(line.references),
            "text": line.text,
        }
        for number, (key, line) in enumerate(lines, start=int(last or 0) + 1)
    ]
    if rows:
        connection.execute(sa.insert(table), rows)


_LINES = """
SELECT l.*, s.file_name, p.match_no
  FROM gl_export.bank_line l
  JOIN gl_export.bank_statement s ON s.book_id = l.book_id AND s.statement_no = l.statement_no
  LEFT JOIN (
    SELECT p.book_id, p.key, p.match_no FROM gl_export.bank_match_part p
     WHERE p.side = 'line' AND NOT EXISTS (
           SELECT 1 FROM gl_export.bank_match_undone u
            WHERE u.book_id = p.book_id AND u.side = p.side AND u.key = p.key AND u.times_before = p.times_before)) p
    ON p.book_id = l.book_id AND p.key = CAST(l.line_no AS text)
 WHERE l.book_id = :book_id AND (NOT :open_only OR p.match_no IS NULL)
 ORDER BY l.booking_date, l.line_no
"""


def load_lines(connection: sa.Connection, book_id: int, *, open_only: bool) -> tuple[KeptLine, ...]:
    """Return the lines of a book by day; `open_only` leaves out those that are matched."""
    rows = connection.execute(sa.text(_LINES), {"book_id": book_id, "open_only": open_only})
    return tuple(KeptLine(row.line_no, row.account, row.file_name, _line(row), row.match_no) for row in rows)


def _line(row: Any) -> BankLine:
    return BankLine(
        row.place,
        row.booking_date,
        Money(row.amount, row.currency),
        row.value_date,
        row.kind,
        None,
        tuple(row.names),
        row.text,
    )


# --- Open items -------------------------------------------------------------------------------------------

# Of postings by the block ranges of the date index; what settles rails bears the reference of a settlement.
_MOVED = """
SELECT e.subledger_id, e.entry_no, a.code, p.booking_date, p.currency, e.source_ref,
       v.payload->>'external_id' AS external_id, t.traces,
       sum(CASE WHEN p.debit_account = a.account_id THEN p.amount ELSE -p.amount END) AS amount
  FROM ledger.account a
  JOIN ledger.posting p ON p.booking_date BETWEEN :from_date AND :to_date
       AND a.account_id IN (p.debit_account, p.credit_account)
  JOIN ledger.journal_entry e ON e.subledger_id = p.subledger_id AND e.entry_no = p.entry_no
  LEFT JOIN servicing.event v ON v.loan_id = e.subledger_id AND v.event_no = CAST(e.details->>'because_event' AS int)
  LEFT JOIN LATERAL (
    SELECT array_agg(m.trace ORDER BY m.trace) AS traces FROM servicing.payment_move m
     WHERE m.loan_id = v.loan_id AND m.event_no = v.event_no AND m.trace IS NOT NULL) t ON true
 WHERE a.book_id = :book_id AND a.code = ANY (:codes)
   AND (e.source_ref IS NULL OR e.source_ref NOT LIKE 'settlement:%')
 GROUP BY e.subledger_id, e.entry_no, a.code, p.booking_date, p.currency, e.source_ref, external_id, t.traces
HAVING sum(CASE WHEN p.debit_account = a.account_id THEN p.amount ELSE -p.amount END) <> 0
 ORDER BY p.booking_date, e.subledger_id, e.entry_no, a.code
"""

_SETTLED = """
SELECT e.source_ref, p.currency,
       sum(CASE WHEN p.credit_account = a.account_id THEN p.amount ELSE -p.amount END) AS amount
  FROM ledger.journal_entry e
  JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no
  JOIN ledger.account a ON a.account_id IN (p.debit_account, p.credit_account) AND a.code = ANY (:codes)
 WHERE e.subledger_id = :own AND e.booking_date >= :from_date AND e.source_ref LIKE 'settlement:%'
 GROUP BY e.source_ref, p.currency
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """What an entry did to a rail's clearing account, debits positive, and what it is called."""

    subledger_id: int
    entry_no: int
    code: str
    day: date
    amount: Money
    names: tuple[str, ...]


def load_moved(
    connection: sa.Connection, book_id: int, codes: Sequence[str], from_date: date, to_date: date
) -> tuple[Moved, ...]:
    """Return what entries booked in a period did to clearing accounts, settlements left out."""
    values = {"book_id": book_id, "codes": list(codes), "from_date": from_date, "to_date": to_date}
    return tuple(
        Moved(
            row.subledger_id,
            row.entry_no,
            row.code,
            row.booking_date,
            Money(int(row.amount), row.currency),
            tuple(name for name in (row.source_ref, row.external_id, *(row.traces or ())) if name),
        )
        for row in connection.execute(sa.text(_MOVED), values)
    )


def load_settled(
    connection: sa.Connection, own: int, codes: Sequence[str], from_date: date
) -> dict[tuple[str, str], int]:
    """Return what was settled, in minor units, by the reference of the settlement and currency."""
    values = {"own": own, "codes": list(codes), "from_date": from_date}
    rows = connection.execute(sa.text(_SETTLED), values)
    return {(row.source_ref, row.currency): int(row.amount) for row in rows}


def references_of(connection: sa.Connection, own: int, entries: Sequence[int]) -> dict[int, str]:
    """Return the source references of entries of the book's own subledger, by number."""
    statement = sa.text(
        "SELECT entry_no, source_ref FROM ledger.journal_entry"
        " WHERE subledger_id = :own AND entry_no = ANY (CAST(:entries AS bigint[]))"
    )
    rows = connection.execute(statement, {"own": own, "entries": list(entries)})
    return {row.entry_no: row.source_ref for row in rows}


# --- Matches ----------------------------------------------------------------------------------------------


_PARTS = """
SELECT p.match_no, p.side, p.key, p.amount, p.currency, p.times_before
  FROM gl_export.bank_match_part p
 WHERE p.book_id = :book_id {some} AND NOT EXISTS (
       SELECT 1 FROM gl_export.bank_match_undone u
        WHERE u.book_id = p.book_id AND u.side = p.side AND u.key = p.key AND u.times_before = p.times_before)
 ORDER BY p.match_no, p.side DESC, p.key
"""


def load_matches(connection: sa.Connection, book_id: int) -> tuple[KeptMatch, ...]:
    """Return the matches that stand, in order."""
    parts: dict[int, list[Part]] = {}
    for row in connection.execute(sa.text(_PARTS.format(some="")), {"book_id": book_id}):
        parts.setdefault(row.match_no, []).append(Part(row.side, row.key, Money(row.amount, row.currency)))
    table = tables.bank_match
    rows = connection.execute(sa.select(table).where(table.c.book_id == book_id).order_by(table.c.match_no))
    return tuple(
        KeptMatch(row.match_no, row.rule, row.score, row.why, tuple(row.entries), row.actor, tuple(parts[row.match_no]))
        for row in rows
        if row.match_no in parts
    )


def matched_items(connection: sa.Connection, book_id: int, keys: Sequence[str]) -> frozenset[str]:
    """Return those of these items that are in a match."""
    statement = sa.text(_PARTS.format(some="AND p.side = 'item' AND p.key = ANY (CAST(:keys AS text[]))"))
    return frozenset(row.key for row in connection.execute(statement, {"book_id": book_id, "keys": list(keys)}))


# In one statement, for that is what the guard of equal sides looks at.
_INSERT_PARTS = sa.text(
    "INSERT INTO gl_export.bank_match_part"
    " (book_id, match_no, side, key, times_before, undone_before, amount, currency)"
    " SELECT :book_id, :match_no, side, key, times, nullif(times - 1, -1), amount, currency FROM unnest("
    "CAST(:sides AS text[]), CAST(:keys AS text[]), CAST(:times AS int[]), CAST(:amounts AS bigint[]),"
    " CAST(:currencies AS text[])) p (side, key, times, amount, currency)"
)


def insert_match(
    connection: sa.Connection, book_id: int, head: Mapping[str, Any], parts: Sequence[Part], entries: Sequence[int]
) -> int:
    """Write a match with its parts; return its number."""
    table = tables.bank_match
    last = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.max(table.c.match_no), 0)).where(table.c.book_id == book_id)
    )
    number = int(last or 0) + 1
    connection.execute(sa.insert(table), {**head, "book_id": book_id, "match_no": number, "entries": list(entries)})
    before = _times(connection, book_id, parts)
    values = {
        "book_id": book_id,
        "match_no": number,
        "sides": [part.side for part in parts],
        "keys": [part.key for part in parts],
        "times": [before.get((part.side, part.key), 0) for part in parts],
        "amounts": [part.amount.minor for part in parts],
        "currencies": [part.amount.currency for part in parts],
    }
    connection.execute(_INSERT_PARTS, values)
    return number


def _times(connection: sa.Connection, book_id: int, parts: Iterable[Part]) -> dict[tuple[str, str], int]:
    """Return how often each of these was in a match that was undone."""
    table = tables.bank_match_undone
    keys = sorted({part.key for part in parts})
    rows = connection.execute(
        sa.select(table.c.side, table.c.key, sa.func.count().label("times"))
        .where(table.c.book_id == book_id, table.c.key == sa.any_(sa.literal(keys, postgresql.ARRAY(sa.Text))))
        .group_by(table.c.side, table.c.key)
    )
    return {(row.side, row.key): row.times for row in rows}


def insert_undone(connection: sa.Connection, book_id: int, match: KeptMatch, *, reason: str, actor: str) -> None:
    """Write that every part of a match is undone."""
    before = _times(connection, book_id, match.parts)
    rows = [
        {
            "book_id": book_id,
            "side": part.side,
            "key": part.key,
            "times_before": before.get((part.side, part.key), 0),
            "match_no": match.match_no,
            "reason": reason,
            "actor": actor,
        }
        for part in match.parts
    ]
    connection.execute(sa.insert(tables.bank_match_undone), rows)
