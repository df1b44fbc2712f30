"""`/v1/ach`: files of returns taken in, the list of work that they leave, debits to retry, return rates.

A file comes as text in a JSON body. What is kept of a request is the file's hash: its text holds account numbers.
Next: `api/ach.py`; `docs/spec/ach_returns.md`.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from flask import Blueprint, Response, current_app, request
from pydantic import Field, StringConstraints, model_validator

from api import http
from api.ach import came_back_json, desk_of, file_json, files_json, rates_json, resolved_json, taken_json, work_json
from api.models import Body, BookQuery, Day
from api.routes.rails import VAULT_KEYS
from api.views import Json, minor_units
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from servicing.commands.ach_work import How

routes = Blueprint("ach", __name__)

PROGRAM = "loanbook.ach_program"
MAX_FILE_BYTES = 16 * 1024 * 1024
Text = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


class FileBody(Body):
    """A file as text, and what it is called."""

    content: Annotated[str, Field(max_length=MAX_FILE_BYTES)]
    name: Text = ""


class ResolutionBody(Body):
    """How an item is settled; matched, by loan and payment."""

    how: Literal["matched", "recovered", "noted"]
    note: Text = ""
    loan_id: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    payment_id: Annotated[int, Field(ge=1, lt=2**31)] | None = None

    @model_validator(mode="after")
    def _match_names_a_payment(self) -> ResolutionBody:
        if {self.loan_id is not None, self.payment_id is not None} != {self.how == "matched"}:
            raise ValueError("matched names loan_id and payment_id, and nothing else does")
        return self

    @property
    def payment(self) -> tuple[int, int] | None:
        """Return loan and payment of a match."""
        return None if self.loan_id is None or self.payment_id is None else (self.loan_id, self.payment_id)


class SinceQuery(BookQuery):
    """From which day on."""

    since: Day | None = None


class AsOfQuery(BookQuery):
    """Up to which day."""

    as_of: Day | None = None


@routes.post("/v1/ach/files")
def take() -> Response:
    """Take in a file of returns and notifications of change."""
    request.max_content_length = 2 * MAX_FILE_BYTES
    change, given = http.change(), http.body(FileBody)
    code, data = http.chosen_book(change.book), given.content.encode()
    desk = desk_of(current_app.extensions[PROGRAM], current_app.extensions[VAULT_KEYS])
    inputs = {"sha256": hashlib.sha256(data).hexdigest(), "name": given.name}

    def work(uow: UnitOfWork) -> Outcome:
        def answer() -> Json:
            return taken_json(uow, code, data, given.name, desk, money=minor_units)

        own = book(uow.connection, code).own_subledger_id
        return once(uow, subledger_id=own, key=change.key, command="take_ach_file", inputs=inputs, work=answer)

    outcome = http.edge().answer(work, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)


@routes.get("/v1/ach/files")
def list_files() -> Response:
    """Return the files that were sent and taken in, the latest first."""
    code = http.chosen_book(http.query(BookQuery).book)
    return http.reply(http.edge().read(lambda connection: files_json(connection, code, money=minor_units)))


@routes.get("/v1/ach/sent-files/<int:file_no>")
def show_file(file_no: int) -> Response:
    """Return the entries of a file that was sent, and until when each may come back."""
    code = http.chosen_book(http.query(BookQuery).book)
    return http.reply(http.edge().read(lambda connection: file_json(connection, code, file_no, money=minor_units)))


@routes.get("/v1/ach/work")
def list_work() -> Response:
    """Return what received files left for a person."""
    code = http.chosen_book(http.query(BookQuery).book)
    return http.reply(http.edge().read(lambda connection: work_json(connection, code, money=minor_units)))


@routes.post("/v1/ach/files/<int:file_no>/items/<int:item_no>/resolution")
def resolve(file_no: int, item_no: int) -> Response:
    """Settle an item of the list of work."""
    change, given = http.change(), http.body(ResolutionBody)
    code = http.chosen_book(change.book)

    def work(uow: UnitOfWork) -> Outcome:
        def answer() -> Json:
            how = How(given.how)
            return resolved_json(uow, code, file_no, item_no, how=how, note=given.note, payment=given.payment)

        own = book(uow.connection, code).own_subledger_id
        inputs = {"file_no": file_no, "item_no": item_no, **given.model_dump(mode="json")}
        return once(uow, subledger_id=own, key=change.key, command="resolve_ach_item", inputs=inputs, work=answer)

    outcome = http.edge().answer(work, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)


@routes.get("/v1/ach/retries")
def retries() -> Response:
    """Return the debits that came back and were not sent again."""
    asked = http.query(SinceQuery)
    code = http.chosen_book(asked.book)
    return http.reply(
        http.edge().read(lambda connection: came_back_json(connection, code, asked.since, money=minor_units))
    )


@routes.get("/v1/ach/rates")
def rates() -> Response:
    """Return the return rates of the last 60 days."""
    asked = http.query(AsOfQuery)
    code = http.chosen_book(asked.book)
    return http.reply(http.edge().read(lambda connection: rates_json(connection, code, asked.as_of)))
