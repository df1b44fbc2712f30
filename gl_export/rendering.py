"""A report as a value, and the same report as a table for people, CSV for spreadsheets and JSON for programs.

Every report carries a stamp: which book, as of which day, known at which seal block, and the hash of that
block, so that it can be drawn again, byte for byte, at any later time. Never: the time at which it was drawn,
or a query.
Next: `gl_export/reports/`, one file per report.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from ledger.money import Money

Cell = Money | date | int | str | None


class Kind(StrEnum):
    """What a column holds; amounts and integers stand on the right."""

    TEXT = "text"
    DATE = "date"
    INTEGER = "integer"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in files, its heading for people, what it holds."""

    name: str
    heading: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a report rests on. `block_no` is the last seal block counted, 0 if nothing was sealed yet.

    `from_date` is the first day of a report over a period, None for one of a day.
    """

    book: str
    as_of: date
    block_no: int
    block_hash: str
    from_date: date | None = None


STAMP_COLUMNS = (
    Column("book", "Book"),
    Column("from_date", "From", Kind.DATE),
    Column("as_of", "As of", Kind.DATE),
    Column("block_no", "Block", Kind.INTEGER),
    Column("block_hash", "Block hash"),
)


@dataclass(frozen=True, slots=True)
class Report:
    """Rows under declared columns. `totals` are rows of the same shape that only sum the others up."""

    name: str
    title: str
    stamp: Stamp
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[tuple[Cell, ...], ...] = ()

    def __post_init__(self) -> None:
        widths = {len(row) for row in (*self.rows, *self.totals)}
        assert widths <= {len(self.columns)}, f"rows of {self.name} do not fit its columns"

    @property
    def digest(self) -> str:
        """Return the SHA-256, in hexadecimal, of the report as CSV."""
        return hashlib.sha256(to_csv(self)).hexdigest()


def to_table(report: Report) -> tuple[tuple[str, ...], ...]:
    """Return headings, rows and totals as text for people, amounts with thousands parted by commas."""
    head = tuple(column.heading for column in report.columns)
    return (head, *(tuple(for_people(cell) for cell in row) for row in (*report.rows, *report.totals)))


def to_csv(report: Report) -> bytes:
    """Return header and rows as UTF-8 CSV, without totals; the stamp fills the last columns.

    So the file stays a plain rectangle that adds up, and no row can lose its stamp.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in (*report.columns, *STAMP_COLUMNS)])
    stamp = [for_files(getattr(report.stamp, column.name)) for column in STAMP_COLUMNS]
    for row in report.rows:
        writer.writerow([*(for_files(cell) for cell in row), *stamp])
    return text.getvalue().encode()


def to_json(report: Report) -> bytes:
    """Return the report as one UTF-8 JSON object with stamp, columns, rows and totals; amounts are text."""
    document = {
        "report": report.name,
        "title": report.title,
        "stamp": {column.name: _for_json(getattr(report.stamp, column.name)) for column in STAMP_COLUMNS},
        "columns": [
            {"name": column.name, "heading": column.heading, "kind": str(column.kind)} for column in report.columns
        ],
        "rows": _objects(report, report.rows),
        "totals": _objects(report, report.totals),
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _objects(report: Report, rows: Iterable[tuple[Cell, ...]]) -> list[dict[str, Any]]:
    names = [column.name for column in report.columns]
    return [dict(zip(names, map(_for_json, row), strict=True)) for row in rows]


def for_people(cell: Cell) -> str:
    """Return a cell as text for people, amounts with thousands parted by commas."""
    return cell.format(grouping=True) if isinstance(cell, Money) else for_files(cell)


def for_files(cell: Cell) -> str:
    """Return a cell as the text that it is in files: amounts without commas, days as YYYY-MM-DD."""
    match cell:
        case None:
            return ""
        case Money():
            return cell.format()
        case date():
            return cell.isoformat()
        case _:
            return str(cell)


def _for_json(cell: Cell) -> Any:
    return cell if cell is None or isinstance(cell, int) else for_files(cell)
