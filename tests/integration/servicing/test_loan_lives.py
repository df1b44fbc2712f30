"""A portfolio lived through the real commands on a real database: the books are what the fold says."""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.commands import books
from ledger.errors import RequestKeyReused
from ledger.money import Money
from ledger.queries.accounts import balances, role_map
from ledger.queries.entries import entries
from ledger.unit_of_work import run
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.cycle import accrue_through, assess_late_fees
from servicing.commands.payments import return_payment, reverse_payment, take_payment
from servicing.commands.scenario_runner import run_scenario
from servicing.drafts import LoanDraft
from servicing.errors import (
    EffectiveBeforeFunding,
    EffectiveDateAhead,
    LoanExists,
    LoanUnknown,
    MethodUnknown,
    PaymentDuplicate,
    PaymentExceedsPayoff,
    PaymentNotPositive,
    PaymentUndone,
    PaymentUnknown,
)
from servicing.queries import loan_view, versions
from servicing.scenario import parse_scenarios
from tests.support.loan_lives import ACTOR, live, open_book
from tests.unit.servicing.test_servicing_rules import TERMS

END = date(2026, 3, 31)


def books_of(connection: sa.Connection, code: str, loan_id: int) -> dict[str, int]:
    roles = role_map(connection, code, "default")
    held = {account: money.minor for account, money in balances(connection, loan_id).items()}

    def get(*names: str) -> int:
        return sum(held.get(roles[name], 0) for name in names)

    return {
        "principal": get("LOAN_PRINCIPAL"),
        "interest": get("INTEREST_RECEIVABLE"),
        "fees": get("OTHER_FEES_RECEIVABLE"),
        "penalties": get("LATE_FEES_RECEIVABLE", "RETURNED_PAYMENT_FEES_RECEIVABLE"),
        "unapplied": get("UNAPPLIED_PAYMENTS"),
    }


def test_after_three_months_the_books_of_every_loan_are_what_its_events_say(engine: sa.Engine) -> None:
    code = f"L{uuid.uuid4().hex[:8]}"
    ids = live(engine, code, loans=50, months=3)
    with engine.connect() as connection:
        for loan_id in ids.values():
            view = loan_view(connection, loan_id)
            assert books_of(connection, code, loan_id) == view.state.balances()
    assert accrue_through(engine, code, END, actor=ACTOR).entries == 0
    assert assess_late_fees(engine, code, END, actor=ACTOR).entries == 0


@pytest.fixture
def loan(engine: sa.Engine) -> tuple[str, int, int]:
    """Return a book and two equal loans in it, on 20 March."""
    code = f"T{uuid.uuid4().hex[:8]}"
    open_book(engine, code, date(2026, 1, 1))
    run(engine, lambda uow: books.advance_business_date(uow, code, date(2026, 1, 15)), actor=ACTOR)
    drafts = [LoanDraft("A", TERMS), LoanDraft("B", TERMS)]
    first, second = run(engine, lambda uow: board_and_fund_loans(uow, code, drafts), actor=ACTOR)
    run(engine, lambda uow: books.advance_business_date(uow, code, date(2026, 3, 20)), actor=ACTOR)
    return code, first, second


def pay(engine: sa.Engine, loan_id: int, amount: str, on: date, name: str, **more: str) -> int:
    return run(
        engine,
        lambda uow: take_payment(
            uow,
            loan_id,
            amount=Money.parse(amount, "USD"),
            effective_date=on,
            method=more.get("method", "ach"),
            external_id=name,
            request_key=more.get("key", name),
        ),
        actor=ACTOR,
    ).payment_id


def test_a_back_dated_payment_leaves_the_loan_as_if_it_had_come_in_time(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    code, one, two = loan
    pay(engine, one, "888.49", date(2026, 2, 15), "first")
    pay(engine, one, "500.00", date(2026, 3, 10), "second")
    pay(engine, two, "500.00", date(2026, 3, 10), "second")
    pay(engine, two, "888.49", date(2026, 2, 15), "first")
    accrue_through(engine, code, date(2026, 3, 20), actor=ACTOR)
    with engine.connect() as connection:
        assert books_of(connection, code, one) == books_of(connection, code, two)
        views = entries(connection, two)
        assert any(view.entry.draft.corrects_no for view in views)
        assert all(view.entry.draft.reverses_no is None or view.corrected_by == () for view in views)


def test_payment_and_reversal_equal_never_paid_in_the_books(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    code, one, two = loan
    number = pay(engine, one, "888.49", date(2026, 2, 15), "first")
    for loan_id in (one, two):
        pay(engine, loan_id, "500.00", date(2026, 3, 10), "second")
    run(engine, lambda uow: reverse_payment(uow, one, number, "misapplied", "undo"), actor=ACTOR)
    again = run(engine, lambda uow: reverse_payment(uow, one, number, "misapplied", "undo"), actor=ACTOR)
    assert again.replayed
    accrue_through(engine, code, date(2026, 3, 20), actor=ACTOR)
    with engine.connect() as connection:
        assert books_of(connection, code, one) == books_of(connection, code, two)
        assert [because for payment, because, _ in versions(connection, one) if payment == number][-1] == 4
    with pytest.raises(PaymentUndone):
        run(engine, lambda uow: return_payment(uow, one, number, "R01", "undo-2"), actor=ACTOR)


def test_what_is_refused_is_named_and_writes_nothing(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    code, one, _ = loan
    day = date(2026, 3, 1)
    pay(engine, one, "100.00", day, "p")
    with engine.connect() as connection:
        before = len(entries(connection, one))
    for error, amount, on, name, more in (
        (PaymentNotPositive, "0", day, "a", {}),
        (PaymentExceedsPayoff, "99999.00", day, "b", {}),
        (EffectiveDateAhead, "1", date(2026, 3, 21), "c", {}),
        (EffectiveBeforeFunding, "1", date(2026, 1, 14), "d", {}),
        (MethodUnknown, "1", day, "e", {"method": "shells"}),
        (PaymentDuplicate, "100.00", day, "p", {"key": "other"}),
        (RequestKeyReused, "101.00", day, "p", {}),
    ):
        with pytest.raises(error):
            pay(engine, one, amount, on, name, **more)
    with pytest.raises(LoanUnknown):
        pay(engine, 2**60, "1", day, "f")
    with pytest.raises(PaymentUnknown):
        run(engine, lambda uow: return_payment(uow, one, 77, "R01", "g"), actor=ACTOR)
    with pytest.raises(LoanExists):
        run(engine, lambda uow: board_and_fund_loans(uow, code, [LoanDraft("A", TERMS)]), actor=ACTOR)
    with engine.connect() as connection:
        assert len(entries(connection, one)) == before


def test_events_are_never_changed(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=r"refused|permission denied"), engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM servicing.event WHERE loan_id = :id"), {"id": loan[1]})


def test_the_scenarios_hold_and_leave_nothing_behind(engine: sa.Engine) -> None:
    folder = Path(__file__).parents[2] / "scenarios"
    for file in sorted(folder.glob("*.yaml")):
        for scenario in parse_scenarios(file.read_text(encoding="utf-8"), file.name):
            assert run_scenario(engine, scenario)["differences"] == []
    with engine.connect() as connection:
        assert not connection.scalar(sa.text("SELECT count(*) FROM ledger.book WHERE code = 'SCENARIO'"))
