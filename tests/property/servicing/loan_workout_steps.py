"""The steps in the lives of loans by which contracts are changed, and what is agreed ahead with their borrowers.

Next: `loan_steps.py` for all others; `workouts.py` for the same as events alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from ledger.money import Money
from ledger.unit_of_work import UnitOfWork
from servicing.commands.agreements import (
    Trial,
    begin_trial,
    end_agreement,
    pause_delinquency,
    resume_delinquency,
    settle,
)
from servicing.commands.modifications import accelerate, modify
from servicing.errors import (
    AgreementOpen,
    AgreementUnknown,
    DelinquencyNotPaused,
    DelinquencyPaused,
    ModificationInvalid,
    ModificationRefused,
    RateKept,
)
from tests.property.servicing.loan_sides import Enter, LoanSides

REFUSALS = (
    AgreementOpen,
    AgreementUnknown,
    DelinquencyNotPaused,
    DelinquencyPaused,
    ModificationInvalid,
    ModificationRefused,
    RateKept,
)
DECIDED: Mapping[str, Any] = {"reason": "hardship", "approved_by": "boss"}
MODIFICATIONS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("rate", {"rate": "3"}),
    ("extend", {"installments": "3"}),
    ("recast", {}),
    ("reamortize", {}),
    ("reage", {}),
    ("reage", {"installments": "6"}),
    ("defer", {"installments": "1"}),
    ("due_date", {"day": "25"}),
    ("capitalize", {}),
    ("capitalize", {"components": "fees"}),
    ("forgive", {"amount": "5.00"}),
    ("forbear", {"installments": "1", "amount": "10.00", "then": "lump_sum"}),
    ("forbear", {"installments": "1", "then": "extend"}),
    ("restructure", {"rate": "4", "installments": "8", "frequency": "biweekly"}),
    ("restructure", {"components": "interest"}),
)
"""Modifications of every kind, and what each is told."""

LOANS = st.sampled_from([0, 0, 1])
BACK = st.sampled_from([0, 0, 0, 1, 20, 45])


class WorkoutSteps(LoanSides):
    """Modifies loans, and agrees on trials, settlements and pauses."""

    @rule(loan=LOANS, which=st.sampled_from(range(len(MODIFICATIONS))), back=BACK)
    def modify(self, loan: int, which: int, back: int) -> None:
        """Modify a loan from today or an earlier day on."""
        kind, told = MODIFICATIONS[which]
        self._decide(loan, back, modify, kind=kind, told=told)

    @rule(loan=LOANS, back=BACK)
    def call(self, loan: int, back: int) -> None:
        """Let all of a loan fall due."""
        self._decide(loan, back, accelerate)

    @rule(
        loan=LOANS,
        back=BACK,
        payments=st.sampled_from([1, 2]),
        which=st.sampled_from([0, 1, 4, 8]),
        pause=st.booleans(),
    )
    def try_out(self, loan: int, back: int, payments: int, which: int, pause: bool) -> None:
        """Agree on a trial plan, and on the modification that follows."""
        kind, told = MODIFICATIONS[which]
        amount, first = Money(self._part(loan, 10), "USD"), self._ago(loan, back) + timedelta(days=10)
        then = {"kind": kind, **told}
        trial = Trial(payments=payments, amount=amount, first_due_on=first, frequency="days:10", pause=pause, then=then)

        def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
            return begin_trial(uow, loan_id, trial, **DECIDED, effective_date=on, request_key=key)

        on = self._ago(loan, back)
        self._try(self.loan_ids[loan], enter)

    @rule(loan=LOANS, back=BACK, percent=st.sampled_from([1, 20, 60]), rest=st.sampled_from(["charge_off", "forgive"]))
    def settle(self, loan: int, back: int, percent: int, rest: str) -> None:
        """Agree that a part settles a loan."""
        by = self._ago(loan, back) + timedelta(days=20)
        self._decide(loan, back, settle, amount=Money(self._part(loan, percent), "USD"), by=by, rest=rest)

    @rule(loan=LOANS, what=st.sampled_from([end_agreement, pause_delinquency, resume_delinquency]), back=BACK)
    def end_or_pause(self, loan: int, what: Callable[..., Any], back: int) -> None:
        """End what is agreed, or pause and resume the days past due."""
        on = self._ago(loan, back)
        own = {"until": on + timedelta(days=30)} if what is pause_delinquency else {}

        def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
            return what(uow, loan_id, reason="any", effective_date=on, request_key=key, **own)

        self._try(self.loan_ids[loan], enter)

    def _decide(self, loan: int, back: int, command: Callable[..., Any], **told: Any) -> None:
        on = self._ago(loan, back)

        def enter(uow: UnitOfWork, loan_id: int, key: str) -> Any:
            return command(uow, loan_id, **told, **DECIDED, effective_date=on, request_key=key)

        self._try(self.loan_ids[loan], enter)

    def _try(self, loan_id: int, enter: Enter) -> None:
        """Enter what may be refused; then nothing is written."""
        before = self.written()
        try:
            self.enter(loan_id, enter)
        except REFUSALS:
            assert self.written() == before

    def _ago(self, loan: int, back: int) -> date:
        funded_on = self.loan(self.loan_ids[loan]).terms.funded_on
        return max(funded_on, self.today - timedelta(days=back))

    def _part(self, loan: int, percent: int) -> int:
        return max(1, self.loan(self.loan_ids[loan]).terms.principal.minor * percent // 100)
