"""Bank accounts, mandates and payment instructions as both doors show them; a number is shown by its last four.

Next: `servicing/rail_queries.py`; `api/routes/rails.py`, `api/routes/instructions.py`, `api/cli/rails.py`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from api.loans import loan_after
from api.views import Json, MoneyForm, day
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.autopay import RailReport
from servicing.commands.instructions import (
    batch_instruction,
    cancel_instruction,
    return_instruction,
    send_instruction,
    settle_instruction,
)
from servicing.queries import loan_view
from servicing.rail_queries import held_funds, instructions
from servicing.rails.accounts import BankAccount
from servicing.rails.instruction import Instruction, Move
from servicing.rails.mandates import Mandate

MOVES: dict[str, tuple[Any, frozenset[str]]] = {
    "batch": (batch_instruction, frozenset({"reason"})),
    "send": (send_instruction, frozenset({"trace", "settles_on"})),
    "settle": (settle_instruction, frozenset({"reason"})),
    "return": (return_instruction, frozenset({"code"})),
    "cancel": (cancel_instruction, frozenset({"reason"})),
}
"""What people and files do to an instruction, by its word: the command, and what it takes beside the key."""


def bank_account_json(account: BankAccount) -> Json:
    """Return a version of a bank account, its number masked."""
    return {
        "loan_id": account.loan_id,
        "account_no": account.account_no,
        "version": account.version,
        "routing": account.routing,
        "account_number": account.shown,
        "kind": account.kind,
        "holder": account.holder,
        "reason": account.reason,
        "actor": account.actor,
    }


def mandate_json(mandate: Mandate, money: MoneyForm) -> Json:
    """Return a mandate with how it was authorized, and how it ended if it has."""
    return {
        "loan_id": mandate.loan_id,
        "mandate_no": mandate.mandate_no,
        "method": mandate.method,
        "account_no": mandate.account_no,
        "card_token": mandate.card_token,
        "amount_rule": mandate.amount_rule,
        "amount": money(Money(mandate.amount, mandate.currency)) if mandate.amount else None,
        "day_of_month": mandate.day_of_month,
        "starts_on": day(mandate.starts_on),
        "authorization": {
            "entry_class": mandate.entry_class,
            "on": day(mandate.authorized_on),
            "text_version": mandate.text_version,
            "how": mandate.authorized_how,
        },
        "status": mandate.end_cause or "in_force",
        "ended_on": day(mandate.ended_on),
        "end_reason": mandate.end_reason,
        "actor": mandate.actor,
    }


def instruction_json(instruction: Instruction, money: MoneyForm) -> Json:
    """Return an instruction with its moves."""
    return {
        "loan_id": instruction.loan_id,
        "instruction_no": instruction.instruction_no,
        "status": str(instruction.status),
        "direction": str(instruction.direction),
        "method": instruction.method,
        "amount": money(Money(instruction.amount, instruction.currency)),
        "due_on": day(instruction.due_on),
        "account_no": instruction.account_no,
        "card_token": instruction.card_token,
        "mandate_no": instruction.mandate_no,
        "retry_of": instruction.retry_of,
        **({} if instruction.payee is None else {"payee": instruction.payee}),
        "attempt": instruction.attempt,
        "trace": instruction.trace,
        "settles_on": day(instruction.settles_on),
        "available_on": day(instruction.available_on),
        "event_no": instruction.event_no,
        "actor": instruction.actor,
        "moves": [_move_json(each) for each in instruction.moves],
    }


def _move_json(move: Move) -> Json:
    return {
        "status": str(move.status),
        "on": day(move.moved_on),
        "reason": move.reason,
        "trace": move.trace,
        "event_no": move.event_no,
        "entries": list(move.entries),
        "actor": move.actor,
    }


def move_instruction(
    uow: UnitOfWork, loan_id: int, instruction_no: int, word: str, *, request_key: str, money: MoneyForm, **more: Any
) -> Json:
    """Move an instruction; return it with the entries that were booked, and what is owed after them.

    Raises: what the command of the word raises.
    """
    command, _ = MOVES[word]
    before = len(_moves_of(uow, loan_id, instruction_no))
    moved: Instruction = command(uow, loan_id, instruction_no, request_key=request_key, **more)
    entries = tuple(number for move in moved.moves[before:] for number in move.entries)
    return {**instruction_json(moved, money), "after": loan_after(uow, loan_id, entries, money)}


def _moves_of(uow: UnitOfWork, loan_id: int, instruction_no: int) -> tuple[Move, ...]:
    found = instructions(uow.connection, loan_id)
    return next((each.moves for each in found if each.instruction_no == instruction_no), ())


def instructions_json(connection: sa.Connection, loan_id: int, money: MoneyForm) -> Json:
    """Return every instruction of a loan, and the cash that may not be spent yet.

    Raises: LoanUnknown.
    """
    view = loan_view(connection, loan_id)
    held = held_funds(connection, loan_id, view.on)
    return {
        "loan_id": loan_id,
        "on": day(view.on),
        "held": {"amount": money(Money(held.amount, view.loan.terms.currency)), "until": day(held.until)},
        "instructions": [instruction_json(each, money) for each in instructions(connection, loan_id)],
    }


def report_json(report: RailReport, money: MoneyForm) -> Json:
    """Return what a run of the rails came to."""
    return {
        "day": day(report.day),
        "looked_at": report.looked_at,
        "instructions": [instruction_json(each, money) for each in report.moved],
        "failures": [{"loan_id": each.loan_id, "code": each.code, "message": each.message} for each in report.failures],
    }
