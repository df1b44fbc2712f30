"""Whatever stands open: nothing is proposed twice, and both sides of a proposal are equal to the cent."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gl_export.bank.matching import OpenItem, OpenLine, propose
from ledger.money import Money

FIRST = date(2026, 10, 1)
days = st.integers(0, 14).map(lambda number: FIRST + timedelta(days=number))
amounts = st.integers(-6, 6).filter(bool)
currencies = st.sampled_from(("USD", "JPY"))
words = st.sets(st.sampled_from(("PAY-1", "PAY-2", "PAY-3")), max_size=2).map(frozenset)
raw_lines = st.lists(st.tuples(days, amounts, currencies, words), max_size=8)
raw_items = st.lists(st.tuples(days, amounts, currencies, words, st.sampled_from(("ACH", "CHECK"))), max_size=12)


@given(raw_lines, raw_items)
def test_each_is_in_one_proposal_and_both_sides_are_equal(
    lines: list[tuple[date, int, str, frozenset[str]]], items: list[tuple[date, int, str, frozenset[str], str]]
) -> None:
    open_lines = [
        OpenLine(no, day, Money(minor, code), names) for no, (day, minor, code, names) in enumerate(lines, start=1)
    ]
    open_items = [
        OpenItem(f"i{no}", role, day, Money(minor, code), names)
        for no, (day, minor, code, names, role) in enumerate(items, start=1)
    ]

    found = propose(open_lines, open_items)

    used = Counter(each.line_no for proposal in found for each in proposal.lines)
    used_items = Counter(each.key for proposal in found for each in proposal.items)
    assert set(used.values()) <= {1}
    assert set(used_items.values()) <= {1}
    for proposal in found:
        of_lines = Counter[str]()
        for line in proposal.lines:
            of_lines[line.amount.currency] += line.amount.minor
        for item in proposal.items:
            of_lines[item.amount.currency] -= item.amount.minor
        assert not any(of_lines.values())
        assert 0 < proposal.score <= 100
    assert found == propose(list(reversed(open_lines)), list(reversed(open_items)))
