"""`/v1/gl-batches`: what the general ledger was sent, down to the entries behind each line, and what it answered.

Next: `api/gl_batches.py`; `gl_export/commands/batches.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response
from sqlalchemy import Connection

from api import http
from api.edge import choose_book
from api.gl_batches import batch_json, batch_line_json, entry_behind_json
from api.models import Body, BookQuery, ShortText
from api.views import Json, minor_units
from gl_export.batch import BUILT
from gl_export.commands.batches import answer_batch
from gl_export.queries.batches import answers, batch, batches, entries_behind
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork

routes = Blueprint("gl_batches", __name__)


class AcknowledgmentIn(Body):
    """What the general ledger calls the batch."""

    reference: ShortText


class RejectionIn(Body):
    """Why the general ledger did not take it."""

    reason: ShortText


@routes.get("/v1/gl-batches")
def index() -> Response:
    """Return the batches that were built, and where each stands."""

    def work(connection: Connection, code: str) -> Json:
        answered = answers(connection, code)
        return {
            "batches": [
                batch_json(record, answered.get(record.batch.batch_no, BUILT), minor_units)
                for record in batches(connection, code)
            ]
        }

    return _read(work)


@routes.get("/v1/gl-batches/<int:batch_no>")
def show(batch_no: int) -> Response:
    """Return a batch with its lines."""

    def work(connection: Connection, code: str) -> Json:
        record = batch(connection, code, batch_no)
        head = batch_json(record, answers(connection, code).get(batch_no, BUILT), minor_units)
        return {**head, "lines": [batch_line_json(line, minor_units) for line in record.batch.lines]}

    return _read(work)


@routes.get("/v1/gl-batches/<int:batch_no>/lines/<int:line_no>/entries")
def show_entries(batch_no: int, line_no: int) -> Response:
    """Return the first thousand entries behind a line."""

    def work(connection: Connection, code: str) -> Json:
        found = entries_behind(connection, code, batch_no, line_no)
        return {"entries": [entry_behind_json(entry, minor_units) for entry in found]}

    return _read(work)


@routes.post("/v1/gl-batches/<int:batch_no>/acknowledgments")
def acknowledge(batch_no: int) -> Response:
    """Keep that the general ledger took a batch."""
    given = http.body(AcknowledgmentIn)
    return _answer(batch_no, given, {"reference": given.reference})


@routes.post("/v1/gl-batches/<int:batch_no>/rejections")
def reject(batch_no: int) -> Response:
    """Keep that the general ledger did not take a batch."""
    given = http.body(RejectionIn)
    return _answer(batch_no, given, {"reason": given.reason})


def _answer(batch_no: int, given: Body, answer: dict[str, Any]) -> Response:
    change = http.change()
    code = http.chosen_book(change.book)

    def changing(uow: UnitOfWork) -> Outcome:
        def work() -> Json:
            done = answer_batch(uow, code, batch_no, **answer)
            return {"batch_no": batch_no, "state": str(done.state), "delivery": done.delivery_no, **answer}

        own = book(uow.connection, code).own_subledger_id
        inputs = {"batch_no": batch_no, **given.model_dump(mode="json")}
        return once(uow, subledger_id=own, key=change.key, command="answer_gl_batch", inputs=inputs, work=work)

    outcome = http.edge().answer(changing, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)


def _read(work: Callable[[Connection, str], Json]) -> Response:
    asked = http.query(BookQuery)
    return http.reply(http.edge().read(lambda connection: work(connection, choose_book(connection, asked.book))))
