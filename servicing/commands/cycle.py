"""The daily cycle: interest accrued through a day, and late fees of days that have closed, for every loan of a book.

Loans are taken in chunks, each a transaction of its own, so that a run that was killed goes on where it stopped. Those
that only lack the entry of the day are booked as one batch; those that need more are brought forward one by one.
Never: amounts (`servicing/engine.py`). Next: `ledger/commands/batches.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Protocol

import sqlalchemy as sa

from ledger.batch import Batch, BatchRow
from ledger.commands.batches import post_batch_within
from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.converge import (
    TEMPLATE_NAMES,
    converge,
    plan,
    run_key,
    take_steps,
)
from servicing.engine import ACCRUAL_KEY
from servicing.errors import EffectiveDateAhead
from servicing.posting_rules import TEMPLATES
from servicing.replay import Book, Step
from servicing.store import (
    Loan,
    load_booked,
    load_loan,
    load_loans,
    load_roles,
    loan_ids_of,
    mark_fees_through,
)

CHUNK_LOANS = 500

Progress = Callable[[int], None]
"""Called with the loans done so far."""


@dataclass(frozen=True, slots=True)
class CycleResult:
    """How many loans were looked at, and how many entries were booked."""

    loans: int
    entries: int


class _ChunkWork(Protocol):
    def __call__(self, uow: UnitOfWork, *, loan_ids: Sequence[int]) -> int: ...


def accrue_through(
    engine: sa.Engine, book_code: str, day: date, *, actor: str, on_progress: Progress | None = None
) -> CycleResult:
    """Book the interest of every loan up to a day, rounded cumulatively; run again, it books nothing.

    Raises: EffectiveDateAhead; what posting raises: chunks before it stay booked.
    """
    return _each_chunk(engine, book_code, partial(_accrue_chunk, book_code=book_code, day=day), actor, on_progress)


def assess_late_fees(
    engine: sa.Engine, book_code: str, day: date, *, actor: str, on_progress: Progress | None = None
) -> CycleResult:
    """Evaluate the close of every day up to this one: assess the late fees that it brings.

    Raises: EffectiveDateAhead; what posting raises: chunks before it stay booked.
    """
    return _each_chunk(engine, book_code, partial(_close_days, day=day), actor, on_progress)


def run_day(uow: UnitOfWork, loan_id: int, day: date) -> tuple[int, ...]:
    """Run the daily cycle of one loan up to and including a day; return the entries booked.

    Raises: LoanUnknown; EffectiveDateAhead.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    _refuse_ahead([loan], day)
    mark_fees_through(uow.connection, [loan_id], day)
    through = max(day, loan.fees_through or day)
    key = f"day:{day}"
    return converge(uow, loan, loan.events, request_key=key, through=day, fees_through=through).entries


def accrue_loan(uow: UnitOfWork, loan_id: int, day: date) -> tuple[int, ...]:
    """Book the interest of one loan up to a day; return the entries booked.

    Raises: LoanUnknown; EffectiveDateAhead.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    _refuse_ahead([loan], day)
    return converge(uow, loan, loan.events, request_key=f"accrue-loan:{day}", through=day, accrue=True).entries


def _each_chunk(
    engine: sa.Engine,
    book_code: str,
    work: _ChunkWork,
    actor: str,
    on_progress: Progress | None,
) -> CycleResult:
    loans = entries = after = 0
    while True:
        with engine.connect() as connection:
            ids = loan_ids_of(connection, book_code, after, CHUNK_LOANS)
        if not ids:
            return CycleResult(loans, entries)
        chunk = tuple(ids)
        entries += run(engine, partial(work, loan_ids=chunk), actor=actor)
        loans, after = loans + len(ids), ids[-1]
        if on_progress is not None:
            on_progress(loans)


def _accrue_chunk(uow: UnitOfWork, *, book_code: str, loan_ids: Sequence[int], day: date) -> int:
    loans = load_loans(uow.connection, loan_ids, lock=True)
    _refuse_ahead(loans, day)
    roles = load_roles(uow.connection, book_code)
    booked = load_booked(uow.connection, loan_ids, TEMPLATE_NAMES)
    rows: list[BatchRow] = []
    entries = 0
    for loan in loans:
        if loan.terms.funded_on > day:
            continue
        state, steps = plan(loan, loan.events, booked[loan.loan_id], roles, through=day, accrue=True)
        if _is_this_accrual(steps, day):
            rows += _rows_of(loan, steps)
        else:
            key = run_key(f"accrue:{day}", booked[loan.loan_id])
            taken = take_steps(uow, loan, loan.events, state, steps, request_key=key, because=None)
            entries += len(taken)
    if not rows:
        return entries
    batch = Batch(
        book_code=book_code,
        request_key=f"accrue:{day}",
        template="interest_accrued",
        template_version=TEMPLATES.get("interest_accrued").version,
        effective_date=day,
        rows=tuple(rows),
        narration="Interest accrued",
        source_ref=f"{ACCRUAL_KEY}{day}",
    )
    return entries + post_batch_within(uow, batch).posted


def _is_this_accrual(steps: Sequence[Step], day: date) -> bool:
    """Tell whether all that a loan lacks is the first entry of this day's interest."""
    if len(steps) != 1 or not isinstance(steps[0], Book):
        return False
    return steps[0].corrects is None and steps[0].desired.planned.key == f"{ACCRUAL_KEY}{day}"


def _rows_of(loan: Loan, steps: Sequence[Step]) -> list[BatchRow]:
    return [
        BatchRow(loan.loan_id, posting.debit, posting.credit, posting.money)
        for step in steps
        if isinstance(step, Book)
        for posting in step.desired.postings
    ]


def _close_days(uow: UnitOfWork, *, loan_ids: Sequence[int], day: date) -> int:
    loans = load_loans(uow.connection, loan_ids, lock=True)
    _refuse_ahead(loans, day)
    mark_fees_through(uow.connection, loan_ids, day)
    booked = load_booked(uow.connection, loan_ids, TEMPLATE_NAMES)
    entries = 0
    roles = load_roles(uow.connection, loans[0].book_code)
    for loan in loans:
        through = max(day, loan.fees_through or day)
        state, steps = plan(loan, loan.events, booked[loan.loan_id], roles, through=day, fees_through=through)
        key = run_key(f"fees:{day}", booked[loan.loan_id])
        entries += len(take_steps(uow, loan, loan.events, state, steps, request_key=key, because=None))
    return entries


def _refuse_ahead(loans: Sequence[Loan], day: date) -> None:
    for loan in loans:
        if day > loan.business_date:
            raise EffectiveDateAhead(effective_date=day, business_date=loan.business_date)
