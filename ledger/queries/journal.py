"""Searching the journal: by book, account, subledger, kind, dates, people, keys, amounts and words; page by page.

A page ends with a key (booking date, subledger, number) that never changes, so that a listing is complete however many
entries arrive meanwhile. The days are read in growing windows, which the block ranges of the date index serve: the
first page of ten million entries does not sort them. Next: `ledger/queries/statement.py` for one account.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from ledger.errors import TextRefused
from ledger.queries.accounts import find_account
from ledger.queries.entries import EntryView, entries_of_keys
from ledger.store import load_book

MAX_LIMIT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFilter:
    """What entries are looked for; None: any. Ranges include both ends; amounts are minor units of one posting.

    An account is named by its code or its slug. `text` is found anywhere in the narration, without regard to case.
    `known_at` is a seal block's number.
    """

    book: str
    account: str | None = None
    subledger_id: int | None = None
    template: str | None = None
    booked_from: date | None = None
    booked_to: date | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    actor: str | None = None
    approved_by: str | None = None
    request_key: str | None = None
    source_ref: str | None = None
    group_id: int | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    currency: str | None = None
    text: str | None = None
    known_at: int | None = None


class JournalKey(NamedTuple):
    """Where a page ended; the next one begins after it."""

    booking_date: date
    subledger_id: int
    entry_no: int


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Entries by booking date, subledger and number; `next_key` is None on the last page."""

    entries: tuple[EntryView, ...]
    next_key: JournalKey | None


_CONDITIONS = {
    "subledger_id": "e.subledger_id = :subledger_id",
    "template": "e.template = :template",
    "effective_from": "e.effective_date >= :effective_from",
    "effective_to": "e.effective_date <= :effective_to",
    "recorded_from": "e.recorded_at >= :recorded_from",
    "recorded_to": "e.recorded_at <= :recorded_to",
    "actor": "e.actor = :actor",
    "approved_by": "e.approved_by = :approved_by",
    "request_key": "e.request_key = :request_key",
    "source_ref": "e.source_ref = :source_ref",
    "group_id": "e.group_id = :group_id",
    "text": "e.narration ILIKE :pattern",
    "known_at": "EXISTS (SELECT FROM ledger.seal_member m WHERE m.subledger_id = e.subledger_id"
    " AND m.from_no <= e.entry_no AND m.to_no >= e.entry_no AND m.block_no <= :known_at)",
}
_POSTING_CONDITIONS = {
    "account": "(p.debit_account = :account_id OR p.credit_account = :account_id)",
    "amount_from": "p.amount >= :amount_from",
    "amount_to": "p.amount <= :amount_to",
    "currency": "p.currency = :currency",
}


def journal(
    connection: sa.Connection, wanted: JournalFilter, *, after: JournalKey | None = None, limit: int = 50
) -> JournalPage:
    """Return the page of entries after a key.

    Raises: BookUnknown; AccountUnknown; TextRefused for a limit that is not 1 to 1,000.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise TextRefused(field="limit", reason=f"it is {limit}, and a page holds 1 to {MAX_LIMIT} entries")
    where, values = _where(connection, wanted)
    keys = _keys(connection, wanted, where, values, after, limit + 1)
    return JournalPage(_load(connection, keys[:limit]), keys[limit - 1] if len(keys) > limit else None)


def _where(connection: sa.Connection, wanted: JournalFilter) -> tuple[str, dict[str, Any]]:
    book = load_book(connection, wanted.book)
    given = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    values["book_id"] = book.book_id
    conditions = ["e.book_id = :book_id", *(text for name, text in _CONDITIONS.items() if name in values)]
    on_postings = [text for name, text in _POSTING_CONDITIONS.items() if name in values]
    if wanted.account is not None:
        values["account_id"] = find_account(connection, wanted.book, wanted.account)[0]
    if wanted.text is not None:
        escaped = wanted.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values["pattern"] = f"%{escaped}%"
    if on_postings:
        conditions.append(
            "EXISTS (SELECT FROM ledger.posting p WHERE p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no"
            f" AND {' AND '.join(on_postings)})"
        )
    return " AND ".join(conditions), values


_PAGE = (
    "SELECT e.booking_date, e.subledger_id, e.entry_no FROM ledger.journal_entry e"
    " WHERE {where} AND e.booking_date BETWEEN :from_day AND :to_day"
    " AND (e.booking_date, e.subledger_id, e.entry_no) > (:after_day, :after_subledger, :after_no)"
    " ORDER BY e.booking_date, e.subledger_id, e.entry_no LIMIT :limit"
)


def _keys(
    connection: sa.Connection,
    wanted: JournalFilter,
    where: str,
    values: dict[str, Any],
    after: JournalKey | None,
    limit: int,
) -> list[JournalKey]:
    """Collect keys window by window, each twice as long as the one before; a subledger has one window."""
    first, last = _days(connection, values)
    first = max(day for day in (first, wanted.booked_from, after and after.booking_date) if day)
    last = min(day for day in (last, wanted.booked_to) if day)
    after = after or JournalKey(first, -1, 0)
    statement = sa.text(_PAGE.format(where=where))
    found: list[JournalKey] = []
    days = 1 if wanted.subledger_id is None else (last - first).days + 1
    while first <= last and len(found) < limit:
        until = min(last, first + timedelta(days=days - 1))
        bounds = {"from_day": first, "to_day": until, "limit": limit - len(found)}
        key = {
            "after_day": after.booking_date,
            "after_subledger": after.subledger_id,
            "after_no": after.entry_no,
        }
        found += [JournalKey(*row) for row in connection.execute(statement, {**values, **bounds, **key})]
        first, days = until + timedelta(days=1), days * 2
    return found


def _days(connection: sa.Connection, values: dict[str, Any]) -> tuple[date, date]:
    statement = sa.text("SELECT opened_on, business_date FROM ledger.book WHERE book_id = :book_id")
    row = connection.execute(statement, {"book_id": values["book_id"]}).one()
    return row.opened_on, row.business_date


def _load(connection: sa.Connection, keys: list[JournalKey]) -> tuple[EntryView, ...]:
    by_key = entries_of_keys(connection, [(key.subledger_id, key.entry_no) for key in keys])
    return tuple(by_key[key.subledger_id, key.entry_no] for key in keys)
