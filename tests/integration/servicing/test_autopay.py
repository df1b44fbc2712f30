"""The daily run of mandates: what is due is scheduled once, lowered when less is due, and credited when it settles.

The loan is 10,000.00 at 12% in twelve installments of 888.49 due on the 15th, the first on 15 February 2026.
"""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.commands.books import advance_business_date
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.autopay import autopay_loan, run_autopay, run_settlements
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.charge_offs import charge_off
from servicing.commands.cycle import run_cycle
from servicing.commands.flags import flag_loan
from servicing.commands.instructions import InstructionIn, schedule_instruction, send_instruction
from servicing.commands.mandates import MandateIn, end_mandate, give_mandate
from servicing.drafts import LoanDraft
from servicing.errors import EffectiveDateAhead
from servicing.queries import loan_view
from servicing.rail_queries import due_to_send, instructions
from servicing.rails.errors import AutopayHeld
from servicing.rails.instruction import Direction
from tests.integration.servicing.acts import pay
from tests.integration.servicing.test_bank_accounts import add
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.examples import TERMS

INSTALLMENT = 88_849


@pytest.fixture
def loan(engine: sa.Engine) -> tuple[str, int]:
    """Return a book and a loan with a bank account, on the day of its funding."""
    code = f"A{uuid.uuid4().hex[:8]}"
    open_book(engine, code, date(2026, 1, 1))
    advance(engine, code, date(2026, 1, 15))
    (loan_id,) = run(engine, lambda uow: board_and_fund_loans(uow, code, [LoanDraft("A", TERMS)]), actor=ACTOR)
    add(engine, loan_id)
    return code, loan_id


def advance(engine: sa.Engine, code: str, to: date) -> None:
    run(engine, lambda uow: advance_business_date(uow, code, to), actor=ACTOR)


def authorize(engine: sa.Engine, loan_id: int, **more: Any) -> int:
    values: dict[str, Any] = {
        "method": "ach_debit",
        "amount_rule": "amount_due",
        "authorized_on": date(2026, 1, 15),
        "text_version": "autopay-3",
        "authorized_how": "signed on the portal",
        "entry_class": "WEB",
        "account_no": 1,
        **more,
    }
    made = run(engine, lambda uow: give_mandate(uow, loan_id, MandateIn(**values), request_key="m"), actor=ACTOR)
    return made.mandate_no


def amounts(engine: sa.Engine, loan_id: int) -> list[tuple[str, int, str]]:
    with engine.connect() as connection:
        return [(f"{each.due_on:%m-%d}", each.amount, str(each.status)) for each in instructions(connection, loan_id)]


def send_all(engine: sa.Engine, code: str, day: date) -> int:
    with engine.connect() as connection:
        due = due_to_send(connection, code, ("ach_debit",), day)
    for each in due:
        send = partial(
            send_instruction,
            loan_id=each.loan_id,
            instruction_no=each.instruction_no,
            request_key=f"send:{each.instruction_no}",
        )
        run(engine, send, actor=ACTOR)
    return len(due)


def test_a_year_of_due_dates_pays_the_loan_off(engine: sa.Engine, loan: tuple[str, int]) -> None:
    # 15 February 2026 is a Sunday and the 16th Presidents' Day: that debit settles on Tuesday the 17th, and counts as
    # of the 15th. All debits are in time, so there is no late fee, and interest is that of payments on the due dates.
    code, loan_id = loan
    authorize(engine, loan_id)
    day = date(2026, 1, 16)
    while day <= date(2027, 1, 20):
        advance(engine, code, day)
        run_settlements(engine, code, actor=ACTOR)
        run_autopay(engine, code, actor=ACTOR)
        send_all(engine, code, day)
        day += timedelta(days=1)

    found = amounts(engine, loan_id)
    with engine.connect() as connection:
        view = loan_view(connection, loan_id)
        paid = [each.effective_date for each in view.loan.events if each.kind == "payment"]
    assert [(each[0], each[2]) for each in found] == [(f"{due:%m-%d}", "settled") for due in _dues()]
    assert [each[1] for each in found[:-1]] == [INSTALLMENT] * 11
    assert paid == _dues()
    assert (view.state.payoff, view.state.unapplied, view.state.penalties, view.dpd) == (0, 0, 0, 0)


def _dues() -> list[date]:
    return [date(2026 + month // 12, month % 12 + 1, 15) for month in range(1, 13)]


def test_it_is_scheduled_two_banking_days_ahead_and_once(engine: sa.Engine, loan: tuple[str, int]) -> None:
    # It settles on Tuesday 17 February, is sent on Friday the 13th, and is scheduled a banking day before: the 12th.
    code, loan_id = loan
    authorize(engine, loan_id)
    advance(engine, code, date(2026, 2, 11))
    assert run_autopay(engine, code, actor=ACTOR).moved == ()
    advance(engine, code, date(2026, 2, 12))

    tried = run_autopay(engine, code, actor=ACTOR, dry_run=True)
    done = run_autopay(engine, code, actor=ACTOR)
    again = run_autopay(engine, code, actor=ACTOR)

    assert [each.amount for each in tried.moved] == [each.amount for each in done.moved] == [INSTALLMENT]
    assert (again.moved, amounts(engine, loan_id)) == ((), [("02-15", INSTALLMENT, "scheduled")])
    assert send_all(engine, code, date(2026, 2, 12)) == 0
    advance(engine, code, date(2026, 2, 13))
    assert send_all(engine, code, date(2026, 2, 13)) == 1


def test_a_killed_run_is_taken_up_and_makes_the_same(engine: sa.Engine, loan: tuple[str, int]) -> None:
    code, loan_id = loan
    authorize(engine, loan_id)
    advance(engine, code, date(2026, 2, 12))

    class Killed(BaseException):
        pass

    def work(uow: UnitOfWork) -> None:
        autopay_loan(uow, loan_id, date(2026, 2, 12))
        raise Killed

    with pytest.raises(Killed):
        run(engine, work, actor=ACTOR)
    assert amounts(engine, loan_id) == []
    run_autopay(engine, code, actor=ACTOR)
    run_autopay(engine, code, actor=ACTOR)
    assert amounts(engine, loan_id) == [("02-15", INSTALLMENT, "scheduled")]


@pytest.mark.parametrize(
    ("paid", "left"),
    [
        ("500.00", [("02-15", INSTALLMENT, "canceled"), ("02-15", 38_849, "scheduled")]),
        ("888.49", [("02-15", INSTALLMENT, "canceled")]),
    ],
)
def test_what_the_borrower_pays_meanwhile_is_not_taken_twice(
    engine: sa.Engine, loan: tuple[str, int], paid: str, left: list[tuple[str, int, str]]
) -> None:
    # 888.49 - 500.00 = 388.49. A payment before the due date pays the coming installment.
    code, loan_id = loan
    authorize(engine, loan_id)
    advance(engine, code, date(2026, 2, 12))
    run_autopay(engine, code, actor=ACTOR)
    advance(engine, code, date(2026, 2, 13))
    pay(engine, loan_id, paid, date(2026, 2, 13), "by hand", method="wire")

    run_autopay(engine, code, actor=ACTOR)
    run_autopay(engine, code, actor=ACTOR)

    assert amounts(engine, loan_id) == left


def test_what_is_under_way_already_is_not_asked_for(engine: sa.Engine, loan: tuple[str, int]) -> None:
    code, loan_id = loan
    authorize(engine, loan_id)
    advance(engine, code, date(2026, 2, 12))
    given = InstructionIn(
        direction=Direction.DEBIT,
        method="check",
        amount=Money.parse("800.00", "USD"),
        due_on=date(2026, 2, 13),
    )
    run(engine, lambda uow: schedule_instruction(uow, loan_id, given, request_key="by phone"), actor=ACTOR)

    run_autopay(engine, code, actor=ACTOR)

    assert amounts(engine, loan_id)[1:] == [("02-15", 8_849, "scheduled")]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"amount_rule": "fixed", "amount": Money(100_000, "USD")}, ("02-15", 100_000)),
        ({"amount_rule": "amount_due_plus", "amount": Money(5_000, "USD")}, ("02-15", 93_849)),
        ({"amount_rule": "fixed", "amount": Money(100_000, "USD"), "day_of_month": 14}, ("02-14", 100_000)),
    ],
)
def test_each_rule_asks_for_its_amount(
    engine: sa.Engine, loan: tuple[str, int], more: dict[str, Any], expected: tuple[str, int]
) -> None:
    code, loan_id = loan
    authorize(engine, loan_id, **more)
    advance(engine, code, date(2026, 2, 12))

    run_autopay(engine, code, actor=ACTOR)

    assert amounts(engine, loan_id) == [(*expected, "scheduled")]


def test_days_that_nobody_ran_are_made_up_for_and_an_ended_mandate_asks_nothing(
    engine: sa.Engine, loan: tuple[str, int]
) -> None:
    code, loan_id = loan
    number = authorize(engine, loan_id)
    advance(engine, code, date(2026, 2, 20))
    with pytest.raises(EffectiveDateAhead):
        run_autopay(engine, code, date(2026, 2, 21), actor=ACTOR)
    run_autopay(engine, code, actor=ACTOR)
    assert amounts(engine, loan_id) == [("02-20", INSTALLMENT, "scheduled")]

    run(
        engine,
        lambda uow: end_mandate(uow, loan_id, number, cause="revoked", reason="by letter", request_key="e"),
        actor=ACTOR,
    )
    advance(engine, code, date(2026, 3, 14))
    assert run_autopay(engine, code, actor=ACTOR).looked_at == 0
    assert amounts(engine, loan_id) == [("02-20", INSTALLMENT, "canceled")]


@pytest.mark.parametrize("rule", [{"amount_rule": "amount_due"}, {"amount_rule": "fixed", "amount": Money(500, "USD")}])
def test_a_loan_that_was_charged_off_is_not_debited_by_itself(
    engine: sa.Engine, loan: tuple[str, int], rule: dict[str, Any]
) -> None:
    code, loan_id = loan
    authorize(engine, loan_id, **rule)
    advance(engine, code, date(2026, 2, 12))
    run_autopay(engine, code, actor=ACTOR)
    assert [status for _, _, status in amounts(engine, loan_id)] == ["scheduled"]
    run(
        engine,
        lambda uow: charge_off(
            uow,
            loan_id,
            reason="fraud",
            approved_by="carol",
            effective_date=date(2026, 2, 12),
            request_key="off",
        ),
        actor=ACTOR,
    )

    run_autopay(engine, code, actor=ACTOR)
    advance(engine, code, date(2026, 3, 12))
    run_autopay(engine, code, actor=ACTOR)

    # What was scheduled before is given up too, where it was not handed out.
    assert [status for _, _, status in amounts(engine, loan_id)] == ["canceled"]


def test_a_loan_that_was_paid_off_is_not_debited_and_what_waits_is_given_up(
    engine: sa.Engine, loan: tuple[str, int]
) -> None:
    code, loan_id = loan
    authorize(engine, loan_id)
    advance(engine, code, date(2026, 2, 12))
    run_autopay(engine, code, actor=ACTOR)
    pay(engine, loan_id, "11000.00", date(2026, 2, 12), "all of it", method="wire")
    run_cycle(engine, code, date(2026, 2, 12), actor=ACTOR)
    with engine.connect() as connection:
        closed = sa.text("SELECT NOT is_open FROM servicing.standing WHERE loan_id = :loan_id")
        assert connection.scalar(closed, {"loan_id": loan_id})

    first, second = (run_autopay(engine, code, actor=ACTOR) for _ in range(2))

    assert (first.looked_at, second.looked_at) == (1, 0)
    assert amounts(engine, loan_id) == [("02-15", INSTALLMENT, "canceled")]


def test_a_bankruptcy_stops_debits_by_mandate_until_it_is_lifted(engine: sa.Engine, loan: tuple[str, int]) -> None:
    # The automatic stay, 11 USC 362(a)(6): no act to collect. A check that the borrower sends is none.
    code, loan_id = loan
    authorize(engine, loan_id)
    advance(engine, code, date(2026, 2, 12))
    run_autopay(engine, code, actor=ACTOR)

    def flag(key: str, *, lifted: bool = False) -> None:
        run(
            engine,
            lambda uow: flag_loan(
                uow,
                loan_id,
                flag="bankruptcy",
                reason="chapter 13",
                effective_date=date(2026, 2, 12),
                request_key=key,
                lifted=lifted,
            ),
            actor=ACTOR,
        )

    flag("set")
    with pytest.raises(AutopayHeld):
        run(engine, lambda uow: send_instruction(uow, loan_id, 1, request_key="s"), actor=ACTOR)
    run_autopay(engine, code, actor=ACTOR)
    assert amounts(engine, loan_id) == [("02-15", INSTALLMENT, "canceled")]

    flag("lift", lifted=True)
    advance(engine, code, date(2026, 3, 12))
    run_autopay(engine, code, actor=ACTOR)

    # Two installments are due by 15 March: 1,776.98. No day was run, so no late fee was assessed.
    assert amounts(engine, loan_id)[1:] == [("03-15", 177_698, "scheduled")]
