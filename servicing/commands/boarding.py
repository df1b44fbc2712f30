"""Putting loans on the books, many at once: subledgers, terms, the funding event, and its entries in batches.

Loans funded on one day share a batch; nothing is asked of the database once for each loan.
Never: reading a file (`servicing/boarding.py`). Next: `ledger/commands/batches.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ledger.batch import Batch, BatchRow
from ledger.commands.batches import post_batch_within
from ledger.commands.subledgers import open_subledgers
from ledger.queries.accounts import book as load_book
from ledger.unit_of_work import UnitOfWork
from servicing import tables
from servicing.drafts import LoanDraft
from servicing.engine import fold
from servicing.errors import EffectiveDateAhead, LoanExists
from servicing.events import Event, Kind
from servicing.posting_rules import TEMPLATES, narration_of, postings_of
from servicing.state import PlannedEntry
from servicing.store import event_row, load_roles, name_loans


def board_and_fund_loans(uow: UnitOfWork, book_code: str, drafts: Sequence[LoanDraft]) -> tuple[int, ...]:
    """Board loans and book their funding; return their ids in the order of the drafts.

    Raises: BookUnknown; LoanExists; EffectiveDateAhead if one is funded after the business date.
    """
    if not drafts:
        return ()
    _refuse_twice(drafts)
    book = load_book(uow.connection, book_code)
    for draft in drafts:
        if draft.terms.funded_on > book.business_date:
            raise EffectiveDateAhead(effective_date=draft.terms.funded_on, business_date=book.business_date)
    ids = _open(uow, book_code, drafts)
    _name(uow, book.own_subledger_id, drafts, ids)
    _insert(uow, book.book_id, book.business_date, drafts, ids)
    _post(uow, book_code, drafts, ids)
    return ids


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
    products = {draft.terms.product.content_hash(): draft.terms.product for draft in drafts}
    hashes = {id(product): key for key, product in products.items()}
    uow.connection.execute(
        insert(tables.product_version).on_conflict_do_nothing(),
        [{"content_hash": key, "name": p.name, "rules": p.as_json()} for key, p in products.items()],
    )
    loans, terms, events = [], [], []
    for loan_id, draft in zip(ids, drafts, strict=True):
        own = draft.terms
        loans.append(
            {
                "loan_id": loan_id,
                "book_id": book_id,
                "external_id": draft.external_id,
                "currency": own.currency,
                "actor": uow.actor,
            }
        )
        terms.append(
            {
                "loan_id": loan_id,
                "version": 1,
                "effective_date": own.funded_on,
                "product_hash": hashes.get(id(own.product)) or own.product.content_hash(),
                "terms": own.as_json(),
                "reason": "contract",
            }
        )
        events.append(event_row(loan_id, _funding(draft, today), uow.actor, "funding"))
    for table, rows in (
        (tables.loan, loans),
        (tables.terms_version, terms),
        (tables.event, events),
    ):
        uow.connection.execute(sa.insert(table), rows)


def _post(uow: UnitOfWork, book_code: str, drafts: Sequence[LoanDraft], ids: Sequence[int]) -> None:
    roles = load_roles(uow.connection, book_code)
    planned = [
        (item, loan_id, draft.terms.currency)
        for loan_id, draft in zip(ids, drafts, strict=True)
        for item in fold(draft.terms, [_funding(draft, draft.terms.funded_on)], draft.terms.funded_on).planned
        if item.template != "interest_accrued"
    ]
    planned.sort(key=lambda row: (row[0].key, row[0].effective_date, row[1]))
    for (key, day), group in groupby(planned, key=lambda row: (row[0].key, row[0].effective_date)):
        members = list(group)
        first: PlannedEntry = members[0][0]
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


def _funding(draft: LoanDraft, today: date) -> Event:
    return Event(
        no=1,
        kind=Kind.FUNDED,
        effective_date=draft.terms.funded_on,
        entered_on=today,
        amount=draft.terms.principal.minor,
        method="ach",
    )
