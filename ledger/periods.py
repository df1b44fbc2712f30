"""The life of an accounting period, declared as a table, and the day on which an entry may be booked.

A month is opened, closed for ordinary work, closed for good, and at worst reopened by two people. Months
close in their order and reopen in the opposite one. Never: the clock (a business date is given), or any
lock: the subledger heads hold that no entry lands in a closed month.
Next: `ledger/dates.py` for months.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ledger.dates import Month
from ledger.errors import ApprovalMissing, BookingDateRefused, PeriodTransitionRefused


class PeriodState(StrEnum):
    """Open to all; soft-closed: to authorized late entries only; closing: under way; closed: to nothing."""

    OPEN = "open"
    SOFT_CLOSED = "soft_closed"
    CLOSING = "closing"
    CLOSED = "closed"


class PeriodAction(StrEnum):
    """What can be done to a period."""

    OPEN = "open"
    SOFT_CLOSE = "soft_close"
    LIFT_SOFT_CLOSE = "lift_soft_close"
    START_CLOSE = "start_close"
    FINISH_CLOSE = "finish_close"
    ABANDON_CLOSE = "abandon_close"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: what an action makes of a state, and what it asks for.

    `source` None is a month that has no period yet. `month_over`: the business date lies past the month.
    `previous_closed`: the month before is closed, unless this is the first. `next_not_closed`: the month
    after is neither closed nor closing. A transition that needs an approver needs a reason too.
    """

    source: PeriodState | None
    action: PeriodAction
    target: PeriodState
    needs_approver: bool = False
    month_over: bool = False
    previous_closed: bool = False
    next_not_closed: bool = False


_S, _A = PeriodState, PeriodAction

TRANSITIONS = (
    Transition(None, _A.OPEN, _S.OPEN),
    Transition(_S.OPEN, _A.SOFT_CLOSE, _S.SOFT_CLOSED, month_over=True),
    Transition(_S.SOFT_CLOSED, _A.LIFT_SOFT_CLOSE, _S.OPEN),
    Transition(_S.OPEN, _A.START_CLOSE, _S.CLOSING, month_over=True, previous_closed=True),
    Transition(_S.SOFT_CLOSED, _A.START_CLOSE, _S.CLOSING, month_over=True, previous_closed=True),
    # A close that was killed is started again where it stopped.
    Transition(_S.CLOSING, _A.START_CLOSE, _S.CLOSING, month_over=True, previous_closed=True),
    Transition(_S.CLOSING, _A.FINISH_CLOSE, _S.CLOSED, month_over=True, previous_closed=True),
    Transition(_S.CLOSING, _A.ABANDON_CLOSE, _S.SOFT_CLOSED, needs_approver=True, next_not_closed=True),
    Transition(_S.CLOSED, _A.REOPEN, _S.SOFT_CLOSED, needs_approver=True, next_not_closed=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodView:
    """A period among its neighbors; the state None means that the month has no period."""

    book: str
    month: Month
    state: PeriodState | None
    previous_state: PeriodState | None
    next_state: PeriodState | None
    first_month: Month
    """The month in which the book opens: nothing comes before it."""


def decide_transition(
    period: PeriodView,
    action: PeriodAction,
    *,
    business_date: date,
    actor: str,
    approver: str | None = None,
    reason: str | None = None,
) -> Transition:
    """Return the transition that an action makes on a period.

    Raises: PeriodTransitionRefused with the reason; ApprovalMissing where a second person is needed and the
    approver is nobody, or the actor.
    """
    found = next((row for row in TRANSITIONS if (row.source, row.action) == (period.state, action)), None)
    if found is None:
        raise _refused(period, _target_of(action), f"{action} is not possible from there")
    objection = _objection(period, found, business_date)
    if objection:
        raise _refused(period, found.target, objection)
    if found.needs_approver and approver in (None, "", actor):
        raise ApprovalMissing(action=f"{action} of {period.month}", actor=actor, approver=approver)
    if found.needs_approver and not (reason or "").strip():
        raise _refused(period, found.target, f"{action} needs a reason")
    return found


def _objection(period: PeriodView, transition: Transition, business_date: date) -> str | None:
    """Return what stands against a transition that the table allows, or None."""
    month, is_first = period.month, period.month == period.first_month
    if month < period.first_month:
        return f"the book opens in {period.first_month}"
    if transition.action is PeriodAction.OPEN and not is_first and period.previous_state is None:
        return f"{month.previous} has no period yet"
    if transition.month_over and business_date <= month.last_day:
        return f"the business date is {business_date}, and the month ends on {month.last_day}"
    if transition.previous_closed and not is_first and period.previous_state is not PeriodState.CLOSED:
        return f"{month.previous} is not closed yet"
    if transition.next_not_closed and period.next_state in (PeriodState.CLOSING, PeriodState.CLOSED):
        return f"{month.next} is {period.next_state}; the latest closed month is reopened first"
    return None


def _target_of(action: PeriodAction) -> PeriodState:
    return next(row.target for row in TRANSITIONS if row.action is action)


def _refused(period: PeriodView, wanted: PeriodState, reason: str) -> PeriodTransitionRefused:
    state = "not there" if period.state is None else str(period.state)
    return PeriodTransitionRefused(
        book=period.book, month=str(period.month), state=state, wanted=str(wanted), reason=reason
    )


def decide_booking_date(
    *, business_date: date, wanted: date | None, state: PeriodState | None, authorized: bool
) -> date:
    """Return the day in whose books an entry lands: the business date, unless an earlier day is asked for.

    `state` is that of the period of the day that results.

    Raises: BookingDateRefused for a later day, for an earlier day without authority, and for a day whose
    period does not take it.
    """
    booking_date = wanted or business_date
    objection = None
    if booking_date > business_date:
        objection = "it lies ahead"
    elif booking_date < business_date and not authorized:
        objection = "booking to an earlier day needs authority"
    elif state is None:
        objection = "its month has no period"
    elif state not in (PeriodState.OPEN, PeriodState.SOFT_CLOSED):
        objection = f"its month is {state}"
    elif state is PeriodState.SOFT_CLOSED and not authorized:
        objection = "its month is soft-closed, and takes authorized entries only"
    if objection:
        raise BookingDateRefused(booking_date=booking_date, business_date=business_date, reason=objection)
    return booking_date
