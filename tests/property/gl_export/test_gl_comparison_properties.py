"""Whatever the GL did to what it was sent, the differences found of each account are how far the two are apart."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gl_export.gl_comparison import (
    AccountKey,
    Difference,
    SentBatch,
    SentLine,
    compare_balances,
    compare_detail,
    sent_sums,
)
from gl_export.gl_file import GLRow
from ledger.money import Money, Total

ACCOUNTS = ("1020", "1210", "4010")
FIRST = date(2026, 10, 1)
days = st.integers(0, 30).map(lambda number: FIRST + timedelta(days=number))
amounts = st.integers(-3, 3).filter(bool).map(lambda minor: Money(minor, "USD"))
lines = st.lists(st.tuples(days, st.sampled_from(ACCOUNTS), amounts), max_size=12)
references = st.one_of(st.none(), st.integers(1, 12).map(lambda number: f"M-1:{number}"), st.just("JE-1"))
rows = st.lists(st.tuples(days, st.sampled_from((*ACCOUNTS, "5200")), amounts, references), max_size=12)


def added(items: Iterable[tuple[str, Money]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for account, money in items:
        sums[account] = sums.get(account, 0) + money.minor
    return {account: minor for account, minor in sums.items() if minor}


def of(differences: Iterable[Difference]) -> dict[str, int]:
    return added((each.gl_account, each.amount) for each in differences)


@given(lines, rows, st.integers(0, 40))
def test_differences_of_detail_add_up(
    sent: list[tuple[date, str, Money]], found: list[tuple[date, str, Money, str | None]], window: int
) -> None:
    sent_lines = [
        SentLine(f"M-1-{day:%Y%m%d}-USD", "M-1", number, day, account, money)
        for number, (day, account, money) in enumerate(sent, start=1)
    ]
    gl_rows = [
        GLRow(number, account, money, day, reference)
        for number, (day, account, money, reference) in enumerate(found, start=2)
    ]

    differences = compare_detail(sent_lines, gl_rows, window_days=window, through=date(2026, 10, 31))

    both = [*((account, money) for _, account, money in sent), *((account, -money) for _, account, money, _ in found)]
    assert of(differences) == added(both)
    assert len({each.key for each in differences}) == len(differences)


@given(lines)
def test_what_is_there_as_it_was_sent_makes_no_difference(sent: list[tuple[date, str, Money]]) -> None:
    sent_lines = [
        SentLine(f"M-1-{day:%Y%m%d}-USD", "M-1", number, day, account, money)
        for number, (day, account, money) in enumerate(sent, start=1)
    ]
    gl_rows = [
        GLRow(number, account, money, day) for number, (day, account, money) in reversed(list(enumerate(sent, start=2)))
    ]

    assert compare_detail(sent_lines, gl_rows, window_days=0, through=date(2026, 10, 31)) == ()


balances = st.dictionaries(
    st.sampled_from(ACCOUNTS).map(lambda account: (account, "USD")),
    st.integers(-5, 5).map(lambda minor: Total(minor, "USD")),
)


@given(st.lists(balances, max_size=4), balances)
def test_differences_of_balances_add_up(sent: list[dict[AccountKey, Money]], found: dict[AccountKey, Money]) -> None:
    batches = [SentBatch(number, f"M-{number}", sums) for number, sums in enumerate(sent, start=1)]

    differences = compare_balances(batches, found)

    both = [
        *((key[0], money) for key, money in sent_sums(batches).items()),
        *((key[0], -money) for key, money in found.items()),
    ]
    assert of(differences) == added(both)
