"""`loanbook bank`: a statement comes in, what is sure is settled, the rest is work for a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook
from tests.integration.cli.test_check import first
from tests.integration.cli.test_loans import TAPE

BANK_MAP = """
account = "0123456789"
currency = "USD"
columns = { booking_date = "Date", amount = "Amount", text = "Description" }
"""


@pytest.fixture
def paid(book: Loanbook, tmp_path: Path) -> Loanbook:
    """Return a book with a loan that paid 888.49 by ACH under the name P-1001, and a bank's file of its days."""
    (tmp_path / "tape.csv").write_text(TAPE)
    (tmp_path / "bank.toml").write_text(BANK_MAP)
    book("day", "advance", "2026-01-15")
    book("board", str(tmp_path / "tape.csv"))
    book("day", "advance", "2026-02-15")
    for day in ("2026-01-02", "2026-01-15"):
        book("settle", day)
    book("loan", "pay", first(book), "888.49", "--method", "ach", "--id", "P-1001")
    book("day", "advance", "2026-02-18")
    return book


def take(loanbook: Loanbook, tmp_path: Path, *rows: str) -> list[dict[str, object]]:
    file = tmp_path / "bank.csv"
    file.write_text("Date,Description,Amount\n" + "".join(f"{row}\n" for row in rows))
    found: list[dict[str, object]] = loanbook(
        "bank", "import", str(file), "--map", str(tmp_path / "bank.toml"), "--json"
    ).json["statements"]
    return found


def test_what_is_sure_is_settled_and_the_rest_is_work(paid: Loanbook, tmp_path: Path) -> None:
    (taken,) = take(paid, tmp_path, "2026-02-17,ACH CREDIT P-1001,888.49", "2026-02-17,SERVICE CHARGE,-12.00")
    dry = paid("bank", "match", "--dry-run", "--json").json["matches"]
    work = paid("bank", "work", "--json", expect=1).json
    (made,) = paid("bank", "match", "--json").json["matches"]
    left = paid("bank", "work", expect=1).out

    assert (taken["lines"], taken["new_lines"]) == (2, 2)
    assert [(each["rule"], each["score"]) for each in dry] == [("reference", 100)]
    assert [(each["amount"], each["age_days"]) for each in work["lines"]] == [("888.49", 1), ("-12.00", 1)]
    assert [each["why"] for each in work["proposals"]] == ["both bear P-1001, and the amount is the same"]
    assert (made["lines"], len(made["entries"]), made["actor"]) == ([1], 1, "bob")
    assert "SERVICE CHARGE" in left
    assert "P-1001" not in left
    assert [row["match"] for row in paid("bank", "lines", "--json").json["lines"]] == [1, None]
    assert "both bear P-1001" in paid("bank", "matches").out


def test_a_person_confirms_and_undoes(paid: Loanbook, tmp_path: Path) -> None:
    take(paid, tmp_path, "2026-02-17,DEPOSIT,888.49")
    (item,) = [each["item"] for each in paid("bank", "work", "--json", expect=1).json["items"]]

    refused = paid("bank", "confirm", "--line", "9", "--item", item, "--json", expect=2).refusal
    made = paid("bank", "confirm", "--line", "1", "--item", item, "--json").json
    assert paid("bank", "work").exit_code == 0
    told = paid("bank", "undo", "1", "--reason", "Another deposit").out

    assert refused["code"] == "bank-line-unknown"
    assert made["rule"] == "amount"
    assert "1 entries were reversed" in told
    assert len(paid("bank", "work", "--json", expect=1).json["items"]) == 1


def test_a_file_that_is_none_is_refused(paid: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "bank.pdf"
    file.write_bytes(b"%PDF-1.7")

    refused = paid("bank", "import", str(file), "--json", expect=2).refusal

    assert (refused["code"], refused["file"]) == ("bank-statement-wrong", "bank.pdf")
