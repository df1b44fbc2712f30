"""`loanbook index` and `loanbook rate`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook

TAPE = """external_id,principal,rate,installments,frequency,funded_on,first_due_on
L-1,10000.00,8.00,12,monthly,2026-01-15,2026-02-15
L-2,5000.00,8.00,12,monthly,2026-01-15,2026-02-15
"""
PRODUCT = """name = "variable"
day_count = "30/360"
[variable_rate]
index = "SOFR"
margin = "3.00"
first_reset = 2
reset_every = 3
lookback_days = 15
"""


@pytest.fixture
def lender(book: Loanbook, tmp_path: Path) -> Loanbook:
    """Return a book with two loans of a variable rate, on 15 March 2026."""
    for name, text in (("variable.toml", PRODUCT), ("tape.csv", TAPE), ("sofr.csv", "on,value\n2026-02-27,5.31\n")):
        (tmp_path / name).write_text(text)
    book("product", "load", str(tmp_path / "variable.toml"))
    book("day", "advance", "2026-03-15")
    book("board", str(tmp_path / "tape.csv"), "--product", "variable")
    return book


def test_an_index_is_loaded_from_a_file_and_shown(lender: Loanbook, tmp_path: Path) -> None:
    file = str(tmp_path / "sofr.csv")

    assert lender("index", "load", "SOFR", file).out == "Index SOFR: 1 new, 0 corrected, 0 known before.\n"
    assert lender("index", "load", "SOFR", file, "--json").json["unchanged"] == 1
    (value,) = lender("index", "show", "SOFR", "--json").json["values"]
    assert (value["on"], value["value"], value["revision"], value["actor"]) == ("2026-02-27", "5.31", 1, "bob")
    assert "5.31" in lender("index", "show", "SOFR").out

    (tmp_path / "sofr.csv").write_text("on,value\n2026-02-27,5.41\n2026-02-30,1\n")
    assert "row 3, column on: '2026-02-30' is not a date" in lender("index", "load", "SOFR", file, expect=2).err
    (tmp_path / "sofr.csv").write_text("on,value\n2026-02-27,5.41\n")
    assert lender("index", "load", "SOFR", file, "--json", expect=2).refusal["code"] == "index-value-differs"
    assert lender("index", "load", "SOFR", file, "--correct", "--json").json["corrected"] == 1
    assert lender("index", "show", "LIBOR", "--json", expect=2).refusal["code"] == "index-unknown"


def test_rates_follow_the_index_once_it_has_a_value(lender: Loanbook, tmp_path: Path) -> None:
    refused = lender("rate", "follow", "2026-03-15", "--json", expect=1).json
    assert [each["code"] for each in refused["refused"]] == ["index-value-missing"] * 2
    assert "Not reset" in lender("rate", "follow", "2026-03-15", expect=1).out

    lender("index", "load", "SOFR", str(tmp_path / "sofr.csv"))
    assert "reset 2 rates up to 2026-03-15" in lender("rate", "follow", "2026-03-15", "--dry-run").out
    assert lender("rate", "follow", "2026-03-15", "--json").json["resets"] == 2
    assert lender("rate", "follow", "2026-03-15", "--json").json["resets"] == 0


def test_a_rate_is_reset_by_hand(lender: Loanbook) -> None:
    loan_id = str(lender("loan", "list", "--json").json["loan_ids"][0])

    done = lender("rate", "reset", loan_id, "9.00", "--on", "2026-02-15", "--reason", "agreed", "--json").json

    assert done["effective_date"] == "2026-02-15"
    # Nothing was paid: 10,000.00 earns 66.67 in a month at 8%, and 75.00 at 9%.
    rows = lender("loan", loan_id, "--json").json["installments"]
    assert (rows[0]["interest"], rows[1]["interest"]) == ("66.67", "75.00")
    for percent, code in (("x", "rate-out-of-range"), ("1001", "rate-out-of-range")):
        assert lender("rate", "reset", loan_id, percent, "--json", expect=2).refusal["code"] == code


def test_a_loan_is_drawn_further(lender: Loanbook) -> None:
    loan_id = str(lender("loan", "list", "--json").json["loan_ids"][0])

    out = lender("draw", loan_id, "2000.00", "--on", "2026-03-15").out

    assert out == f"Loan {loan_id}: 2000.00 drawn on 2026-03-15; 0.00 may still be drawn.\n"
    assert lender("draw", loan_id, "0", "--json", expect=2).refusal["code"] == "drawdown-refused"
    assert lender("loan", loan_id, "--json").json["balances"]["principal"] == "12000.00"
