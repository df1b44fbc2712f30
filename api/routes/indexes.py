"""`/v1/indexes`: the values that variable rates look at; and `/v1/loans/<id>/rate-resets`, one loan's rate by hand.

Next: `api/rates.py`; `servicing/commands/indexes.py`.
"""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field, StringConstraints

from api import http
from api.models import Body, Day, DecimalText, Query
from api.rates import Json, index_json, loaded_json, reset_by_hand, reset_json
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from servicing.commands.indexes import load_index
from servicing.index_rates import IndexValue, index_value

routes = Blueprint("indexes", __name__)

ValueText = Annotated[str, StringConstraints(pattern=r"^-?(0|[1-9][0-9]{0,2})(\.[0-9]{1,6})?$")]


class ValueIn(Body):
    """What the index is from a day on, in percent a year, as decimal text."""

    on: Day
    value: ValueText

    def read(self) -> IndexValue:
        """Return the value as servicing takes it."""
        return index_value(self.on.isoformat(), self.value)


class IndexIn(Body):
    """Values of an index; `correct` lets one take the place of what a day has."""

    values: Annotated[list[ValueIn], Field(min_length=1, max_length=10_000)]
    correct: bool = False


class ResetIn(Body):
    """A rate in percent a year, from a day on: the business date, if it is left out."""

    rate: DecimalText
    on: Day | None = None
    reason: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


@routes.post("/v1/indexes/<name>/values")
def load(name: str) -> Response:
    """Keep values of an index; the log of the book keeps the request."""
    change, given = http.change(), http.body(IndexIn)
    values = [each.read() for each in given.values]
    code = http.chosen_book(change.book)

    def work(uow: UnitOfWork) -> Outcome:
        def answer() -> Json:
            return loaded_json(load_index(uow, name, values, correct=given.correct))

        own = book(uow.connection, code).own_subledger_id
        inputs = {"name": name, **given.model_dump(mode="json")}
        return once(uow, subledger_id=own, key=change.key, command="load_index", inputs=inputs, work=answer)

    outcome = http.edge().answer(work, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)


@routes.get("/v1/indexes/<name>")
def show(name: str) -> Response:
    """Return the values of an index that are in force, by their days."""
    http.query(Query)
    return http.reply(http.edge().read(lambda connection: index_json(connection, name)))


@routes.post("/v1/loans/<int:loan_id>/rate-resets")
def reset(loan_id: int) -> Response:
    """Let a loan have another rate from a day on."""
    change, given = http.change(), http.body(ResetIn)

    def work(uow: UnitOfWork) -> Outcome:
        def answer() -> Json:
            return reset_json(reset_by_hand(uow, loan_id, given.rate, given.on, given.reason, change.key))

        inputs = given.model_dump(mode="json")
        return once(uow, subledger_id=loan_id, key=change.key, command="reset_rate", inputs=inputs, work=answer)

    outcome = http.edge().answer(work, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)
