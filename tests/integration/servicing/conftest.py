"""A database for a module's tests, as the application sees it; each test opens books of its own."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
import sqlalchemy as sa

from ledger.commands import books
from ledger.unit_of_work import run
from servicing.commands.boarding import board_and_fund_loans
from servicing.drafts import LoanDraft
from tests.support.database import Database
from tests.support.loan_lives import ACTOR, open_book
from tests.unit.servicing.examples import TERMS


@pytest.fixture(scope="module")
def engine(module_database: Database) -> sa.Engine:
    """Return an engine of the application's role."""
    return module_database.engine()


@pytest.fixture
def loan(engine: sa.Engine) -> tuple[str, int, int]:
    """Return a book and two equal loans in it, on 20 March."""
    code = f"T{uuid.uuid4().hex[:8]}"
    open_book(engine, code, date(2026, 1, 1))
    run(engine, lambda uow: books.advance_business_date(uow, code, date(2026, 1, 15)), actor=ACTOR)
    drafts = [LoanDraft("A", TERMS), LoanDraft("B", TERMS)]
    first, second = run(engine, lambda uow: board_and_fund_loans(uow, code, drafts), actor=ACTOR)
    run(engine, lambda uow: books.advance_business_date(uow, code, date(2026, 3, 20)), actor=ACTOR)
    return code, first, second
