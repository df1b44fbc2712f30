"""Tapes with the columns of their own, in each format: what is read, what is named as wrong, and what can be mended."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from ledger.money import Money
from servicing.boarding_days import BookDays
from servicing.errors import TapeUnreadable
from servicing.product import Product
from servicing.tapes.column_map import OWN_COLUMNS
from servicing.tapes.rows import TapeFile
from servicing.tapes.tape import Tape, drafts_of, open_tape
from servicing.terms import CustomRow, Step
from tests.unit.servicing.tapes.examples import GOOD, HEADER, mistakes_of, tape_of, written

COLUMNS = HEADER.strip().split(",")
BOOK = BookDays("main", date(2026, 1, 1), date(2026, 1, 15))


def refused_again(tape: Tape, path: Path) -> TapeFile:
    """Write the rows of a tape that are refused to an errors file, and return it."""
    with tape.file.refused_to(path) as add:
        for loan in tape.loans():
            if loan.mistakes:
                add(loan.row, loan.mistakes)
    return open_tape(path, OWN_COLUMNS)


def workbook(folder: Path, *rows: list[Any], name: str = "tape.xlsx") -> Path:
    """Write rows into a workbook and return its file."""
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    book.save(folder / name)
    return folder / name


def test_a_tape_is_read_row_by_row_with_its_sums(tmp_path: Path) -> None:
    tape = tape_of(written(tmp_path, HEADER + GOOD + "\n" + GOOD.replace("A,", "B,")))

    loans = list(tape.loans())

    assert [loan.draft.external_id for loan in loans if loan.draft] == ["A", "B"]
    assert [loan.row.number for loan in loans] == [2, 4]
    assert [loan.sums for loan in loans] == [(("principal", 10_000),)] * 2


def test_every_mistake_is_named_by_row_and_column(tmp_path: Path) -> None:
    found = mistakes_of(
        tape_of(
            written(
                tmp_path,
                HEADER
                + "A,100.001,12,12,monthly,2026-01-01,2026-02-01\n"
                + "B,100,12,0,monthly,2026-01-01,2026-02-01\n"
                + "C,1\n"
                + "D,100,twelve,12,monthly,2026-01-01,20260201\n"
                + "E,100,12,12,often,2026-01-01,2026-02-01\n"
                + 'F,"100" 0,12,12,monthly,2026-01-01,2026-02-01\n'
                + GOOD
                + GOOD,
            )
        )
    )

    assert [text.split(":")[0] for text in found] == [
        "row 2, column principal",
        "row 3, column installments",
        "row 4",
        "row 5, column rate",
        "row 5, column first_due_on",
        "row 6, column frequency",
        "row 7",
        "row 8, column external_id",
        "row 9, column external_id",
    ]
    assert found[-1] == "row 9, column external_id: A stands in row 2 already"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "row 1, column external_id: it is missing"),
        (HEADER.replace("rate", "apr"), "row 1, column rate: it is missing"),
        (HEADER.replace("\n", ",colour\n"), "row 1, column colour: unknown"),
        (HEADER.replace("\n", ",rate\n"), "row 1, column rate: it stands twice"),
        (HEADER + '"A', "row 2: unexpected end of data"),
        (HEADER + GOOD.replace("12,12", "12,"), "row 2, column installments: it is missing"),
    ],
)
def test_a_tape_that_is_no_table_of_loans_is_refused(tmp_path: Path, text: str, mistake: str) -> None:
    assert mistake in mistakes_of(tape_of(written(tmp_path, text)))


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (("2026-01-01", "2025-12-31"), "funded_on: 2025-12-31 lies before book main opened on 2026-01-01"),
        (("2026-01-01", "2026-01-16"), "funded_on: 2026-01-16 lies ahead of the business date 2026-01-15"),
        (("2026-02-01", "9999-12-31"), "first_due_on: 9999-12-31 lies outside 1900-01-01 to 2199-12-31"),
        (("2026-02-01", "2126-02-01"), "installments: the last of 12 falls due on 2127-01-01, which lies after"),
    ],
)
def test_the_days_of_a_row_are_held_against_the_book(tmp_path: Path, change: tuple[str, str], mistake: str) -> None:
    (found,) = mistakes_of(tape_of(written(tmp_path, HEADER + GOOD.replace(*change)), book=BOOK))

    assert found.startswith(f"row 2, column {mistake}")


def test_a_byte_order_mark_and_other_line_ends_are_no_part_of_the_text(tmp_path: Path) -> None:
    text = "\N{ZERO WIDTH NO-BREAK SPACE}" + (HEADER + GOOD).replace("\n", "\r\n")

    (draft,) = drafts_of(tape_of(written(tmp_path, text)))

    assert draft.external_id == "A"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe", "byte 1 is not UTF-8"), (b"external_id\0", "NUL"), (None, "No such file")],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "tape.csv"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(TapeUnreadable, match=reason):
        drafts_of(tape_of(file))


def test_an_errors_file_in_csv_gives_rows_back_to_the_letter_and_can_be_mended(tmp_path: Path) -> None:
    bad = [
        '"B ""b""",100.001,12,12,monthly,2026-01-01,2026-02-01',
        "C,1",
        'D,"1" 0,12,12,monthly,2026-01-01,2026-02-01',
    ]
    tape = tape_of(written(tmp_path, HEADER + GOOD + "\n".join(bad) + "\n"))

    refused_again(tape, tmp_path / "errors.csv")

    lines = (tmp_path / "errors.csv").read_text().splitlines()
    assert lines[0] == "mistakes," + HEADER.strip()
    assert [line.partition('",')[2] for line in lines[1:]] == bad
    assert lines[1].startswith('"principal: ')
    again = tmp_path / "again.csv"
    refused_again(tape_of(tmp_path / "errors.csv"), again)
    assert again.read_text().splitlines()[0] == lines[0], "the column of mistakes is not doubled"
    mended = (tmp_path / "errors.csv").read_text().replace("100.001", "100.01")
    drafts = [loan.draft for loan in tape_of(written(tmp_path, mended, "mended.csv")).loans()]
    assert drafts[0] is not None
    assert drafts[0].terms.principal == Money(10_001, "USD")


def test_a_workbook_is_read_as_a_person_sees_it(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(COLUMNS)
    sheet.append(
        [
            "A",
            10000.01,
            0.1065,
            36.0,
            "monthly",
            datetime(2026, 1, 1),  # noqa: DTZ001 - a cell has no zone
            date(2026, 2, 1),
        ]
    )
    sheet.cell(2, 3).number_format = "0.00%"
    sheet.append([])
    sheet.append(["B", 0.1 + 0.2, 12, 12, "monthly", "2026-01-01", "2026-02-01"])
    book.save(tmp_path / "tape.xlsx")

    first, second = drafts_of(tape_of(tmp_path / "tape.xlsx"))

    assert first.terms.principal == Money(1_000_001, "USD")
    assert (first.terms.rate, first.terms.installments) == (Decimal("10.65"), 36)
    assert (first.terms.funded_on, first.terms.first_due_on) == (date(2026, 1, 1), date(2026, 2, 1))
    assert second.terms.principal == Money(30, "USD")


def test_an_errors_file_in_xlsx_keeps_values_and_formats_and_makes_no_formula(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(COLUMNS)
    sheet.append(["=1+1", 100, 0.12, 0, "monthly", date(2026, 1, 1), date(2026, 2, 1)])
    sheet.cell(2, 1).data_type = "s"
    sheet.cell(2, 3).number_format = "0%"
    book.save(tmp_path / "tape.xlsx")

    refused_again(tape_of(tmp_path / "tape.xlsx"), tmp_path / "errors.xlsx")

    written_ = load_workbook(tmp_path / "errors.xlsx").worksheets[0]
    header, row = written_.iter_rows()
    assert [cell.value for cell in header] == ["mistakes", *COLUMNS]
    assert row[0].value == "installments: there must be 1 to 1200"
    assert (row[1].value, row[1].data_type) == ("=1+1", "s")
    assert (row[3].value, row[3].number_format) == (0.12, "0%")
    (loan,) = tape_of(tmp_path / "errors.xlsx").loans()
    assert [mistake.column for mistake in loan.mistakes] == ["installments"]


def test_a_file_that_is_no_workbook_or_lacks_the_sheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TapeUnreadable, match="no workbook"):
        drafts_of(tape_of(written(tmp_path, "A", "tape.xlsx")))


def test_json_lines_keep_the_text_of_numbers_and_take_lists(tmp_path: Path) -> None:
    line = (
        '{"external_id": "A", "principal": 100.10, "rate": 12, "installments": 3, "frequency": "monthly",'
        ' "funded_on": "2026-01-01", "first_due_on": "2026-02-01", "balloon": null}\n\n'
    )

    (draft,) = drafts_of(tape_of(written(tmp_path, line, "tape.jsonl")))

    assert (draft.terms.principal, draft.terms.rate) == (Money(10_010, "USD"), Decimal(12))


def test_json_lines_name_what_is_wrong_by_line(tmp_path: Path) -> None:
    lines = ['{"a": 1}', "[]", "{", '{"rate": 1, "rate": 2}', '{"rate": NaN}', '{"rate": true}']

    found = mistakes_of(tape_of(written(tmp_path, "\n".join(lines), "tape.jsonl")))

    assert "row 1, column a: unknown" in found
    assert "row 1, column external_id: it is missing" in found
    assert "row 2: it is no JSON object" in found
    assert [text.split(":")[0] for text in found if "it is no JSON:" in text] == ["row 3", "row 4", "row 5"]
    assert "row 6, column rate: 'true' is not a percentage such as 12.5" in found


def test_an_errors_file_in_json_lines_can_be_mended(tmp_path: Path) -> None:
    days = '"funded_on": "2026-01-01", "first_due_on": "2026-02-01"'
    good = f'"rate": "12", "installments": 3, "frequency": "monthly", {days}'
    lines = [f'{{"external_id": "A", "principal": 100.001, {good}}}', "{", "{}"]

    refused_again(tape_of(written(tmp_path, "\n".join(lines), "tape.jsonl")), tmp_path / "errors.jsonl")

    first, second, third = (tmp_path / "errors.jsonl").read_text().splitlines()
    assert first.startswith('{"mistakes": ["principal: ')
    assert first.endswith(lines[0][1:])
    assert second.endswith('"line": "{"}')
    assert third.startswith('{"mistakes": ["external_id: it is missing"')
    refused_again(tape_of(tmp_path / "errors.jsonl"), tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_text().splitlines()[0].count("mistakes") == 1
    mended = written(tmp_path, first.replace("100.001", "100.01"), "mended.jsonl")
    (draft,) = drafts_of(tape_of(mended))
    assert draft.terms.principal == Money(10_001, "USD")


def test_steps_and_rows_stand_in_a_column_as_json(tmp_path: Path) -> None:
    lists = {
        "step": '[{"installments": 2, "amount": "10.00"}, {"installments": 10}]',
        "bad": '[{"installments": 2, "color": "red"}]',
        "custom": '[{"due": "2026-02-01", "total": 60.00}, {"due": "2026-03-01"}]',
    }
    quoted = {name: '"' + text.replace('"', '""') + '"' for name, text in lists.items()}
    text = (
        HEADER.replace("\n", ",product,steps,rows\n")
        + GOOD.replace("\n", f",step,{quoted['step']},\n")
        + GOOD.replace("A,", "B,").replace("\n", f",step,{quoted['bad']},nothing\n")
        + GOOD.replace("A,", "C,").replace("12,12", "12,2").replace("\n", f",custom,,{quoted['custom']}\n")
    )
    tape = tape_of(written(tmp_path, text), product_of=lambda name: Product(name=name, amortization=name))

    step, bad, custom = tape.loans()

    assert step.draft is not None
    assert step.draft.terms.steps == (Step(2, Money(1_000, "USD")), Step(10))
    assert [(each.column, each.reason) for each in bad.mistakes] == [
        ("steps", "color is unknown; known are installments, amount"),
        ("rows", "it is not a list of objects in JSON"),
    ]
    assert custom.draft is not None
    assert custom.draft.terms.rows == (
        CustomRow(date(2026, 2, 1), None, Money(6_000, "USD")),
        CustomRow(date(2026, 3, 1)),
    )
