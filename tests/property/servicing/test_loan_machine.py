"""Whole lives of loans through the real commands: by chance, and one that takes every step.

Next: `loan_steps.py` for the steps, `loan_sides.py` for what holds after each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from servicing.commands.agreements import end_agreement, pause_delinquency, resume_delinquency
from servicing.commands.charge_offs import charge_off
from servicing.commands.non_accrual import enter_non_accrual, return_to_accrual
from servicing.product import PercentFee, SmallBalance
from servicing.terms import Terms
from servicing.waterfall_order import PAIRS
from tests.property.servicing.loan_steps import LoanMachine
from tests.property.servicing.loan_workout_steps import MODIFICATIONS
from tests.support.machine_books import Books
from tests.unit.servicing.examples import RULES, TERMS

pytestmark = pytest.mark.once


@pytest.fixture
def books(server_url: str) -> Iterator[Books]:
    """Yield what hands out books to the machine."""
    LoanMachine.books = Books(server_url)
    yield LoanMachine.books
    LoanMachine.books.close()


@pytest.mark.timeout(3600)  # `make test-deep` goes through some hundred lives
def test_loans_stand_as_their_events_say_whatever_happens(books: Books) -> None:
    examples = max(settings.default.max_examples // 16, 6) if settings.default else 6
    run_state_machine_as_test(LoanMachine, settings=settings(max_examples=examples, stateful_step_count=20))


SMALL = SmallBalance(limit=Decimal(5))
FIRST = replace(TERMS, product=RULES.model_copy(update={"returned_payment_fee": Decimal(0), "small_balance": SMALL}))
SECOND = replace(
    TERMS, product=RULES.model_copy(update={"interest": "scheduled", "waterfall": "system", "after_prepayment": "last"})
)
PRODUCT = ("product", None)

LIFE: tuple[Callable[[LoanMachine], object], ...] = (
    # Nothing comes; late fees; then a part, more than is due, and a split of one's own.
    lambda m: m.advance(31),
    lambda m: m.run_days(1),
    lambda m: m.advance(20),
    lambda m: m.run_days(0),
    lambda m: m.pay(0, ("cents", 5_000), 0, PRODUCT, "ach"),
    lambda m: m.pay(0, ("installments", 2), 0, ("split", [1, 0, 2, 5, 1]), "card"),
    lambda m: m.pay(1, ("installments", 1), 0, ("waterfall", "clear_dues"), "check"),
    lambda m: m.pay(1, ("installments", 3), 1, ("waterfall", [*reversed(tuple(PAIRS))]), "wire"),
    lambda m: m.pay_often_on_one_day(0, [("cents", 1), ("installments", 1), ("cents", 50)], 0),
    # Back-dated before all of them, over two month ends, one of which is closed.
    lambda m: m.close_month(),
    lambda m: m.seal(),
    lambda m: m.pay(0, ("installments", 1), 45, PRODUCT, "ach"),
    lambda m: m.pay(1, ("installments", 1), 45, PRODUCT, "ach"),
    lambda m: m.seal(),
    lambda m: m.repeat(0),
    lambda m: m.reuse_a_key(1),
    # Undone in another order than they came, a month later, the later one first.
    lambda m: m.advance(31),
    lambda m: m.run_days(0),
    lambda m: m.undo_two_that_cross(0, (True, False)),
    lambda m: m.undo(1, True),
    lambda m: m.refuse(0),
    lambda m: m.refuse(1),
    lambda m: [m.repeat(n) for n in range(12)],
    lambda m: m.close_month(),
    # Fees by hand, waived in part, then more than is owed; a waiver and a fee that were mistakes.
    lambda m: m.charge_fee(0, 3_000, 20, False, None),
    lambda m: m.charge_fee(0, 500, 0, True, 40),
    lambda m: [m.waive(0, which, 50, 0) for which in range(6)],
    lambda m: [m.waive(0, which, 101, 5) for which in range(6)],
    lambda m: [m.reverse(0, which) for which in range(20, 30)],
    # Another rate, more drawn, credits, and a payment that is charged back in part and then no more.
    lambda m: m.reset_rate(0, "4.25", 45),
    lambda m: m.draw_down(0, 5_000, 5),
    lambda m: m.credit(0, ("cents", 5_000), 1, True),
    lambda m: m.credit(1, ("cents", 50), 0, False),
    lambda m: m.charge_back(0, 50, 0),
    lambda m: m.charge_back(0, 101, 0),
    lambda m: m.undo(0, True),
    lambda m: m.refuse(0),
    lambda m: m.reverse(0, len(m.loan(m.loan_ids[0]).events) - 1),
    # Paid off, and more than that; the return of the payment that did it opens the loan again.
    lambda m: m.pay(0, ("percent of the payoff", 101), 0, ("waterfall", "payoff"), "wire"),
    lambda m: m.pay(1, ("percent of the payoff", 150), 5, PRODUCT, "wire"),
    # What was too much goes back, part of it in vain: the payment behind it is returned.
    lambda m: m.refund(1, 101, 0, False),
    lambda m: m.refund(1, 50, 0, False),
    lambda m: m.refund(1, 100, 0, True),
    lambda m: m.advance(20),
    lambda m: m.run_one(1, False),
    lambda m: m.undo(0, True),
    lambda m: m.undo(len(m.payments()) - 1, True),
    lambda m: m.run_one(0, True),
    lambda m: m.run_days(15),
    lambda m: m.pay_off(1, 5, 0, True),
    lambda m: m.pay_off(0, 0, -1, False),
    lambda m: m.write_off(0, 5),
    lambda m: m.write_off(0, 0),
    lambda m: m.reverse(0, len(m.loan(m.loan_ids[0]).events) - 1),
    lambda m: m.pay_off(0, 0, 0, True),
    lambda m: m.advance(62),
    lambda m: m.close_month(),
    lambda m: m.run_days(0),
)

BAD = replace(
    TERMS,
    product=RULES.model_copy(
        update={
            "non_accrual_dpd": 20,
            "charge_off_dpd": 100,
            "origination_fee": PercentFee(percent=Decimal(3)),
            "returned_payment_fee": Decimal(0),
        }
    ),
)
GOOD = replace(TERMS, product=RULES.model_copy(update={"accrual": "monthly"}))

LOSSES: tuple[Callable[[LoanMachine], object], ...] = (
    # The first turns late: its income stops, what is paid recovers the cost, and it performs again.
    lambda m: m.advance(62),
    lambda m: m.run_days(0),
    lambda m: m.pay(0, ("installments", 1), 0, PRODUCT, "ach"),
    lambda m: m.charge_back(0, 50, 0),
    lambda m: m.pay(0, ("installments", 2), 0, PRODUCT, "ach"),
    lambda m: m.run_days(0),
    lambda m: m.advance(31),
    lambda m: m.close_month(),
    lambda m: m.run_days(0),
    # By hand, both ways, back-dated over a month that is closed.
    lambda m: m.decide_loss(1, enter_non_accrual, 45),
    lambda m: m.pay(1, ("installments", 1), 5, PRODUCT, "card"),
    lambda m: m.decide_loss(1, return_to_accrual, 1),
    lambda m: m.decide_loss(1, return_to_accrual, 0),
    lambda m: m.advance(31),
    lambda m: m.run_days(0),
    lambda m: m.seal(),
    # The policy charges the first one off; what comes later recovers it, in part returned; a person reverses it.
    lambda m: m.advance(62),
    lambda m: m.run_days(1),
    lambda m: m.run_days(0),
    lambda m: m.pay(0, ("installments", 1), 0, PRODUCT, "ach"),
    lambda m: m.recover(0, ("installments", 1), 0, 25),
    lambda m: m.recover(0, ("cents", 50), 0, 101),
    lambda m: m.undo(len(m.payments()) - 1, True),
    lambda m: m.charge_fee(0, 500, 0, False, None),
    lambda m: m.waive(0, 1, 50, 0),
    lambda m: m.pay(0, ("percent of the payoff", 101), 0, PRODUCT, "wire"),
    lambda m: m.close_month(),
    lambda m: m.restore(0),
    lambda m: m.run_days(0),
    # The second by hand; a payment of before turns out not to stand.
    lambda m: m.decide_loss(1, charge_off, 20),
    lambda m: m.decide_loss(1, charge_off, 0),
    lambda m: m.undo(len(m.payments()) - 1, True),
    lambda m: m.recover(1, ("percent of the payoff", 30), 0, 0),
    lambda m: [m.repeat(n) for n in range(12)],
    lambda m: m.restore(1),
    lambda m: m.restore(1),
    lambda m: m.advance(31),
    lambda m: m.run_days(0),
)

WORKOUTS: tuple[Callable[[LoanMachine], object], ...] = (
    # Every kind of modification on a loan that pays now and then, some of them back-dated over payments.
    *(
        step
        for which in range(len(MODIFICATIONS))
        for step in (
            lambda m: m.advance(20),
            lambda m: m.pay(0, ("cents", 5_000), 5, PRODUCT, "ach"),
            lambda m, which=which: m.modify(0, which, 20 * (which % 2)),
            lambda m: m.run_days(0),
        )
    ),
    lambda m: m.close_month(),
    lambda m: m.undo(len(m.payments()) - 1, True),
    lambda m: [m.reverse(0, which) for which in range(3, 40, 3)],
    lambda m: [m.repeat(n) for n in range(8)],
    lambda m: m.run_days(0),
    # A trial that is kept, one of its payments returned; then one that is broken, with its days paused.
    lambda m: m.try_out(1, 0, 2, 8, False),
    lambda m: m.advance(9),
    lambda m: m.pay(1, ("installments", 3), 0, PRODUCT, "ach"),
    lambda m: m.advance(31),
    lambda m: m.run_days(0),
    lambda m: m.undo(len(m.payments()) - 1, True),
    lambda m: m.end_or_pause(1, end_agreement, 0),
    lambda m: m.try_out(1, 0, 1, 0, True),
    lambda m: m.advance(31),
    lambda m: m.run_days(0),
    # A settlement that is kept and whose payment comes back; a loan that is called.
    lambda m: m.settle(1, 0, 20, "forgive"),
    lambda m: m.pay(1, ("percent of the payoff", 60), 0, PRODUCT, "wire"),
    lambda m: m.run_days(0),
    lambda m: m.undo(len(m.payments()) - 1, False),
    lambda m: m.run_days(0),
    lambda m: m.end_or_pause(1, pause_delinquency, 0),
    lambda m: m.call(1, 0),
    lambda m: m.advance(20),
    lambda m: m.run_days(0),
    lambda m: m.end_or_pause(1, resume_delinquency, 0),
    lambda m: m.settle(1, 0, 1, "charge_off"),
    lambda m: m.pay(1, ("cents", 5_000), 0, PRODUCT, "wire"),
    lambda m: m.run_days(0),
    lambda m: m.advance(31),
    lambda m: m.run_days(0),
)


@pytest.mark.parametrize(
    ("first", "second", "life"), [(FIRST, SECOND, LIFE), (BAD, GOOD, LOSSES), (FIRST, SECOND, WORKOUTS)]
)
def test_a_life_that_takes_every_step_once(
    books: Books, first: Terms, second: Terms, life: tuple[Callable[[LoanMachine], object], ...]
) -> None:
    """What chance comes to in some lives only, in every run, with everything that is compared."""
    machine = LoanMachine()
    machine.board(first, second)

    for step in life:
        step(machine)
        machine.entries_balance_and_balances_are_their_sums()
        machine.the_journal_is_what_the_fold_says()
        machine.parts_sum_and_nothing_is_below_zero()

    machine.teardown()
