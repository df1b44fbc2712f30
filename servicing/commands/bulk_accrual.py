"""The interest of a day for many loans at once, from where they stand to the ledger's staging table in one statement.

Interest on every day, that of loans in non-accrual as a memorandum, and origination fees at month ends. A chunk of
loans is a transaction: the mark of closed days is moved, which locks them, and what the day brings is staged and
posted. What changed a loan meanwhile has made its standing anew; the chunk is then done again.
Never: a loan on which the close of the day may bring more (`servicing/commands/cycle.py`).
Next: `servicing/sql/accrual.sql`; `ledger/commands/batches.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import sqlalchemy as sa

from ledger.batch import Batch
from ledger.commands.batches import post_staged_within, stage
from ledger.dates import Month
from ledger.errors import DomainError
from ledger.queries.accounts import account_ids
from ledger.templates import Template
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.standing import MEMO, PRINCIPAL, RECEIVABLE
from servicing.folding import ACCRUAL_KEY, FEE_INCOME_KEY
from servicing.posting_rules import TEMPLATES
from servicing.store import load_roles

INTEREST = TEMPLATES.get("interest_accrued")
FEE_INCOME = TEMPLATES.get("deferred_fee_amortized")
NOT_ACCRUED = TEMPLATES.get("non_accrual_interest_kept")
ROLES = (RECEIVABLE, PRINCIPAL, "INTEREST_INCOME")
FEE_ROLES = ("DEFERRED_ORIGINATION_FEES", "ORIGINATION_FEE_INCOME")
MEMO_ROLES = (MEMO, "NON_ACCRUAL_INTEREST_CONTRA")
CHUNK_LOANS = 5_000
WORKERS = 2
ATTEMPTS = 5
FEW = 0.01
"""A share of the loans that is not worth a day of set-based work: they are brought forward by folds."""
MOST_REFUSED = 100
"""So many loans refused one by one are not the loans' fault."""

Progress = Callable[[int, int], None]
"""Called with the chunks done so far, each once for each day, and how many there are."""


@dataclass(frozen=True, slots=True)
class BulkAccrual:
    """How many days were booked, and how many entries."""

    days: int
    entries: int


@dataclass(frozen=True, slots=True)
class _Range:
    first: int
    last: int


class _Overtaken(Exception):
    """Something happened to a loan between the lock and the look at it."""


_READY = sa.text(
    "SELECT greatest(l.fees_through, s.through) AS ready, count(*) AS loans FROM servicing.loan l"
    " JOIN servicing.standing s ON s.loan_id = l.loan_id"
    " WHERE l.book_id = :book_id AND s.is_open AND (l.fees_through IS NULL OR l.fees_through < :day)"
    " GROUP BY greatest(l.fees_through, s.through) ORDER BY 1"
)
_ENDS = sa.text(
    "SELECT min(l.loan_id) AS first, max(l.loan_id) AS last FROM servicing.loan l WHERE l.book_id = :book_id"
)
_IS_IN_NON_ACCRUAL = sa.text(
    "SELECT EXISTS (SELECT FROM servicing.standing s WHERE s.loan_id BETWEEN :first AND :last AND s.is_open"
    " AND s.receivable_account = :memo)"
)
_CLOSE_DAY = sa.text(
    "SELECT o_overtaken, o_staged, o_fees_staged, o_memos_staged"
    " FROM servicing.close_day(:book_id, :first, :last, :day, :is_month_end,"
    " :receivable, :principal, :income, :batch_id, :deferred_fee, :fee_income, :fee_batch_id,"
    " :memo, :memo_contra, :memo_batch_id)"
)


def accrue_days(
    engine: sa.Engine, book_code: str, book_id: int, day: date, *, actor: str, on_progress: Progress | None = None
) -> BulkAccrual:
    """Close the days up to this one, day after day, for all loans to which they bring interest and nothing else.

    Raises: what posting refuses so many loans that it is about none of them.
    """
    with engine.connect() as connection:
        days = _days(connection, book_id, day)
        ranges = _ranges(connection, book_id) if days else ()
    work = _Accrual(engine, book_code, book_id, actor)
    total, done, entries = len(days) * len(ranges), 0, 0
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="accrual") as pool:
        for each_day in days:
            for posted in pool.map(partial(work.accrue, each_day), ranges):
                done, entries = done + 1, entries + posted
                if on_progress is not None:
                    on_progress(done, total)
    return BulkAccrual(len(days), entries)


def _ranges(connection: sa.Connection, book_id: int) -> Sequence[_Range]:
    """Return ranges of ids, in each of which at most a chunk of loans lies."""
    ends = connection.execute(_ENDS, {"book_id": book_id}).one()
    starts = range(ends.first, ends.last + 1, CHUNK_LOANS)
    return [_Range(first, min(first + CHUNK_LOANS - 1, ends.last)) for first in starts]


def _days(connection: sa.Connection, book_id: int, day: date) -> Sequence[date]:
    """Return the days to close: from the one after that at which more than a few loans stand."""
    ready = connection.execute(_READY, {"book_id": book_id, "day": day}).all()
    few = FEW * sum(row.loans for row in ready)
    begin = next((row.ready for row in ready if row.loans >= few), None)
    if begin is None:
        return ()
    return [begin + timedelta(days=n) for n in range(1, (day - begin).days + 1)] or [day]


class _Accrual:
    """One run over the ranges of a book; it keeps nothing but how often it was refused."""

    def __init__(self, engine: sa.Engine, book_code: str, book_id: int, actor: str) -> None:
        self._engine, self._book_code, self._book_id, self._actor = engine, book_code, book_id, actor
        self._refused = 0

    def accrue(self, day: date, loans: _Range) -> int:
        """Close a day for a range of loans and return the entries; a loan that is refused is left out."""
        try:
            return self._accrue(day, loans)
        except DomainError:
            if loans.first == loans.last:
                self._refused += 1
                if self._refused > MOST_REFUSED:
                    raise
                return 0
        middle = (loans.first + loans.last) // 2
        halves = (_Range(loans.first, middle), _Range(middle + 1, loans.last))
        return sum(self.accrue(day, half) for half in halves)

    def _accrue(self, day: date, loans: _Range) -> int:
        for _ in range(ATTEMPTS):
            try:
                return run(self._engine, partial(self._close_day, day=day, loans=loans), actor=self._actor)
            except _Overtaken:
                continue
        return 0

    def _close_day(self, uow: UnitOfWork, *, day: date, loans: _Range) -> int:
        roles = load_roles(uow.connection, self._book_code).now
        receivable, principal, income = account_ids(uow.connection, self._book_code, [roles[name] for name in ROLES])
        is_month_end = day == Month.of(day).last_day
        interest = stage(uow, self._batch(INTEREST, ACCRUAL_KEY, day, loans.first))
        fees = memos = deferred_fee = fee_income = None
        memo = memo_contra = None
        if is_month_end and all(name in roles for name in FEE_ROLES):
            fees = stage(uow, self._batch(FEE_INCOME, FEE_INCOME_KEY, day, loans.first))
            deferred_fee, fee_income = account_ids(uow.connection, self._book_code, [roles[name] for name in FEE_ROLES])
        if all(name in roles for name in MEMO_ROLES):
            memo, memo_contra = account_ids(uow.connection, self._book_code, [roles[name] for name in MEMO_ROLES])
            where = {"first": loans.first, "last": loans.last, "memo": memo}
            if uow.connection.scalar(_IS_IN_NON_ACCRUAL, where):
                memos = stage(uow, self._batch(NOT_ACCRUED, ACCRUAL_KEY, day, loans.first, "/memo"))
        values = {
            "book_id": self._book_id,
            "first": loans.first,
            "last": loans.last,
            "day": day,
            "is_month_end": is_month_end,
            "receivable": receivable,
            "principal": principal,
            "income": income,
            "batch_id": interest.batch_id,
            "deferred_fee": deferred_fee,
            "fee_income": fee_income,
            "fee_batch_id": None if fees is None else fees.batch_id,
            "memo": None if memos is None else memo,
            "memo_contra": memo_contra,
            "memo_batch_id": None if memos is None else memos.batch_id,
        }
        found = uow.connection.execute(_CLOSE_DAY, values).one()
        if found.o_overtaken:
            raise _Overtaken
        posted = 0
        for staged, count in (
            (interest, found.o_staged),
            (fees, found.o_fees_staged),
            (memos, found.o_memos_staged),
        ):
            if staged is not None and count:
                posted += post_staged_within(uow, staged, first=loans.first, last=loans.last).posted
        return posted

    def _batch(self, template: Template, key: str, day: date, first: int, part: str = "") -> Batch:
        """Return a batch that the database fills: its request key is that of the day and the range.

        Its entries have the keys that a fold would plan them under.
        """
        return Batch(
            book_code=self._book_code,
            request_key=f"{key}{day}{part}:{first}",
            template=template.name,
            template_version=template.version,
            effective_date=day,
            rows=(),
            narration=template.narration,
            source_ref=f"{key}{day}{part}",
        )
