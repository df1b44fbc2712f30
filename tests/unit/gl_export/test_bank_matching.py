"""The ladder of matching, rung by rung: what is proposed, how sure, and why."""

from __future__ import annotations

from datetime import date

from gl_export.bank.matching import OpenItem, OpenLine, Proposal, propose, words_of
from ledger.money import Money

DAY = date(2026, 10, 5)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def line(no: int, amount: str, day: int = 6, text: str = "") -> OpenLine:
    return OpenLine(no, date(2026, 10, day), usd(amount), words_of(text))


def item(key: str, amount: str, day: int = 5, role: str = "ACH_CLEARING", text: str = "") -> OpenItem:
    return OpenItem(key, role, date(2026, 10, day), usd(amount), words_of(text))


def told(proposals: tuple[Proposal, ...]) -> list[tuple[list[int], list[str], str, int]]:
    return [
        ([each.line_no for each in found.lines], [each.key for each in found.items], found.rule, found.score)
        for found in proposals
    ]


def test_a_reference_with_the_amount_comes_first_however_far_the_days_are_apart() -> None:
    lines = [line(1, "100.00", 28, "wire pay-0007"), line(2, "100.00", 6)]

    found = propose(lines, [item("a", "100.00", text="PAY-0007"), item("b", "100.00")])

    assert told(found) == [([1], ["a"], "reference", 100), ([2], ["b"], "amount", 88)]
    assert found[0].why == "both bear PAY-0007, and the amount is the same"


def test_a_reference_with_another_amount_is_none() -> None:
    assert propose([line(1, "99.00", text="PAY-0007")], [item("a", "100.00", text="PAY-0007")]) == ()


def test_of_equal_amounts_none_is_sure() -> None:
    found = propose([line(1, "100.00")], [item("a", "100.00", 5), item("b", "100.00", 3)])

    assert told(found) == [([1], ["a"], "amount", 50)]
    assert "1 others fit as well" in found[0].why


def test_what_is_too_far_apart_is_not_proposed() -> None:
    assert propose([line(1, "100.00", 16)], [item("a", "100.00", 5)]) == ()
    assert propose([line(1, "100.00", 15)], [item("a", "100.00", 5)]) != ()
    assert propose([line(1, "100.00", 5)], [item("a", "100.00", 8)]) == ()


def test_a_deposit_is_all_that_came_over_a_rail_on_a_day() -> None:
    items = [item("a", "10.00"), item("b", "20.00"), item("c", "-5.00"), item("d", "7.00", role="CHECK_CLEARING")]

    assert told(propose([line(1, "30.00")], items)) == [([1], ["a", "b"], "deposit", 85)]
    assert told(propose([line(1, "25.00")], items)) == [([1], ["a", "b", "c"], "deposit", 85)]


def test_a_weekend_comes_in_one_line() -> None:
    items = [item("a", "10.00", 2), item("b", "20.00", 3), item("c", "40.00", 4)]

    found = propose([line(1, "70.00", 5)], items)

    assert told(found) == [([1], ["a", "b", "c"], "deposit of days", 75)]
    assert found[0].why == "all 3 items of ACH_CLEARING from 2026-10-02 to 2026-10-04 make the amount"


def test_a_few_items_are_proposed_where_no_others_make_the_amount() -> None:
    items = [item("a", "10.00", 2), item("b", "20.00", 3), item("c", "41.00", 4)]

    assert told(propose([line(1, "51.00", 5)], items)) == [([1], ["a", "c"], "few items", 65)]
    assert propose([line(1, "51.00", 5)], [*items, item("d", "31.00", 4)]) == ()


def test_a_few_lines_settle_one_item() -> None:
    found = propose([line(1, "60.00"), line(2, "-10.00"), line(3, "9.00")], [item("a", "50.00")])

    assert told(found) == [([1, 2], ["a"], "few lines", 65)]


def test_words_are_references_only_with_a_digit() -> None:
    assert words_of("ACH credit PAY-0007", "1001/22 x1") == {"PAY-0007", "1001/22"}
