"""What is true of every entry: it balances, pairs and lines say the same, and its reversal undoes it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.chart import AccountCode, Side
from ledger.errors import EntryEmpty, EntryUnbalanced
from ledger.fingerprint import canonical_text, difference, fingerprint
from ledger.journal import BookedEntry, EntryDraft, Line, Posting, SubledgerId, lines_of, reversal_of
from ledger.money import Money
from ledger.pairing import pair

ACCOUNTS = st.sampled_from([AccountCode(code) for code in "abcdef"])
MONEY = st.builds(Money, st.integers(1, 10**12), st.sampled_from(["USD", "EUR", "JPY"]))
POSTINGS = st.lists(
    st.tuples(ACCOUNTS, ACCOUNTS, MONEY).filter(lambda drawn: drawn[0] != drawn[1]).map(lambda t: Posting(*t)),
    min_size=1,
    max_size=12,
).map(tuple)
LINES = st.lists(st.builds(Line, ACCOUNTS, st.sampled_from(Side), MONEY), max_size=12)


def net(lines: Iterable[Line]) -> Counter[tuple[str, str]]:
    """Return debits less credits by account and currency, without those that are zero."""
    sums: Counter[tuple[str, str]] = Counter()
    for line in lines:
        sign = 1 if line.side is Side.DEBIT else -1
        sums[line.account, line.money.currency] += sign * line.money.minor
    return Counter({key: minor for key, minor in sums.items() if minor})


def balanced(lines: list[Line]) -> list[Line]:
    """Add a line of a further account for each currency that is off."""
    off: Counter[str] = Counter()
    for (_, currency), minor in net(lines).items():
        off[currency] += minor
    return lines + [
        Line(AccountCode("z"), Side.CREDIT if minor > 0 else Side.DEBIT, Money(abs(minor), currency))
        for currency, minor in off.items()
        if minor
    ]


def draft_of(postings: tuple[Posting, ...], details: dict[str, Any] | None = None) -> EntryDraft:
    return EntryDraft(
        subledger_id=SubledgerId(1),
        template="t",
        template_version=1,
        effective_date=date(2026, 1, 1),
        actor="olga",
        request_key="k",
        postings=postings,
        details=details,
    )


@given(POSTINGS)
def test_every_entry_balances_in_every_currency(postings: tuple[Posting, ...]) -> None:
    sums: Counter[str] = Counter()
    for (_, currency), minor in net(lines_of(postings)).items():
        sums[currency] += minor

    assert not any(sums.values())


@given(POSTINGS)
def test_an_account_is_drawn_once_per_side_and_currency_debits_first(postings: tuple[Posting, ...]) -> None:
    lines = lines_of(postings)
    keys = [(line.side, line.account, line.money.currency) for line in lines]

    assert len(set(keys)) == len(keys)
    assert [line.side for line in lines] == sorted((line.side for line in lines), reverse=True)


@given(LINES)
def test_pairs_net_back_to_the_lines_they_came_from(lines: list[Line]) -> None:
    lines = balanced(lines)
    assume(net(lines))

    postings = pair(lines)

    assert net(lines_of(postings)) == net(lines)
    for currency in {line.money.currency for line in lines}:
        sides = Counter(minor > 0 for (_, of), minor in net(lines).items() if of == currency)
        count = sum(posting.money.currency == currency for posting in postings)
        assert count <= max(sides[True] + sides[False] - 1, 0)


@given(LINES)
def test_pairing_is_the_same_every_time_and_leaves_no_account_on_two_sides(lines: list[Line]) -> None:
    lines = balanced(lines)
    assume(net(lines))

    postings = pair(lines)
    debited = {(posting.debit, posting.money.currency) for posting in postings}
    credited = {(posting.credit, posting.money.currency) for posting in postings}

    assert not debited & credited
    assert pair(lines) == postings
    assert pair(lines_of(postings)) == pair(pair_lines(postings))


def pair_lines(postings: tuple[Posting, ...]) -> list[Line]:
    """Return every posting as its two lines, debits first."""
    debits = [Line(posting.debit, Side.DEBIT, posting.money) for posting in postings]
    return debits + [Line(posting.credit, Side.CREDIT, posting.money) for posting in postings]


@given(LINES)
def test_lines_are_refused_exactly_when_they_do_not_balance_or_net_to_nothing(lines: list[Line]) -> None:
    off: Counter[str] = Counter()
    for (_, currency), minor in net(lines).items():
        off[currency] += minor
    if any(off.values()):
        with pytest.raises(EntryUnbalanced) as refusal:
            pair(lines)
        assert refusal.value.difference == off[refusal.value.currency] != 0
        assert refusal.value.debits - refusal.value.credits == refusal.value.difference
    elif not net(lines):
        with pytest.raises(EntryEmpty):
            pair(lines)


@given(POSTINGS)
def test_an_entry_and_its_reversal_net_to_nothing(postings: tuple[Posting, ...]) -> None:
    entry = BookedEntry(
        draft=draft_of(postings),
        entry_no=1,
        booking_date=date(2026, 1, 2),
        recorded_at=datetime(2026, 1, 2, tzinfo=UTC),
    )

    reversal = reversal_of(entry, actor="pete", request_key="r")

    assert not net((*lines_of(postings), *lines_of(reversal.postings)))
    assert tuple(posting.swapped for posting in reversal.postings) == postings


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def comparable(value: Any) -> Any:
    """Return a value under which 1, True and the text 1 are three, and 1.0 and 1.00 are one."""
    match value:
        case bool() | None | str():
            return (type(value).__name__, value)
        case int() | Decimal():
            return ("number", value)
        case dict():
            return ("table", {key: comparable(item) for key, item in value.items()})
        case _:
            return ("list", [comparable(item) for item in value])


@given(JSON, JSON)
def test_values_have_one_text_exactly_when_they_are_equal(left: Any, right: Any) -> None:
    assert (canonical_text(left) == canonical_text(right)) == (comparable(left) == comparable(right))


@given(st.dictionaries(TEXTS, JSON, max_size=4), st.randoms())
def test_the_order_of_keys_never_changes_a_fingerprint(details: dict[str, Any], random: Any) -> None:
    shuffled = list(details.items())
    random.shuffle(shuffled)
    plain = draft_of((Posting(AccountCode("a"), AccountCode("b"), Money(1, "USD")),), details)
    given_again = replace(plain, details=dict(shuffled))

    assert fingerprint(given_again) == fingerprint(plain)
    assert difference(plain, given_again) is None
    assert json.loads(canonical_text(details))
