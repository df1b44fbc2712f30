"""`/v1/loss-rates` and `/v1/allowance`: what a book expects to lose, and what that requires of its loans.

Next: `api/allowance.py`; `docs/spec/allowance.md`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.allowance import allowance_json
from api.models import Body, BookQuery, Day, DecimalText
from api.views import Json, minor_units
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork
from servicing.allowance import loss_rates
from servicing.commands.allowance import load_loss_rates

routes = Blueprint("allowance", __name__)


class LossRatesIn(Body):
    """Rates of loss in percent, by bucket or by vintage; `correct` lets them take the place of those of their day."""

    effective_on: Day
    method: Literal["bucket", "vintage"]
    rates: dict[str, Annotated[list[DecimalText], Field(min_length=1, max_length=600)]]
    correct: bool = False


class AllowanceQuery(BookQuery):
    """At the close of which day; without one, of the business date."""

    on: Day | None = None


@routes.post("/v1/loss-rates")
def load() -> Response:
    """Keep loss rates of a book from a day on; the log of the book keeps the request."""
    change, given = http.change(), http.body(LossRatesIn)
    rates = loss_rates({"effective_on": given.effective_on, "method": given.method, "rates": given.rates})
    code = http.chosen_book(change.book)

    def work(uow: UnitOfWork) -> Outcome:
        def answer() -> Json:
            revision = load_loss_rates(uow, code, rates, correct=given.correct)
            return {"effective_on": given.effective_on.isoformat(), "revision": revision}

        own, inputs = book(uow.connection, code).own_subledger_id, given.model_dump(mode="json")
        return once(uow, subledger_id=own, key=change.key, command="load_loss_rates", inputs=inputs, work=answer)

    outcome = http.edge().answer(work, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)


@routes.get("/v1/allowance")
def show() -> Response:
    """Return what loss rates require of the loans, segment by segment, and what is held."""
    asked = http.query(AllowanceQuery)
    code = http.chosen_book(asked.book)
    return http.reply(
        http.edge().read(
            lambda connection: allowance_json(
                connection, code, asked.on or book(connection, code).business_date, minor_units
            )
        )
    )
