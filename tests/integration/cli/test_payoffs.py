"""`loanbook payoff` and `refund`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook
from tests.integration.cli.test_loans import TAPE, ids


@pytest.fixture
def lender(book: Loanbook, tmp_path: Path) -> Loanbook:
    """Return a book with a loan of 10,000.00, on 20 February, its first installment paid."""
    file = tmp_path / "tape.csv"
    file.write_text(TAPE)
    book("day", "advance", "2026-01-15")
    book("board", str(file))
    book("day", "advance", "2026-02-20")
    book("loan", "pay", ids(book)[0], "888.49", "--id", "P-1", "--effective-date", "2026-02-15")
    return book


def test_a_quote_is_tried_given_listed_and_paid(lender: Loanbook) -> None:
    first = ids(lender)[0]
    ask = ("payoff", "quote", first, "--good-through", "2026-02-28")

    tried = lender(*ask, "--dry-run", "--json").json
    assert lender("payoff", "list", first, "--json").json["payoff_quotes"] == []
    given = lender(*ask, "--json").json

    # docs/spec/payoff.md.
    assert (given["total"], given["per_diem"], given["status"]) == ("9252.81", "3.02", "open")
    assert tried["total"] == given["total"]
    assert "9,252.81" in lender("payoff", "list", first).out
    assert "good through" in lender(*ask).out
    lender("day", "advance", "2026-02-28")
    paid = lender("payoff", "pay", first, "9252.81", "--id", "P-9", "--quote", "1", "--json").json
    assert (paid["status"], paid["missing"], paid["quote_id"]) == ("paid_off", {}, 1)
    # The product withholds an origination fee of 3%, which nothing amortizes yet.
    assert [row["slug"] for row in paid["left"] if row["slug"] != "deferred_origination_fees"] == []


def test_people_read_what_is_missing_and_what_is_left(lender: Loanbook) -> None:
    first = ids(lender)[0]
    short = lender("payoff", "pay", first, "9000", "--id", "P-8").out
    assert "Missing: principal 228.57" in short
    over = lender("payoff", "pay", first, "300", "--id", "P-9").out
    assert "Unapplied payments" in over
    assert "paid_off" in over
    back = lender("refund", first, "71.43", "--reason", "Overpaid").out
    assert "refund_sent" in back
    assert "unapplied 0.00" in back
    refused = lender("refund", first, "0.01", "--credit-balance", expect=2)
    assert "more than the 0.00 USD that can be refunded" in refused.err
