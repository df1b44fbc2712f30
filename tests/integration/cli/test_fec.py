"""`loanbook export fec`: the French file of a year, read by its published rules."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from tests.integration.cli.conftest import Loanbook, post

SIREN = "732829320"


def lines_of(file: Path) -> list[dict[str, str]]:
    heading, *rows = file.read_text(encoding="utf-8").splitlines()
    names = heading.split("\t")
    assert len(names) == 18
    return [dict(zip(names, row.split("\t"), strict=True)) for row in rows]


def amount(text: str) -> Decimal:
    assert "." not in text
    return Decimal(text.replace(",", "."))


def test_a_year_is_written_by_the_rules(book: Loanbook, tmp_path: Path) -> None:
    post(book, "1020", "3010", "5000.00", "--narration", "Capital\tpaid in")
    book("day", "advance", "2026-03-10")
    post(book, "5200", "1020", "120.50", "--narration", "Agency")
    book("seal")
    post(book, "5200", "1020", "1.00", "--narration", "Not sealed")

    told = book("export", "fec", "2026", "--siren", SIREN, "--out", str(tmp_path), "--json").json
    found = lines_of(tmp_path / f"{SIREN}FEC20261231.txt")

    assert told["lines"] == 4
    assert [line["EcritureNum"] for line in found] == ["1", "1", "2", "2"]
    assert [line["EcritureDate"] for line in found] == ["20260101", "20260101", "20260310", "20260310"]
    assert [(line["CompteNum"], line["Debit"], line["Credit"]) for line in found] == [
        ("1020", "5000,00", "0,00"),
        ("3010", "0,00", "5000,00"),
        ("5200", "120,50", "0,00"),
        ("1020", "0,00", "120,50"),
    ]
    assert "Capital paid in" in found[0]["EcritureLib"]
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in found:
        sums[line["EcritureNum"]] += amount(line["Debit"]) - amount(line["Credit"])
        assert line["CompteNum"][:3].isdigit()
        assert len(line["ValidDate"]) == 8
    assert set(sums.values()) == {Decimal(0)}


def test_what_the_law_does_not_take_is_refused(book: Loanbook, tmp_path: Path) -> None:
    book("day", "advance", "2026-03-10")
    post(book, "5200", "1020", "120.50", "--narration", "Agency")
    book("day", "advance", "2027-01-05")
    book("seal")

    number = book("export", "fec", "2026", "--siren", "12", "--out", str(tmp_path), "--json", expect=2).refusal
    not_closed = book("export", "fec", "2027", "--siren", SIREN, "--out", str(tmp_path), "--json", expect=2).refusal

    assert (number["code"], number["place"]) == ("fec-refused", "siren")
    assert "close the year before" in not_closed["message"]
    assert list(tmp_path.iterdir()) == []
