"""`/v1/self-checks`: that the books balance, agree with each other and with the engine.

Next: `gl_export/queries/self_checks.py`.
"""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy import Connection

from api import http
from api.edge import choose_book
from api.models import WHOLE, BookQuery, Day, ShortText
from api.self_checks import checks_json
from api.views import Json
from gl_export.queries.self_checks import Asked, self_checks
from ledger.queries.accounts import book

routes = Blueprint("self_checks", __name__)

MOST_LOANS = 1_000
"""So many loans are folded in a request; the command line folds all of them."""


class ChecksQuery(BookQuery):
    """As of which day, how many loans are folded again, by which seed, and how old clearing balances may be."""

    as_of: Day | None = None
    sample: Annotated[int, WHOLE, Field(ge=0, le=MOST_LOANS)] = 100
    seed: ShortText = "0"
    clearing_days: Annotated[int, WHOLE, Field(ge=0, le=36_600)] = 31


@routes.get("/v1/self-checks")
def show() -> Response:
    """Make every check, and return what does not hold."""
    asked = http.query(ChecksQuery)

    def work(connection: Connection) -> Json:
        code = choose_book(connection, asked.book)
        day = asked.as_of or book(connection, code).business_date
        what = Asked(code, day, asked.clearing_days, asked.sample, asked.seed)
        return checks_json(what, self_checks(connection, what))

    return http.reply(http.edge().read(work))
