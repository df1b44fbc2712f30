"""A batch: one entry for each of many subledgers, alike but for its accounts and amounts.

An accrual run, a sale of a pool, the opening entries of a tape. The key of the batch is the request key of every entry
in it, so that a run that was killed goes on where it stopped. Never: the database.
Next: `ledger/commands/batches.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ledger.chart import AccountCode
from ledger.errors import AmountNotPositive, BatchMismatch, SameAccountBothSides
from ledger.fingerprint import canonical_text
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One posting of one subledger's entry; several rows of a subledger make one entry, in their order.

    Raises: SameAccountBothSides; AmountNotPositive.
    """

    subledger_id: int
    debit: AccountCode
    credit: AccountCode
    money: Money

    def __post_init__(self) -> None:
        if self.debit == self.credit:
            raise SameAccountBothSides(account=self.debit)
        if self.money.minor <= 0:
            raise AmountNotPositive(amount=self.money.minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a batch books, and how its entries describe themselves.

    Raises: BatchMismatch without a request key.
    """

    book_code: str
    request_key: str
    template: str
    template_version: int
    effective_date: date
    rows: tuple[BatchRow, ...]
    narration: str | None = None
    source_ref: str | None = None

    def __post_init__(self) -> None:
        if not self.request_key.strip():
            raise BatchMismatch(request_key=self.request_key, reason="it has no request key")

    def numbered_rows(self) -> Iterator[tuple[int, BatchRow]]:
        """Yield each row with its place, from 1, among the rows of its subledger."""
        seen: dict[int, int] = {}
        for row in self.rows:
            seen[row.subledger_id] = seen.get(row.subledger_id, 0) + 1
            yield seen[row.subledger_id], row

    def fingerprint(self) -> bytes:
        """Return the SHA-256 of what all entries of the batch have in common."""
        common = (
            self.book_code,
            self.template,
            self.template_version,
            self.effective_date,
            self.narration,
            self.source_ref,
        )
        return hashlib.sha256(canonical_text(list(common)).encode()).digest()


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How many entries a batch wrote now, and how many it had written before it was interrupted."""

    posted: int
    posted_before: int
