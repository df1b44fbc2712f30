"""`loanbook audit`: tests, samples, digits and people, as an auditor sees them."""

from __future__ import annotations

import csv
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook, post

JANUARY = ("--from", "2026-01-01", "--to", "2026-01-31")


@pytest.fixture
def january(book: Loanbook) -> Loanbook:
    """Return a book with a capital of 5,000.00, two equal bills on a Saturday, and one that was taken back."""
    post(book, "1020", "3010", "5000.00", "--narration", "Capital paid in")
    book("day", "advance", "2026-01-10")
    post(book, "5200", "1020", "120.50", "--narration", "Agency")
    post(book, "5200", "1020", "120.50", "--narration", "Agency again")
    post(book, "5200", "1020", "31.00", "--narration", "Wrong")
    book("entry", "reverse", "1", "4")
    book("seal")
    book("day", "advance", "2026-02-02")
    post(book, "5200", "1020", "9.99", "--narration", "February")
    return book


def test_the_entries_of_a_month_are_tested(january: Loanbook) -> None:
    found = {row["test"]: row for row in january("audit", "tests", *JANUARY, "--json").json["tests"]}
    shown = january("audit", "tests", *JANUARY).out

    assert {name: row["entries"] for name, row in found.items() if row["entries"] and "night" not in name} | {
        "recorded_on_weekend": 0
    } == {
        "manual": 4,
        "approved": 4,
        "weekend": 4,
        "reversal": 1,
        "round": 1,
        "duplicate": 2,
        "recorded_on_weekend": 0,
    }
    assert found["duplicate"]["total"] == "241.00"
    assert "5 entries, 5,303.00 USD" in shown
    assert "40.0%" in shown
    listed = january("audit", "tests", *JANUARY, "--show", "duplicate", "--json").json["entries"]
    assert [entry["entry_no"] for entry in listed] == [2, 3]
    refused = january("audit", "tests", *JANUARY, "--show", "hunch", "--json", expect=2).refusal
    assert refused["code"] == "text-refused"
    assert january("audit", "tests", *JANUARY, "--round", "120.50", "--json").json["tests"][8]["entries"] == 2


def test_a_sample_is_drawn_again_by_its_seed(january: Loanbook) -> None:
    drawing = ("audit", "sample", *JANUARY, "--size", "2", "--seed", "7", "--json")
    by_money = january("audit", "sample", *JANUARY, "--by", "monetary", "--size", "3", "--seed", "7", "--json").json
    large = january("audit", "sample", *JANUARY, "--by", "threshold", "--threshold", "120.50", "--json").json

    first = january(*drawing).json
    assert first == january(*drawing).json
    assert (first["population"], first["total"], len(first["entries"])) == (5, "5303.00", 2)
    # Worked in docs/spec/audit.md: all three units lie in the capital.
    assert (by_money["interval"], by_money["start"]) == ("1767.66", "854.33")
    assert [(each["entry_no"], each["hits"]) for each in by_money["entries"]] == [(1, 3)]
    assert [each["entry_no"] for each in large["entries"]] == [1, 2, 3]
    assert "begins at" in january("audit", "sample", *JANUARY, "--by", "monetary", "--size", "3", "--seed", "7").out
    assert "needs --size and --seed" in january("audit", "sample", *JANUARY, expect=2).err
    assert "needs --threshold" in january("audit", "sample", *JANUARY, "--by", "threshold", expect=2).err


def test_digits_and_people_are_shown(january: Loanbook) -> None:
    digits = january("audit", "digits", *JANUARY, "--json").json
    people = {row["person"]: row for row in january("audit", "people", *JANUARY, "--json").json["people"]}

    assert [row["entries"] for row in digits["digits"]] == [2, 0, 2, 0, 1, 0, 0, 0, 0]
    assert (digits["mean_deviation"], digits["verdict"]) == ("0.10997", "no conformity")
    assert "Mean deviation" in january("audit", "digits", *JANUARY).out
    assert (people["bob"]["booked"], people["bob"]["by_hand"], people["bob"]["total"]) == (5, 4, "5303.00")
    assert people["carol"]["approved"] == 4
    assert "carol" in january("audit", "people", *JANUARY).out


def test_what_was_known_at_a_block_is_tested_alone(january: Loanbook) -> None:
    both = ("audit", "tests", "--from", "2026-01-01", "--to", "2026-02-28")

    assert january(*both, "--json").json["entries"] == 6
    assert january(*both, "--known-at", "1", "--json").json["entries"] == 5


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_package_proves_itself_to_whoever_has_no_database(january: Loanbook, tmp_path: Path) -> None:
    january("export", "--out", str(tmp_path / "gl"))
    period = ("--from", "2026-01-02", "--to", "2026-01-31")
    told = january("audit", "package", str(tmp_path / "a"), *period, "--json").json
    post(january, "5200", "1020", "1.00", "--narration", "Later")
    january("seal")
    january("audit", "package", str(tmp_path / "b"), *period, "--known-at", str(told["block_no"]))

    folder = tmp_path / "a"
    names = sorted(path.name for path in folder.iterdir())
    assert {name: (folder / name).read_bytes() for name in names} == {
        path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()
    }
    moved: dict[str, int] = defaultdict(int)
    for row in rows_of(folder, "gl_detail"):
        assert (int(row["Amount"]) > 0) == (row["Amount_Credit_Debit_Indicator"] == "D")
        moved[row["GL_Account_Number"]] += int(row["Amount"])
    balances = rows_of(folder, "trial_balance")
    # Of 5,000.00 paid in on the first, 120.50 twice and 31.00 went out on the tenth, and 31.00 came back.
    assert {row["GL_Account_Number"]: int(row["Amount_Ending"]) for row in balances} == {
        "1020": 475900,
        "3010": -500000,
        "5200": 24100,
    }
    for row in balances:
        beginning, ending = int(row["Amount_Beginning"]), int(row["Amount_Ending"])
        assert beginning + int(row["Amount_Debits"]) - int(row["Amount_Credits"]) == ending
        assert ending - beginning == moved[row["GL_Account_Number"]]
    for name in ("gl_detail", "trial_balance", "chart_of_accounts", "periods", "seals", "gl_batches"):
        described = [row["Column"] for row in rows_of(folder, "data_dictionary") if row["Table"] == name]
        with (folder / f"{name}.csv").open(encoding="utf-8") as file:
            assert file.readline().strip().split(",") == described
    assert [row["Reversal_Of"] for row in rows_of(folder, "gl_detail") if row["Reversal_Of"]] == ["1-4", "1-4"]
    assert (
        subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=folder, check=False, capture_output=True).returncode
        == 0
    )
    assert january("evidence", "verify", str(folder / "evidence.zip")).exit_code == 0


def test_a_package_is_written_whole_or_not_at_all(january: Loanbook, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()

    refused = january("audit", "package", str(tmp_path / "there"), *JANUARY, "--json", expect=2).refusal
    backwards = january(
        "audit", "package", str(tmp_path / "x"), "--from", "2026-01-31", "--to", "2026-01-01", "--json", expect=2
    ).refusal

    assert (refused["code"], backwards["code"]) == ("audit-package-refused", "date-range-backwards")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "there") == []
