"""A row of a tape as it came in, what is wrong with it, and what every format of tape can do.

A format knows how a file is cut into rows of text, and how rows are written back beside the reasons why they were
refused. Never: what a column means (`servicing/tapes/column_map.py`).
Next: `servicing/tapes/csv_file.py`, `xlsx_file.py`, `json_lines.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

MISTAKES = "mistakes"
"""The column of an errors file that says what is wrong; a tape may have it, and it means nothing there."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row of a table before its columns have names: its number in the file, its texts, and how it was written.

    `fault` says why it is no row at all.
    """

    number: int
    texts: tuple[str, ...]
    original: Any
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class TapeRow:
    """A row with the text of each column by name; one that is passed over, or whose `fault` says why it is no row, has
    none."""

    number: int
    texts: Mapping[str, str]
    original: Any
    fault: str | None = None
    is_passed_over: bool = False


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a row, in which column, and what stood there."""

    row: int
    reason: str
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        """Say where it is and what it is."""
        return f"row {self.row}: {self.told}" if self.column is None else f"row {self.row}, column {self.told}"

    @property
    def told(self) -> str:
        """Say what it is, without its row."""
        return self.reason if self.column is None else f"{self.column}: {self.reason}"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"row": self.row, "column": self.column, "value": self.value, "reason": self.reason}


Refused = Callable[[TapeRow, Sequence[Mistake]], None]
"""Takes a row that is refused, with the reasons."""


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns of a table, and how the row was written."""

    number: int
    columns: tuple[str, ...]
    original: Any


class TapeFile(Protocol):
    """A file of rows, read from the beginning as often as it is asked.

    Raises: TapeUnreadable.
    """

    @property
    def path(self) -> Path:
        """Return where it is."""

    def header(self) -> Header | None:
        """Return the columns; None where each row names its own."""

    def rows(self) -> Iterator[TapeRow]:
        """Yield the rows under the header; empty ones are passed over."""

    def refused_to(self, path: Path) -> AbstractContextManager[Refused]:
        """Open a file of the same format for rows that are refused."""
