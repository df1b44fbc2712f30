"""Bytes as a file: every record by its table of fields, every control record against what stands above it.

Refused whole at the first fault; nothing is skipped or mended. Never: what follows for a loan
(`servicing/commands/`). Next: `servicing/nacha/rules.py`, what the records must say together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from servicing.nacha.addenda import Addendum, read_addendum
from servicing.nacha.batch_control import BATCH_CONTROL, BatchControl
from servicing.nacha.batch_header import BATCH_HEADER, BatchHeader
from servicing.nacha.entry_classes import ENTRY_CLASSES, OTHER_LAYOUTS
from servicing.nacha.entry_detail import Entry
from servicing.nacha.errors import AchAddendaRefused, AchCodeUnknown, AchPaddingDiffers, AchRecordUnexpected
from servicing.nacha.fields import Layout
from servicing.nacha.file import Batch, File
from servicing.nacha.file_control import FILE_CONTROL, PADDING, FileControl
from servicing.nacha.file_header import FILE_HEADER, FileHeader
from servicing.nacha.lines import split_lines
from servicing.nacha.rules import Held, check
from servicing.nacha.statements import compare_batch, compare_file
from servicing.nacha.totals import padding_lines
from servicing.nacha.transaction_codes import TRANSACTION_CODES

T = TypeVar("T")

TITLES = {"1": "a file header", "5": "a batch header", "6": "an entry", "7": "an addenda record"} | {
    "8": "a batch control",
    "9": "a file control",
}


def read(data: bytes, held: Held = Held.RECEIVED) -> File:
    """Return the file that the bytes hold.

    `held` says by which rules: those for what others send, or the closer ones for what this house sends.

    Raises: every refusal of `servicing/nacha/errors.py`.
    """
    file = _Reader(split_lines(data)).file()
    check(file, held)
    return file


@dataclass(slots=True)
class _Reader:
    """The lines, and how many of them are read."""

    lines: tuple[str, ...]
    done: int = 0

    def file(self) -> File:
        """Read the whole of it."""
        header = FileHeader(**self._next("1", FILE_HEADER))
        batches: list[Batch] = []
        while self._ahead() == "5" or not batches:
            batches.append(self._batch())
        control = FileControl(**self._next("9", FILE_CONTROL))
        line = self.done
        self._padding()
        file = File(header, tuple(batches))
        compare_file(control, file, line)
        return file

    def _batch(self) -> Batch:
        header = BatchHeader(**self._next("5", BATCH_HEADER))
        self._check_class(header.sec)
        layout = ENTRY_CLASSES[header.sec].layout
        entries: list[Entry] = []
        while self._ahead() == "6" or not entries:
            entries.append(self._entry(layout))
        control = BatchControl(**self._next("8", BATCH_CONTROL))
        batch = Batch(header, tuple(entries), control.authentication)
        compare_batch(control, batch, self.done)
        return batch

    def _entry(self, layout: Layout) -> Entry:
        values = self._next("6", layout)
        line, announced = self.done, values.pop("addenda_indicator")
        if values["transaction_code"] not in TRANSACTION_CODES:
            # Told before the totals are, in which it would be missing.
            raise AchCodeUnknown(line=line, kind="transaction code", value=values["transaction_code"])
        addenda: list[Addendum] = []
        while self._ahead() == "7":
            addenda.append(self._take("7", read_addendum))
        if (announced == "1") != bool(addenda):
            reason = f"its indicator (position 79) is {announced}"
            raise AchAddendaRefused(line=line, count=len(addenda), reason=reason)
        return Entry(**values, addenda=tuple(addenda))

    def _check_class(self, sec: str) -> None:
        if sec in OTHER_LAYOUTS:
            raise AchCodeUnknown(line=self.done, kind="entry class that is read here:", value=sec)
        if sec not in ENTRY_CLASSES:
            raise AchCodeUnknown(line=self.done, kind="entry class", value=sec)

    def _padding(self) -> None:
        records, filled = self.done, self.lines[self.done :]
        for number, text in enumerate(filled, start=records + 1):
            if text != PADDING:
                raise AchRecordUnexpected(line=number, found=_title(text), expected="a line of nines")
        if len(filled) != padding_lines(records):
            raise AchPaddingDiffers(line=records, records=records, found=len(filled), expected=padding_lines(records))

    def _ahead(self) -> str:
        """Return the kind of the next record; of padding, which is none, and of the end, nothing."""
        following = self.lines[self.done] if self.done < len(self.lines) else PADDING
        return "" if following == PADDING else following[0]

    def _next(self, kind: str, layout: Layout) -> dict[str, Any]:
        return self._take(kind, layout.read)

    def _take(self, kind: str, reader: Callable[[str, int], T]) -> T:
        line = self.done + 1
        if self._ahead() != kind:
            found = _title(self.lines[self.done]) if self.done < len(self.lines) else "the end of the file"
            raise AchRecordUnexpected(line=line, found=found, expected=f"{TITLES[kind]} ({kind})")
        self.done = line
        return reader(self.lines[line - 1], line)


def _title(text: str) -> str:
    if text == PADDING:
        return "a line of nines"
    return f"{TITLES[text[0]]} ({text[0]})" if text[0] in TITLES else f"a record of kind {text[0]!r}"
