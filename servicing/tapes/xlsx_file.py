"""Tapes in XLSX: one sheet, read as a stream, each cell as the text that a person sees in it.

A spreadsheet holds numbers to 15 digits: they are read as those digits, a cell shown in percent with its sign, a day
as YYYY-MM-DD; a formula is read as the value that was last computed. Never: a float beyond this file.
Next: `servicing/tapes/table.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import InvalidFileException

from servicing.errors import TapeUnreadable
from servicing.tapes.rows import MISTAKES, Header, Mistake, RawRow, Refused, TapeRow
from servicing.tapes.table import Layout, named, split_header, without_mistakes

SHOWN_DIGITS = ".15g"


@dataclass(frozen=True)
class XlsxFile:
    """A tape in XLSX; without a name of a sheet it is the first one."""

    path: Path
    layout: Layout = field(default_factory=Layout)
    sheet: str | None = None

    def header(self) -> Header | None:
        """Return the columns."""
        return split_header(self._raw(), self.layout)[0]

    def rows(self) -> Iterator[TapeRow]:
        """Yield the rows under the header; empty ones are passed over."""
        header, raw = split_header(self._raw(), self.layout)
        if header is None:
            return
        wants = len(header.columns)
        yield from named(header, (_of_width(row, wants) for row in raw), self.layout)

    @contextmanager
    def refused_to(self, path: Path) -> Iterator[Refused]:
        """Open a workbook for the rows that are refused: the reasons first, then the cells as they were."""
        book = Workbook(write_only=True)
        sheet = book.create_sheet(self.sheet or "Refused")
        header = self.header()
        if header is not None:
            sheet.append([MISTAKES, *without_mistakes(header, header.columns)])

        def cell(value: Any, number_format: str = "General") -> Any:
            written = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub(" ", value) if isinstance(value, str) else value)
            written.number_format = number_format
            if isinstance(value, str):
                # A text that begins with = stays a text.
                written.data_type = "s"
            return written

        def add(row: TapeRow, mistakes: Sequence[Mistake]) -> None:
            reasons = "; ".join(mistake.told for mistake in mistakes)
            values = row.original if header is None else without_mistakes(header, row.original)
            sheet.append([cell(reasons), *(cell(value, number_format) for value, number_format in values)])

        yield add
        book.save(path)

    def _raw(self) -> Iterator[RawRow]:
        try:
            book = load_workbook(self.path, read_only=True, data_only=True)
        except OSError as trouble:
            raise TapeUnreadable(path=str(self.path), reason=trouble.strerror or "it cannot be read") from None
        except (BadZipFile, InvalidFileException, KeyError, ValueError) as trouble:
            raise TapeUnreadable(path=str(self.path), reason=f"it is no workbook of XLSX ({trouble})") from None
        try:
            if self.sheet is not None and self.sheet not in book.sheetnames:
                known = ", ".join(book.sheetnames)
                raise TapeUnreadable(path=str(self.path), reason=f"it has no sheet {self.sheet}, but {known}")
            sheet = book[self.sheet or book.sheetnames[0]]
            # What a file says of its own size is wrong often enough.
            sheet.reset_dimensions()
            for number, cells in enumerate(sheet.iter_rows(), start=1):
                texts = tuple(_text(cell.value, cell.number_format) for cell in cells)
                if any(texts):
                    yield RawRow(number, texts, tuple((cell.value, cell.number_format) for cell in cells))
        finally:
            book.close()


def _of_width(row: RawRow, wants: int) -> RawRow:
    """Return a row as wide as the header: empty cells at the end of a row are not in the file."""
    texts, original = row.texts, row.original
    while len(texts) > wants and not texts[-1]:
        texts, original = texts[:-1], original[:-1]
    missing = max(0, wants - len(texts))
    return RawRow(row.number, (*texts, *[""] * missing), (*original, *[(None, "General")] * missing), row.fault)


def _text(value: Any, number_format: str) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() | float():
            return _number(value, is_percent="%" in (number_format or ""))
        case datetime():
            return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _number(value: int | float, *, is_percent: bool) -> str:
    exact = Decimal(value) if isinstance(value, int) else Decimal(format(value, SHOWN_DIGITS))
    if is_percent:
        return f"{(exact * 100).normalize():f}%"
    return f"{exact.normalize():f}"
