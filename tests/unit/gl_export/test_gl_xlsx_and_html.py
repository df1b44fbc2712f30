"""Reports as workbooks and pages, read back by software that is not ours."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from openpyxl import load_workbook

from gl_export import charts
from gl_export.html import to_html
from gl_export.rendering import Cell, Column, Kind, Report, Stamp
from gl_export.xlsx import to_xlsx
from ledger.money import Money, Total

STAMP = Stamp("MAIN", date(2026, 10, 31), 7, "ab" * 32)
COLUMNS = (
    Column("account", "Account"),
    Column("currency", "Currency"),
    Column("day", "Day", Kind.DATE),
    Column("count", "Count", Kind.INTEGER),
    Column("amount", "Amount", Kind.AMOUNT),
)


def money(text: str, currency: str = "USD") -> Money:
    return Money.parse(text, currency)


def a_report(rows: Sequence[tuple[Cell, ...]], totals: Sequence[tuple[Cell, ...]] = (), name: str = "trial") -> Report:
    return Report(name, "A trial", STAMP, COLUMNS, tuple(rows), tuple(totals))


ROWS = (
    ("1020", "USD", date(2026, 10, 1), 3, money("1234.50")),
    ("=1+1", "USD", date(2026, 10, 2), 4, money("-0.05")),
    ("1020", "JPY", date(2026, 10, 3), 5, money("700", "JPY")),
)
TOTALS = (("Total", "USD", None, None, money("1234.45")), ("Total", "JPY", None, None, money("700", "JPY")))


def opened(content: bytes, *, formulas: bool) -> Any:
    return load_workbook(io.BytesIO(content), data_only=not formulas)


def test_cells_have_types_and_no_text_becomes_a_formula() -> None:
    sheet = opened(to_xlsx((a_report(ROWS, TOTALS),), title="T"), formulas=True)["Trial"]

    day = datetime(2026, 10, 1)  # noqa: DTZ001 - a spreadsheet knows no zones
    assert [sheet.cell(2, place).value for place in range(1, 6)] == ["1020", "USD", day, 3, 1234.5]
    assert (sheet["A3"].value, sheet["A3"].data_type) == ("=1+1", "s")
    assert sheet["E2"].number_format.startswith("#,##0.00")
    assert sheet["E4"].number_format.startswith("#,##0;")
    assert sheet["C2"].number_format == "yyyy-mm-dd"
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:E4")


def test_totals_are_formulas_that_agree_with_their_values() -> None:
    content = to_xlsx((a_report(ROWS, TOTALS),), title="T")
    formulas, values = opened(content, formulas=True)["Trial"], opened(content, formulas=False)["Trial"]

    assert formulas["E6"].value == '=SUMIF(B2:B4,"USD",E2:E4)'
    assert formulas["E7"].value == '=SUMIF(B2:B4,"JPY",E2:E4)'
    # Computed by hand from the cells that the formulas name.
    summed = {
        code: sum(Decimal(str(values.cell(row, 5).value)) for row in (2, 3, 4) if values.cell(row, 2).value == code)
        for code in ("USD", "JPY")
    }
    assert (values["E6"].value, values["E7"].value) == (1234.45, 700)
    assert summed == {"USD": Decimal("1234.45"), "JPY": Decimal(700)}


def test_a_total_that_the_rows_do_not_make_is_no_formula() -> None:
    wrong = (("Total", "USD", None, None, money("1.00")),)

    sheet = opened(to_xlsx((a_report(ROWS, wrong),), title="T"), formulas=True)["Trial"]

    assert sheet["E6"].value == 1


def test_an_amount_of_more_digits_than_a_spreadsheet_keeps_is_text() -> None:
    rows = (("1020", "USD", date(2026, 10, 1), 1, Total(1234567890123456, "USD")),)

    sheet = opened(to_xlsx((a_report(rows),), title="T"), formulas=True)["Trial"]

    assert sheet["E2"].value == "12345678901234.56"


def test_the_first_sheet_tells_what_the_others_rest_on() -> None:
    report = a_report(ROWS)

    sheet = opened(to_xlsx((report,), title="Close of MAIN"), formulas=False)["About"]

    told = [cell.value for cell in sheet[4]]
    assert sheet["A1"].value == "Close of MAIN"
    assert (told[0], told[1], told[2], told[4], told[5], told[7]) == (
        "Trial",
        "A trial",
        "MAIN",
        "2026-10-31",
        "7",
        "3",
    )
    assert told[8] == report.digest


def test_the_same_reports_give_the_same_bytes() -> None:
    assert to_xlsx((a_report(ROWS, TOTALS),), title="T") == to_xlsx((a_report(ROWS, TOTALS),), title="T")
    assert to_html((a_report(ROWS, TOTALS),), title="T") == to_html((a_report(ROWS, TOTALS),), title="T")


class Texts(HTMLParser):
    """Collects the cells of all tables, and every tag that would run or fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.active: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag in ("script", "link", "img", "iframe") or any(name.startswith("on") for name in names):
            self.active.append(tag)
        self._open = tag == "td"

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.cells.append(data)


def test_a_page_shows_every_cell_escaped_and_runs_nothing() -> None:
    rows = (("<script>alert(1)</script>", "USD", date(2026, 10, 1), 3, money("1234.50")),)
    report = a_report(rows, TOTALS[:1])

    page = to_html((report,), title="<T>").decode()
    found = Texts()
    found.feed(page)

    assert found.active == []
    assert found.cells == [
        "<script>alert(1)</script>",
        "USD",
        "2026-10-01",
        "3",
        "1,234.50",
        "Total",
        "USD",
        "1,234.45",
    ]
    assert report.digest in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_long_table_says_what_it_leaves_out() -> None:
    page = to_html((a_report(ROWS[:1] * 1_003),), title="T").decode()

    assert "1,003 rows, of which 3 are left out here" in page
    assert page.count("<tr>") == 1_001


def named(svg: str) -> str | None:
    """Return the title of a chart, which is sound XML."""
    return ElementTree.fromstring(svg).findtext("{http://www.w3.org/2000/svg}title")  # noqa: S314 - our own text


def heights(svg: str) -> list[Decimal]:
    return [Decimal(each) for each in re.findall(r'<rect [^>]*height="([0-9.]+)"', svg)]


def test_bars_are_as_tall_as_their_figures() -> None:
    svg = charts.bars("Past due", ["1-29", "30-59"], [Decimal(100), Decimal(50)])

    tall, half = heights(svg)
    assert abs(tall - 2 * half) <= Decimal("0.2")
    assert named(svg) == "Past due"


def test_a_waterfall_ends_where_it_should() -> None:
    svg = charts.waterfall("1210", Decimal(100), [("Funded", Decimal(60)), ("Paid", Decimal(-40))], Decimal(120))
    tops = [Decimal(each) for each in re.findall(r'<rect [^>]*y="([0-9.]+)"', svg)]
    sizes = heights(svg)

    # The payment's bar ends at the level on which the closing begins.
    assert abs((tops[2] + sizes[2]) - tops[3]) <= Decimal("0.2")
    assert len(sizes) == 4


@pytest.mark.parametrize("values", [(), (None,), (Decimal(1),), (Decimal(0), None, Decimal("2.5"))])
def test_curves_leave_out_what_is_not_there(values: tuple[Decimal | None, ...]) -> None:
    svg = charts.curves("Vintages", [str(place) for place in range(len(values))], [charts.Series("<a>", values)])

    assert svg.count("<circle") == sum(value is not None for value in values)
    assert named(svg) == "Vintages"


@pytest.mark.parametrize(
    ("highest", "steps"),
    [
        ("84532.83", ["0", "50,000", "100,000"]),
        ("12739024.94", ["0", "5,000,000", "10,000,000", "15,000,000"]),
        ("11.77", ["0", "5", "10", "15"]),
        ("0", ["0.0", "0.5"]),
    ],
)
def test_lines_stand_at_round_figures(highest: str, steps: list[str]) -> None:
    svg = charts.bars("Past due", ["1-29"], [Decimal(highest)])

    assert re.findall(r'text-anchor="end">([^<]+)<', svg) == steps
