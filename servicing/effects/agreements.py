"""Trial plans, settlements and pauses: what is agreed ahead, judged at the close of a day by what was paid since.

The contract goes on meanwhile, so what is broken leaves the loan as it was. A trial that is kept boards the
modification that was stated in it on the next day; a settlement that is kept writes off the rest.
Never: who approves (`servicing/commands/agreements.py`). Next: `docs/spec/modifications.md`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from servicing.due_dates import due_dates
from servicing.effects.modifications import Agreed, take_effect
from servicing.events import Event
from servicing.folding import Folding
from servicing.pauses import Pause, day_at
from servicing.state import Agreement

TEMPLATES = {"charge_off": "settlement_charged_off", "forgive": "settlement_forgiven"}
"""How the rest is booked after a settlement, by what becomes of it."""


def pause(folding: Folding, event: Event) -> None:
    """Stop counting days past due."""
    until = event.details.get("until")
    counts = folding.terms.product.paused_days == "count"
    end = None if until is None else date.fromisoformat(until)
    folding.workouts.pause(Pause(event.effective_date, end, counts))
    _note_thresholds(folding)


def resume(folding: Folding, event: Event) -> None:
    """Count days past due again."""
    _resume(folding, event.effective_date)


def begin_trial(folding: Folding, event: Event) -> None:
    """Begin a trial: so many payments, the first on a day, then the modification that is stated."""
    details = event.details
    frequency = details.get("frequency") or folding.contract.frequency
    first = date.fromisoformat(details["first_due_on"])
    dues = due_dates(first, first, frequency, details["payments"])
    _agree(folding, event, "trial_plan", dues)
    if details.get("pause"):
        # A trial that fails leaves the loan as old as it would have been.
        folding.workouts.pause(Pause(event.effective_date, None, counts=True))
        _note_thresholds(folding)


def begin_settlement(folding: Folding, event: Event) -> None:
    """Agree that an amount by a day settles the loan."""
    _agree(folding, event, "settlement", (date.fromisoformat(event.details["by"]),))


def end(folding: Folding, event: Event) -> None:
    """End what is agreed and still open, without its being kept."""
    workouts = folding.workouts
    for place, each in enumerate(workouts.agreements):
        if each.status == "open" and event.of in (None, each.event_no):
            workouts.agreements[place] = replace(each, status="ended", ended_on=event.effective_date)
            _resume_trial(folding, each, event.effective_date)


def judge(folding: Folding, day: date) -> None:
    """Judge what is open at the close of a day."""
    for place, each in enumerate(folding.workouts.agreements):
        if each.status == "open" and folding.paid_off_on is None and not folding.books.is_charged_off:
            judged = each.judged(day)
            folding.workouts.agreements[place] = judged
            if judged.status == "met" and each.kind == "settlement":
                _write_off_the_rest(folding, judged, day)
            if judged.status != "open":
                _resume_trial(folding, judged, day)
                folding.days.add(*judged.days())


def board(folding: Folding, day: date) -> None:
    """Let the modification of a trial take effect that was kept by the close of the day before."""
    for place, each in enumerate(folding.workouts.agreements):
        if each.awaits_boarding and each.ended_on is not None and each.ended_on < day:
            folding.workouts.agreements[place] = replace(each, boarded_on=day)
            take_effect(
                folding, Agreed(no=each.event_no, key=f"event:{each.event_no}/boarded", on=day, details=each.then)
            )


def _agree(folding: Folding, event: Event, kind: str, dues: tuple[date, ...]) -> None:
    details = event.details
    agreement = Agreement(
        event_no=event.no,
        kind=kind,
        agreed_on=event.effective_date,
        amount=event.amount,
        dues=dues,
        grace_days=details.get("grace_days", 0),
        tolerance=details.get("tolerance", 0),
        then=dict(details.get("then", {})),
        rest=details.get("rest"),
    )
    folding.workouts.agreements.append(agreement)
    folding.days.add(*agreement.days())


def _resume_trial(folding: Folding, agreement: Agreement, day: date) -> None:
    if agreement.kind == "trial_plan":
        _resume(folding, day)


def _resume(folding: Folding, day: date) -> None:
    folding.workouts.resume(day)
    _note_thresholds(folding)


def _note_thresholds(folding: Folding) -> None:
    """Note the days on which installments come to be as many days past due as the policy looks at."""
    for row in folding.contract.rows:
        for dpd in folding.terms.product.thresholds:
            day = day_at(row.due, dpd, folding.workouts.pauses)
            if day is not None:
                folding.days.add(day)


def _write_off_the_rest(folding: Folding, agreement: Agreement, day: date) -> None:
    """Ask for nothing more: principal goes against the allowance, the others as the settlement says."""
    folding.accrue_by(day)
    counted, owed = folding.books.cost_recovery, folding.owed
    amounts = {**owed, "principal": owed["principal"] - counted, "recoverable": folding.recoverable}
    principal = owed["principal"]
    for fee in folding.fees:
        folding.waive_fee(fee, folding.fees.owed(fee))
    folding.waive_interest(amounts["interest"], day)
    folding.owed, folding.recoverable = dict.fromkeys(folding.owed, 0), 0
    folding.installments.write_off(principal, day)
    folding.books.cost_recovery = 0
    folding.workouts.settled = counted > 0 or any(amounts.values())
    folding.note_paid_off(day)
    if folding.workouts.settled:
        key = f"event:{agreement.event_no}/settled"
        folding.plan(key, TEMPLATES[agreement.rest or "charge_off"], day, amounts)
        if counted:
            folding.plan(f"{key}/cost_recovery", "cost_recovery_charged_off", day, {"principal": counted})
