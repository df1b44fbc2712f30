"""What CSV and XLSX share: a table of texts, one row of which names the columns.

The header is the first of the first few rows that has every column asked for, so that a publisher's title above it
does no harm; where none has, it is the first row. Never: how a file is written.
Next: `servicing/tapes/csv_file.py`, `servicing/tapes/xlsx_file.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TypeVar

from servicing.tapes.rows import MISTAKES, Header, RawRow, TapeRow

T = TypeVar("T")

OTHER_WIDTH = "it has {has} values where the header has {wants} columns"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the table lies in the file: within how many rows its header stands, and the columns that tell it.

    Rows of another width than the header are no rows, or are passed over.
    """

    header_within: int = 1
    asked_for: frozenset[str] = frozenset()
    passes_over_other_widths: bool = False


def split_header(raw: Iterator[RawRow], layout: Layout) -> tuple[Header | None, Iterator[RawRow]]:
    """Return the header of a table and the rows under it; a table without rows has no header."""
    first = list(islice(raw, layout.header_within))
    for place, row in enumerate(first):
        if layout.asked_for <= set(_names(row)):
            return _header(row), chain(first[place + 1 :], raw)
    return (_header(first[0]), chain(first[1:], raw)) if first else (None, iter(()))


def named(header: Header, raw: Iterable[RawRow], layout: Layout) -> Iterator[TapeRow]:
    """Yield rows with their texts by column; one of another width than the header is no row."""
    wants = len(header.columns)
    place = next((n for n, name in enumerate(header.columns) if name == MISTAKES), None)
    for row in raw:
        texts = row.texts
        if row.fault is not None or len(texts) != wants:
            fault = row.fault or OTHER_WIDTH.format(has=len(texts), wants=wants)
            over = row.fault is None and layout.passes_over_other_widths
            yield TapeRow(row.number, {}, row.original, None if over else fault, is_passed_over=over)
            continue
        by_name = dict(zip(header.columns, texts, strict=True))
        if place is not None:
            del by_name[MISTAKES]
        yield TapeRow(row.number, by_name, row.original)


def without_mistakes(header: Header, values: Sequence[T]) -> Sequence[T]:
    """Return the values of a row without that of the column of mistakes, which is written anew."""
    if MISTAKES not in header.columns:
        return values
    place = header.columns.index(MISTAKES)
    return [*values[:place], *values[place + 1 :]]


def _names(row: RawRow) -> tuple[str, ...]:
    return tuple(text.strip() for text in row.texts)


def _header(row: RawRow) -> Header:
    return Header(row.number, _names(row), row.original)
