"""What happens at once: each dangerous interleaving is forced, with real connections, and comes out one way only."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.batch import BatchResult
from ledger.chart import AccountCode, AccountDefinition, AccountType, Side
from ledger.commands.accounts import open_account
from ledger.commands.batches import post_batch
from ledger.commands.books import create_book
from ledger.commands.manual_journals import approve, propose
from ledger.commands.periods import PeriodChange, close_period
from ledger.commands.posting import PostedEntry, post_entry, reverse_entry
from ledger.commands.subledgers import open_subledgers
from ledger.commands.year_end import year_end_close
from ledger.dates import Month
from ledger.errors import (
    AccountExists,
    BalanceWouldGoContra,
    BookExists,
    BookingDateRefused,
    EntryAlreadyReversed,
    ManualJournalState,
    PeriodIsClosed,
    PeriodTransitionRefused,
)
from ledger.ids import take_ids
from ledger.journal import Line
from ledger.manual_journal import ManualJournal
from ledger.money import Money
from ledger.requests import Outcome, once
from ledger.seals import SealBlock, seal
from ledger.unit_of_work import UnitOfWork, run
from tests.support.database import ADMIN, APP, OWNER, Database
from tests.support.interleaving import aside, held, nobody_waits, outcome, outcomes, wait_for, wait_until_waiting
from tests.support.ledger_setup import ACCRUAL, FUNDING, OWN_MONEY, PAYMENT, TODAY, Ledger, new_ledger

JANUARY = Month(2026, 1)
LAST_DAY = date(2026, 1, 31)
START_CLOSE = "SELECT ledger.change_period(1, '2026-01-01', 'start_close', '{}', 'closing', 'a', 'b', NULL, NULL, NULL)"
REOPEN = "SELECT ledger.change_period(1, '2026-01-01', 'reopen', 'closed', 'soft_closed', 'a', 'b', 'r', NULL, NULL)"
RAISE_GATES = "SELECT ledger.move_gates(1, '2026-01-31', -1, 1000)"
LOWER_GATES = "SELECT ledger.move_gates(1, '2025-12-31', -1, 1000)"


@pytest.fixture
def february(book: Ledger) -> Ledger:
    """Return a book in February whose January is still open."""
    book.post(book.loan, FUNDING)
    book.advance(date(2026, 2, 3))
    return book


def post_to_january(book: Ledger, subledger_id: int | None = None) -> PostedEntry:
    return book.post(subledger_id or book.loan, ACCRUAL, booking_date=LAST_DAY, approved_by="boss")


def states(book: Ledger) -> tuple[str, set[date]]:
    """Return the state of January and all gates of the book."""
    with book.engine.connect() as connection:
        state = connection.scalar(sa.text("SELECT state FROM ledger.period WHERE book_id = 1 AND month = '2026-01-01'"))
        gates = connection.scalars(
            sa.text(
                "SELECT closed_through FROM ledger.subledger WHERE book_id = 1"
                " UNION SELECT closed_through FROM ledger.birth_gate WHERE book_id = 1"
            )
        )
        return str(state), set(gates)


def kill(database: Database, pid: int) -> None:
    """End a session of the server, and return when it is gone."""
    with database.connect(ADMIN, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


# --- Post against close -----------------------------------------------------------------------------------


def test_a_poster_that_waits_for_a_head_while_it_closes_is_refused(february: Ledger) -> None:
    with aside() as threads:
        with held(february.database, START_CLOSE.format("open"), RAISE_GATES):
            poster = threads.submit(post_to_january, february)
            wait_until_waiting(february.database)

        with pytest.raises(PeriodIsClosed) as refused:
            outcome(poster)

    assert refused.value.closed_through == LAST_DAY
    assert len(february.entries(february.loan)) == 1


@pytest.mark.parametrize("level", ["read uncommitted", "read committed", "repeatable read", "serializable"])
def test_no_snapshot_from_before_a_close_gets_an_entry_in_after_it(february: Ledger, level: str) -> None:
    call = (
        "SELECT * FROM ledger.post_entry(%s, 'late', '', 't', 1, '2026-01-31', '2026-01-31', 'a', 'b',"
        " ARRAY[(SELECT account_id FROM ledger.account WHERE code = '1020')],"
        " ARRAY[(SELECT account_id FROM ledger.account WHERE code = '3010')],"
        " ARRAY[5]::bigint[], ARRAY['USD'], NULL, NULL, NULL, NULL, NULL, NULL)"
    )
    with february.database.connect(APP) as late:
        late.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        assert late.execute("SELECT state FROM ledger.period WHERE month = '2026-01-01'").fetchone() == ("open",)
        february.close("2026-01")

        with pytest.raises(psycopg.DatabaseError) as refused:
            late.execute(call, [february.loan])
        late.rollback()

    assert refused.value.sqlstate == ("LB007" if level == "read committed" else "LB017")
    assert february.findings() == ()


def test_a_close_waits_for_a_poster_and_counts_its_entry(february: Ledger) -> None:
    def post(uow: UnitOfWork) -> None:
        draft = february.draft(february.loan, ACCRUAL, booking_date=LAST_DAY, approved_by="boss")
        post_entry(uow, draft)
        closer.append(threads.submit(february.close, "2026-01"))
        wait_until_waiting(february.database)

    closer: list[Any] = []
    with aside() as threads:
        february.run(post)
        change: PeriodChange = outcome(closer[0])

    assert february.trial(LAST_DAY)["4010"] == -500
    assert change.trial_balance_digest is not None
    assert february.findings() == ()


def test_a_batch_that_waits_for_a_head_while_it_closes_is_refused_whole(book: Ledger) -> None:
    batch = book.batch(*[(loan, ACCRUAL) for loan in book.loans])
    with aside() as threads:
        # A gate past the business date: as if the month were closed while the batch is at work.
        with held(book.database, "SELECT ledger.move_gates(1, '2026-01-31', -1, 1000)"):
            worker = threads.submit(post_batch, book.engine, batch, actor="job")
            wait_until_waiting(book.database)

        with pytest.raises(PeriodIsClosed):
            outcome(worker)

    assert [book.entries(loan) for loan in book.loans] == [(), (), ()]


def test_posts_and_a_close_at_once_leave_books_that_hold(february: Ledger) -> None:
    loans = february.open_loans(12)
    stop = threading.Event()

    def post_until_refused(mine: tuple[int, ...]) -> int:
        posted = 0
        while not stop.is_set():
            for loan in mine:
                try:
                    post_to_january(february, loan)
                except (PeriodIsClosed, BookingDateRefused):
                    return posted
                posted += 1
        return posted

    with aside(3) as threads:
        posters = [threads.submit(post_until_refused, loans[i::3]) for i in range(3)]
        wait_for(lambda: sum(len(february.entries(loan)) for loan in loans) > 12, "some entries")
        change = february.close("2026-01")
        stop.set()
        posted = sum(outcome(poster) for poster in posters)

    entries = [view.entry for loan in loans for view in february.entries(loan)]
    assert posted == len([entry for entry in entries if entry.booking_date == LAST_DAY])
    assert february.trial(LAST_DAY)["4010"] == -500 * posted
    february.reopen("2026-01")
    assert february.close("2026-01").trial_balance_digest == change.trial_balance_digest
    assert february.findings() == ()


# --- Births against close ---------------------------------------------------------------------------------


def test_a_close_waits_for_a_subledger_that_is_being_born_and_counts_what_is_posted_to_it(february: Ledger) -> None:
    newborn: list[int] = []

    def bear_and_post(uow: UnitOfWork) -> None:
        newborn.extend(open_subledgers(uow, february.code, "USD", 1))
        draft = february.draft(newborn[0], FUNDING, booking_date=LAST_DAY, approved_by="boss")
        post_entry(uow, draft)
        closer.append(threads.submit(february.close, "2026-01"))
        wait_until_waiting(february.database)

    closer: list[Any] = []
    with aside() as threads:
        february.run(bear_and_post)
        outcome(closer[0])

    assert february.trial(LAST_DAY)["1210"] == 200_000
    assert states(february) == ("closed", {LAST_DAY})
    with pytest.raises(PeriodIsClosed):
        post_to_january(february, newborn[0])
    assert february.findings() == ()


def test_the_gates_alone_leave_no_newborn_behind(february: Ledger) -> None:
    """As above, but the period still says open: what a newborn takes before its birth is committed is seen."""
    newborn: list[int] = []

    def raise_gates(uow: UnitOfWork) -> None:
        uow.connection.execute(sa.text("SELECT ledger.move_birth_gates(1, '2026-01-31')"))
        uow.connection.execute(sa.text(RAISE_GATES))

    def bear_and_post(uow: UnitOfWork) -> None:
        newborn.extend(open_subledgers(uow, february.code, "USD", 1))
        closer.append(threads.submit(february.run, raise_gates))
        wait_until_waiting(february.database)
        draft = february.draft(newborn[0], FUNDING, booking_date=LAST_DAY, approved_by="boss")
        assert post_entry(uow, draft).entry_no == 1

    closer: list[Any] = []
    with aside() as threads:
        february.run(bear_and_post)
        outcome(closer[0])

    assert states(february) == ("open", {LAST_DAY})
    with pytest.raises(PeriodIsClosed):
        post_to_january(february, newborn[0])


def test_a_subledger_born_while_its_month_closes_is_born_closed(february: Ledger) -> None:
    with aside() as threads:
        with held(february.database, START_CLOSE.format("open"), "SELECT ledger.move_birth_gates(1, '2026-01-31')"):
            births = threads.submit(february.open_loans, 2)
            wait_until_waiting(february.database)
        newborn = outcome(births)

    for loan in newborn:
        with pytest.raises(PeriodIsClosed):
            post_to_january(february, loan)
    february.close("2026-01")
    assert february.findings() == ()


def test_births_wait_for_each_other_in_the_same_slot_only_and_never_for_posters(february: Ledger) -> None:
    slot = "UPDATE ledger.birth_gate SET births = births WHERE book_id = 1 AND slot = 99"
    head = f"SELECT ledger.freeze_subledger({february.loan}, false)"
    with held(february.database, slot, head, role=OWNER):
        assert len(february.open_loans(3)) == 3
        assert nobody_waits(february.database)


# --- Twins ------------------------------------------------------------------------------------------------


def test_fifty_twins_of_a_request_book_one_entry_and_get_forty_nine_replays(database: Database) -> None:
    book = new_ledger(database, pool_size=10)
    draft = book.draft(book.loan, FUNDING)
    ready = threading.Barrier(10)

    def ask(_: int) -> list[PostedEntry]:
        ready.wait()
        return [book.book_draft(draft) for _ in range(5)]

    with aside(10) as threads:
        answers = [answer for answers in threads.map(ask, range(10)) for answer in answers]

    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 49}
    assert {(answer.subledger_id, answer.entry_no, answer.booking_date) for answer in answers} == {
        (book.loan, 1, TODAY)
    }
    assert len(book.entries(book.loan)) == 1
    assert book.balances(book.loan)["1210"] == 100_000
    assert book.post(book.loan, PAYMENT).entry_no == 2


def test_a_twin_waits_for_the_first_and_then_replays_it(book: Ledger) -> None:
    draft = book.draft(book.loan, FUNDING)

    def first(uow: UnitOfWork) -> PostedEntry:
        posted = post_entry(uow, draft)
        twin.append(threads.submit(book.book_draft, draft))
        wait_until_waiting(book.database)
        return posted

    twin: list[Any] = []
    with aside() as threads:
        posted = book.run(first)
        replayed: PostedEntry = outcome(twin[0])

    assert (posted.replayed, replayed.replayed, replayed.entry_no) == (False, True, posted.entry_no)


def test_a_twin_of_one_that_was_rolled_back_does_the_work_itself(book: Ledger) -> None:
    draft = book.draft(book.loan, FUNDING)

    def first(uow: UnitOfWork) -> None:
        post_entry(uow, draft)
        twin.append(threads.submit(book.book_draft, draft))
        wait_until_waiting(book.database)

    twin: list[Any] = []
    with aside() as threads:
        book.run(first, dry_run=True)
        posted: PostedEntry = outcome(twin[0])

    assert (posted.entry_no, posted.replayed) == (1, False)


@pytest.mark.parametrize("refused", [False, True], ids=["done", "refused"])
def test_twins_of_a_request_do_its_work_once(book: Ledger, refused: bool) -> None:
    worked: list[int] = []

    def ask(pause: Callable[[], None]) -> Outcome:
        def answer(uow: UnitOfWork) -> Outcome:
            def work() -> dict[str, int]:
                worked.append(1)
                pause()
                move = PAYMENT if refused else FUNDING
                return {"entry_no": post_entry(uow, book.draft(book.loan, move)).entry_no}

            return once(uow, subledger_id=book.loan, key="k", command="c", inputs={}, work=work)

        return book.run(answer)

    def pause() -> None:
        twin.append(threads.submit(ask, lambda: None))
        wait_until_waiting(book.database)

    twin: list[Any] = []
    with aside() as threads:
        first = ask(pause)
        second: Outcome = outcome(twin[0])

    assert len(worked) == 1
    assert (first.replayed, second.replayed) == (False, True)
    assert first.result == second.result
    assert ("refusal" in first.result) is refused
    assert len(book.entries(book.loan)) == (0 if refused else 1)


@pytest.mark.parametrize("same_key", [False, True], ids=["two keys", "one key"])
def test_of_two_reversals_at_once_one_is_booked(book: Ledger, same_key: bool) -> None:
    book.post(book.loan, FUNDING)

    def first(uow: UnitOfWork) -> PostedEntry:
        posted = reverse_entry(uow, book.loan, 1, request_key="r1")
        other.append(threads.submit(book.reverse, book.loan, 1, key="r1" if same_key else "r2"))
        wait_until_waiting(book.database)
        return posted

    other: list[Any] = []
    with aside() as threads:
        posted = book.run(first)
        (second,) = outcomes(other)

    if same_key:
        assert isinstance(second, PostedEntry)
        assert (second.entry_no, second.replayed) == (posted.entry_no, True)
    else:
        assert isinstance(second, EntryAlreadyReversed)
        assert second.reversed_by == posted.entry_no
    assert len(book.entries(book.loan)) == 2


def test_of_two_payments_at_once_that_together_overpay_one_is_refused(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    ready = threading.Barrier(2)

    def pay(_: int) -> PostedEntry:
        ready.wait()
        return book.post(book.loan, ("CASH", "LOAN_PRINCIPAL", 60_000))

    with aside(2) as threads:
        results = outcomes([threads.submit(pay, i) for i in range(2)])

    assert Counter(type(result) for result in results) == {PostedEntry: 1, BalanceWouldGoContra: 1}
    assert book.balances(book.loan)["1210"] == 40_000


# --- Batches ----------------------------------------------------------------------------------------------


def test_two_batches_over_the_same_subledgers_book_both(book: Ledger) -> None:
    loans = book.open_loans(40)
    hold = f"SELECT ledger.freeze_subledger({loans[20]}, false)"
    batches = [
        book.batch(*[(loan, ACCRUAL) for loan in order], key=key)
        for key, order in (("up", loans), ("down", tuple(reversed(loans))))
    ]

    with aside(2) as threads:
        with held(book.database, hold):
            workers = [threads.submit(post_batch, book.engine, batch, actor="job", chunk=25) for batch in batches]
            wait_until_waiting(book.database, 2)
        results = [outcome(worker) for worker in workers]

    assert results == [BatchResult(40, 0)] * 2
    assert {book.balances(loan)["1220"] for loan in loans} == {1_000}
    assert book.findings() == ()


@pytest.mark.parametrize("chunk", [3, 100])
def test_twins_of_a_batch_book_each_entry_once(book: Ledger, chunk: int) -> None:
    loans = book.open_loans(10)
    batch = book.batch(*[(loan, ACCRUAL) for loan in loans])
    hold = f"SELECT ledger.freeze_subledger({loans[0]}, false)"

    with aside(2) as threads:
        with held(book.database, hold):
            workers = [threads.submit(post_batch, book.engine, batch, actor="job", chunk=chunk) for _ in range(2)]
            wait_until_waiting(book.database, 2)
        results = [outcome(worker) for worker in workers]

    assert sum(result.posted for result in results) == 10
    assert [len(book.entries(loan)) for loan in loans] == [1] * 10
    assert {book.balances(loan)["1220"] for loan in loans} == {500}
    with book.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT sum(entry_count) FROM ledger.batch_chunk")) == 10
        assert connection.scalar(sa.text("SELECT count(*) FROM ledger.batch_staging")) == 0


# --- Deadlocks, and what is run again ---------------------------------------------------------------------


def test_two_that_lock_each_others_loans_are_both_done_in_the_end(book: Ledger) -> None:
    with book.database.connect(ADMIN, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {book.database.name} SET deadlock_timeout = '50ms'")
    book.engine.dispose()
    one, other, _ = book.loans
    met = threading.Barrier(2)
    attempts: Counter[tuple[int, ...]] = Counter()

    def swap(order: tuple[int, ...]) -> None:
        def work(uow: UnitOfWork) -> None:
            attempts[order] += 1
            post_entry(uow, book.draft(order[0], FUNDING, key=f"{order} first"))
            if attempts[order] == 1:
                met.wait(10)
            post_entry(uow, book.draft(order[1], FUNDING, key=f"{order} second"))

        book.run(work)

    with aside(2) as threads:
        for done in [threads.submit(swap, (one, other)), threads.submit(swap, (other, one))]:
            outcome(done)

    assert sorted(attempts.values()) == [1, 2]
    assert [len(book.entries(loan)) for loan in (one, other)] == [2, 2]


def test_many_posters_on_one_cash_account_never_deadlock(database: Database) -> None:
    book = new_ledger(database, pool_size=4)
    loans = book.open_loans(10)
    ready = threading.Barrier(4)

    def post(worker: int) -> None:
        ready.wait()
        for i in range(20):
            book.post(loans[(worker + i) % 10], ("CASH", "UNAPPLIED_PAYMENTS", 1))

    with aside(4) as threads:
        list(threads.map(post, range(4)))

    assert book.trial(TODAY) == {"1020": 80, "2010": -80}
    book.engine.dispose()
    with database.connect(ADMIN) as admin:
        admin.execute("SELECT pg_stat_clear_snapshot()")
        deadlocks = admin.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = %s", [database.name]
        ).fetchone()
    assert deadlocks == (0,)


# --- Closing and reopening at once ------------------------------------------------------------------------


def test_of_two_closers_one_closes_the_month(february: Ledger) -> None:
    turns: list[Any] = []

    def let_the_other_finish(_moved: int, _total: int) -> None:
        if not turns:
            turns.append(threads.submit(february.close, "2026-01", actor="second"))
            outcome(turns[0])

    with aside() as threads, pytest.raises(PeriodTransitionRefused):
        close_period(february.engine, february.code, JANUARY, actor="first", chunk=2, on_progress=let_the_other_finish)

    with february.engine.connect() as connection:
        finished = sa.text("SELECT actor FROM ledger.period_event WHERE action = 'finish_close'")
        assert connection.scalars(finished).all() == ["second"]
    assert states(february) == ("closed", {LAST_DAY})
    assert february.findings() == ()


def test_a_close_waits_for_a_reopening_that_is_moving_gates(february: Ledger) -> None:
    february.close("2026-01")
    with february.database.connect(APP) as connection:
        connection.execute(REOPEN)

    with aside() as threads:
        with held(february.database, LOWER_GATES):
            closer = threads.submit(february.close, "2026-01")
            wait_until_waiting(february.database)
        outcome(closer)

    assert states(february) == ("closed", {LAST_DAY})
    assert february.findings() == ()


def test_a_reopening_that_comes_too_late_moves_no_gate_of_a_month_that_closes_again(february: Ledger) -> None:
    february.close("2026-01")
    with february.database.connect(APP) as connection:
        connection.execute(REOPEN)

    with aside() as threads:
        with held(february.database, START_CLOSE.format("soft_closed")):
            opener = threads.submit(lambda: february.run(lambda uow: uow.connection.execute(sa.text(LOWER_GATES))))
            wait_until_waiting(february.database)
        (refused,) = outcomes([opener])

    assert getattr(refused, "code", None) == "immutable-row"
    assert states(february) == ("closing", {LAST_DAY})


def test_an_entry_under_way_when_the_business_date_moves_lands_in_one_day_or_the_other_whole(book: Ledger) -> None:
    with aside() as threads:
        with held(book.database, f"SELECT ledger.freeze_subledger({book.loan}, false)"):
            poster = threads.submit(book.post, book.loan, FUNDING, ACCRUAL)
            wait_until_waiting(book.database)
            book.advance(date(2026, 1, 16))
        posted = outcome(poster)

    with book.engine.connect() as connection:
        days = connection.scalars(
            sa.text(
                "SELECT booking_date FROM ledger.journal_entry WHERE subledger_id = :loan"
                " UNION SELECT booking_date FROM ledger.posting WHERE subledger_id = :loan"
            ),
            {"loan": book.loan},
        ).all()
    assert days == [posted.booking_date]
    assert posted.booking_date in (TODAY, date(2026, 1, 16))
    assert book.post(book.loan, PAYMENT).booking_date == date(2026, 1, 16)


# --- Connections that are lost ----------------------------------------------------------------------------


def test_a_connection_lost_before_the_commit_leaves_nothing_and_the_same_key_books_it(book: Ledger) -> None:
    draft = book.draft(book.loan, FUNDING)

    def work(uow: UnitOfWork) -> None:
        post_entry(uow, draft)
        kill(book.database, int(uow.connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0))

    with pytest.raises(sa.exc.OperationalError):
        book.run(work)
    assert book.entries(book.loan) == ()

    assert book.book_draft(draft).replayed is False
    assert len(book.entries(book.loan)) == 1


def test_a_connection_lost_after_the_commit_is_answered_by_a_replay(book: Ledger) -> None:
    draft = book.draft(book.loan, FUNDING)
    with book.engine.connect() as connection:
        first = post_entry(UnitOfWork(connection, "teller"), draft)
        pid = int(connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0)
        connection.commit()
        kill(book.database, pid)

    again = book.book_draft(draft)

    assert (again.entry_no, again.replayed) == (first.entry_no, True)
    assert len(book.entries(book.loan)) == 1


def test_a_connection_lost_while_waiting_leaves_nothing_and_the_same_key_books_it(book: Ledger) -> None:
    draft = book.draft(book.loan, FUNDING)
    with aside() as threads:
        with held(book.database, f"SELECT ledger.freeze_subledger({book.loan}, false)"):
            poster = threads.submit(book.book_draft, draft)
            wait_until_waiting(book.database)
            with book.database.connect(ADMIN) as admin:
                waiting = (
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                (pid,) = admin.execute(waiting).fetchone() or (0,)
            kill(book.database, pid)
        (lost,) = outcomes([poster])

    assert isinstance(lost, sa.exc.OperationalError)
    assert book.book_draft(draft).replayed is False
    assert [view.entry.entry_no for view in book.entries(book.loan)] == [1]


# --- Ids, books, accounts, journals, year-ends ------------------------------------------------------------


def test_ids_are_taken_though_every_connection_of_the_pool_is_in_use(book: Ledger) -> None:
    engine = book.database.engine(pool_size=1, pool_timeout=3)
    in_use = threading.Barrier(2)

    def open_many(_: int) -> range:
        def work(uow: UnitOfWork) -> range:
            uow.connection.execute(sa.text("SELECT 1"))
            in_use.wait(10)
            return open_subledgers(uow, book.code, "USD", 70)

        return run(engine, work, actor="teller")

    with aside(2) as threads:
        first, second = threads.map(open_many, range(2))

    assert not set(first) & set(second)


def test_ids_taken_by_many_processes_at_once_are_all_different(book: Ledger) -> None:
    engines = [book.database.engine() for _ in range(3)]

    def take(engine: sa.Engine) -> list[int]:
        return [each for _ in range(40) for each in take_ids(engine, "subledger", 3)]

    with aside(6) as threads:
        taken = [each for ids in threads.map(take, engines * 2) for each in ids]

    assert len(taken) == len(set(taken)) == 6 * 120


def test_of_two_books_of_one_code_one_is_opened(book: Ledger) -> None:
    def open_book(uow: UnitOfWork) -> None:
        create_book(uow, code="TWIN", name="Twin", base_currency="USD", opened_on=TODAY)
        if not twin:
            twin.append(threads.submit(book.run, open_book))
            wait_until_waiting(book.database)

    twin: list[Any] = []
    with aside() as threads:
        book.run(open_book)
        (second,) = outcomes(twin)

    assert isinstance(second, BookExists)


def test_of_two_accounts_of_one_code_one_is_opened(book: Ledger) -> None:
    account = AccountDefinition(
        code=AccountCode("1510"), slug="bonds", name="Bonds", type=AccountType.ASSET, normal_side=Side.DEBIT
    )

    def open_one(uow: UnitOfWork) -> None:
        open_account(uow, book.code, account, effective_from=TODAY)
        if not twin:
            twin.append(threads.submit(book.run, open_one))
            wait_until_waiting(book.database)

    twin: list[Any] = []
    with aside() as threads:
        book.run(open_one)
        (second,) = outcomes(twin)

    assert isinstance(second, AccountExists)
    assert book.findings() == ()


def test_of_two_approvals_at_once_one_books_the_journal(book: Ledger) -> None:
    lines = (
        Line(AccountCode("5200"), Side.DEBIT, Money(5, "USD")),
        Line(AccountCode("1020"), Side.CREDIT, Money(5, "USD")),
    )
    journal = ManualJournal(book_code=book.code, effective_date=TODAY, narration="Rent", lines=lines)
    journal_id = book.run(lambda uow: propose(uow, journal), actor="maria")

    def decide(uow: UnitOfWork) -> PostedEntry:
        posted = approve(uow, journal_id)
        if not twin:
            twin.append(threads.submit(book.run, decide, actor="dana"))
            wait_until_waiting(book.database)
        return posted

    twin: list[Any] = []
    with aside() as threads:
        book.run(decide, actor="chris")
        (second,) = outcomes(twin)

    assert isinstance(second, ManualJournalState)
    assert len(book.entries(book.own)) == 1


def test_two_year_end_closes_at_once_book_and_record_one(book: Ledger) -> None:
    book.post(book.loan, ACCRUAL)
    book.advance(date(2027, 1, 4))

    def close_year(uow: UnitOfWork) -> None:
        year_end_close(uow, book.code, 2026)
        if not twin:
            twin.append(threads.submit(book.run, close_year, actor="teller", approver="boss"))
            wait_until_waiting(book.database)

    twin: list[Any] = []
    with aside() as threads:
        book.run(close_year, approver="boss")
        outcomes(twin)

    with book.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM ledger.year_end")) == 1
    assert len(book.entries(book.own)) == 1


# --- Seals ------------------------------------------------------------------------------------------------


def sealed(book: Ledger) -> list[tuple[int, int, int, int]]:
    """Return block, subledger, first and last entry of every member."""
    statement = sa.text("SELECT block_no, subledger_id, from_no, to_no FROM ledger.seal_member ORDER BY 1, 2")
    with book.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def test_a_seal_waits_for_no_poster_and_an_entry_that_commits_late_is_in_the_next_block(book: Ledger) -> None:
    first, second, third = book.loans
    book.post(first, FUNDING)

    def post_late(uow: UnitOfWork) -> None:
        post_entry(uow, book.draft(first, ACCRUAL))
        post_entry(uow, book.draft(second, FUNDING))
        book.post(third, FUNDING)
        book.post(third, ACCRUAL)
        assert outcome(threads.submit(book.seal)) is not None
        assert nobody_waits(book.database)

    with aside() as threads:
        book.run(post_late)
    book.seal()

    assert sealed(book) == [(1, first, 1, 1), (1, third, 1, 2), (2, first, 2, 2), (2, second, 1, 1)]
    assert book.seal() is None
    assert book.findings() == ()


def test_of_two_sealers_the_second_seals_what_came_since(book: Ledger) -> None:
    book.post(book.loan, FUNDING)

    def seal_slowly(uow: UnitOfWork) -> SealBlock | None:
        block = seal(uow)
        book.post(book.loans[1], FUNDING)
        twin.append(threads.submit(book.seal))
        wait_until_waiting(book.database)
        return block

    twin: list[Any] = []
    with aside() as threads:
        first = book.run(seal_slowly)
        second: SealBlock = outcome(twin[0])

    assert first is not None
    assert (first.block_no, second.block_no, second.previous_hash) == (1, 2, first.block_hash)
    assert sealed(book) == [(1, book.loan, 1, 1), (2, book.loans[1], 1, 1)]
    assert book.findings() == ()


def test_a_sealer_that_was_rolled_back_has_sealed_nothing(book: Ledger) -> None:
    book.post(book.loan, FUNDING)

    book.run(seal, dry_run=True)

    assert sealed(book) == []
    assert book.seal() is not None
    assert book.findings() == ()


def test_sealers_and_posters_at_once_put_each_entry_in_one_block(database: Database) -> None:
    book = new_ledger(database, pool_size=6)
    loans = book.open_loans(9)
    done = threading.Event()

    def post(worker: int) -> None:
        for i in range(45):
            book.post(loans[(worker * 3 + i) % 9], ("CASH", "UNAPPLIED_PAYMENTS", 1))

    def keep_sealing() -> None:
        while not done.is_set():
            book.seal()

    with aside(5) as threads:
        sealers = [threads.submit(keep_sealing) for _ in range(2)]
        posters = [threads.submit(post, worker) for worker in range(3)]
        for poster in posters:
            outcome(poster)
        done.set()
        for sealer in sealers:
            outcome(sealer)
    book.seal()

    members: dict[int, list[tuple[int, int]]] = {}
    for _, subledger_id, from_no, to_no in sealed(book):
        members.setdefault(subledger_id, []).append((from_no, to_no))
    for loan in loans:
        numbers = [no for from_no, to_no in members[loan] for no in range(from_no, to_no + 1)]
        assert numbers == list(range(1, 16))
    assert book.trial(TODAY) == {"1020": 135, "2010": -135}
    assert book.findings() == ()


def test_a_trial_balance_counts_an_entry_once_while_it_is_being_sealed(book: Ledger) -> None:
    book.post(book.own, OWN_MONEY)

    def look_meanwhile(uow: UnitOfWork) -> None:
        seal(uow)
        assert book.trial(TODAY) == {"1020": 1_000, "3010": -1_000}

    book.run(look_meanwhile)

    assert book.trial(TODAY) == {"1020": 1_000, "3010": -1_000}
