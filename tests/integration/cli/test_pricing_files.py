"""`loanbook schedule FILE` and `apr FILE` on YAML: the questions that come before a loan, without a database."""

from __future__ import annotations

import pytest

from tests.integration.cli.conftest import Loanbook

LOAN = """
product: {day_count: 30/360}
loan:
  principal: 10000.00
  rate: 12.00
  installments: 12
  frequency: monthly
  funded_on: 2026-01-15
  first_due_on: 2026-02-15
"""
# Regulation Z, Appendix J(c)(1)(ii) and (1)(v), and (2)(ii), whose payments are every four weeks.
IRREGULAR = """
advances: [{on: 1978-02-10, amount: 6000.00}]
payments:
  - {on: 1978-04-01, amount: 200.00, count: 36, frequency: monthly}
"""
WEEKLY = """
advances: {on: 1978-03-20, amount: "500.00"}
payments: {on: 1978-04-21, amount: 17.60, count: 30, frequency: weekly}
"""
FOUR_WEEKS = """
advances:
  - {on: 1978-03-18, amount: 400.00}
payments:
  - {on: 1978-04-20, amount: 39.50}
  - {on: 1978-05-18, amount: 38.31, count: 11, frequency: {days: 28}}
"""


def test_a_schedule_is_the_bare_list_of_a_scenario(pricing: Loanbook) -> None:
    rows = pricing("schedule", "-", "--json", given=LOAN).json

    # docs/spec/schedules.md, worked: 1% a month, 888.4879 a month.
    assert rows[0] == {
        "no": 1,
        "due": "2026-02-15",
        "principal": "788.49",
        "interest": "100.00",
        "fees": "0.00",
        "total": "888.49",
        "balance": "9211.51",
    }
    assert (len(rows), rows[-1]["balance"]) == (12, "0.00")
    assert "788.49     100.00      888.49   9,211.51" in pricing("schedule", "-", given=LOAN).out


def test_a_scenario_and_a_file_of_several_loans_are_asked_as_well(pricing: Loanbook) -> None:
    scenario = f"scenario: a life\n{LOAN}\nevents:\n  - {{on: 2026-02-15, payment: {{amount: 888.49}}}}\nexpect: []\n"

    both = pricing("schedule", "-", "--json", given=f"{scenario}---\n{LOAN}").json

    assert [len(rows) for rows in both] == [12, 12]


@pytest.mark.parametrize(("text", "apr"), [(IRREGULAR, "11.82"), (WEEKLY, "14.96"), (FOUR_WEEKS, "28.50")])
def test_advances_and_payments_have_the_published_rate(pricing: Loanbook, text: str, apr: str) -> None:
    found = pricing("apr", "-", "--json", given=text).json

    assert sorted(found) == ["amount_financed", "apr", "finance_charge", "total_of_payments"]
    assert f"{round(float(found['apr']), 2):.2f}" == apr
    assert len(found["apr"].split(".")[1]) == 4


def test_the_rate_of_a_loan_counts_a_fee_that_is_withheld(pricing: Loanbook) -> None:
    text = LOAN.replace("{day_count: 30/360}", "{origination_fee: {percent: 3.0}}")

    found = pricing("apr", "-", "--json", given=text).json

    # docs/spec/apr.md, worked.
    assert found == {
        "apr": "17.7761",
        "finance_charge": "958.92",
        "amount_financed": "9700.00",
        "total_of_payments": "10658.92",
    }


@pytest.mark.parametrize("unit", ["day", "daily", "{days: 1}"])
def test_a_unit_period_may_be_given(pricing: Loanbook, unit: str) -> None:
    found = pricing("apr", "-", "--explain", "--json", given=f"{IRREGULAR}unit_period: {unit}\n").json

    assert (found["unit_period"], found["payments"][0]["unit_periods"]) == ("day", 50)


@pytest.mark.parametrize(
    ("command", "text", "code", "message"),
    [
        ("schedule", IRREGULAR, "scenario-invalid", "file.loan: it is missing"),
        ("schedule", "loan: {principal: 1}", "scenario-invalid", "loan.rate: it is missing"),
        ("schedule", f"{LOAN}colour: red\n", "scenario-invalid", "file.colour: unknown key"),
        ("schedule", "a: 1\na: 2\n", "scenario-invalid", "file.a: the key stands twice"),
        ("apr", "currency: USD", "scenario-invalid", "file: it has neither a loan nor advances and payments"),
        ("apr", "advances: [{on: 2026-01-01, amount: 1}]", "scenario-invalid", "file.payments: it is missing"),
        ("apr", "advances: []\npayments: []", "apr-nothing-advanced", "advances: there is none"),
        ("apr", "advances: [{on: 2026-01-01}]", "scenario-invalid", "advances[0].amount: it is missing"),
        ("apr", "payments: [{on: x, amount: 1}]", "scenario-invalid", "payments[0].on: x is not a date"),
        (
            "apr",
            "payments: [{on: 2026-01-01, amount: 1, count: 2}]",
            "scenario-invalid",
            "payments[0].frequency: it is missing",
        ),
        (
            "apr",
            "payments: [{on: 2026-01-01, amount: 1, frequency: weekly}]",
            "scenario-invalid",
            "payments[0].count: it is missing",
        ),
        (
            "apr",
            "payments: [{on: 2026-01-01, amount: 1, count: 2, frequency: daily}]",
            "scenario-invalid",
            "payments[0].frequency: it is one of weekly",
        ),
        ("apr", f"{IRREGULAR}unit_period: fortnight\n", "scenario-invalid", "unit_period: it is one such as"),
        ("apr", f"{IRREGULAR}unit_period: {{days: 0}}\n", "scenario-invalid", "unit_period: it is one such as"),
        ("apr", f"{IRREGULAR}unit_period: {{years: 1}}\n", "scenario-invalid", "unit_period.years: unknown key"),
        ("apr", IRREGULAR.replace("36", "3"), "apr-never-paid-back", "payments: they sum to 600.00 USD"),
        ("apr", f"{IRREGULAR}currency: XXY\n", "currency-unknown", "XXY is not a currency"),
    ],
)
def test_what_a_file_may_not_say_is_refused_by_its_place(
    pricing: Loanbook, command: str, text: str, code: str, message: str
) -> None:
    refused = pricing(command, "-", "--json", expect=2, given=text).refusal

    assert (refused["code"], refused["message"][: len(message)]) == (code, message)


def test_a_file_without_a_document_and_options_beside_a_file_are_refused(pricing: Loanbook) -> None:
    assert "there is no loan in it" in pricing("schedule", "-", expect=2, given="").err
    assert "--rate is of no use beside a file" in pricing("schedule", "-", "--rate", "12", expect=2, given=LOAN).err
