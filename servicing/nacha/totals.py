"""What control records state: counts, hashes, totals, blocks. And the check digit of a routing number.

Source: Nacha Operating Rules, appendix three; worked in `docs/spec/nacha.md`. Next: `servicing/nacha/reading.py`,
which compares these with what a file says.
"""

from __future__ import annotations

from collections.abc import Iterable

from servicing.nacha.batch_control import BatchControl
from servicing.nacha.entry_detail import Entry
from servicing.nacha.file import Batch, File
from servicing.nacha.file_control import BLOCK, FileControl
from servicing.nacha.transaction_codes import Side, side_of

HASH_DIGITS = 10
WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7)


def check_digit(routing: str) -> int:
    """Return the ninth digit that the first eight of a routing number ask for."""
    weighted = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, routing[:8], strict=True))
    return -weighted % 10


def entry_hash(entries: Iterable[Entry]) -> str:
    """Return the last ten digits of the sum of the receiving banks' eight-digit numbers."""
    total = sum(int(entry.routing[:8]) for entry in entries)
    return f"{total % 10**HASH_DIGITS:0{HASH_DIGITS}d}"


def block_count(records: int) -> int:
    """Return how many blocks of ten hold so many records."""
    return -(-records // BLOCK)


def padding_lines(records: int) -> int:
    """Return how many lines of nines fill the last block."""
    return -records % BLOCK


def batch_control(batch: Batch) -> BatchControl:
    """Return the control record of a batch."""
    return BatchControl(
        service_class=batch.header.service_class,
        entry_count=_count(batch.entries),
        entry_hash=entry_hash(batch.entries),
        debit_total=total_of(batch.entries, Side.DEBIT),
        credit_total=total_of(batch.entries, Side.CREDIT),
        company_id=batch.header.company_id,
        odfi=batch.header.odfi,
        number=batch.header.number,
        authentication=batch.authentication,
    )


def file_control(file: File) -> FileControl:
    """Return the control record of a file."""
    entries = tuple(entry for batch in file.batches for entry in batch.entries)
    return FileControl(
        batch_count=len(file.batches),
        block_count=block_count(file.line_count),
        entry_count=_count(entries),
        entry_hash=entry_hash(entries),
        debit_total=total_of(entries, Side.DEBIT),
        credit_total=total_of(entries, Side.CREDIT),
    )


def total_of(entries: Iterable[Entry], side: Side) -> int:
    """Return the sum of the debits or credits, in cents; a returned debit is still a debit."""
    return sum(entry.amount for entry in entries if side_of(entry.transaction_code) is side)


def _count(entries: Iterable[Entry]) -> int:
    return sum(1 + len(entry.addenda) for entry in entries)
