"""A template is filled by name; nothing missing, nothing left over, nothing negative."""

from __future__ import annotations

import pytest

from ledger.chart import AccountCode
from ledger.errors import (
    AmountNameMissing,
    AmountNameUnknown,
    EntryEmpty,
    NarrationWordMissing,
    SameAccountBothSides,
    TemplateAmountNegative,
    TemplateInvalid,
    TemplateRowUnresolved,
    TemplateUnknown,
)
from ledger.journal import Posting
from ledger.money import Money
from ledger.templates import Row, Template, Templates, as_markdown, instantiate, narrate

PAYMENT = Template(
    name="payment_applied",
    version=1,
    narration="Payment {payment_id}",
    rows=(
        Row("CASH_CLEARING", "INTEREST_RECEIVABLE", "interest"),
        Row("CASH_CLEARING", "LOAN_PRINCIPAL", "principal"),
    ),
)
ROLES = {
    "CASH_CLEARING": AccountCode("1110"),
    "INTEREST_RECEIVABLE": AccountCode("1220"),
    "LOAN_PRINCIPAL": AccountCode("1210"),
}


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def test_rows_become_postings_between_the_accounts_of_their_roles() -> None:
    postings = instantiate(PAYMENT, {"principal": usd("786.57"), "interest": usd("101.92")}, ROLES)

    assert postings == (
        Posting(AccountCode("1110"), AccountCode("1220"), usd("101.92")),
        Posting(AccountCode("1110"), AccountCode("1210"), usd("786.57")),
    )


def test_rows_of_zero_drop_out_and_need_no_account() -> None:
    roles = {role: code for role, code in ROLES.items() if role != "INTEREST_RECEIVABLE"}

    postings = instantiate(PAYMENT, {"principal": usd("5.00"), "interest": usd("0.00")}, roles)

    assert postings == (Posting(AccountCode("1110"), AccountCode("1210"), usd("5.00")),)


def test_entry_of_nothing_but_zeros_is_refused() -> None:
    with pytest.raises(EntryEmpty):
        instantiate(PAYMENT, {"principal": usd("0.00"), "interest": usd("0.00")}, ROLES)


def test_negative_unknown_and_missing_amounts_are_refused_by_name() -> None:
    with pytest.raises(TemplateAmountNegative, match=r"interest is -0\.01 USD"):
        instantiate(PAYMENT, {"principal": usd("5.00"), "interest": usd("-0.01")}, ROLES)
    with pytest.raises(AmountNameUnknown, match="no amount called fees; it takes interest, principal"):
        instantiate(PAYMENT, {"principal": usd("5"), "interest": usd("0"), "fees": usd("0")}, ROLES)
    with pytest.raises(AmountNameMissing, match="needs the amount interest"):
        instantiate(PAYMENT, {"principal": usd("5.00")}, ROLES)


def test_role_without_an_account_is_refused_by_name() -> None:
    with pytest.raises(TemplateRowUnresolved) as refusal:
        instantiate(PAYMENT, {"principal": usd("5.00"), "interest": usd("0.00")}, {})

    assert (refusal.value.template, refusal.value.role) == ("payment_applied", "CASH_CLEARING")


def test_two_roles_of_a_row_played_by_one_account_are_refused() -> None:
    roles = {**ROLES, "LOAN_PRINCIPAL": ROLES["CASH_CLEARING"]}

    with pytest.raises(SameAccountBothSides):
        instantiate(PAYMENT, {"principal": usd("5.00"), "interest": usd("0.00")}, roles)


def test_one_amount_may_stand_in_several_rows() -> None:
    template = Template("memo", 1, "", (Row("A", "B", "amount"), Row("C", "D", "amount")))
    roles = {role: AccountCode(role) for role in "ABCD"}

    assert len(instantiate(template, {"amount": usd("1.00")}, roles)) == 2
    assert template.amount_names == ("amount",)
    assert template.roles == {"A", "B", "C", "D"}


def test_narration_takes_its_words_by_name() -> None:
    assert narrate(PAYMENT, payment_id="p1", method="ach") == "Payment p1"
    with pytest.raises(NarrationWordMissing, match="payment_id"):
        narrate(PAYMENT, method="ach")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (("", 1, "", (Row("A", "B", "x"),)), "no name"),
        (("t", 0, "", (Row("A", "B", "x"),)), "version 0"),
        (("t", 1, "", ()), "no rows"),
        (("t", 1, "", (Row("A", "", "x"),)), "lacks a role"),
        (("t", 1, "", (Row("A", "B", ""),)), "lacks a role or the name"),
        (("t", 1, "", (Row("A", "A", "x"),)), "both sides"),
        (("t", 1, "Payment {", (Row("A", "B", "x"),)), "cannot be filled in"),
        (("t", 1, "Payment {}", (Row("A", "B", "x"),)), "not a plain name"),
        (("t", 1, "Payment {a.__class__}", (Row("A", "B", "x"),)), "not a plain name"),
    ],
)
def test_a_template_that_cannot_work_is_refused(template: tuple[str, int, str, tuple[Row, ...]], reason: str) -> None:
    with pytest.raises(TemplateInvalid, match=reason):
        Template(*template)


def test_registry_gives_a_version_or_the_latest() -> None:
    second = Template("payment_applied", 2, "Payment", PAYMENT.rows)
    templates = Templates([second, PAYMENT])

    assert templates.get("payment_applied", 1) is PAYMENT
    assert templates.get("payment_applied") is second
    assert list(templates) == [second, PAYMENT]
    assert len(templates) == 2


def test_registry_refuses_unknown_and_twice_declared_templates() -> None:
    with pytest.raises(TemplateUnknown, match="payment_applied version 3"):
        Templates([PAYMENT]).get("payment_applied", 3)
    with pytest.raises(TemplateUnknown, match="nothing"):
        Templates([PAYMENT]).get("nothing")
    with pytest.raises(TemplateInvalid, match="declared twice"):
        Templates([PAYMENT, Template("payment_applied", 1, "Payment", PAYMENT.rows)])


def test_templates_are_written_as_a_table_for_the_reference_page() -> None:
    assert as_markdown([PAYMENT]).splitlines() == [
        "| event | version | debit | credit | amount | narration |",
        "|---|---|---|---|---|---|",
        "| payment_applied | 1 | CASH_CLEARING | INTEREST_RECEIVABLE | interest | Payment {payment_id} |",
        "|  |  | CASH_CLEARING | LOAN_PRINCIPAL | principal |  |",
    ]
