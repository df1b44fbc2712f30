"""A run of mandates that was killed is finished by the next, and two at once make no debit twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.unit_of_work import run
from servicing.commands.autopay import run_autopay
from servicing.commands.boarding import board_and_fund_loans
from servicing.drafts import LoanDraft
from servicing.rail_queries import instructions
from tests.integration.servicing.test_autopay import advance, authorize
from tests.integration.servicing.test_bank_accounts import add
from tests.support.database import APP, Database
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.examples import TERMS

ROOT = Path(__file__).resolve().parents[3]
LOANS = 6


@pytest.fixture
def lender(engine: sa.Engine) -> tuple[str, tuple[int, ...]]:
    """Return a book with six loans of 888.49 due on 15 February, each with a mandate, on the 12th."""
    code = f"K{uuid.uuid4().hex[:8]}"
    open_book(engine, code, date(2026, 1, 1))
    advance(engine, code, date(2026, 1, 15))
    drafts = [LoanDraft(f"L-{n}", TERMS) for n in range(LOANS)]
    ids = tuple(run(engine, lambda uow: board_and_fund_loans(uow, code, drafts), actor=ACTOR))
    for loan_id in ids:
        add(engine, loan_id)
        authorize(engine, loan_id)
    advance(engine, code, date(2026, 2, 12))
    return code, ids


def made(engine: sa.Engine, ids: tuple[int, ...]) -> list[list[tuple[str, int, str]]]:
    with engine.connect() as connection:
        return [
            [(each.request_key, each.amount, str(each.status)) for each in instructions(connection, loan_id)]
            for loan_id in ids
        ]


EXPECTED = [[("autopay:1:2026-02-15", 88_849, "scheduled")]] * LOANS


@pytest.mark.parametrize("loans", [1, 4, LOANS])
def test_a_run_that_was_killed_is_finished_by_the_next(
    module_database: Database, engine: sa.Engine, lender: tuple[str, tuple[int, ...]], loans: int
) -> None:
    code, ids = lender
    command = [sys.executable, "-m", "tests.integration.servicing.autopay_child"]
    child = subprocess.Popen([*command, module_database.url_for(APP), code, str(loans)], cwd=ROOT)
    assert child.wait() == -signal.SIGKILL
    # The loan in whose middle it died has nothing; those before it have theirs.
    assert sum(map(len, made(engine, ids))) == loans - 1

    rest = run_autopay(engine, code, actor=ACTOR)

    assert len(rest.moved) == LOANS - loans + 1
    assert made(engine, ids) == EXPECTED
    assert run_autopay(engine, code, actor=ACTOR).moved == ()


def test_runs_side_by_side_make_no_debit_twice(engine: sa.Engine, lender: tuple[str, tuple[int, ...]]) -> None:
    code, ids = lender

    with ThreadPoolExecutor(3) as threads:
        reports = list(threads.map(lambda _n: run_autopay(engine, code, actor=ACTOR), range(3)))

    assert (sum(len(each.moved) for each in reports), [each.failures for each in reports]) == (LOANS, [()] * 3)
    assert made(engine, ids) == EXPECTED
