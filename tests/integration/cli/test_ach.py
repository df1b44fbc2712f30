"""`loanbook ach`: files read without a database, and returns taken in with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Loanbook
from tests.support.ach_answers import Answered, answer_file
from tests.support.ach_files import PAYMENTS_FILE, RECORDS, as_file, changed


@pytest.fixture
def payments(tmp_path: Path) -> str:
    """Return the path of a file of payments."""
    file = tmp_path / "payments.ach"
    file.write_bytes(PAYMENTS_FILE)
    return str(file)


def test_a_file_is_shown_with_batches_and_entries(pricing: Loanbook, payments: str) -> None:
    printed = pricing("ach", "read", payments, "--sent").out

    assert "2 batches, 5 entries and addenda, 2 blocks" in printed
    assert "1,240.00" in printed
    assert "JOSE NUNEZ" in printed
    assert "INSTALLMENT OF MARCH" in printed
    assert "744-5678-99" not in printed


def test_a_program_gets_the_same_as_a_document(pricing: Loanbook, payments: str) -> None:
    document = pricing("ach", "read", payments, "--json").json

    assert (document["entry_hash"], document["debits"]) == ("0022400006", "1240.00")
    assert [batch["class"] for batch in document["batches"]] == ["PPD", "WEB"]
    assert document["batches"][1]["entries"][0]["payment_type"] == "R"


def test_a_broken_file_is_refused_in_one_line(pricing: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "broken.ach"
    file.write_bytes(as_file(changed((6, 20, "4"))))

    ran = pricing("ach", "read", str(file), expect=2)
    refusal = pricing("ach", "read", str(file), "--json", expect=2).refusal

    assert ran.out == ""
    assert ran.err == "error: line 6, entry hash: 0011200004 is stated, the entries give 0011200003\n"
    assert (refusal["code"], refusal["line"], refusal["counted"]) == ("ach-hash-differs", 6, "0011200003")


def test_what_is_sent_is_held_to_more(pricing: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "lower.ach"
    file.write_bytes(as_file(tuple(line.replace("LOAN PMT", "Loan Pmt") for line in RECORDS)))

    assert pricing("ach", "read", str(file)).out
    assert "lower-case" in pricing("ach", "read", str(file), "--sent", expect=2).err


def test_a_file_that_is_not_there_is_told(pricing: Loanbook, tmp_path: Path) -> None:
    assert "missing.ach" in pricing("ach", "read", str(tmp_path / "missing.ach"), expect=2).err


def test_codes_are_listed_with_what_follows(pricing: Loanbook) -> None:
    (one,) = pricing("ach", "codes", "r09", "--json").json

    assert (one["name"], one["policy"], one["represent"]) == ("Uncollected funds", "send again", True)
    assert "stop until authorized anew" in pricing("ach", "codes").out
    assert "R99" in pricing("ach", "codes", "R99", expect=2).err


def test_a_file_of_returns_is_taken_and_settled(book: Loanbook, tmp_path: Path) -> None:
    file = tmp_path / "returns.ach"
    file.write_bytes(
        answer_file(
            [Answered("R03", "121042880000001", 12_345), Answered("C02", "121042880000001", corrected="021000021")]
        )
    )

    tried = book("ach", "take", str(file), "--dry-run").out
    taken = book("ach", "take", str(file), "--json").json
    again = book("ach", "take", str(file)).out
    work = book("ach", "work").out
    book("ach", "resolve", "1", "1", "--recovered", "--note", "dishonored as R68")
    refused = book("ach", "resolve", "1", "2", expect=2).err
    book("ach", "resolve", "1", "2", "--note", "corrected by hand")

    assert "nothing was kept" in tried
    assert [item["outcome"] for item in taken["items"]] == ["unmatched", "unmatched"]
    assert "taken before: nothing has changed" in again
    assert "123.45" in work
    assert "--payment" in refused
    assert book("ach", "work", "--json").json == {"items": []}


def test_rates_of_no_debits_are_not_too_high(book: Loanbook) -> None:
    printed = book("ach", "rates").out

    assert "unauthorized" in printed
    assert book("ach", "retries", "--json").json["debits"] == []
