"""The life of a period, step by step: open, soft-closed, closed, reopened by two people; and the year-end entry.

A close raises the gate of every head in chunks, so that no poster waits long; only then, with everything of the month
sealed, is the month said to be closed, with the digest of its trial balance. Killed in between, it is run again.
Never: the transition table (`ledger/periods.py`). Next: `ledger/sql/periods.sql`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import sqlalchemy as sa

from ledger.dates import Month
from ledger.periods import PeriodAction, PeriodState, PeriodView, decide_transition
from ledger.queries.trial_balance import trial_balance
from ledger.seals import head, seal
from ledger.store import Book, load_book
from ledger.unit_of_work import UnitOfWork, run

CHUNK_HEADS = 5_000

Progress = Callable[[int, int], None]
"""Called with the heads moved so far and the heads there are."""


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """What a step did: the state before and after, and of a close its proof."""

    month: Month
    before: PeriodState | None
    after: PeriodState
    block_no: int | None = None
    trial_balance_digest: bytes | None = None


def open_period(uow: UnitOfWork, book_code: str, month: Month) -> PeriodChange:
    """Open a month, and those before it, ahead of the business date, which opens months as it enters them.

    Raises: BookUnknown; PeriodTransitionRefused if it has a period already.
    """
    book = load_book(uow.connection, book_code)
    decide_transition(
        view(uow.connection, book, month),
        PeriodAction.OPEN,
        business_date=book.business_date,
        actor=uow.actor,
    )
    values = {"book_id": book.book_id, "through": month.first_day, "actor": uow.actor}
    uow.connection.execute(sa.text("SELECT ledger.open_period(:book_id, :through, :actor)"), values)
    return PeriodChange(month, None, PeriodState.OPEN)


def soft_close_period(uow: UnitOfWork, book_code: str, month: Month) -> PeriodChange:
    """Close a month to ordinary work; entries with a second person's approval may still be booked into it.

    Raises: PeriodTransitionRefused.
    """
    return _step(uow, book_code, month, PeriodAction.SOFT_CLOSE)


def lift_soft_close(uow: UnitOfWork, book_code: str, month: Month) -> PeriodChange:
    """Open a soft-closed month to ordinary work again.

    Raises: PeriodTransitionRefused.
    """
    return _step(uow, book_code, month, PeriodAction.LIFT_SOFT_CLOSE)


def close_period(
    engine: sa.Engine,
    book_code: str,
    month: Month,
    *,
    actor: str,
    approver: str | None = None,
    chunk: int = CHUNK_HEADS,
    on_progress: Progress | None = None,
) -> PeriodChange:
    """Close a month for good: nothing is booked into it any more, at whatever isolation and from wherever.

    Several transactions; one that was killed is taken up by calling this again.

    Raises: PeriodTransitionRefused.
    """
    started = run(
        engine,
        lambda uow: _step(uow, book_code, month, PeriodAction.START_CLOSE),
        actor=actor,
        approver=approver,
    )
    _move_gates(engine, book_code, month.last_day, actor=actor, chunk=chunk, on_progress=on_progress)
    run(engine, seal, actor=actor)
    finished = run(engine, lambda uow: _finish_close(uow, book_code, month), actor=actor, approver=approver)
    return PeriodChange(month, started.before, finished.after, finished.block_no, finished.trial_balance_digest)


def close_period_within(uow: UnitOfWork, book_code: str, month: Month) -> PeriodChange:
    """Close a month in the caller's transaction: for a book so small that nobody waits for its heads, or on trial.

    Raises: PeriodTransitionRefused.
    """
    started = _step(uow, book_code, month, PeriodAction.START_CLOSE)
    values = {"book_id": load_book(uow.connection, book_code).book_id, "through": month.last_day}
    _move_birth_gates(uow, values=values)
    after: int | None = -(2**63)
    while after is not None:
        after, _ = _move_chunk(uow, values={**values, "limit": CHUNK_HEADS, "after": after})
    seal(uow)
    finished = _finish_close(uow, book_code, month)
    return PeriodChange(month, started.before, finished.after, finished.block_no, finished.trial_balance_digest)


def reopen_period(
    engine: sa.Engine,
    book_code: str,
    month: Month,
    *,
    actor: str,
    approver: str | None,
    reason: str,
    chunk: int = CHUNK_HEADS,
    on_progress: Progress | None = None,
) -> PeriodChange:
    """Open the latest closed month to authorized entries again; the digest of its close is kept.

    Raises: PeriodTransitionRefused; ApprovalMissing without a second person.
    """

    def reopen(uow: UnitOfWork) -> PeriodChange:
        book = load_book(uow.connection, book_code)
        state = view(uow.connection, book, month).state
        if state is PeriodState.SOFT_CLOSED and _gates_stand(uow.connection, book, month):
            # An earlier reopening was killed before it had moved every gate.
            return PeriodChange(month, state, state)
        action = PeriodAction.ABANDON_CLOSE if state is PeriodState.CLOSING else PeriodAction.REOPEN
        return _step(uow, book_code, month, action, reason=reason)

    change = run(engine, reopen, actor=actor, approver=approver)
    closed_through = month.first_day - timedelta(days=1)
    _move_gates(engine, book_code, closed_through, actor=actor, chunk=chunk, on_progress=on_progress)
    return change


def view(connection: sa.Connection, book: Book, month: Month) -> PeriodView:
    """Return a month among its neighbors, as the transition table wants to see it."""
    rows = connection.execute(
        sa.text("SELECT month, state FROM ledger.period WHERE book_id = :book_id AND month BETWEEN :first AND :last"),
        {"book_id": book.book_id, "first": month.previous.first_day, "last": month.next.first_day},
    )
    states = {Month.of(first_day): PeriodState(state) for first_day, state in rows}
    return PeriodView(
        book=book.code,
        month=month,
        state=states.get(month),
        previous_state=states.get(month.previous),
        next_state=states.get(month.next),
        first_month=Month.of(book.opened_on),
    )


def _gates_stand(connection: sa.Connection, book: Book, month: Month) -> bool:
    statement = sa.text(
        "SELECT EXISTS (SELECT FROM ledger.subledger WHERE book_id = :book_id AND closed_through >= :last_day)"
    )
    return bool(connection.scalar(statement, {"book_id": book.book_id, "last_day": month.last_day}))


_CHANGE = sa.text(
    "SELECT ledger.change_period(:book_id, :month, :action, :before, :after, :actor, :approver, :reason,"
    " :block_no, :digest)"
)


def _step(
    uow: UnitOfWork,
    book_code: str,
    month: Month,
    action: PeriodAction,
    *,
    reason: str | None = None,
    block_no: int | None = None,
    digest: bytes | None = None,
) -> PeriodChange:
    book = load_book(uow.connection, book_code)
    period = view(uow.connection, book, month)
    transition = decide_transition(
        period,
        action,
        business_date=book.business_date,
        actor=uow.actor,
        approver=uow.approver,
        reason=reason,
    )
    uow.connection.execute(
        _CHANGE,
        {
            "book_id": book.book_id,
            "month": month.first_day,
            "action": str(action),
            "before": str(transition.source),
            "after": str(transition.target),
            "actor": uow.actor,
            "approver": uow.approver,
            "reason": reason,
            "block_no": block_no,
            "digest": digest,
        },
    )
    return PeriodChange(month, period.state, transition.target, block_no, digest)


def _finish_close(uow: UnitOfWork, book_code: str, month: Month) -> PeriodChange:
    block = head(uow.connection)
    balance = trial_balance(uow.connection, book_code, as_of=month.last_day).balance
    return _step(
        uow,
        book_code,
        month,
        PeriodAction.FINISH_CLOSE,
        block_no=None if block is None else block.block_no,
        digest=balance.digest(),
    )


def _move_gates(
    engine: sa.Engine,
    book_code: str,
    closed_through: date,
    *,
    actor: str,
    chunk: int,
    on_progress: Progress | None,
) -> None:
    """Move every head's gate, the births' first, so that a head born meanwhile is on the right side already."""
    with engine.connect() as connection:
        book_id = load_book(connection, book_code).book_id
        total = connection.scalar(sa.text("SELECT count(*) FROM ledger.subledger WHERE book_id = :id"), {"id": book_id})
    values = {"book_id": book_id, "through": closed_through, "limit": chunk}
    run(engine, partial(_move_birth_gates, values=values), actor=actor)
    after, moved = -(2**63), 0
    while True:
        last, count = run(engine, partial(_move_chunk, values={**values, "after": after}), actor=actor)
        if last is None:
            return
        after, moved = last, moved + count
        if on_progress is not None:
            on_progress(moved, total or 0)


def _move_birth_gates(uow: UnitOfWork, *, values: dict[str, object]) -> None:
    uow.connection.execute(sa.text("SELECT ledger.move_birth_gates(:book_id, :through)"), values)


def _move_chunk(uow: UnitOfWork, *, values: dict[str, object]) -> tuple[int | None, int]:
    statement = sa.text("SELECT o_last, o_moved FROM ledger.move_gates(:book_id, :through, :after, :limit)")
    row = uow.connection.execute(statement, values).one()
    return row.o_last, row.o_moved
