"""Applications as rows of files: texts become values, and mistakes are named by row and column."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from origination.intake.documents import flat
from origination.intake.file_rows import ApplicationFile, open_file
from origination.intake.form import shipped_form
from servicing.tapes.csv_file import CsvFile
from servicing.tapes.json_lines import JsonLinesFile
from servicing.tapes.xlsx_file import XlsxFile
from tests.support.applications import WHOLE, whole

TODAY = date(2026, 1, 5)
AMOUNTS = {"application.amount": "12000.00", "applicant.housing_monthly": "1400.00", "income.annual": "60000.00"}
TEXTS = {"external_id": "F-1", **{path: str(value) for path, value in flat(WHOLE).items()}, **AMOUNTS}


def source(path: Path, product: str = "personal") -> ApplicationFile:
    form = shipped_form(product)
    assert form is not None
    file = JsonLinesFile(path) if path.suffix == ".jsonl" else CsvFile(path)
    return ApplicationFile(file, form, TODAY)


def table(path: Path, *rows: dict[str, str]) -> ApplicationFile:
    lines = [",".join(rows[0])] + [",".join(f'"{value}"' for value in row.values()) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return source(path)


def test_a_row_of_a_table_makes_the_application_of_the_other_channels(tmp_path: Path) -> None:
    (found,) = table(tmp_path / "a.csv", TEXTS).applications()

    assert (found.mistakes, found.external_id) == ((), "F-1")
    assert found.data is not None
    assert found.data["application"] == WHOLE["application"]
    assert found.data["income"] == {"annual": 6_000_000}


@pytest.mark.parametrize("as_sections", [True, False])
def test_a_line_of_json_may_have_sections_or_paths(tmp_path: Path, as_sections: bool) -> None:
    path = tmp_path / "a.jsonl"
    data = whole()
    data["application"]["amount"] = 12000.00
    data["applicant"]["housing_monthly"], data["income"]["annual"] = "1400.00", 60000
    row = {"external_id": "F-1", **(data if as_sections else TEXTS)}
    path.write_text(json.dumps(row) + "\n")

    (found,) = source(path).applications()

    assert found.mistakes == ()
    assert found.data is not None
    assert found.data["application"] == WHOLE["application"]
    assert found.data["applicant"]["housing_monthly"] == 140_000


def test_a_workbook_is_read_like_a_table(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(TEXTS))
    sheet.append(list(TEXTS.values()))
    book.save(tmp_path / "a.xlsx")
    form = shipped_form("personal")
    assert form is not None

    (found,) = ApplicationFile(open_file(tmp_path / "a.xlsx"), form, TODAY).applications()

    assert found.mistakes == ()
    assert found.data is not None
    assert found.data["application"] == WHOLE["application"]


@pytest.mark.parametrize(
    ("name", "kind"), [("a.csv", CsvFile), ("a.tsv", CsvFile), ("a.jsonl", JsonLinesFile), ("a.xlsx", XlsxFile)]
)
def test_a_file_has_the_format_of_its_ending(name: str, kind: type) -> None:
    assert isinstance(open_file(Path(name)), kind)


def test_every_mistake_of_every_row_is_named_and_no_personal_value_is_shown(tmp_path: Path) -> None:
    wrong = {**TEXTS, "external_id": "F-1", "application.amount": "12,000", "applicant.ssn": "123-45-678X"}
    rows = list(table(tmp_path / "a.csv", TEXTS, wrong, {**TEXTS, "external_id": " "}).applications())

    assert [[(each.row, each.column) for each in found.mistakes] for found in rows] == [
        [],
        [(3, "external_id"), (3, "applicant.ssn"), (3, "application.amount")],
        [(4, "external_id")],
    ]
    told = {each.column: each.value for each in rows[1].mistakes}
    assert told == {"external_id": "F-1", "applicant.ssn": None, "application.amount": "12,000"}


def test_columns_that_are_missing_or_unknown_are_named_before_any_row(tmp_path: Path) -> None:
    without = {name: text for name, text in TEXTS.items() if name not in ("external_id", "income.annual")}
    found = table(tmp_path / "a.csv", {**without, "income.anual": "1.00"}).header_mistakes()

    assert [(each.column, each.reason) for each in found] == [
        ("external_id", "it is missing"),
        ("income.anual", "there is no such field"),
        ("income.annual", "it is missing"),
    ]


def test_a_value_where_a_section_should_be_is_a_mistake_of_the_row(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({**TEXTS, "income": "much", "x.y": "1"}) + "\n")

    (found,) = source(path).applications()

    assert {each.column for each in found.mistakes} == {"income", "x"}
