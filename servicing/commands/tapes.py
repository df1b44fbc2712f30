"""Boarding a tape: every row is checked first, then the loans are boarded in chunks, each a transaction of its own.

Killed at any instant and run again, it goes on where it stopped: a row whose loan is on the book already is passed
over and counted, and is a mistake if the loan is not the same. Never: how a file is written (`servicing/tapes/`).
Next: `servicing/commands/boarding.py`; `docs/how-to/boarding.md`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

import sqlalchemy as sa

from ledger.unit_of_work import UnitOfWork, run
from servicing.commands.boarding import board_loans
from servicing.drafts import LoanDraft
from servicing.errors import LoanExists
from servicing.store import Standing, cleared, standing_loans
from servicing.tapes.rows import Mistake, Refused
from servicing.tapes.tape import Tape, TapeLoan

CHUNK_LOANS = 1_000
WORKERS = 2  # chunks share no loan: one is booked while the next is read

Progress = Callable[[int], None]
"""Called with the rows done so far."""


@dataclass(slots=True)
class Checked:
    """What a tape holds: its rows, those that are right, on the book already, passed over or refused, and its sums.

    Sums are minor units by total, over every row whose amount can be read, right or wrong; `to_clear` is what the
    openings of the right rows credit the conversion clearing account with.
    """

    rows: int = 0
    right: int = 0
    found: int = 0
    passed_over: int = 0
    refused: int = 0
    sums: dict[str, int] = field(default_factory=dict)
    to_clear: int = 0
    mistakes: list[Mistake] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Boarded:
    """The loans that a run boarded, how many were there before it, and what the journal has of all of them.

    `cleared` is what their opening entries credited the conversion clearing account with, in minor units.
    """

    loan_ids: tuple[int, ...]
    found: int
    cleared: int


def check_tape(
    engine: sa.Engine,
    book_code: str,
    tape: Tape,
    *,
    on_refused: Refused | None = None,
    on_progress: Progress | None = None,
) -> Checked:
    """Read a whole tape and name every mistake in it; refused rows are handed on one by one, in order.

    Raises: TapeUnreadable; BookUnknown.
    """
    checked = Checked(mistakes=list(tape.header_mistakes()))
    if checked.mistakes:
        return checked
    for chunk in _chunks(tape.loans()):
        with engine.connect() as connection:
            standing = _standing(connection, book_code, chunk)
        for loan in chunk:
            _count(checked, _held_against(loan, standing), standing, on_refused)
        if on_progress is not None:
            on_progress(checked.rows + checked.passed_over)
    return checked


def board_tape(
    engine: sa.Engine,
    book_code: str,
    tape: Tape,
    *,
    actor: str,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> Boarded:
    """Board the right rows of a tape that was checked, those that are on the book already excepted.

    A dry run boards each chunk and undoes it. Raises: TapeUnreadable; what booking the entries raises: chunks before
    it stay booked.
    """
    ids: list[int] = []
    done = found = cleared = 0
    coming = _chunks(tape.loans())

    def board(chunk: Sequence[TapeLoan]) -> tuple[int, _Chunk]:
        drafts = [loan.draft for loan in chunk if loan.draft is not None]
        return len(chunk), _board(engine, book_code, drafts, actor=actor, dry_run=dry_run)

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="board") as pool:
        pending = deque(pool.submit(board, chunk) for chunk in islice(coming, WORKERS))
        while pending:
            rows, chunk = pending.popleft().result()
            ids.extend(chunk.new)
            done, found, cleared = done + rows, found + chunk.found, cleared + chunk.cleared
            if on_progress is not None:
                on_progress(done)
            pending.extend(pool.submit(board, chunk) for chunk in islice(coming, 1))
    return Boarded(tuple(ids), found, cleared)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What became of a chunk."""

    new: tuple[int, ...]
    found: int
    cleared: int


def _board(engine: sa.Engine, book_code: str, drafts: Sequence[LoanDraft], *, actor: str, dry_run: bool) -> _Chunk:
    """Board those of the drafts that are not on the book; whoever boards the same ones meanwhile makes this wait."""
    while True:
        try:
            work = partial(_board_chunk, book_code=book_code, drafts=drafts)
            return run(engine, work, actor=actor, dry_run=dry_run)
        except LoanExists:
            # Another run of the tape was first with one of them; it is on the book now, and the next attempt sees it.
            continue


def _board_chunk(uow: UnitOfWork, book_code: str, drafts: Sequence[LoanDraft]) -> _Chunk:
    known = standing_loans(uow.connection, book_code, [draft.external_id for draft in drafts])
    new = board_loans(uow, book_code, [draft for draft in drafts if draft.external_id not in known])
    openings = any(draft.opening is not None for draft in drafts)
    ids = [*new, *(loan.loan_id for loan in known.values())]
    return _Chunk(new, len(known), cleared(uow.connection, book_code, ids) if openings else 0)


def _chunks(loans: Iterable[TapeLoan]) -> Iterator[list[TapeLoan]]:
    coming = iter(loans)
    while chunk := list(islice(coming, CHUNK_LOANS)):
        yield chunk


def _standing(connection: sa.Connection, book_code: str, chunk: Sequence[TapeLoan]) -> Mapping[str, Standing]:
    names = [loan.draft.external_id for loan in chunk if loan.draft is not None]
    return standing_loans(connection, book_code, names) if names else {}


def _held_against(loan: TapeLoan, standing: Mapping[str, Standing]) -> TapeLoan:
    """Return a row with the mistake that another loan has its name, if one has."""
    if loan.draft is None or loan.draft.external_id not in standing:
        return loan
    difference = standing[loan.draft.external_id].difference_to(loan.draft)
    if difference is None:
        return loan
    reason = f"{loan.draft.external_id} is on the book already: {difference}"
    return replace(loan, draft=None, mistakes=(Mistake(loan.row.number, reason, "external_id"),))


def _count(checked: Checked, loan: TapeLoan, standing: Mapping[str, Standing], on_refused: Refused | None) -> None:
    if loan.draft is None and not loan.mistakes:
        checked.passed_over += 1
        return
    checked.rows += 1
    for name, minor in loan.sums:
        checked.sums[name] = checked.sums.get(name, 0) + minor
    if loan.draft is not None:
        checked.right += 1
        checked.to_clear += 0 if loan.draft.opening is None else loan.draft.opening.carrying_amount
        checked.found += loan.draft.external_id in standing
        return
    checked.refused += 1
    checked.mistakes.extend(loan.mistakes)
    if on_refused is not None:
        on_refused(loan.row, loan.mistakes)
