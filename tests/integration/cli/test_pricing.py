"""`loanbook schedule` and `apr`, which need no database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook

TERMS = (
    *("--amount", "10000", "--rate", "12", "--installments", "12"),
    *("--funded-on", "2026-01-15", "--first-due", "2026-02-15"),
)
# Regulation Z, Appendix J(c)(1)(ii): 11.82.
FLOWS = """on,kind,amount,count,frequency
1978-02-10,advance,6000.00,,
1978-04-01,payment,200.00,36,monthly
"""
NO_FEE = 'name = "free"\n[origination_fee]\npercent = "0"\n'


@pytest.fixture
def flows(tmp_path: Path) -> str:
    """Return the path of the flows of an example of Appendix J."""
    file = tmp_path / "flows.csv"
    file.write_text(FLOWS)
    return str(file)


def test_a_schedule_is_printed_with_totals_and_what_is_disclosed(pricing: Loanbook) -> None:
    printed = pricing("schedule", *TERMS).out
    document = pricing("schedule", *TERMS, "--json").json

    assert "786.57     101.92      888.49   9,213.43" in printed
    assert "annual percentage rate         17.7761 %" in printed
    assert len(document["schedule"]) == 12
    assert document["schedule"][0] == {
        "no": 1,
        "due": "2026-02-15",
        "principal": "786.57",
        "interest": "101.92",
        "total": "888.49",
        "balance": "9213.43",
    }
    assert document["totals"] == {"principal": "10000.00", "interest": "658.92", "total": "10658.92"}
    assert document["disclosure"]["amount_financed"] == "9700.00"


def test_a_product_file_sets_the_rules(pricing: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "free.toml"
    file.write_text(NO_FEE)

    found = pricing("apr", *TERMS, "--product", str(file), "--json").json

    assert found == {
        "apr": "11.9505",
        "currency": "USD",
        "finance_charge": "658.92",
        "amount_financed": "10000.00",
        "total_of_payments": "10658.92",
    }


def test_a_balloon_and_a_frequency_reach_the_schedule(pricing: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "balloon.toml"
    file.write_text('amortization = "balloon"\nday_count = "30/360"\n')

    rows = pricing("schedule", *TERMS, "--product", str(file), "--balloon", "4000", "--json").json["schedule"]
    biweekly = pricing("schedule", *TERMS, "--frequency", "biweekly", "--json").json["schedule"]

    # docs/spec/schedules.md, worked.
    assert (rows[0]["total"], rows[-1]["total"]) == ("573.09", "4573.12")
    assert biweekly[1]["due"] == "2026-03-01"


def test_the_rate_of_a_file_is_explained(pricing: Loanbook, flows: str) -> None:
    printed = pricing("apr", flows, "--explain").out
    document = pricing("apr", flows, "--explain", "--json").json

    assert "annual percentage rate         11.8165 %" in printed
    assert "19/30" in printed
    assert (document["apr"], document["unit_period"], document["unit_periods_a_year"]) == ("11.8165", "month", "12")
    assert document["payments"][0] == {
        "on": "1978-04-01",
        "amount": "200.00",
        "unit_periods": 1,
        "fraction": "19/30",
    }
    assert len(document["payments"]) == 36


def test_a_file_comes_from_standard_input_and_a_unit_period_may_be_given(pricing: Loanbook) -> None:
    found = pricing("apr", "-", "--unit-period", "day", "--explain", "--json", given=FLOWS).json

    assert (found["unit_period"], found["unit_periods_a_year"]) == ("day", "365")
    assert found["payments"][0]["unit_periods"] == 50


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("1978-04-31,payment,200,,", "scenario-invalid", "row 3, column on: 1978-04-31 is not a date"),
        ("1978-04-01,payment,2.001,,", "scenario-invalid", "row 3, column amount: "),
        ("1978-04-01,fee,200,,", "input-malformed", "row 3, column kind: it is advance or payment"),
        ("1978-04-01,payment,200,0,monthly", "input-malformed", "row 3, column count: it is 1 to 1200"),
        ("1978-04-01,payment,200,36,", "input-malformed", "row 3, column frequency: it is one of weekly"),
        ("1978-04-01,payment,200", "input-malformed", "row 3: it has not as many values"),
        ('1978-04-01,payment,"200', "input-malformed", "row 3: "),
        (
            "1978-04-01,payment,200,,",
            "apr-never-paid-back",
            "payments: they sum to 200.00 USD, and never pay back the 6000.00",
        ),
        ("1978-04-01,payment,-200,,", "apr-amount-not-positive", "an advance or a payment of -200.00 USD on 1978-04"),
        ("1979-01-01,advance,1,,", "apr-nothing-paid", "payments: there is none to repay 6001.00 USD"),
    ],
)
def test_what_has_no_rate_or_no_meaning_is_refused_in_one_line(
    pricing: Loanbook, line: str, code: str, message: str
) -> None:
    text = "\n".join([*FLOWS.splitlines()[:2], line, ""])

    refused = pricing("apr", "-", "--json", expect=2, given=text)
    said = pricing("apr", "-", expect=2, given=text)

    assert refused.refusal["code"] == code
    assert refused.refusal["message"].startswith(message)
    assert said.err.startswith(f"error: {message}")
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("header", "column"), [("on,kind", "amount"), ("on,kind,amount,note", "note"), ("on,kind,amount,on", "on")]
)
def test_a_header_that_is_not_the_documented_one_is_refused(pricing: Loanbook, header: str, column: str) -> None:
    refused = pricing("apr", "-", "--json", expect=2, given=f"{header}\n").refusal

    assert refused["place"] == f"row 1, column {column}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("schedule",), "Missing option --amount"),
        (("apr", *TERMS[:-2]), "Missing option --first-due"),
        (("apr", *TERMS, "--unit-period", "fortnight"), "Invalid value for --unit-period"),
        (("apr", "-", "--rate", "12"), "--rate is of no use beside a file"),
        (("apr", "/nonexistent/flows.csv"), "/nonexistent/flows.csv: No such file"),
        (("schedule", *TERMS, "--rate", "x"), "loan.rate: x is not a number"),
        (("schedule", *TERMS, "--amount", "1.001"), "loan.principal: "),
        (("schedule", *TERMS, "--first-due", "2026-01-15"), "first_due_on: it must lie after the funding"),
        (("schedule", *TERMS, "--balloon", "1"), "balloon: amortization level has no use for it"),
        (("schedule", *TERMS, "--product", "nothing"), "nothing: no product of this name is shipped"),
        (("schedule", *TERMS, "--currency", "XXY"), "XXY is not a currency"),
    ],
)
def test_bad_terms_are_refused_in_one_line(pricing: Loanbook, arguments: tuple[str, ...], message: str) -> None:
    refused = pricing(*arguments, expect=2, given="")

    assert refused.err.startswith(f"error: {message}")
    assert len(refused.err.splitlines()) == 1
    assert json.loads(pricing(*arguments, "--json", expect=2, given="").err)["message"].startswith(message)


def test_a_product_file_that_is_no_product_is_refused(pricing: Loanbook, tmp_path: Path) -> None:
    broken, unknown = tmp_path / "broken.toml", tmp_path / "unknown.toml"
    broken.write_text("name = ")
    unknown.write_text("colour = 'red'\n")

    assert "it is not TOML" in pricing("schedule", *TERMS, "--product", str(broken), expect=2).err
    assert "product.colour: unknown key" in pricing("schedule", *TERMS, "--product", str(unknown), expect=2).err
