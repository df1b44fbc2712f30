"""Manual journals, by two people: one proposes, another approves, and the approval books the entry.

Never: an entry without a second person, or to a control account. Next: `ledger/manual_journal.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from ledger.chart import AccountCode, Side
from ledger.commands.posting import PostedEntry, post_entry
from ledger.errors import ControlAccountRefusesManual, ManualJournalState, ManualJournalUnknown, TextRefused
from ledger.ids import take_ids
from ledger.journal import EntryDraft, Line
from ledger.manual_journal import TEMPLATE, TEMPLATE_VERSION, ManualJournal
from ledger.money import Money
from ledger.queries.accounts import accounts
from ledger.store import Book, ids_of, load_book
from ledger.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class StoredJournal:
    """A proposal and what became of it."""

    journal_id: int
    journal: ManualJournal
    state: str
    maker: str
    checker: str | None
    entry_no: int | None
    reason: str | None
    recorded_at: datetime


def propose(uow: UnitOfWork, journal: ManualJournal) -> int:
    """Keep a journal until somebody else decides on it, and return its id.

    Raises: BookUnknown; AccountUnknown; ControlAccountRefusesManual.
    """
    return propose_all(uow, [journal])[0]


def propose_all(uow: UnitOfWork, journals: Iterable[ManualJournal]) -> tuple[int, ...]:
    """Keep journals, all or none, and return their ids.

    Raises: as `propose`.
    """
    journals = tuple(journals)
    ids = take_ids(uow.connection.engine, "manual_journal", len(journals)) if journals else range(0)
    for journal_id, journal in zip(ids, journals, strict=True):
        _insert(uow, journal_id, journal)
    return tuple(ids)


_PROPOSE = sa.text(
    "SELECT ledger.propose_manual_journal(:journal_id, :book_id, :maker, :effective_date, :booking_date, :narration,"
    " :source_ref, :lines)"
)
_DECIDE = sa.text("SELECT ledger.decide_manual_journal(:journal_id, :state, :checker, :reason, :entry_no)")


def _insert(uow: UnitOfWork, journal_id: int, journal: ManualJournal) -> None:
    book = load_book(uow.connection, journal.book_code)
    codes = {line.account for line in journal.lines}
    ids_of(uow.connection, book.book_id, codes)
    for account in accounts(uow.connection, book.code):
        if account.control and account.code in codes:
            raise ControlAccountRefusesManual(account=account.code)
    lines = [[line.account, str(line.side), line.money.minor, line.money.currency] for line in journal.lines]
    uow.connection.execute(
        _PROPOSE,
        {
            "journal_id": journal_id,
            "book_id": book.book_id,
            "maker": uow.actor,
            "effective_date": journal.effective_date,
            "booking_date": journal.booking_date,
            "narration": journal.narration,
            "source_ref": journal.source_ref,
            "lines": Jsonb(lines),
        },
    )


def approve(uow: UnitOfWork, journal_id: int) -> PostedEntry:
    """Book a proposed journal on the word of the acting person, who must not be its maker.

    Raises: ManualJournalState if it is decided already; ApprovalMissing if the maker approves.
    """
    stored = load(uow.connection, journal_id)
    book = load_book(uow.connection, stored.journal.book_code)
    if stored.state != "proposed":
        raise ManualJournalState(journal_id=journal_id, state=stored.state, wanted="approved")
    posted = post_entry(uow, _draft(book, stored, uow.actor))
    _decide(uow, journal_id, "approved", None, posted.entry_no)
    return posted


def reject(uow: UnitOfWork, journal_id: int, reason: str) -> None:
    """Decide that a proposed journal is not booked.

    Raises: ManualJournalUnknown; ManualJournalState; ApprovalMissing if the maker decides; TextRefused for an empty
    reason.
    """
    load(uow.connection, journal_id)
    if not reason.strip():
        raise TextRefused(field="reason", reason="it is empty; the maker reads it")
    _decide(uow, journal_id, "rejected", reason, None)


def _decide(uow: UnitOfWork, journal_id: int, state: str, reason: str | None, entry_no: int | None) -> None:
    values = {
        "journal_id": journal_id,
        "state": state,
        "checker": uow.actor,
        "reason": reason,
        "entry_no": entry_no,
    }
    uow.connection.execute(_DECIDE, values)


def _draft(book: Book, stored: StoredJournal, checker: str) -> EntryDraft:
    journal = stored.journal
    return EntryDraft(
        subledger_id=book.own_subledger_id,
        template=TEMPLATE,
        template_version=TEMPLATE_VERSION,
        effective_date=journal.effective_date,
        booking_date=journal.booking_date,
        actor=stored.maker,
        approved_by=checker,
        request_key=f"manual_journal:{stored.journal_id}",
        source_ref=journal.source_ref,
        narration=journal.narration,
        postings=journal.postings,
    )


def load(connection: sa.Connection, journal_id: int) -> StoredJournal:
    """Return a proposal and what became of it.

    Raises: ManualJournalUnknown.
    """
    found = _load(connection, "j.journal_id = :journal_id", {"journal_id": journal_id})
    if not found:
        raise ManualJournalUnknown(journal_id=journal_id)
    return found[0]


def pending(connection: sa.Connection, book_code: str) -> tuple[StoredJournal, ...]:
    """Return the proposals of a book that wait for a decision, the oldest first."""
    return _load(connection, "j.state = 'proposed' AND b.code = :book_code", {"book_code": book_code})


def _load(connection: sa.Connection, where: str, values: dict[str, object]) -> tuple[StoredJournal, ...]:
    statement = (
        "SELECT j.*, b.code AS book_code"  # noqa: S608 - the condition is ours, its values are bound
        " FROM ledger.manual_journal j JOIN ledger.book b ON b.book_id = j.book_id"
        f" WHERE {where} ORDER BY j.journal_id"
    )
    return tuple(_stored(row) for row in connection.execute(sa.text(statement), values))


def _stored(row: sa.Row[tuple[object, ...]]) -> StoredJournal:
    booking_date: date | None = row.booking_date
    journal = ManualJournal(
        book_code=row.book_code,
        effective_date=row.effective_date,
        booking_date=booking_date,
        narration=row.narration,
        source_ref=row.source_ref,
        lines=tuple(
            Line(AccountCode(code), Side(side), Money(minor, currency)) for code, side, minor, currency in row.lines
        ),
    )
    return StoredJournal(
        row.journal_id, journal, row.state, row.maker, row.checker, row.entry_no, row.reason, row.recorded_at
    )
