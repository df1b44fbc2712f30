"""The interest of a day for many loans at once, from where they stand to the ledger's staging table in one statement.

A chunk of loans is a transaction: the mark of closed days is moved, which locks them, their interest is staged and
posted. What changed a loan meanwhile has made its standing anew; the chunk is then done again. Never: a loan on which
the close of the day may bring more than interest (`servicing/commands/cycle.py`).
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
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.standing import PRINCIPAL, RECEIVABLE
from servicing.engine import ACCRUAL_KEY
from servicing.posting_rules import TEMPLATES
from servicing.store import load_roles

TEMPLATE = TEMPLATES.get("interest_accrued")
INCOME = "INTEREST_INCOME"
CHUNK_LOANS = 5_000
WORKERS = 2
ATTEMPTS = 5
FEW = 0.01
"""A share of the loans that is not worth a day of set-based work: they are brought forward by folds."""
MOST_REFUSED = 100
"""So many loans refused one by one are not the loans' fault."""

Progress = Callable[[int, int], None]
"""Called with the loans done so far, each once for each day, and how many there are."""


@dataclass(frozen=True, slots=True)
class BulkAccrual:
    """How many days were booked, and how many entries."""

    days: int
    entries: int


@dataclass(frozen=True, slots=True)
class _Range:
    first: int
    last: int
    loans: int


class _Overtaken(Exception):
    """Something happened to a loan between the lock and the look at it."""


_READY = sa.text(
    "SELECT greatest(l.fees_through, s.through) AS ready, count(*) AS loans FROM servicing.loan l"
    " JOIN servicing.standing s ON s.loan_id = l.loan_id"
    " WHERE l.book_id = :book_id AND s.is_open AND (l.fees_through IS NULL OR l.fees_through < :day)"
    " GROUP BY greatest(l.fees_through, s.through) ORDER BY 1"
)
_RANGES = sa.text(
    "SELECT min(loan_id) AS first, max(loan_id) AS last, count(*) AS loans FROM (SELECT l.loan_id,"
    " (row_number() OVER (ORDER BY l.loan_id) - 1) / :chunk AS chunk_no FROM servicing.loan l"
    " JOIN servicing.standing s ON s.loan_id = l.loan_id AND s.is_open"
    " WHERE l.book_id = :book_id AND (l.fees_through IS NULL OR l.fees_through < :day)) t"
    " GROUP BY chunk_no ORDER BY chunk_no"
)
_HOLDS = (
    "s.is_open AND :day < s.next_step_on AND :day <= s.holds_through"
    " AND s.receivable_account = :receivable AND s.principal_account = :principal"
)
_MARK = sa.text(
    "UPDATE servicing.loan l SET fees_through = :day FROM servicing.standing s"  # noqa: S608 - text of ours
    " WHERE s.loan_id = l.loan_id AND l.loan_id BETWEEN :first AND :last AND s.loan_id BETWEEN :first AND :last"
    " AND l.book_id = :book_id AND (l.fees_through IS NULL OR l.fees_through < :day)"
    f" AND greatest(l.fees_through, s.through) >= :day - 1 AND {_HOLDS}"
)
_STAGE = sa.text(
    "WITH found AS (SELECT s.loan_id, l.currency, s.is_daily OR :is_month_end AS is_booked,"  # noqa: S608 - text of ours
    f" {_HOLDS} AS holds, servicing.unbooked_interest(s.earned, s.nightly, s.denominator, s.rounding,"
    "  coalesce(s.balance, p.balance, 0), :day - s.through, s.booked, s.receivable, coalesce(r.balance, 0)) AS interest"
    " FROM servicing.standing s JOIN servicing.loan l ON l.loan_id = s.loan_id"
    " LEFT JOIN ledger.account_balance p ON p.subledger_id = s.loan_id AND p.account_id = :principal"
    "  AND p.currency = l.currency AND p.subledger_id BETWEEN :first AND :last"
    " LEFT JOIN ledger.account_balance r ON r.subledger_id = s.loan_id AND r.account_id = :receivable"
    "  AND r.currency = l.currency AND r.subledger_id BETWEEN :first AND :last"
    " WHERE s.loan_id BETWEEN :first AND :last AND l.loan_id BETWEEN :first AND :last AND l.book_id = :book_id"
    "  AND l.fees_through = :day AND s.through < :day AND s.is_open"
    "), staged AS (INSERT INTO ledger.batch_staging"
    "  (subledger_id, amount, batch_id, debit_account, credit_account, seq, currency)"
    "  SELECT f.loan_id, f.interest, :batch_id, :receivable, :income, 1, f.currency FROM found f"
    "  WHERE f.holds AND f.is_booked AND f.interest > 0 RETURNING 1"
    ") SELECT count(*) FILTER (WHERE NOT f.holds) AS overtaken, (SELECT count(*) FROM staged) AS staged FROM found f"
)


def accrue_days(
    engine: sa.Engine, book_code: str, book_id: int, day: date, *, actor: str, on_progress: Progress | None = None
) -> BulkAccrual:
    """Close the days up to this one, day after day, for all loans to which they bring interest and nothing else.

    Raises: what posting refuses so many loans that it is about none of them.
    """
    with engine.connect() as connection:
        days = _days(connection, book_id, day)
        values = {"book_id": book_id, "day": day, "chunk": CHUNK_LOANS}
        ranges = [_Range(*row) for row in connection.execute(_RANGES, values)] if days else []
    work = _Accrual(engine, book_code, book_id, actor)
    total, done, entries = len(days) * sum(each.loans for each in ranges), 0, 0
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="accrual") as pool:
        for each_day in days:
            for each, posted in zip(ranges, pool.map(partial(work.accrue, each_day), ranges), strict=True):
                done, entries = done + each.loans, entries + posted
                if on_progress is not None:
                    on_progress(done, total)
    return BulkAccrual(len(days), entries)


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
        halves = (_Range(loans.first, middle, 0), _Range(middle + 1, loans.last, 0))
        return sum(self.accrue(day, half) for half in halves)

    def _accrue(self, day: date, loans: _Range) -> int:
        for _ in range(ATTEMPTS):
            try:
                return run(self._engine, partial(self._close_day, day=day, loans=loans), actor=self._actor)
            except _Overtaken:
                continue
        return 0

    def _close_day(self, uow: UnitOfWork, *, day: date, loans: _Range) -> int:
        roles = load_roles(uow.connection, self._book_code)
        names = (RECEIVABLE, PRINCIPAL, INCOME)
        receivable, principal, income = account_ids(
            uow.connection, self._book_code, [roles.now[name] for name in names]
        )
        values = {
            "book_id": self._book_id,
            "first": loans.first,
            "last": loans.last,
            "day": day,
            "receivable": receivable,
            "principal": principal,
        }
        if not uow.connection.execute(_MARK, values).rowcount:
            return 0
        staged = stage(uow, self._batch(day, loans.first))
        is_month_end = day == Month.of(day).last_day
        more = {"batch_id": staged.batch_id, "income": income, "is_month_end": is_month_end}
        found = uow.connection.execute(_STAGE, {**values, **more}).one()
        if found.overtaken:
            raise _Overtaken
        return post_staged_within(uow, staged, first=loans.first, last=loans.last).posted if found.staged else 0

    def _batch(self, day: date, first: int) -> Batch:
        """Return the batch that the database fills: its key is that of the day and the range."""
        return Batch(
            book_code=self._book_code,
            request_key=f"{ACCRUAL_KEY}{day}:{first}",
            template=TEMPLATE.name,
            template_version=TEMPLATE.version,
            effective_date=day,
            rows=(),
            narration=TEMPLATE.narration,
            source_ref=f"{ACCRUAL_KEY}{day}",
        )
