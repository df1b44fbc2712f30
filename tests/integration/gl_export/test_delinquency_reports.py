"""Aging, roll rates and vintages of a book, worked by hand."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from gl_export.rendering import to_csv
from gl_export.reports.delinquency import aging_report, roll_rates_report, vintages_report
from ledger.dates import Month
from ledger.money import Money
from ledger.seals import seal
from ledger.unit_of_work import run
from servicing.commands.cycle import run_cycle
from servicing.commands.payments import return_payment
from servicing.drafts import LoanDraft
from tests.integration.servicing.acts import pay
from tests.integration.servicing.test_run_cycle import advance, lender
from tests.support.database import Database
from tests.support.loan_lives import ACTOR
from tests.unit.servicing.examples import TERMS


@pytest.fixture(scope="module")
def engine(module_database: Database) -> sa.Engine:
    """Return an engine of the application's role."""
    return module_database.engine()


def test_reports_say_how_a_book_goes_behind(engine: sa.Engine) -> None:
    # Four loans of 888.49 on each 15th from February on. One pays in time, one pays February's on 20 March, one
    # nothing, and one all that is owed on 1 March.
    # On 31 March: 0, 16 days (since 15 March), 44 days (since 15 February).
    code, ids = lender(engine, [LoanDraft(name, TERMS) for name in "ABCD"])
    for day, payer, amount in (
        (date(2026, 2, 15), 0, "888.49"),
        (date(2026, 2, 28), None, ""),
        (date(2026, 3, 1), 3, "10500.00"),
        (date(2026, 3, 15), 0, "888.49"),
        (date(2026, 3, 20), 1, "903.49"),
        (date(2026, 3, 31), None, ""),
    ):
        advance(engine, code, day)
        if payer is not None:
            pay(engine, ids[payer], amount, day, f"{day}")
        else:
            run_cycle(engine, code, day, actor=ACTOR)

    with engine.connect() as connection:
        aged = aging_report(connection, code, as_of=date(2026, 3, 31))
        rolled = roll_rates_report(connection, code, month=Month.of(date(2026, 3, 31)))
        grown = vintages_report(connection, code, as_of=date(2026, 3, 31))

    past_due = {row[0]: (row[2], row[-1]) for row in aged.rows}
    assert past_due["current"] == (1, Money(0, "USD"))
    assert past_due["1-29"][0] == past_due["30-59"][0] == 1
    # C: two installments and the late fees of both (15.00 on 25 February and on 25 March).
    assert past_due["30-59"][1] == Money(2 * 88_849 + 2 * 1_500, "USD")
    # On 28 February A was current; B, C and D were 13 days past due.
    assert [row[:4] for row in rolled.rows] == [
        ("current", "current", 1, "100.00"),
        ("1-29", "1-29", 1, "33.33"),
        ("1-29", "30-59", 1, "33.33"),
        ("1-29", "paid_off", 1, "33.33"),
    ]
    assert list(grown.rows) == [
        ("2026-01", 0, 4, "0.00", "0.00", "0.00"),
        ("2026-01", 1, 4, "0.00", "0.00", "0.00"),
        ("2026-01", 2, 4, "25.00", "0.00", "0.00"),
    ]
    assert to_csv(aged).startswith(b"bucket,currency,loans,principal")


@pytest.mark.parametrize("comes_back_on", [date(2026, 3, 1), date(2026, 3, 10)])
def test_a_report_is_drawn_again_as_it_was_known(engine: sa.Engine, comes_back_on: date) -> None:
    # Paid in time on 15 February, sealed on 1 March; after it, on that day or later, the payment comes back.
    code, (loan_id,) = lender(engine, [LoanDraft("A", TERMS)])
    advance(engine, code, date(2026, 2, 15))
    number = pay(engine, loan_id, "888.49", date(2026, 2, 15), "paid")
    advance(engine, code, date(2026, 3, 1))
    run_cycle(engine, code, date(2026, 3, 1), actor=ACTOR)
    block = run(engine, seal, actor=ACTOR)
    assert block is not None
    advance(engine, code, comes_back_on)
    run(engine, lambda uow: return_payment(uow, loan_id, number, "R01", "back"), actor=ACTOR)

    with engine.connect() as connection:
        then = aging_report(connection, code, as_of=date(2026, 3, 1), known_at=block.block_no)
        now = aging_report(connection, code, as_of=date(2026, 3, 1))

    assert [row[0] for row in then.rows] == ["current"]
    assert [row[0] for row in now.rows] == ["1-29"]
