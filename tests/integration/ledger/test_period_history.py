"""The periods of a book as they are listed: each with its state and everything that happened to it."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from ledger.commands.books import advance_business_date
from ledger.commands.periods import close_period, reopen_period, soft_close_period
from ledger.dates import Month
from ledger.errors import BookUnknown, TextRefused
from ledger.periods import PeriodAction, PeriodState
from ledger.queries.periods import PeriodHistory, periods
from ledger.unit_of_work import run
from tests.support.database import Database
from tests.support.ledger_setup import CODE, FUNDING, Ledger, new_ledger

JANUARY, FEBRUARY, MARCH = Month(2026, 1), Month(2026, 2), Month(2026, 3)


@pytest.fixture
def lived(database: Database) -> Ledger:
    """Return a book whose January was closed, reopened and closed again, and whose February is soft-closed."""
    book = new_ledger(database)
    book.post(book.loans[0], FUNDING)
    run(book.engine, lambda uow: advance_business_date(uow, CODE, date(2026, 3, 3)), actor="ops")
    run(book.engine, lambda uow: soft_close_period(uow, CODE, JANUARY), actor="ann")
    close_period(book.engine, CODE, JANUARY, actor="ann", approver="bob")
    reopen_period(book.engine, CODE, JANUARY, actor="bob", approver="carol", reason="A late invoice")
    close_period(book.engine, CODE, JANUARY, actor="dan")
    run(book.engine, lambda uow: soft_close_period(uow, CODE, FEBRUARY), actor="ann")
    return book


def listed(book: Ledger, **asked: object) -> tuple[PeriodHistory, ...]:
    with book.engine.connect() as connection:
        return periods(connection, CODE, **asked)  # type: ignore[arg-type]


def test_each_period_comes_with_its_state_and_its_last_closing_and_reopening(lived: Ledger) -> None:
    january, february, march = listed(lived)

    assert [each.month for each in (january, february, march)] == [JANUARY, FEBRUARY, MARCH]
    assert [each.state for each in (january, february, march)] == [
        PeriodState.CLOSED,
        PeriodState.SOFT_CLOSED,
        PeriodState.OPEN,
    ]
    soft, closed, reopened = map(
        january.latest, (PeriodAction.SOFT_CLOSE, PeriodAction.FINISH_CLOSE, PeriodAction.REOPEN)
    )
    assert soft is not None and closed is not None and reopened is not None
    assert (soft.actor, closed.actor, closed.approver) == ("ann", "dan", None)
    assert (reopened.actor, reopened.approver, reopened.reason) == ("bob", "carol", "A late invoice")
    assert soft.recorded_at < reopened.recorded_at < closed.recorded_at
    assert february.latest(PeriodAction.FINISH_CLOSE) is None


def test_the_digest_is_that_of_the_last_close_and_the_one_before_is_kept(lived: Ledger) -> None:
    january, february, _ = listed(lived)
    digests = [each.trial_balance_digest for each in january.events if each.action == PeriodAction.FINISH_CLOSE]

    assert len(digests) == 2
    assert january.trial_balance_digest == digests[1] is not None
    assert february.trial_balance_digest is None


def test_a_list_is_bounded_and_goes_on_from_a_month(lived: Ledger) -> None:
    assert [each.month for each in listed(lived, limit=2)] == [JANUARY, FEBRUARY]
    assert [each.month for each in listed(lived, first=FEBRUARY)] == [FEBRUARY, MARCH]
    assert listed(lived, first=Month(2027, 1)) == ()
    for limit in (0, 1_201):
        with pytest.raises(TextRefused):
            listed(lived, limit=limit)


def test_it_takes_one_statement_however_many_periods_there_are(lived: Ledger) -> None:
    statements: list[str] = []
    sa.event.listen(lived.engine, "before_cursor_execute", lambda *words: statements.append(words[2]))

    listed(lived)

    assert len([each for each in statements if "ledger.period" in each]) == 1


def test_a_book_that_does_not_exist_is_named(lived: Ledger) -> None:
    with lived.engine.connect() as connection, pytest.raises(BookUnknown):
        periods(connection, "OTHER")
