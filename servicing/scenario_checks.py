"""The `expect` part of a scenario file, checked before anything runs.

An expectation that is misspelled would compare nothing; so every key and value is known here or refused by its place.
Never: the comparison (`servicing/scenario_expect.py`). Next: `servicing/scenario.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from servicing.errors import ScenarioInvalid
from servicing.scenario_values import day, decimal, listed, mapping, text, whole
from servicing.waterfall_order import COMPONENTS

Check = Callable[[Any, str], object]

_COMPONENTS: Mapping[str, Check] = dict.fromkeys(
    ("principal", "interest", "fees", "penalties", "unapplied", "recoverable"), decimal
)
_SCHEDULE: Mapping[str, Check] = {
    "no": whole,
    "due": day,
    **dict.fromkeys(("principal", "interest", "fees", "total", "balance"), decimal),
}
_INSTALLMENT: Mapping[str, Check] = {
    "no": whole,
    "due": day,
    **dict.fromkeys(("principal", "interest", "fees", "penalties", "paid", "waived"), decimal),
    **dict.fromkeys(("paid_principal", "paid_interest", "paid_fees", "paid_penalties"), decimal),
    "paid_off_on": lambda value, place: None if value is None else day(value, place),
}
_QUOTE: Mapping[str, Check] = {
    "good_through": day,
    "expires_on": day,
    **dict.fromkeys(("principal", "interest", "fees", "penalties", "late_fees_to_come"), decimal),
    **dict.fromkeys(("recoverable", "unapplied", "total", "per_diem"), decimal),
}
_MISSING: Mapping[str, Check] = dict.fromkeys(("principal", "interest", "fees", "penalties", "recoverable"), decimal)
_BUCKET: Mapping[str, Check] = dict.fromkeys(("past_due", "due", "in_advance"), decimal)
_FEE: Mapping[str, Check] = {
    "id": text,
    "kind": text,
    "no": whole,
    "on": day,
    **dict.fromkeys(("amount", "tax", "waived", "paid", "owed"), decimal),
}
_REVIEW: Mapping[str, Check] = {"event": text, "decided": decimal, "stands": decimal}
_AGREEMENT: Mapping[str, Check] = {
    "event": text,
    "kind": text,
    "status": text,
    "met": whole,
    "paid": decimal,
    "ended_on": lambda value, place: None if value is None else day(value, place),
}
_LINE: Mapping[str, Check] = {"account": text, "debit": decimal, "credit": decimal}
_DELINQUENCY: Mapping[str, Check] = {
    "since": lambda value, place: None if value is None else day(value, place),
    "recency_dpd": whole,
    "past_due": decimal,
}
_PROMISE: Mapping[str, Check] = {"status": text, "received": decimal}
_REFUSED: Mapping[str, Check] = {"event": text, "code": text}


_BESIDE: Mapping[str, str] = {
    "lines": "entries_of",
    "parts": "allocation_of",
    "first": "allocation_of",
    "quote": "quote_of",
    "promise": "promise_of",
    "missing": "payoff_of",
    "left": "payoff_of",
}
"""What an expectation needs beside it."""


def checked_expectations(found: Any) -> tuple[Mapping[str, Any], ...]:
    """Return the expectations of a scenario.

    Raises: ScenarioInvalid naming the first place that is not understood.
    """
    items = listed(found, "expect")
    for n, item in enumerate(items):
        place = f"expect[{n}]"
        for key, value in mapping(item, place, _CHECKS).items():
            _CHECKS[key](value, f"{place}.{key}")
        if "accounts" in item and "at" in item:
            raise ScenarioInvalid(place=f"{place}.accounts", reason="they are those of the end, not of a day before")
        for key, needed in _BESIDE.items():
            if key in item and needed not in item:
                raise ScenarioInvalid(place=f"{place}.{key}", reason=f"it needs {needed} beside it")
    return tuple(items)


def _keys(value: Any, place: str, checks: Mapping[str, Check], needed: Sequence[str] = ()) -> None:
    found = mapping(value, place, checks)
    for key, part in found.items():
        checks[key](part, f"{place}.{key}")
    for key in needed:
        if key not in found:
            raise ScenarioInvalid(place=f"{place}.{key}", reason="it is missing")


def _rows(checks: Mapping[str, Check], *needed: str) -> Check:
    def check(value: Any, place: str) -> None:
        for n, row in enumerate(listed(value, place)):
            _keys(row, f"{place}[{n}]", checks, needed)

    return check


def _numbered_rows(checks: Mapping[str, Check]) -> Check:
    """Check rows of which each says its number or its due date."""

    def check(value: Any, place: str) -> None:
        _rows(checks)(value, place)
        for n, row in enumerate(listed(value, place)):
            if not {"no", "due"} & set(mapping(row, f"{place}[{n}]")):
                raise ScenarioInvalid(place=f"{place}[{n}]", reason="it needs no or due")

    return check


def _bucket(value: Any, place: str) -> None:
    _keys(value, place, _BUCKET)


_CHECKS: Mapping[str, Check] = {
    "at": day,
    "schedule": _numbered_rows(_SCHEDULE),
    "balances": lambda value, place: _keys(value, place, _COMPONENTS),
    "accounts": lambda value, place: [decimal(each, f"{place}.{slug}") for slug, each in mapping(value, place).items()],
    "buckets": lambda value, place: _keys(value, place, dict.fromkeys(COMPONENTS, _bucket)),
    "fees": _rows(_FEE, "id"),
    "reviews": _rows(_REVIEW, "event"),
    "agreements": _rows(_AGREEMENT, "event"),
    "dpd": whole,
    "delinquency": lambda value, place: _keys(value, place, _DELINQUENCY),
    "bucket": text,
    "status": text,
    "entries_of": text,
    "lines": _rows(_LINE, "account"),
    "first": lambda value, place: None,
    "allocation_of": text,
    "parts": lambda value, place: _keys(value, place, _COMPONENTS),
    "quote_of": text,
    "quote": lambda value, place: _keys(value, place, _QUOTE),
    "promise_of": text,
    "promise": lambda value, place: _keys(value, place, _PROMISE),
    "payoff_of": text,
    "missing": lambda value, place: _keys(value, place, _MISSING),
    "left": lambda value, place: [decimal(each, f"{place}.{key}") for key, each in mapping(value, place).items()],
    "installments": _numbered_rows(_INSTALLMENT),
    "refused": lambda value, place: _keys(value, place, _REFUSED, ("event", "code")),
}
