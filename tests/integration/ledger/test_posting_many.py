"""Many entries of one loan in one round trip: the same books as one by one, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.commands.posting import PostedEntry, post_entries
from ledger.commands.subledgers import freeze_subledger
from ledger.errors import (
    BalanceWouldGoContra,
    CurrencyNotTaken,
    DomainError,
    EntryAlreadyReversed,
    EntryUnknown,
    RequestKeyReused,
    ReversalNotExact,
    ReversalOfReversal,
    SubledgerFrozen,
)
from ledger.journal import EntryDraft
from tests.support.ledger_setup import ACCRUAL, FUNDING, PAYMENT, TODAY, Ledger, contents


def post(book: Ledger, drafts: Sequence[EntryDraft]) -> tuple[PostedEntry, ...]:
    return book.run(lambda uow: post_entries(uow, drafts))


def reversal(book: Ledger, entry_no: int, key: str) -> EntryDraft:
    (view,) = [view for view in book.entries(book.loan) if view.entry.entry_no == entry_no]
    swapped = tuple(posting.swapped for posting in view.entry.postings)
    return book.draft(book.loan, key=key, template="reversal", reverses_no=entry_no, postings=swapped)


def test_many_at_once_are_what_one_after_the_other_would_be(book: Ledger) -> None:
    entries = ([FUNDING, ACCRUAL], [PAYMENT], [ACCRUAL])
    drafts = [book.draft(book.loan, *moves, key=f"k{n}") for n, moves in enumerate(entries)]
    (other,) = book.open_loans(1)
    one_by_one = [book.post(other, *moves) for moves in entries]

    posted = post(book, drafts)

    assert [entry.entry_no for entry in posted] == [entry.entry_no for entry in one_by_one] == [1, 2, 3]
    assert {entry.booking_date for entry in posted} == {TODAY}
    assert book.balances(book.loan) == book.balances(other)
    assert [view.entry.draft for view in book.entries(book.loan)] == drafts
    assert book.findings() == ()


def test_what_is_undone_and_booked_again_is_linked_both_ways(book: Ledger) -> None:
    book.post(book.loan, FUNDING, ACCRUAL)
    book.post(book.loan, PAYMENT)

    right = (("CASH", "LOAN_PRINCIPAL", 9_500), ("CASH", "INTEREST_RECEIVABLE", 500))
    post(book, [reversal(book, 2, "undo"), book.draft(book.loan, *right, key="redo", corrects_no=2)])

    views = book.entries(book.loan)
    assert (views[1].reversed_by, views[2].entry.draft.reverses_no) == (3, 2)
    assert (views[1].corrected_by, views[3].entry.draft.corrects_no) == ((4,), 2)
    assert book.findings() == ()


def test_balances_are_held_against_what_all_of_them_come_to(book: Ledger) -> None:
    # The payment stands before the funding that it pays; together they owe 900.00.
    post(book, [book.draft(book.loan, PAYMENT, key="a"), book.draft(book.loan, FUNDING, key="b")])

    with pytest.raises(BalanceWouldGoContra):
        post(book, [book.draft(book.loan, PAYMENT, key=f"c{n}") for n in range(10)])


def refused(book: Ledger, error: type[DomainError], *drafts: EntryDraft) -> None:
    before = contents(book.database)
    with pytest.raises(error):
        post(book, drafts)
    assert contents(book.database) == before


def test_one_that_is_refused_refuses_all(book: Ledger) -> None:
    book.post(book.loan, FUNDING, ACCRUAL)
    book.post(book.loan, PAYMENT, key="first")
    book.reverse(book.loan, 2)
    good = book.draft(book.loan, ACCRUAL, key="good")

    refused(book, RequestKeyReused, good, book.draft(book.loan, PAYMENT, key="first"))
    refused(book, RequestKeyReused, good, good)
    refused(book, EntryAlreadyReversed, good, reversal(book, 2, "twice"))
    refused(book, EntryAlreadyReversed, reversal(book, 1, "one"), reversal(book, 1, "two"))
    refused(book, ReversalOfReversal, good, reversal(book, 3, "of a reversal"))
    refused(book, EntryUnknown, good, book.draft(book.loan, PAYMENT, key="what", reverses_no=99, template="reversal"))
    refused(book, EntryUnknown, good, book.draft(book.loan, PAYMENT, key="that", corrects_no=4))
    half = book.draft(book.loan, PAYMENT, key="half", reverses_no=1, template="reversal")
    refused(book, ReversalNotExact, good, half)
    refused(book, CurrencyNotTaken, good, book.draft(book.loan, PAYMENT, key="eur", currency="EUR"))


def test_a_head_that_takes_no_entry_takes_none_of_many(book: Ledger) -> None:
    drafts = [book.draft(book.loan, FUNDING, key="a"), book.draft(book.loan, ACCRUAL, key="b")]
    book.run(lambda uow: freeze_subledger(uow, book.loan, frozen=True))
    refused(book, SubledgerFrozen, *drafts)
