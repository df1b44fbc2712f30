"""What the events of a scenario do that change a contract, or agree on what comes: the real commands that they call.

Next: `servicing/commands/scenario_acts.py`; `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from servicing.commands.agreements import (
    Trial,
    begin_trial,
    end_agreement,
    pause_delinquency,
    resume_delinquency,
    settle,
)
from servicing.commands.modifications import accelerate, modify
from servicing.modification import TOLD
from servicing.scenario_events import ScenarioEvent
from servicing.scenario_values import day, mapping, whole

if TYPE_CHECKING:
    from servicing.commands.scenario_acts import Live


def _modify(live: Live, event: ScenarioEvent, *, kind: str | None = None) -> int:
    return modify(
        live.uow,
        live.loan_id,
        kind=kind or event.values["kind"],
        told={name: value for name, value in event.values.items() if name in TOLD},
        effective_date=event.on,
        request_key=live.key_of(event),
        financial_difficulty=event.values.get("financial_difficulty"),
        **_decided(event),
    ).event.no


def _accelerate(live: Live, event: ScenarioEvent) -> int:
    key = live.key_of(event)
    return accelerate(live.uow, live.loan_id, effective_date=event.on, request_key=key, **_decided(event)).event.no


def _begin_trial(live: Live, event: ScenarioEvent) -> int:
    values = event.values
    first, tolerance = values.get("first_due_on") or values.get("from"), values.get("tolerance")
    trial = Trial(
        payments=whole(values["payments"], "trial_plan.payments"),
        amount=live.money(event),
        first_due_on=None if first is None else day(first, "trial_plan.first_due_on"),
        frequency=values.get("frequency"),
        grace_days=whole(values["grace_days"], "trial_plan.grace_days") if "grace_days" in values else None,
        tolerance=None if tolerance is None else live.money(event, "tolerance"),
        pause=values.get("pause", False),
        **({"then": mapping(values["then"], "trial_plan.then")} if "then" in values else {}),
    )
    key = live.key_of(event)
    done = begin_trial(live.uow, live.loan_id, trial, effective_date=event.on, request_key=key, **_decided(event))
    return done.event.no


def _settle(live: Live, event: ScenarioEvent) -> int:
    values = event.values
    return settle(
        live.uow,
        live.loan_id,
        amount=live.money(event),
        by=day(values["by"], "settle.by"),
        rest=values.get("rest", "charge_off"),
        grace_days=whole(values.get("grace_days", "0"), "settle.grace_days"),
        effective_date=event.on,
        request_key=live.key_of(event),
        **_decided(event),
    ).event.no


def _end_agreement(live: Live, event: ScenarioEvent) -> int:
    reason, key = _decided(event)["reason"], live.key_of(event)
    return end_agreement(live.uow, live.loan_id, reason=reason, effective_date=event.on, request_key=key).event.no


def _pause(live: Live, event: ScenarioEvent) -> int:
    until = event.values.get("until")
    return pause_delinquency(
        live.uow,
        live.loan_id,
        until=None if until is None else day(until, "pause_delinquency.until"),
        reason=_decided(event)["reason"],
        effective_date=event.on,
        request_key=live.key_of(event),
    ).event.no


def _resume(live: Live, event: ScenarioEvent) -> int:
    reason, key = _decided(event)["reason"], live.key_of(event)
    return resume_delinquency(live.uow, live.loan_id, reason=reason, effective_date=event.on, request_key=key).event.no


def _decided(event: ScenarioEvent) -> dict[str, str]:
    """Return why something was decided and who approved of it; a scenario need not say either."""
    reason, approved_by = event.values.get("reason", "scenario"), event.values.get("approved_by", "approver")
    return {"reason": reason, "approved_by": approved_by}


WORKOUTS: Mapping[str, Callable[[Live, ScenarioEvent], int]] = {
    "modify": _modify,
    "reage": partial(_modify, kind="reage"),
    "reamortize": partial(_modify, kind="reamortize"),
    "accelerate": _accelerate,
    "trial_plan": _begin_trial,
    "settle": _settle,
    "end_agreement": _end_agreement,
    "pause_delinquency": _pause,
    "resume_delinquency": _resume,
}
"""What each of these events does, by its word."""
