"""An entry that is empty, unbalanced or too large cannot be spelled; a reversal is its pairs swapped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from ledger.chart import AccountCode, Side
from ledger.errors import (
    AmountNotPositive,
    AmountOutOfRange,
    ApprovalMissing,
    EntryEmpty,
    EntryTooLong,
    ReversalOfReversal,
    SameAccountBothSides,
    TextRefused,
)
from ledger.journal import (
    MAX_POSTINGS,
    BookedEntry,
    EntryDraft,
    Line,
    Posting,
    SubledgerId,
    debited,
    lines_of,
    reversal_of,
)
from ledger.money import MAX_MINOR, Money


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def posting(debit: str, credit: str, text: str) -> Posting:
    return Posting(AccountCode(debit), AccountCode(credit), usd(text))


PAYMENT = (
    posting("cash_clearing", "interest_receivable", "101.92"),
    posting("cash_clearing", "loan_principal", "786.57"),
)


def draft(**changes: Any) -> EntryDraft:
    plain = EntryDraft(
        subledger_id=SubledgerId(7),
        template="payment_applied",
        template_version=1,
        effective_date=date(2026, 2, 15),
        actor="olga",
        request_key="payment:p1",
        postings=PAYMENT,
        narration="Payment p1",
    )
    return replace(plain, **changes)


def booked(**changes: Any) -> BookedEntry:
    return BookedEntry(
        draft=draft(**changes),
        entry_no=3,
        booking_date=date(2026, 2, 17),
        recorded_at=datetime(2026, 2, 17, 14, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize("text", ["0.00", "-0.01"])
def test_amount_of_a_posting_or_line_is_one_minor_unit_or_more(text: str) -> None:
    with pytest.raises(AmountNotPositive):
        posting("a", "b", text)
    with pytest.raises(AmountNotPositive):
        Line(AccountCode("a"), Side.DEBIT, usd(text))
    assert posting("a", "b", "0.01").money.minor == 1
    assert Line(AccountCode("a"), Side.DEBIT, usd("0.01")).money.minor == 1


def test_one_account_cannot_stand_on_both_sides() -> None:
    with pytest.raises(SameAccountBothSides, match="cash"):
        posting("cash", "cash", "1.00")


def test_entry_without_postings_is_refused() -> None:
    with pytest.raises(EntryEmpty):
        draft(postings=())


def test_entry_of_more_postings_than_its_header_can_count_is_refused() -> None:
    one = posting("a", "b", "0.01")

    assert len(draft(postings=(one,) * MAX_POSTINGS).postings) == 32_767
    with pytest.raises(EntryTooLong, match="32768"):
        draft(postings=(one,) * (MAX_POSTINGS + 1))


def test_entry_whose_debits_sum_past_64_bits_is_refused() -> None:
    largest = Posting(AccountCode("a"), AccountCode("b"), Money(MAX_MINOR, "USD"))
    one = posting("c", "d", "0.01")

    assert draft(postings=(largest,)).postings == (largest,)
    with pytest.raises(AmountOutOfRange):
        draft(postings=(largest, one))


def test_entry_may_hold_two_currencies_each_balanced_by_itself() -> None:
    yen = Posting(AccountCode("a"), AccountCode("b"), Money(5, "JPY"))

    assert debited(draft(postings=(*PAYMENT, yen)).postings) == {
        "USD": usd("888.49"),
        "JPY": Money(5, "JPY"),
    }


@pytest.mark.parametrize("field", ["template", "actor", "request_key"])
@pytest.mark.parametrize("text", ["", "  ", "a\x00b", chr(0xD800), chr(0xDFFF)])
def test_names_say_something_and_can_be_stored(field: str, text: str) -> None:
    with pytest.raises(TextRefused) as refusal:
        draft(**{field: text})

    assert refusal.value.field == field


@pytest.mark.parametrize("field", ["approved_by", "source_ref", "narration"])
def test_free_text_may_be_empty_but_must_be_storable(field: str) -> None:
    assert draft(**{field: ""}) != draft(**{field: None})
    with pytest.raises(TextRefused):
        draft(**{field: "a\x00b"})


def test_nobody_approves_their_own_entry() -> None:
    with pytest.raises(ApprovalMissing, match="olga"):
        draft(approved_by="olga")
    assert draft(approved_by="pete").approved_by == "pete"


def test_lines_are_drawn_as_an_accountant_does() -> None:
    assert [(line.side, line.account, str(line.money)) for line in lines_of(PAYMENT)] == [
        ("debit", "cash_clearing", "888.49 USD"),
        ("credit", "interest_receivable", "101.92 USD"),
        ("credit", "loan_principal", "786.57 USD"),
    ]


def test_an_account_on_both_sides_of_an_entry_keeps_both_lines() -> None:
    through = (posting("a", "clearing", "5.00"), posting("clearing", "b", "5.00"), posting("a", "b", "1.00"))

    assert [(line.side, line.account, line.money.format()) for line in lines_of(through)] == [
        ("debit", "a", "6.00"),
        ("debit", "clearing", "5.00"),
        ("credit", "clearing", "5.00"),
        ("credit", "b", "6.00"),
    ]


def test_reversal_swaps_the_pairs_in_the_same_order_at_the_original_effective_date() -> None:
    reversal = reversal_of(booked(), actor="pete", request_key="reverse:p1")

    assert reversal.postings == (
        posting("interest_receivable", "cash_clearing", "101.92"),
        posting("loan_principal", "cash_clearing", "786.57"),
    )
    assert reversal.effective_date == date(2026, 2, 15)
    assert reversal.booking_date is None
    assert (reversal.reverses_no, reversal.subledger_id) == (3, 7)
    assert (reversal.template, reversal.template_version) == ("reversal", 1)
    assert reversal.narration == "Reversal of entry 3"


def test_reversal_of_a_reversal_is_refused() -> None:
    with pytest.raises(ReversalOfReversal) as refusal:
        reversal_of(booked(reverses_no=2), actor="pete", request_key="reverse:p1")

    assert (refusal.value.subledger_id, refusal.value.entry_no) == (7, 3)
