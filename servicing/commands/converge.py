"""Bring the journal of a loan to what the fold of its events says: load, fold, compare, book the difference.

Every entry that is booked bears its key as its source reference; so the same loan brought forward twice books nothing
the second time. Never: events. Next: `servicing/engine.py`, `servicing/replay.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from ledger.commands.posting import post_entry, reverse_entry
from ledger.journal import EntryDraft, SubledgerId
from ledger.unit_of_work import UnitOfWork
from servicing import tables
from servicing.engine import ACCRUAL_KEY, fold
from servicing.events import UNDOING, Event
from servicing.posting_rules import TEMPLATES, Roles, narration_of, postings_of
from servicing.replay import Book, Booked, Desired, Step, difference, touches_payments
from servicing.state import LoanState
from servicing.store import Loan, latest_allocations, load_booked, load_roles

TEMPLATE_NAMES = tuple(template.name for template in TEMPLATES)


@dataclass(frozen=True, slots=True)
class Converged:
    """The loan as it is now, and the numbers of the entries that were booked."""

    state: LoanState
    entries: tuple[int, ...]


def plan(
    loan: Loan,
    events: Sequence[Event],
    booked: Sequence[Booked],
    roles: Roles,
    *,
    through: date | None = None,
    fees_through: date | None = None,
    accrue: bool = False,
) -> tuple[LoanState, tuple[Step, ...]]:
    """Return the loan at the close of a day and the steps that the journal lacks.

    Days on which interest was booked stay booked; the fold reaches at least as far as the journal does.
    """
    held = [entry.effective_date for entry in booked]
    accrued = {entry.effective_date for entry in booked if entry.key.startswith(ACCRUAL_KEY)}
    if accrue and through is not None:
        accrued.add(through)
    days = [*held, *(event.effective_date for event in events), *([through] if through else [])]
    state = fold(
        loan.terms,
        events,
        max(days, default=loan.terms.funded_on),
        fees_through=fees_through or loan.fees_through,
        accrual_days=accrued,
    )
    currency = loan.terms.currency
    desired = [Desired(item, postings_of(item, roles, currency)) for item in state.planned]
    return state, difference(desired, booked, roles)


def converge(
    uow: UnitOfWork,
    loan: Loan,
    events: Sequence[Event],
    *,
    request_key: str,
    because: int | None = None,
    through: date | None = None,
    fees_through: date | None = None,
    accrue: bool = False,
) -> Converged:
    """Book what the journal of a loan lacks. The loan's row is locked.

    Entries take the keys `<request_key>/1`, `/2`, ... in the order of the steps; a run without an event adds to the
    key how far the journal was. Raises: what posting raises.
    """
    roles = load_roles(uow.connection, loan.book_code)
    booked = load_booked(uow.connection, [loan.loan_id], TEMPLATE_NAMES)[loan.loan_id]
    state, steps = plan(loan, events, booked, roles, through=through, fees_through=fees_through, accrue=accrue)
    key = request_key if because is not None else run_key(request_key, booked)
    return Converged(state, take_steps(uow, loan, events, state, steps, request_key=key, because=because))


def take_steps(
    uow: UnitOfWork,
    loan: Loan,
    events: Sequence[Event],
    state: LoanState,
    steps: Sequence[Step],
    *,
    request_key: str,
    because: int | None,
) -> tuple[int, ...]:
    """Book reversals and entries in order, keep what became of the payments; return the numbers of the entries."""
    details = None if because is None else {"because_event": because}
    numbers = tuple(
        _take(uow, loan, step, f"{request_key}/{place}", details) for place, step in enumerate(steps, start=1)
    )
    if touches_payments(steps):
        _record_allocations(uow.connection, loan.loan_id, state, events, because)
    return numbers


def _take(uow: UnitOfWork, loan: Loan, step: Step, request_key: str, details: Mapping[str, int] | None) -> int:
    if isinstance(step, Book):
        return post_entry(uow, _draft(uow, loan, step, request_key, details)).entry_no
    booked = step.booked
    return reverse_entry(
        uow,
        loan.loan_id,
        booked.entry_no,
        request_key=request_key,
        source_ref=booked.key,
        details=details,
    ).entry_no


def run_key(name: str, booked: Sequence[Booked]) -> str:
    """Return a request key that no earlier run on this loan has had, unless the journal is as it was then."""
    return f"{name}:{max((entry.entry_no for entry in booked), default=0)}:{len(booked)}"


def _record_allocations(
    connection: sa.Connection, loan_id: int, state: LoanState, events: Sequence[Event], because: int | None
) -> None:
    """Append a version of each payment's allocation that is not as it was; undone payments get an empty one."""
    known = latest_allocations(connection, loan_id)
    undone = {event.of for event in events if event.kind in UNDOING}
    now = {no: parts.components() for no, parts in state.allocations.items()}
    now.update({no: {} for no in known if no in undone})
    rows = [
        {
            "loan_id": loan_id,
            "event_no": no,
            "version": known[no][0] + 1 if no in known else 1,
            "because_event_no": because,
            "allocation": parts,
        }
        for no, parts in sorted(now.items())
        if no not in known or known[no][1] != parts
    ]
    if rows:
        connection.execute(sa.insert(tables.allocation_version), rows)


def _draft(uow: UnitOfWork, loan: Loan, step: Book, key: str, details: Mapping[str, int] | None) -> EntryDraft:
    planned = step.desired.planned
    return EntryDraft(
        subledger_id=SubledgerId(loan.loan_id),
        template=planned.template,
        template_version=TEMPLATES.get(planned.template).version,
        effective_date=planned.effective_date,
        actor=uow.actor,
        request_key=key,
        source_ref=planned.key,
        narration=narration_of(planned),
        postings=step.desired.postings,
        corrects_no=step.corrects,
        details=details,
    )
