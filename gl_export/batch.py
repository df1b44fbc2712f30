"""A batch for the general ledger: what a contiguous run of seal blocks did to each account, by day.

Each block of a book is in exactly one batch, and a batch is a pure function of its blocks and its mapping, so
it can be built again byte for byte. A batch whose days do not each balance cannot be made. Never: the
database, or a correction of a batch: what was wrong is put right in the journal, and leaves with the next
batch.
Next: `gl_export/formats/`, which turn a batch into a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby

from gl_export.errors import BatchAltered, BatchEmpty, BatchLineUnknown, BatchUnbalanced
from gl_export.mapping import GLAccount, GLMapping
from ledger.chart import AccountDefinition, AccountType, Side
from ledger.money import Money

FORMAT_VERSION = 1
"""Of the lines and their order; a batch id names it, so a later layout never passes for an earlier one."""


@dataclass(frozen=True, slots=True)
class BlockRange:
    """Seal blocks from `first` through `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What sealed entries debited and credited to one account in one currency, booked on one day."""

    booking_date: date
    account: AccountDefinition
    debits: Money
    credits: Money


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One line for the GL: the day, the account on either side of the door, and one amount on one side."""

    line_no: int
    booking_date: date
    account: str
    account_type: AccountType
    gl_account: GLAccount
    side: Side
    money: Money

    @property
    def debit(self) -> Money | None:
        """Return the amount if the line is a debit."""
        return self.money if self.side is Side.DEBIT else None

    @property
    def credit(self) -> Money | None:
        """Return the amount if the line is a credit."""
        return self.money if self.side is Side.CREDIT else None

    @property
    def signed(self) -> Money:
        """Return the amount, a credit as negative."""
        return self.money if self.side is Side.DEBIT else -self.money


@dataclass(frozen=True, slots=True)
class ControlTotal:
    """The foot of a batch in one currency, by which the receiver checks that nothing was lost."""

    currency: str
    line_count: int
    debits: Money
    credits: Money


@dataclass(frozen=True, slots=True)
class Journal:
    """The lines of one day in one currency: what the GL takes as one journal, balanced by itself."""

    journal_id: str
    booking_date: date
    currency: str
    lines: tuple[BatchLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GLBatch:
    """A batch with its lines, numbered from 1 by day, currency, account and side.

    Raises: BatchEmpty; BatchUnbalanced naming the day.
    """

    book_code: str
    batch_no: int
    blocks: BlockRange
    mapping_version: int
    lines: tuple[BatchLine, ...]
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        if not self.lines:
            raise BatchEmpty(batch_id=self.batch_id)
        for journal in self.journals:
            _refuse_unbalanced(self.batch_id, journal)

    @property
    def batch_id(self) -> str:
        """Return the id that the receiver stores: it follows from book, blocks and format alone."""
        return batch_id(self.book_code, self.blocks, self.format_version)

    @property
    def journals(self) -> tuple[Journal, ...]:
        """Return the lines by day and currency."""
        days = groupby(self.lines, key=lambda line: (line.booking_date, line.money.currency))
        return tuple(
            Journal(f"{self.batch_id}-{day:%Y%m%d}-{currency}", day, currency, tuple(lines))
            for (day, currency), lines in days
        )

    @property
    def control_totals(self) -> tuple[ControlTotal, ...]:
        """Return the totals of each currency, in alphabetical order."""
        return tuple(
            _control_total(self.lines, currency) for currency in sorted({line.money.currency for line in self.lines})
        )

    def line(self, line_no: int) -> BatchLine:
        """Return one line.

        Raises: BatchLineUnknown.
        """
        if not 1 <= line_no <= len(self.lines):
            raise BatchLineUnknown(batch_id=self.batch_id, line_no=line_no)
        return self.lines[line_no - 1]

    def canonical_text(self) -> str:
        r"""Return the one text of this batch, over which its digest is taken.

        The first line is `gl batch 1`, the second the batch id and the mapping's version; then a line for
        each line of the batch: number, day, account, GL account, its name, currency, side and minor units,
        parted by tabs. Every line ends with `\n`; the encoding is UTF-8.
        """
        head = f"gl batch 1\n{self.batch_id}\t{self.mapping_version}\n"
        return head + "".join("\t".join(_cells(line)) + "\n" for line in self.lines)

    def digest(self) -> bytes:
        """Return the SHA-256 of the canonical text."""
        return hashlib.sha256(self.canonical_text().encode()).digest()


def batch_id(book_code: str, blocks: BlockRange, format_version: int = FORMAT_VERSION) -> str:
    """Return the id of a batch: the same blocks of the same book in the same format always have the same."""
    return f"{book_code}-{blocks.first:06d}-{blocks.last:06d}-v{format_version}"


def build(
    *,
    book_code: str,
    batch_no: int,
    blocks: BlockRange,
    totals: Iterable[DayTotal],
    mapping: GLMapping,
) -> GLBatch:
    """Return the batch of the totals of a run of blocks; several totals of one day and account are added up.

    An account's debits and credits stay apart: the GL sees its turnover, not only what is left of it.

    Raises: MappingIncomplete naming every account that has no GL account; BatchEmpty; BatchUnbalanced.
    """
    totals = tuple(totals)
    mapping.require(*(total.account.code for total in totals))
    by_key: dict[tuple[date, str, str], DayTotal] = {}
    for total in totals:
        key = (total.booking_date, total.debits.currency, total.account.code)
        by_key[key] = _added(by_key[key], total) if key in by_key else total
    sides = (side for key in sorted(by_key) for side in _sides(by_key[key]))
    lines = tuple(_line(number, each, mapping) for number, each in enumerate(sides, start=1))
    return GLBatch(
        book_code=book_code,
        batch_no=batch_no,
        blocks=blocks,
        mapping_version=mapping.version,
        lines=lines,
    )


def _added(left: DayTotal, right: DayTotal) -> DayTotal:
    return DayTotal(left.booking_date, left.account, left.debits + right.debits, left.credits + right.credits)


def _sides(total: DayTotal) -> Iterator[tuple[DayTotal, Side, Money]]:
    for side, money in ((Side.DEBIT, total.debits), (Side.CREDIT, total.credits)):
        if money:
            yield total, side, money


def _line(number: int, each: tuple[DayTotal, Side, Money], mapping: GLMapping) -> BatchLine:
    total, side, money = each
    return BatchLine(
        line_no=number,
        booking_date=total.booking_date,
        account=total.account.code,
        account_type=total.account.type,
        gl_account=mapping.gl_account(total.account.code),
        side=side,
        money=money,
    )


def _refuse_unbalanced(batch_id: str, journal: Journal) -> None:
    total = _control_total(journal.lines, journal.currency)
    if total.debits != total.credits:
        raise BatchUnbalanced(
            batch_id=batch_id,
            booking_date=journal.booking_date,
            debits=total.debits.minor,
            credits=total.credits.minor,
            difference=(total.debits - total.credits).minor,
            currency=journal.currency,
        )


def _control_total(lines: Iterable[BatchLine], currency: str) -> ControlTotal:
    chosen = [line for line in lines if line.money.currency == currency]
    sums = {side: Money.sum((line.money for line in chosen if line.side is side), currency) for side in Side}
    return ControlTotal(currency, len(chosen), debits=sums[Side.DEBIT], credits=sums[Side.CREDIT])


def _cells(line: BatchLine) -> tuple[str, ...]:
    return (
        str(line.line_no),
        line.booking_date.isoformat(),
        line.account,
        line.gl_account.code,
        line.gl_account.name,
        line.money.currency,
        str(line.side),
        str(line.money.minor),
    )


class BatchState(StrEnum):
    """Built; delivered, and not answered yet; acknowledged by the GL, for good; or rejected, to be delivered again."""

    BUILT = "built"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """Where a batch stands after its newest delivery: the number of that, and the GL's reference or its reason."""

    state: BatchState
    delivery_no: int = 0
    reference: str | None = None
    reason: str | None = None


BUILT = BatchAnswer(BatchState.BUILT)


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch as it is kept: with the hash of its last block, its digest when built, by whom and when."""

    batch: GLBatch
    last_block_hash: bytes
    digest: bytes
    actor: str
    recorded_at: datetime

    def prove(self) -> GLBatch:
        """Return the batch if it is what was built.

        Raises: BatchAltered.
        """
        if self.batch.digest() != self.digest:
            raise BatchAltered(
                batch_id=self.batch.batch_id,
                expected=self.digest.hex(),
                found=self.batch.digest().hex(),
            )
        return self.batch
