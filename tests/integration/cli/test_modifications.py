"""`loanbook modify` and `accelerate`: before and after, tried and made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook
from tests.integration.cli.test_loans import TAPE, ids


@pytest.fixture
def lender(book: Loanbook, tmp_path: Path) -> Loanbook:
    """Return a book with a loan of 10,000.00, on 10 February."""
    file = tmp_path / "tape.csv"
    file.write_text(TAPE)
    book("day", "advance", "2026-01-15")
    book("board", str(file))
    book("day", "advance", "2026-02-10")
    return book


def test_a_modification_is_tried_and_made(lender: Loanbook) -> None:
    first = ids(lender)[0]
    ask = ("modify", first, "extend", "--installments", "6", "--reason", "Hardship")

    tried = lender(*ask, "--dry-run").out
    assert "Total of payments" in tried
    assert "Dry run: nothing was kept." in tried
    assert lender("loan", first, "--json").json["modifications"] == []
    made = lender(*ask, "--json").json

    assert made["comparison"]["after"]["installments"] == made["comparison"]["before"]["installments"] + 6
    forgive = ("modify", first, "forgive", "--amount", "100", "--reason", "Ours")
    assert "needs the approval of a second person" in lender(*forgive, expect=2).err
    assert "principal_forgiven" in lender(*forgive, "--approver", "ben").out
    assert "is none of" in lender("modify", first, "shrink", "--reason", "x", expect=2).err
    called = lender("accelerate", first, "--reason", "Default", "--approver", "ben").out
    assert "2026-02-10" in called


def test_what_is_agreed_is_shown_with_the_loan(lender: Loanbook) -> None:
    first = ids(lender)[0]
    trial = ("trial-plan", first, "--payments", "3", "--amount", "500", "--then", "extend", "--reason", "Hardship")

    assert "extend needs it" in lender(*trial, "--approver", "ben", expect=2).err
    assert "is not NAME=VALUE" in lender(*trial, "--told", "installments", expect=2).err
    lender(*trial, "--told", "installments=6", "--approver", "ben")
    (agreed,) = lender("loan", first, "--json").json["agreements"]
    assert (agreed["status"], agreed["then"]) == ("open", "extend")
    lender("end-agreement", first, "--reason", "Withdrawn")
    lender("settlement", first, "6000", "--by", "2026-06-30", "--reason", "Hardship", "--approver", "ben", "--dry-run")
    lender("delinquency", "pause", first, "--until", "2026-03-01", "--reason", "Flood")
    assert lender("loan", first, "--json").json["delinquency_paused"] is True
    assert "delinquency_resumed" in lender("delinquency", "resume", first, "--reason", "Over").out
