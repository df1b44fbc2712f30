"""Files of the GL: trial balances and postings as CSV and XLSX, read by a map, refused with row and column."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from gl_export.errors import GLMapInvalid
from gl_export.gl_file import OWN_COLUMNS, GLFileMap, GLRow, StatementKind, parse_gl_map, read_gl_file
from ledger.errors import MalformedRow
from ledger.money import Money

SUITE = """
columns = { gl_account = "Account", amount = "Amount (USD)", posting_date = "Date", reference = "Doc" }
days = ["MM/DD/YYYY"]
money_signs = ["$"]
"""


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def read(tmp_path: Path, text: str, columns: GLFileMap | None = None) -> tuple[GLRow, ...]:
    path = tmp_path / "gl.csv"
    path.write_text(text, encoding="utf-8")
    return read_gl_file(path, "gl.csv", columns or GLFileMap(), currency="USD")


def test_a_trial_balance_needs_no_map(tmp_path: Path) -> None:
    found = read(tmp_path, 'gl_account,debit,credit\n1020,"1,234.50",\n2010,,1234.50\nTotal,1234.50,1234.50\n')

    assert found == (GLRow(2, "1020", usd("1234.50")), GLRow(3, "2010", usd("-1234.50")))


def test_postings_with_titles_signs_and_parentheses_above_them(tmp_path: Path) -> None:
    columns = parse_gl_map(SUITE)
    text = "The lender\n\nDate,Doc,Account,Amount (USD)\n10/31/2026,J1,1020,$5.00\n11/01/2026,,1210,(7.25)\n"

    found = read(tmp_path, text, columns)

    assert columns.kind is StatementKind.DETAIL
    assert found == (
        GLRow(4, "1020", usd("5.00"), date(2026, 10, 31), "J1"),
        GLRow(5, "1210", usd("-7.25"), date(2026, 11, 1)),
    )


def test_a_workbook_says_the_same(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["gl_account", "debit", "credit"], ["1020", 1234.5, None], [2010, None, 1234.5]):
        sheet.append(row)
    book.save(tmp_path / "gl.xlsx")

    found = read_gl_file(tmp_path / "gl.xlsx", "gl.xlsx", GLFileMap(), currency="USD")

    assert [(row.gl_account, row.amount) for row in found] == [("1020", usd("1234.50")), ("2010", usd("-1234.50"))]


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("gl_account,debit\n1020,1\n", 1, "header"),
        ("gl_account,debit,credit\n,1,\n", 2, "gl_account"),
        ("gl_account,debit,credit\n1020,1.234,\n", 2, "debit"),
        ("gl_account,debit,credit\n1020,1,\n1020,,many\n", 3, "credit"),
        ("gl_account,debit,credit\n1020,1\n", 2, "row"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, text: str, row: int, column: str) -> None:
    with pytest.raises(MalformedRow) as refused:
        read(tmp_path, text)

    assert (refused.value.file, refused.value.row, refused.value.field) == ("gl.csv", row, column)


def test_a_day_in_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedRow, match="MM/DD/YYYY"):
        read(tmp_path, "Date,Doc,Account,Amount (USD)\n2026-10-31,J1,1020,5.00\n", parse_gl_map(SUITE))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("columns = 1", "columns"),
        ("sheets = 1", "sheets"),
        ("[", "the file"),
        ('columns = { debit = "d", credit = "c" }', "columns.gl_account"),
        ('columns = { gl_account = "a", amount = "b", debit = "c" }', "columns.amount"),
        ('columns = { gl_account = "a", debit = "c" }', "columns"),
        ('columns = { gl_account = "a", amount = "a" }', "columns"),
        ('days = ["DD"]', "days"),
    ],
)
def test_a_bad_map_is_refused(text: str, place: str) -> None:
    with pytest.raises(GLMapInvalid) as refused:
        parse_gl_map(text)

    assert refused.value.place == place


def test_a_map_without_anything_is_the_plain_trial_balance() -> None:
    assert parse_gl_map("").columns == OWN_COLUMNS
