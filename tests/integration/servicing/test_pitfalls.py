"""What goes wrong in other servicing systems when payments are undone, back-dated or late, each under its name.

A pitfall is tested here, by `test_<pitfall>_...`, or stands in `PITFALLS` with the tests elsewhere that hold it; some
are both. A test below resolves each of those, so that none can be renamed away.
Next: `tests/property/servicing/test_loan_machine.py`, which tries what nobody thought of; `docs/spec/replay.md`.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial

import pytest
import sqlalchemy as sa

from ledger.commands import books
from ledger.commands.periods import close_period
from ledger.dates import Month
from ledger.errors import DomainError
from ledger.money import Money
from ledger.queries.entries import EntryView, entries
from ledger.queries.trial_balance import By, trial_balance
from ledger.unit_of_work import UnitOfWork, run
from ledger.verify import verify
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.chargebacks import charge_back
from servicing.commands.cycle import accrue_loan, accrue_through, run_cycle
from servicing.commands.payments import return_payment, reverse_payment
from servicing.commands.payoffs import PaidOff, pay_off, quote_payoff
from servicing.drafts import LoanDraft
from servicing.errors import PaymentUndone, PaymentUnknown
from servicing.events import Kind
from servicing.queries import PayoffQuote, booked_balances, loan_view, payment_numbers, versions
from servicing.terms import Terms
from tests.integration.servicing.acts import pay
from tests.support.loan_lives import ACTOR, open_book
from tests.support.named_tests import resolved
from tests.unit.servicing.examples import TERMS

HERE, PROPERTIES = "tests/integration/servicing/", "tests/property/servicing/"
TODAY = date(2026, 3, 20)
JANUARY, FEBRUARY = Month(2026, 1), Month(2026, 2)

PITFALLS: dict[str, tuple[str, ...]] = {
    "identity under replay": (HERE + "test_loan_lives.py::test_payment_and_reversal_equal_never_paid_in_the_books",),
    "ties on one day": (
        "tests/unit/servicing/test_engine.py::test_on_one_day_events_count_in_the_order_in_which_they_were_entered",
        PROPERTIES + "test_loan_machine.py::test_loans_stand_as_their_events_say_whatever_happens",
    ),
    "accruals flip": (),
    "a closed month": (PROPERTIES + "test_loan_machine.py::test_a_life_that_takes_every_step_once",),
    "the wall clock": (),
    "quadratic replay": (),
    "rounding by sub-period": (
        PROPERTIES + "test_replay_properties.py::test_interest_is_the_same_however_often_it_is_booked",
        HERE + "test_daily_cycle.py::test_the_interest_booked_is_that_of_the_pure_function",
    ),
    "a stale loan": (
        HERE + "test_daily_cycle.py::test_a_week_that_was_skipped_comes_out_as_if_every_day_had_been_run",
    ),
    "undo of undo": (HERE + "test_guards_and_races.py::test_two_returns_of_one_payment_at_once_undo_it_once",),
    "balances by a job": (
        PROPERTIES + "test_loan_machine.py::test_a_life_that_takes_every_step_once",
        "tests/integration/ledger/test_verify.py::test_an_amount_that_was_changed_is_found_in_its_run_its_totals_and_its_balance",
    ),
    "parts that do not sum": (
        PROPERTIES + "test_replay_properties.py::test_parts_sum_to_payments_and_installments_to_the_books",
    ),
    "days past due that stay": (),
    "receivables below zero": (PROPERTIES + "test_loan_machine.py::test_a_life_that_takes_every_step_once",),
    "the turn of a year": ("tests/unit/servicing/test_day_counts.py::test_actual_actual_splits_at_the_year_end",),
    "a quote that does not pay off": (
        HERE + "test_payoffs.py::test_a_payoff_uses_its_quote_and_a_late_return_opens_the_loan_again",
    ),
    "a refund in vain": (
        HERE + "test_refunds.py::test_a_refund_whose_payment_is_returned_is_recoverable_in_the_books",
        PROPERTIES + "test_cash_properties.py::test_every_cent_is_on_an_installment_unapplied_sent_back_or_recovered",
    ),
    "a chargeback of a replayed payment": (
        HERE + "test_credits.py::test_everything_undone_leaves_the_books_as_if_nothing_had_been",
    ),
    "one bad loan": (HERE + "test_run_cycle.py::test_a_bad_loan_is_named_and_stops_nobody",),
    "a day closed twice": (
        HERE + "test_daily_cycle.py::test_a_run_that_stopped_between_chunks_is_finished_by_the_next",
    ),
}
"""Each pitfall, and the tests elsewhere that hold it."""


def test_every_pitfall_has_its_tests() -> None:
    for name, references in PITFALLS.items():
        own = [test for test in globals() if test.startswith(f"test_{name.replace(' ', '_').replace('-', '_')}_")]
        assert own or references, name
        for reference in references:
            resolved(reference)


def do(engine: sa.Engine, command: object, *args: object, **more: object) -> object:
    """Run a command in a transaction of its own."""
    return run(engine, lambda uow: command(uow, *args, **more), actor=ACTOR)  # type: ignore[operator]


def journal(engine: sa.Engine, loan_id: int) -> tuple[EntryView, ...]:
    with engine.connect() as connection:
        return entries(connection, loan_id)


def booked(engine: sa.Engine, loan_id: int) -> dict[str, int]:
    with engine.connect() as connection:
        return booked_balances(connection, loan_id)


def totals(engine: sa.Engine, code: str, as_of: date, by: By, known_at: int | None) -> object:
    with engine.connect() as connection:
        return trial_balance(connection, code, as_of=as_of, by=by, known_at=known_at).balance


def dpd(engine: sa.Engine, loan_id: int, on: date) -> int:
    with engine.connect() as connection:
        return loan_view(connection, loan_id, on).dpd


def test_identity_under_replay_number_name_and_links_of_a_payment_stay(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    code, one, _ = loan
    wrong = pay(engine, one, "888.49", date(2026, 2, 15), "wrong")
    right = pay(engine, one, "888.49", date(2026, 3, 15), "right")
    (first,) = (view for view in journal(engine, one) if view.entry.draft.source_ref == f"event:{right}")

    do(engine, reverse_payment, one, wrong, "another loan's", "undo")

    with engine.connect() as connection:
        assert payment_numbers(connection, code) == {"wrong": wrong, "right": right}
        assert [no for no, _, _ in versions(connection, one) if no == right] == [right, right]
    entries_of_it = [view for view in journal(engine, one) if view.entry.draft.source_ref == f"event:{right}"]
    again = next(view for view in entries_of_it if view.entry.draft.corrects_no == first.entry.entry_no)
    assert next(view for view in entries_of_it if view.entry.entry_no == first.entry.entry_no).reversed_by is not None
    assert again.entry.draft.effective_date == date(2026, 3, 15)

    do(engine, return_payment, one, right, "R01", "its return finds it")
    assert booked(engine, one)["principal"] == 1_000_000


def test_ties_on_one_day_stay_in_their_order_through_a_replay(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, replayed, in_time = loan
    on, before = date(2026, 3, 10), date(2026, 2, 15)
    pay(engine, in_time, "100.00", before, "before")
    for loan_id in (replayed, in_time):
        pay(engine, loan_id, "60.00", on, "first")
        pay(engine, loan_id, "500.00", on, "second")
    pay(engine, replayed, "100.00", before, "before")

    with engine.connect() as connection:
        one, two = (loan_view(connection, loan_id).state.allocations for loan_id in (replayed, in_time))
    assert (one[2], one[3]) == (two[3], two[4])
    assert booked(engine, replayed) == booked(engine, in_time)


def test_accruals_flip_only_where_the_balance_was_another(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    code, one, _ = loan
    for day in (date(2026, 1, 31), date(2026, 2, 28)):
        accrue_through(engine, code, day, actor=ACTOR)
    pay(engine, one, "888.49", date(2026, 3, 15), "p")
    assert all(view.reversed_by is None for view in journal(engine, one))

    pay(engine, one, "500.00", date(2026, 2, 15), "back-dated")

    # January, and February up to the 15th, stand; what followed the 15th was earned on another balance.
    undone = {view.entry.draft.source_ref for view in journal(engine, one) if view.reversed_by is not None}
    assert {"accrual:2026-01-31", "accrual:2026-02-15"} & undone == set()
    assert {"accrual:2026-02-16", "accrual:2026-02-28"} <= undone
    before = len(journal(engine, one))
    accrue_through(engine, code, date(2026, 2, 28), actor=ACTOR)
    assert len(journal(engine, one)) == before


@pytest.mark.parametrize("returned", [True, False])
def test_a_closed_month_keeps_what_it_said_and_the_correction_is_in_the_open_one(
    engine: sa.Engine, loan: tuple[str, int, int], returned: bool
) -> None:
    code, one, _ = loan
    number = pay(engine, one, "888.49", date(2026, 2, 15), "p")
    accrue_through(engine, code, FEBRUARY.last_day, actor=ACTOR)
    close_period(engine, code, JANUARY, actor=ACTOR)
    closed = close_period(engine, code, FEBRUARY, actor=ACTOR)
    bys: tuple[By, ...] = ("booking", "effective")
    then = [totals(engine, code, FEBRUARY.last_day, by, closed.block_no) for by in bys]
    last = journal(engine, one)[-1].entry.entry_no

    if returned:
        do(engine, return_payment, one, number, "R10", "undo")
    else:
        do(engine, reverse_payment, one, number, "wrong", "undo")

    corrections = [view for view in journal(engine, one) if view.entry.entry_no > last]
    assert {view.entry.booking_date for view in corrections} == {TODAY}
    assert date(2026, 2, 15) in {view.entry.draft.effective_date for view in corrections}
    assert [totals(engine, code, FEBRUARY.last_day, by, closed.block_no) for by in bys] == then
    assert totals(engine, code, FEBRUARY.last_day, "booking", None) == then[0]
    assert totals(engine, code, FEBRUARY.last_day, "effective", None) != then[1]
    assert booked(engine, one)["principal"] == 1_000_000
    with engine.connect() as connection:
        assert not verify(connection).findings


@pytest.mark.parametrize("years", [-12, 40])
def test_the_wall_clock_is_never_asked(engine: sa.Engine, years: int) -> None:
    code = f"W{uuid.uuid4().hex[:8]}"
    start = date(2026 + years, 1, 15)
    terms = _moved(start)
    open_book(engine, code, start)
    (one,) = run(engine, lambda uow: board_and_fund_loans(uow, code, [LoanDraft("A", terms)]), actor=ACTOR)
    today = start + timedelta(days=60)
    run(engine, lambda uow: books.advance_business_date(uow, code, today), actor=ACTOR)

    number = pay(engine, one, "888.49", today, "p")
    run_cycle(engine, code, today, actor=ACTOR)
    do(engine, return_payment, one, number, "R01", "undo")

    assert {view.entry.booking_date for view in journal(engine, one)} == {start, today}
    assert dpd(engine, one, today) == (today - terms.first_due_on).days


def test_quadratic_replay_is_none_a_payment_at_the_end_books_no_more_than_the_first(engine: sa.Engine) -> None:
    code = f"Q{uuid.uuid4().hex[:8]}"
    open_book(engine, code, TERMS.funded_on)
    (one,) = run(engine, lambda uow: board_and_fund_loans(uow, code, [LoanDraft("A", TERMS)]), actor=ACTOR)
    written = []
    for n in range(1, 41):
        today = TERMS.funded_on + timedelta(days=4 * n)
        run(engine, partial(books.advance_business_date, book_code=code, to=today), actor=ACTOR)
        before = len(journal(engine, one))
        pay(engine, one, "10.00", today, f"p{n}")
        written.append(len(journal(engine, one)) - before)

    # The interest of the four days since the payment before, and the payment.
    assert set(written) == {5}
    assert all(view.reversed_by is None for view in journal(engine, one))


def test_rounding_by_sub_period_is_none_each_day_has_the_rounded_interest_since_the_funding(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, daily, _ = loan
    pay(engine, daily, "888.49", date(2026, 2, 15), "p")
    owed_then, paid_on = Decimal("9213.43"), date(2026, 2, 15)

    for n in range(1, 64):
        day = TERMS.funded_on + timedelta(days=n)
        do(engine, accrue_loan, daily, day)
        before, after = min(n, 31), max(0, (day - paid_on).days)
        exact = (Decimal(10_000) * before + owed_then * after) * 12 / 100 / 365
        earned = int(exact.quantize(Decimal("0.01"), ROUND_HALF_UP) * 100)
        in_force = [view for view in journal(engine, daily) if view.reversed_by is None]
        accrued = [view for view in in_force if view.entry.draft.template == "interest_accrued"]
        through = [view for view in accrued if view.entry.draft.effective_date <= day]
        assert sum(view.lines[0].money.minor for view in through) == earned, day


def test_a_stale_loan_takes_a_payment_without_the_days_that_were_missed(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, stale, kept = loan
    for back in range(33, -1, -1):
        day = TODAY - timedelta(days=back)
        do(engine, accrue_loan, kept, day)
    for loan_id in (stale, kept):
        pay(engine, loan_id, "500.00", TODAY, "p")

    assert booked(engine, stale) == booked(engine, kept)


def test_undo_of_undo_is_refused_by_name_and_the_payment_entered_again_stands(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, one, two = loan
    on = date(2026, 2, 15)
    number = pay(engine, one, "888.49", on, "p")
    pay(engine, two, "888.49", on, "p")
    undone = run(engine, lambda uow: reverse_payment(uow, one, number, "wrong", "undo"), actor=ACTOR)

    refusals: tuple[tuple[type[DomainError], int], ...] = ((PaymentUndone, number), (PaymentUnknown, undone.event_no))
    for error, payment in refusals:
        with pytest.raises(error):
            do(engine, reverse_payment, one, payment, "not wrong", f"undo {payment}")
    pay(engine, one, "888.49", on, "p again")
    for loan_id in (one, two):
        do(engine, accrue_loan, loan_id, TODAY)

    assert booked(engine, one) == booked(engine, two)


def test_days_past_due_that_stay_are_none_after_payment_and_reversal(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    code, one, two = loan
    number = pay(engine, one, "888.49", date(2026, 2, 15), "p")
    run_cycle(engine, code, date(2026, 3, 1), actor=ACTOR)
    assert dpd(engine, one, TODAY) == (TODAY - date(2026, 3, 15)).days

    do(engine, reverse_payment, one, number, "wrong", "undo")
    run_cycle(engine, code, TODAY, actor=ACTOR)

    for day in (date(2026, 2, 15), date(2026, 2, 16), date(2026, 3, 1), TODAY):
        assert dpd(engine, one, day) == dpd(engine, two, day)
    with engine.connect() as connection:
        states = [loan_view(connection, loan_id).state for loan_id in (one, two)]
    assert states[0].installments == states[1].installments


def test_a_chargeback_of_a_replayed_payment_follows_it_and_keeps_its_link(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, replayed, in_time = loan
    charged: dict[int, int] = {}
    for loan_id, late in ((replayed, True), (in_time, False)):
        if not late:
            pay(engine, loan_id, "600.00", date(2026, 2, 10), "before")
        charged[loan_id] = pay(engine, loan_id, "888.49", date(2026, 2, 15), "p")
        do(
            engine,
            charge_back,
            loan_id,
            charged[loan_id],
            amount=Money(30_000, "USD"),
            effective_date=date(2026, 2, 25),
            request_key="dispute",
        )
    pay(engine, replayed, "600.00", date(2026, 2, 10), "before")
    for loan_id in (replayed, in_time):
        do(engine, accrue_loan, loan_id, TODAY)

    assert booked(engine, replayed) == booked(engine, in_time)
    with engine.connect() as connection:
        events = loan_view(connection, replayed).loan.events
    assert [event.of for event in events if event.kind is Kind.CHARGEBACK] == [charged[replayed]]


def test_a_quote_that_does_not_pay_off_is_none_and_a_day_later_the_per_diem_is_missing(
    engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    code, in_time, late = loan
    good_through = TODAY + timedelta(days=8)
    quotes = []
    for loan_id in (in_time, late):
        pay(engine, loan_id, "888.49", date(2026, 2, 15), "p")
        quotes.append(_quote(engine, loan_id, good_through))
    assert quotes[0].total == quotes[1].total

    run(engine, lambda uow: books.advance_business_date(uow, code, good_through), actor=ACTOR)
    paid = _settle(engine, in_time, quotes[0].total, good_through)
    run_cycle(engine, code, good_through, actor=ACTOR)
    run(engine, lambda uow: books.advance_business_date(uow, code, good_through + timedelta(days=1)), actor=ACTOR)
    short = _settle(engine, late, quotes[1].total, good_through + timedelta(days=1))

    assert (paid.missing, sum(booked(engine, in_time).values())) == ({}, 0)
    assert sum(short.missing.values()) == quotes[1].per_diem
    assert short.days_late == 1


def _moved(start: date) -> Terms:
    return replace(TERMS, funded_on=start, first_due_on=start + timedelta(days=31))


def _quote(engine: sa.Engine, loan_id: int, good_through: date) -> PayoffQuote:
    return run(
        engine, lambda uow: quote_payoff(uow, loan_id, good_through=good_through, request_key="quote"), actor=ACTOR
    )


def _settle(engine: sa.Engine, loan_id: int, minor: int, on: date) -> PaidOff:
    def work(uow: UnitOfWork) -> PaidOff:
        return pay_off(
            uow,
            loan_id,
            amount=Money(minor, "USD"),
            effective_date=on,
            method="wire",
            external_id="payoff",
            request_key="payoff",
            quote_id=1,
        )

    return run(engine, work, actor=ACTOR)
