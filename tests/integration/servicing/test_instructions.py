"""Payment instructions on a database: each move, what it books, what is refused, and twins that do it at once.

The loan is 10,000.00 at 12%, funded on 15 January 2026, on 20 March; it is a Friday.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from gl_export.commands.settlement import settle_rails
from ledger.chart import Side
from ledger.commands.books import advance_business_date
from ledger.errors import RequestKeyReused
from ledger.money import Money
from ledger.queries.trial_balance import trial_balance
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.bank_accounts import AccountIn, add_bank_account
from servicing.commands.instructions import (
    InstructionIn,
    batch_instruction,
    cancel_instruction,
    decline_instruction,
    return_instruction,
    schedule_instruction,
    send_instruction,
    settle_instruction,
)
from servicing.commands.refunds import refund
from servicing.queries import loan_view
from servicing.rail_queries import held_funds, instruction, instruction_by_trace
from servicing.rails.accounts import AccountNumber
from servicing.rails.errors import (
    FundsHeld,
    InstructionInvalid,
    InstructionMoveRefused,
    InstructionNotSettled,
    TraceTaken,
    TraceUnknown,
)
from servicing.rails.instruction import Direction, Instruction
from servicing.vault import Vault
from tests.integration.servicing.acts import pay
from tests.support.database import Database
from tests.support.interleaving import aside, outcome, wait_until_waiting
from tests.support.loan_lives import ACTOR

Loan = tuple[str, int, int]
VAULT = Vault.of_keys("Zm9ydHktdHdvIGZvcnR5LXR3byBmb3J0eS10d28tNDI=")
FRIDAY, MONDAY, TUESDAY, THURSDAY = date(2026, 3, 20), date(2026, 3, 23), date(2026, 3, 24), date(2026, 3, 26)
TRACE = "091000010000001"


def account(uow: UnitOfWork, loan_id: int) -> int:
    given = AccountIn(routing="021000021", number=AccountNumber("123456789"), kind="checking", holder="Ada Borrower")
    return add_bank_account(uow, VAULT, loan_id, given, request_key="account").account_no


def ach(engine: sa.Engine, loan_id: int, amount: str = "888.49", key: str = "i1", **more: Any) -> Instruction:
    """Schedule a debit of a new bank account, due today unless it says otherwise."""

    def work(uow: UnitOfWork) -> Instruction:
        values = {"direction": Direction.DEBIT, "method": "ach_debit", "due_on": FRIDAY, **more}
        money = Money.parse(amount, "USD")
        return schedule_instruction(
            uow,
            loan_id,
            InstructionIn(amount=money, account_no=account(uow, loan_id), **values),
            request_key=key,
        )

    return run(engine, work, actor=ACTOR)


def other(engine: sa.Engine, loan_id: int, method: str, amount: str, key: str = "o1", **more: Any) -> Instruction:
    """Schedule what another rail takes."""
    values = {"direction": Direction.DEBIT, "due_on": FRIDAY, **more}
    given = InstructionIn(method=method, amount=Money.parse(amount, "USD"), **values)
    return run(engine, lambda uow: schedule_instruction(uow, loan_id, given, request_key=key), actor=ACTOR)


def do(engine: sa.Engine, command: Any, of: Instruction, key: str, **more: Any) -> Instruction:
    """Move an instruction in a transaction of its own."""
    return run(  # type: ignore[no-any-return]
        engine, lambda uow: command(uow, of.loan_id, of.instruction_no, request_key=key, **more), actor=ACTOR
    )


def advance(engine: sa.Engine, code: str, to: date) -> None:
    run(engine, lambda uow: advance_business_date(uow, code, to), actor=ACTOR)


def held_by(engine: sa.Engine, code: str, slug: str) -> str:
    """Return what an account of the whole book holds, debits positive."""
    with engine.connect() as connection:
        today = connection.scalar(sa.text("SELECT business_date FROM ledger.book WHERE code = :c"), {"c": code})
        rows = trial_balance(connection, code, as_of=today).balance.rows
    found = [row.balance_on(Side.DEBIT) for row in rows if row.account.slug == slug]
    return Money.sum(found, "USD").format()


def test_a_debit_by_the_clearing_house_is_credited_when_it_settles_and_its_cash_waits(
    engine: sa.Engine, loan: Loan
) -> None:
    # Sent on Friday 20 March, it settles on Monday 23 March, and may be returned until Wednesday 25 March.
    code, loan_id, _ = loan
    made = ach(engine, loan_id)
    do(engine, batch_instruction, made, "b")
    sent = do(engine, send_instruction, made, "s", trace=TRACE)
    with engine.connect() as connection:
        assert loan_view(connection, loan_id).state.allocations == {}
        assert instruction_by_trace(connection, code, TRACE) == sent
    assert (sent.status, sent.settles_on, sent.event_no) == ("sent", MONDAY, None)

    with pytest.raises(InstructionNotSettled):
        do(engine, settle_instruction, made, "t")
    advance(engine, code, TUESDAY)
    settled = do(engine, settle_instruction, made, "t")

    assert [move.status for move in settled.moves] == ["scheduled", "batched", "sent", "settled"]
    assert (settled.moves[-1].moved_on, settled.settles_on, settled.available_on) == (
        TUESDAY,
        MONDAY,
        date(2026, 3, 25),
    )
    assert len(settled.moves[-1].entries) > 0
    with engine.connect() as connection:
        view = loan_view(connection, loan_id)
        (event,) = [each for each in view.loan.events if each.no == settled.event_no]
        assert (event.effective_date, event.method, event.amount) == (MONDAY, "ach", 88_849)
        assert held_funds(connection, loan_id, TUESDAY).amount == 88_849
        assert held_funds(connection, loan_id, date(2026, 3, 25)).amount == 0
        assert instruction(connection, loan_id, made.instruction_no) == settled
    assert do(engine, settle_instruction, made, "t") == settled


def test_a_debit_that_comes_back_leaves_the_clearing_account_at_zero_with_cash(engine: sa.Engine, loan: Loan) -> None:
    # 888.49 in on Tuesday's books and out on Thursday's; the product charges 25.00 for it.
    code, loan_id, _ = loan
    with engine.connect() as connection:
        before = loan_view(connection, loan_id, THURSDAY).state.balances()
    start = {slug: held_by(engine, code, slug) for slug in ("cash", "ach_clearing")}
    made = ach(engine, loan_id)
    do(engine, send_instruction, made, "s", trace=TRACE)
    advance(engine, code, TUESDAY)
    do(engine, settle_instruction, made, "t")
    run(engine, lambda uow: settle_rails(uow, code, TUESDAY), actor=ACTOR)
    advance(engine, code, THURSDAY)

    back = do(engine, return_instruction, made, "r", code="R01")
    run(engine, lambda uow: settle_rails(uow, code, THURSDAY), actor=ACTOR)

    assert (back.status, back.moves[-1].reason) == ("returned", "R01")
    assert {slug: held_by(engine, code, slug) for slug in start} == start
    with engine.connect() as connection:
        after = loan_view(connection, loan_id, THURSDAY).state.balances()
        assert held_funds(connection, loan_id, THURSDAY).amount == 0
    assert after == {**before, "penalties": before["penalties"] + 2_500}


def test_what_comes_back_before_it_was_credited_is_booked_both_ways(engine: sa.Engine, loan: Loan) -> None:
    _, loan_id, _ = loan
    made = ach(engine, loan_id)
    do(engine, send_instruction, made, "s", trace=TRACE)

    back = do(engine, return_instruction, made, "r", code="R03")

    with engine.connect() as connection:
        view = loan_view(connection, loan_id)
    kinds = [event.kind for event in view.loan.events][-2:]
    assert (kinds, back.moves[-1].event_no) == (["payment", "payment_returned"], view.loan.events[-1].no)
    assert view.state.penalties >= 2_500


def test_a_check_counts_from_its_receipt_and_cash_settles_at_once(engine: sa.Engine, loan: Loan) -> None:
    # Received on Friday 20 March, a check settles two banking days later, on the 24th, and waits five more: the 31st.
    code, loan_id, _ = loan
    check = do(engine, send_instruction, other(engine, loan_id, "check", "300.00"), "s")
    cash = do(engine, send_instruction, other(engine, loan_id, "cash", "20.00", "o2"), "c")

    assert (check.status, check.settles_on, check.available_on) == ("sent", TUESDAY, date(2026, 3, 31))
    assert (cash.status, cash.available_on) == ("settled", FRIDAY)
    assert (held_by(engine, code, "check_clearing"), held_by(engine, code, "cash_clearing")) == ("300.00", "20.00")


def test_cash_that_waits_is_not_sent_back(engine: sa.Engine, loan: Loan) -> None:
    # 11,000.00 by check is more than the payoff: what is left unapplied waits until 31 March; 40.00 by wire does not.
    code, loan_id, _ = loan
    do(engine, send_instruction, other(engine, loan_id, "check", "11000.00"), "s")
    wire = do(engine, send_instruction, other(engine, loan_id, "wire", "40.00", "o2"), "w")
    assert (wire.status, do(engine, settle_instruction, wire, "ws").available_on) == ("sent", FRIDAY)

    def send_back(amount: str, key: str, on: date) -> Any:
        return run(
            engine,
            lambda uow: refund(
                uow, loan_id, amount=Money.parse(amount, "USD"), effective_date=on, method="ach", request_key=key
            ),
            actor=ACTOR,
        )

    with pytest.raises(FundsHeld) as refused:
        send_back("40.01", "r1", FRIDAY)
    assert (refused.value.available, refused.value.until) == (4_000, date(2026, 3, 31))
    send_back("40.00", "r2", FRIDAY)
    advance(engine, code, date(2026, 3, 31))
    assert send_back("40.01", "r3", date(2026, 3, 31)).amount == Money.parse("40.01", "USD")


def test_a_credit_spends_unapplied_cash_and_brings_it_back_when_it_fails(engine: sa.Engine, loan: Loan) -> None:
    code, loan_id, _ = loan
    pay(engine, loan_id, "11000.00", date(2026, 3, 19), "much", method="wire")
    with engine.connect() as connection:
        unapplied = loan_view(connection, loan_id).state.unapplied

    made = ach(engine, loan_id, "100.00", direction=Direction.CREDIT, method="ach_credit")
    sent = do(engine, send_instruction, made, "s", trace=TRACE)
    with engine.connect() as connection:
        assert loan_view(connection, loan_id).state.unapplied == unapplied - 10_000
    assert (sent.event_no is not None, held_by(engine, code, "ach_clearing")) == (True, "-20100.00")
    do(engine, return_instruction, made, "r", code="R04")

    with engine.connect() as connection:
        assert loan_view(connection, loan_id).state.unapplied == unapplied
    assert held_by(engine, code, "ach_clearing") == "-20000.00"  # two loans were funded


def test_a_declined_card_books_nothing(engine: sa.Engine, loan: Loan) -> None:
    _, loan_id, _ = loan
    made = other(engine, loan_id, "debit_card", "50.00", card_token="tok_1")

    declined = do(engine, decline_instruction, made, "d", code="insufficient_funds")

    assert [move.status for move in declined.moves] == ["scheduled", "sent", "returned"]
    assert (declined.event_no, do(engine, decline_instruction, made, "d", code="insufficient_funds")) == (
        None,
        declined,
    )
    with engine.connect() as connection:
        assert [event.kind for event in loan_view(connection, loan_id).loan.events] == ["funded"]


def test_what_was_sent_is_not_canceled_and_what_is_over_does_not_move(engine: sa.Engine, loan: Loan) -> None:
    _, loan_id, _ = loan
    sent = do(engine, send_instruction, ach(engine, loan_id), "s", trace=TRACE)
    gone = do(engine, cancel_instruction, other(engine, loan_id, "check", "1.00"), "c", reason="paid by phone")

    for command, of, more in (
        (cancel_instruction, sent, {"reason": "late"}),
        (batch_instruction, sent, {}),
        (send_instruction, gone, {}),
        (settle_instruction, gone, {}),
        (return_instruction, gone, {"code": "R01"}),
    ):
        with pytest.raises(InstructionMoveRefused):
            do(engine, command, of, "x", **more)


def test_a_retry_takes_up_what_was_returned_once_and_for_the_same_amount(engine: sa.Engine, loan: Loan) -> None:
    _, loan_id, _ = loan
    first = ach(engine, loan_id)
    with pytest.raises(InstructionMoveRefused):
        ach(engine, loan_id, key="early", retry_of=first.instruction_no)
    do(engine, send_instruction, first, "s", trace=TRACE)
    do(engine, return_instruction, first, "r", code="R01")
    with pytest.raises(InstructionInvalid):
        ach(engine, loan_id, "888.50", key="more", retry_of=first.instruction_no)

    again = ach(engine, loan_id, key="again", retry_of=first.instruction_no)

    assert (again.retry_of, again.attempt) == (first.instruction_no, 2)
    with pytest.raises(InstructionInvalid):
        ach(engine, loan_id, key="twice", retry_of=first.instruction_no)


def test_a_key_keeps_what_it_asked_for_and_a_trace_belongs_to_one(engine: sa.Engine, loan: Loan) -> None:
    code, loan_id, second = loan
    made = ach(engine, loan_id)
    assert ach(engine, loan_id) == made
    with pytest.raises(RequestKeyReused) as refused:
        ach(engine, loan_id, "888.50")
    assert refused.value.field == "amount"
    do(engine, send_instruction, made, "s", trace=TRACE)
    with pytest.raises(TraceTaken):
        do(engine, send_instruction, ach(engine, second), "s", trace=TRACE)
    with engine.connect() as connection, pytest.raises(TraceUnknown):
        instruction_by_trace(connection, code, "091000019999999")


@pytest.mark.parametrize(
    ("method", "more", "field"),
    [
        ("pigeon", {}, "method"),
        ("ach_debit", {}, "account_no"),
        ("check", {"card_token": "tok_1"}, "card_token"),
        ("debit_card", {}, "card_token"),
        ("debit_card", {"card_token": "4111111111111111"}, "card_token"),
        ("cash", {"due_on": date(2026, 3, 19)}, "due_on"),
        ("ach_credit", {"account_no": 1}, "direction"),
    ],
)
def test_what_no_rail_can_carry_is_refused(
    engine: sa.Engine, loan: Loan, method: str, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(InstructionInvalid) as refused:
        other(engine, loan[1], method, "5.00", **more)
    assert refused.value.field == field
    assert "4111111111111111" not in str(refused.value)


def test_twins_send_once(module_database: Database, engine: sa.Engine, loan: Loan) -> None:
    _, loan_id, _ = loan
    made = other(engine, loan_id, "check", "300.00")

    with aside() as threads:

        def hold(uow: UnitOfWork) -> Any:
            send_instruction(uow, loan_id, made.instruction_no, request_key="one")
            twin = threads.submit(do, engine, send_instruction, made, "two")
            wait_until_waiting(module_database)
            return twin

        twin = run(engine, hold, actor=ACTOR)
        with pytest.raises(InstructionMoveRefused):
            outcome(twin)

    with engine.connect() as connection:
        view = loan_view(connection, loan_id)
        assert len([event for event in view.loan.events if event.kind == "payment"]) == 1
        assert [move.status for move in instruction(connection, loan_id, 1).moves] == ["scheduled", "sent"]
