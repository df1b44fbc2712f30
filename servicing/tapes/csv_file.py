"""Tapes in CSV: rows as text, each kept as it was written, so that an errors file gives it back to the letter.

Strict: a stray quote is a mistake of its row. Never: types; every value is text.
Next: `servicing/tapes/table.py`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from servicing.errors import TapeUnreadable
from servicing.tapes.rows import MISTAKES, Header, Mistake, RawRow, Refused, TapeRow
from servicing.tapes.table import Layout, named, split_header

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True)
class CsvFile:
    """A tape in CSV."""

    path: Path
    layout: Layout = field(default_factory=Layout)
    delimiter: str = ","
    encoding: str = "utf-8"

    def header(self) -> Header | None:
        """Return the columns."""
        return split_header(self._raw(), self.layout)[0]

    def rows(self) -> Iterator[TapeRow]:
        """Yield the rows under the header; empty lines are passed over."""
        header, raw = split_header(self._raw(), self.layout)
        if header is not None:
            yield from named(header, raw, self.layout)

    @contextmanager
    def refused_to(self, path: Path) -> Iterator[Refused]:
        """Open a file for the rows that are refused: the reasons first, then the row as it was written."""
        header = self.header()
        with path.open("w", encoding=self.encoding, newline="") as file:
            again = header is not None and header.columns[:1] == (MISTAKES,)
            if header is not None:
                file.write((header.original if again else f"{MISTAKES}{self.delimiter}{header.original}") + "\n")

            def add(row: TapeRow, mistakes: Sequence[Mistake]) -> None:
                reasons = "; ".join(mistake.told for mistake in mistakes)
                original = self._after_first(row.original) if again else row.original
                file.write(f"{self._quoted(reasons)}{self.delimiter}{original}\n")

            yield add

    def _raw(self) -> Iterator[RawRow]:
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                yield from self._rows_of(file)
        except OSError as trouble:
            raise TapeUnreadable(path=str(self.path), reason=trouble.strerror or "it cannot be read") from None
        except UnicodeDecodeError:
            raise TapeUnreadable(path=str(self.path), reason=self._not_text()) from None

    def _rows_of(self, file: io.TextIOWrapper) -> Iterator[RawRow]:
        lines = _Lines(file, self.path)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            try:
                texts = next(reader)
            except StopIteration:
                return
            except csv.Error as mistake:
                yield RawRow(reader.line_num, (), lines.taken(), str(mistake))
                continue
            original = lines.taken()
            if texts:
                yield RawRow(reader.line_num, tuple(texts), original)

    def _not_text(self) -> str:
        content = self.path.read_bytes()
        try:
            content.decode(self.encoding)
        except UnicodeDecodeError as error:
            return f"byte {error.start + 1} is not {self.encoding.upper()}"
        return "it changes while it is read"

    def _quoted(self, text: str) -> str:
        line = io.StringIO()
        csv.writer(line, delimiter=self.delimiter, quoting=csv.QUOTE_ALL, lineterminator="").writerow([text])
        return line.getvalue()

    def _after_first(self, original: str) -> str:
        """Return a row as it was written without its first value, which is a reason that was written here."""
        end = 1
        while original[:1] == '"' and (end := original.find('"', end) + 1):
            if original[end : end + 1] != '"':
                return original[end + 1 :]
            end += 1
        return original.partition(self.delimiter)[2]


class _Lines:
    """The lines of a file, and those that were taken since it was last asked."""

    def __init__(self, file: io.TextIOWrapper, path: Path) -> None:
        self._file, self._path = file, path
        self._taken: list[str] = []
        self._first = True

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._file)
        if self._first:
            # A byte order mark, which spreadsheets write, is no part of the text.
            line, self._first = line.removeprefix(BOM), False
        if "\0" in line:
            raise TapeUnreadable(path=str(self._path), reason="a character is NUL: this is no text file")
        self._taken.append(line)
        return line

    def taken(self) -> str:
        """Return the text of these lines without its end."""
        text = "".join(self._taken).rstrip("\r\n")
        self._taken.clear()
        return text
