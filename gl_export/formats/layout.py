"""A journal file as a table of columns: what each receiver wants in which column, and what it does not take.

A receiver is a `Layout`, which is data; what they share is written here once: one row a line, whole journals only,
exact amounts, a refusal that names the line. Never: a change of an amount. Next: `gl_export/formats/receivers.py`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gl_export.batch import BatchLine, GLBatch, Journal
from gl_export.errors import FormatRefused

Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a batch, its journal, its place in it from 1, and what the lender says of the receiver."""

    batch: GLBatch
    journal: Journal
    line: BatchLine
    place: int
    settings: Settings

    @property
    def short_no(self) -> str:
        """Return a number of the journal for receivers with short ones: `7-261130` is the day of batch 7."""
        return f"{self.batch.batch_no}-{self.journal.booking_date:%y%m%d}"

    @property
    def source(self) -> str:
        """Return what leads back to this line: the journal and its number."""
        return f"{self.journal.journal_id}/{self.line.line_no}"


@dataclass(frozen=True, slots=True)
class Cell:
    """A column: its heading, what stands in it, how many characters it takes; `once` in a journal's first row alone."""

    heading: str
    value: Callable[[Row], str]
    most: int | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What a lender has to say of a receiver, or may."""

    name: str
    about: str
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a receiver takes. Numbers are of lines, or of digits before the decimal point."""

    name: str
    cells: tuple[Cell, ...]
    settings: tuple[Setting, ...] = ()
    most_lines_of_file: int | None = None
    most_lines_of_journal: int | None = None
    most_digits: int | None = None
    takes_currencies: bool = True
    is_ascii: bool = False
    has_headings: bool = True

    def parts(self, batch: GLBatch, settings: Settings) -> tuple[bytes, ...]:
        """Return the files of a batch, of whole journals each; `settings` has all of the layout's.

        Raises: FormatRefused with what the receiver would not take, and where.
        """
        return tuple(self._file(rows) for rows in self.packed(batch, settings))

    def packed(self, batch: GLBatch, settings: Settings) -> Iterator[list[list[Row]]]:
        """Yield the journals of each file, as few files as there can be.

        Raises: FormatRefused.
        """
        self._refuse_currencies(batch)
        packed: list[list[Row]] = []
        for journal in batch.journals:
            rows = [Row(batch, journal, line, place, settings) for place, line in enumerate(journal.lines, start=1)]
            self._refuse_length(rows)
            if self.most_lines_of_file is not None and sum(map(len, packed)) + len(rows) > self.most_lines_of_file:
                yield packed
                packed = []
            packed.append(rows)
        yield packed

    def texts(self, row: Row) -> list[str]:
        """Return the cells of a row.

        Raises: FormatRefused.
        """
        self._refuse_digits(row)
        return [self._text(cell, row) for cell in self.cells]

    def refused(self, row: Row | None, batch: GLBatch, reason: str) -> FormatRefused:
        """Return the refusal of a line, or of a whole batch."""
        where = "" if row is None else f" line {row.line.line_no},"
        return FormatRefused(format=self.name, batch_id=batch.batch_id, reason=f"{where} {reason}".strip())

    def _file(self, journals: Sequence[Iterable[Row]]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        if self.has_headings:
            writer.writerow([cell.heading for cell in self.cells])
        writer.writerows(self.texts(row) for rows in journals for row in rows)
        return text.getvalue().encode()

    def _text(self, cell: Cell, row: Row) -> str:
        if cell.once and row.place > 1:
            return ""
        text = cell.value(row)
        if cell.most is not None and len(text) > cell.most:
            raise self.refused(row, row.batch, f"{cell.heading}: {text!r} is longer than {cell.most} characters")
        if self.is_ascii and not text.isascii():
            raise self.refused(row, row.batch, f"{cell.heading}: {text!r} has letters beyond ASCII")
        return text

    def _refuse_currencies(self, batch: GLBatch) -> None:
        currencies = [total.currency for total in batch.control_totals]
        if not self.takes_currencies and len(currencies) > 1:
            raise self.refused(None, batch, f"it has no column for the currency, and the batch has {currencies}")

    def _refuse_length(self, rows: Sequence[Row]) -> None:
        limits = [limit for limit in (self.most_lines_of_journal, self.most_lines_of_file) if limit is not None]
        if limits and len(rows) > min(limits):
            reason = f"its journal has {len(rows)} lines, and {min(limits)} are taken"
            raise self.refused(rows[0], rows[0].batch, reason)

    def _refuse_digits(self, row: Row) -> None:
        whole = row.line.money.format().partition(".")[0]
        if self.most_digits is not None and len(whole) > self.most_digits:
            reason = f"{row.line.money} has more than {self.most_digits} digits before the decimal point"
            raise self.refused(row, row.batch, reason)
