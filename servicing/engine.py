"""The fold: terms and events, in the order of replay, become allocations, installments and the entries that should be.

Always from the start, so that a back-dated payment, a return and a reversal need no code of their own: an event that
was undone is left out, and everything after it comes out as if it had never been, the fee for a return excepted.
The order of a day: what changes the contract; installments fall due; what people and banks entered, by entry; the close
of the day, with late fees and small balances. Never: what the journal holds (`servicing/replay.py`).
Next: `servicing/folding.py` for the running figures, `servicing/effects/` for what an event does;
`docs/spec/replay.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import MAXYEAR, date

from servicing.checkpoint import Checkpoint
from servicing.effects import (
    agreements,
    boarding,
    charge_offs,
    chargebacks,
    credits,
    fees,
    flags,
    funding,
    modifications,
    non_accrual,
    payments,
    rates,
    refunds,
    sales,
    waivers,
    write_offs,
)
from servicing.events import AFTER_RELEASE, UNDOING, Event, Kind
from servicing.folding import ACCRUAL_KEY, Folding
from servicing.state import LoanState
from servicing.terms import Terms

__all__ = ["ACCRUAL_KEY", "FOLD_VERSION", "fold"]

FOLD_VERSION = 3
"""Raised with every change by which a fold comes out otherwise: checkpoints of another version are left alone."""

Effect = Callable[[Folding, Event], None]

EFFECTS: Mapping[Kind, Effect] = {
    Kind.FUNDED: funding.fund,
    Kind.BOARDED: boarding.board,
    Kind.DISBURSED: funding.disburse,
    Kind.DISBURSEMENT_RETURNED: funding.take_back,
    Kind.DRAWDOWN: funding.draw,
    Kind.RATE_RESET: rates.reset,
    Kind.PAYMENT: payments.pay,
    Kind.RETURNED: fees.charge_return,
    Kind.FEE: fees.charge_fee,
    Kind.WAIVER: waivers.waive,
    Kind.WRITE_OFF: write_offs.write_off,
    Kind.REFUND: refunds.refund,
    Kind.CREDIT_BALANCE_REFUND: refunds.refund,
    Kind.GOODWILL_CREDIT: credits.give_goodwill,
    Kind.MERCHANT_REFUND: credits.take_merchant_refund,
    Kind.CHARGEBACK: chargebacks.charge_back,
    Kind.NON_ACCRUAL: non_accrual.enter,
    Kind.ACCRUAL_RESUMED: non_accrual.resume,
    Kind.CHARGE_OFF: charge_offs.charge_off,
    Kind.RECOVERY: payments.take_recovery,
    Kind.MODIFICATION: modifications.modify,
    Kind.ACCELERATED: modifications.accelerate,
    Kind.TRIAL_PLAN: agreements.begin_trial,
    Kind.TRIAL_PLAN_ENDED: agreements.end,
    Kind.SETTLED: agreements.begin_settlement,
    Kind.DELINQUENCY_PAUSED: agreements.pause,
    Kind.DELINQUENCY_RESUMED: agreements.resume,
    Kind.SOLD: sales.sell,
    Kind.BOUGHT_BACK: sales.buy_back,
    Kind.FLAGGED: flags.flag,
}
"""What an event does of itself, by its kind; one that only undoes another does nothing more."""

CLOSE_OF_DAY: tuple[Callable[[Folding, date], None], ...] = (
    fees.assess_late_fees,
    waivers.waive_what_waited,
    agreements.judge,
    write_offs.write_off_small_balance,
    non_accrual.resume_by_policy,
    non_accrual.enter_by_policy,
    charge_offs.charge_off_by_policy,
)
"""What the close of a day does, in this order."""


LAST_DAY = date(MAXYEAR - 2, 12, 31)
"""The last day at whose close a loan can be looked at: interest periods and months go on after it."""


def fold(
    terms: Terms,
    events: Sequence[Event],
    through: date,
    *,
    fees_through: date | None = None,
    accrual_days: Iterable[date] = (),
    start: Checkpoint | None = None,
    checkpoint_on: date | None = None,
    plan_from: date = date.min,
) -> LoanState:
    """Return the loan at the close of a day.

    Interest is planned to be booked on the day of every event, on `accrual_days`, and on each month end; or, as the
    product has it, on every day up to the last of these days and to `fees_through`, the last day whose close was
    evaluated (None: not yet), up to which late fees are assessed. An event that was undone, on whatever day, is left
    out on every day. Of a loan whose funding was unwound nothing falls due, and no close of a day brings anything.

    From a checkpoint (`start`) on, only what comes after it is folded, allocated and planned: the caller knows that
    nothing has changed before it. At the beginning of `checkpoint_on` one is made for the next fold. Nothing is planned
    before `plan_from`: the caller knows that it is booked.
    """
    checkpoint, through = None, min(through, LAST_DAY)
    undone = {event.of for event in events if event.kind in UNDOING}
    known = sorted((event for event in events if event.effective_date <= through), key=lambda event: event.order)
    by_day: dict[date, list[Event]] = {}
    for event in known:
        by_day.setdefault(event.effective_date, []).append(event)
    folding = Folding(
        terms,
        through=through,
        booking_days={*by_day, *accrual_days},
        closed_through=fees_through,
        start=start,
        plan_from=plan_from,
    )
    unwound = any(event.kind is Kind.FUNDING_UNWOUND for event in events)
    if unwound:
        folding.unwind()
    folding.books.charge_offs_spared = charge_offs.spared(events)
    if checkpoint_on is not None:
        folding.days.add(checkpoint_on)
    for day in folding.days:
        if day == checkpoint_on:
            checkpoint = folding.freeze(day)
        happening = by_day.get(day, ())
        effective = [event for event in happening if event.no not in undone]
        if unwound:
            _take(folding, effective)
            continue
        folding.open_day(day)
        agreements.board(folding, day)
        _take(folding, (event for event in effective if event.is_before_due))
        folding.fall_due(day)
        _take(folding, (event for event in effective if not event.is_before_due))
        if fees_through is not None and day <= fees_through:
            for close in CLOSE_OF_DAY:
                close(folding, day)
        folding.note_position(day, effective)
    return folding.state(checkpoint)


def _take(folding: Folding, events: Iterable[Event]) -> None:
    for event in events:
        effect = EFFECTS.get(event.kind)
        if folding.books.is_released and event.kind not in AFTER_RELEASE:
            folding.decide(event, stands=0)
        elif effect is not None:
            effect(folding, event)
