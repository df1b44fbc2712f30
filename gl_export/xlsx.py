"""Reports as a workbook: a sheet about them all, then one for each, with typed cells and totals as formulas.

Amounts are numbers with the decimals of their currency, days are days, texts stay texts whatever they begin with. A
total is a formula where the rows add up to it, its value stored beside it, so that programs that compute nothing show
the same. The same reports give the same bytes. Never: a clock.
Next: `gl_export/rendering.py`; `gl_export/html.py`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from gl_export.rendering import STAMP_COLUMNS, Cell, Report, for_files
from ledger.money import Currency, Money

MOST_ROWS = 1_000_000
"""A sheet holds 1,048,576 rows."""
EXACT_DIGITS = 15
"""A spreadsheet keeps so many digits of a number; a longer amount stands as text."""
MADE_ON = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook's own stamp has no zone
SHEET_NAME = 31
FIRST_ROW = 1
OPTIONS = {
    "in_memory": True,
    "constant_memory": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def to_xlsx(reports: Sequence[Report], *, title: str) -> bytes:
    """Return a workbook of reports; one that has more rows than a sheet holds is named on the first sheet alone."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, OPTIONS)
    book.set_properties({"title": title, "created": MADE_ON})
    _about(book, book.add_worksheet("About"), reports, title)
    for report in reports:
        if len(report.rows) <= MOST_ROWS:
            _Sheet(book, book.add_worksheet(sheet_name(report)), report).write()
    book.close()
    return content.getvalue()


def sheet_name(report: Report) -> str:
    """Return the name of a report's sheet, as long as a spreadsheet allows."""
    return report.name.replace("_", " ").capitalize()[:SHEET_NAME]


def _about(book: xlsxwriter.Workbook, sheet: Worksheet, reports: Sequence[Report], title: str) -> None:
    bold = book.add_format({"bold": True})
    sheet.write_string(0, 0, title, bold)
    head = ("Sheet", "Title", *(column.heading for column in STAMP_COLUMNS), "Rows", "SHA-256 of its CSV")
    for place, text in enumerate(head):
        sheet.write_string(2, place, text, bold)
    for row, report in enumerate(reports, start=3):
        stamp = [for_files(getattr(report.stamp, column.name)) for column in STAMP_COLUMNS]
        where = sheet_name(report) if len(report.rows) <= MOST_ROWS else "too long for a sheet"
        cells = (where, report.title, *stamp, str(len(report.rows)), report.digest)
        for place, text in enumerate(cells):
            sheet.write_string(row, place, text)
    sheet.freeze_panes(3, 0)
    sheet.set_column(0, 1, 34)
    sheet.set_column(2, len(head) - 1, 14)


class _Sheet:
    """One report on its sheet."""

    def __init__(self, book: xlsxwriter.Workbook, sheet: Worksheet, report: Report) -> None:
        self.book, self.sheet, self.report = book, sheet, report
        self.bold = book.add_format({"bold": True, "bottom": 1})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.formats: dict[tuple[int, bool], Format] = {}
        self.total_text = book.add_format({"bold": True, "top": 1})

    def write(self) -> None:
        """Write heading, rows and totals; freeze the heading, and let every column be filtered."""
        columns, rows = self.report.columns, self.report.rows
        for place, column in enumerate(columns):
            self.sheet.write_string(0, place, column.heading, self.bold)
            self.sheet.set_column(place, place, max(12, len(column.heading) + 2))
        for number, row in enumerate(rows, start=FIRST_ROW):
            for place, cell in enumerate(row):
                self._cell(number, place, cell)
        for number, total in enumerate(self.report.totals, start=FIRST_ROW + len(rows) + 1):
            for place, cell in enumerate(total):
                self._total(number, place, cell, total)
        self.sheet.freeze_panes(1, 0)
        if rows:
            self.sheet.autofilter(0, 0, len(rows), len(columns) - 1)

    def _cell(self, row: int, place: int, cell: Cell) -> None:
        match cell:
            case None:
                return
            case Money() if fits(cell):
                self.sheet.write_number(row, place, _number(cell), self._amount(cell, is_total=False))
            case Money():
                self.sheet.write_string(row, place, cell.format())
            case date():
                self.sheet.write_datetime(row, place, datetime(cell.year, cell.month, cell.day), self.day)  # noqa: DTZ001
            case int():
                self.sheet.write_number(row, place, cell)
            case _:
                self.sheet.write_string(row, place, str(cell))

    def _total(self, row: int, place: int, cell: Cell, total: tuple[Cell, ...]) -> None:
        formula = formula_of(self.report, place, total) if isinstance(cell, Money) and fits(cell) else None
        if isinstance(cell, Money) and formula is not None:
            self.sheet.write_formula(row, place, formula, self._amount(cell, is_total=True), _number(cell))
        elif isinstance(cell, Money) and fits(cell):
            self.sheet.write_number(row, place, _number(cell), self._amount(cell, is_total=True))
        elif cell is not None:
            self.sheet.write_string(row, place, for_files(cell), self.total_text)

    def _amount(self, money: Money, *, is_total: bool) -> Format:
        exponent = Currency.of(money.currency).exponent
        key = (exponent, is_total)
        if key not in self.formats:
            decimals = "." + "0" * exponent if exponent else ""
            pattern = f"#,##0{decimals};[Red]-#,##0{decimals}"
            border = {"bold": True, "top": 1} if is_total else {}
            self.formats[key] = self.book.add_format({"num_format": pattern, **border})
        return self.formats[key]


def fits(money: Money) -> bool:
    """Tell whether a spreadsheet keeps every digit of an amount."""
    return len(str(abs(money.minor))) <= EXACT_DIGITS


def formula_of(report: Report, place: int, total: tuple[Cell, ...]) -> str | None:
    """Return the formula that comes to a total: of all rows, or of those in its currency; None if they do not."""
    wanted = total[place]
    assert isinstance(wanted, Money)
    currency = next((at for at, column in enumerate(report.columns) if column.name == "currency"), None)
    chosen = [row[place] for row in report.rows if currency is None or row[currency] == wanted.currency]
    amounts = [cell for cell in chosen if isinstance(cell, Money)]
    if any(cell.currency != wanted.currency or not fits(cell) for cell in amounts):
        return None
    if sum(cell.minor for cell in amounts) != wanted.minor:
        return None
    cells = _range(place, len(report.rows))
    if currency is None:
        return f"=SUM({cells})"
    return f'=SUMIF({_range(currency, len(report.rows))},"{wanted.currency}",{cells})'


def _range(place: int, rows: int) -> str:
    name = xl_col_to_name(place)
    return f"{name}{FIRST_ROW + 1}:{name}{max(FIRST_ROW + 1, FIRST_ROW + rows)}"


def _number(money: Money) -> Decimal:
    return Decimal(money.format())
