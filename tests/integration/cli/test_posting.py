"""`loanbook post` and `entry reverse`: journals by hand, by two people, and undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.main import main
from tests.integration.cli.conftest import Loanbook, environment, post
from tests.support.database import Database

ONE_LINE_EACH = ("--debit", "5200", "120.00", "--credit", "1020", "120.00")

FILE = """journal,effective_date,account,debit,credit,currency,narration,source_ref
rent,2026-01-01,5200,1200.00,,USD,Office rent,INV-7
rent,2026-01-01,1020,,1200.00,USD,,
capital,2026-01-01,1020,5000,,USD,Capital paid in,
capital,2026-01-01,3010,,5000,USD,,
"""


def test_a_journal_is_proposed_by_one_and_booked_by_another(book: Loanbook) -> None:
    proposed = book("post", *ONE_LINE_EACH, "--narration", "Agency", "--json").json["journals"][0]
    assert proposed["state"] == "proposed"
    assert book("journal", "--json").json["entries"] == []

    booked = book("post", "approve", str(proposed["journal_id"]), "--actor", "carol", "--json").json

    assert (booked["state"], booked["entry_no"], booked["checker"]) == ("approved", 1, "carol")
    (entry,) = book("journal", "--json").json["entries"]
    assert (entry["actor"], entry["approved_by"], entry["narration"]) == ("bob", "carol", "Agency")


def test_the_maker_cannot_approve(book: Loanbook) -> None:
    number = str(book("post", *ONE_LINE_EACH, "--json").json["journals"][0]["journal_id"])

    assert book("post", "approve", number, "--json", expect=2).refusal["code"] == "approval-missing"
    assert book("post", *ONE_LINE_EACH, "--approver", "bob", "--json", expect=2).refusal["code"] == ("approval-missing")
    assert book("journal", "--json").json["entries"] == []


def test_a_rejected_journal_is_not_booked_later(book: Loanbook) -> None:
    number = str(book("post", *ONE_LINE_EACH, "--json").json["journals"][0]["journal_id"])

    rejected = book("post", "reject", number, "--actor", "carol", "--reason", "Twice", "--json").json

    assert (rejected["state"], rejected["reason"]) == ("rejected", "Twice")
    refusal = book("post", "approve", number, "--actor", "carol", "--json", expect=2).refusal
    assert refusal["code"] == "manual-journal-state"


def test_what_waits_is_listed(book: Loanbook) -> None:
    assert "No journal waits" in book("post", "list").out
    book("post", *ONE_LINE_EACH, "--narration", "Agency")

    assert "Agency" in book("post", "list").out
    assert len(book("post", "list", "--json").json["journals"]) == 1


def test_a_file_of_journals_is_taken_as_a_whole(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "journals.csv"
    file.write_text(FILE)

    done = book("post", "--file", str(file), "--approver", "carol", "--json").json["journals"]

    assert [(journal["entry_no"], journal["narration"]) for journal in done] == [
        (1, "Office rent"),
        (2, "Capital paid in"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        ("1200.00,,USD,Office", "1200.001,,USD,Office", 2),
        (",,5000,USD", ",1,5000,USD", 5),
        (",,5000,USD", ",,,USD", 5),
        ("rent,2026-01-01,1020", "rent,2026-02-30,1020", 3),
        (",5000,,USD", ",5000,,USX", 4),
        (",5000,,USD", ",-5000,,USD", 4),
        (",5000,,USD", ",5 000,,USD", 4),
        (",5000,,USD,Capital paid in,", ",5000", 4),
    ],
)
def test_a_malformed_row_is_named_and_nothing_of_the_file_is_kept(
    book: Loanbook, tmp_path: Path, old: str, new: str, row: int
) -> None:
    file = tmp_path / "journals.csv"
    assert old in FILE
    file.write_text(FILE.replace(old, new, 1))

    refusal = book("post", "--file", str(file), "--json", expect=2).refusal

    assert refusal["code"] == "malformed-row"
    assert refusal["row"] == row
    assert book("post", "list", "--json").json["journals"] == []


def test_a_file_that_does_not_balance_is_refused_with_both_totals(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "journals.csv"
    file.write_text(FILE.replace(",,1200.00,", ",,1200.01,"))

    refusal = book("post", "--file", str(file), "--json", expect=2).refusal

    assert refusal["code"] == "entry-unbalanced"
    assert (refusal["debits"], refusal["credits"], refusal["difference"]) == ("1200.00", "1200.01", "-0.01")
    assert refusal["message"].startswith("journals.csv, row 2, journal rent: debits - credits should be 0.00 USD")


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("rent,2026-01-01,1020", "rent,2026-01-01,9999", "account-unknown", "row 2, journal rent: "),
        (
            "capital,2026-01-01,1020",
            "capital,2026-01-01,1210",
            "control-account-refuses-manual",
            "row 4, journal capital: ",
        ),
        (",2026-01-01,", ",0001-01-01,", "input-malformed", "row 2, journal rent, effective_date: 0001-01-01"),
    ],
)
def test_a_journal_that_is_refused_is_named_with_its_place_in_the_file(
    book: Loanbook, tmp_path: Path, old: str, new: str, code: str, place: str
) -> None:
    file = tmp_path / "journals.csv"
    assert old in FILE
    file.write_text(FILE.replace(old, new))

    refusal = book("post", "--file", str(file), "--json", expect=2).refusal

    assert refusal["code"] == code
    assert refusal["message"].startswith(f"journals.csv, {place}")
    assert book("post", "list", "--json").json["journals"] == []


@pytest.mark.parametrize(
    ("change", "row", "reason"),
    [
        (lambda text: text.replace(",", ";"), 1, "columns are separated by commas"),
        (lambda text: text.replace(",", "\t"), 1, "columns are separated by commas"),
        (lambda text: text.replace("source_ref", "journal", 1), 1, "the column stands twice"),
        (lambda text: text.replace("2026-01-01", "20260101"), 2, "a date is YYYY-MM-DD"),
        (lambda _: "", 1, "the file is empty"),
        (lambda text: text.splitlines()[0] + "\n", 1, "the file has no rows"),
        (lambda text: text + '"capital', 6, "unexpected end of data"),
    ],
)
def test_a_file_of_another_form_is_refused_with_what_is_wrong(
    book: Loanbook, tmp_path: Path, change: Callable[[str], str], row: int, reason: str
) -> None:
    file = tmp_path / "journals.csv"
    file.write_text(change(FILE))

    refusal = book("post", "--file", str(file), "--json", expect=2).refusal

    assert (refusal["code"], refusal["row"]) == ("malformed-row", row)
    assert reason in refusal["reason"]


def test_what_spreadsheets_write_is_read(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "journals.csv"
    text = FILE.replace("Office rent", '"Rent, ""January""\nand\u2028water"')
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())

    rent = book("post", "--file", str(file), "--json").json["journals"][0]

    assert rent["narration"] == 'Rent, "January"\nand\u2028water'
    assert [(line["debit"], line["credit"]) for line in rent["lines"]] == [("1200.00", None), (None, "1200.00")]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"journal\x00"])
def test_standard_input_that_is_no_text_is_refused(book: Loanbook, database: Database, content: bytes) -> None:
    refused = CliRunner(env=environment(database)).invoke(main, ["post", "--file", "-"], input=content)

    assert refused.exit_code == 2
    assert refused.stderr.startswith("error: standard input: ")


def test_a_file_beside_options_that_it_would_not_heed_is_refused(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "journals.csv"
    file.write_text(FILE)

    refused = book("post", "--file", str(file), "--narration", "Rent", "--json", expect=2).refusal

    assert "a file says itself what --narration would" in refused["message"]


def test_a_journal_is_rejected_for_a_reason(book: Loanbook) -> None:
    book("post", "--debit", "5200", "1", "--credit", "1020", "1")

    refused = book("post", "reject", "1", "--actor", "carol", "--reason", " ", "--json", expect=2).refusal

    assert (refused["code"], refused["field"]) == ("text-refused", "reason")


@pytest.mark.parametrize("content", [b"\xff\xfe", b""])
def test_a_file_that_is_no_csv_is_refused(book: Loanbook, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "journals.csv"
    file.write_bytes(content)

    assert book("post", "--file", str(file), "--json", expect=2).refusal["code"] in (
        "file-unusable",
        "malformed-row",
    )


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("--debit", "5200", "1", "--credit", "1020", "2"), "entry-unbalanced"),
        (("--debit", "5200", "0", "--credit", "1020", "0"), "amount-not-positive"),
        (("--debit", "5200", "-1", "--credit", "1020", "-1"), "amount-not-positive"),
        (("--debit", "5200", "0.001", "--credit", "1020", "0.001"), "fractional-minor-unit"),
        (("--debit", "5200", "1e2", "--credit", "1020", "1e2"), "money-malformed"),
        (("--debit", "5200", "1,000", "--credit", "1020", "1,000"), "money-malformed"),
        (("--debit", "5200", "9" * 18, "--credit", "1020", "9" * 18), "amount-out-of-range"),
        (("--debit", "9999", "1", "--credit", "1020", "1"), "account-unknown"),
        (("--debit", "1000", "1", "--credit", "1020", "1"), "account-is-header"),
        (("--debit", "1210", "1", "--credit", "1020", "1"), "control-account-refuses-manual"),
        (("--debit", "1020", "1", "--credit", "1020", "1"), "entry-empty"),
        (("--debit", "5200", "1", "--credit", "1020", "1", "--currency", "EUX"), "currency-unknown"),
    ],
)
def test_a_journal_that_cannot_be_booked_is_refused_and_nothing_is_kept(
    book: Loanbook, lines: tuple[str, ...], code: str
) -> None:
    refused = book("post", *lines, "--approver", "carol", "--json", expect=2)

    assert refused.refusal["code"] == code
    assert len(refused.err.splitlines()) == 1
    assert book("post", "list", "--json").json["journals"] == []
    assert book("journal", "--json").json["entries"] == []


def test_a_refusal_is_one_line_for_people(book: Loanbook) -> None:
    refused = book("post", "--debit", "5200", "1", "--credit", "1020", "2", expect=2)

    assert refused.err == ("error: debits - credits should be 0.00 USD but is -1.00: debits 1.00, credits 2.00\n")
    assert refused.out == ""


def test_a_dry_run_of_a_journal_shows_its_entry_and_keeps_nothing(book: Loanbook) -> None:
    tried = book("post", *ONE_LINE_EACH, "--approver", "carol", "--dry-run", "--json").json

    assert tried["dry_run"] is True
    assert tried["journals"][0]["entry_no"] == 1
    assert book("journal", "--json").json["entries"] == []


def test_an_amount_counts_in_the_currencys_own_decimals(book: Loanbook) -> None:
    journal = post(book, "1020", "3010", "5000", "--currency", "JPY")

    (line, _) = journal["lines"]
    assert (line["debit"], line["currency"]) == ("5000", "JPY")


def test_an_entry_is_reversed_once_and_a_reversal_never(book: Loanbook) -> None:
    post(book, "5200", "1020", "120.00")

    reversal = book("entry", "reverse", "1", "1", "--narration", "Booked twice", "--json").json

    assert (reversal["entry_no"], reversal["reverses_no"]) == (2, 1)
    original = book("entry", "1", "1", "--json").json
    assert original["reversed_by"] == 2
    again = book("entry", "reverse", "1", "1", "--json", expect=2).refusal
    assert (again["code"], again["reversed_by"]) == ("entry-already-reversed", 2)
    assert book("entry", "reverse", "1", "2", "--json", expect=2).refusal["code"] == "reversal-of-reversal"
    assert book("entry", "reverse", "1", "3", "--json", expect=2).refusal["code"] == "entry-unknown"


def test_a_reversal_that_comes_twice_under_its_key_is_one(book: Loanbook) -> None:
    post(book, "5200", "1020", "120.00")

    first = book("entry", "reverse", "1", "1", "--request-key", "undo-7", "--json").json
    second = book("entry", "reverse", "1", "1", "--request-key", "undo-7", "--json").json

    assert first["entry_no"] == second["entry_no"] == 2
    assert (first["replayed"], second["replayed"]) == (False, True)


def test_a_key_that_comes_back_with_another_input_is_refused_by_the_field(book: Loanbook) -> None:
    post(book, "5200", "1020", "120.00")
    post(book, "5200", "1020", "130.00")
    book("entry", "reverse", "1", "1", "--request-key", "undo-7")

    refusal = book("entry", "reverse", "1", "2", "--request-key", "undo-7", "--json", expect=2).refusal

    assert refusal["code"] == "request-key-reused"
    assert refusal["field"]


def test_a_file_that_was_taken_before_is_not_taken_again(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "journals.csv"
    file.write_text(FILE, encoding="utf-8")
    first = book("post", "--file", str(file), "--json").json
    again = book("post", "--file", str(file), "--json").json

    assert again["journals"] == first["journals"]
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert len(book("post", "list", "--json").json["journals"]) == 2
    other = book("post", "--file", str(file), "--request-key", "rent-again", "--json").json
    assert not other["replayed"]
    assert len(book("post", "list", "--json").json["journals"]) == 4


def test_a_file_that_was_refused_may_come_again_when_the_cause_is_gone(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "journals.csv"
    file.write_text(FILE.replace("5200", "5210"), encoding="utf-8")
    assert book("post", "--file", str(file), "--json", expect=2).refusal["code"] == "account-unknown"
    book("account", "open", "5210", "--name", "Rent", "--type", "expense", "--parent", "5000")

    assert not book("post", "--file", str(file), "--json").json["replayed"]


def test_a_request_key_repeats_no_journal_and_takes_no_other_one(book: Loanbook) -> None:
    keyed = (*ONE_LINE_EACH, "--request-key", "agency-march", "--json")
    first, again = book("post", *keyed).json, book("post", *keyed).json
    assert first["journals"] == again["journals"]

    refusal = book("post", *keyed, "--narration", "Another", expect=2).refusal
    assert refusal["code"] == "request-key-reused"


def test_a_journal_of_another_book_is_not_decided_under_a_book_s_name(book: Loanbook) -> None:
    number = str(book("post", *ONE_LINE_EACH, "--json").json["journals"][0]["journal_id"])
    book("init", "--opened-on", "2026-01-01", "--code", "second")

    for decide in (("approve", number), ("reject", number, "--reason", "No")):
        refusal = book("post", *decide, "--actor", "carol", "--book", "second", "--json", expect=2).refusal
        assert refusal["code"] == "manual-journal-unknown"
    book("post", "approve", number, "--actor", "carol", "--book", "main")
