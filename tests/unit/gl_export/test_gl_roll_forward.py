"""Opening and movements make the closing balance, or there is no row."""

from __future__ import annotations

import pytest

from gl_export.errors import RollForwardBroken
from gl_export.roll_forward import KINDS, OTHER, Movement, RollForwardRow, kind_of, roll_forward
from ledger.chart import AccountCode, AccountDefinition, AccountType, Side
from ledger.money import Money
from servicing.posting_rules import TEMPLATES

PRINCIPAL = AccountDefinition(
    AccountCode("1210"), "principal", "Principal", AccountType.ASSET, Side.DEBIT, subledgered=True
)
UNAPPLIED = AccountDefinition(
    AccountCode("2010"), "unapplied", "Unapplied", AccountType.LIABILITY, Side.CREDIT, subledgered=True
)
CASH = AccountDefinition(AccountCode("1020"), "cash", "Cash", AccountType.ASSET, Side.DEBIT)
ACCOUNTS = {"1210": PRINCIPAL, "2010": UNAPPLIED, "1020": CASH}
FUNDED, PAID = (next(kind for kind in KINDS if kind.name == name).templates[0] for name in ("funded", "paid"))


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def moved(account: str, template: str, text: str, *, reversal: bool = False) -> Movement:
    return Movement(account, template, reversal, usd(text), 1)


def figures(row: RollForwardRow) -> dict[str, str]:
    named = zip((*KINDS, OTHER), row.moved, strict=True)
    return {kind.name: amount.format() for kind, amount in named if amount}


def test_movements_are_counted_by_the_kind_of_their_template() -> None:
    (row,) = roll_forward(
        ACCOUNTS,
        opening={("1210", "USD"): usd("100.00")},
        movements=[
            moved("1210", FUNDED, "50.00"),
            moved("1210", PAID, "-30.00"),
            moved("1210", "no_such_template", "-1.00"),
        ],
        closing={("1210", "USD"): usd("119.00")},
    )

    assert figures(row) == {"funded": "50.00", "paid": "-30.00", "other": "-1.00"}


def test_a_reversal_counts_where_the_entry_it_reverses_counted() -> None:
    (row,) = roll_forward(
        ACCOUNTS,
        opening={},
        movements=[moved("1210", PAID, "-30.00"), moved("1210", PAID, "30.00", reversal=True)],
        closing={},
    )

    assert figures(row) == {}


def test_a_liability_is_shown_on_its_normal_side() -> None:
    (row,) = roll_forward(
        ACCOUNTS,
        opening={("2010", "USD"): usd("-10.00")},
        movements=[moved("2010", PAID, "-5.00")],
        closing={("2010", "USD"): usd("-15.00")},
    )

    assert (row.opening.format(), row.closing.format(), figures(row)) == ("10.00", "15.00", {"paid": "5.00"})


def test_a_closing_balance_that_is_off_by_one_cent_is_refused_with_its_figures() -> None:
    with pytest.raises(RollForwardBroken) as refusal:
        roll_forward(
            ACCOUNTS,
            opening={("1210", "USD"): usd("100.00")},
            movements=[moved("1210", PAID, "-30.00")],
            closing={("1210", "USD"): usd("70.01")},
        )

    assert str(refusal.value).startswith("1210: opening 100.00 and movements -30.00 make 70.00 USD")


def test_accounts_that_loans_do_not_have_are_left_out() -> None:
    assert roll_forward(ACCOUNTS, opening={}, movements=[moved("1020", PAID, "1.00")], closing={}) == ()


def test_a_template_that_no_kind_names_falls_under_other() -> None:
    assert kind_of("never_declared") is OTHER


def test_no_template_is_counted_twice() -> None:
    named = [template for kind in KINDS for template in kind.templates]

    assert len(named) == len(set(named))


def test_every_template_of_servicing_has_a_kind() -> None:
    assert [template.name for template in TEMPLATES if kind_of(template.name) is OTHER] == []
