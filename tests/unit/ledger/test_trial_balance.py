"""The trial balance agrees or is refused; the statements are read off it and agree too."""

from __future__ import annotations

import hashlib

import pytest

from ledger.chart import Chart, Side
from ledger.chart_file import parse_chart
from ledger.errors import (
    AccountUnknown,
    BalanceSheetUnequal,
    CurrencyMismatch,
    TrialBalanceUnequal,
)
from ledger.money import MAX_MINOR, Money, Total
from ledger.trial_balance import (
    TrialBalanceRow,
    balance_sheet,
    income_statement,
    roll_up,
    trial_balance,
)

CHART = parse_chart(
    """
    name = "small"
    accounts = [
        { code = "1000", name = "Assets", type = "asset", header = true },
        { code = "1010", name = "Cash", type = "asset", parent = "1000" },
        { code = "1200", name = "Loans", type = "asset", parent = "1000", header = true },
        { code = "1210", name = "Principal", type = "asset", parent = "1200" },
        { code = "1290", name = "Allowance", type = "asset", normal_side = "credit", parent = "1200" },
        { code = "2010", name = "Unapplied", type = "liability" },
        { code = "3010", name = "Capital", type = "equity" },
        { code = "4010", name = "Interest income", type = "income" },
        { code = "5010", name = "Provision", type = "expense" },
        { code = "9010", name = "Claims", type = "off_balance" },
        { code = "9015", name = "Claims contra", type = "off_balance", normal_side = "credit" },
    ]
    """
)


def row(code: str, debits: str, credits: str, currency: str = "USD", chart: Chart = CHART) -> TrialBalanceRow:
    return TrialBalanceRow(chart.account(code), Money.parse(debits, currency), Money.parse(credits, currency))


# Capital 1000 paid in; 600 lent; 150 come back, of which 30 is interest and 20 unapplied (25 less 5 moved on
# and back); 25 provided for; a claim of 40 kept as a memorandum.
BOOKS = (
    row("1010", "1150.00", "600.00"),
    row("1210", "600.00", "100.00"),
    row("1290", "0.00", "25.00"),
    row("2010", "5.00", "25.00"),
    row("3010", "0.00", "1000.00"),
    row("4010", "0.00", "30.00"),
    row("5010", "25.00", "0.00"),
    row("9010", "40.00", "0.00"),
    row("9015", "0.00", "40.00"),
)


def test_columns_and_totals_agree() -> None:
    balance = trial_balance(BOOKS)
    (totals,) = balance.totals

    assert [(r.account.code, r.debit_balance.format(), r.credit_balance.format()) for r in balance.rows] == [
        ("1010", "550.00", "0.00"),
        ("1210", "500.00", "0.00"),
        ("1290", "0.00", "25.00"),
        ("2010", "0.00", "20.00"),
        ("3010", "0.00", "1000.00"),
        ("4010", "0.00", "30.00"),
        ("5010", "25.00", "0.00"),
        ("9010", "40.00", "0.00"),
        ("9015", "0.00", "40.00"),
    ]
    assert (totals.debits.format(), totals.credits.format()) == ("1820.00", "1820.00")
    assert (totals.debit_balances.format(), totals.credit_balances.format()) == ("1115.00", "1115.00")


def test_a_cent_too_many_is_refused_with_both_totals() -> None:
    with pytest.raises(TrialBalanceUnequal) as refusal:
        trial_balance([row("1010", "100.01", "0.00"), row("3010", "0.00", "100.00")])

    assert (refusal.value.debits, refusal.value.credits, refusal.value.difference) == (10_001, 10_000, 1)


def test_each_currency_agrees_by_itself() -> None:
    both = trial_balance(
        [
            row("1010", "100", "0", "JPY"),
            row("3010", "0", "100", "JPY"),
            row("1010", "1", "0"),
            row("3010", "0", "1"),
        ]
    )

    assert both.currencies == ("JPY", "USD")
    assert [(r.account.code, r.currency) for r in both.rows] == [
        ("1010", "JPY"),
        ("1010", "USD"),
        ("3010", "JPY"),
        ("3010", "USD"),
    ]
    with pytest.raises(TrialBalanceUnequal):
        trial_balance([row("1010", "100", "0"), row("3010", "0", "100", "EUR")])
    with pytest.raises(CurrencyMismatch):
        TrialBalanceRow(CHART.account("1010"), Money(1, "USD"), Money(1, "EUR"))


def test_rows_of_one_account_are_added_up_whatever_their_order() -> None:
    in_parts = [row("3010", "0", "60"), row("1010", "100", "0"), row("3010", "0", "40")]

    assert trial_balance(in_parts) == trial_balance([row("1010", "100", "0"), row("3010", "0", "100")])


def test_totals_past_64_bits_are_exact() -> None:
    largest, nothing = Money(MAX_MINOR, "USD"), Money.zero("USD")

    balance = trial_balance(
        [
            TrialBalanceRow(CHART.account("1010"), largest, nothing),
            TrialBalanceRow(CHART.account("1210"), largest, nothing),
            TrialBalanceRow(CHART.account("3010"), nothing, Total(2 * MAX_MINOR, "USD")),
        ]
    )

    assert [totals.debits.minor for totals in balance.totals] == [2 * MAX_MINOR]
    assert balance.totals[0].debits.format() == "184467440737095516.14"


def test_a_header_shows_the_sum_of_everything_below_it() -> None:
    rolled = {
        str(up.row.account.code): (up.depth, up.row.balance_on(Side.DEBIT).format())
        for up in roll_up(trial_balance(BOOKS), CHART)
    }

    assert rolled["1000"] == (0, "1025.00")
    assert rolled["1200"] == (1, "475.00")
    assert rolled["1290"] == (2, "-25.00")
    assert list(rolled)[:5] == ["1000", "1010", "1200", "1210", "1290"]


def test_roll_up_by_a_chart_without_the_account_is_refused() -> None:
    with pytest.raises(AccountUnknown):
        roll_up(trial_balance(BOOKS), Chart("empty", ()))


def test_income_statement_gives_net_income() -> None:
    statement = income_statement(trial_balance(BOOKS), "USD")

    assert statement.income.total.format() == "30.00"
    assert statement.expenses.total.format() == "25.00"
    assert statement.net_income.format() == "5.00"


def test_balance_sheet_takes_current_earnings_into_equity_and_keeps_memoranda_apart() -> None:
    sheet = balance_sheet(trial_balance(BOOKS), "USD")

    assert [(account.code, amount.format()) for account, amount in sheet.assets.lines] == [
        ("1010", "550.00"),
        ("1210", "500.00"),
        ("1290", "-25.00"),
    ]
    assert sheet.assets.total.format() == "1025.00"
    assert sheet.liabilities.total.format() == "20.00"
    assert (sheet.current_earnings.format(), sheet.total_equity.format()) == ("5.00", "1005.00")
    assert sheet.liabilities_and_equity == sheet.assets.total
    assert [amount.format() for _, amount in sheet.off_balance.lines] == ["40.00", "-40.00"]
    assert sheet.off_balance.total.minor == 0


def test_a_memorandum_booked_against_the_balance_sheet_is_found() -> None:
    mixed = trial_balance([row("9010", "40.00", "0.00"), row("4010", "0.00", "40.00")])

    with pytest.raises(BalanceSheetUnequal) as refusal:
        balance_sheet(mixed, "USD")

    assert (refusal.value.assets, refusal.value.claims, refusal.value.difference) == (0, 4_000, -4_000)


def test_a_currency_without_entries_has_empty_statements() -> None:
    sheet = balance_sheet(trial_balance(BOOKS), "EUR")

    assert (sheet.assets.lines, sheet.assets.total) == ((), Money.zero("EUR"))


def test_digest_is_that_of_the_documented_text() -> None:
    balance = trial_balance([row("3010", "0.00", "1.00"), row("1010", "1.00", "0.00"), row("2010", "0.00", "0.00")])
    text = "trial balance 1\n1010\tUSD\t100\t0\n3010\tUSD\t0\t100\n"

    assert balance.canonical_text() == text
    assert balance.digest() == hashlib.sha256(text.encode()).digest()
    assert balance.digest() != trial_balance([row("3010", "0", "1.01"), row("1010", "1.01", "0")]).digest()
