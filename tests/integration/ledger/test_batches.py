"""Batches: one entry for each subledger, in chunks; killed and resumed, they end with the same entries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from ledger.batch import Batch, BatchResult
from ledger.chart import AccountCode
from ledger.commands.accounts import close_account
from ledger.commands.batches import post_batch, post_batch_within
from ledger.commands.subledgers import freeze_subledger
from ledger.errors import (
    AccountClosed,
    AccountIsHeader,
    AccountUnknown,
    AmountOutOfRange,
    ApprovalMissing,
    BalanceWouldGoContra,
    BatchMismatch,
    BookUnknown,
    CurrencyNotTaken,
    MemorandumMixed,
    PeriodIsClosed,
    SubledgerFrozen,
    SubledgerUnknown,
)
from ledger.money import MAX_MINOR, Money
from tests.support.database import OWNER
from tests.support.ledger_setup import ACCRUAL, FUNDING, PAYMENT, TODAY, Ledger, contents, new_ledger


class Killed(Exception):
    """What a test ends a run with."""


def kill(_posted: int, _total: int) -> None:
    """End the run after a chunk."""
    raise Killed


@contextmanager
def nothing_written(book: Ledger) -> Iterator[None]:
    """Hold that every table is as it was."""
    before = contents(book.database)
    yield
    assert contents(book.database) == before


def post(book: Ledger, batch: Batch, chunk: int = 5_000) -> BatchResult:
    return post_batch(book.engine, batch, actor="job", chunk=chunk)


def test_each_subledger_of_a_batch_gets_an_entry_of_its_own(book: Ledger) -> None:
    book.post(book.loans[1], FUNDING)

    result = post(book, book.batch(*[(loan, ACCRUAL) for loan in book.loans], narration="Accrued"))

    assert result == BatchResult(posted=3, posted_before=0)
    assert [[view.entry.entry_no for view in book.entries(loan)] for loan in book.loans] == [[1], [1, 2], [1]]
    entry = book.entries(book.loan)[0].entry
    assert (entry.draft.request_key, entry.draft.actor) == ("accrue:2026-01-15", "job")
    assert (entry.booking_date, entry.draft.narration) == (TODAY, "Accrued")
    assert book.balances(book.loan) == {"1220": 500}


def test_several_rows_of_a_subledger_make_one_entry_in_their_order(book: Ledger) -> None:
    batch = book.batch((book.loan, FUNDING), (book.loans[1], FUNDING), (book.loan, ACCRUAL), (book.loan, PAYMENT))

    assert post(book, batch).posted == 2

    (view,) = book.entries(book.loan)
    assert view.entry.postings == book.postings(FUNDING, ACCRUAL, PAYMENT)


def test_a_batch_books_what_the_entries_one_by_one_would(book: Ledger) -> None:
    loans = book.open_loans(20)
    moves = [FUNDING, ACCRUAL, ("CASH", "LOAN_PRINCIPAL", 7), ("CASH", "INTEREST_RECEIVABLE", 500), ACCRUAL]
    rows = [(loan, move) for i, loan in enumerate(loans) for move in moves[: 1 + i % len(moves)]]
    for loan in loans[:10]:
        book.post(loan, *[move for row_loan, move in rows if row_loan == loan])

    post(book, book.batch(*[row for row in rows if row[0] in loans[10:]]), chunk=3)

    assert [book.balances(loan) for loan in loans[:10]] == [book.balances(loan) for loan in loans[10:]]
    singles, batched = book.entries(loans[0]), book.entries(loans[10])
    assert [view.lines for view in singles] == [view.lines for view in batched]


def test_chunks_report_their_progress(book: Ledger) -> None:
    seen: list[tuple[int, int]] = []
    batch = book.batch(*[(loan, ACCRUAL) for loan in book.open_loans(5)])

    post_batch(book.engine, batch, actor="job", chunk=2, on_progress=lambda *counts: seen.append(counts))

    assert seen == [(2, 5), (4, 5), (5, 5)]


def test_a_batch_that_is_run_again_books_nothing(book: Ledger) -> None:
    batch = book.batch(*[(loan, ACCRUAL) for loan in book.loans])
    post(book, batch, chunk=2)

    with nothing_written(book):
        assert post(book, batch, chunk=2) == BatchResult(posted=0, posted_before=3)
        assert post(book, batch, chunk=1) == BatchResult(posted=0, posted_before=3)


@pytest.mark.parametrize("chunk_of_the_second_run", [1, 2, 3, 100])
def test_a_batch_that_was_killed_goes_on_where_it_stopped(book: Ledger, chunk_of_the_second_run: int) -> None:
    loans = book.open_loans(7)
    batch = book.batch(*[(loan, ACCRUAL) for loan in loans])
    with pytest.raises(Killed):
        post_batch(book.engine, batch, actor="job", chunk=3, on_progress=kill)
    booked = sum(len(book.entries(loan)) for loan in loans)
    assert booked in (3, 6), "a chunk is booked whole, and the one beside it too"

    result = post(book, batch, chunk=chunk_of_the_second_run)

    assert result == BatchResult(posted=7 - booked, posted_before=booked)
    assert [len(book.entries(loan)) for loan in loans] == [1] * 7
    assert {tuple(book.balances(loan).items()) for loan in loans} == {(("1220", 500),)}


def test_staging_is_empty_after_a_batch_and_after_a_refused_one(book: Ledger) -> None:
    staged = sa.text("SELECT count(*) FROM ledger.batch_staging")
    post(book, book.batch(*[(loan, FUNDING) for loan in book.loans]))
    assert book.read(lambda connection: connection.scalar(staged)) == 0

    with pytest.raises(BalanceWouldGoContra):
        post(book, book.batch((book.loan, ("CASH", "FEES_RECEIVABLE", 1)), key="bad"))
    batch = book.batch(*[(loan, ACCRUAL) for loan in book.loans], key="killed")
    with pytest.raises(Killed):
        post_batch(book.engine, batch, actor="job", chunk=1, on_progress=kill)

    assert book.read(lambda connection: connection.scalar(staged)) == 0


def test_other_amounts_under_the_same_key_are_refused_naming_the_subledger(book: Ledger) -> None:
    first, second, third = book.loans
    post(book, book.batch((first, ACCRUAL), (second, ACCRUAL)))
    more = ("INTEREST_RECEIVABLE", "INTEREST_INCOME", 501)

    with nothing_written(book), pytest.raises(BatchMismatch, match=f"subledger {second} has an entry"):
        post(book, book.batch((first, ACCRUAL), (second, more), (third, ACCRUAL)))


@pytest.mark.parametrize(
    "change",
    [
        {"template": "other"},
        {"template_version": 2},
        {"effective_date": date(2026, 1, 14)},
        {"narration": "other"},
        {"source_ref": "other"},
    ],
    ids=str,
)
def test_another_header_under_the_same_key_is_refused(book: Ledger, change: dict[str, object]) -> None:
    batch = book.batch((book.loan, ACCRUAL))
    post(book, batch)

    with nothing_written(book), pytest.raises(BatchMismatch, match="another header"):
        post(book, replace(batch, **change))  # type: ignore[arg-type]


def test_a_batch_that_goes_on_passes_over_no_entry_that_is_not_its_own(book: Ledger) -> None:
    first, second, _ = book.loans
    post(book, book.batch((first, ACCRUAL), key="taken"))
    book.post(second, ACCRUAL, key="taken")

    with nothing_written(book), pytest.raises(BatchMismatch, match=f"subledger {second} .*not of this batch"):
        post(book, book.batch((first, ACCRUAL), (second, ACCRUAL), key="taken"))


def test_a_key_that_a_single_entry_took_is_refused_naming_the_subledger(book: Ledger) -> None:
    book.post(book.loans[1], ACCRUAL, key="taken")

    with nothing_written(book), pytest.raises(BatchMismatch, match=f"subledger {book.loans[1]} "):
        post(book, book.batch(*[(loan, ACCRUAL) for loan in book.loans], key="taken"))


def test_chunks_before_the_one_that_is_refused_stay_booked(book: Ledger) -> None:
    loans = book.open_loans(6)
    rows = [(loan, ACCRUAL) for loan in loans]
    rows[4] = (loans[4], PAYMENT)

    with pytest.raises(BalanceWouldGoContra) as refused:
        post(book, book.batch(*rows), chunk=2)

    assert (refused.value.subledger_id, refused.value.account) == (loans[4], "1210")
    assert (refused.value.balance, refused.value.change) == (0, -10_000)
    assert [len(book.entries(loan)) for loan in loans] == [1, 1, 1, 1, 0, 0]


def test_a_subledger_that_takes_no_entry_stops_its_chunk_and_is_named(book: Ledger) -> None:
    first, second, third = book.loans
    rows = [(loan, ACCRUAL) for loan in book.loans]
    with nothing_written(book), pytest.raises(SubledgerUnknown) as unknown:
        post(book, book.batch(*rows, (999_999, ACCRUAL)))
    assert unknown.value.subledger_id == 999_999

    book.run(lambda uow: freeze_subledger(uow, second, frozen=True))
    with nothing_written(book), pytest.raises(SubledgerFrozen) as frozen:
        post(book, book.batch(*rows))
    assert frozen.value.subledger_id == second

    with book.database.connect(OWNER) as owner:
        owner.execute("UPDATE ledger.subledger SET closed_through = '2026-01-31' WHERE subledger_id = %s", [third])
    with nothing_written(book), pytest.raises(PeriodIsClosed) as closed:
        post(book, book.batch((first, ACCRUAL), (third, ACCRUAL)))
    assert (closed.value.booking_date, closed.value.closed_through) == (TODAY, date(2026, 1, 31))


def test_a_subledger_of_another_book_is_refused(book: Ledger) -> None:
    other = new_ledger(book.database, code="OTHER")

    with nothing_written(book), pytest.raises(BatchMismatch, match=f"subledger {other.loan} belongs to another"):
        post(book, book.batch((book.loan, ACCRUAL), (other.loan, ACCRUAL)))


def test_a_batch_for_a_book_that_is_not_there_is_refused(book: Ledger) -> None:
    with nothing_written(book), pytest.raises(BookUnknown):
        post(book, replace(book.batch((book.loan, ACCRUAL)), book_code="NONE"))


def test_accounts_that_take_no_postings_stop_the_batch(book: Ledger) -> None:
    def with_debit(code: str) -> Batch:
        row = replace(book.batch((book.loan, ACCRUAL)).rows[0], debit=AccountCode(code))
        return replace(book.batch(), rows=(row,))

    with nothing_written(book), pytest.raises(AccountUnknown):
        post(book, with_debit("7777"))
    with nothing_written(book), pytest.raises(AccountIsHeader):
        post(book, with_debit("1000"))
    with nothing_written(book), pytest.raises(MemorandumMixed):
        post(book, with_debit("9010"))
    book.run(lambda uow: close_account(uow, book.code, "1220", closed_from=TODAY))
    with nothing_written(book), pytest.raises(AccountClosed):
        post(book, with_debit("1220"))


@pytest.mark.parametrize("accounts", [("CASH", "INTEREST_INCOME"), ("INTEREST_RECEIVABLE", "INTEREST_INCOME")])
def test_a_loan_takes_a_batch_of_its_own_currency_only(book: Ledger, accounts: tuple[str, str]) -> None:
    row = book.batch((book.loan, (*accounts, 500))).rows[0]
    batch = replace(book.batch(), rows=(replace(row, money=Money(500, "EUR")),))

    with nothing_written(book), pytest.raises(CurrencyNotTaken) as refused:
        post(book, batch)

    assert (refused.value.currency, refused.value.expected) == ("EUR", "USD")


def test_a_balance_past_64_bits_stops_the_batch(book: Ledger) -> None:
    book.post(book.loan, ("LOAN_PRINCIPAL", "CASH", MAX_MINOR))

    with nothing_written(book), pytest.raises(AmountOutOfRange):
        post(book, book.batch((book.loan, ("LOAN_PRINCIPAL", "CASH", 1))))


def test_manual_journals_do_not_come_in_batches(book: Ledger) -> None:
    with nothing_written(book), pytest.raises(ApprovalMissing):
        post(book, book.batch((book.loan, ACCRUAL), template="manual_journal"))


def test_a_batch_of_no_rows_books_nothing(book: Ledger) -> None:
    with nothing_written(book):
        assert post(book, book.batch()) == BatchResult(0, 0)
        assert book.run(lambda uow: post_batch_within(uow, book.batch())) == BatchResult(0, 0)


def test_a_small_batch_joins_the_transaction_that_it_is_given(book: Ledger) -> None:
    batch = book.batch(*[(loan, ACCRUAL) for loan in book.loans])
    with nothing_written(book):
        assert book.run(lambda uow: post_batch_within(uow, batch), dry_run=True).posted == 3

    assert book.run(lambda uow: post_batch_within(uow, batch)) == BatchResult(3, 0)

    assert book.run(lambda uow: post_batch_within(uow, batch)) == BatchResult(0, 3)
    assert [len(book.entries(loan)) for loan in book.loans] == [1, 1, 1]


def test_several_batches_go_in_one_transaction(book: Ledger) -> None:
    accrual = book.batch(*[(loan, FUNDING) for loan in book.loans], key="fund")
    payment = book.batch(*[(loan, PAYMENT) for loan in book.loans], key="pay")

    book.run(lambda uow: (post_batch_within(uow, accrual), post_batch_within(uow, payment)))

    assert [book.balances(loan)["1210"] for loan in book.loans] == [90_000] * 3
