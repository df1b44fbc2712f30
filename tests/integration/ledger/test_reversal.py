"""Reversing an entry: whole, once, by its pairs swapped, linked both ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ledger.commands.subledgers import freeze_subledger
from ledger.errors import (
    BalanceWouldGoContra,
    EntryAlreadyReversed,
    EntryUnknown,
    RequestKeyReused,
    ReversalNotExact,
    ReversalOfReversal,
    SubledgerFrozen,
)
from ledger.journal import reversal_of
from tests.support.ledger_setup import ACCRUAL, FUNDING, OWN_MONEY, PAYMENT, TODAY, Ledger, contents


def test_a_reversal_is_equal_opposite_and_linked_both_ways(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    book.post(book.loan, PAYMENT, ("CASH", "UNAPPLIED_PAYMENTS", 300), effective_date=date(2026, 1, 10))
    book.advance(date(2026, 1, 20))

    posted = book.reverse(book.loan, 2, narration="Returned: R01")

    _, original, reversal = book.entries(book.loan)
    assert (posted.entry_no, posted.booking_date) == (3, date(2026, 1, 20))
    assert [p.swapped for p in reversal.entry.postings] == list(original.entry.postings)
    assert (original.reversed_by, reversal.entry.draft.reverses_no) == (3, 2)
    assert reversal.entry.draft.effective_date == date(2026, 1, 10)
    assert (reversal.entry.draft.template, reversal.entry.draft.narration) == ("reversal", "Returned: R01")


def test_a_payment_and_its_reversal_leave_every_balance_as_if_neither_had_been(book: Ledger) -> None:
    book.post(book.loan, FUNDING, ACCRUAL)
    balances, trial = book.balances(book.loan), book.trial(TODAY)
    payment = book.post(
        book.loan,
        ("CASH", "INTEREST_RECEIVABLE", 500),
        ("CASH", "LOAN_PRINCIPAL", 90_000),
        ("CASH", "UNAPPLIED_PAYMENTS", 1),
    )

    book.reverse(book.loan, payment.entry_no)

    assert book.balances(book.loan) == {**balances, "2010": 0}
    assert book.trial(TODAY) == {**trial, "1020": 0, "2010": 0}


def test_a_reversal_may_have_an_effective_date_and_an_approved_booking_date_of_its_own(book: Ledger) -> None:
    book.post(book.loan, FUNDING)

    book.reverse(
        book.loan,
        1,
        effective_date=date(2026, 1, 12),
        booking_date=date(2026, 1, 14),
        approved_by="boss",
        source_ref="nacha:7",
        group_id=3,
        details={"code": "R01"},
    )

    reversal = book.entries(book.loan)[1].entry
    draft = reversal.draft
    assert (draft.effective_date, reversal.booking_date) == (date(2026, 1, 12), date(2026, 1, 14))
    assert (draft.approved_by, draft.source_ref, draft.group_id) == ("boss", "nacha:7", 3)
    assert draft.details == {"code": "R01"}


def test_an_entry_in_several_currencies_is_reversed_whole(book: Ledger) -> None:
    euros = book.postings(OWN_MONEY, currency="EUR")
    book.post(book.own, postings=book.postings(OWN_MONEY) + euros)

    book.reverse(book.own, 1)

    assert set(book.trial(TODAY).values()) == {0}


def test_an_entry_is_reversed_once(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    book.reverse(book.loan, 1)
    before = contents(book.database)

    with pytest.raises(EntryAlreadyReversed) as refused:
        book.reverse(book.loan, 1)

    assert refused.value.figures == {"subledger_id": book.loan, "entry_no": 1, "reversed_by": 2}
    assert contents(book.database) == before


def test_the_same_reversal_asked_for_again_is_answered_with_the_first(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    first = book.reverse(book.loan, 1, key="return 1")

    assert book.reverse(book.loan, 1, key="return 1") == replace(first, replayed=True)
    with pytest.raises(RequestKeyReused):
        book.reverse(book.loan, 1, key="return 1", narration="another")


def test_a_reversal_is_never_reversed(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    book.reverse(book.loan, 1)

    with pytest.raises(ReversalOfReversal) as refused:
        book.reverse(book.loan, 2)

    assert (refused.value.subledger_id, refused.value.entry_no) == (book.loan, 2)


def test_the_database_refuses_the_reversal_of_a_reversal_by_itself(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    book.reverse(book.loan, 1)

    with pytest.raises(ReversalOfReversal):
        book.post(book.loan, FUNDING, reverses_no=2)


@pytest.mark.parametrize(
    "postings",
    [
        (("DISBURSEMENTS_PAYABLE", "LOAN_PRINCIPAL", 99_999), ("INTEREST_INCOME", "INTEREST_RECEIVABLE", 500)),
        (("DISBURSEMENTS_PAYABLE", "LOAN_PRINCIPAL", 100_000),),
        (("INTEREST_INCOME", "INTEREST_RECEIVABLE", 500), ("DISBURSEMENTS_PAYABLE", "LOAN_PRINCIPAL", 100_000)),
        (("DISBURSEMENTS_PAYABLE", "LOAN_PRINCIPAL", 100_000), ("LATE_FEE_INCOME", "INTEREST_RECEIVABLE", 500)),
    ],
    ids=["other amount", "part of it", "other order", "other account"],
)
def test_a_reversal_that_is_not_the_pairs_swapped_is_refused(book: Ledger, postings: Any) -> None:
    book.post(book.loan, FUNDING, ACCRUAL)

    with pytest.raises(ReversalNotExact) as refused:
        book.post(book.loan, *postings, reverses_no=1)

    assert (refused.value.subledger_id, refused.value.entry_no) == (book.loan, 1)


@pytest.mark.parametrize("number", [-1, 0, 2, 3, 2**31 - 1])
def test_an_entry_that_is_not_there_cannot_be_reversed(book: Ledger, number: int) -> None:
    book.post(book.loan, FUNDING)
    book.post(book.loans[1], FUNDING)
    book.post(book.loans[1], FUNDING)

    with pytest.raises(EntryUnknown) as refused:
        book.reverse(book.loan, number)
    with pytest.raises(EntryUnknown):
        book.post(book.loan, ("DISBURSEMENTS_PAYABLE", "LOAN_PRINCIPAL", 100_000), reverses_no=number)

    assert (refused.value.subledger_id, refused.value.entry_no) == (book.loan, number)


def test_a_reversal_that_would_turn_a_balance_to_the_other_side_is_refused_with_figures(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    book.post(book.loan, PAYMENT)

    with pytest.raises(BalanceWouldGoContra) as refused:
        book.reverse(book.loan, 1)

    assert (refused.value.account, refused.value.balance, refused.value.change) == ("1210", 90_000, -100_000)


def test_a_frozen_subledger_takes_no_reversal_either(book: Ledger) -> None:
    book.post(book.loan, FUNDING)
    book.run(lambda uow: freeze_subledger(uow, book.loan, frozen=True))

    with pytest.raises(SubledgerFrozen):
        book.reverse(book.loan, 1)

    book.run(lambda uow: freeze_subledger(uow, book.loan, frozen=False))
    assert book.reverse(book.loan, 1).entry_no == 2


def test_what_a_reversal_undid_can_be_booked_right_and_linked_as_the_correction(book: Ledger) -> None:
    book.post(book.loan, ("LOAN_PRINCIPAL", "DISBURSEMENTS_PAYABLE", 10_000))
    book.reverse(book.loan, 1)

    book.post(book.loan, FUNDING, corrects_no=1)

    original, _, correction = book.entries(book.loan)
    assert (original.reversed_by, original.corrected_by) == (2, (3,))
    assert correction.entry.draft.corrects_no == 1


def test_the_pure_reversal_and_the_booked_one_are_the_same(book: Ledger) -> None:
    book.post(book.loan, FUNDING, ACCRUAL, group_id=9, details={"a": 1})
    original = book.entries(book.loan)[0].entry
    drafted = reversal_of(original, actor="teller", request_key="r")

    book.reverse(book.loan, 1, key="r")

    assert book.entries(book.loan)[1].entry.draft == drafted
