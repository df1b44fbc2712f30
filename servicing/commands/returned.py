"""A payment that came back, by whatever name it is known: the instruction that made it comes back with it.

Never: a payment that should not have been booked, which a person reverses. Next: `servicing/commands/instructions.py`.
"""

from __future__ import annotations

from ledger.unit_of_work import UnitOfWork
from servicing.commands.instructions import return_instruction
from servicing.commands.payments import Undone, return_payment
from servicing.rail_queries import instructions
from servicing.rails.instruction import Direction


def take_back_payment(uow: UnitOfWork, loan_id: int, payment_id: int, code: str, request_key: str) -> Undone:
    """Undo a payment that the bank returned; if an instruction made it, that is returned.

    Raises: what `return_payment` and `return_instruction` raise.
    """
    for each in instructions(uow.connection, loan_id):
        if each.direction is Direction.DEBIT and each.event_no == payment_id:
            before = len(each.moves)
            back = return_instruction(uow, loan_id, each.instruction_no, code=code, request_key=request_key)
            move = back.moves[-1]
            assert move.event_no is not None, "what undoes a payment is an event"
            replayed = len(back.moves) == before
            return Undone(loan_id, move.event_no, () if replayed else move.entries, replayed)
    return return_payment(uow, loan_id, payment_id, code, request_key)
