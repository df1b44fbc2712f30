"""Lines become pairs, or are refused with both totals and the difference."""

from __future__ import annotations

import pytest

from ledger.chart import AccountCode, Side
from ledger.errors import AmountOutOfRange, EntryEmpty, EntryUnbalanced
from ledger.journal import Line, Posting
from ledger.money import MAX_MINOR, Money
from ledger.pairing import pair


def dr(account: str, text: str, currency: str = "USD") -> Line:
    return Line(AccountCode(account), Side.DEBIT, Money.parse(text, currency))


def cr(account: str, text: str, currency: str = "USD") -> Line:
    return Line(AccountCode(account), Side.CREDIT, Money.parse(text, currency))


def drawn(postings: tuple[Posting, ...]) -> list[str]:
    return [f"{posting.debit} {posting.credit} {posting.money}" for posting in postings]


def test_one_debit_against_many_credits_gives_one_posting_for_each() -> None:
    lines = [dr("cash", "888.49"), cr("interest", "101.92"), cr("principal", "786.57")]

    assert drawn(pair(lines)) == ["cash interest 101.92 USD", "cash principal 786.57 USD"]


def test_many_debits_against_many_credits_are_walked_side_by_side_in_the_given_order() -> None:
    lines = [cr("x", "5"), dr("a", "3"), dr("b", "4"), cr("y", "2")]

    assert drawn(pair(lines)) == ["a x 3.00 USD", "b x 2.00 USD", "b y 2.00 USD"]


def test_an_account_on_both_sides_is_netted_first() -> None:
    lines = [dr("a", "5"), dr("b", "2"), cr("a", "3"), cr("c", "4")]

    assert drawn(pair(lines)) == ["a c 2.00 USD", "b c 2.00 USD"]


def test_an_account_that_nets_to_nothing_drops_out() -> None:
    lines = [dr("b", "2"), cr("b", "2"), dr("a", "5"), cr("c", "5")]

    assert drawn(pair(lines)) == ["a c 5.00 USD"]


def test_currencies_are_paired_apart_in_order_of_first_appearance() -> None:
    lines = [dr("a", "5", "JPY"), dr("a", "5"), cr("b", "5"), cr("b", "5", "JPY")]

    assert drawn(pair(lines)) == ["a b 5 JPY", "a b 5.00 USD"]


def test_an_entry_that_is_off_by_a_cent_is_refused_with_both_totals_and_the_difference() -> None:
    with pytest.raises(EntryUnbalanced) as refusal:
        pair([dr("cash", "100.01"), cr("interest", "100.00")])

    assert (refusal.value.debits, refusal.value.credits, refusal.value.difference) == (10_001, 10_000, 1)
    assert str(refusal.value) == ("debits - credits should be 0.00 USD but is 0.01: debits 100.01, credits 100.00")


def test_two_currencies_do_not_balance_each_other() -> None:
    with pytest.raises(EntryUnbalanced) as refusal:
        pair([dr("a", "100"), cr("b", "100", "EUR")])

    assert refusal.value.currency == "USD"


@pytest.mark.parametrize("lines", [[], [dr("a", "5"), cr("a", "5")], [dr("a", "2"), dr("a", "3"), cr("a", "5")]])
def test_an_entry_that_nets_to_nothing_is_refused(lines: list[Line]) -> None:
    with pytest.raises(EntryEmpty):
        pair(lines)


def test_totals_past_64_bits_are_refused() -> None:
    largest = Money(MAX_MINOR, "USD")
    lines = [
        Line(AccountCode(account), side, largest)
        for account, side in zip("abcd", [Side.DEBIT, Side.DEBIT, Side.CREDIT, Side.CREDIT], strict=True)
    ]

    with pytest.raises(AmountOutOfRange):
        pair(lines)
