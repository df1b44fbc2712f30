"""A file as bytes: lines of 94 characters, the control records worked out, the last block filled with nines.

What is written is checked first (`servicing/nacha/rules.py`), so that a file that banks would refuse cannot leave.
Next: `servicing/nacha/reading.py`, which reads it back.
"""

from __future__ import annotations

from collections.abc import Iterator

from servicing.nacha.addenda import write_addendum
from servicing.nacha.batch_control import BATCH_CONTROL
from servicing.nacha.batch_header import BATCH_HEADER
from servicing.nacha.entry_classes import ENTRY_CLASSES
from servicing.nacha.file import Batch, File
from servicing.nacha.file_control import FILE_CONTROL, PADDING
from servicing.nacha.file_header import FILE_HEADER
from servicing.nacha.rules import Held, check
from servicing.nacha.totals import batch_control, file_control, padding_lines


def render(file: File, held: Held = Held.SENT) -> bytes:
    """Return the bytes of a file, each line ended by a line feed.

    Files of returns, which banks send, are held to what is asked of received files.

    Raises: every refusal of `servicing/nacha/errors.py`.
    """
    check(file, held)
    lines = [FILE_HEADER.write(file.header, 1)]
    for start, batch in file.placed_batches():
        lines += _batch_lines(batch, start)
    lines.append(FILE_CONTROL.write(file_control(file), file.line_count))
    lines += [PADDING] * padding_lines(file.line_count)
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _batch_lines(batch: Batch, start: int) -> Iterator[str]:
    layout = ENTRY_CLASSES[batch.header.sec].layout
    line = start
    yield BATCH_HEADER.write(batch.header, line)
    for entry in batch.entries:
        line += 1
        yield layout.write(entry, line)
        for addendum in entry.addenda:
            line += 1
            yield write_addendum(addendum, line)
    yield BATCH_CONTROL.write(batch_control(batch), line + 1)
