"""A chart is read whole or refused with every mistake named by its place."""

from __future__ import annotations

from importlib.resources import files

import pytest

from ledger.chart import AccountCode, AccountDefinition, AccountType, Chart, Side
from ledger.chart_file import format_chart, parse_chart, slug_of
from ledger.errors import (
    AccountDefinitionInvalid,
    AccountUnknown,
    ChartInvalid,
    RoleMapUnknown,
    RoleUnmapped,
)

SMALL = """
name = "small"
accounts = [
    { code = "1100", name = "Loans", type = "asset", parent = "1000", subledgered = true },
    { code = "1000", name = "Assets", type = "asset", header = true },
    { code = "1200", name = "Allowance", type = "asset", normal_side = "credit", parent = "1000" },
    { code = "4000", name = "Interest income", type = "income", slug = "interest" },
]
[roles.default]
LOANS = "1100"
INCOME = "4000"
[roles.other]
INCOME = "1200"
"""


def with_account(row: str) -> str:
    return SMALL.replace("]\n[roles.default]", f"    {{ {row} }},\n]\n[roles.default]")


def test_accounts_come_parents_first() -> None:
    chart = parse_chart(SMALL)

    assert [account.code for account in chart.accounts] == ["1000", "1100", "1200", "4000"]


def test_what_is_left_out_follows_from_the_type_and_from_being_subledgered() -> None:
    chart = parse_chart(SMALL)
    loans, allowance, income = chart.account("1100"), chart.account("1200"), chart.named("interest")

    assert (loans.slug, loans.normal_side, loans.control, loans.may_go_contra) == (
        "loans",
        "debit",
        True,
        False,
    )
    assert (allowance.is_contra, allowance.control, allowance.may_go_contra) == (True, False, True)
    assert (income.normal_side, income.currency, income.parent) == (Side.CREDIT, None, None)


def test_a_role_map_lies_over_the_default_one() -> None:
    chart = parse_chart(SMALL)

    assert dict(chart.role_map()) == {"LOANS": "1100", "INCOME": "4000"}
    assert dict(chart.role_map("other")) == {"LOANS": "1100", "INCOME": "1200"}
    assert chart.resolve("INCOME", "other") == "1200"


def test_unknown_accounts_roles_and_role_maps_are_named() -> None:
    chart = parse_chart(SMALL)

    with pytest.raises(AccountUnknown, match="9999"):
        chart.account("9999")
    with pytest.raises(AccountUnknown, match="nothing"):
        chart.named("nothing")
    with pytest.raises(RoleUnmapped, match="role CASH has no account in role map other"):
        chart.resolve("CASH", "other")
    with pytest.raises(RoleMapUnknown, match="nobody"):
        chart.role_map("nobody")


def test_a_side_knows_the_other() -> None:
    assert [side.opposite for side in Side] == [Side.CREDIT, Side.DEBIT]


def test_ancestors_are_the_headers_above() -> None:
    chart = parse_chart(SMALL)

    assert [account.code for account in chart.ancestors("1100")] == ["1000"]
    assert chart.ancestors("1000") == ()


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        (
            with_account('code = "1100", name = "Again", type = "asset"'),
            "account number 5 (1100)",
            "code 1100",
        ),
        (
            with_account('code = "5000", name = "Loans", type = "asset"'),
            "account number 5 (5000)",
            "slug loans",
        ),
        (
            with_account('code = "5", name = "A", type = "asset", parent = "9"'),
            "account 5",
            "9 is not in the chart",
        ),
        (
            with_account('code = "5", name = "A", type = "asset", parent = "1100"'),
            "account 5",
            "not a header",
        ),
        (
            with_account('code = "5", name = "A", type = "income", parent = "1000"'),
            "account 5",
            "of type asset",
        ),
        (with_account('code = "5", name = "A", type = "aset"'), "account number 5 (5)", "'aset' is unknown"),
        (
            with_account('code = "5", name = "A", type = "asset", normal_side = "left"'),
            "account number 5",
            "'left'",
        ),
        (
            with_account('code = "5", name = "A", type = "asset", typ = "x"'),
            "account number 5 (5)",
            "typ is not a key",
        ),
        (
            with_account('code = 5, name = "A", type = "asset"'),
            "account number 5 (5)",
            "code is a text in quotes",
        ),
        (
            with_account('code = "5", name = "A", type = "asset", header = 1'),
            "account number 5",
            "true or false",
        ),
        (with_account('code = "5", name = "A"'), "account number 5 (5)", "type is missing"),
        (with_account('name = "A", type = "asset"'), "account number 5 (no code)", "code is missing"),
        (with_account('code = "a b", name = "A", type = "asset"'), "account number 5 (a b)", "a code is"),
        (with_account('code = "5", name = " ", type = "asset"'), "account number 5 (5)", "slug ''"),
        (
            with_account('code = "5", slug = "A", name = "A", type = "asset"'),
            "account number 5 (5)",
            "slug 'A'",
        ),
        (
            with_account('code = "5", slug = "a", name = "", type = "asset"'),
            "account number 5 (5)",
            "name is empty",
        ),
        (
            with_account('code = "5", name = "A", type = "asset", currency = "XXX"'),
            "account number 5",
            "'XXX'",
        ),
        (
            with_account('code = "5", name = "A", type = "asset", header = true, subledgered = true'),
            "account number 5",
            "cannot be subledgered",
        ),
        (
            SMALL.replace('LOANS = "1100"', 'LOANS = "1101"'),
            "roles.default.LOANS",
            "1101 is not in the chart",
        ),
        (SMALL.replace('LOANS = "1100"', 'LOANS = "1000"'), "roles.default.LOANS", "1000 is a header"),
        (SMALL.replace('LOANS = "1100"', "LOANS = 1100"), "roles.default.LOANS", "in quotes"),
        (SMALL.replace("LOANS =", "loans ="), "roles.default.loans", "upper-case"),
        (SMALL.replace('INCOME = "4000"', ""), "roles.default", "role INCOME has no account"),
        (SMALL.replace('name = "small"', 'name = "small"\nversion = 2'), "version", "not a key of a chart"),
        (SMALL.replace('name = "small"', ""), "name", "needs a name"),
        ('name = "x"\naccounts = "1000"', "accounts", "is a list of tables"),
        ('name = "x"\nroles = "1000"', "roles", "is a table of role maps"),
        ('name = "x"\n[roles]\ndefault = "1000"', "roles.default", "is a table of roles"),
        ('name = "x"\naccounts = [', "end of document", "Invalid value"),
        ('name = "x"\nname = "y"\n', "line 2", "Cannot overwrite"),
    ],
)
def test_a_mistake_is_named_by_its_place(text: str, place: str, reason: str) -> None:
    with pytest.raises(ChartInvalid) as refusal:
        parse_chart(text, file="small.toml", required_roles=("LOANS", "INCOME"))

    assert refusal.value.file == "small.toml"
    assert refusal.value.place.startswith(place)
    assert reason in refusal.value.reason


def test_parents_that_go_round_are_refused_once_with_the_circle() -> None:
    circle = """
    name = "circle"
    accounts = [
        { code = "1", name = "A", type = "asset", header = true, parent = "3" },
        { code = "2", name = "B", type = "asset", header = true, parent = "1" },
        { code = "3", name = "C", type = "asset", header = true, parent = "2" },
        { code = "4", name = "D", type = "asset", header = true, parent = "3" },
    ]
    """

    with pytest.raises(ChartInvalid) as refusal:
        parse_chart(circle)

    assert refusal.value.reason == "its parents go round in a circle: 1 -> 3 -> 2 -> 1"
    assert refusal.value.further == ()


def test_all_mistakes_are_told_at_once() -> None:
    text = with_account('code = "5", name = "A", type = "asset", parent = "9"').replace("LOANS =", "loans =")

    with pytest.raises(ChartInvalid) as refusal:
        parse_chart(text)

    assert len(refusal.value.further) == 1
    assert "account 5" in str(refusal.value)
    assert "roles.default.loans" in str(refusal.value)


def test_a_chart_made_by_hand_is_held_to_the_same_rules() -> None:
    account = AccountDefinition(AccountCode("1"), "one", "One", AccountType.ASSET, Side.DEBIT, parent=AccountCode("2"))

    with pytest.raises(ChartInvalid, match="parent 2 is not in the chart"):
        Chart("by hand", (account,))
    with pytest.raises(AccountDefinitionInvalid, match="account 1 2"):
        AccountDefinition(AccountCode("1 2"), "one", "One", AccountType.ASSET, Side.DEBIT)


def test_an_account_made_by_hand_is_an_ordinary_one() -> None:
    account = AccountDefinition(AccountCode("1"), "one", "One", AccountType.ASSET, Side.DEBIT)

    assert (account.header, account.subledgered, account.control) == (False, False, False)
    assert account.may_go_contra


def test_slug_comes_from_the_name() -> None:
    assert slug_of("Cash in bank (USD)") == "cash_in_bank_usd"


# --- The chart that ships ---------------------------------------------------------------------------------

LENDER_ROLES = {
    # role: (type, normal side, subledgered, may go contra)
    "CASH": ("asset", "debit", False, True),
    "CASH_CLEARING": ("asset", "debit", False, True),
    "ACH_CLEARING": ("asset", "debit", False, True),
    "CARD_CLEARING": ("asset", "debit", False, True),
    "CHECK_CLEARING": ("asset", "debit", False, True),
    "WIRE_CLEARING": ("asset", "debit", False, True),
    "LOAN_PRINCIPAL": ("asset", "debit", True, False),
    "INTEREST_RECEIVABLE": ("asset", "debit", True, False),
    "FEES_RECEIVABLE": ("asset", "debit", True, False),
    "LATE_FEES_RECEIVABLE": ("asset", "debit", True, False),
    "RETURNED_PAYMENT_FEES_RECEIVABLE": ("asset", "debit", True, False),
    "ORIGINATION_FEES_RECEIVABLE": ("asset", "debit", True, False),
    "OTHER_FEES_RECEIVABLE": ("asset", "debit", True, False),
    "DEFERRED_ORIGINATION_FEES": ("asset", "credit", True, False),
    "DEFERRED_ORIGINATION_COSTS": ("asset", "debit", True, False),
    "COST_RECOVERY_APPLIED": ("asset", "credit", True, False),
    "ALLOWANCE_FOR_CREDIT_LOSSES": ("asset", "credit", False, True),
    "RECOVERABLE_FROM_BORROWER": ("asset", "debit", True, False),
    "CONVERSION_CLEARING": ("asset", "debit", False, True),
    "UNMATCHED_RETURNS": ("asset", "debit", False, True),
    "SUSPENSE": ("asset", "debit", False, True),
    "UNAPPLIED_PAYMENTS": ("liability", "credit", True, False),
    "REFUNDS_PAYABLE": ("liability", "credit", True, False),
    "DISBURSEMENTS_PAYABLE": ("liability", "credit", True, False),
    "UNMATCHED_RECEIPTS": ("liability", "credit", False, True),
    "RETAINED_EARNINGS": ("equity", "credit", False, True),
    "INTEREST_INCOME": ("income", "credit", False, True),
    "ORIGINATION_FEE_INCOME": ("income", "credit", False, True),
    "LATE_FEE_INCOME": ("income", "credit", False, True),
    "OTHER_FEE_INCOME": ("income", "credit", False, True),
    "PROVISION_FOR_CREDIT_LOSSES": ("expense", "debit", False, True),
    "WAIVED_INTEREST": ("expense", "debit", False, True),
    "WAIVED_FEES": ("expense", "debit", False, True),
    "SMALL_BALANCE_WRITE_OFF": ("expense", "debit", False, True),
    "COLLECTION_EXPENSE": ("expense", "debit", False, True),
    "CHARGED_OFF_CLAIM": ("off_balance", "debit", True, False),
    "CHARGED_OFF_CLAIM_CONTRA": ("off_balance", "credit", True, False),
    "NON_ACCRUAL_INTEREST": ("off_balance", "debit", True, False),
    "NON_ACCRUAL_INTEREST_CONTRA": ("off_balance", "credit", True, False),
    "COMMITMENT": ("off_balance", "debit", True, False),
    "COMMITMENT_CONTRA": ("off_balance", "credit", True, False),
}


@pytest.fixture(scope="module")
def lender() -> Chart:
    path = files("ledger") / "charts" / "us_lender.toml"
    return parse_chart(path.read_text("utf-8"), file=path.name, required_roles=LENDER_ROLES)


@pytest.mark.parametrize("role", LENDER_ROLES)
def test_shipped_chart_gives_each_role_its_kind_of_account(lender: Chart, role: str) -> None:
    account = lender.account(lender.resolve(role))

    assert LENDER_ROLES[role] == (
        account.type,
        account.normal_side,
        account.subledgered,
        account.may_go_contra,
    )
    assert account.control is account.subledgered


def test_shipped_chart_names_accounts_by_their_roles(lender: Chart) -> None:
    by_another_name = {
        role: lender.account(code).slug
        for role, code in lender.role_map().items()
        if lender.account(code).slug != role.lower()
    }

    assert by_another_name == {"FEES_RECEIVABLE": "other_fees_receivable"}
    assert lender.named("fees_receivable").header


def test_shipped_chart_numbers_accounts_by_type(lender: Chart) -> None:
    first_digit = {
        "asset": "1",
        "liability": "2",
        "equity": "3",
        "income": "4",
        "expense": "5",
        "off_balance": "9",
    }

    assert all(account.code.startswith(first_digit[account.type]) for account in lender.accounts)
    assert [account.code for account in lender.accounts] == sorted(account.code for account in lender.accounts)


def test_shipped_chart_has_an_example_of_a_product_that_books_late_fees_elsewhere(lender: Chart) -> None:
    assert lender.account(lender.resolve("LATE_FEE_INCOME", "credit_line")).slug == "late_fee_income_credit_line"
    assert lender.resolve("CASH", "credit_line") == lender.resolve("CASH")


def test_shipped_chart_is_written_and_read_back_unchanged(lender: Chart) -> None:
    assert parse_chart(format_chart(lender)) == lender
