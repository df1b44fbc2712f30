"""Record 9: what the whole file comes to, and the line of nines that fills the last block.

Never trusted: a reader compares it with the batches. Next: `servicing/nacha/totals.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from servicing.nacha.fields import DIGITS, NUMBER, WIDTH, Field, Layout, constant, reserved

PADDING = "9" * WIDTH
BLOCK = 10


@dataclass(frozen=True, slots=True)
class FileControl:
    """Counts, hash and totals in cents of a file; a block is ten lines, the last one filled with nines."""

    batch_count: int
    block_count: int
    entry_count: int
    entry_hash: str
    debit_total: int
    credit_total: int


FILE_CONTROL = Layout(
    "file control",
    (
        Field("", 1, 1, constant("9")),
        Field("batch_count", 2, 6, NUMBER),
        Field("block_count", 8, 6, NUMBER),
        Field("entry_count", 14, 8, NUMBER),
        Field("entry_hash", 22, 10, DIGITS),
        Field("debit_total", 32, 12, NUMBER),
        Field("credit_total", 44, 12, NUMBER),
        Field("", 56, 39, reserved(39)),
    ),
)
