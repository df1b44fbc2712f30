"""Statements of the GL on PostgreSQL: taken once however many come at once, breaks carried, guards that hold alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import sqlalchemy as sa

from gl_export.breaks import BreakState
from gl_export.commands.batches import build_batch
from gl_export.commands.gl_reconciliation import (
    GLFile,
    Taken,
    assign_break,
    resolve_break,
    sign_off,
    take_statement,
)
from gl_export.errors import GLStatementEmpty
from gl_export.gl_file import GLRow, StatementKind
from gl_export.queries.gl_reconciliation import breaks, reconciliation, statements
from ledger.money import Money
from ledger.unit_of_work import run
from tests.integration.gl_export.books import BOOK, fund, go_to, open_loans, pay, seal_all

pytestmark = pytest.mark.once

MONTH_END = date(2026, 10, 31)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


@pytest.fixture
def sent(engine: sa.Engine) -> sa.Engine:
    """Return a book whose loan of 1,000.00 and payment of 100.00 the GL was sent."""
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 1_000_00)
    go_to(engine, date(2026, 10, 20))
    pay(engine, loan, "p1", 100_00)
    seal_all(engine)
    run(engine, lambda uow: build_batch(uow, BOOK), actor="ops")
    return engine


def names(engine: sa.Engine) -> dict[str, str]:
    """Return the codes of the two accounts by their roles."""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT gl_account, gl_name FROM gl_export.batch_line WHERE gl_name ~* 'principal|ACH'")
        )
        return {"loan" if "rincipal" in row.gl_name else "ach": row.gl_account for row in rows}


def balances(engine: sa.Engine, loan: str, ach: str, note: str = "") -> GLFile:
    accounts = names(engine)
    rows = (GLRow(2, accounts["loan"], usd(loan)), GLRow(3, accounts["ach"], usd(ach)))
    return GLFile("tb.csv", f"{loan}{ach}{note}".encode(), rows, StatementKind.BALANCES)


def take(engine: sa.Engine, file: GLFile) -> Taken:
    return run(engine, lambda uow: take_statement(uow, BOOK, file, as_of=MONTH_END), actor="ann")


def test_a_break_keeps_its_number_owner_and_age_from_file_to_file(sent: sa.Engine) -> None:
    take(sent, balances(sent, "890.00", "-900.00"))
    run(sent, lambda uow: assign_break(uow, BOOK, 1, owner="dana"), actor="ann")
    run(sent, lambda uow: resolve_break(uow, BOOK, 1, reference="JE-1"), actor="dana")
    again = take(sent, balances(sent, "890.00", "-900.00", "the next morning"))
    with sent.connect() as connection:
        (kept,) = breaks(connection, BOOK)
    take(sent, balances(sent, "880.00", "-900.00"))
    with sent.connect() as connection:
        (moved,) = breaks(connection, BOOK)
        proved = reconciliation(connection, BOOK)

    assert (again.new, again.again, again.cleared) == (0, 1, 0)
    assert (kept.break_no, kept.state, kept.opened_on) == (1, BreakState.RESOLVED, MONTH_END)
    # It came to 20.00: what explained 10.00 explains it no more.
    assert (moved.break_no, moved.state, moved.owner, moved.difference.amount) == (
        1,
        BreakState.ASSIGNED,
        "dana",
        usd("20.00"),
    )
    assert {str(proof.unexplained) for proof in proved.proofs} == {"20.00 USD", "0.00 USD"}


def test_the_same_file_from_two_people_at_once_is_taken_once(sent: sa.Engine) -> None:
    file = balances(sent, "890.00", "-900.00")

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: take(sent, file), range(4)))

    assert sorted(each.is_new for each in taken) == [False, False, False, True]
    with sent.connect() as connection:
        assert len(statements(connection, BOOK)) == 1
        assert len(breaks(connection, BOOK)) == 1


def test_an_empty_file_is_refused(sent: sa.Engine) -> None:
    with pytest.raises(GLStatementEmpty):
        take(sent, GLFile("tb.csv", b"", (), StatementKind.BALANCES))


def test_the_database_refuses_a_sign_off_over_an_open_break_by_itself(sent: sa.Engine) -> None:
    take(sent, balances(sent, "890.00", "-900.00"))
    insert = sa.text(
        "INSERT INTO gl_export.gl_sign_off (book_id, statement_no, sign_off_no, balances, actor, approver)"
        " SELECT book_id, 1, :number, '[]', 'ann', :approver FROM gl_export.gl_statement"
    )

    with pytest.raises(sa.exc.IntegrityError, match="break 1 is open"), sent.begin() as connection:
        connection.execute(insert, {"number": 1, "approver": "bob"})
    run(sent, lambda uow: resolve_break(uow, BOOK, 1, reference="JE-1"), actor="dana")
    with pytest.raises(sa.exc.IntegrityError, match="second_person"), sent.begin() as connection:
        connection.execute(insert, {"number": 1, "approver": "ann"})
    signed = run(sent, lambda uow: sign_off(uow, BOOK), actor="ann", approver="bob")
    with sent.begin() as connection:
        connection.execute(insert, {"number": 2, "approver": "bob"})

    assert signed.balances[(names(sent)["loan"], "USD")] == usd("900.00")


@pytest.mark.parametrize(
    "table", ["gl_statement", "gl_statement_row", "gl_break", "gl_break_sighting", "gl_break_action"]
)
def test_nothing_that_was_taken_or_found_can_be_changed(sent: sa.Engine, table: str) -> None:
    take(sent, balances(sent, "890.00", "-900.00"))
    run(sent, lambda uow: assign_break(uow, BOOK, 1, owner="dana"), actor="ann")

    with pytest.raises(sa.exc.DBAPIError), sent.begin() as connection:
        connection.execute(sa.text(f"UPDATE gl_export.{table} SET book_id = book_id"))
    with pytest.raises(sa.exc.DBAPIError), sent.begin() as connection:
        connection.execute(sa.text(f"DELETE FROM gl_export.{table}"))
