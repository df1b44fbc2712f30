"""Rows of the ledger to values and back; the calls of the database's own functions.

Everything that writes goes through a function of `ledger/sql/`. Account codes become ids here and nowhere else: an
account never changes its id, so what was looked up once may be kept. Never: decisions.
Next: `ledger/commands/posting.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from ledger.chart import AccountCode
from ledger.db import dump_json
from ledger.errors import AccountUnknown, BookUnknown, SubledgerUnknown
from ledger.fingerprint import fingerprint
from ledger.journal import BookedEntry, EntryDraft, Posting, SubledgerId
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Book:
    """A legal entity's books. `own_subledger_id` takes the entries that belong to no loan."""

    book_id: int
    code: str
    name: str
    base_currency: str
    time_zone: str
    fiscal_year_start_month: int
    opened_on: date
    business_date: date
    own_subledger_id: SubledgerId


class AccountIds:
    """Account codes and ids of one database, both ways, filled as they are asked for."""

    def __init__(self) -> None:
        self.by_code: dict[tuple[int, str], int] = {}
        self.code_of: dict[int, AccountCode] = {}

    def learn(self, connection: sa.Connection) -> None:
        """Read the whole chart of every book: a few hundred rows."""
        rows = connection.execute(sa.text("SELECT book_id, code, account_id FROM ledger.account"))
        for book_id, code, account_id in rows:
            self.by_code[book_id, code] = account_id
            self.code_of[account_id] = AccountCode(code)


_ACCOUNTS: WeakKeyDictionary[sa.Engine, AccountIds] = WeakKeyDictionary()
_BOOK_OF: WeakKeyDictionary[sa.Engine, dict[int, int]] = WeakKeyDictionary()


def _account_ids(connection: sa.Connection) -> AccountIds:
    return _ACCOUNTS.setdefault(connection.engine, AccountIds())


def ids_of(connection: sa.Connection, book_id: int, codes: Iterable[str]) -> list[int]:
    """Return the ids of accounts by their codes.

    Raises: AccountUnknown.
    """
    known = _account_ids(connection)
    wanted = list(codes)
    if any((book_id, code) not in known.by_code for code in wanted):
        known.learn(connection)
    for code in wanted:
        if (book_id, code) not in known.by_code:
            raise AccountUnknown(account=code)
    return [known.by_code[book_id, code] for code in wanted]


def codes_of(connection: sa.Connection, ids: Iterable[int]) -> list[AccountCode]:
    """Return the codes of accounts by their ids."""
    known = _account_ids(connection)
    wanted = list(ids)
    if any(account_id not in known.code_of for account_id in wanted):
        known.learn(connection)
    return [known.code_of[account_id] for account_id in wanted]


_BOOK_COLUMNS = ", ".join(Book.__slots__)
_BOOK = sa.text(
    f"SELECT {_BOOK_COLUMNS} FROM ledger.book WHERE code = :code"  # noqa: S608 - column names of ours
)
_BOOKS = sa.text(f"SELECT {_BOOK_COLUMNS} FROM ledger.book ORDER BY code")  # noqa: S608 - likewise


def load_book(connection: sa.Connection, code: str) -> Book:
    """Return a book by its code.

    Raises: BookUnknown.
    """
    row = connection.execute(_BOOK, {"code": code}).one_or_none()
    if row is None:
        raise BookUnknown(book=code)
    return Book(*row)


def load_books(connection: sa.Connection) -> tuple[Book, ...]:
    """Return every book, by code."""
    return tuple(Book(*row) for row in connection.execute(_BOOKS))


def book_id_of(connection: sa.Connection, subledger_id: int) -> int:
    """Return the book of a subledger, which never changes.

    Raises: SubledgerUnknown.
    """
    known = _BOOK_OF.setdefault(connection.engine, {})
    if subledger_id not in known:
        book_id = connection.scalar(
            sa.text("SELECT book_id FROM ledger.subledger WHERE subledger_id = :id"), {"id": subledger_id}
        )
        if book_id is None:
            raise SubledgerUnknown(subledger_id=subledger_id)
        known[subledger_id] = book_id
    return known[subledger_id]


def learn_books(connection: sa.Connection, book_ids: Mapping[int, int]) -> None:
    """Remember the books of subledgers that the caller has read anyway, so that posting to them does not ask."""
    _BOOK_OF.setdefault(connection.engine, {}).update(book_ids)


_POST = sa.text(
    "SELECT o_entry_no, o_booking_date, o_outcome FROM ledger.post_entry(:subledger_id, :request_key, :fingerprint,"
    " :template, :template_version, :effective_date, :booking_date, :actor, :approved_by, CAST(:debits AS integer[]),"
    " CAST(:credits AS integer[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[]), :narration, :source_ref,"
    " :reverses_no, :corrects_no, :group_id, :details)"
)


def call_post_entry(connection: sa.Connection, draft: EntryDraft) -> tuple[int, date, str]:
    """Call `ledger.post_entry`: return the entry's number, its booking date and what came of the call."""
    book_id = book_id_of(connection, draft.subledger_id)
    accounts = ids_of(connection, book_id, [code for p in draft.postings for code in (p.debit, p.credit)])
    row = connection.execute(
        _POST,
        {
            "subledger_id": draft.subledger_id,
            "request_key": draft.request_key,
            "fingerprint": fingerprint(draft),
            "template": draft.template,
            "template_version": draft.template_version,
            "effective_date": draft.effective_date,
            "booking_date": draft.booking_date,
            "actor": draft.actor,
            "approved_by": draft.approved_by,
            "debits": accounts[0::2],
            "credits": accounts[1::2],
            "amounts": [posting.money.minor for posting in draft.postings],
            "currencies": [posting.money.currency for posting in draft.postings],
            "narration": draft.narration,
            "source_ref": draft.source_ref,
            "reverses_no": draft.reverses_no,
            "corrects_no": draft.corrects_no,
            "group_id": draft.group_id,
            "details": None if draft.details is None else Jsonb(dict(draft.details), dumps=dump_json),
        },
    ).one()
    return row.o_entry_no, row.o_booking_date, row.o_outcome


_POST_MANY = sa.text(
    "SELECT o_first_no, o_booking_date FROM ledger.post_entries(:subledger_id, :actor, CAST(:request_keys AS text[]),"
    " CAST(:fingerprints AS bytea[]), CAST(:templates AS text[]), CAST(:template_versions AS integer[]),"
    " CAST(:effective_dates AS date[]), CAST(:narrations AS text[]), CAST(:source_refs AS text[]),"
    " CAST(:reverses_nos AS integer[]), CAST(:corrects_nos AS integer[]), CAST(:details AS jsonb[]),"
    " CAST(:posting_counts AS integer[]), CAST(:debits AS integer[]), CAST(:credits AS integer[]),"
    " CAST(:amounts AS bigint[]), CAST(:currencies AS text[]))"
)


def call_post_entries(connection: sa.Connection, drafts: Sequence[EntryDraft]) -> tuple[int, date]:
    """Call `ledger.post_entries` for drafts of one subledger: return the first number, and the booking date."""
    subledger_id, postings = drafts[0].subledger_id, [posting for draft in drafts for posting in draft.postings]
    book_id = book_id_of(connection, subledger_id)
    accounts = ids_of(connection, book_id, [code for p in postings for code in (p.debit, p.credit)])
    row = connection.execute(
        _POST_MANY,
        {
            "subledger_id": subledger_id,
            "actor": drafts[0].actor,
            "request_keys": [draft.request_key for draft in drafts],
            "fingerprints": [fingerprint(draft) for draft in drafts],
            "templates": [draft.template for draft in drafts],
            "template_versions": [draft.template_version for draft in drafts],
            "effective_dates": [draft.effective_date for draft in drafts],
            "narrations": [draft.narration for draft in drafts],
            "source_refs": [draft.source_ref for draft in drafts],
            "reverses_nos": [draft.reverses_no for draft in drafts],
            "corrects_nos": [draft.corrects_no for draft in drafts],
            "details": [None if draft.details is None else dump_json(draft.details) for draft in drafts],
            "posting_counts": [len(draft.postings) for draft in drafts],
            "debits": accounts[0::2],
            "credits": accounts[1::2],
            "amounts": [posting.money.minor for posting in postings],
            "currencies": [posting.money.currency for posting in postings],
        },
    ).one()
    return row.o_first_no, row.o_booking_date


_ENTRY_COLUMNS = (
    "e.subledger_id, e.entry_no, e.book_id, e.template, e.template_version, e.effective_date, e.booking_date,"
    " e.recorded_at, e.actor, e.approved_by, e.request_key, e.source_ref, e.narration, e.reverses_no, e.corrects_no,"
    " e.group_id, e.details"
)
_ENTRIES_WITH_POSTINGS = (
    f"SELECT {_ENTRY_COLUMNS},"  # noqa: S608 - conditions are our own text, their values are bound
    " array_agg(p.debit_account ORDER BY p.seq) AS debits,"
    " array_agg(p.credit_account ORDER BY p.seq) AS credits, array_agg(p.amount ORDER BY p.seq) AS amounts,"
    " array_agg(p.currency ORDER BY p.seq) AS currencies"
    " FROM ledger.journal_entry e"
    " JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no"
    " WHERE {where} GROUP BY e.subledger_id, e.entry_no ORDER BY e.subledger_id, e.entry_no"
)


def load_entries(connection: sa.Connection, where: str, values: Mapping[str, Any]) -> tuple[BookedEntry, ...]:
    """Return the entries that a condition on `e` (the header) selects, by subledger and number."""
    rows = connection.execute(sa.text(_ENTRIES_WITH_POSTINGS.format(where=where)), dict(values)).all()
    return tuple(_entry(connection, row) for row in rows)


def _entry(connection: sa.Connection, row: Any) -> BookedEntry:
    debits, credits = codes_of(connection, row.debits), codes_of(connection, row.credits)
    draft = EntryDraft(
        subledger_id=SubledgerId(row.subledger_id),
        template=row.template,
        template_version=row.template_version,
        effective_date=row.effective_date,
        actor=row.actor,
        approved_by=row.approved_by,
        request_key=row.request_key,
        source_ref=row.source_ref,
        narration=row.narration,
        postings=tuple(
            Posting(debit, credit, Money(minor, currency))
            for debit, credit, minor, currency in zip(debits, credits, row.amounts, row.currencies, strict=True)
        ),
        reverses_no=row.reverses_no,
        corrects_no=row.corrects_no,
        group_id=row.group_id,
        details=row.details,
    )
    recorded_at: datetime = row.recorded_at
    return BookedEntry(draft=draft, entry_no=row.entry_no, booking_date=row.booking_date, recorded_at=recorded_at)
