"""Boarding a tape: once, twice, by two at the same time, and on trial."""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.commands import books
from ledger.unit_of_work import run
from servicing.boarding_days import BookDays
from servicing.commands.tapes import Boarded, board_tape, check_tape
from servicing.product import shipped
from servicing.queries import boarded_loans
from servicing.tapes.column_map import OWN_COLUMNS
from servicing.tapes.fields import Reading
from servicing.tapes.tape import Tape, open_tape
from tests.support.database import Database
from tests.support.interleaving import aside, outcomes
from tests.support.loan_lives import ACTOR, open_book

LOANS = 2_500
HEADER = "external_id,principal,rate,installments,frequency,funded_on,first_due_on\n"


@pytest.fixture
def code(module_database: Database) -> str:
    """Return a book on 20 January 2026."""
    engine, code = module_database.engine(), f"T{uuid.uuid4().hex[:8]}"
    open_book(engine, code, date(2026, 1, 1))
    run(engine, lambda uow: books.advance_business_date(uow, code, date(2026, 1, 20)), actor=ACTOR)
    return code


def tape(folder: Path, code: str) -> Tape:
    """Return a tape of many loans."""
    file = folder / f"{code}.csv"
    rows = (f"L-{n:05},100.00,12,12,monthly,2026-01-{1 + n % 3:02},2026-02-10\n" for n in range(LOANS))
    file.write_text(HEADER + "".join(rows))
    product = shipped("installment")
    reading = Reading("USD", OWN_COLUMNS.forms, lambda _: product)
    days = BookDays(code, date(2026, 1, 1), date(2026, 1, 20))
    return Tape(open_tape(file, OWN_COLUMNS), OWN_COLUMNS, reading, "installment", days)


def test_two_who_board_the_same_tape_at_once_board_each_loan_once(
    module_database: Database, code: str, tmp_path: Path
) -> None:
    loans = tape(tmp_path, code)
    engines = [module_database.engine() for _ in range(2)]

    with aside(2) as threads:
        futures = [threads.submit(board_tape, engine, code, loans, actor=ACTOR) for engine in engines]
        done = outcomes(futures)

    assert all(isinstance(each, Boarded) for each in done), done
    ids = [loan_id for each in done if isinstance(each, Boarded) for loan_id in each.loan_ids]
    assert len(ids) == len(set(ids)) == LOANS
    assert sum(each.found for each in done if isinstance(each, Boarded)) == LOANS


def test_a_dry_run_boards_every_chunk_and_keeps_none(module_database: Database, code: str, tmp_path: Path) -> None:
    engine, loans = module_database.engine(), tape(tmp_path, code)
    seen: list[int] = []

    checked = check_tape(engine, code, loans, on_progress=seen.append)
    tried = board_tape(engine, code, loans, actor=ACTOR, dry_run=True, on_progress=seen.append)

    assert (checked.rows, checked.right, checked.sums) == (LOANS, LOANS, {"principal": LOANS * 10_000})
    assert len(tried.loan_ids) == LOANS
    assert seen == [1_000, 2_000, 2_500] * 2
    with engine.connect() as connection:
        assert boarded_loans(connection, code) == {}


def test_a_tape_that_was_boarded_books_nothing_when_it_comes_again(
    module_database: Database, code: str, tmp_path: Path
) -> None:
    engine, loans = module_database.engine(), tape(tmp_path, code)
    board_tape(engine, code, loans, actor=ACTOR)

    again = board_tape(engine, code, loans, actor=ACTOR)

    assert (again.loan_ids, again.found) == ((), LOANS)
    with engine.connect() as connection:
        entries = connection.scalar(
            sa.text(
                "SELECT count(*) FROM ledger.journal_entry e JOIN ledger.book b ON b.book_id = e.book_id"
                " WHERE b.code = :code"
            ),
            {"code": code},
        )
    assert entries == 2 * LOANS, "a funding and a disbursement for each"
