"""The events of a scenario file: which there are, which keys each has, and how its values are read.

A key that nobody knows is a mistake, and never ignored.
Never: what an event does. Next: `servicing/commands/scenario_acts.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from servicing.errors import ScenarioInvalid
from servicing.modification import TOLD
from servicing.scenario_values import day, decimal, listed, mapping, money, text
from servicing.waterfall_order import COMPONENTS

PARTS = ("principal", "interest", "fees", "penalties", "unapplied")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioEvent:
    """An event as the file has it; `values` are texts by key, and an amount is one that the currency has.

    The waterfall of a payment may be a list or a mapping instead, its own split is a mapping of texts.
    """

    id: str
    kind: str
    on: date
    entered: date
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an event: those that it must have, and those that it may; every event may have an `id`."""

    needed: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()
    """Keys of which there is exactly one."""


DECIDED = "reason approved_by financial_difficulty"
"""What every modification may be told beside its own."""


def _keys(needed: str = "", optional: str = "", one_of: str = "") -> Keys:
    one = frozenset(one_of.split())
    return Keys(frozenset(needed.split()), frozenset(optional.split()) | {"id"} | one, one)


KINDS: Mapping[str, Keys] = {
    "payment": _keys("amount", "method waterfall allocate excess overpayment"),
    "payoff_quote": _keys("good_through"),
    "payoff": _keys("amount", "method quote overpayment"),
    "refund": _keys("amount", "method reason"),
    "credit_balance_refund": _keys("amount", "method reason"),
    "goodwill_credit": _keys("amount", "reason"),
    "merchant_refund": _keys("amount", "method reason"),
    "chargeback": _keys("of amount", "reason"),
    "return": _keys("of", "code"),
    "reverse": _keys("of", "reason"),
    "fee": _keys("amount", "kind penalty due"),
    "waive": _keys("amount", "reason approved_by", one_of="of component"),
    "write_off": _keys("", "reason"),
    "non_accrual": _keys("", "reason approved_by"),
    "return_to_accrual": _keys("", "reason approved_by"),
    "charge_off": _keys("", "reason approved_by"),
    "recovery": _keys("amount", "method agency commission"),
    "sell": _keys("to", "price servicing method approved_by"),
    "buy_back": _keys("", "price method approved_by"),
    "flag": _keys("name", "lifted reason"),
    "disburse": _keys("amount"),
    "rate": _keys("rate"),
    "modify": _keys("kind", f"{' '.join(TOLD)} {DECIDED}"),
    "reage": _keys("", f"installments first_due_on frequency {DECIDED}"),
    "reamortize": _keys("", DECIDED),
    "promise": _keys("amount by"),
    "accelerate": _keys("", "reason approved_by"),
    "trial_plan": _keys(
        "payments amount", "first_due_on from frequency grace_days tolerance pause then reason approved_by"
    ),
    "settle": _keys("amount by", "rest grace_days reason approved_by"),
    "end_agreement": _keys("", "reason"),
    "pause_delinquency": _keys("", "until reason"),
    "resume_delinquency": _keys("", "reason"),
    "run_day": _keys(),
    "accrue": _keys(),
    "close_month": _keys(),
}
"""The events that there are, by the word that a scenario has for them."""


def read_events(found: Any, currency: str) -> Iterator[ScenarioEvent]:
    """Yield the events of a document in the order in which they are entered.

    Raises: ScenarioInvalid naming the place.
    """
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    for n, item in enumerate(listed(found, "events")):
        place = f"events[{n}]"
        kind = _kind(item, place)
        counts[kind] += 1
        values = _values(item[kind], kind, f"{place}.{kind}", currency)
        on = day(item["on"], f"{place}.on")
        event = ScenarioEvent(
            id=values.get("id") or f"{kind}-{counts[kind]}",
            kind=kind,
            on=on,
            entered=on if item.get("entered") is None else day(item["entered"], f"{place}.entered"),
            values=values,
        )
        if event.id in seen:
            raise ScenarioInvalid(place=f"{place}.{kind}.id", reason=f"another event is called {event.id}")
        seen.add(event.id)
        yield event


def _kind(item: Any, place: str) -> str:
    kinds = [key for key in mapping(item, place) if key not in ("on", "entered")]
    for kind in kinds:
        if kind not in KINDS:
            raise ScenarioInvalid(place=f"{place}.{kind}", reason="unknown key")
    if len(kinds) != 1 or "on" not in item:
        raise ScenarioInvalid(place=place, reason="an event has `on` and one kind")
    return kinds[0]


def _values(found: Any, kind: str, place: str, currency: str) -> Mapping[str, Any]:
    keys = KINDS[kind]
    values = mapping(found, place, keys.needed | keys.optional)
    for key in sorted(keys.needed):
        if values.get(key) is None:
            raise ScenarioInvalid(place=f"{place}.{key}", reason="it is missing")
    if keys.one_of and sum(values.get(key) is not None for key in keys.one_of) != 1:
        raise ScenarioInvalid(place=place, reason=f"it has one of {', '.join(sorted(keys.one_of))}")
    given: dict[str, Any] = {}
    for key, value in values.items():
        if value is not None:
            read: Callable[[Any, str], Any] = _READERS.get(key, text)
            given[key] = read(value, f"{place}.{key}")
    for key in ("amount", "commission", "price"):
        if key in given:
            money(given[key], f"{place}.{key}", currency)
    for key, part in given.get("allocate", {}).items():
        money(part, f"{place}.allocate.{key}", currency)
    return given


def _own_waterfall(value: Any, place: str) -> Any:
    if isinstance(value, list | Mapping):
        return value
    return text(value, place)


def _own_split(value: Any, place: str) -> Any:
    return mapping(value, place, PARTS)


def _own_day(value: Any, place: str) -> str:
    return day(value, place).isoformat()


def _component(value: Any, place: str) -> str:
    if value not in COMPONENTS:
        raise ScenarioInvalid(place=place, reason=f"it is one of {', '.join(COMPONENTS)}")
    return text(value, place)


def _flag(value: Any, place: str) -> bool:
    if value not in ("true", "false"):
        raise ScenarioInvalid(place=place, reason="it is true or false")
    return bool(value == "true")


def _any(value: Any, place: str) -> Any:
    return value


_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "rate": decimal,
    "waterfall": _own_waterfall,
    "allocate": _own_split,
    "good_through": _own_day,
    "by": _own_day,
    "component": _component,
    "penalty": _flag,
    "lifted": _flag,
    "due": day,
    "components": _any,
    "frequency": _any,
    "financial_difficulty": _flag,
    "pause": _flag,
    "then": _any,
}
"""How the values of events are read that are not any text."""
