"""`loanbook fee`, `waive`, `write-off`, `loan events` and the reversal of any event."""

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


def test_a_fee_is_tried_charged_waived_and_reversed(lender: Loanbook) -> None:
    first = ids(lender)[0]
    ask = ("fee", first, "30.00", "--id", "F-1", "--kind", "document")

    tried = lender(*ask, "--dry-run", "--json").json
    assert lender("loan", first, "--json").json["fees"] == []
    done = lender(*ask, "--json").json

    assert tried["balances"]["fees"] == done["balances"]["fees"] == "30.00"
    waive = ("waive", first, "10", "--of", "F-1", "--reason", "Bank holiday")
    assert "needs the approval of a second person" in lender(*waive, expect=2).err
    waived = lender(*waive, "--approver", "ben").out
    assert "Bank holiday" in waived
    assert "fees 20.00" in waived
    events = lender("loan", "events", first, "--json").json["events"]
    assert [(event["kind"], event.get("fee_id")) for event in events] == [
        ("funded", None),
        ("fee", "F-1"),
        ("waiver", "F-1"),
    ]
    assert "waiver" in lender("loan", "events", first).out
    reversed_ = lender("loan", "reverse", first, str(events[2]["event_no"]), "--reason", "Wrong loan").out
    assert "event_reversed" in reversed_
    assert "fees 30.00" in reversed_


def test_people_see_buckets_fees_and_what_to_review(lender: Loanbook) -> None:
    first = ids(lender)[0]
    lender("fee", first, "12", "--id", "F-2", "--penalty", "--due", "2026-03-15")
    lender("waive", first, "12", "--of", "penalties", "--reason", "Ours", "--approver", "ben")
    lender("loan", "reverse", first, "2", "--reason", "Ours too")

    shown = lender("loan", first).out

    assert "In advance" in shown
    assert "To be reviewed" in shown
    lender("fee", first, "12", "--id", "F-3", "--penalty", "--due", "2026-03-15")
    # The waiver was of all penalties and fits again, but for the order of the day: it came before this fee.
    again = lender("loan", first, "--json").json
    assert (again["balances"]["penalties"], again["installments"][1]["penalties"]) == ("12.00", "12.00")
    assert "F-3" in lender("loan", first).out


def test_a_small_balance_is_the_product_s_to_say(lender: Loanbook) -> None:
    first = ids(lender)[0]
    assert "the product has up to 0.00" in lender("write-off", first, "--reason", "Too much work", expect=2).err
