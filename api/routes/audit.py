"""`/v1/audit/...`: tests of the entries of a period, samples, first digits, people.

Next: `api/audit.py`, which both doors share; `ledger/queries/entry_tests.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import Field, model_validator
from sqlalchemy import Connection

from api import http
from api.audit import digits_json, found_json, people_json, sample_json, tests_json
from api.edge import choose_book
from api.journal import known_at_block
from api.models import WHOLE, AmountText, BookQuery, Code, CurrencyCode, Day, KnownAt, ShortText
from api.views import Json, minor_units
from ledger.queries.accounts import book
from ledger.queries.samples import MOST, Population, monetary_sample, over, random_sample

routes = Blueprint("audit", __name__)


class PeriodQuery(BookQuery):
    """Which entries are looked at: those that were booked from a day through a day."""

    booked_from: Day
    booked_to: Day
    currency: CurrencyCode | None = None
    known_at: KnownAt | None = None


class TestsQuery(PeriodQuery):
    """How far back is back-dated, what is round (minor units), and which test's entries are wanted, if any."""

    days: Annotated[int, WHOLE, Field(ge=0, le=36_600)] = 30
    round: AmountText = 100_000
    show: Code | None = None


class SampleQuery(PeriodQuery):
    """How a sample is drawn: by its size and seed, or by a threshold in minor units."""

    by: Literal["random", "monetary", "threshold"] = "random"
    size: Annotated[int, WHOLE, Field(ge=1, le=MOST)] | None = None
    seed: ShortText | None = None
    threshold: AmountText | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> SampleQuery:
        if self.by == "threshold" and self.threshold is None:
            raise ValueError("by threshold needs threshold")
        if self.by != "threshold" and (self.size is None or self.seed is None):
            raise ValueError(f"by {self.by} needs size and seed")
        return self


@routes.get("/v1/audit/tests")
def tests() -> Response:
    """Return what each test finds, or the entries that one of them does."""
    asked = http.query(TestsQuery)

    def work(connection: Connection, of: Population) -> Json:
        if asked.show is not None:
            return found_json(connection, of, asked.show, days=asked.days, multiple=asked.round, money=minor_units)
        return tests_json(connection, of, days=asked.days, multiple=asked.round, money=minor_units)

    return _answer(asked, work)


@routes.get("/v1/audit/sample")
def sample() -> Response:
    """Return a sample; the same seed draws the same."""
    asked = http.query(SampleQuery)

    def work(connection: Connection, of: Population) -> Json:
        if asked.by == "threshold":
            drawn = over(connection, of, threshold=asked.threshold or 0)
        else:
            drawing = monetary_sample if asked.by == "monetary" else random_sample
            drawn = drawing(connection, of, size=asked.size or 0, seed=asked.seed or "")
        return {"by": asked.by, "seed": asked.seed, **sample_json(connection, of, drawn, minor_units)}

    return _answer(asked, work)


@routes.get("/v1/audit/digits")
def digits() -> Response:
    """Return the first digits of amounts beside those that Benford's law expects."""
    return _answer(http.query(PeriodQuery), digits_json)


@routes.get("/v1/audit/people")
def people() -> Response:
    """Return who booked and who approved, how much."""
    return _answer(http.query(PeriodQuery), lambda connection, of: people_json(connection, of, minor_units))


def _answer(asked: PeriodQuery, work: Callable[[Connection, Population], Json]) -> Response:
    def reading(connection: Connection) -> Json:
        code = choose_book(connection, asked.book)
        of = Population(
            book=code,
            booked_from=asked.booked_from,
            booked_to=asked.booked_to,
            currency=asked.currency or book(connection, code).base_currency,
            known_at=known_at_block(connection, asked.known_at),
        )
        return work(connection, of)

    return http.reply(http.edge().read(reading))
