"""Refinancing on a real database: one transaction, a clearing account at zero, one group of entries."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date
from functools import partial

import pytest
import sqlalchemy as sa

from ledger.commands import books
from ledger.money import Money
from ledger.queries.entries import entries
from ledger.queries.trial_balance import trial_balance
from ledger.unit_of_work import run
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.charge_offs import charge_off
from servicing.commands.converge import lacking
from servicing.commands.payments import return_payment
from servicing.commands.refinancing import Refinanced, refinance
from servicing.commands.reversals import reverse_event
from servicing.drafts import LoanDraft
from servicing.errors import EventNotReversible, RefinancingRefused
from servicing.queries import boarded_loans, final_view
from servicing.store import load_loan
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.examples import TERMS

DAY = date(2026, 2, 26)
NEW = replace(
    TERMS, principal=Money.parse("12000.00", "USD"), installments=24, funded_on=DAY, first_due_on=date(2026, 3, 26)
)


@pytest.fixture
def loan_id(engine: sa.Engine) -> int:
    """Return a loan of 10,000.00 at 12 % from 15 January, on 26 February 2026: 138.08 is earned in 42 nights."""
    code = f"N{uuid.uuid4().hex[:8]}"
    open_book(engine, code, TERMS.funded_on)
    (found,) = run(engine, lambda uow: board_and_fund_loans(uow, code, [LoanDraft("L", TERMS)]), actor=ACTOR)
    run(engine, partial(books.advance_business_date, book_code=code, to=DAY), actor=ACTOR)
    return found


def refinanced(engine: sa.Engine, loan_id: int, draft: LoanDraft | None = None, key: str = "key") -> Refinanced:
    work = partial(refinance, loan_id=loan_id, draft=draft or LoanDraft("N", NEW), approved_by="ben", request_key=key)
    return run(engine, work, actor=ACTOR)


def test_a_new_loan_pays_an_old_one_off_through_a_clearing_account_at_zero(engine: sa.Engine, loan_id: int) -> None:
    done = refinanced(engine, loan_id)

    # docs/spec/closure.md.
    assert (done.payoff, done.sent) == (1_013_808, 186_192)
    with engine.connect() as connection:
        old, new = final_view(connection, loan_id), load_loan(connection, done.new_loan_id, lock=False)
        rows = trial_balance(connection, new.book_code, as_of=DAY).balance.rows
        both = [*entries(connection, loan_id), *entries(connection, done.new_loan_id)]
        assert lacking(connection, new)[1] == lacking(connection, load_loan(connection, loan_id, lock=False))[1] == ()
    held = {row.account.slug: (row.debits - row.credits).minor for row in rows}
    assert (old.ended_as, old.account.is_done) == ("refinanced", True)
    assert held["refinance_clearing"] == 0
    assert (held["loan_principal"], held["ach_clearing"]) == (1_200_000, -1_000_000 - 186_192)
    grouped = {
        (each.entry.subledger_id, each.entry.draft.template)
        for each in both
        if each.entry.draft.group_id == done.new_loan_id
    }
    assert {template for _, template in grouped} >= {"loan_funded", "loan_refinanced", "payment_applied"}
    assert {subledger for subledger, _ in grouped} == {loan_id, done.new_loan_id}


def test_the_same_request_makes_no_other_loan(engine: sa.Engine, loan_id: int) -> None:
    first, again = refinanced(engine, loan_id), refinanced(engine, loan_id)

    assert (again.new_loan_id, again.payoff, again.replayed) == (first.new_loan_id, first.payoff, True)


def test_what_another_loan_has_paid_is_not_undone(engine: sa.Engine, loan_id: int) -> None:
    done = refinanced(engine, loan_id)

    for undo in (
        partial(return_payment, loan_id=loan_id, payment_id=done.payment_id, code="R01", request_key="r"),
        partial(reverse_event, loan_id=loan_id, event_no=done.payment_id, reason="x", request_key="r"),
    ):
        with pytest.raises(EventNotReversible):
            run(engine, undo, actor=ACTOR)


def test_what_does_not_pay_the_old_loan_off_is_refused_and_leaves_nothing(engine: sa.Engine, loan_id: int) -> None:
    small = LoanDraft("S", replace(NEW, principal=Money.parse("10138.07", "USD")))
    off = partial(charge_off, loan_id=loan_id, reason="x", approved_by="ben", effective_date=DAY, request_key="off")

    with pytest.raises(RefinancingRefused) as too_small:
        refinanced(engine, loan_id, small)
    run(engine, off, actor=ACTOR)
    with pytest.raises(RefinancingRefused) as gone:
        refinanced(engine, loan_id)

    assert "10138.08" in too_small.value.reason.replace(",", "")
    assert gone.value.reason == "it is charged_off"
    with engine.connect() as connection:
        book_code = load_loan(connection, loan_id, lock=False).book_code
        assert list(boarded_loans(connection, book_code)) == ["L"]
