"""What other packages read of the rails: bank accounts, mandates, instructions, cash that waits, what is to be sent.

Never: the number of a bank account (`servicing/commands/bank_accounts.py`). Next: `servicing/rail_store.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from servicing import rail_store
from servicing.rails.accounts import BankAccount
from servicing.rails.errors import BankAccountUnknown, InstructionUnknown, MandateUnknown, TraceUnknown
from servicing.rails.instruction import Direction, Instruction, Status
from servicing.rails.mandates import Mandate
from servicing.rails.rail import banking_day_from, banking_days_before
from servicing.rails.registry import RAILS
from servicing.store import load_loan


def bank_accounts(connection: sa.Connection, loan_id: int) -> tuple[BankAccount, ...]:
    """Return every version of every bank account of a loan, in order.

    Raises: LoanUnknown.
    """
    load_loan(connection, loan_id, lock=False)
    return rail_store.account_versions(connection, loan_id)


def bank_account(connection: sa.Connection, loan_id: int, account_no: int) -> BankAccount:
    """Return the latest version of a bank account.

    Raises: BankAccountUnknown.
    """
    versions = rail_store.account_versions(connection, loan_id)
    for each in reversed(versions):
        if each.account_no == account_no:
            return each
    raise BankAccountUnknown(loan_id=loan_id, account_no=account_no)


def mandates(connection: sa.Connection, loan_id: int) -> tuple[Mandate, ...]:
    """Return the mandates of a loan, in order.

    Raises: LoanUnknown.
    """
    load_loan(connection, loan_id, lock=False)
    return rail_store.mandates_of(connection, loan_id)


def mandate(connection: sa.Connection, loan_id: int, mandate_no: int) -> Mandate:
    """Return one mandate.

    Raises: MandateUnknown.
    """
    for each in rail_store.mandates_of(connection, loan_id):
        if each.mandate_no == mandate_no:
            return each
    raise MandateUnknown(loan_id=loan_id, mandate_no=mandate_no)


def instructions(connection: sa.Connection, loan_id: int) -> tuple[Instruction, ...]:
    """Return the payment instructions of a loan with their moves, in order.

    Raises: LoanUnknown.
    """
    load_loan(connection, loan_id, lock=False)
    return rail_store.instructions_of(connection, [loan_id])


def instruction(connection: sa.Connection, loan_id: int, instruction_no: int) -> Instruction:
    """Return one payment instruction.

    Raises: InstructionUnknown.
    """
    for each in rail_store.instructions_of(connection, [loan_id]):
        if each.instruction_no == instruction_no:
            return each
    raise InstructionUnknown(loan_id=loan_id, instruction_no=instruction_no)


def instruction_by_trace(connection: sa.Connection, book_code: str, trace: str) -> Instruction:
    """Return the payment instruction that was sent under a trace number, the latest of several.

    Raises: TraceUnknown.
    """
    found = next(iter(rail_store.uses_of_trace(connection, book_code, trace)), None)
    if found is None:
        raise TraceUnknown(book=book_code, trace=trace)
    return instruction(connection, found.loan_id, found.instruction_no)


@dataclass(frozen=True, slots=True)
class Held:
    """Cash of a loan that may not be spent yet, in minor units, by payment, and the day on which the last of it may."""

    payments: Mapping[int, int]
    until: date | None

    @property
    def amount(self) -> int:
        """Return all of it."""
        return sum(self.payments.values())


def held_funds(connection: sa.Connection, loan_id: int, on: date) -> Held:
    """Return the cash that was credited to a loan and is not available on a day."""
    payments: dict[int, int] = {}
    until: date | None = None
    for each in rail_store.instructions_of(connection, [loan_id]):
        day, payment_no = each.available_on, each.event_no
        taken = each.direction is Direction.DEBIT and each.status is not Status.RETURNED
        if taken and payment_no is not None and day is not None and day > on:
            payments[payment_no] = each.amount
            until = day if until is None else max(until, day)
    return Held(payments, until)


def send_day(method: str, due_on: date) -> date:
    """Return the day on which an instruction is to be sent, so that it settles when it is due."""
    return banking_days_before(banking_day_from(due_on), RAILS[method].days_ahead)


def due_to_send(
    connection: sa.Connection, book_code: str, methods: tuple[str, ...], on: date
) -> tuple[Instruction, ...]:
    """Return the instructions of some rails that are to be sent by a day, in order; batched ones, left behind, too."""
    rows = rail_store.waiting(connection, book_code, (Status.SCHEDULED, Status.BATCHED), methods)
    return _picked(
        connection, [(row.loan_id, row.instruction_no) for row in rows if send_day(row.method, row.due_on) <= on]
    )


def due_to_settle(connection: sa.Connection, book_code: str, on: date) -> tuple[Instruction, ...]:
    """Return the instructions whose day of settlement has come, on rails that nobody confirms, in order."""
    methods = tuple(name for name, rail in RAILS.items() if not rail.confirmed)
    rows = rail_store.waiting(connection, book_code, (Status.SENT,), methods)
    return _picked(connection, [(row.loan_id, row.instruction_no) for row in rows if row.settles_on <= on])


def _picked(connection: sa.Connection, keys: list[tuple[int, int]]) -> tuple[Instruction, ...]:
    wanted = set(keys)
    found = rail_store.instructions_of(connection, sorted({loan_id for loan_id, _ in keys}))
    return tuple(each for each in found if (each.loan_id, each.instruction_no) in wanted)
