"""Modifications drawn for properties, as the events that commands would make of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from servicing.events import Event, Kind
from servicing.modification import BY_ENTRY, read_modification

FEW = st.integers(1, 4).map(str)
AHEAD = st.integers(1, 70)


@st.composite
def workouts(draw: st.DrawFn, no: int, on: date, entered: date, principal: int) -> Event:
    """Draw a modification of any kind, or the acceleration of a loan."""
    kind = draw(st.sampled_from(sorted(TOLD)))
    if kind == "accelerate":
        return Event(no=no, kind=Kind.ACCELERATED, effective_date=on, entered_on=entered, details={"reason": "any"})
    told = {name: value for name, value in TOLD[kind](draw, on, principal).items() if value is not None}
    return modification(no, kind, told, on, entered)


def modification(no: int, kind: str, told: dict[str, Any], on: date, entered: date | None = None) -> Event:
    """Return a modification by what it is told."""
    details = read_modification(kind, told, "USD")
    amount = details.pop("amount") if kind == "forgive" else 0
    own = {"by_entry": True} if kind in BY_ENTRY else {}
    return Event(
        no=no,
        kind=Kind.MODIFICATION,
        effective_date=on,
        entered_on=entered or on,
        amount=amount,
        details={**details, **own, "reason": "any"},
    )


def _cents(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _later(draw: st.DrawFn, on: date) -> str:
    return (on + timedelta(days=draw(AHEAD))).isoformat()


def _rate(draw: st.DrawFn, on: date, principal: int) -> dict[str, Any]:
    until = draw(st.sampled_from([None, _later(draw, on)]))
    return {"rate": draw(st.sampled_from(["0", "3.5", "20"])), "until": until}


def _due_date(draw: st.DrawFn, on: date, principal: int) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"day": str(draw(st.integers(1, 31)))}
    return {"first_due_on": _later(draw, on)}


def _capitalize(draw: st.DrawFn, on: date, principal: int) -> dict[str, Any]:
    return {"components": draw(st.sampled_from([None, "interest", "fees", "interest,penalties"]))}


def _restructure(draw: st.DrawFn, on: date, principal: int) -> dict[str, Any]:
    return {
        "rate": draw(st.sampled_from([None, "5"])),
        "installments": draw(st.one_of(st.none(), FEW)),
        "first_due_on": draw(st.sampled_from([None, _later(draw, on)])),
        "frequency": draw(st.sampled_from([None, "biweekly"])),
        "principal": draw(st.one_of(st.none(), st.integers(1, principal).map(_cents))),
        "amortization": draw(st.sampled_from([None, "level", "interest_only", "equal_principal"])),
    }


def _reage(draw: st.DrawFn, on: date, principal: int) -> dict[str, Any]:
    installments = draw(st.one_of(st.none(), FEW))
    return {"installments": installments, "first_due_on": draw(st.sampled_from([None, _later(draw, on)]))}


TOLD: dict[str, Any] = {
    "rate": _rate,
    "extend": lambda draw, on, principal: {"installments": draw(FEW)},
    "recast": lambda draw, on, principal: {},
    "reamortize": lambda draw, on, principal: {},
    "reage": _reage,
    "defer": lambda draw, on, principal: {"installments": draw(FEW)},
    "due_date": _due_date,
    "capitalize": _capitalize,
    "forgive": lambda draw, on, principal: {"amount": _cents(draw(st.integers(1, principal)))},
    "forbear": lambda draw, on, principal: {
        "installments": draw(FEW),
        "amount": draw(st.sampled_from([None, "1.00"])),
        "then": draw(st.sampled_from([None, "recast", "extend", "lump_sum"])),
    },
    "restructure": _restructure,
    "accelerate": lambda draw, on, principal: {},
}
"""What a modification of each kind is told."""


AGREED = (
    Kind.TRIAL_PLAN,
    Kind.TRIAL_PLAN,
    Kind.SETTLED,
    Kind.TRIAL_PLAN_ENDED,
    Kind.DELINQUENCY_PAUSED,
    Kind.DELINQUENCY_RESUMED,
)


@st.composite
def agreements(draw: st.DrawFn, no: int, on: date, entered: date, principal: int) -> Event:
    """Draw a trial plan, a settlement, the end of one, or a pause of days past due."""
    kind = draw(st.sampled_from(AGREED))
    details: dict[str, Any] = {"reason": "any"}
    if kind is Kind.TRIAL_PLAN:
        details |= {
            "payments": draw(st.integers(1, 3)),
            "first_due_on": _later(draw, on),
            "frequency": draw(st.sampled_from(["monthly", "days:10"])),
            "grace_days": draw(st.integers(0, 10)),
            "tolerance": draw(st.integers(0, 10)),
            "pause": draw(st.booleans()),
            "then": dict(draw(workouts(no, on, entered, principal).filter(_is_modification)).details),
        }
    elif kind is Kind.SETTLED:
        rest = draw(st.sampled_from(["charge_off", "forgive"]))
        details |= {"by": _later(draw, on), "rest": rest, "grace_days": draw(st.integers(0, 3))}
    elif kind is Kind.DELINQUENCY_PAUSED:
        details |= draw(st.sampled_from([{}, {"until": _later(draw, on)}]))
    amount = draw(st.integers(1, 1 + principal // 3)) if kind in (Kind.TRIAL_PLAN, Kind.SETTLED) else 0
    return Event(no=no, kind=kind, effective_date=on, entered_on=entered, amount=amount, details=details)


def _is_modification(event: Event) -> bool:
    return event.kind is Kind.MODIFICATION and event.details["kind"] != "forgive"
