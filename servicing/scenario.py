"""A scenario file, read whole before anything runs: YAML 1.2, every number kept as its text.

A duplicate key and an unknown key are mistakes that name the key; a key of the format that is not built yet is refused
by name, never ignored. Never: running it. Next: `servicing/commands/scenario_runner.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ledger.money import Money
from servicing.errors import LaterWork, ScenarioInvalid
from servicing.product import parse_product
from servicing.terms import Terms

KINDS = ("payment", "return", "reverse", "run_day", "accrue")
LATER_KINDS = frozenset(
    [
        "refund",
        "fee",
        "waive",
        "disburse",
        "rate",
        "modify",
        "trial_plan",
        "promise",
        "non_accrual",
        "return_to_accrual",
        "charge_off",
        "recovery",
        "goodwill_credit",
        "merchant_refund",
        "chargeback",
        "credit_balance_refund",
        "reage",
        "reamortize",
        "accelerate",
        "pause_delinquency",
        "resume_delinquency",
        "sell",
        "buy_back",
        "payoff_quote",
        "payoff",
        "close_month",
    ]
)
_EVENT_KEYS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "payment": (frozenset({"id", "amount", "method"}), frozenset({"waterfall", "allocate"})),
    "return": (frozenset({"id", "of", "code"}), frozenset()),
    "reverse": (frozenset({"id", "of", "reason"}), frozenset()),
    "run_day": (frozenset(), frozenset()),
    "accrue": (frozenset(), frozenset()),
}
EXPECTATIONS = ("schedule", "balances", "dpd", "bucket", "status", "entries_of", "lines", "allocation_of", "parts",
                "installments", "refused", "at", "first")  # fmt: skip
_LOAN_KEYS = frozenset(
    ["principal", "rate", "installments", "frequency", "funded_on", "first_due_on", "installment_amount"]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioEvent:
    """An event as the file has it; `values` are texts by key."""

    id: str
    kind: str
    on: date
    entered: date
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One document: the loan, what happens to it, and what must then be so."""

    name: str
    currency: str
    terms: Terms
    events: tuple[ScenarioEvent, ...]
    expect: tuple[Mapping[str, Any], ...]


def parse_scenarios(text: str, name: str = "scenario") -> tuple[Scenario, ...]:
    """Read every document of a file.

    Raises: ScenarioInvalid naming the place; LaterWork; ProductInvalid; TermsInvalid; MoneyMalformed.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    try:
        nodes = list(yaml.compose_all(text))
    except YAMLError as mistake:
        raise ScenarioInvalid(place=name, reason=" ".join(str(mistake).split())[:300]) from None
    return tuple(_scenario(_plain(node, name), name) for node in nodes if node is not None)


def _plain(node: Node, place: str) -> Any:
    """Return a node as dicts, lists and texts; an empty scalar is None.

    Raises: ScenarioInvalid for a duplicate key.
    """
    match node:
        case MappingNode():
            found: dict[str, Any] = {}
            for key_node, value in node.value:
                key = str(key_node.value)
                if key in found:
                    line = key_node.start_mark.line + 1
                    raise ScenarioInvalid(place=f"{place}.{key}", reason=f"the key stands twice (line {line})")
                found[key] = _plain(value, f"{place}.{key}")
            return found
        case SequenceNode():
            return [_plain(item, f"{place}[{n}]") for n, item in enumerate(node.value)]
        case ScalarNode():
            empty = node.style is None and node.value in ("", "~", "null")
            return None if empty else str(node.value)
    raise ScenarioInvalid(place=place, reason="it is neither a mapping, a list nor a value")


def _scenario(document: Any, place: str) -> Scenario:
    _mapping(document, place)
    _refuse_unknown(document, ("scenario", "currency", "product", "loan", "events", "expect"), place)
    if "loan" not in document:
        raise ScenarioInvalid(place=f"{place}.loan", reason="it is missing")
    currency = document.get("currency") or "USD"
    expect = tuple(document.get("expect") or ())
    for n, item in enumerate(expect):
        _refuse_unknown(_mapping(item, f"expect[{n}]"), EXPECTATIONS, f"expect[{n}]")
    return Scenario(
        name=document.get("scenario") or place,
        currency=currency,
        terms=parse_terms(document.get("product") or {}, document["loan"], currency),
        events=tuple(_events(document.get("events") or ())),
        expect=expect,
    )


def parse_terms(product: Mapping[str, Any], loan: Mapping[str, Any], currency: str) -> Terms:
    """Read terms from the `product` and `loan` keys.

    Raises: as `parse_scenarios`.
    """
    _mapping(loan, "loan")
    if loan.get("balloon") is not None and _decimal(loan["balloon"], "loan.balloon"):
        raise LaterWork(key="loan.balloon")
    _refuse_unknown(loan, {*_LOAN_KEYS, "balloon"}, "loan")
    for key in _LOAN_KEYS - {"installment_amount", "frequency"}:
        if loan.get(key) is None:
            raise ScenarioInvalid(place=f"loan.{key}", reason="it is missing")
    own = loan.get("installment_amount")
    return Terms(
        product=parse_product(_without_none(product)),
        principal=Money.parse(loan["principal"], currency),
        rate=_decimal(loan["rate"], "loan.rate"),
        installments=int(_decimal(loan["installments"], "loan.installments")),
        frequency=_frequency(loan.get("frequency") or "monthly"),
        funded_on=_date(loan["funded_on"], "loan.funded_on"),
        first_due_on=_date(loan["first_due_on"], "loan.first_due_on"),
        installment_amount=None if own is None else Money.parse(own, currency),
    )


def _events(items: Sequence[Any]) -> Iterator[ScenarioEvent]:
    counts: dict[str, int] = {}
    for n, item in enumerate(items):
        place = f"events[{n}]"
        _mapping(item, place)
        kinds = [key for key in item if key not in ("on", "entered")]
        for kind in kinds:
            if kind in LATER_KINDS:
                raise LaterWork(key=f"events.{kind}")
            if kind not in KINDS:
                raise ScenarioInvalid(place=f"{place}.{kind}", reason="unknown key")
        if len(kinds) != 1 or "on" not in item:
            raise ScenarioInvalid(place=place, reason="an event has `on` and one kind")
        kind = kinds[0]
        values = _event_values(item[kind] or {}, kind, f"{place}.{kind}")
        counts[kind] = counts.get(kind, 0) + 1
        on = _date(item["on"], f"{place}.on")
        entered = item.get("entered")
        yield ScenarioEvent(
            id=values.get("id") or f"{kind}-{counts[kind]}",
            kind=kind,
            on=on,
            entered=_date(entered, f"{place}.entered") if entered else on,
            values=values,
        )


def _event_values(values: Any, kind: str, place: str) -> Mapping[str, str]:
    _mapping(values, place)
    known, later = _EVENT_KEYS[kind]
    for key in values:
        if key in later:
            raise LaterWork(key=f"events.{kind}.{key}")
    _refuse_unknown(values, known, place)
    for key in known - {"id", "method", "code", "reason"}:
        if values.get(key) is None:
            raise ScenarioInvalid(place=f"{place}.{key}", reason="it is missing")
    return {key: value for key, value in values.items() if value is not None}


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ScenarioInvalid(place=place, reason="keys and values are wanted here")
    return value


def _refuse_unknown(found: Mapping[str, Any], known: Any, place: str) -> None:
    for key in found:
        if key not in known:
            raise ScenarioInvalid(place=f"{place}.{key}", reason="unknown key")


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value


def _frequency(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    _refuse_unknown(value, ("days",), "loan.frequency")
    return f"days:{value.get('days')}"


def _decimal(text: Any, place: str) -> Decimal:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        raise ScenarioInvalid(place=place, reason=f"{text} is not a number") from None


def _date(text: Any, place: str) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ScenarioInvalid(place=place, reason=f"{text} is not a date") from None
