"""A loan that came by the front door: its proceeds are sent when they are due, its installments paid as they fall due.

Next: `api/demo/front_door.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import sqlalchemy as sa

from api.demo.counter import FUNDER
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.instructions import send_instruction, settle_instruction
from servicing.commands.payments import take_payment
from servicing.queries import loan_view
from servicing.rail_queries import instructions
from servicing.rails.instruction import Instruction, Status
from servicing.schedule import contract_schedule


@dataclass(slots=True)
class NewLoan:
    """The loan, and its installments that are not paid yet: when, how much, and what the payment is called."""

    engine: sa.Engine
    loan_id: int
    dues: list[tuple[date, Money, str]]
    is_sent: bool = False

    @classmethod
    def of(cls, engine: sa.Engine, loan_id: int, name: str, paid: Mapping[str, int]) -> NewLoan:
        """Return a loan, without the installments whose payments are on the book by their names."""
        with engine.connect() as connection:
            terms = loan_view(connection, loan_id).loan.terms
        rows = ((row, f"{name}-P{row.no}") for row in contract_schedule(terms))
        dues = [(row.due, Money(row.total, terms.currency), called) for row, called in rows if called not in paid]
        return cls(engine, loan_id, dues)

    def live(self, day: date) -> int:
        """Live a business date, and return how many payments came."""
        if not self.is_sent:
            self._send(day)
        due = [each for each in self.dues if each[0] <= day]
        self.dues = self.dues[len(due) :]
        for on, amount, name in due:
            self._change(
                partial(
                    take_payment,
                    loan_id=self.loan_id,
                    amount=amount,
                    effective_date=on,
                    method="ach",
                    external_id=name,
                    request_key=f"demo:take:{name}",
                )
            )
        return len(due)

    def _send(self, day: date) -> None:
        with self.engine.connect() as connection:
            found = instructions(connection, self.loan_id)
        for each in found:
            act = self._next(each, day)
            if act is not None:
                self._change(partial(act, loan_id=self.loan_id, instruction_no=each.instruction_no))
        self.is_sent = all(each.status is Status.SETTLED for each in found)

    def _next(self, each: Instruction, day: date) -> Callable[..., Any] | None:
        """Return what is done about an instruction on a day."""
        key, settles_on = f"demo:{each.instruction_no}", each.moves[-1].settles_on
        if each.status is Status.SCHEDULED and each.due_on <= day:
            return partial(send_instruction, request_key=f"{key}:sent")
        if each.status is Status.SENT and settles_on is not None and settles_on <= day:
            return partial(settle_instruction, request_key=f"{key}:settled")
        return None

    def _change(self, work: Callable[[UnitOfWork], Any]) -> None:
        run(self.engine, work, actor=FUNDER)
