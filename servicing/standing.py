"""Where a loan stands between two things that happen to it, so that a day on which nothing happens costs no fold.

It says how interest goes on, since when an installment is unpaid, and from which day on the close of a day may bring
more than interest. It is made anew whenever the loan is brought forward, and can always be made again: it is a shortcut
and never the truth. Never: the database. Next: `servicing/outlook.py`; `servicing/commands/cycle.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.dates import Month
from servicing.outlook import Outlook
from servicing.pauses import day_at, days_counted
from servicing.rates import reset_days
from servicing.state import CLOSED, LoanState
from servicing.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A loan at the close of a day, and how it goes on if nothing happens to it.

    Closes of days before `next_step_on` bring interest alone, and month ends the `fee_income` of an origination fee.
    Where `is_non_accrual`, interest is no income, and booked as a memo.
    `unpaid_since` is the due date of the oldest installment that is not satisfied, due or not yet: on a later day, the
    loan is so many days past due. A loan that was paid off is open as long as the close of a day before that is still
    to be evaluated.
    """

    outlook: Outlook
    is_open: bool
    next_step_on: date
    unpaid_since: date | None
    matures_on: date
    fee_income: tuple[int, ...]
    is_non_accrual: bool = False


def standing_of(state: LoanState, terms: Terms, closed_through: date | None) -> Standing:
    """Return where a loan stands after a fold whose last evaluated close was that of `closed_through` (None: none)."""
    last = state.charged_off_on or date.max
    unpaid = next((line for line in state.installments if line.unpaid and line.due <= last), None)
    next_step_on = min(_steps(state, terms, closed_through), default=date.max)
    return Standing(
        outlook=state.outlook,
        is_open=state.status not in CLOSED or state.is_serviced or next_step_on <= state.through,
        next_step_on=next_step_on,
        unpaid_since=None if unpaid is None else _counting_since(state, unpaid.due),
        matures_on=state.installments[-1].due,
        fee_income=state.fee_income_ahead,
        is_non_accrual=state.non_accrual_since is not None,
    )


def days_past_due_on(standing: Standing, day: date) -> int:
    """Return the days past due at the close of a day before the next step."""
    return 0 if standing.unpaid_since is None else max(0, (day - standing.unpaid_since).days)


def _counting_since(state: LoanState, due: date) -> date:
    """Return the day from which days past due count on: a due date, later by the days that were paused."""
    if due >= state.through:
        return due
    return state.through - timedelta(days=days_counted(due, state.through, state.pauses))


def _steps(state: LoanState, terms: Terms, closed_through: date | None) -> Iterator[date]:
    """Yield the days whose close may change more than interest, the first of each kind at least."""
    evaluated = closed_through or date.min
    ended_on = state.charged_off_on or (None if state.is_serviced else state.sold_on)
    # A payment on a day whose close is still to be evaluated may leave too little to collect, of a claim too.
    if terms.product.small_balance.automatic and state.through > evaluated:
        yield max(evaluated, terms.funded_on) + timedelta(days=1)
    if ended_on is not None:
        if ended_on > evaluated:
            yield ended_on
        return
    if state.is_serviced:
        # What it earns is a memorandum of its own.
        yield max(state.through, evaluated, terms.funded_on) + timedelta(days=1)
    yield from _turns(state, terms, evaluated)
    if terms.product.late_fee.is_charged:
        for line in state.installments:
            day = line.due + timedelta(days=terms.product.grace_days)
            # What is satisfied today may not have been on a day whose close is still to be evaluated; and what asks
            # for nothing yet may come to ask for the interest that an earlier one left.
            if day > evaluated and (day <= state.through or line.paid_off_on is None):
                yield day
                break
    yield from (reset.on for reset in reset_days(terms) if reset.on > evaluated)
    if state.deferred_fee:
        yield Month.of(state.through + timedelta(days=1)).plus(len(state.fee_income_ahead)).last_day
    # Days past due do not go by the calendar while they are paused, nor when a pause is over that counts after all.
    if any(pause.end is None or state.through <= pause.end for pause in state.pauses):
        yield state.through + timedelta(days=1)
    for agreement in state.agreements:
        yield from (day for day in agreement.days() if day > evaluated)
        if agreement.status == "open" and state.through > evaluated:
            yield max(evaluated, terms.funded_on) + timedelta(days=1)
    if state.held:
        yield from (line.due for line in state.installments if line.due > state.through)
    # What the second coming installment asks for is not known until the first has fallen due.
    coming = [line.due for line in state.installments if line.due > state.through and line.lacks_something]
    yield from coming[1:2]
    last = state.installments[-1]
    unpaid = next((line for line in state.installments if line.paid_off_on is None), last)
    if unpaid.due > state.through:
        # Its figures settle when it falls due; only what nothing was paid on, or waived of, is sure to be unpaid then.
        if unpaid is last or unpaid.paid or unpaid.waived or not unpaid.unpaid:
            yield unpaid.due
    elif not unpaid.unpaid and state.principal:
        yield state.through + timedelta(days=1)


def _turns(state: LoanState, terms: Terms, evaluated: date) -> Iterator[date]:
    """Yield the days whose close may stop income, let it be again, or charge the loan off."""
    product = terms.product
    later = [product.charge_off_dpd, None if state.non_accrual_since is not None else product.non_accrual_dpd]
    for dpd in (dpd for dpd in later if dpd is not None):
        for line in state.installments:
            day = day_at(line.due, dpd, state.pauses)
            if day is not None and day > evaluated and (line.paid_off_on is None or line.paid_off_on > day):
                yield day
                break
    if state.non_accrual_since is not None and state.through > evaluated:
        yield evaluated + timedelta(days=1) if evaluated > date.min else terms.funded_on
    if state.cost_recovery and state.non_accrual_since is None:
        yield Month.of(state.through + timedelta(days=1)).last_day
