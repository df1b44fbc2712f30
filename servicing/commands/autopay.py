"""The days of the rails: what mandates ask for is scheduled, and what has settled by its day is credited.

Each loan is a transaction of its own, and a bad one stops nobody. What is scheduled is named by mandate and day, so a
run that was killed is taken up by running it again, and finds what it made before.
Never: what a mandate asks for (`servicing/rails/mandates.py`). Next: `docs/spec/rails.md`, worked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import sqlalchemy as sa

from ledger.errors import DomainError
from ledger.money import Money
from ledger.queries.accounts import book as load_book
from ledger.unit_of_work import UnitOfWork, run
from servicing import rail_store
from servicing.buckets import buckets
from servicing.commands.instructions import (
    InstructionIn,
    cancel_instruction,
    schedule_instruction,
    settle_instruction,
)
from servicing.errors import EffectiveDateAhead
from servicing.flags import AUTOPAY, holds_of
from servicing.queries import loan_view
from servicing.rail_queries import due_to_settle
from servicing.rails.instruction import Direction, Instruction, Status
from servicing.rails.mandates import Mandate, amount_to_debit, debit_days
from servicing.rails.rail import banking_day_from, banking_days_before
from servicing.rails.registry import RAILS
from servicing.state import CLOSED, LoanState
from servicing.store import load_loan

NOTICE_DAYS = 1
"""Banking days before it is to be sent on which a debit is scheduled."""
LOOK_AHEAD, LOOK_BACK = timedelta(days=14), timedelta(days=7)
"""How far ahead a debit can be scheduled, holidays between; how long a day that nobody ran is made up for."""

_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AssertionError)
"""What a loan whose rows are not what they should be may end in."""

LESS = "less is asked for than when it was scheduled"


@dataclass(frozen=True, slots=True)
class RailFailure:
    """A loan whose rails could not be run, and why."""

    loan_id: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RailReport:
    """What a run came to: how many loans or instructions it looked at, those that it moved, and failures."""

    day: date
    looked_at: int
    moved: tuple[Instruction, ...]
    failures: tuple[RailFailure, ...]


def run_autopay(
    engine: sa.Engine, book_code: str, day: date | None = None, *, actor: str, dry_run: bool = False
) -> RailReport:
    """Schedule what the mandates of a book ask for as of a day (None: the business date).

    Raises: BookUnknown; EffectiveDateAhead.
    """
    on = _day_of(engine, book_code, day)
    with engine.connect() as connection:
        loans = rail_store.loans_with_mandates(connection, book_code, on + LOOK_AHEAD)
    works = [(loan_id, partial(autopay_loan, loan_id=loan_id, day=on)) for loan_id in loans]
    return _each(engine, on, works, actor=actor, dry_run=dry_run)


def run_settlements(
    engine: sa.Engine, book_code: str, day: date | None = None, *, actor: str, dry_run: bool = False
) -> RailReport:
    """Settle what was sent and has settled by a day (None: the business date), on rails that nobody confirms.

    Raises: BookUnknown; EffectiveDateAhead.
    """
    on = _day_of(engine, book_code, day)
    with engine.connect() as connection:
        due = due_to_settle(connection, book_code, on)
    works = [(each.loan_id, partial(_settle, due=each)) for each in due]
    return _each(engine, on, works, actor=actor, dry_run=dry_run)


def autopay_loan(uow: UnitOfWork, loan_id: int, day: date) -> tuple[Instruction, ...]:
    """Schedule what the mandates of one loan ask for as of a day; return what was scheduled.

    What waits already is lowered where less is due by now: it is canceled, and the rest scheduled. Raises: LoanUnknown.
    """
    loan = load_loan(uow.connection, loan_id, lock=True)
    known = list(rail_store.instructions_of(uow.connection, [loan_id]))
    dues = [each.due for each in loan_view(uow.connection, loan_id, loan.business_date).state.installments]
    made: list[Instruction] = []
    for mandate in rail_store.mandates_of(uow.connection, loan_id):
        if mandate.ended_on is not None:
            continue
        for asked_on in debit_days(mandate, dues, first=day - LOOK_BACK, last=day + LOOK_AHEAD):
            if day >= _scheduled_from(mandate, asked_on):
                new = _debit(uow, mandate, asked_on, max(asked_on, loan.business_date), [*known, *made])
                made.extend(new)
    return tuple(made)


def amount_due(state: LoanState) -> int:
    """Return what the installments that are due by the day of a state still ask for, fees and penalties included."""
    return sum(bucket.past_due + bucket.due for bucket in buckets(state).values())


def _scheduled_from(mandate: Mandate, asked_on: date) -> date:
    days = RAILS[mandate.method].days_ahead + NOTICE_DAYS
    return banking_days_before(banking_day_from(asked_on), days)


def _debit(
    uow: UnitOfWork, mandate: Mandate, asked_on: date, due_on: date, known: Sequence[Instruction]
) -> list[Instruction]:
    """Schedule one debit of a mandate, unless it was; lower it where less is due."""
    name = f"autopay:{mandate.mandate_no}:{asked_on}"
    before = [each for each in known if each.request_key == name or each.request_key.startswith(f"{name}/")]
    waits = next((each for each in before if each.status is Status.SCHEDULED), None)
    if before and waits is None:
        return []
    others = [each for each in known if each is not waits]
    asked = _asked(uow, mandate, waits.due_on if waits else due_on, others)
    if waits is not None:
        if asked >= waits.amount:
            return []
        key = f"{name}/lowered:{len(before)}"
        cancel_instruction(uow, mandate.loan_id, waits.instruction_no, reason=LESS, request_key=key)
    if asked <= 0:
        return []
    given = InstructionIn(
        direction=Direction.DEBIT,
        method=mandate.method,
        amount=Money(asked, mandate.currency),
        due_on=waits.due_on if waits else due_on,
        account_no=mandate.account_no,
        card_token=mandate.card_token,
        mandate_no=mandate.mandate_no,
    )
    key = f"{name}/{len(before) + 1}" if before else name
    return [schedule_instruction(uow, mandate.loan_id, given, request_key=key)]


def _asked(uow: UnitOfWork, mandate: Mandate, on: date, others: Sequence[Instruction]) -> int:
    """Return what a mandate asks for on a day, less what is under way and was not credited yet."""
    under_way = sum(each.amount for each in others if _is_under_way(each) and each.due_on <= on)
    state = loan_view(uow.connection, mandate.loan_id, on).state
    if state.status in CLOSED or AUTOPAY in holds_of(state.flags):
        # What is left of a loan that was charged off or settled is asked for by people, never by itself.
        return 0
    due, payoff = max(0, amount_due(state) - under_way), max(0, state.payoff - state.unapplied - under_way)
    return amount_to_debit(mandate, due=due, payoff=payoff)


def _is_under_way(each: Instruction) -> bool:
    open_still = each.status in (Status.SCHEDULED, Status.BATCHED, Status.SENT)
    return each.direction is Direction.DEBIT and open_still and each.event_no is None


def _settle(uow: UnitOfWork, due: Instruction) -> tuple[Instruction, ...]:
    key = f"settle:{due.settles_on}"
    return (settle_instruction(uow, due.loan_id, due.instruction_no, request_key=key),)


def _each(
    engine: sa.Engine,
    day: date,
    works: Sequence[tuple[int, Callable[[UnitOfWork], tuple[Instruction, ...]]]],
    *,
    actor: str,
    dry_run: bool,
) -> RailReport:
    moved: list[Instruction] = []
    failures: list[RailFailure] = []
    for loan_id, work in works:
        try:
            moved.extend(run(engine, work, actor=actor, dry_run=dry_run))
        except DomainError as error:
            failures.append(RailFailure(loan_id, error.code, error.message))
        except _UNREADABLE as error:
            message = f"{type(error).__name__}: {error}".splitlines()[0]
            failures.append(RailFailure(loan_id, "loan-unreadable", message))
    return RailReport(day=day, looked_at=len(works), moved=tuple(moved), failures=tuple(failures))


def _day_of(engine: sa.Engine, book_code: str, day: date | None) -> date:
    with engine.connect() as connection:
        today = load_book(connection, book_code).business_date
    if day is not None and day > today:
        raise EffectiveDateAhead(effective_date=day, business_date=today)
    return day or today
