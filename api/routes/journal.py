"""`/v1/journal`: the entries, searched page by page, and one by one.

Next: `ledger/queries/journal.py`; `api/journal.py`.
"""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy import Connection

from api import http
from api.edge import choose_book
from api.journal import known_at_block, read_page
from api.models import (
    WHOLE,
    AmountText,
    BookQuery,
    Code,
    CurrencyCode,
    Day,
    IdentifierText,
    KnownAt,
    Moment,
    ShortText,
)
from api.views import Json, entry_json, minor_units
from ledger.queries.accounts import accounts
from ledger.queries.entries import entry
from ledger.queries.journal import JournalFilter

routes = Blueprint("journal", __name__)


class JournalQuery(BookQuery):
    """What entries are looked for; ranges include both ends, amounts are minor units of one posting."""

    account: Code | None = None
    subledger_id: IdentifierText | None = None
    template: Code | None = None
    booked_from: Day | None = None
    booked_to: Day | None = None
    effective_from: Day | None = None
    effective_to: Day | None = None
    recorded_from: Moment | None = None
    recorded_to: Moment | None = None
    actor: ShortText | None = None
    approved_by: ShortText | None = None
    request_key: ShortText | None = None
    source_ref: ShortText | None = None
    group_id: IdentifierText | None = None
    amount_from: AmountText | None = None
    amount_to: AmountText | None = None
    currency: CurrencyCode | None = None
    text: ShortText | None = None
    known_at: KnownAt | None = None
    limit: Annotated[int, WHOLE, Field(ge=1, le=200)] = 50
    cursor: ShortText | None = None


@routes.get("/v1/journal")
def search() -> Response:
    """Return a page of entries, by booking date, subledger and number."""
    asked = http.query(JournalQuery)
    filters = asked.model_dump(exclude={"book", "known_at", "limit", "cursor"})

    def work(connection: Connection) -> Json:
        code, block = choose_book(connection, asked.book), known_at_block(connection, asked.known_at)
        wanted = JournalFilter(book=code, known_at=block, **filters)
        return read_page(connection, wanted, asked.cursor, asked.limit, minor_units)

    return http.reply(http.edge().read(work))


@routes.get("/v1/journal/<int:subledger_id>/<int:entry_no>")
def show(subledger_id: int, entry_no: int) -> Response:
    """Return one entry with its lines, its source, and what reversed or corrected it."""
    asked = http.query(BookQuery)

    def work(connection: Connection) -> Json:
        names = {account.code: account for account in accounts(connection, choose_book(connection, asked.book))}
        return entry_json(entry(connection, subledger_id, entry_no), names, minor_units)

    return http.reply(http.edge().read(work))
