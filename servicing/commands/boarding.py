"""Putting loans on the books, many at once: subledgers, terms, the first event, and its entries in batches.

Loans funded or taken over on one day share a batch; nothing is asked of the database once for each loan.
Never: reading a file (`servicing/tapes/`). Next: `servicing/commands/tapes.py`; `ledger/commands/batches.py`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ledger.batch import Batch, BatchRow
from ledger.commands.batches import post_batch_within
from ledger.commands.posting import post_entry
from ledger.commands.subledgers import open_subledgers
from ledger.journal import EntryDraft, SubledgerId
from ledger.queries.accounts import Book
from ledger.queries.accounts import book as load_book
from ledger.unit_of_work import UnitOfWork
from servicing import tables
from servicing.boarding_days import BookDays, require_days
from servicing.drafts import LoanDraft
from servicing.effects import boarding, funding
from servicing.errors import LoanExists
from servicing.posting_rules import TEMPLATES, Roles, narration_of, postings_of
from servicing.schedule import contract_of
from servicing.state import PlannedEntry
from servicing.store import event_row, load_roles, name_loans


def board_loans(uow: UnitOfWork, book_code: str, drafts: Sequence[LoanDraft]) -> tuple[int, ...]:
    """Board loans, and book their funding or their opening balances; return their ids in the order of the drafts.

    Raises: BookUnknown; LoanExists; what `require_days` raises, such as EffectiveDateAhead.
    """
    if not drafts:
        return ()
    _refuse_twice(drafts)
    book = load_book(uow.connection, book_code)
    for draft in drafts:
        require_days(draft, days_of(book))
    ids = _open(uow, book_code, drafts)
    _name(uow, book.own_subledger_id, drafts, ids)
    _insert(uow, book.book_id, book.business_date, drafts, ids)
    _post(uow, book_code, drafts, ids)
    return ids


def board_and_fund_loans(uow: UnitOfWork, book_code: str, drafts: Sequence[LoanDraft]) -> tuple[int, ...]:
    """Board new loans, and book their funding; return their ids in the order of the drafts.

    Raises: as `board_loans`.
    """
    return board_loans(uow, book_code, drafts)


def days_of(book: Book) -> BookDays:
    """Return the days of a book."""
    return BookDays(book.code, book.opened_on, book.business_date)


def _refuse_twice(drafts: Sequence[LoanDraft]) -> None:
    for external_id, count in Counter(draft.external_id for draft in drafts).items():
        if count > 1:
            raise LoanExists(external_id=external_id)


def _name(uow: UnitOfWork, own_subledger_id: int, drafts: Sequence[LoanDraft], ids: Sequence[int]) -> None:
    names = {draft.external_id: loan_id for draft, loan_id in zip(drafts, ids, strict=True)}
    for taken in name_loans(uow.connection, own_subledger_id, names, uow.actor):
        raise LoanExists(external_id=taken)


def _open(uow: UnitOfWork, book_code: str, drafts: Sequence[LoanDraft]) -> tuple[int, ...]:
    ids: dict[str, list[int]] = {}
    for currency, count in Counter(draft.terms.currency for draft in drafts).items():
        ids[currency] = list(reversed(open_subledgers(uow, book_code, currency, count)))
    return tuple(ids[draft.terms.currency].pop() for draft in drafts)


def _insert(uow: UnitOfWork, book_id: int, today: date, drafts: Sequence[LoanDraft], ids: Sequence[int]) -> None:
    # Most loans share the very same product; its rules are hashed once.
    products = {id(draft.terms.product): draft.terms.product for draft in drafts}
    hashes = {key: product.content_hash() for key, product in products.items()}
    versions = {hashes[key]: product for key, product in products.items()}
    uow.connection.execute(
        insert(tables.product_version).on_conflict_do_nothing(),
        [{"content_hash": key, "name": p.name, "rules": p.as_json()} for key, p in versions.items()],
    )
    loans, terms, events = [], [], []
    for loan_id, draft in zip(ids, drafts, strict=True):
        own = draft.terms
        event = event_row(loan_id, draft.first_event(today), uow.actor, _key(draft))
        event["payload"] = json.dumps(event["payload"])
        loans.append((loan_id, book_id, draft.external_id, own.currency, uow.actor))
        terms.append((loan_id, 1, own.funded_on, hashes[id(own.product)], json.dumps(own.as_json()), "contract"))
        events.append(tuple(event.values()))
    event_columns = tuple(event_row(0, drafts[0].first_event(today), "", ""))
    _copy(uow.connection, tables.loan, ("loan_id", "book_id", "external_id", "currency", "actor"), loans)
    terms_columns = ("loan_id", "version", "effective_date", "product_hash", "terms", "reason")
    _copy(uow.connection, tables.terms_version, terms_columns, terms)
    _copy(uow.connection, tables.event, event_columns, events)


def _key(draft: LoanDraft) -> str:
    return "funding" if draft.opening is None else "boarding"


def _copy(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[tuple[object, ...]]
) -> None:
    with connection.connection.cursor().copy(f"COPY {table.fullname} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _post(uow: UnitOfWork, book_code: str, drafts: Sequence[LoanDraft], ids: Sequence[int]) -> None:
    roles = load_roles(uow.connection, book_code)
    for loan_id, draft in zip(ids, drafts, strict=True):
        if draft.refinances is not None:
            _post_grouped(uow, loan_id, draft, roles)
    ordinary = [(draft, loan_id) for draft, loan_id in zip(drafts, ids, strict=True) if draft.refinances is None]
    planned = list(_planned(ordinary))
    planned.sort(key=lambda row: (row[0].key, row[0].effective_date, row[1]))
    for (key, day), group in groupby(planned, key=lambda row: (row[0].key, row[0].effective_date)):
        members = list(group)
        first = members[0][0]
        rows = tuple(
            BatchRow(loan_id, posting.debit, posting.credit, posting.money)
            for item, loan_id, currency in members
            for posting in postings_of(item, roles, currency)
        )
        batch = Batch(
            book_code=book_code,
            request_key=f"board:{ids[0]}:{key}:{day}",
            template=first.template,
            template_version=TEMPLATES.get(first.template).version,
            effective_date=day,
            rows=rows,
            narration=narration_of(first),
            source_ref=key,
        )
        post_batch_within(uow, batch)


def _post_grouped(uow: UnitOfWork, loan_id: int, draft: LoanDraft, roles: Roles) -> None:
    """Book the funding of a loan that pays another off, one by one: its entries and those of the other are a group."""
    for item in _entries(draft):
        entry = EntryDraft(
            subledger_id=SubledgerId(loan_id),
            template=item.template,
            template_version=TEMPLATES.get(item.template).version,
            effective_date=item.effective_date,
            actor=uow.actor,
            request_key=f"board:{item.key}",
            source_ref=item.key,
            narration=narration_of(item),
            postings=postings_of(item, roles, draft.terms.currency),
            group_id=loan_id,
        )
        post_entry(uow, entry)


def _planned(drafts: Iterable[tuple[LoanDraft, int]]) -> Iterator[tuple[PlannedEntry, int, str]]:
    """Yield the entries of each loan's first event; nothing else can have happened to it yet."""
    for draft, loan_id in drafts:
        for item in _entries(draft):
            yield item, loan_id, draft.terms.currency


def _entries(draft: LoanDraft) -> Iterable[PlannedEntry]:
    terms, event = draft.terms, draft.first_event(draft.begins_on)
    if draft.opening is not None:
        return boarding.entries_of(event)
    withheld = contract_of(terms).withheld if terms.product.odd_days == "at_funding" else 0
    return funding.entries_of(terms, event, withheld)
