"""What PostgreSQL holds where the code would not: rows that never change, and two who do the same at once."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import date
from functools import partial

import psycopg
import pytest
import sqlalchemy as sa

from ledger.queries.entries import entries
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.boarding import board_and_fund_loans
from servicing.commands.payments import Taken, return_payment
from servicing.drafts import LoanDraft
from servicing.errors import LoanExists, PaymentUndone
from servicing.queries import booked_balances, loan_view
from tests.integration.servicing.acts import pay, take
from tests.support.database import APP, OWNER, READER, Database
from tests.support.interleaving import aside, outcome, outcomes, wait_until_waiting
from tests.support.loan_lives import ACTOR
from tests.unit.servicing.examples import TERMS

pytestmark = pytest.mark.twice

APPEND_ONLY = (
    "product_version",
    "terms_version",
    "event",
    "allocation_version",
    "payoff_quote",
    "index_value",
    "bank_account",
    "mandate",
    "mandate_end",
    "payment_instruction",
    "payment_move",
)
DAY = date(2026, 3, 10)


@pytest.mark.parametrize("table", [*APPEND_ONLY, "loan"])
@pytest.mark.parametrize("statement", ["DELETE FROM servicing.{}", "TRUNCATE servicing.{} CASCADE"])
def test_nobody_removes_rows_not_even_the_owner(
    module_database: Database, loan: tuple[str, int, int], table: str, statement: str
) -> None:
    for role, code in ((OWNER, "LB021"), (APP, "42501"), (READER, "42501")):
        with module_database.connect(role) as connection, pytest.raises(psycopg.Error) as refused:
            connection.execute(statement.format(table))
        assert refused.value.sqlstate == code


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_nobody_changes_what_was_appended(module_database: Database, loan: tuple[str, int, int], table: str) -> None:
    for role, code in ((OWNER, "LB021"), (APP, "42501"), (READER, "42501")):
        with module_database.connect(role) as connection, pytest.raises(psycopg.Error) as refused:
            connection.execute(f"UPDATE servicing.{table} SET recorded_at = recorded_at")
        assert refused.value.sqlstate == code


def test_of_a_loan_only_its_mark_moves_and_only_forward(module_database: Database, loan: tuple[str, int, int]) -> None:
    _, loan_id, _ = loan
    with module_database.connect(APP, autocommit=True) as app:
        app.execute("UPDATE servicing.loan SET fees_through = '2026-03-05' WHERE loan_id = %s", (loan_id,))
        for value in ("'2026-03-04'", "NULL"):
            with pytest.raises(psycopg.Error) as refused:
                app.execute(f"UPDATE servicing.loan SET fees_through = {value} WHERE loan_id = %s", (loan_id,))
            assert refused.value.sqlstate == "LB021"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("UPDATE servicing.loan SET external_id = 'X' WHERE loan_id = %s", (loan_id,))
    with module_database.connect(OWNER) as owner, pytest.raises(psycopg.Error) as refused:
        owner.execute("UPDATE servicing.loan SET external_id = 'X' WHERE loan_id = %s", (loan_id,))
    assert refused.value.sqlstate == "LB021"


def test_the_reader_reads_every_table_and_writes_none(module_database: Database, loan: tuple[str, int, int]) -> None:
    with module_database.connect(READER, autocommit=True) as reader:
        for table in (*APPEND_ONLY, "loan"):
            reader.execute(f"SELECT count(*) FROM servicing.{table}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(f"INSERT INTO servicing.{table} DEFAULT VALUES")


def test_two_payments_at_once_wait_for_each_other_and_both_count(
    module_database: Database, engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    _, loan_id, _ = loan

    def hold(uow: UnitOfWork) -> Taken:
        first = take(uow, loan_id, "300.00", DAY, "one")
        second = threads.submit(pay, engine, loan_id, "200.00", date(2026, 3, 1), "two")
        wait_until_waiting(module_database)
        later.append(second)
        return first

    later: list[Future[int]] = []
    with aside() as threads:
        first = run(engine, hold, actor=ACTOR)
        second = outcome(later[0])

    assert (first.payment_id, second) == (2, 3)
    with engine.connect() as connection:
        view = loan_view(connection, loan_id, DAY)
        assert sum(parts.total for parts in view.state.allocations.values()) == 50_000
        booked = booked_balances(connection, loan_id)
        assert {**view.state.balances(), "interest": 0} == {**booked, "interest": 0}


def test_twins_of_a_payment_become_one(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, loan_id, _ = loan
    with aside(4) as threads:
        twins = [
            threads.submit(run, engine, partial(take, loan_id=loan_id, amount="300.00", on=DAY, name="p"), actor=ACTOR)
            for _ in range(4)
        ]
        found = [outcome(twin) for twin in twins]

    assert {taken.payment_id for taken in found} == {2}
    assert sorted(taken.replayed for taken in found) == [False, True, True, True]
    assert len({taken.allocation for taken in found}) == 1


def test_two_returns_of_one_payment_at_once_undo_it_once(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    _, loan_id, _ = loan
    number = pay(engine, loan_id, "888.49", date(2026, 2, 15), "p")
    with aside(2) as threads:
        found = outcomes(
            [
                threads.submit(
                    run,
                    engine,
                    lambda uow, key=key: return_payment(uow, loan_id, number, "R01", key),
                    actor=ACTOR,
                )
                for key in ("a", "b")
            ]
        )

    assert [type(each) for each in found].count(PaymentUndone) == 1
    with engine.connect() as connection:
        assert booked_balances(connection, loan_id)["penalties"] == 2500
        undone = [view for view in entries(connection, loan_id) if view.entry.draft.reverses_no is not None]
        assert [view.entry.draft.source_ref for view in undone] == [f"event:{number}"]


def test_a_name_that_is_being_boarded_is_waited_for_and_then_refused(
    module_database: Database, engine: sa.Engine, loan: tuple[str, int, int]
) -> None:
    code, _, _ = loan
    drafts = [LoanDraft("SAME", TERMS), LoanDraft("OTHER", TERMS)]
    later = []

    def board(uow: UnitOfWork) -> tuple[int, ...]:
        ids = board_and_fund_loans(uow, code, drafts[:1])
        later.append(threads.submit(run, engine, lambda uow: board_and_fund_loans(uow, code, drafts), actor=ACTOR))
        wait_until_waiting(module_database)
        return ids

    with aside() as threads:
        run(engine, board, actor=ACTOR)
        (refused,) = outcomes(later)

    assert isinstance(refused, LoanExists)
    assert refused.external_id == "SAME"


def test_a_name_of_a_boarding_that_failed_is_free_again(engine: sa.Engine, loan: tuple[str, int, int]) -> None:
    code, _, _ = loan
    draft = LoanDraft("AGAIN", TERMS)
    with pytest.raises(LoanExists):
        run(engine, lambda uow: board_and_fund_loans(uow, code, [draft, LoanDraft("A", TERMS)]), actor=ACTOR)

    (loan_id,) = run(engine, lambda uow: board_and_fund_loans(uow, code, [draft]), actor=ACTOR)

    assert loan_id
