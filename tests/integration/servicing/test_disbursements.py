"""Proceeds that are sent by payment instructions, what comes back of them, and a funding that is unwound.

The loan is 10,000.00 with a fee of 3 percent, so 300.00 are withheld and 9,700.00 go out: 6,500.00 to another lender by
wire and 3,200.00 to the borrower by check.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from importlib.resources import files
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.chart_file import parse_chart
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.money import Money
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.boarding import board_loans
from servicing.commands.cycle import run_cycle
from servicing.commands.disbursements import unwind_funding
from servicing.commands.instructions import (
    InstructionIn,
    cancel_instruction,
    return_instruction,
    schedule_instruction,
    send_instruction,
    settle_instruction,
)
from servicing.commands.reversals import reverse_event
from servicing.drafts import LoanDraft
from servicing.errors import DisbursementExceedsProceeds, EventNotReversible, FundingNotUnwound
from servicing.product import parse_product
from servicing.queries import final_view, loan_view
from servicing.rails.errors import InstructionInvalid
from servicing.rails.instruction import Direction, Status
from servicing.terms import Terms
from tests.support.database import Database

BOOK = "MAIN"
TODAY = date(2026, 11, 2)


@pytest.fixture
def engine(database: Database) -> sa.Engine:
    """Return the application's engine on a fresh database with one book."""
    engine = database.engine()
    chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))

    def work(uow: UnitOfWork) -> None:
        create_book(uow, code=BOOK, name="Main", base_currency="USD", opened_on=TODAY)
        load_chart(uow, BOOK, chart)

    run(engine, work, actor="setup")
    return engine


def do(engine: sa.Engine, command: Any, *given: Any, **more: Any) -> Any:
    return run(engine, lambda uow: command(uow, *given, **more), actor="ann")


@pytest.fixture
def loan(engine: sa.Engine) -> int:
    terms = Terms(
        product=parse_product({"origination_fee": {"percent": "3.0"}, "accrual": "daily"}),
        principal=Money.parse("10000.00", "USD"),
        rate=Decimal("12.00"),
        installments=12,
        frequency="monthly",
        funded_on=TODAY,
        first_due_on=date(2026, 12, 2),
    )
    (loan_id,) = do(engine, board_loans, BOOK, [LoanDraft("A-1", terms, by_instruction=True)])
    return int(loan_id)


def pay_out(engine: sa.Engine, loan: int, amount: str, method: str, payee: str, key: str) -> int:
    given = InstructionIn(
        direction=Direction.CREDIT, method=method, amount=Money.parse(amount, "USD"), due_on=TODAY, payee=payee
    )
    return int(do(engine, schedule_instruction, loan, given, request_key=key).instruction_no)


def test_a_funding_by_instruction_owes_the_proceeds_until_they_are_sent(engine: sa.Engine, loan: int) -> None:
    with engine.connect() as connection:
        final = {each.account.slug: each.balance for each in final_view(connection, loan).account.accounts}
    assert final["loan_principal"] == 1_000_000
    assert final["disbursements_payable"] == 970_000
    assert final["deferred_origination_fees"] == 30_000
    assert "ach_clearing" not in final


def test_what_is_sent_leaves_by_its_rail_and_what_comes_back_is_owed_to_the_payee_again(
    engine: sa.Engine, loan: int
) -> None:
    no = pay_out(engine, loan, "6500.00", "wire", "Other Lender", "p1")
    sent = do(engine, send_instruction, loan, no, request_key="s1")
    assert sent.status is Status.SENT
    assert _payable(engine, loan) == 320_000
    do(engine, settle_instruction, loan, no, request_key="t1")
    do(engine, return_instruction, loan, no, code="R03", request_key="r1")
    assert _payable(engine, loan) == 970_000
    again = pay_out(engine, loan, "9700.00", "check", "Borrower", "p2")
    do(engine, send_instruction, loan, again, request_key="s2")
    assert _payable(engine, loan) == 0


def test_no_more_than_the_proceeds_can_be_scheduled_with_what_waits(engine: sa.Engine, loan: int) -> None:
    pay_out(engine, loan, "6500.00", "wire", "Other Lender", "p1")
    with pytest.raises(DisbursementExceedsProceeds) as refused:
        pay_out(engine, loan, "3200.01", "check", "Borrower", "p2")
    assert (refused.value.amount, refused.value.left) == (320_001, 320_000)
    with pytest.raises(InstructionInvalid):
        pay_out(engine, loan, "1.00", "check", " ", "p3")


def test_a_funding_is_unwound_to_zero_after_its_proceeds_came_back(engine: sa.Engine, loan: int) -> None:
    sent = pay_out(engine, loan, "6500.00", "wire", "Other Lender", "p1")
    waiting = pay_out(engine, loan, "3200.00", "check", "Borrower", "p2")
    do(engine, send_instruction, loan, sent, request_key="s1")
    run(engine, partial(advance_business_date, book_code=BOOK, to=date(2026, 11, 4)), actor="ann")
    run_cycle(engine, BOOK, date(2026, 11, 3), actor="ann")
    with pytest.raises(FundingNotUnwound, match="650000 minor units"):
        do(engine, unwind_funding, loan, reason="rescinded", request_key="u1")
    do(engine, return_instruction, loan, sent, code="tendered", request_key="r1")
    do(engine, cancel_instruction, loan, waiting, reason="rescinded", request_key="c1")
    do(engine, unwind_funding, loan, reason="rescinded", request_key="u1")

    with engine.connect() as connection:
        final = final_view(connection, loan)
        assert loan_view(connection, loan).state.status == "unwound"
    assert final.account.is_done
    assert {each.account.slug: each.balance for each in final.account.results if each.balance} == {}
    assert do(engine, unwind_funding, loan, reason="rescinded", request_key="u1").replayed
    with pytest.raises(FundingNotUnwound, match="no funding of it stands"):
        do(engine, unwind_funding, loan, reason="again", request_key="u2")


def test_an_unwound_loan_never_falls_due(engine: sa.Engine, loan: int) -> None:
    do(engine, unwind_funding, loan, reason="rescinded", request_key="u1")
    run(engine, partial(advance_business_date, book_code=BOOK, to=date(2027, 2, 15)), actor="ann")
    run_cycle(engine, BOOK, date(2027, 2, 14), actor="ann")
    with engine.connect() as connection:
        view, final = loan_view(connection, loan), final_view(connection, loan)
    assert view.state.status == "unwound"
    assert view.state.payoff == 0
    assert final.account.is_done
    for event_no in (1, 2):
        with pytest.raises(EventNotReversible):
            do(engine, reverse_event, loan, event_no, "mistake", f"v{event_no}")


def _payable(engine: sa.Engine, loan: int) -> int:
    with engine.connect() as connection:
        accounts = final_view(connection, loan).account.accounts
    return next(each.balance for each in accounts if each.account.slug == "disbursements_payable")
