"""The final account of a loan on a real database: done with, or what is left."""

from __future__ import annotations

import uuid
from datetime import date
from functools import partial

import pytest
import sqlalchemy as sa

from ledger.commands import books
from ledger.money import Money
from ledger.unit_of_work import run
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.charge_offs import charge_off, take_recovery
from servicing.commands.payments import take_payment
from servicing.drafts import LoanDraft
from servicing.queries import FinalView, final_view
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.examples import TERMS

CLOSED_ON = date(2026, 2, 26)


@pytest.fixture
def loan_id(engine: sa.Engine) -> int:
    """Return a loan of 10,000.00 at 12 % from 15 January, on 26 February 2026: 138.08 is earned in 42 nights."""
    code = f"F{uuid.uuid4().hex[:8]}"
    open_book(engine, code, TERMS.funded_on)
    (found,) = run(engine, lambda uow: board_and_fund_loans(uow, code, [LoanDraft("L", TERMS)]), actor=ACTOR)
    run(engine, partial(books.advance_business_date, book_code=code, to=CLOSED_ON), actor=ACTOR)
    return found


def final(engine: sa.Engine, loan_id: int) -> FinalView:
    with engine.connect() as connection:
        return final_view(connection, loan_id)


def test_every_account_of_a_loan_that_is_paid_off_names_what_took_it_to_zero(engine: sa.Engine, loan_id: int) -> None:
    taking = partial(
        take_payment,
        loan_id=loan_id,
        amount=Money(1_013_808, "USD"),
        effective_date=CLOSED_ON,
        method="wire",
        external_id="P",
        request_key="P",
    )
    run(engine, taking, actor=ACTOR)

    found = final(engine, loan_id)

    assert found.view.state.status == "paid_off"
    assert found.account.is_done
    # docs/spec/closure.md.
    assert {each.account.slug: (each.rose, each.fell) for each in found.account.accounts} == {
        "loan_principal": (1_000_000, 1_000_000),
        "interest_receivable": (13_808, 13_808),
        "disbursements_payable": (1_000_000, 1_000_000),
    }
    taken = {
        each.account.slug: [(one.template, one.change) for one in each.since_it_last_rose]
        for each in found.account.accounts
    }
    assert taken["loan_principal"] == [("payment_applied", -1_000_000)]
    assert taken["disbursements_payable"] == [("disbursement_sent", -1_000_000)]
    results = {each.account.slug: each.balance for each in found.account.results}
    assert (results["interest_income"], results["wire_clearing"]) == (13_808, 1_013_808)


def test_the_claim_of_a_charged_off_loan_is_what_is_left_until_it_is_recovered(engine: sa.Engine, loan_id: int) -> None:
    off = partial(
        charge_off, loan_id=loan_id, reason="fraud", approved_by="ben", effective_date=CLOSED_ON, request_key="off"
    )
    run(engine, off, actor=ACTOR)

    before = final(engine, loan_id)
    recovery = partial(
        take_recovery,
        loan_id=loan_id,
        amount=Money(1_013_808, "USD"),
        effective_date=CLOSED_ON,
        method="ach",
        external_id="R",
        request_key="R",
    )
    run(engine, recovery, actor=ACTOR)

    assert not before.account.is_done
    assert {each.account.slug: each.balance for each in before.account.left} == {
        "charged_off_claim": 1_013_808,
        "charged_off_claim_contra": 1_013_808,
    }
    after = final(engine, loan_id)
    assert after.account.is_done
    claims = [each for each in after.account.accounts if each.account.slug == "charged_off_claim"]
    assert [one.template for one in claims[0].since_it_last_rose] == ["claim_settled"]
