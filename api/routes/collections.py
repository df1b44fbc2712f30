"""`/v1/collections/cases` and `/v1/loans/{id}/collections`, `/promises`, `/contacts`, `/contact-flags`.

Next: `api/collections.py`; `docs/how-to/collections.md`.
"""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.collections import collecting_json, promise_json, read_work
from api.models import WHOLE, Body, BookQuery, Code, CurrencyCode, Day, Minor, ShortText
from api.requests import inputs_of, once_on_loan
from api.views import Json, minor_units
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.collection_queries import collecting
from servicing.commands.collections import allow_contact, cease_contact, contact, promise

routes = Blueprint("collections", __name__)


class CasesQuery(BookQuery):
    """Of which queue and owner, after which page."""

    queue: Code | None = None
    owner: ShortText | None = None
    cursor: ShortText | None = None
    limit: Annotated[int, WHOLE, Field(ge=1, le=1000)] = 50


class PromiseIn(Body):
    """An amount that is promised by a day."""

    amount: Minor
    by: Day


class PromisesBody(Body):
    """What is promised: one amount by a day, or a plan of several, the earliest first."""

    currency: CurrencyCode
    promises: Annotated[list[PromiseIn], Field(min_length=1, max_length=60)]


class ContactBody(Body):
    """A contact: by which channel, with which outcome, and whether the borrower began it."""

    channel: Code
    outcome: ShortText
    text: Annotated[str, Field(max_length=2000)] = ""
    inbound: bool = False


class FlagBody(Body):
    """A channel (`all` for every one) by which nobody contacts the borrower, or may again; and why."""

    channel: Code = "all"
    reason: ShortText
    lift: bool = False


@routes.get("/v1/collections/cases")
def list_cases() -> Response:
    """Return the open cases of a book in the order of work."""
    asked = http.query(CasesQuery)
    code = http.chosen_book(asked.book)
    filters = asked.model_dump(exclude={"book"})
    return http.reply(http.edge().read(lambda connection: read_work(connection, code, **filters, money=minor_units)))


@routes.get("/v1/loans/<int:loan_id>/collections")
def show(loan_id: int) -> Response:
    """Return cases, promises, flags and the log of a loan."""
    return http.reply(collecting_json(http.edge().read(lambda c: collecting(c, loan_id)), minor_units))


@routes.post("/v1/loans/<int:loan_id>/promises")
def create_promises(loan_id: int) -> Response:
    """Note what the borrower promises to pay."""
    change, given = http.change(), http.body(PromisesBody)

    def work(uow: UnitOfWork) -> Json:
        amounts = [Money(each.amount, given.currency) for each in given.promises]
        days = [each.by for each in given.promises]
        made = promise(uow, loan_id, amounts=amounts, due_on=days, request_key=change.key)
        return {"loan_id": loan_id, "promises": [promise_json(each, given.currency, minor_units) for each in made]}

    return once_on_loan(change, loan_id, "promise", inputs_of(given), work)


@routes.post("/v1/loans/<int:loan_id>/contacts")
def create_contact(loan_id: int) -> Response:
    """Note a contact with the borrower."""
    change, given = http.change(), http.body(ContactBody)

    def work(uow: UnitOfWork) -> Json:
        contact(
            uow,
            loan_id,
            channel=given.channel,
            outcome=given.outcome,
            text=given.text,
            inbound=given.inbound,
            request_key=change.key,
        )
        return {"loan_id": loan_id, **given.model_dump()}

    return once_on_loan(change, loan_id, "contact", inputs_of(given), work)


@routes.post("/v1/loans/<int:loan_id>/contact-flags")
def create_flag(loan_id: int) -> Response:
    """Let nobody contact the borrower by a channel, or lift that."""
    change, given = http.change(), http.body(FlagBody)

    def work(uow: UnitOfWork) -> Json:
        decide = allow_contact if given.lift else cease_contact
        decide(uow, loan_id, channel=given.channel, reason=given.reason, request_key=change.key)
        return {"loan_id": loan_id, **given.model_dump()}

    return once_on_loan(change, loan_id, "contact_flag", inputs_of(given), work)
