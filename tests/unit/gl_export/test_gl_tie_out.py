"""Three books, laid side by side: what agrees, what is on its way, what is a break."""

from __future__ import annotations

import pytest

from gl_export.errors import TieOutBroken
from gl_export.matching import Verdict, match
from gl_export.tie_out import TieOut, tie_out
from ledger.chart import AccountCode, AccountDefinition, AccountType, Side
from ledger.money import Money

ACCOUNTS = {
    code: AccountDefinition(
        AccountCode(code), f"a{code}", code, AccountType.ASSET, Side.DEBIT, subledgered=code == "1210"
    )
    for code in ("1020", "1210")
}


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def books(
    *, control: str = "100.00", subledger: str = "100.00", exported: str = "100.00", pending: str = "0"
) -> TieOut:
    key = ("1210", "USD")
    return tie_out(
        ACCOUNTS,
        control={key: usd(control), ("1020", "USD"): usd("-100.00")},
        subledger={key: usd(subledger)},
        exported={key: usd(exported), ("1020", "USD"): usd("-100.00")},
        pending={key: usd(pending)} if usd(pending) else {},
    )


def test_books_that_agree_have_no_break() -> None:
    found = books()

    found.prove()
    assert [row.verdict for row in found.rows] == [Verdict.AGREED, Verdict.AGREED]
    assert [row.subledger is None for row in found.rows] == [True, False]


def test_one_cent_between_loans_and_control_account_is_a_break_with_both_figures() -> None:
    with pytest.raises(TieOutBroken) as refusal:
        books(subledger="99.99").prove()

    assert "1210, subledgers 99.99 USD against control account 100.00, a difference of -0.01" in str(refusal.value)


def test_what_no_batch_has_taken_yet_is_timing_and_no_break() -> None:
    found = books(exported="60.00", pending="40.00")

    found.prove()
    assert found.rows[1].verdict is Verdict.TIMING


def test_what_the_pending_amount_does_not_explain_is_a_break() -> None:
    with pytest.raises(TieOutBroken) as refusal:
        books(exported="60.00", pending="39.00").prove()

    assert refusal.value.difference == 100


def test_something_pending_that_the_receiver_has_already_is_a_break() -> None:
    assert books(pending="5.00").breaks[0].account.code == "1210"


def test_a_balance_of_loans_that_no_control_account_knows_is_missing() -> None:
    found = tie_out(ACCOUNTS, control={}, subledger={("1210", "USD"): usd("1")}, exported={}, pending={})

    assert [row.verdict for row in found.breaks] == [Verdict.MISSING]


def test_an_account_that_only_one_side_has_is_missing_unless_it_is_zero() -> None:
    one_sided = match({("1020", "USD"): usd("3"), ("1210", "USD"): usd("0")}, {})

    assert [each.verdict for each in one_sided] == [Verdict.MISSING, Verdict.AGREED]


def test_currencies_are_matched_each_by_itself() -> None:
    matched = match({("1020", "USD"): usd("3")}, {("1020", "CAD"): Money.parse("3", "CAD")})

    assert [(each.currency, each.verdict) for each in matched] == [
        ("CAD", Verdict.MISSING),
        ("USD", Verdict.MISSING),
    ]


def test_an_account_that_loans_used_only_later_has_no_row() -> None:
    found = tie_out(ACCOUNTS, control={}, subledger={("1210", "USD"): usd("0")}, exported={}, pending={})

    assert found.rows == ()
