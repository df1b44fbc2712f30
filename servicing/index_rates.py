"""A file of an index's values: the columns on and value, every mistake named by its row before anything is loaded.

Values are percent a year. Never: which loans look at them (`servicing/rates.py`), or keeping them.
Next: `servicing/commands/indexes.py`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from servicing.errors import IndexFileInvalid

COLUMNS = ("on", "value")
SHOWN_MISTAKES = 20

_VALUE = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,6})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class IndexValue:
    """What an index is from a day on, in percent a year."""

    on: date
    value: Decimal


def read_index(text: str) -> tuple[IndexValue, ...]:
    """Read a CSV file, in the order of its days.

    Raises: IndexFileInvalid with every mistake, the first ones in words.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found: dict[date, IndexValue] = {}
    try:
        header = tuple(reader.fieldnames or ())
        mistakes = [] if header == COLUMNS else [f"row 1: the columns are {', '.join(COLUMNS)}"]
        for row in reader if not mistakes else ():
            mistakes += _read_row(row, reader.line_num, found)
    except csv.Error as mistake:
        mistakes = [f"row {reader.reader.line_num}: {mistake}"]
    if not mistakes and not found:
        mistakes = ["row 1: no value follows"]
    if mistakes:
        raise IndexFileInvalid(count=len(mistakes), mistakes=tuple(mistakes[:SHOWN_MISTAKES]))
    return tuple(found[day] for day in sorted(found))


def index_value(on: str, value: str) -> IndexValue:
    """Read one value.

    Raises: ValueError naming the column and the reason.
    """
    if not _DAY.fullmatch(on):
        raise ValueError(f"column on: {on[:50]!r} is not a date")
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise ValueError(f"column on: {on!r} is not a date") from None
    if not _VALUE.fullmatch(value):
        raise ValueError(f"column value: {value[:50]!r} is not a percentage of at most 6 decimals")
    return IndexValue(day, Decimal(value))


def _read_row(row: Mapping[str | None, str | None], number: int, found: dict[date, IndexValue]) -> Iterator[str]:
    if None in row or None in row.values():
        yield f"row {number}: it has not as many values as the header has columns"
        return
    try:
        read = index_value((row["on"] or "").strip(), (row["value"] or "").strip())
    except ValueError as mistake:
        yield f"row {number}, {mistake}"
        return
    if read.on in found:
        yield f"row {number}, column on: {read.on} stands twice"
    found[read.on] = read
