"""Payment instructions in any order of moves: status, the loan's books and the clearing accounts agree after each day.

A plain model says what may be moved and what cash must have come of it; the commands and the journal must say the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gl_export.commands.settlement import settle_rails
from ledger.chart import Side
from ledger.commands.books import advance_business_date
from ledger.money import Money
from ledger.queries.trial_balance import trial_balance
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.bank_accounts import AccountIn, add_bank_account
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.instructions import (
    InstructionIn,
    batch_instruction,
    cancel_instruction,
    return_instruction,
    schedule_instruction,
    send_instruction,
    settle_instruction,
)
from servicing.drafts import LoanDraft
from servicing.events import UNDOING
from servicing.queries import booked_balances, loan_view
from servicing.rail_queries import held_funds, instructions
from servicing.rails.accounts import AccountNumber
from servicing.rails.errors import InstructionMoveRefused, InstructionNotSettled
from servicing.rails.instruction import Direction, Instruction, Status
from servicing.rails.registry import RAILS
from servicing.vault import Vault
from tests.support.database import Database
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.examples import TERMS

pytestmark = pytest.mark.once

VAULT = Vault.of_keys("Zm9ydHktdHdvIGZvcnR5LXR3byBmb3J0eS10d28tNDI=")
RAIL_SLUGS = ("cash_clearing", "ach_clearing", "card_clearing", "check_clearing", "wire_clearing")
FIRST_DAY = date(2026, 1, 15)
NEXT = {"batch": "batched", "send": "sent", "settle": "settled", "return": "returned", "cancel": "canceled"}
LEGAL = {
    "scheduled": {"batched", "sent", "canceled"},
    "batched": {"sent", "canceled"},
    "sent": {"settled", "returned"},
    "settled": {"returned"},
    "returned": set(),
    "canceled": set(),
}

methods = st.sampled_from([name for name, rail in RAILS.items() if Direction.DEBIT in rail.directions])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("schedule"), methods, st.integers(1, 150_000)),
        st.tuples(st.sampled_from(tuple(NEXT)), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("advance"), st.integers(1, 5), st.just(0)),
    ),
    min_size=1,
    max_size=25,
)


@pytest.fixture(scope="module")
def engine(module_database: Database) -> sa.Engine:
    return module_database.engine()


@dataclass
class Life:
    """A loan, its instructions as the model has them, and the books that they come to."""

    engine: sa.Engine
    code: str = field(default_factory=lambda: f"P{uuid.uuid4().hex[:8]}")
    today: date = FIRST_DAY
    loan_id: int = 0
    statuses: list[str] = field(default_factory=list)
    made: list[Instruction] = field(default_factory=list)
    keys: int = 0

    def do(self, work: Callable[[UnitOfWork], object]) -> object:
        return run(self.engine, work, actor=ACTOR)

    def open(self) -> None:
        open_book(self.engine, self.code, date(2026, 1, 1))
        self.do(lambda uow: advance_business_date(uow, self.code, FIRST_DAY))
        (self.loan_id,) = run(
            self.engine, lambda uow: board_and_fund_loans(uow, self.code, [LoanDraft("A", TERMS)]), actor=ACTOR
        )
        account = AccountIn(routing="021000021", number=AccountNumber("123456"), kind="checking", holder="Ada")
        self.do(lambda uow: add_bank_account(uow, VAULT, self.loan_id, account, request_key="a"))

    def schedule(self, method: str, cents: int) -> None:
        source = RAILS[method].source
        given = InstructionIn(
            direction=Direction.DEBIT,
            method=method,
            amount=Money(cents, "USD"),
            due_on=self.today,
            account_no=1 if source == "bank_account" else None,
            card_token="tok_1" if source == "card" else None,
        )
        key = f"i{len(self.made)}"
        self.made.append(
            run(self.engine, lambda uow: schedule_instruction(uow, self.loan_id, given, request_key=key), actor=ACTOR)
        )
        self.statuses.append("scheduled")

    def move(self, word: str, which: int) -> None:
        """Move an instruction as the model allows, or be refused as the model refuses; and once more, to no effect."""
        if not self.made:
            return
        place = which % len(self.made)
        number, wanted, method = place + 1, NEXT[word], self.made[place].method
        self.keys += 1
        key = f"k{self.keys}"
        before = self.statuses[place]
        card = before == "batched" and word == "cancel" and RAILS[method].source == "card"
        if wanted not in LEGAL[before] or card:
            with pytest.raises(InstructionMoveRefused):
                self._command(word, number, key)
            return
        if word == "settle" and not RAILS[method].confirmed and self._settles_on(number) > self.today:
            with pytest.raises(InstructionNotSettled):
                self._command(word, number, key)
            return
        first = self._command(word, number, key)
        assert self._command(word, number, key) == first
        at_once = word == "send" and method in ("cash", "internal")
        self.statuses[place] = "settled" if at_once else wanted

    def _command(self, word: str, number: int, key: str) -> object:
        def work(uow: UnitOfWork) -> object:
            match word:
                case "batch":
                    return batch_instruction(uow, self.loan_id, number, request_key=key)
                case "send":
                    return send_instruction(uow, self.loan_id, number, request_key=key)
                case "settle":
                    return settle_instruction(uow, self.loan_id, number, request_key=key)
                case "return":
                    # A reason that is not want of funds: two of those in a row stop every attempt on the loan.
                    return return_instruction(uow, self.loan_id, number, code="R04", request_key=key)
            return cancel_instruction(uow, self.loan_id, number, reason="x", request_key=key)

        return self.do(work)

    def _settles_on(self, number: int) -> date:
        with self.engine.connect() as connection:
            found = instructions(connection, self.loan_id)[number - 1].settles_on
        assert found is not None
        return found

    def advance(self, days: int) -> None:
        """End the day: the bank settles what went over the rails, and the books of the day are looked at."""
        self.do(lambda uow: settle_rails(uow, self.code, self.today))
        self.check()
        self.today += timedelta(days=days)
        self.do(lambda uow: advance_business_date(uow, self.code, self.today))

    def check(self) -> None:
        with self.engine.connect() as connection:
            found = instructions(connection, self.loan_id)
            view = loan_view(connection, self.loan_id)
            booked = booked_balances(connection, self.loan_id)
            held = held_funds(connection, self.loan_id, self.today)
            rows = trial_balance(connection, self.code, as_of=self.today).balance.rows
        assert [str(each.status) for each in found] == self.statuses
        undone = {event.of for event in view.loan.events if event.kind in UNDOING}
        standing = {
            event.details["external_id"]: event.amount
            for event in view.loan.events
            if event.kind == "payment" and event.no not in undone
        }
        assert standing == {each.payment_ref: each.amount for each in found if _credited(each)}
        linked = {move.event_no for each in found for move in each.moves if move.event_no is not None}
        assert linked <= {event.no for event in view.loan.events}
        # What the journal says is owed is what the events say, but for interest of days that are not booked yet.
        state = view.state.balances()
        assert {name: booked[name] for name in ("principal", "unapplied", "fees", "penalties")} == {
            name: state[name] for name in ("principal", "unapplied", "fees", "penalties")
        }
        assert set(held.payments.values()) <= set(standing.values())

        def on(slug: str) -> int:
            return sum(row.balance_on(Side.DEBIT).minor for row in rows if row.account.slug == slug)

        # 10,000.00 was paid out by the clearing house; every rail is settled, so cash holds all that stands.
        assert {slug: on(slug) for slug in RAIL_SLUGS} == dict.fromkeys(RAIL_SLUGS, 0)
        assert on("cash") == sum(standing.values()) - 1_000_000


def _credited(each: Instruction) -> bool:
    """Tell whether a debit of this status is on the loan: by what its rail declares, and not what was booked."""
    at_sending = each.method in ("debit_card", "credit_card", "check")
    return each.status is Status.SETTLED or (at_sending and each.status is Status.SENT)


@settings(max_examples=max(settings.default.max_examples // 8, 8) if settings.default else 8)
@given(steps)
def test_any_order_of_moves_keeps_status_loan_and_clearing_together(
    engine: sa.Engine, taken: list[tuple[str, object, int]]
) -> None:
    life = Life(engine)
    life.open()
    for word, what, cents in taken:
        if word == "schedule":
            life.schedule(str(what), cents)
        elif word == "advance":
            life.advance(int(str(what)))
        else:
            life.move(word, int(str(what)))
    life.advance(1)


def test_one_life_takes_every_move_of_every_rail(engine: sa.Engine) -> None:
    life = Life(engine)
    life.open()
    for method in (name for name, rail in RAILS.items() if Direction.DEBIT in rail.directions):
        for _ in range(5):
            life.schedule(method, 10_000)
    count = len(life.made)
    for number in range(count):
        if number % 5 == 0:
            life.move("cancel", number)
        elif number % 2:
            life.move("batch", number)
    for word in ("send", "settle", "cancel"):
        for number in range(count):
            life.move(word, number)
    life.advance(1)
    for number in range(1, count, 5):
        life.move("return", number)
    life.advance(6)
    for word in ("settle", "batch", "send"):
        for number in range(count):
            life.move(word, number)
    life.advance(1)
    for number in range(2, count, 5):
        life.move("return", number)
    life.advance(1)
    assert set(life.statuses) == {"canceled", "returned", "settled"}
