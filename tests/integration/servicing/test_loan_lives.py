"""A portfolio lived through the real commands on a real database: the books are what the fold says."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
import sqlalchemy as sa

from ledger.errors import DomainError, RequestKeyReused
from ledger.queries.entries import entries
from ledger.unit_of_work import run
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.cycle import accrue_through, run_cycle
from servicing.commands.payments import return_payment, reverse_payment
from servicing.drafts import LoanDraft
from servicing.errors import (
    EffectiveBeforeFunding,
    EffectiveDateAhead,
    LoanExists,
    LoanUnknown,
    MethodUnknown,
    PaymentDuplicate,
    PaymentNotPositive,
    PaymentUndone,
    PaymentUnknown,
)
from servicing.queries import booked_balances, loan_view, versions
from tests.integration.servicing.acts import pay
from tests.support.loan_lives import ACTOR, live
from tests.unit.servicing.examples import TERMS

pytestmark = pytest.mark.twice

END = date(2026, 3, 31)


def test_after_three_months_the_books_of_every_loan_are_what_its_events_say(engine: sa.Engine) -> None:
    code = f"L{uuid.uuid4().hex[:8]}"
    ids = live(engine, code, loans=50, months=3)
    with engine.connect() as connection:
        for loan_id in ids.values():
            view = loan_view(connection, loan_id)
            assert booked_balances(connection, loan_id) == view.state.balances()
    assert accrue_through(engine, code, END, actor=ACTOR).entries == 0
    assert run_cycle(engine, code, END, actor=ACTOR).entries == 0


def test_no_entry_before_the_one_a_checkpoint_begins_at_is_effective_on_its_day(engine: sa.Engine) -> None:
    ids = live(engine, f"L{uuid.uuid4().hex[:8]}", loans=12, months=3)
    with engine.connect() as connection:
        kept, beginning_late, wrong = connection.execute(
            sa.text(
                "SELECT count(DISTINCT k.loan_id), count(DISTINCT k.loan_id) FILTER (WHERE k.first_no > 1),"
                " count(*) FILTER (WHERE e.effective_date >= k.day)"
                " FROM (SELECT loan_id, day, CAST(figures ->> 'entries_from' AS integer) AS first_no"
                "   FROM servicing.checkpoint WHERE loan_id = ANY (:ids)) k"
                " LEFT JOIN ledger.journal_entry e ON e.subledger_id = k.loan_id AND e.entry_no < k.first_no"
                "  AND e.source_ref IS NOT NULL AND e.reverses_no IS NULL AND NOT EXISTS (SELECT FROM"
                "   ledger.journal_entry r WHERE r.subledger_id = e.subledger_id AND r.reverses_no = e.entry_no)"
            ),
            {"ids": list(ids.values())},
        ).one()
    assert kept >= 10
    assert beginning_late >= 10
    assert wrong == 0


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
        assert booked_balances(connection, one) == booked_balances(connection, two)
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
        assert booked_balances(connection, one) == booked_balances(connection, two)
        assert [because for payment, because, _ in versions(connection, one) if payment == number][-1] == 4
    with pytest.raises(PaymentUndone):
        run(engine, lambda uow: return_payment(uow, one, number, "R01", "undo-2"), actor=ACTOR)


def test_what_is_refused_is_named_and_writes_nothing(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    code, one, _ = loan
    day = date(2026, 3, 1)
    pay(engine, one, "100.00", day, "p")
    with engine.connect() as connection:
        before = len(entries(connection, one))
    refusals: tuple[tuple[type[DomainError], str, date, str, dict[str, str]], ...] = (
        (PaymentNotPositive, "0", day, "a", {}),
        (EffectiveDateAhead, "1", date(2026, 3, 21), "c", {}),
        (EffectiveBeforeFunding, "1", date(2026, 1, 14), "d", {}),
        (MethodUnknown, "1", day, "e", {"method": "shells"}),
        (PaymentDuplicate, "100.00", day, "p", {"key": "other"}),
        (RequestKeyReused, "101.00", day, "p", {}),
    )
    for error, amount, on, name, more in refusals:
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
