"""Taking a statement of the GL, working on the breaks it shows, and signing it off.

A statement is taken once: the same file for the same day again is the statement that is there. Never: a break that a
person writes; they are found. Next: `gl_export/gl_comparison.py`, `gl_export/breaks.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gl_export import gl_statement_store as store
from gl_export.breaks import GLBreak, SignOff, carry_forward
from gl_export.errors import (
    GLBreakCleared,
    GLBreaksOpen,
    GLBreakUnknown,
    GLSignOffStale,
    GLStatementEmpty,
    GLStatementLate,
)
from gl_export.gl_comparison import Difference, balances_of, compare_balances, compare_detail
from gl_export.gl_file import GLRow, GLStatement, StatementKind
from gl_export.queries.gl_reconciliation import balances, ours_only, reconciliation, statement, statements
from ledger.errors import ApprovalMissing, DateRangeBackwards
from ledger.queries.accounts import book
from ledger.unit_of_work import UnitOfWork

WINDOW_DAYS = 5
"""So many days apart, a line and a row may still be the same."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A statement that was taken: how many breaks it showed first, showed again, and cleared; `is_new` tells whether
    it was not there before."""

    statement: GLStatement
    new: int = 0
    again: int = 0
    cleared: int = 0
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class GLFile:
    """A file of the GL that was read: what it is called, its content, and its rows."""

    name: str
    content: bytes
    rows: Sequence[GLRow]
    kind: StatementKind


def take_statement(
    uow: UnitOfWork,
    book_code: str,
    file: GLFile,
    *,
    as_of: date,
    from_date: date | None = None,
    window_days: int = WINDOW_DAYS,
) -> Taken:
    """Keep a statement, compare it with what the GL was sent, and carry the breaks forward.

    Detail without `from_date` is of the month of `as_of`.

    Raises: BookUnknown; GLStatementEmpty; GLStatementLate; DateRangeBackwards.
    """
    found_book = book(uow.connection, book_code)
    if file.kind is StatementKind.DETAIL:
        from_date = from_date or as_of.replace(day=1)
    _check(file, from_date, as_of)
    store.lock_statements(uow.connection, found_book.book_id)
    there = statements(uow.connection, book_code)
    digest = hashlib.sha256(file.content).digest()
    same_kind = [each for each in there if each.kind is file.kind]
    if same_kind and (same_kind[-1].sha256, same_kind[-1].as_of, same_kind[-1].from_date) == (digest, as_of, from_date):
        return Taken(same_kind[-1], is_new=False)
    new = GLStatement(
        len(there) + 1, file.kind, from_date, as_of, file.name, digest, row_count=len(file.rows), actor=uow.actor
    )
    standing = store.load_breaks(uow.connection, found_book.book_id, kind=file.kind)
    differences = _compare(uow, book_code, new, file.rows, window_days)
    carried = carry_forward(standing, differences)
    first = store.last_break(uow.connection, found_book.book_id) + 1
    numbered = tuple(enumerate(carried.new, start=first))
    store.insert_statement(uow.connection, found_book.book_id, new, file.rows)
    store.insert_breaks(uow.connection, found_book.book_id, new, numbered)
    store.insert_sightings(uow.connection, found_book.book_id, new.statement_no, (*carried.again, *numbered))
    left = store.load_breaks(uow.connection, found_book.book_id, kind=file.kind)
    return Taken(new, len(numbered), len(carried.again), len(standing) + len(numbered) - len(left))


def _check(file: GLFile, from_date: date | None, as_of: date) -> None:
    if not file.rows:
        raise GLStatementEmpty(file=file.name)
    if from_date is None:
        return
    if from_date > as_of:
        raise DateRangeBackwards(from_date=from_date, to_date=as_of)
    for row in file.rows:
        if row.posting_date is not None and not from_date <= row.posting_date <= as_of:
            raise GLStatementLate(
                file=file.name, row=row.row_no, posting_date=row.posting_date, from_date=from_date, as_of=as_of
            )


def _compare(
    uow: UnitOfWork, book_code: str, of: GLStatement, rows: Sequence[GLRow], window_days: int
) -> tuple[Difference, ...]:
    book_id = book(uow.connection, book_code).book_id
    if of.from_date is None:
        found = ours_only(uow.connection, book_code, balances_of(rows))
        return compare_balances(store.sent_batches(uow.connection, book_id, of.as_of), found)
    ours = ours_only(uow.connection, book_code, balances_of(rows))
    known = [row for row in rows if (row.gl_account, row.amount.currency) in ours]
    lines = store.sent_lines(uow.connection, book_id, of.from_date, of.as_of)
    return compare_detail(lines, known, window_days=window_days, through=of.as_of)


def assign_break(uow: UnitOfWork, book_code: str, break_no: int, *, owner: str, note: str | None = None) -> GLBreak:
    """Give a break to a person, who looks into it.

    Raises: BookUnknown; GLBreakUnknown; GLBreakCleared.
    """
    return _act(uow, book_code, break_no, {"action": "assigned", "owner": owner, "note": note})


def resolve_break(
    uow: UnitOfWork, book_code: str, break_no: int, *, reference: str, note: str | None = None
) -> GLBreak:
    """Say what explains a break, by a reference; it holds as long as the break has this amount.

    Raises: BookUnknown; GLBreakUnknown; GLBreakCleared.
    """
    return _act(uow, book_code, break_no, {"action": "resolved", "reference": reference, "note": note})


def _act(uow: UnitOfWork, book_code: str, break_no: int, action: dict[str, str | None]) -> GLBreak:
    book_id = book(uow.connection, book_code).book_id
    store.lock_statements(uow.connection, book_id)
    of = _break(uow, book_code, book_id, break_no)
    if of.cleared_by is not None:
        raise GLBreakCleared(break_no=break_no, statement_no=of.cleared_by)
    store.insert_action(uow.connection, book_id, of, {**action, "actor": uow.actor})
    return _break(uow, book_code, book_id, break_no)


def _break(uow: UnitOfWork, book_code: str, book_id: int, break_no: int) -> GLBreak:
    for each in store.load_breaks(uow.connection, book_id, cleared=True):
        if each.break_no == break_no:
            return each
    raise GLBreakUnknown(book=book_code, break_no=break_no)


def sign_off(uow: UnitOfWork, book_code: str, statement_no: int | None = None) -> SignOff:
    """Sign a statement off, the newest of its kind, by two people; without a number, the newest.

    Raises: BookUnknown; GLStatementUnknown; GLSignOffStale; GLBreaksOpen; ApprovalMissing.
    """
    of = statement(uow.connection, book_code, statement_no)
    if uow.approver in (None, "", uow.actor):
        raise ApprovalMissing(
            action=f"sign-off of GL statement {of.statement_no}", actor=uow.actor, approver=uow.approver or None
        )
    book_id = book(uow.connection, book_code).book_id
    store.lock_statements(uow.connection, book_id)
    newest = max(each.statement_no for each in statements(uow.connection, book_code) if each.kind is of.kind)
    if newest != of.statement_no:
        raise GLSignOffStale(statement_no=of.statement_no, newest=newest)
    found = reconciliation(uow.connection, book_code, of.statement_no)
    _refuse_open(of.statement_no, [each for each in found.breaks if not each.is_explained])
    assert uow.approver is not None
    signed = SignOff(of.statement_no, uow.actor, uow.approver, balances(uow.connection, book_code, of))
    store.insert_sign_off(uow.connection, book_id, signed)
    return signed


def _refuse_open(statement_no: int, open_breaks: Sequence[GLBreak]) -> None:
    for first in open_breaks[:1]:
        amount = first.difference.amount
        raise GLBreaksOpen(
            statement_no=statement_no,
            count=len(open_breaks),
            break_no=first.break_no,
            gl_account=first.difference.gl_account,
            difference=amount.minor,
            currency=amount.currency,
        )
