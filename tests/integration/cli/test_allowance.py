"""`loanbook allowance`, and what the close of a month provides."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook

TAPE = """external_id,principal,rate,installments,frequency,funded_on,first_due_on
L-1,10000.00,12.00,12,monthly,2026-01-15,2026-02-15
L-2,5000.00,12.00,12,monthly,2026-01-15,2026-03-15
"""
BUCKETS = """effective_on = 2026-01-01
method = "bucket"
[rates]
current = "1.00"
1-29 = 5
30-59 = 12.5
60-89 = 30
90-119 = 60
"120+" = 100
"""
VINTAGES = """effective_on = 2026-02-01
method = "vintage"
[rates]
2026-01 = ["6.00", "5.50"]
any = [4]
"""


@pytest.fixture
def lender(book: Loanbook, tmp_path: Path) -> Loanbook:
    """Return a book with two loans of 10,000.00 and 5,000.00, and two files of rates."""
    (tmp_path / "plain.toml").write_text('name = "plain"\n')
    book("product", "load", str(tmp_path / "plain.toml"))
    for name, text in (("tape.csv", TAPE), ("buckets.toml", BUCKETS), ("vintages.toml", VINTAGES)):
        (tmp_path / name).write_text(text)
    book("day", "advance", "2026-01-15")
    book("board", str(tmp_path / "tape.csv"), "--product", "plain")
    return book


def close(lender: Loanbook, month: str, tmp_path: Path) -> None:
    lender("close", month, "--approver", "carol", "--out", str(tmp_path / "out"))


def test_a_close_provides_the_change_of_what_buckets_require(lender: Loanbook, tmp_path: Path) -> None:
    loaded = lender("allowance", "load", str(tmp_path / "buckets.toml"))
    assert loaded.out == "Rates by bucket from 2026-01-01: revision 1.\n"
    assert lender("allowance", "load", str(tmp_path / "buckets.toml"), "--json").json["revision"] is None

    close(lender, "2026-01", tmp_path)
    close(lender, "2026-02", tmp_path)

    # On 31 January 1 % of 15,000.00. On 28 February the first is 13 days past due: 5 % of 10,000.00, 1 % of 5,000.00.
    (january,) = lender("allowance", "show", "--on", "2026-01-31", "--json").json["allowances"]
    (found,) = lender("allowance", "show", "--on", "2026-02-28", "--json").json["allowances"]
    assert january["held"] == "150.00"
    assert (found["required"], found["held"], found["change"]) == ("550.00", "550.00", "0.00")
    assert [(each["name"], each["required"]) for each in found["segments"]] == [
        ("1-29", "500.00"),
        ("current", "50.00"),
    ]
    assert "required 550.00" in lender("allowance", "show", "--on", "2026-02-28").out
    rows = lender("trial-balance", "--as-of", "2026-02-28", "--json").json["rows"]
    held = {row["slug"]: row["debit_balance"] for row in rows}
    assert held["provision_for_credit_losses"] == "550.00"


def test_vintages_take_over_from_their_day_on_and_release_what_is_too_much(lender: Loanbook, tmp_path: Path) -> None:
    lender("allowance", "load", str(tmp_path / "vintages.toml"))
    close(lender, "2026-01", tmp_path)
    close(lender, "2026-02", tmp_path)
    (tmp_path / "vintages.toml").write_text(VINTAGES.replace("2026-02-01", "2026-03-01").replace("5.50", "2"))
    lender("allowance", "load", str(tmp_path / "vintages.toml"))
    close(lender, "2026-03", tmp_path)

    # No rates in January; 5.5 % of 15,000.00 in the month after that of the loans; then 2 %.
    held = [
        lender("allowance", "show", "--on", day, "--json").json["allowances"][0]["held"]
        for day in ("2026-02-28", "2026-03-31")
    ]
    assert held == ["825.00", "300.00"]
    assert lender("allowance", "show", "--on", "2026-01-31").out == "No rates of loss are in force on 2026-01-31.\n"


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ('"120+" = 100', "", "rates.120+"),
        ("1-29 = 5", "1-30 = 5", "rates.1-30"),
        ("1-29 = 5", "1-29 = 101", "rates.1-29"),
        ("1-29 = 5", '1-29 = "much"', "rates.1-29"),
        ("1-29 = 5", "1-29 = [5, 6]", "rates.1-29"),
        ('"bucket"', '"guess"', "method"),
        ("effective_on = 2026-01-01", "", "effective_on"),
        ("[rates]", "colour = 1\n[rates]", "colour"),
    ],
)
def test_rates_that_are_wrong_are_refused_by_their_place(
    lender: Loanbook, tmp_path: Path, before: str, after: str, place: str
) -> None:
    (tmp_path / "buckets.toml").write_text(BUCKETS.replace(before, after))

    refused = lender("allowance", "load", str(tmp_path / "buckets.toml"), "--json", expect=2).refusal

    assert (refused["code"], refused["place"]) == ("loss-rates-invalid", place)


def test_other_rates_of_one_day_are_a_correction(lender: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "buckets.toml"
    lender("allowance", "load", str(file))
    file.write_text(BUCKETS.replace("1-29 = 5", "1-29 = 6"))

    assert lender("allowance", "load", str(file), "--json", expect=2).refusal["code"] == "loss-rates-differ"
    assert lender("allowance", "load", str(file), "--correct", "--json").json["revision"] == 2


def test_a_vintage_without_rates_is_refused(lender: Loanbook, tmp_path: Path) -> None:
    (tmp_path / "vintages.toml").write_text(VINTAGES.replace("2026-01 =", "2025-12 =").replace("any = [4]", ""))
    lender("allowance", "load", str(tmp_path / "vintages.toml"))
    lender("day", "advance", "2026-02-01")
    lender("run-day")

    refused = lender("allowance", "show", "--on", "2026-02-28", "--json", expect=2).refusal

    assert (refused["code"], refused["vintage"]) == ("loss-rate-missing", "2026-01")
