"""`loanbook credit` and `chargeback`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook
from tests.integration.cli.test_loans import TAPE, ids


@pytest.fixture
def lender(book: Loanbook, tmp_path: Path) -> Loanbook:
    """Return a book with a loan of 10,000.00, on 25 February, its first installment paid as payment 2."""
    file = tmp_path / "tape.csv"
    file.write_text(TAPE)
    book("day", "advance", "2026-01-15")
    book("board", str(file))
    book("day", "advance", "2026-02-25")
    book("loan", "pay", ids(book)[0], "888.49", "--id", "P-1", "--effective-date", "2026-02-15", "--method", "card")
    return book


def test_a_credit_says_where_it_went(lender: Loanbook) -> None:
    first = ids(lender)[0]
    give = ("credit", first, "50", "--kind", "goodwill", "--reason", "Complaint 17")

    tried = lender(*give, "--dry-run", "--json").json
    out = lender(*give).out

    # docs/spec/credits.md.
    assert (tried["allocation"]["interest"], tried["allocation"]["principal"]) == ("30.29", "19.71")
    assert "of 50.00, 2026-02-25: principal 19.71, interest 30.29" in out
    assert "goodwill_credited" in out
    merchant = ("credit", first, "1000", "--kind", "merchant_refund", "--reason", "Returned", "--json")
    assert lender(*merchant).json["balances"]["principal"] == "8193.72"


def test_a_chargeback_shows_what_is_owed_again(lender: Loanbook) -> None:
    first = ids(lender)[0]

    out = lender("chargeback", first, "2", "300", "--reason", "Dispute 4711").out

    assert "payment_charged_back" in out
    assert "principal 9,513.43" in out
    refused = lender("chargeback", first, "2", "588.50", "--reason", "More", "--json", expect=2).refusal
    assert refused["code"] == "chargeback-exceeds-payment"
