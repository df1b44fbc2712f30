"""`/v1/gl-statements` and `/v1/gl-breaks`: what the general ledger says of itself, and what differs.

Next: `api/gl_reconciliation.py`; `gl_export/commands/gl_reconciliation.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field, model_validator
from sqlalchemy import Connection

from api import http
from api.edge import choose_book
from api.gl_reconciliation import break_json, reconciliation_json, statement_json, taken_json
from api.models import Body, BookQuery, CurrencyCode, Day, FlagText, ShortText
from api.views import Json, minor_units
from gl_export.commands.gl_reconciliation import (
    WINDOW_DAYS,
    GLFile,
    assign_break,
    resolve_break,
    sign_off,
    take_statement,
)
from gl_export.gl_file import GLRow, StatementKind
from gl_export.queries.gl_reconciliation import breaks, reconciliation, statements
from ledger.money import MAX_MINOR, Money
from ledger.queries.accounts import book
from ledger.requests import Outcome, once
from ledger.unit_of_work import UnitOfWork

routes = Blueprint("gl_reconciliation", __name__)

MOST_ROWS = 20_000
"""Rows of one request; the command line takes longer files."""

Signed = Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR)]


class RowIn(Body):
    """A balance, or a posting where it has a day: minor units, debits positive."""

    gl_account: ShortText
    amount: Signed
    currency: CurrencyCode | None = None
    posting_date: Day | None = None
    reference: ShortText | None = None
    description: ShortText | None = None


class StatementIn(Body):
    """What the GL says: balances on a day, or the postings of a period; rows are numbered as they stand."""

    as_of: Day
    from_date: Day | None = None
    file: ShortText = "request"
    rows: Annotated[list[RowIn], Field(min_length=1, max_length=MOST_ROWS)]
    window_days: Annotated[int, Field(ge=0, le=366)] = WINDOW_DAYS

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> StatementIn:
        if len({row.posting_date is None for row in self.rows}) > 1:
            raise ValueError("either every row has a posting_date, or none has")
        return self


class BreaksQuery(BookQuery):
    """Whether breaks that are over are wanted as well."""

    cleared: FlagText = False


class AssignmentIn(Body):
    """Who looks into a break."""

    owner: ShortText
    note: ShortText | None = None


class ResolutionIn(Body):
    """What explains a break."""

    reference: ShortText
    note: ShortText | None = None


class SignOffIn(Body):
    """The second person."""

    approved_by: ShortText


@routes.get("/v1/gl-statements")
def index() -> Response:
    """Return the statements that were taken."""
    return _read(http.query(BookQuery), lambda connection, code, _: {"statements": _statements(connection, code)})


@routes.get("/v1/gl-statements/<int:statement_no>")
def show(statement_no: int) -> Response:
    """Return the proof to zero of a statement, with its breaks and its sign-off."""

    def work(connection: Connection, code: str, today: date) -> Json:
        return reconciliation_json(reconciliation(connection, code, statement_no), minor_units, on=today)

    return _read(http.query(BookQuery), work)


@routes.get("/v1/gl-breaks")
def list_breaks() -> Response:
    """Return the breaks that stand."""
    asked = http.query(BreaksQuery)

    def work(connection: Connection, code: str, today: date) -> Json:
        found = breaks(connection, code, cleared=asked.cleared)
        return {"breaks": [break_json(each, minor_units, on=today) for each in found]}

    return _read(asked, work)


@routes.post("/v1/gl-statements")
def take() -> Response:
    """Take a statement: balances, or postings where every row has a day."""
    given = http.body(StatementIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        file = _file(given, book(uow.connection, code).base_currency)
        taken = take_statement(
            uow, code, file, as_of=given.as_of, from_date=given.from_date, window_days=given.window_days
        )
        return taken_json(taken)

    return _change("take_gl_statement", given, work)


@routes.post("/v1/gl-breaks/<int:break_no>/assignments")
def assign(break_no: int) -> Response:
    """Give a break to a person."""
    given = http.body(AssignmentIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        found = assign_break(uow, code, break_no, owner=given.owner, note=given.note)
        return break_json(found, minor_units, on=book(uow.connection, code).business_date)

    return _change("assign_gl_break", given, work, break_no=break_no)


@routes.post("/v1/gl-breaks/<int:break_no>/resolutions")
def resolve(break_no: int) -> Response:
    """Say what explains a break."""
    given = http.body(ResolutionIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        found = resolve_break(uow, code, break_no, reference=given.reference, note=given.note)
        return break_json(found, minor_units, on=book(uow.connection, code).business_date)

    return _change("resolve_gl_break", given, work, break_no=break_no)


@routes.post("/v1/gl-statements/<int:statement_no>/sign-offs")
def sign(statement_no: int) -> Response:
    """Sign a statement off, by two people."""
    given = http.body(SignOffIn)

    def work(uow: UnitOfWork, code: str) -> Json:
        signed = sign_off(uow, code, statement_no)
        return {
            "statement": signed.statement_no,
            "prepared_by": signed.prepared_by,
            "approved_by": signed.approved_by,
        }

    return _change("sign_off_gl_statement", given, work, approver=given.approved_by, statement_no=statement_no)


def _statements(connection: Connection, code: str) -> list[Json]:
    return [statement_json(each) for each in statements(connection, code)]


def _file(given: StatementIn, currency: str) -> GLFile:
    rows = tuple(
        GLRow(
            number,
            row.gl_account,
            Money(row.amount, row.currency or currency),
            row.posting_date,
            row.reference,
            row.description,
        )
        for number, row in enumerate(given.rows, start=1)
    )
    kind = StatementKind.BALANCES if given.rows[0].posting_date is None else StatementKind.DETAIL
    return GLFile(given.file, given.model_dump_json(exclude={"window_days"}).encode(), rows, kind)


def _read(asked: BookQuery, work: Callable[[Connection, str, date], Json]) -> Response:
    def reading(connection: Connection) -> Json:
        code = choose_book(connection, asked.book)
        return work(connection, code, book(connection, code).business_date)

    return http.reply(http.edge().read(reading))


def _change(
    command: str,
    given: Body,
    work: Callable[[UnitOfWork, str], Json],
    *,
    approver: str | None = None,
    **place: Any,
) -> Response:
    change = http.change()
    code = http.chosen_book(change.book)

    def changing(uow: UnitOfWork) -> Outcome:
        own = book(uow.connection, code).own_subledger_id
        inputs = {**place, **given.model_dump(mode="json")}
        return once(uow, subledger_id=own, key=change.key, command=command, inputs=inputs, work=lambda: work(uow, code))

    outcome = http.edge().answer(changing, actor=change.actor, approver=approver, dry_run=change.dry_run)
    return http.reply_outcome(outcome, dry_run=change.dry_run)
