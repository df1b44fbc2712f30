"""A business day of a book: what settled is credited before the close, what mandates ask for is scheduled after it."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from ledger.commands.subledgers import freeze_subledger
from ledger.unit_of_work import run
from servicing.commands import business_day
from servicing.commands.autopay import run_autopay
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.business_day import run_business_day
from servicing.drafts import LoanDraft
from servicing.end_of_day import STEPS
from servicing.errors import EffectiveDateAhead
from servicing.queries import loan_view
from servicing.rail_queries import instructions
from tests.integration.servicing.test_autopay import INSTALLMENT, advance, amounts, authorize, send_all
from tests.integration.servicing.test_bank_accounts import add
from tests.integration.servicing.test_run_cycle import in_force, ties_out
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.examples import TERMS

SENT, LAST = date(2026, 2, 13), date(2026, 3, 9)
Lender = tuple[str, list[int]]


def lender(engine: sa.Engine) -> Lender:
    """Return a book of three loans of 10,000.00 at 12%, due on the 15th; two are debited by mandates."""
    code = f"B{uuid.uuid4().hex[:8]}"
    open_book(engine, code, date(2026, 1, 1))
    advance(engine, code, date(2026, 1, 15))
    drafts = [LoanDraft(name, TERMS) for name in "ABC"]
    ids = list(run(engine, lambda uow: board_and_fund_loans(uow, code, drafts), actor=ACTOR))
    for loan_id in ids[:2]:
        add(engine, loan_id)
        authorize(engine, loan_id)
    return code, ids


def sent(engine: sa.Engine) -> Lender:
    """Return a lender whose debits of February were scheduled on Thursday the 12th and sent on Friday the 13th."""
    code, ids = lender(engine)
    advance(engine, code, SENT - timedelta(days=1))
    run_business_day(engine, code, SENT - timedelta(days=1), actor=ACTOR)
    advance(engine, code, SENT)
    assert send_all(engine, code, SENT) == 2
    return code, ids


def test_a_run_after_skipped_days_comes_to_the_books_of_daily_runs(engine: sa.Engine) -> None:
    (daily, daily_ids), (skipped, skipped_ids) = sent(engine), sent(engine)
    day = SENT
    while day < LAST:
        day += timedelta(days=1)
        advance(engine, daily, day)
        run_business_day(engine, daily, day, actor=ACTOR)
    advance(engine, skipped, LAST)

    done = run_business_day(engine, skipped, LAST, actor=ACTOR)

    assert [each.amount for each in done.settled.moved] == [INSTALLMENT] * 2
    assert in_force(engine, skipped_ids) == in_force(engine, daily_ids)
    ties_out(engine, skipped_ids)
    with engine.connect() as connection:
        penalties = [loan_view(connection, loan_id).state.penalties > 0 for loan_id in skipped_ids]
        paid = [
            [each.effective_date for each in loan_view(connection, loan_id).loan.events if each.kind == "payment"]
            for loan_id in skipped_ids
        ]
    # Sunday 15 February is the due date, Tuesday the 17th the day of settlement, which costs the borrower nothing.
    assert paid == [[date(2026, 2, 15)], [date(2026, 2, 15)], []]
    assert penalties == [False, False, True]


def test_run_again_it_does_nothing(engine: sa.Engine) -> None:
    code, ids = sent(engine)
    advance(engine, code, date(2026, 3, 12))
    first = run_business_day(engine, code, date(2026, 3, 12), actor=ACTOR)
    before = [amounts(engine, loan_id) for loan_id in ids]

    again = run_business_day(engine, code, date(2026, 3, 12), actor=ACTOR)

    # 15 March is a Sunday: settled on Monday, sent on Friday the 13th, scheduled on Thursday.
    assert before[0] == [("02-15", INSTALLMENT, "settled"), ("03-15", INSTALLMENT, "scheduled")]
    assert (len(first.settled.moved), len(first.scheduled.moved)) == (2, 2)
    assert (again.settled.moved, again.closed.entries, again.scheduled.moved, again.failed) == ((), 0, (), False)
    assert [amounts(engine, loan_id) for loan_id in ids] == before


@pytest.mark.parametrize("step", ["run_cycle", "run_autopay"])
def test_a_run_that_was_killed_between_steps_is_taken_up(
    engine: sa.Engine, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    (code, ids), (undisturbed, others) = sent(engine), sent(engine)
    for each in (code, undisturbed):
        advance(engine, each, date(2026, 3, 12))
    with monkeypatch.context() as patched:
        patched.setattr(business_day, step, die)
        with pytest.raises(Killed):
            run_business_day(engine, code, date(2026, 3, 12), actor=ACTOR)

    run_business_day(engine, code, date(2026, 3, 12), actor=ACTOR)
    run_business_day(engine, undisturbed, date(2026, 3, 12), actor=ACTOR)

    assert in_force(engine, ids) == in_force(engine, others)
    assert [amounts(engine, each) for each in ids] == [amounts(engine, each) for each in others]


def test_a_frozen_loan_is_named_and_the_others_are_settled(engine: sa.Engine) -> None:
    code, ids = sent(engine)
    advance(engine, code, date(2026, 2, 17))

    run(engine, lambda uow: freeze_subledger(uow, ids[0], frozen=True), actor=ACTOR)

    done = run_business_day(engine, code, date(2026, 2, 17), actor=ACTOR)

    assert {each.loan_id for each in done.settled.failures} == {ids[0]}
    assert (done.failed, [each.loan_id for each in done.settled.moved]) == (True, [ids[1]])


def test_a_dry_run_keeps_nothing_and_a_day_ahead_is_refused(engine: sa.Engine) -> None:
    code, ids = sent(engine)
    advance(engine, code, date(2026, 2, 17))

    dry = run_business_day(engine, code, date(2026, 2, 17), actor=ACTOR, dry_run=True)

    assert len(dry.settled.moved) == 2
    with engine.connect() as connection:
        assert [str(each.status) for each in instructions(connection, ids[0])] == ["sent"]
    with pytest.raises(EffectiveDateAhead):
        run_business_day(engine, code, date(2026, 2, 18), actor=ACTOR)


def test_its_steps_stand_in_the_order_in_which_they_are_run() -> None:
    assert [step.name for step in STEPS][:2] == ["settle", "accrue"]
    assert [step.name for step in STEPS][-2:] == ["schedule", "charge"]


def test_autopay_alone_finds_what_the_day_scheduled(engine: sa.Engine) -> None:
    code, _ = lender(engine)
    advance(engine, code, date(2026, 2, 12))
    run_business_day(engine, code, date(2026, 2, 12), actor=ACTOR)

    assert run_autopay(engine, code, actor=ACTOR).moved == ()
