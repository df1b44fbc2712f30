"""`loanbook loan`, `run-day` and `settle`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook
from tests.support.database import ADMIN, Database

TAPE = """external_id,principal,rate,installments,frequency,funded_on,first_due_on
L-1,10000.00,12.00,12,monthly,2026-01-15,2026-02-15
L-2,2500.00,9.5,24,monthly,2026-01-02,2026-02-02
"""


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Return the file of a tape of two loans."""
    file = tmp_path / "tape.csv"
    file.write_text(TAPE)
    return file


@pytest.fixture
def lender(book: Loanbook, tape: Path) -> Loanbook:
    """Return a book with the two loans of the tape, on 15 January 2026."""
    book("day", "advance", "2026-01-15")
    book("board", str(tape))
    return book


def ids(loanbook: Loanbook) -> list[str]:
    """Return the ids of the loans in the order of the tape."""
    return [str(loan_id) for loan_id in loanbook("loan", "list", "--json").json["loan_ids"]]


def test_a_loan_is_shown_for_people_and_for_programs(lender: Loanbook) -> None:
    first = ids(lender)[0]

    shown = lender("loan", first, "--json").json

    assert shown["balances"]["principal"] == "10000.00"
    assert shown["installments"][0] == {
        "no": 1,
        "due": "2026-02-15",
        "principal": "786.57",
        "interest": "101.92",
        "fees": "0.00",
        "penalties": "0.00",
        "paid": "0.00",
        "waived": "0.00",
        "paid_off_on": None,
    }
    out = lender("loan", first).out
    assert "Installments" in out
    assert "786.57" in out


def test_a_payment_is_taken_tried_returned_and_reversed(lender: Loanbook) -> None:
    first = ids(lender)[0]
    lender("day", "advance", "2026-02-15")
    pay = ("loan", "pay", first, "888.49", "--id", "P-1", "--json")

    tried = lender(*pay, "--dry-run").json
    taken = lender(*pay, "--request-key", "k1").json
    again = lender(*pay, "--request-key", "k1").json

    assert tried["allocation"] == taken["allocation"]
    assert taken["allocation"]["interest"] == "101.92"
    assert again["payment_id"] == taken["payment_id"]
    assert again["entries"] == [], "nothing was booked the second time"
    assert len(lender("loan", first, "--json").json["payments"]) == 1
    returned = lender("loan", "return", first, str(taken["payment_id"]), "--code", "R01", "--json").json
    assert (returned["undone_as"], returned["balances"]["penalties"]) == ("payment_returned", "25.00")
    second = lender("loan", "pay", first, "100", "--id", "P-2", "--json").json
    reversed_ = lender("loan", "reverse", first, str(second["payment_id"]), "--reason", "Wrong loan", "--json").json
    assert reversed_["balances"] == returned["balances"]
    assert "payment_returned" in lender("loan", first).out


def test_a_payment_for_people_shows_the_entries_and_what_is_owed(lender: Loanbook) -> None:
    lender("day", "advance", "2026-02-15")

    out = lender("loan", "pay", ids(lender)[0], "888.49", "--id", "P-1").out

    assert "payment_applied" in out
    assert "payoff 9,213.43" in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("pay", "9", "1", "--id", "P"), "loan-unknown"),
        (("pay", "LOAN", "1.001", "--id", "P"), "fractional-minor-unit"),
        (("pay", "LOAN", "0", "--id", "P"), "payment-not-positive"),
        (("pay", "LOAN", "1", "--id", "P", "--method", "gold"), "payment-method-unknown"),
        (("return", "LOAN", "7", "--code", "R01"), "payment-unknown"),
        (("show", "9"), "loan-unknown"),
    ],
)
def test_what_cannot_be_done_to_a_loan_is_refused(lender: Loanbook, arguments: tuple[str, ...], code: str) -> None:
    first = ids(lender)[0]
    words = [first if word == "LOAN" else word for word in arguments]

    assert lender("loan", *words, "--json", expect=2).refusal["code"] == code


def test_a_day_is_run_once_and_can_be_tried(lender: Loanbook) -> None:
    lender("day", "advance", "2026-02-28")

    tried = lender("run-day", "--dry-run", "--json").json
    done = lender("run-day", "--json").json
    again = lender("run-day", "--json").json

    assert tried["entries"] == done["entries"] == done["accrual_entries"] + done["other_entries"] > 0
    assert again["entries"] == 0
    assert again["failures"] == []
    assert sum(done["buckets"].values()) == len(ids(lender))


def test_a_loan_that_fails_is_named_and_the_exit_code_says_so(lender: Loanbook, database: Database) -> None:
    lender("day", "advance", "2026-02-28")
    first, *others = map(int, ids(lender))
    with database.connect(ADMIN, autocommit=True) as admin:
        admin.execute("UPDATE ledger.subledger SET frozen = true WHERE subledger_id = %s", (first,))

    failed = lender("run-day", expect=1)
    after = lender("run-day", "--json", expect=1).json

    assert "subledger-frozen" in failed.out
    assert [each["loan_id"] for each in after["failures"]] == [first]
    assert (after["entries"], len(others) > 0) == (0, True)


def test_a_day_ahead_of_the_business_date_is_refused(lender: Loanbook) -> None:
    assert lender("run-day", "2026-02-01", "--json", expect=2).refusal["code"] == "effective-date-ahead"


def test_what_went_over_the_rails_is_settled_once(lender: Loanbook) -> None:
    lender("seal")

    first = lender("settle", "2026-01-15", "--reference", "Statement 1", "--json").json
    second = lender("settle", "2026-01-15", "--json").json

    assert len(first["entries"]) == 1
    assert second["entries"] == []
