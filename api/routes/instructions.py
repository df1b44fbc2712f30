"""`/v1/loans/<id>/instructions`: what is to be taken from a borrower or sent to one, and each move of it.

Next: `api/rails.py`; `servicing/commands/instructions.py`; `docs/spec/rails.md`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import Field

from api import http
from api.models import Body, BookQuery, Code, CurrencyCode, Day, Minor, ShortText
from api.rails import MOVES, instruction_json, instructions_json, move_instruction
from api.requests import inputs_of, once_on_loan
from api.views import minor_units
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.instructions import InstructionIn, schedule_instruction
from servicing.rail_queries import instruction, instruction_by_trace
from servicing.rails.instruction import Direction

routes = Blueprint("instructions", __name__)

Number = Annotated[int, Field(ge=1, lt=2**31)]


class InstructionBody(Body):
    """An instruction: how much, by which method, for which day, from or to which account or card."""

    method: Code
    amount: Minor
    currency: CurrencyCode
    due_on: Day
    direction: Literal["debit", "credit"] = "debit"
    account_no: Number | None = None
    card_token: Code | None = None
    mandate_no: Number | None = None
    retry_of: Number | None = None


class BatchBody(Body):
    """Which batch it goes out in."""

    reason: ShortText | None = None


class SendBody(Body):
    """Under which trace number it went out, and when it settles, where a file says so."""

    trace: Code | None = None
    settles_on: Day | None = None


class SettleBody(Body):
    """The reference of whoever confirms it."""

    reason: ShortText | None = None


class ReturnBody(Body):
    """The code with which it came back."""

    code: Code


class CancelBody(Body):
    """Why it is given up."""

    reason: ShortText


BODIES: dict[str, type[Body]] = {
    "batch": BatchBody,
    "send": SendBody,
    "settle": SettleBody,
    "return": ReturnBody,
    "cancel": CancelBody,
}


class TraceQuery(BookQuery):
    """Which instruction is asked for."""

    trace: Code


@routes.get("/v1/loans/<int:loan_id>/instructions")
def show_all(loan_id: int) -> Response:
    """Show the instructions of a loan with their moves, and the cash that waits."""
    http.query(BookQuery)
    return http.reply(http.edge().read(lambda connection: instructions_json(connection, loan_id, minor_units)))


@routes.get("/v1/loans/<int:loan_id>/instructions/<int:instruction_no>")
def show(loan_id: int, instruction_no: int) -> Response:
    """Show one instruction."""
    http.query(BookQuery)
    found = http.edge().read(lambda connection: instruction(connection, loan_id, instruction_no))
    return http.reply(instruction_json(found, minor_units))


@routes.get("/v1/instructions")
def find() -> Response:
    """Find the instruction that was sent under a trace number."""
    asked = http.query(TraceQuery)
    code = http.chosen_book(asked.book)
    found = http.edge().read(lambda connection: instruction_by_trace(connection, code, asked.trace))
    return http.reply(instruction_json(found, minor_units))


@routes.post("/v1/loans/<int:loan_id>/instructions")
def schedule(loan_id: int) -> Response:
    """Keep what is to be taken or sent."""
    change, given = http.change(), http.body(InstructionBody)
    wanted = InstructionIn(
        direction=Direction(given.direction),
        method=given.method,
        amount=Money(given.amount, given.currency),
        due_on=given.due_on,
        account_no=given.account_no,
        card_token=given.card_token,
        mandate_no=given.mandate_no,
        retry_of=given.retry_of,
    )
    return once_on_loan(
        change,
        loan_id,
        "schedule_instruction",
        inputs_of(given),
        lambda uow: instruction_json(schedule_instruction(uow, loan_id, wanted, request_key=change.key), minor_units),
    )


@routes.post("/v1/loans/<int:loan_id>/instructions/<int:instruction_no>/<any(batch,send,settle,return,cancel):word>")
def move(loan_id: int, instruction_no: int, word: str) -> Response:
    """Move an instruction; show what was booked, and what is owed after it."""
    change, given = http.change(), http.body(BODIES[word])
    names = MOVES[word][1]
    more = {name: value for name in names if (value := getattr(given, name)) is not None}

    def work(uow: UnitOfWork) -> dict[str, Any]:
        return move_instruction(uow, loan_id, instruction_no, word, request_key=change.key, money=minor_units, **more)

    inputs = {**inputs_of(given), "instruction_no": instruction_no}
    return once_on_loan(change, loan_id, f"{word}_instruction", inputs, work)
