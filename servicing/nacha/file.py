"""A file as a value: its header, its batches, and on which line each of them stands.

What the control records state is worked out (`servicing/nacha/totals.py`), so it cannot differ from the entries.
Next: `servicing/nacha/rendering.py` and `reading.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from servicing.nacha.batch_header import BatchHeader
from servicing.nacha.entry_detail import Entry
from servicing.nacha.file_header import FileHeader


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one company, one class and one effective date; `authentication` is blank but for a few banks."""

    header: BatchHeader
    entries: tuple[Entry, ...]
    authentication: str = ""

    @property
    def line_count(self) -> int:
        """Return how many lines the batch takes."""
        return 2 + sum(1 + len(entry.addenda) for entry in self.entries)

    @property
    def is_forward(self) -> bool:
        """Tell whether any of the entries is on its way out."""
        return any(entry.is_forward for entry in self.entries)


@dataclass(frozen=True, slots=True)
class File:
    """A file: a header and batches."""

    header: FileHeader
    batches: tuple[Batch, ...]

    @property
    def line_count(self) -> int:
        """Return how many records there are, without padding."""
        return 2 + sum(batch.line_count for batch in self.batches)

    def placed_batches(self) -> Iterator[tuple[int, Batch]]:
        """Yield the batches with the line of their header."""
        line = 2
        for batch in self.batches:
            yield line, batch
            line += batch.line_count

    def placed_entries(self) -> Iterator[tuple[int, Batch, Entry]]:
        """Yield the entries with their line and their batch."""
        for start, batch in self.placed_batches():
            line = start + 1
            for entry in batch.entries:
                yield line, batch, entry
                line += 1 + len(entry.addenda)
