"""The life of a month: open, soft-closed, closed, reopened by two people; and that nothing lands in a closed one."""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import date
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.commands.periods import (
    PeriodChange,
    close_period,
    lift_soft_close,
    open_period,
    reopen_period,
    soft_close_period,
)
from ledger.commands.posting import PostedEntry
from ledger.dates import Month
from ledger.errors import (
    ApprovalMissing,
    BookingDateRefused,
    BookUnknown,
    PeriodIsClosed,
    PeriodTransitionRefused,
)
from ledger.periods import TRANSITIONS, PeriodState
from tests.support.database import OWNER
from tests.support.ledger_setup import ACCRUAL, FUNDING, PAYMENT, Ledger, contents, new_ledger

JANUARY, FEBRUARY, MARCH = Month(2026, 1), Month(2026, 2), Month(2026, 3)


def events(book: Ledger, month: Month) -> list[tuple[str, str, str | None]]:
    statement = sa.text(
        "SELECT action, actor, approver FROM ledger.period_event"
        " WHERE book_id = :id AND month = :month ORDER BY event_no"
    )
    with book.engine.connect() as connection:
        rows = connection.execute(statement, {"id": book.book.book_id, "month": month.first_day})
        return [(row.action, row.actor, row.approver) for row in rows]


def gates(book: Ledger) -> set[date]:
    statement = sa.text(
        "SELECT closed_through FROM ledger.subledger WHERE book_id = :id"
        " UNION ALL SELECT closed_through FROM ledger.birth_gate WHERE book_id = :id"
    )
    with book.engine.connect() as connection:
        return set(connection.scalars(statement, {"id": book.book.book_id}))


def book_to(book: Ledger, day: date, move: Any = FUNDING) -> PostedEntry:
    return book.post(book.loan, move, booking_date=day, approved_by="boss")


class Killed(Exception):
    """What a test ends a close with."""


# --- The soft close ---------------------------------------------------------------------------------------


def test_a_soft_closed_month_takes_what_somebody_approved_and_nothing_else(book: Ledger) -> None:
    book.advance(date(2026, 2, 3))
    change = book.run(lambda uow: soft_close_period(uow, book.code, JANUARY))

    assert (change.before, change.after) == (PeriodState.OPEN, PeriodState.SOFT_CLOSED)
    with pytest.raises(BookingDateRefused):
        book.post(book.loan, FUNDING, booking_date=date(2026, 1, 31))
    assert book_to(book, date(2026, 1, 31)).booking_date == date(2026, 1, 31)
    book.run(lambda uow: lift_soft_close(uow, book.code, JANUARY))
    assert book_to(book, date(2026, 1, 31)).entry_no == 2
    assert [action for action, _, _ in events(book, JANUARY)] == ["open", "soft_close", "lift_soft_close"]


def test_a_month_that_is_not_over_is_not_closed(book: Ledger) -> None:
    book.advance(date(2026, 1, 31))
    before = contents(book.database)

    with pytest.raises(PeriodTransitionRefused, match="the month ends on 2026-01-31"):
        book.run(lambda uow: soft_close_period(uow, book.code, JANUARY))
    with pytest.raises(PeriodTransitionRefused, match="the month ends on 2026-01-31"):
        book.close("2026-01")

    assert contents(book.database) == before


def test_a_month_may_be_opened_ahead_in_its_turn(book: Ledger) -> None:
    with pytest.raises(PeriodTransitionRefused, match="2026-02 has no period yet"):
        book.run(lambda uow: open_period(uow, book.code, MARCH))
    book.run(lambda uow: open_period(uow, book.code, FEBRUARY))
    with pytest.raises(PeriodTransitionRefused):
        book.run(lambda uow: open_period(uow, book.code, FEBRUARY))

    with pytest.raises(BookingDateRefused, match="lies ahead"):
        book_to(book, date(2026, 2, 1))


def test_a_month_or_a_book_that_is_not_there_is_refused(book: Ledger) -> None:
    with pytest.raises(PeriodTransitionRefused, match="not there"):
        book.close("2025-12")
    with pytest.raises(BookUnknown):
        close_period(book.engine, "NONE", JANUARY, actor="teller")


# --- The close --------------------------------------------------------------------------------------------


@pytest.fixture
def closed(book: Ledger) -> tuple[Ledger, PeriodChange]:
    """Return a book in February whose January, with a few entries, is closed."""
    book.post(book.loan, FUNDING, ACCRUAL)
    book.post(book.loans[1], FUNDING)
    book.advance(date(2026, 2, 3))
    return book, book.close("2026-01")


def test_a_close_seals_the_month_and_keeps_the_digest_of_its_trial_balance(
    closed: tuple[Ledger, PeriodChange],
) -> None:
    book, change = closed

    assert (change.before, change.after, change.block_no) == (PeriodState.OPEN, PeriodState.CLOSED, 1)
    assert change.trial_balance_digest is not None
    assert gates(book) == {date(2026, 1, 31)}
    assert events(book, JANUARY)[1:] == [("start_close", "teller", "boss"), ("finish_close", "teller", "boss")]
    assert book.findings() == ()


@pytest.mark.parametrize("day", [1, 15, 31])
def test_nothing_lands_in_a_closed_month_whoever_approves_it(closed: tuple[Ledger, PeriodChange], day: int) -> None:
    book, _ = closed
    before = contents(book.database)

    for subledger_id in (book.loan, book.loans[2], book.own):
        with pytest.raises(PeriodIsClosed) as refused:
            book.post(
                subledger_id,
                FUNDING,
                booking_date=date(2026, 1, day),
                approved_by="boss",
                template="year_end_close",
                details={"is_closing": True, "bypass": True, "period": "2026-02"},
            )
        assert (refused.value.book, refused.value.closed_through) == ("MAIN", date(2026, 1, 31))
        assert refused.value.booking_date == date(2026, 1, day)

    assert contents(book.database) == before
    assert book_to(book, date(2026, 2, 1)).booking_date == date(2026, 2, 1)


def test_a_subledger_born_after_a_close_is_born_closed(closed: tuple[Ledger, PeriodChange]) -> None:
    book, _ = closed
    (newborn,) = book.open_loans(1)

    with pytest.raises(PeriodIsClosed):
        book.post(newborn, FUNDING, booking_date=date(2026, 1, 31), approved_by="boss")

    assert book.post(newborn, FUNDING).booking_date == date(2026, 2, 3)


def test_an_entry_of_a_closed_month_is_reversed_in_an_open_one_and_the_closed_books_stay(
    closed: tuple[Ledger, PeriodChange],
) -> None:
    book, change = closed
    trial = book.trial(date(2026, 1, 31))

    posted = book.reverse(book.loan, 1)

    assert posted.booking_date == date(2026, 2, 3)
    assert book.entries(book.loan)[1].entry.draft.effective_date == date(2026, 1, 15)
    assert book.trial(date(2026, 1, 31)) == trial
    book.advance(date(2026, 3, 1))
    assert book.close("2026-02").block_no == 2
    book.reopen("2026-02")
    book.reopen("2026-01")
    assert book.close("2026-01").trial_balance_digest == change.trial_balance_digest


def test_a_request_of_a_closed_month_is_still_answered(book: Ledger) -> None:
    draft = book.draft(book.loan, FUNDING, booking_date=date(2026, 1, 15))
    first = book.book_draft(draft)
    book.advance(date(2026, 2, 3))
    book.close("2026-01")

    again = book.book_draft(draft)

    assert (again.entry_no, again.replayed) == (first.entry_no, True)


def test_months_close_in_their_order_and_reopen_in_the_opposite_one(book: Ledger) -> None:
    book.advance(date(2026, 3, 2))
    with pytest.raises(PeriodTransitionRefused, match="2026-01 is not closed yet"):
        book.close("2026-02")
    book.close("2026-01")
    book.close("2026-02")

    with pytest.raises(PeriodTransitionRefused, match="the latest closed month is reopened first"):
        book.reopen("2026-01")
    with pytest.raises(PeriodTransitionRefused):
        book.close("2026-02")

    assert gates(book) == {date(2026, 2, 28)}


def test_the_close_of_one_book_leaves_the_other_open(book: Ledger) -> None:
    other = new_ledger(book.database, code="OTHER")
    book.advance(date(2026, 2, 3))

    book.close("2026-01")

    assert gates(other) == {date(2025, 12, 31)}
    assert other.post(other.loan, FUNDING, booking_date=date(2026, 1, 10), approved_by="boss").entry_no == 1


@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_a_close_that_was_killed_is_taken_up_again(book: Ledger, chunks: int) -> None:
    book.post(book.loan, FUNDING)
    book.advance(date(2026, 2, 3))
    seen: list[int] = []

    def kill(moved: int, _total: int) -> None:
        seen.append(moved)
        if len(seen) > chunks:
            raise Killed

    with pytest.raises(Killed):
        close_period(book.engine, book.code, JANUARY, actor="teller", chunk=1, on_progress=kill)
    with pytest.raises((PeriodIsClosed, BookingDateRefused)):
        book_to(book, date(2026, 1, 31))
    (newborn,) = book.open_loans(1)
    with pytest.raises(PeriodIsClosed):
        book.post(newborn, FUNDING, booking_date=date(2026, 1, 31), approved_by="boss")

    change = book.close("2026-01")

    assert (change.before, change.after) == (PeriodState.CLOSING, PeriodState.CLOSED)
    assert gates(book) == {date(2026, 1, 31)}
    assert book.findings() == ()


def test_a_close_reports_its_progress(book: Ledger) -> None:
    book.advance(date(2026, 2, 3))
    seen: list[tuple[int, int]] = []

    close_period(book.engine, book.code, JANUARY, actor="t", chunk=3, on_progress=lambda *counts: seen.append(counts))

    assert seen == [(3, 4), (4, 4)]


def test_a_month_is_not_called_closed_while_it_holds_entries_that_are_not_sealed(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    book.advance(date(2026, 2, 3))
    change = "SELECT ledger.change_period(1, '2026-01-01', 'x', '{}', '{}', 'a', 'b', 'r', NULL, NULL)"

    with book.engine.connect() as connection:
        connection.execute(sa.text(change.format("open", "closing")))
        connection.execute(sa.text("SELECT ledger.move_gates(1, '2026-01-31', -1, 100)"))
        with pytest.raises(sa.exc.DBAPIError, match="not sealed"):
            connection.execute(sa.text(change.format("closing", "closed")))


# --- Reopening --------------------------------------------------------------------------------------------


def test_a_closed_month_is_reopened_by_two_people_with_a_reason(closed: tuple[Ledger, PeriodChange]) -> None:
    book, _ = closed
    before = contents(book.database)

    for approver in (None, "", "teller"):
        with pytest.raises(ApprovalMissing):
            book.reopen("2026-01", approver=approver)
    with pytest.raises(PeriodTransitionRefused, match="needs a reason"):
        book.reopen("2026-01", reason=" ")
    assert contents(book.database) == before

    change = book.reopen("2026-01")

    assert (change.before, change.after) == (PeriodState.CLOSED, PeriodState.SOFT_CLOSED)
    assert gates(book) == {date(2025, 12, 31)}
    assert events(book, JANUARY)[-1] == ("reopen", "teller", "boss")
    with pytest.raises(BookingDateRefused, match="authority"):
        book.post(book.loan, PAYMENT, booking_date=date(2026, 1, 31))


def test_a_month_that_is_closed_again_has_a_new_digest_and_keeps_the_old_one(
    closed: tuple[Ledger, PeriodChange],
) -> None:
    book, first = closed
    january = date(2026, 1, 31)
    before = book.trial(january)
    book.reopen("2026-01")
    book_to(book, january, PAYMENT)

    second = book.close("2026-01")

    assert first.block_no is not None
    assert second.trial_balance_digest != first.trial_balance_digest
    assert book.trial(january) == {**before, "1020": 10_000, "1210": before["1210"] - 10_000}
    assert book.trial(january, known_at=first.block_no) == before
    kept = sa.text(
        "SELECT trial_balance_digest FROM ledger.period_event WHERE action = 'finish_close' ORDER BY event_no"
    )
    with book.engine.connect() as connection:
        digests = list(connection.scalars(kept))
    assert digests == [first.trial_balance_digest, second.trial_balance_digest]
    assert book.findings() == ()


def test_a_close_that_is_given_up_leaves_the_month_soft_closed(book: Ledger) -> None:
    book.advance(date(2026, 2, 3))

    def kill(_moved: int, _total: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        close_period(book.engine, book.code, JANUARY, actor="teller", chunk=1, on_progress=kill)
    with pytest.raises(ApprovalMissing):
        book.reopen("2026-01", approver=None)

    change = book.reopen("2026-01")

    assert (change.before, change.after) == (PeriodState.CLOSING, PeriodState.SOFT_CLOSED)
    assert gates(book) == {date(2025, 12, 31)}
    assert book_to(book, date(2026, 1, 31)).entry_no == 1


def test_a_reopening_that_was_killed_is_taken_up_again(closed: tuple[Ledger, PeriodChange]) -> None:
    book, _ = closed

    def kill(_moved: int, _total: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        reopen_period(
            book.engine,
            book.code,
            JANUARY,
            actor="teller",
            approver="boss",
            reason="late invoice",
            chunk=1,
            on_progress=kill,
        )
    assert gates(book) == {date(2025, 12, 31), date(2026, 1, 31)}

    book.reopen("2026-01")

    assert gates(book) == {date(2025, 12, 31)}
    assert [action for action, _, _ in events(book, JANUARY)].count("reopen") == 1


# --- The table of transitions -----------------------------------------------------------------------------


def test_the_database_knows_the_declared_transitions_and_no_others(book: Ledger) -> None:
    declared = {(str(row.source), str(row.target)) for row in TRANSITIONS if row.source is not None}
    states = [str(state) for state in PeriodState]
    update = "UPDATE ledger.period SET state = %s WHERE month = '2026-01-01'"

    allowed = set()
    with book.database.connect(OWNER, autocommit=True) as owner:
        for source, target in itertools.product(states, states):
            with owner.transaction(force_rollback=True):
                owner.execute("ALTER TABLE ledger.period DISABLE TRIGGER USER")
                owner.execute(update, [source])
                owner.execute("ALTER TABLE ledger.period ENABLE TRIGGER USER")
                with suppress(psycopg.DatabaseError), owner.transaction():
                    owner.execute(update, [target])
                    allowed.add((source, target))

    assert allowed == declared
