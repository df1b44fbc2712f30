"""Bring the journal of a loan to what the fold of its events says: load, fold, compare, book the difference.

Every entry that is booked bears its key as its source reference; so the same loan brought forward twice books nothing
the second time. Never: events. Next: `servicing/engine.py`, `servicing/replay.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import sqlalchemy as sa

from ledger.commands.posting import post_entries, post_entry
from ledger.journal import REVERSAL_TEMPLATE, REVERSAL_TEMPLATE_VERSION, EntryDraft, SubledgerId
from ledger.unit_of_work import UnitOfWork
from servicing import tables
from servicing.checkpoint import Checkpoint
from servicing.commands.delinquency import keep_ranges
from servicing.commands.standing import next_checkpoint_day, record_standing
from servicing.commands.terms_versions import keep_terms_versions
from servicing.engine import ACCRUAL_KEY, fold
from servicing.events import UNDOING, Event
from servicing.posting_rules import TEMPLATES, Roles, narration_of, postings_of
from servicing.replay import Booked, Desired, Reverse, Step, difference, touches_payments
from servicing.state import LoanState
from servicing.store import Loan, latest_allocations, load_booked, load_roles

TEMPLATE_NAMES = tuple(template.name for template in TEMPLATES)


@dataclass(frozen=True, slots=True)
class Converged:
    """The loan as it is now, and the numbers of the entries that were booked."""

    state: LoanState
    entries: tuple[int, ...]


def converge(
    uow: UnitOfWork,
    loan: Loan,
    events: Sequence[Event],
    *,
    request_key: str,
    because: Event | None = None,
    through: date | None = None,
    closed_through: date | None = None,
    accrue: bool = False,
    roles: Roles | None = None,
) -> Converged:
    """Book what the journal of a loan lacks, and write where the loan stands then. The loan's row is locked.

    `because` is the event that is new, `closed_through` the last day whose close is evaluated now. Entries take the
    keys `<request_key>/1`, `/2`, ... in the order of the steps; a run without an event adds to the key how far the
    journal was. Raises: what posting raises.
    """
    work = _Work(uow.connection, loan, events, through, closed_through or loan.fees_through, accrue, roles)
    start, plan_from = _place_to_begin(work, because)
    plan = work.plan(start, plan_from)
    if start is not None and any(isinstance(step, Reverse) for step in plan.steps):
        # What is undone may take what came before with it.
        plan = work.plan(None)
    state = plan.state
    key = request_key if because is not None else f"{request_key}:{loan.last_entry_no}"
    numbers = _take_steps(uow, loan, events, state, plan.steps, request_key=key, because=because)
    record_standing(uow.connection, loan, state, work.closed_through, work.roles, entries_from=plan.entries_from)
    keep_ranges(uow.connection, loan, state)
    keep_terms_versions(uow.connection, loan, events, state, because)
    return Converged(state, numbers)


def lacking(connection: sa.Connection, loan: Loan) -> tuple[LoanState, tuple[Step, ...]]:
    """Return a loan folded from its funding, and the steps that its journal lacks: none, unless something is wrong."""
    plan = _Work(connection, loan, loan.events, None, loan.fees_through, False, None).plan(None)
    return plan.state, plan.steps


@dataclass(frozen=True, slots=True)
class _Plan:
    """The loan, the steps that its journal lacks, and below which number no entry matters to its checkpoint."""

    state: LoanState
    steps: tuple[Step, ...]
    entries_from: int


class _Work:
    """What one convergence looks at; it lives only inside `converge`."""

    def __init__(
        self,
        connection: sa.Connection,
        loan: Loan,
        events: Sequence[Event],
        through: date | None,
        closed_through: date | None,
        accrue: bool,
        roles: Roles | None,
    ) -> None:
        self.connection, self.loan, self.events = connection, loan, events
        self.through, self.closed_through, self.accrue = through, closed_through, accrue
        self.roles = roles or load_roles(connection, loan.book_code)

    def plan(self, start: Checkpoint | None, plan_from: date = date.min) -> _Plan:
        """Return the loan and the steps that the journal lacks, from a checkpoint on or from the funding.

        Nothing is looked for before `plan_from`. Days on which interest was booked stay booked; the fold reaches as far
        as the journal does, and the marks.
        """
        loan = self.loan
        known_from = 0 if start is None else start.entries_from
        booked = load_booked(self.connection, [loan.loan_id], TEMPLATE_NAMES, plan_from, known_from)[loan.loan_id]
        accrued = {entry.effective_date for entry in booked if entry.key.startswith(ACCRUAL_KEY)}
        marks = [day for day in (self.through, self.closed_through) if day is not None]
        if self.accrue and self.through is not None:
            accrued.add(self.through)
        last_event_on = max((event.effective_date for event in self.events), default=loan.terms.funded_on)
        through = max(last_event_on, *marks, *(entry.effective_date for entry in booked), loan.terms.funded_on)
        state = fold(
            loan.terms,
            self.events,
            through,
            fees_through=self.closed_through,
            accrual_days=accrued,
            start=start,
            checkpoint_on=next_checkpoint_day(loan, self.events, last_event_on, through, self.closed_through),
            plan_from=plan_from,
        )
        currency = loan.terms.currency
        desired = [Desired(item, postings_of(item, self.roles, currency)) for item in state.planned]
        # Of what entries spend, unapplied cash alone outlives its day.
        opening = {} if start is None else {"UNAPPLIED_PAYMENTS": start.figures["unapplied"]}
        steps = difference(desired, booked, self.roles, opening)
        return _Plan(state, steps, self._entries_from(state.checkpoint, plan_from, booked, known_from))

    def _entries_from(
        self, checkpoint: Checkpoint | None, plan_from: date, booked: Sequence[Booked], known_from: int
    ) -> int:
        if checkpoint is None or checkpoint.day < plan_from:
            return known_from
        numbers = (entry.entry_no for entry in booked if entry.effective_date >= checkpoint.day)
        return min(numbers, default=self.loan.last_entry_no + 1)


def _place_to_begin(work: _Work, because: Event | None) -> tuple[Checkpoint | None, date]:
    """Return the checkpoint to fold from, if what is new changes nothing before it, and the day from which to look.

    Up to the day before it the journal is as it should be: everything that happened was booked when it happened, and so
    was the interest of every day up to the mark.
    """
    loan, start = work.loan, work.loan.checkpoint
    if start is None:
        return None, date.min
    touched = [] if because is None else [because.no, because.of]
    changed = min((event.reaches_back_to for event in work.events if event.no in touched), default=date.max)
    if changed < start.day:
        return None, date.min
    if work.accrue and work.through is not None:
        changed = min(changed, work.through)
    open_from = start.day if loan.fees_through is None else loan.fees_through + timedelta(days=1)
    return start, max(start.day, min(changed, open_from))


def _take_steps(
    uow: UnitOfWork,
    loan: Loan,
    events: Sequence[Event],
    state: LoanState,
    steps: Sequence[Step],
    *,
    request_key: str,
    because: Event | None,
) -> tuple[int, ...]:
    """Book reversals and entries in order, keep what became of the payments; return the numbers of the entries."""
    details = None if because is None else {"because_event": because.no}
    drafts = [_draft(uow, loan, step, f"{request_key}/{place}", details) for place, step in enumerate(steps, start=1)]
    if because is not None and "group_id" in because.details:
        drafts = [replace(draft, group_id=because.details["group_id"]) for draft in drafts]
    grouped = any(draft.group_id is not None for draft in drafts)
    if len(drafts) == 1 or grouped:
        numbers: tuple[int, ...] = tuple(post_entry(uow, draft).entry_no for draft in drafts)
    else:
        numbers = tuple(posted.entry_no for posted in post_entries(uow, drafts))
    if touches_payments(steps):
        _record_allocations(uow.connection, loan.loan_id, state, events, None if because is None else because.no)
    return numbers


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


def _draft(uow: UnitOfWork, loan: Loan, step: Step, key: str, details: Mapping[str, int] | None) -> EntryDraft:
    if isinstance(step, Reverse):
        booked = step.booked
        return EntryDraft(
            subledger_id=SubledgerId(loan.loan_id),
            template=REVERSAL_TEMPLATE,
            template_version=REVERSAL_TEMPLATE_VERSION,
            effective_date=booked.effective_date,
            actor=uow.actor,
            request_key=key,
            source_ref=booked.key,
            narration=f"Reversal of entry {booked.entry_no}",
            postings=tuple(posting.swapped for posting in booked.postings),
            reverses_no=booked.entry_no,
            details=details,
        )
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
