"""The daily cycle of every loan of a book, through a day: days that were skipped are made up for.

Loans to which a day brings interest alone are taken set-based, in chunks; the others are brought forward by a fold, in
small chunks, and one by one where a chunk fails, so that a bad loan stops nobody. Each chunk is a transaction together
with the marks of its loans: a run that was killed is taken up by running it again.
Never: amounts (`servicing/engine.py`). Next: `servicing/end_of_day.py`, `servicing/commands/bulk_accrual.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from ledger.errors import DomainError
from ledger.queries.accounts import book as load_book
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.bulk_accrual import BulkAccrual, accrue_days
from servicing.commands.collection_days import work_cases, work_loan
from servicing.commands.converge import converge
from servicing.commands.rate_resets import reset_by_index
from servicing.commands.standing import record_standings
from servicing.delinquency_queries import open_by_bucket
from servicing.end_of_day import DayReport, LoanFailure
from servicing.engine import fold
from servicing.errors import DayRunStopped, EffectiveDateAhead
from servicing.posting_rules import Roles
from servicing.state import LoanState
from servicing.store import Loan, load_loan, load_loans, load_roles, loan_ids_of, mark_fees_through

CHUNK_LOANS = 200
MOST_FAILURES = 1_000
"""When so many loans have failed, it is about none of them."""

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class CycleResult:
    """How many loans were looked at, and how many entries were booked."""

    loans: int
    entries: int


def run_cycle(
    engine: sa.Engine,
    book_code: str,
    day: date,
    *,
    actor: str,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> DayReport:
    """Close every day up to and including this one for every loan; run again, it books nothing.

    A dry run brings every loan forward by a fold, and keeps nothing. Raises: BookUnknown; EffectiveDateAhead;
    DayRunStopped if more loans fail than bad loans would.
    """
    with engine.connect() as connection:
        book = load_book(connection, book_code)
    if day > book.business_date:
        raise EffectiveDateAhead(effective_date=day, business_date=book.business_date)
    report = on_progress or _silent
    bulk = BulkAccrual(0, 0)
    if not dry_run:
        _stand(engine, book_code, book.book_id, actor, partial(report, "accrue"))
        bulk = accrue_days(engine, book_code, book.book_id, day, actor=actor, on_progress=partial(report, "accrue"))
    forward = _Forward(engine, book_code, book.book_id, day, actor, dry_run)
    forward.bring_all(partial(report, "bring_forward"))
    worked = {} if dry_run else work_cases(engine, book.book_id, day, actor=actor)
    with engine.connect() as connection:
        ages, matured = open_by_bucket(connection, book.book_id, day)
    report("mature", 1, 1)
    return DayReport(
        day=day,
        days=bulk.days,
        accrual_entries=bulk.entries,
        brought_forward=forward.loans,
        other_entries=forward.entries,
        failures=tuple(forward.failures),
        buckets=ages,
        matured=matured,
        collections=worked,
    )


def accrue_through(
    engine: sa.Engine, book_code: str, day: date, *, actor: str, on_progress: Callable[[int], None] | None = None
) -> CycleResult:
    """Book the interest of every loan up to a day without closing it; run again, it books nothing.

    Raises: EffectiveDateAhead; what posting raises: chunks before it stay booked.
    """
    loans = entries = 0
    for ids in _every_chunk(engine, book_code):
        entries += run(engine, partial(_accrue_loans, loan_ids=ids, day=day), actor=actor)
        loans += len(ids)
        if on_progress is not None:
            on_progress(loans)
    return CycleResult(loans, entries)


def run_day(uow: UnitOfWork, loan_id: int, day: date) -> tuple[int, ...]:
    """Run the daily cycle of one loan up to and including a day; return the entries booked.

    Raises: LoanUnknown; EffectiveDateAhead.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    _refuse_ahead(loan, day)
    entries = _close_days(uow, loan, day, load_roles(uow.connection, loan.book_code))
    work_loan(uow, load_book(uow.connection, loan.book_code).book_id, loan_id, day)
    return entries


def accrue_loan(uow: UnitOfWork, loan_id: int, day: date) -> tuple[int, ...]:
    """Book the interest of one loan up to a day; return the entries booked.

    Raises: LoanUnknown; EffectiveDateAhead.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    _refuse_ahead(loan, day)
    return converge(uow, loan, loan.events, request_key=f"accrue-loan:{day}", through=day, accrue=True).entries


def _close_days(uow: UnitOfWork, loan: Loan, day: date, roles: Roles) -> tuple[int, ...]:
    """Evaluate the close of every day up to this one that was not: interest, late fees, and whatever follows.

    Raises: IndexValueMissing for a rate that is to be reset.
    """
    if loan.terms.product.variable_rate is not None and reset_by_index(uow, loan.loan_id, day):
        loan = load_loan(uow.connection, loan.loan_id, lock=True)
    mark_fees_through(uow.connection, [loan.loan_id], day)
    closed = max(day, loan.fees_through or day)
    key = f"day:{day}"
    return converge(uow, loan, loan.events, request_key=key, through=day, closed_through=closed, roles=roles).entries


def _accrue_loans(uow: UnitOfWork, *, loan_ids: Sequence[int], day: date) -> int:
    entries = 0
    for loan in load_loans(uow.connection, loan_ids, lock=True):
        _refuse_ahead(loan, day)
        if loan.terms.funded_on <= day:
            key = f"accrue-loan:{day}"
            entries += len(converge(uow, loan, loan.events, request_key=key, through=day, accrue=True).entries)
    return entries


def _refuse_ahead(loan: Loan, day: date) -> None:
    if day > loan.business_date:
        raise EffectiveDateAhead(effective_date=day, business_date=loan.business_date)


def _every_chunk(engine: sa.Engine, book_code: str) -> Iterator[Sequence[int]]:
    after = 0
    while True:
        with engine.connect() as connection:
            ids = loan_ids_of(connection, book_code, after, CHUNK_LOANS)
        if not ids:
            return
        yield ids
        after = ids[-1]


# --- Loans that are new -----------------------------------------------------------------------------------

_NEW = sa.text(
    "SELECT l.loan_id FROM servicing.loan l"
    " WHERE l.book_id = :book_id AND l.loan_id > :after AND l.fees_through IS NULL"
    " AND NOT EXISTS (SELECT FROM servicing.standing s WHERE s.loan_id = l.loan_id) ORDER BY l.loan_id LIMIT :limit"
)


def _stand(engine: sa.Engine, book_code: str, book_id: int, actor: str, report: Callable[[int, int], None]) -> None:
    """Write where new loans stand, as long as their books are what their first event brought."""
    after, done = 0, 0
    while True:
        with engine.connect() as connection:
            values = {"book_id": book_id, "after": after, "limit": CHUNK_LOANS}
            ids = list(connection.scalars(_NEW, values))
        if not ids:
            return
        # If one of them is bad, which one comes out when they are brought forward one by one.
        with suppress(*_ANY_BUT_THE_DATABASE):
            run(engine, partial(_stand_chunk, book_code=book_code, loan_ids=ids), actor=actor)
        after, done = ids[-1], done + len(ids)
        report(done, 0)


def _stand_chunk(uow: UnitOfWork, *, book_code: str, loan_ids: Sequence[int]) -> None:
    folded: list[tuple[Loan, LoanState]] = []
    for loan in load_loans(uow.connection, loan_ids, lock=True):
        if len(loan.events) == 1:
            state = fold(loan.terms, loan.events, loan.events[0].effective_date)
            if loan.last_entry_no == len(state.planned):
                folded.append((loan, state))
    record_standings(uow.connection, folded, load_roles(uow.connection, book_code))


# --- Loans to which a day brings more than interest -------------------------------------------------------

_LEFT = sa.text(
    "SELECT l.loan_id FROM servicing.loan l LEFT JOIN servicing.standing s ON s.loan_id = l.loan_id"
    " WHERE l.book_id = :book_id AND (l.fees_through IS NULL OR l.fees_through < :day) AND s.is_open IS NOT FALSE"
    " ORDER BY l.loan_id"
)
_ANY_BUT_THE_DATABASE = (DomainError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError)
"""What a loan whose rows are not what they should be may end in."""


@dataclass(slots=True)
class _Forward:
    """The loans that a run brings forward, and what became of them so far."""

    engine: sa.Engine
    book_code: str
    book_id: int
    day: date
    actor: str
    dry_run: bool
    loans: int = 0
    entries: int = 0
    failures: list[LoanFailure] = field(default_factory=list)

    def bring_all(self, report: Callable[[int, int], None]) -> None:
        """Bring forward every loan that does not stand at the close of the day yet."""
        with self.engine.connect() as connection:
            left = list(connection.scalars(_LEFT, {"book_id": self.book_id, "day": self.day}))
        for begin in range(0, len(left), CHUNK_LOANS):
            self._bring(left[begin : begin + CHUNK_LOANS])
            report(min(begin + CHUNK_LOANS, len(left)), len(left))

    def _bring(self, loan_ids: Sequence[int]) -> None:
        work = partial(self._work, loan_ids=loan_ids)
        try:
            loans, entries = run(self.engine, work, actor=self.actor, dry_run=self.dry_run)
        except (DBAPIError, *_ANY_BUT_THE_DATABASE) as error:
            if isinstance(error, OperationalError):
                raise
            if len(loan_ids) == 1:
                self._note(loan_ids[0], error)
                return
            for loan_id in loan_ids:
                self._bring([loan_id])
            return
        self.loans, self.entries = self.loans + loans, self.entries + entries

    def _work(self, uow: UnitOfWork, *, loan_ids: Sequence[int]) -> tuple[int, int]:
        roles, loans, entries = load_roles(uow.connection, self.book_code), 0, 0
        for loan in load_loans(uow.connection, loan_ids, lock=True):
            if loan.terms.funded_on > self.day or (loan.fees_through is not None and loan.fees_through >= self.day):
                continue
            loans, entries = loans + 1, entries + len(_close_days(uow, loan, self.day, roles))
        return loans, entries

    def _note(self, loan_id: int, error: Exception) -> None:
        if isinstance(error, DomainError):
            code, message = error.code, error.message
        else:
            code, message = "loan-unreadable", f"{type(error).__name__}: {error}".splitlines()[0]
        self.failures.append(LoanFailure(loan_id, code, message))
        if len(self.failures) > MOST_FAILURES:
            raise DayRunStopped(failures=len(self.failures), loan_id=loan_id, reason=message) from error


def _silent(step: str, done: int, total: int) -> None:
    """Say nothing."""
