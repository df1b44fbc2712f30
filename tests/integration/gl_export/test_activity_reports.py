"""Reports of what a month did to accounts: each adds up to the turnover that the trial balance has."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import pytest
import sqlalchemy as sa

from gl_export.queries.balances import control_balances
from gl_export.rendering import Cell, Report, to_csv
from gl_export.reports.activity import CASH_RECEIPTS, INCOME, LOSSES, allowance_report, gl_detail_report, journal_report
from gl_export.reports.declared import REPORTS
from ledger.commands.posting import reverse_entry
from ledger.dates import Month
from ledger.money import Money
from ledger.queries.trial_balance import trial_balance
from ledger.unit_of_work import run
from tests.integration.gl_export.books import BOOK, fund, go_to, open_loans, pay, post, seal_all

pytestmark = pytest.mark.once

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


@pytest.fixture
def lived(engine: sa.Engine) -> sa.Engine:
    """Return a book with a loan of 1,000.00: 100.00 paid and taken back, 200.00 provided, 50.00 charged off, a fee."""
    (loan,) = open_loans(engine, 1)
    fund(engine, loan, 1_000_00)
    post(
        engine,
        loan,
        "provision",
        ("PROVISION_FOR_CREDIT_LOSSES", "ALLOWANCE_FOR_CREDIT_LOSSES", 200_00),
        template="provision_made",
    )
    go_to(engine, date(2026, 10, 20))
    paid = pay(engine, loan, "p1", 100_00)
    post(engine, loan, "fee", ("LATE_FEES_RECEIVABLE", "LATE_FEE_INCOME", 25_00), template="late_fee_assessed")
    seal_all(engine)
    go_to(engine, date(2026, 10, 22))
    run(engine, lambda uow: reverse_entry(uow, loan, paid.entry_no, request_key="p1:back"), actor="clerk")
    post(engine, loan, "off", ("ALLOWANCE_FOR_CREDIT_LOSSES", "LOAN_PRINCIPAL", 50_00), template="loan_charged_off")
    seal_all(engine)
    return engine


def drawn(engine: sa.Engine, draw: object, month: Month = OCTOBER, known_at: int | None = None) -> Report:
    with engine.connect() as connection:
        return draw(connection, BOOK, month=month, known_at=known_at)  # type: ignore[operator, no-any-return]


def told(report: Report, *names: str) -> list[tuple[str, ...]]:
    places = [[column.name for column in report.columns].index(name) for name in names]

    def text(cell: Cell) -> str:
        return cell.format() if isinstance(cell, Money) else str(cell)

    return [tuple(text(row[place]) for place in places) for row in report.rows]


def turnover(engine: sa.Engine, codes: Collection[str]) -> tuple[Money, Money]:
    with engine.connect() as connection:
        rows = trial_balance(connection, BOOK, as_of=OCTOBER.last_day).balance.rows
    chosen = [row for row in rows if row.account.code in codes]
    return Money.sum((row.debits for row in chosen), "USD"), Money.sum((row.credits for row in chosen), "USD")


def test_cash_is_shown_by_day_and_what_was_taken_back_on_the_other_side(lived: sa.Engine) -> None:
    report = drawn(lived, CASH_RECEIPTS.draw)

    assert told(report, "day", "entry_kind", "debits", "credits", "net") == [
        ("2026-10-01", "loan_funded", "0.00", "1000.00", "-1000.00"),
        ("2026-10-20", "payment_applied", "100.00", "0.00", "100.00"),
        ("2026-10-22", "payment_applied", "0.00", "100.00", "-100.00"),
    ]
    assert report.totals[0][-3:-1] == turnover(lived, {"1120"})


def test_income_and_expenses_are_their_turnover(lived: sa.Engine) -> None:
    report = drawn(lived, INCOME.draw)

    assert told(report, "account", "entry_kind", "net") == [
        ("4110", "late_fee_assessed", "25.00"),
        ("5010", "provision_made", "200.00"),
    ]
    assert report.totals[0][-3:-1] == turnover(lived, {"4110", "5010"})


def test_the_allowance_leads_from_opening_to_closing(lived: sa.Engine) -> None:
    report = drawn(lived, allowance_report)
    later = drawn(lived, allowance_report, NOVEMBER)

    assert told(report, "line", "amount") == [
        ("opening", "0.00"),
        ("loan_charged_off", "-50.00"),
        ("provision_made", "200.00"),
        ("closing", "150.00"),
    ]
    assert told(later, "line", "amount") == [("opening", "150.00"), ("closing", "150.00")]


def test_losses_are_shown_by_loan(lived: sa.Engine) -> None:
    assert told(drawn(lived, LOSSES.draw), "entry_kind", "account", "debits", "credits") == [
        ("loan_charged_off", "1210", "0.00", "50.00"),
        ("loan_charged_off", "1390", "50.00", "0.00"),
    ]


def test_journal_and_detail_hold_every_posting_and_end_at_the_balances(lived: sa.Engine) -> None:
    journal, detail = drawn(lived, journal_report), drawn(lived, gl_detail_report)
    with lived.connect() as connection:
        closing = control_balances(connection, BOOK, as_of=OCTOBER.last_day, known_at=journal.stamp.block_no)
        totals = trial_balance(connection, BOOK, as_of=OCTOBER.last_day).balance.totals

    amounts = [row[7] for row in journal.rows]
    last = {(str(row[0]), str(row[2])): row[-1] for row in detail.rows}

    assert len(journal.rows) == 7
    assert len(detail.rows) == 14
    assert Money.sum((cell for cell in amounts if isinstance(cell, Money)), "USD") == totals[0].debits
    assert last == dict(closing)


def test_known_at_a_block_they_stay_as_they_were(lived: sa.Engine) -> None:
    months = [each for each in REPORTS if each.over_month]

    def at(block: int) -> list[bytes]:
        with lived.connect() as connection:
            return [to_csv(each.draw(connection, BOOK, as_of=OCTOBER.last_day, known_at=block)) for each in months]

    before = at(1)
    post(lived, 2, "later", ("LATE_FEES_RECEIVABLE", "LATE_FEE_INCOME", 5_00), template="late_fee_assessed")
    seal_all(lived)

    assert at(1) == before
    assert at(3) != before
