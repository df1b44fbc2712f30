"""Rows of GL statements, breaks and sign-offs to values and back; every write is an INSERT.

Never: decisions, or a commit. Next: `gl_export/queries/gl_reconciliation.py`,
`gl_export/commands/gl_reconciliation.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from gl_export import gl_statement_tables as tables
from gl_export.breaks import GLBreak, Resolution, SignOff
from gl_export.gl_comparison import AccountKey, BreakKind, Difference, SentBatch, SentLine
from gl_export.gl_file import GLRow, GLStatement, StatementKind
from ledger.money import Money, Total

_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('gl statements:' || :book_id, 0))")


def lock_statements(connection: sa.Connection, book_id: int) -> None:
    """Wait until nobody else takes a statement of this book or works on its breaks; held until the transaction ends."""
    connection.execute(_LOCK, {"book_id": str(book_id)})


# --- Statements -------------------------------------------------------------------------------------------


def load_statements(connection: sa.Connection, book_id: int) -> tuple[GLStatement, ...]:
    """Return a book's statements in the order in which they were taken."""
    table = tables.gl_statement
    rows = connection.execute(sa.select(table).where(table.c.book_id == book_id).order_by(table.c.statement_no))
    return tuple(
        GLStatement(
            row.statement_no,
            StatementKind(row.kind),
            row.from_date,
            row.as_of,
            row.file_name,
            row.sha256,
            row.row_count,
            row.actor,
        )
        for row in rows
    )


def insert_statement(connection: sa.Connection, book_id: int, statement: GLStatement, rows: Sequence[GLRow]) -> None:
    """Write a statement with its rows."""
    head = {
        "book_id": book_id,
        "statement_no": statement.statement_no,
        "kind": str(statement.kind),
        "from_date": statement.from_date,
        "as_of": statement.as_of,
        "file_name": statement.file_name,
        "sha256": statement.sha256,
        "row_count": statement.row_count,
        "actor": statement.actor,
    }
    connection.execute(sa.insert(tables.gl_statement), head)
    connection.execute(
        sa.insert(tables.gl_statement_row),
        [
            {
                "book_id": book_id,
                "statement_no": statement.statement_no,
                "row_no": row.row_no,
                "gl_account": row.gl_account,
                "amount": row.amount.minor,
                "currency": row.amount.currency,
                "posting_date": row.posting_date,
                "reference": row.reference,
                "description": row.description,
            }
            for row in rows
        ],
    )


def found_sums(connection: sa.Connection, book_id: int, statement_no: int) -> dict[AccountKey, Money]:
    """Return what a statement says of each account in all."""
    row = tables.gl_statement_row
    statement = (
        sa.select(row.c.gl_account, row.c.currency, sa.func.sum(row.c.amount).label("amount"))
        .where(row.c.book_id == book_id, row.c.statement_no == statement_no)
        .group_by(row.c.gl_account, row.c.currency)
    )
    return {
        (each.gl_account, each.currency): Total(int(each.amount), each.currency)
        for each in connection.execute(statement)
    }


_SENT_BY_BATCH = """
SELECT b.batch_no, b.batch_id, l.gl_account, l.currency,
       sum(CASE l.side WHEN 'debit' THEN l.amount ELSE -l.amount END) AS amount
  FROM gl_export.batch b
  JOIN gl_export.batch_line l ON l.book_id = b.book_id AND l.batch_no = b.batch_no
 WHERE b.book_id = :book_id AND l.booking_date <= :as_of
 GROUP BY b.batch_no, b.batch_id, l.gl_account, l.currency
 ORDER BY b.batch_no
"""


def sent_batches(connection: sa.Connection, book_id: int, as_of: date) -> tuple[SentBatch, ...]:
    """Return what each batch told the GL of each account through a day, by batch number."""
    names: dict[int, str] = {}
    sums: dict[int, dict[AccountKey, Money]] = {}
    for row in connection.execute(sa.text(_SENT_BY_BATCH), {"book_id": book_id, "as_of": as_of}):
        names[row.batch_no] = row.batch_id
        key = (row.gl_account, row.currency)
        sums.setdefault(row.batch_no, {})[key] = Total(int(row.amount), row.currency)
    return tuple(SentBatch(number, names[number], sums[number]) for number in names)


_SENT_LINES = """
SELECT b.batch_id, l.line_no, l.booking_date, l.gl_account, l.currency,
       CASE l.side WHEN 'debit' THEN l.amount ELSE -l.amount END AS amount
  FROM gl_export.batch b
  JOIN gl_export.batch_line l ON l.book_id = b.book_id AND l.batch_no = b.batch_no
 WHERE b.book_id = :book_id AND l.booking_date BETWEEN :from_date AND :as_of
 ORDER BY b.batch_no, l.line_no
"""


def sent_lines(connection: sa.Connection, book_id: int, from_date: date, as_of: date) -> tuple[SentLine, ...]:
    """Return the lines of all batches that were booked in a period, in the order in which they were sent."""
    values = {"book_id": book_id, "from_date": from_date, "as_of": as_of}
    return tuple(
        SentLine(
            f"{row.batch_id}-{row.booking_date:%Y%m%d}-{row.currency}",
            row.batch_id,
            row.line_no,
            row.booking_date,
            row.gl_account,
            Money(row.amount, row.currency),
        )
        for row in connection.execute(sa.text(_SENT_LINES), values)
    )


# --- Breaks -----------------------------------------------------------------------------------------------


# A break is over with the first later statement that covers its day and does not show it.
_BREAKS = """
WITH seen AS (
    SELECT DISTINCT ON (g.break_no) g.*
      FROM gl_export.gl_break_sighting g WHERE g.book_id = :book_id
     ORDER BY g.break_no, g.statement_no DESC),
owned AS (
    SELECT DISTINCT ON (a.break_no) a.break_no, a.owner
      FROM gl_export.gl_break_action a WHERE a.book_id = :book_id AND a.action = 'assigned'
     ORDER BY a.break_no, a.action_no DESC),
resolved AS (
    SELECT DISTINCT ON (a.break_no) a.break_no, a.reference, a.note, a.difference, a.actor
      FROM gl_export.gl_break_action a WHERE a.book_id = :book_id AND a.action = 'resolved'
     ORDER BY a.break_no, a.action_no DESC)
SELECT b.break_no, b.key, first.as_of AS opened_on, seen.statement_no AS seen_in, seen.kind, seen.gl_account,
       seen.currency, seen.sent, seen.found, seen.posting_date, seen.reference, seen.detail, owned.owner,
       resolved.reference AS resolved_by, resolved.note, resolved.difference, resolved.actor AS resolver,
       later.statement_no AS cleared_by
  FROM gl_export.gl_break b
  JOIN gl_export.gl_statement first ON first.book_id = b.book_id AND first.statement_no = b.statement_no
  JOIN seen ON seen.break_no = b.break_no
  LEFT JOIN owned ON owned.break_no = b.break_no
  LEFT JOIN resolved ON resolved.break_no = b.break_no
 CROSS JOIN LATERAL (
    SELECT min(s.statement_no) AS statement_no FROM gl_export.gl_statement s
     WHERE s.book_id = :book_id AND s.kind = b.kind AND s.statement_no > seen.statement_no
       AND (s.from_date IS NULL OR seen.posting_date BETWEEN s.from_date AND s.as_of)) later
 WHERE b.book_id = :book_id AND (CAST(:kind AS text) IS NULL OR b.kind = :kind)
   AND (:cleared OR later.statement_no IS NULL)
 ORDER BY b.break_no
"""


def load_breaks(
    connection: sa.Connection, book_id: int, *, kind: StatementKind | None = None, cleared: bool = False
) -> tuple[GLBreak, ...]:
    """Return the breaks that stand, by number; with `cleared`, those that are over as well."""
    values = {"book_id": book_id, "kind": None if kind is None else str(kind), "cleared": cleared}
    return tuple(_break(row) for row in connection.execute(sa.text(_BREAKS), values))


def _break(row: Any) -> GLBreak:
    difference = Difference(
        row.key,
        BreakKind(row.kind),
        row.gl_account,
        Total(int(row.sent), row.currency),
        Total(int(row.found), row.currency),
        row.detail,
        row.posting_date,
        row.reference,
    )
    resolution = None
    if row.resolved_by is not None:
        resolution = Resolution(row.resolved_by, row.note, Total(int(row.difference), row.currency), row.resolver)
    return GLBreak(
        break_no=row.break_no,
        opened_on=row.opened_on,
        difference=difference,
        seen_in=row.seen_in,
        owner=row.owner,
        resolution=resolution,
        cleared_by=row.cleared_by,
    )


def last_break(connection: sa.Connection, book_id: int) -> int:
    """Return the number of a book's newest break, 0 if it has none."""
    table = tables.gl_break
    found = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.max(table.c.break_no), 0)).where(table.c.book_id == book_id)
    )
    assert isinstance(found, int)
    return found


def insert_breaks(
    connection: sa.Connection, book_id: int, statement: GLStatement, new: Iterable[tuple[int, Difference]]
) -> None:
    """Write breaks that a statement shows first, by their numbers."""
    rows = [
        {
            "book_id": book_id,
            "break_no": number,
            "kind": str(statement.kind),
            "key": each.key,
            "statement_no": statement.statement_no,
        }
        for number, each in new
    ]
    if rows:
        connection.execute(sa.insert(tables.gl_break), rows)


def insert_sightings(
    connection: sa.Connection, book_id: int, statement_no: int, seen: Iterable[tuple[int, Difference]]
) -> None:
    """Write the breaks that a statement shows, by their numbers."""
    rows = [
        {
            "book_id": book_id,
            "statement_no": statement_no,
            "break_no": number,
            "kind": str(each.kind),
            "gl_account": each.gl_account,
            "currency": each.sent.currency,
            "sent": each.sent.minor,
            "found": each.found.minor,
            "posting_date": each.posting_date,
            "reference": each.reference,
            "detail": each.detail,
        }
        for number, each in seen
    ]
    if rows:
        connection.execute(sa.insert(tables.gl_break_sighting), rows)


def insert_action(connection: sa.Connection, book_id: int, of: GLBreak, action: Mapping[str, Any]) -> None:
    """Write what a person does about a break, for the amount that it has now."""
    table = tables.gl_break_action
    last = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.max(table.c.action_no), 0)).where(
            table.c.book_id == book_id, table.c.break_no == of.break_no
        )
    )
    assert isinstance(last, int)
    row = {"book_id": book_id, "break_no": of.break_no, "action_no": last + 1, "owner": None, "reference": None}
    connection.execute(sa.insert(table), {**row, "note": None, "difference": of.difference.amount.minor, **action})


# --- Sign-off ---------------------------------------------------------------------------------------------


def load_sign_off(connection: sa.Connection, book_id: int, statement_no: int) -> SignOff | None:
    """Return the newest sign-off of a statement, None if it has none."""
    table = tables.gl_sign_off
    row = connection.execute(
        sa.select(table)
        .where(table.c.book_id == book_id, table.c.statement_no == statement_no)
        .order_by(table.c.sign_off_no.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    balances = {
        (each["account"], each["currency"]): Total(int(each["balance"]), each["currency"]) for each in row.balances
    }
    return SignOff(row.statement_no, row.actor, row.approver, balances)


def insert_sign_off(connection: sa.Connection, book_id: int, sign_off: SignOff) -> None:
    """Write a sign-off after those that the statement has; balances are kept as texts of minor units."""
    table = tables.gl_sign_off
    last = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.max(table.c.sign_off_no), 0)).where(
            table.c.book_id == book_id, table.c.statement_no == sign_off.statement_no
        )
    )
    assert isinstance(last, int)
    balances = [
        {"account": account, "currency": currency, "balance": str(money.minor)}
        for (account, currency), money in sorted(sign_off.balances.items())
    ]
    row = {"book_id": book_id, "statement_no": sign_off.statement_no, "sign_off_no": last + 1, "balances": balances}
    connection.execute(sa.insert(table), {**row, "actor": sign_off.prepared_by, "approver": sign_off.approved_by})
