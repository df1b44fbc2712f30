"""`loanbook charge-off`, `recovery`, `charge-off-reversal`, `non-accrual` and `return-to-accrual`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook
from tests.integration.cli.test_loans import TAPE, ids


@pytest.fixture
def lender(book: Loanbook, tmp_path: Path) -> Loanbook:
    """Return a book with a loan of 10,000.00, on 15 June: 10000 x 12% x 151/365 = 496.44."""
    file = tmp_path / "tape.csv"
    file.write_text(TAPE)
    book("day", "advance", "2026-01-15")
    book("board", str(file))
    book("day", "advance", "2026-06-15")
    return book


def test_a_charge_off_takes_two_people_and_what_comes_later_recovers_it(lender: Loanbook) -> None:
    first = ids(lender)[0]
    off = ("charge-off", first, "--reason", "Identity theft")

    refused = lender(*off, "--json", expect=2).refusal
    out = lender(*off, "--approver", "ben").out
    recovery = ("recovery", first, "1000", "--id", "R-1", "--agency", "Northern", "--commission", "250")

    assert refused["code"] == "approval-missing"
    assert "loan_charged_off" in out
    assert "is charged_off: principal 10,000.00, interest 496.44" in out
    assert "agency_commission_kept" in lender(*recovery).out
    undo = ("charge-off-reversal", first, "--reason", "Mistake", "--approver", "ben", "--json")
    assert lender(*undo).json["status"] == "active"


def test_income_stops_and_goes_on(lender: Loanbook) -> None:
    first = ids(lender)[0]
    why = ("--reason", "Lost the job", "--approver", "ben", "--json")

    assert lender("non-accrual", first, *why).json["status"] == "non_accrual"
    assert lender("loan", "show", first, "--json").json["books"]["interest_not_accrued"] == "496.44"
    assert lender("return-to-accrual", first, *why).json["status"] == "active"


def test_the_final_account_names_what_is_left(lender: Loanbook) -> None:
    first = ids(lender)[0]

    open_ = lender("loan", "final", first, "--json", expect=1).json
    lender("loan", "pay", first, "10496.44", "--id", "P-1", "--method", "wire")
    done = lender("loan", "final", first).out

    assert open_["left"]["loan_principal"] == "10000.00"
    assert "is paid_off: nothing is left" in done


def test_a_loan_is_sold_bought_back_and_flagged(lender: Loanbook) -> None:
    first = ids(lender)[0]

    sold = lender("sell", first, "--to", "Harbor Fund", "--price", "9000", "--approver", "ben", "--json").json
    back = lender("buy-back", first, "--from", "Harbor Fund", "--approver", "ben").out
    lender("flag", first, "bankruptcy", "--reason", "Case 26-1234")

    assert (sold["status"], sold["payoff"]) == ("sold", "0.00")
    assert "is active: principal 10,000.00, interest 496.44" in back
    assert lender("loan", "show", first, "--json").json["flags"] == ["bankruptcy"]
    assert lender("flag", first, "bankruptcy", "--lift", "--reason", "Dismissed", "--json").json["lifted"] is True


def test_a_loan_is_refinanced(lender: Loanbook) -> None:
    first = ids(lender)[0]
    new = ("--id", "N-1", "--principal", "12000", "--rate", "9.5", "--installments", "24")
    days = ("--funded-on", "2026-06-15", "--first-due-on", "2026-07-15", "--approver", "ben")

    done = lender("refinance", first, *new, *days, "--json").json

    assert (done["paid_off_with"], done["status"]) == ("10496.44", "paid_off")
    assert lender("loan", "final", first, "--json").json["ended_as"] == "refinanced"
