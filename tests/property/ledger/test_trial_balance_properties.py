"""Whatever is posted, the trial balance agrees, its digest ignores order, and headers hold what is below."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st

from ledger.chart import AccountCode, AccountType, Side
from ledger.chart_file import parse_chart
from ledger.journal import Posting
from ledger.money import Money
from ledger.trial_balance import TrialBalanceRow, balance_sheet, income_statement, roll_up, trial_balance

CHART = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text("utf-8"))
ON_SHEET = [a.code for a in CHART.accounts if not a.header and a.type is not AccountType.OFF_BALANCE]
MEMORANDA = [a.code for a in CHART.accounts if not a.header and a.type is AccountType.OFF_BALANCE]
MONEY = st.builds(Money, st.integers(1, 10**12), st.sampled_from(["USD", "JPY"]))


def between(codes: list[AccountCode]) -> st.SearchStrategy[Posting]:
    pairs = st.lists(st.sampled_from(codes), min_size=2, max_size=2, unique=True)
    return st.builds(lambda pair, money: Posting(pair[0], pair[1], money), pairs, MONEY)


POSTINGS = st.lists(between(ON_SHEET) | between(MEMORANDA), max_size=30)


def rows_of(postings: list[Posting]) -> Iterator[TrialBalanceRow]:
    for posting in postings:
        nothing = Money.zero(posting.money.currency)
        yield TrialBalanceRow(CHART.account(posting.debit), posting.money, nothing)
        yield TrialBalanceRow(CHART.account(posting.credit), nothing, posting.money)


@given(POSTINGS)
def test_totals_agree_and_so_do_the_statements(postings: list[Posting]) -> None:
    balance = trial_balance(rows_of(postings))

    for totals in balance.totals:
        assert totals.debits == totals.credits
        assert totals.debit_balances == totals.credit_balances
        sheet = balance_sheet(balance, totals.currency)
        assert sheet.assets.total == sheet.liabilities_and_equity
        assert sheet.current_earnings == income_statement(balance, totals.currency).net_income
        assert sheet.off_balance.total.minor == 0


@given(POSTINGS, st.randoms())
def test_digest_does_not_know_the_order_of_the_rows(postings: list[Posting], random: object) -> None:
    rows = list(rows_of(postings))
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random

    assert trial_balance(rows).digest() == trial_balance(shuffled).digest()


@given(POSTINGS)
def test_the_top_headers_together_hold_everything(postings: list[Posting]) -> None:
    balance = trial_balance(rows_of(postings))

    for totals in balance.totals:
        top = [up.row for up in roll_up(balance, CHART) if up.depth == 0 and up.row.currency == totals.currency]
        assert Money.sum((row.debits for row in top), totals.currency) == totals.debits
        assert Money.sum((row.balance_on(Side.DEBIT) for row in top), totals.currency).minor == 0
