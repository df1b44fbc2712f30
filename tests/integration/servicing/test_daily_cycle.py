"""The daily cycle and the replay on a real database: caught up, run twice, and after a role has moved."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from importlib.resources import files

import pytest
import sqlalchemy as sa

from ledger.chart_file import parse_chart
from ledger.commands import books
from ledger.queries.accounts import balances, role_map
from ledger.queries.entries import entries
from ledger.unit_of_work import run
from servicing.commands import cycle
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.cycle import accrue_loan, accrue_through, run_cycle, run_day
from servicing.commands.payments import reverse_payment
from servicing.drafts import LoanDraft
from servicing.engine import fold
from servicing.errors import EffectiveDateAhead
from servicing.queries import booked_balances, loan_view, versions
from tests.integration.servicing.acts import pay
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.examples import RULES, TERMS

TODAY = date(2026, 3, 20)


def test_a_week_that_was_skipped_comes_out_as_if_every_day_had_been_run(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, daily, weekly = loan
    for loan_id in (daily, weekly):
        pay(engine, loan_id, "500.00", date(2026, 2, 20), "p")

    for back in range(30, -1, -1):
        on = TODAY - timedelta(days=back)
        run(engine, partial(run_day, loan_id=daily, day=on), actor=ACTOR)
        run(engine, partial(accrue_loan, loan_id=daily, day=on), actor=ACTOR)
    run(engine, partial(run_day, loan_id=weekly, day=TODAY), actor=ACTOR)
    run(engine, partial(accrue_loan, loan_id=weekly, day=TODAY), actor=ACTOR)

    with engine.connect() as connection:
        assert booked_balances(connection, daily) == booked_balances(connection, weekly)
        assert booked_balances(connection, daily)["penalties"] == 1500


def test_the_interest_booked_is_that_of_the_pure_function(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    code, one, two = loan
    pay(engine, one, "500.00", date(2026, 2, 20), "p")
    done = accrue_through(engine, code, TODAY, actor=ACTOR)

    assert done.loans == 2
    with engine.connect() as connection:
        for loan_id in (one, two):
            held = loan_view(connection, loan_id).loan
            assert booked_balances(connection, loan_id)["interest"] == fold(held.terms, held.events, TODAY).interest
    assert accrue_through(engine, code, TODAY, actor=ACTOR).entries == 0


def test_a_run_that_stopped_between_chunks_is_finished_by_the_next(
    engine: sa.Engine, loan: tuple[str, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, one, two = loan
    monkeypatch.setattr(cycle, "CHUNK_LOANS", 1)

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        accrue_through(engine, code, TODAY, actor=ACTOR, on_progress=stop)
    with engine.connect() as connection:
        assert [booked_balances(connection, each)["interest"] > 0 for each in (one, two)] == [True, False]
    accrue_through(engine, code, TODAY, actor=ACTOR)

    with engine.connect() as connection:
        assert booked_balances(connection, one) == booked_balances(connection, two)


def test_a_late_fee_found_afterwards_moves_a_payment_and_says_so(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    code, one, _ = loan
    number = pay(engine, one, "888.49", date(2026, 3, 10), "p")
    run_cycle(engine, code, TODAY, actor=ACTOR)

    with engine.connect() as connection:
        found = [(because, parts["penalties"]) for payment, because, parts in versions(connection, one)]
    assert (number, found) == (2, [(2, 0), (None, 1500)])


def test_a_day_ahead_is_not_run(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    code, one, _ = loan
    tomorrow = TODAY + timedelta(days=1)
    for command in (accrue_through, run_cycle):
        with pytest.raises(EffectiveDateAhead):
            command(engine, code, tomorrow, actor=ACTOR)
    with pytest.raises(EffectiveDateAhead):
        run(engine, partial(run_day, loan_id=one, day=tomorrow), actor=ACTOR)


def test_entries_booked_before_a_role_moved_stay_and_new_ones_follow_it(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    code, one, _ = loan
    number = pay(engine, one, "888.49", date(2026, 2, 15), "p")
    chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))
    before = chart.roles["default"]["INTEREST_INCOME"]
    after = chart.roles["default"]["OTHER_FEE_INCOME"]
    moved = replace(chart, roles={**chart.roles, "default": {**chart.roles["default"], "INTEREST_INCOME": after}})
    with engine.connect() as connection:
        last = len(entries(connection, one))

    run(engine, lambda uow: books.load_chart(uow, code, moved), actor=ACTOR)
    run(engine, partial(accrue_loan, loan_id=one, day=TODAY), actor=ACTOR)

    with engine.connect() as connection:
        assert role_map(connection, code, "default")["INTEREST_INCOME"] == after
        new = entries(connection, one, after=last)
        assert [view.entry.draft.reverses_no for view in new] == [None] * len(new)
        assert {line.account for view in new for line in view.lines} == {
            chart.roles["default"]["INTEREST_RECEIVABLE"],
            after,
        }
    run(engine, lambda uow: reverse_payment(uow, one, number, "misapplied", "undo"), actor=ACTOR)
    with engine.connect() as connection:
        assert booked_balances(connection, one) == loan_view(connection, one).state.balances()
    assert before != after


def test_a_seasoned_loan_is_boarded_with_its_past_and_accrues_month_by_month(engine: sa.Engine) -> None:
    code = f"S{uuid.uuid4().hex[:8]}"
    open_book(engine, code, date(2025, 11, 1))
    run(engine, lambda uow: books.advance_business_date(uow, code, TODAY), actor=ACTOR)
    monthly = RULES.model_copy(update={"accrual": "monthly"})
    old = replace(TERMS, product=monthly, funded_on=date(2025, 11, 15), first_due_on=date(2025, 12, 15))
    (loan_id,) = run(engine, lambda uow: board_and_fund_loans(uow, code, [LoanDraft("OLD", old)]), actor=ACTOR)

    run(engine, partial(accrue_loan, loan_id=loan_id, day=TODAY), actor=ACTOR)

    with engine.connect() as connection:
        accrued = [
            view.entry for view in entries(connection, loan_id) if view.entry.draft.template == "interest_accrued"
        ]
        assert [entry.draft.effective_date.isoformat() for entry in accrued] == [
            "2025-11-30", "2025-12-31", "2026-01-31", "2026-02-28", "2026-03-20"
        ]  # fmt: skip
        assert {entry.booking_date for entry in accrued} == {TODAY}
        assert balances(connection, loan_id)
