"""Three months of a clearing house that returns at random: every night instructions, loans, journal and lists agree.

The bank of the test reads the files that go out, settles nothing itself, and answers some entries: for want of funds,
for good, with a change, twice, or with an entry that nobody sent. What it took and gave is added up beside the books.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from ledger.commands import books
from ledger.money import Money
from servicing.commands.ach_build import build_file
from servicing.commands.ach_returns import Desk, TakenFile, take_file
from servicing.commands.ach_sequel import Outcome
from servicing.commands.ach_work import open_work
from servicing.commands.attempts import is_stopped
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.instructions import InstructionIn, schedule_instruction, settle_instruction
from servicing.drafts import LoanDraft
from servicing.nacha.errors import AchNothingToSend
from servicing.nacha.reading import read
from servicing.nacha.rules import Held
from servicing.rail_queries import due_to_settle, instructions
from servicing.rails.errors import MandateEnded
from servicing.rails.instruction import Direction, Instruction, Status
from tests.integration.servicing.test_ach_files import PROGRAM, VAULT, authorize, do
from tests.integration.servicing.test_ach_returns import held
from tests.support.ach_answers import Answered, answer_file
from tests.support.loan_lives import open_book
from tests.unit.servicing.examples import TERMS

pytestmark = pytest.mark.once

LOANS, DAYS, FIRST = 5, 75, date(2026, 2, 2)
FUNDED = LOANS * 1_000_000
ANSWERS = ("R01", "R01", "R09", "R02", "R08", "R10", "C01", "unknown", "twice")


@dataclass
class Bank:
    """What a bank sees: the entries that reached it, and what it gave and took for them in cents."""

    random: Random
    answers_of: float = 0.5
    """What part of the entries it answers; of the others it says nothing."""
    waiting: dict[str, int] = field(default_factory=dict)
    taken: int = 0
    unmatched: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    strangers: int = 0

    def receive(self, data: bytes) -> None:
        """Read a file of the lender."""
        for batch in read(data, Held.SENT).batches:
            for entry in batch.entries:
                self.waiting[entry.trace] = entry.amount
                self.sent[batch.header.description] += 1

    def answers(self) -> list[Answered]:
        """Return what it answers on a day: each waiting entry once, most of them by silence."""
        found: list[Answered] = []
        for trace, amount in sorted(self.waiting.items()):
            if self.random.random() < self.answers_of:
                found += self._answer(trace, amount)
            del self.waiting[trace]
        return found

    def _answer(self, trace: str, amount: int) -> list[Answered]:
        kind = self.random.choice(ANSWERS)
        if kind == "C01":
            return [Answered("C01", trace, corrected=f"{self.random.randrange(10**6, 10**9)}")]
        if kind == "unknown":
            self.strangers += 1
            self.unmatched += amount
            return [Answered("R03", f"12104288{9_000_000 + self.strangers}", amount)]
        self.taken += amount
        code = "R01" if kind == "twice" else kind
        if kind == "twice":
            self.unmatched += amount
            return [Answered(code, trace, amount)] * 2
        return [Answered(code, trace, amount)]


@dataclass
class Lender:
    """A book of loans whose debits go out and come back day by day."""

    engine: sa.Engine
    code: str
    bank: Bank
    loans: tuple[int, ...] = ()
    answers_given: int = 1
    due: int = 0
    stopped: dict[int, int] = field(default_factory=dict)

    def open(self) -> None:
        """Open a book with loans, each with a mandate."""
        open_book(self.engine, self.code, date(2026, 1, 1))
        do(self.engine, lambda uow: books.advance_business_date(uow, self.code, date(2026, 1, 15)))
        drafts = [LoanDraft(f"M-{number}", TERMS) for number in range(LOANS)]
        self.loans = tuple(do(self.engine, lambda uow: board_and_fund_loans(uow, self.code, drafts)))
        do(self.engine, lambda uow: books.advance_business_date(uow, self.code, FIRST))
        for loan_id in self.loans:
            authorize(self.engine, loan_id, FIRST)

    def live(self, day: date) -> None:
        """Live a day: settle, take what the bank answers (twice over), schedule, send."""
        if day > FIRST:
            do(self.engine, lambda uow: books.advance_business_date(uow, self.code, day))
        with self.engine.connect() as connection:
            settling = due_to_settle(connection, self.code, day)
        for each in settling:
            self._settle(each)
        answers = self.bank.answers() if day.weekday() < 5 else []
        if answers:
            data = answer_file(answers, made_on=day, first=self.answers_given)
            self.answers_given += len(answers)
            first, again = self._take(data), self._take(data)
            assert (again.replayed, again.items) == (True, first.items)
        if self.bank.random.random() < 0.6:
            self._schedule(self.bank.random.choice(self.loans), day)
        self._send()

    def _settle(self, each: Instruction) -> None:
        do(self.engine, lambda uow: settle_instruction(uow, each.loan_id, each.instruction_no, request_key="day"))

    def _take(self, data: bytes) -> TakenFile:
        return do(self.engine, lambda uow: take_file(uow, self.code, data, desk=Desk(vault=VAULT)))

    def _schedule(self, loan_id: int, day: date) -> None:
        self.due += 1
        given = InstructionIn(
            direction=Direction.DEBIT,
            method="ach_debit",
            amount=Money(self.bank.random.randrange(1_000, 30_000), "USD"),
            due_on=day + timedelta(days=self.bank.random.randrange(1, 6)),
            account_no=1,
            mandate_no=1,
        )
        with suppress(MandateEnded):
            do(self.engine, lambda uow: schedule_instruction(uow, loan_id, given, request_key=f"due-{self.due}"))

    def _send(self) -> None:
        try:
            built = do(self.engine, lambda uow: build_file(uow, VAULT, self.code, PROGRAM, at=time(10)))
        except AchNothingToSend:
            return
        self.bank.receive(built.data)

    def everything(self) -> list[Instruction]:
        """Return the instructions of all loans."""
        with self.engine.connect() as connection:
            return [each for loan_id in self.loans for each in instructions(connection, loan_id)]


def agree(lender: Lender) -> None:
    """Hold books, instructions and list of work against what the bank saw."""
    found, bank = lender.everything(), lender.bank
    credited = sum(each.amount for each in found if each.event_no is not None and each.status is not Status.RETURNED)
    returned = sum(each.amount for each in found if each.status is Status.RETURNED)
    with lender.engine.connect() as connection:
        work = list(open_work(connection, lender.code))
        stopped = {loan_id for loan_id in lender.loans if is_stopped(connection, loan_id)}
    assert returned == bank.taken
    assert held(lender.engine, lender.code, "1440") == bank.unmatched
    assert held(lender.engine, lender.code, "1120") == credited - bank.unmatched - FUNDED
    assert sum(each.item.answer.amount for each in work) == bank.unmatched
    assert {each.item.outcome for each in work} <= {Outcome.UNMATCHED}
    assert max((each.attempt for each in found), default=1) <= 3
    sent = Counter(each.loan_id for each in found if each.trace is not None)
    for loan_id in stopped:
        assert lender.stopped.setdefault(loan_id, sent[loan_id]) == sent[loan_id], "nothing goes out once it is stopped"


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.deep)])
def test_every_night_agrees_with_what_the_bank_saw(engine: sa.Engine, seed: int) -> None:
    lender = Lender(engine, f"M{seed}", Bank(Random(seed)))
    lender.open()

    for number in range(DAYS):
        lender.live(FIRST + timedelta(days=number))
        agree(lender)

    assert lender.bank.sent["RETRY PYMT"] >= 1
    assert lender.bank.unmatched > 0
    statuses = Counter(each.status for each in lender.everything())
    assert {Status.SETTLED, Status.RETURNED, Status.CANCELED} <= set(statuses)
