"""`loanbook delinquency`."""

from __future__ import annotations

from pathlib import Path

from tests.integration.cli.conftest import Loanbook
from tests.integration.cli.test_loans import TAPE, ids


def test_the_history_of_a_loan_is_shown_in_ranges_of_days(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "tape.csv"
    file.write_text(TAPE)
    book("day", "advance", "2026-01-15")
    book("board", str(file))
    book("day", "advance", "2026-03-20")
    book("run-day")

    first = ids(book)[0]
    ranges = book("delinquency", "history", first, "--from", "2026-02-01", "--json").json["ranges"]

    assert [(each["from"], each["unpaid_since"]) for each in ranges][:2] == [
        ("2026-01-15", None),
        ("2026-02-16", "2026-02-15"),
    ]
    assert "Unpaid since" in book("delinquency", "history", first).out
