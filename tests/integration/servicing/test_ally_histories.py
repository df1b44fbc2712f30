"""Histories of real loans through the commands: payment by payment, entered on their days, and what the books then say.

Next: `tests/unit/servicing/test_ally_histories.py`, where all of them go through the fold.
"""

from __future__ import annotations

import uuid
from datetime import date

import pytest
import sqlalchemy as sa

from ledger.commands import books
from ledger.money import Money
from ledger.unit_of_work import run as in_transaction
from servicing.commands.boarding import board_and_fund_loans
from servicing.drafts import LoanDraft
from servicing.queries import booked_balances, loan_view
from tests.integration.servicing.acts import pay
from tests.support.ally_histories import EXACT_FROM, Run, loans, runs
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.test_ally_histories import terms_of

pytestmark = pytest.mark.once

LIVED = 3


def longest_runs() -> list[Run]:
    """Return the longest run of the first loans that have one of two years or more."""
    found = []
    for loan in loans(EXACT_FROM):
        longest = max(runs(loan), key=lambda run: len(run.paid), default=None)
        if longest is not None and len(longest.paid) >= 24:
            found.append(longest)
        if len(found) == LIVED:
            break
    return found


def board(engine: sa.Engine, code: str, run: Run) -> int:
    draft = LoanDraft(run.loan.loan_id, terms_of(run.loan, run.start, run.paid[0][1].begin))
    (loan_id,) = in_transaction(engine, lambda uow: board_and_fund_loans(uow, code, [draft]), actor=ACTOR)
    return loan_id


def advance(engine: sa.Engine, code: str, to: date) -> None:
    in_transaction(engine, lambda uow: books.advance_business_date(uow, code, to), actor=ACTOR)


def test_after_every_payment_the_books_are_within_the_cents_of_rounding_once(engine: sa.Engine) -> None:
    # Half a cent for every payment, whose interest the histories round by itself, and half a cent of ours.
    for run in longest_runs():
        code = f"A{uuid.uuid4().hex[:8]}"
        open_book(engine, code, run.start)
        loan_id = board(engine, code, run)
        for n, (day, row) in enumerate(run.paid):
            advance(engine, code, day)
            pay(engine, loan_id, Money(row.amount, "USD").format(), day, f"p{n}")
            with engine.connect() as connection:
                booked = booked_balances(connection, loan_id)
            assert 2 * abs(booked["principal"] - row.end) <= n + 2, (run.loan.loan_id, row.month)
            assert booked["interest"] == 0
            assert 2 * booked["unapplied"] <= n + 2

        with engine.connect() as connection:
            view = loan_view(connection, loan_id)
            assert booked_balances(connection, loan_id) == view.state.balances()
        interest = sum(parts.interest for parts in view.state.allocations.values())
        assert 2 * abs(interest - sum(row.interest for _, row in run.paid)) <= len(run.paid) + 1


def test_entered_in_any_order_the_same_payments_leave_the_same_books(engine: sa.Engine) -> None:
    run = longest_runs()[0]
    paid = run.paid[:18]
    code = f"A{uuid.uuid4().hex[:8]}"
    open_book(engine, code, run.start)
    backwards = board(engine, code, run)
    advance(engine, code, paid[-1][0])

    for n, (day, row) in reversed(list(enumerate(paid))):
        pay(engine, backwards, Money(row.amount, "USD").format(), day, f"p{n}")

    with engine.connect() as connection:
        booked = booked_balances(connection, backwards)
        allocations = loan_view(connection, backwards).state.allocations
    assert abs(booked["principal"] - paid[-1][1].end) <= 5
    by_amount = sorted(parts.total for parts in allocations.values())
    assert by_amount == sorted(row.amount for _, row in paid)
    assert all(
        abs(allocations[no].interest - row.interest) <= 1
        for no, (_, row) in zip(sorted(allocations, reverse=True), paid, strict=True)
    )
