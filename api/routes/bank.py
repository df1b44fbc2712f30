"""`/v1/bank-lines`, `/v1/bank-work`, `/v1/bank-matches`, `/v1/bank-statements`: settling with the bank, line by line.

Next: `api/bank.py`; `gl_export/commands/bank.py`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy import Connection

from api import http
from api.bank import line_json, match_json, taken_json, work_json
from api.edge import choose_book
from api.errors import InputMalformed
from api.models import Body, BookQuery, FlagText, ShortText
from api.views import Json, minor_units
from gl_export.bank.csv_file import parse_bank_map
from gl_export.bank.reading import read_bank_file
from gl_export.commands.bank import SURE, confirm, confirm_sure, take_file, undo
from gl_export.queries.bank import lines, matches, work_list
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork

routes = Blueprint("bank", __name__)


class StatementIn(Body):
    """A file of the bank in base64, and for CSV the map of its columns, in TOML."""

    file: ShortText
    content: Annotated[str, Field(min_length=1, max_length=900_000)]
    map: Annotated[str, Field(max_length=20_000)] | None = None


class LinesQuery(BookQuery):
    """Whether only lines that nothing settles yet are wanted."""

    open: FlagText = False


class MatchIn(Body):
    """Lines and items that belong together."""

    lines: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=1_000)]
    items: Annotated[list[ShortText], Field(min_length=1, max_length=10_000)]


class SureIn(Body):
    """How sure a proposal must be to be confirmed."""

    at_least: Annotated[int, Field(ge=1, le=100)] = SURE


class UndoIn(Body):
    """Why a match is undone."""

    reason: ShortText


@routes.post("/v1/bank-statements")
def take() -> Response:
    """Take the statements of a file."""
    given = http.body(StatementIn)
    try:
        content = base64.b64decode(given.content, validate=True)
    except (binascii.Error, ValueError):
        raise InputMalformed(place="content", reason="it is not base64") from None
    columns = None if given.map is None else parse_bank_map(given.map)

    def work(uow: UnitOfWork, code: str) -> Json:
        currency = book(uow.connection, code).base_currency
        statements = read_bank_file(content, given.file, currency=currency, columns=columns)
        return {"statements": [taken_json(each) for each in take_file(uow, code, statements, content)]}

    return _change("take_bank_statement", given, work)


@routes.get("/v1/bank-lines")
def list_lines() -> Response:
    """Return the lines of the bank."""
    asked = http.query(LinesQuery)

    def work(connection: Connection, code: str, today: date) -> Json:
        found = lines(connection, code, open_only=asked.open)
        return {"lines": [line_json(each, minor_units, on=today) for each in found]}

    return _read(asked, work)


@routes.get("/v1/bank-work")
def show_work() -> Response:
    """Return what nothing settles yet on either side, and what is proposed."""

    def work(connection: Connection, code: str, today: date) -> Json:
        return work_json(work_list(connection, code), minor_units, on=today)

    return _read(http.query(BookQuery), work)


@routes.get("/v1/bank-matches")
def list_matches() -> Response:
    """Return the matches that stand."""

    def work(connection: Connection, code: str, _today: date) -> Json:
        return {"matches": [match_json(each, minor_units) for each in matches(connection, code)]}

    return _read(http.query(BookQuery), work)


@routes.post("/v1/bank-matches")
def create_match() -> Response:
    """Match lines with items, and settle them."""
    given = http.body(MatchIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        return match_json(confirm(uow, code, given.lines, given.items), minor_units)

    return _change("match_bank_lines", given, work)


@routes.post("/v1/bank-matches/sure")
def create_sure_matches() -> Response:
    """Confirm every proposal that is sure."""
    given = http.body(SureIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        done = confirm_sure(uow, code, at_least=given.at_least)
        return {"matches": [match_json(each, minor_units) for each in done]}

    return _change("match_sure_bank_lines", given, work)


@routes.post("/v1/bank-matches/<int:match_no>/undo")
def undo_match(match_no: int) -> Response:
    """Undo a match."""
    given = http.body(UndoIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        return match_json(undo(uow, code, match_no, reason=given.reason), minor_units)

    return _change("undo_bank_match", given, work, match_no=match_no)


def _read(asked: BookQuery, work: Callable[[Connection, str, date], Json]) -> Response:
    def reading(connection: Connection) -> Json:
        code = choose_book(connection, asked.book)
        return work(connection, code, book(connection, code).business_date)

    return http.reply(http.edge().read(reading))


def _change(command: str, given: Body, work: Callable[[UnitOfWork, str], Json], **place: Any) -> Response:
    change = http.change()
    code = http.chosen_book(change.book)

    def changing(uow: UnitOfWork) -> Outcome:
        own = book(uow.connection, code).own_subledger_id
        inputs = {**place, **given.model_dump(mode="json")}
        return once(uow, subledger_id=own, key=change.key, command=command, inputs=inputs, work=lambda: work(uow, code))

    outcome = http.edge().answer(changing, actor=change.actor, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)
