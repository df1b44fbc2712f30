"""The year-end closing entry: by two people, to retained earnings, and left out of the income statement."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.commands.year_end import YearEndClose, year_end_close
from ledger.errors import ApprovalMissing, BookingDateRefused, BookUnknown, PeriodIsClosed
from ledger.queries.trial_balance import balance_sheet_at, income_statement_between
from ledger.trial_balance import IncomeStatement
from tests.support.ledger_setup import FUNDING, Ledger, contents, new_ledger

NEW_YEARS_EVE = date(2026, 12, 31)
RESULT = 500 + 40 - 30
"""Interest income 5.00 and late fees 0.40, less expense of 0.30."""


def close_year(book: Ledger, year: int = 2026, approver: str | None = "boss") -> YearEndClose:
    return book.run(lambda uow: year_end_close(uow, book.code, year), approver=approver)


def income(book: Ledger, *, known_at: int | None = None, year: int = 2026) -> IncomeStatement:
    return book.read(
        lambda connection: income_statement_between(
            connection, book.code, from_date=date(year, 1, 1), to_date=date(year, 12, 31), known_at=known_at
        )
    )


@pytest.fixture
def over(book: Ledger) -> Ledger:
    """Return a book in January 2027 with a year of result behind it."""
    book.post(book.loan, FUNDING, ("INTEREST_RECEIVABLE", "INTEREST_INCOME", 500))
    book.post(book.loans[1], ("LATE_FEES_RECEIVABLE", "LATE_FEE_INCOME", 40))
    book.post(book.own, ("COLLECTION_EXPENSE", "CASH", 30))
    book.advance(date(2027, 1, 4))
    return book


def test_result_accounts_go_to_zero_and_the_result_to_retained_earnings(over: Ledger) -> None:
    closed = close_year(over)

    trial = over.trial(NEW_YEARS_EVE)
    assert (trial["4010"], trial["4110"], trial["5200"], trial["3900"]) == (0, 0, 0, -RESULT)
    (_, view) = over.entries(over.own)
    assert closed.posted is not None
    assert (closed.posted.entry_no, view.entry.booking_date) == (2, NEW_YEARS_EVE)
    assert (view.entry.draft.template, view.entry.draft.approved_by) == ("year_end_close", "boss")


def test_the_income_statement_leaves_the_closing_entry_out(over: Ledger) -> None:
    before = income(over)

    close_year(over)

    assert income(over) == before
    assert before.net_income.minor == RESULT


def test_the_balance_sheet_agrees_before_and_after(over: Ledger) -> None:
    def claims() -> tuple[int, int]:
        sheet = over.read(balance_sheet_at, over.code, as_of=NEW_YEARS_EVE)
        return sheet.assets.total.minor, sheet.total_equity.minor

    before = claims()

    close_year(over)

    assert claims() == before


def test_closing_again_closes_what_has_come_since_and_nothing_else(over: Ledger) -> None:
    close_year(over)
    assert close_year(over).posted is None

    over.post(over.loan, ("INTEREST_RECEIVABLE", "INTEREST_INCOME", 7), booking_date=NEW_YEARS_EVE, approved_by="boss")
    assert close_year(over).posted is not None

    assert over.trial(NEW_YEARS_EVE)["3900"] == -RESULT - 7
    assert over.trial(NEW_YEARS_EVE)["4010"] == 0
    assert income(over).net_income.minor == RESULT + 7
    assert over.findings() == ()


def test_as_known_before_the_closing_entry_the_result_is_what_it_was(over: Ledger) -> None:
    over.seal()
    known = income(over, known_at=1)

    close_year(over)
    over.seal()

    assert income(over, known_at=1) == known
    assert income(over, known_at=2) == known
    assert known.net_income.minor == RESULT


def test_a_closing_entry_that_is_reversed_is_left_out_with_its_reversal(over: Ledger) -> None:
    close_year(over)
    over.reverse(over.own, 2, booking_date=NEW_YEARS_EVE, approved_by="boss")

    assert income(over).net_income.minor == RESULT
    assert over.trial(NEW_YEARS_EVE)["4010"] == -500
    over.seal()
    assert income(over, known_at=1).net_income.minor == RESULT

    assert close_year(over).posted is not None
    assert over.trial(NEW_YEARS_EVE)["3900"] == -RESULT
    assert income(over).net_income.minor == RESULT


def test_a_loss_and_several_currencies_are_closed_each_in_its_own(over: Ledger) -> None:
    euros = over.postings(("COLLECTION_EXPENSE", "CASH", 900), currency="EUR")
    over.post(over.own, postings=euros, booking_date=NEW_YEARS_EVE, approved_by="boss")

    close_year(over)

    trial = over.trial(NEW_YEARS_EVE)
    assert (trial["3900"], trial["3900 EUR"], trial["5200 EUR"]) == (-RESULT, 900, 0)


def test_nobody_closes_a_year_alone(over: Ledger) -> None:
    before = contents(over.database)

    for approver in (None, "", "teller"):
        with pytest.raises(ApprovalMissing):
            close_year(over, approver=approver)

    assert contents(over.database) == before


def test_a_year_that_is_not_over_or_whose_last_month_is_closed_is_refused(over: Ledger) -> None:
    with pytest.raises(BookingDateRefused, match="lies ahead"):
        close_year(over, 2027)
    for month in range(1, 13):
        over.close(f"2026-{month:02}")

    with pytest.raises(PeriodIsClosed):
        close_year(over)
    with pytest.raises(BookUnknown):
        over.run(lambda uow: year_end_close(uow, "NONE", 2026), approver="boss")


def test_a_year_without_result_needs_no_entry(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    book.advance(date(2027, 1, 4))

    assert close_year(book) == YearEndClose(2026, None)


def test_a_dry_run_closes_nothing(over: Ledger) -> None:
    before = contents(over.database)

    closed = over.run(lambda uow: year_end_close(uow, over.code, 2026), approver="boss", dry_run=True)

    assert closed.posted is not None
    assert contents(over.database) == before


def test_two_books_close_their_years_apart(over: Ledger) -> None:
    other = new_ledger(over.database, code="OTHER", business_date=date(2026, 6, 1))
    other.post(other.loan, ("INTEREST_RECEIVABLE", "INTEREST_INCOME", 11))
    other.advance(date(2027, 2, 1))

    close_year(over)

    assert other.trial(NEW_YEARS_EVE)["4010"] == -11
    assert income(other).net_income.minor == 11
