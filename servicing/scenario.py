"""A scenario file, read whole before anything runs: the loan, what happens to it, and what must then be so.

A duplicate key and an unknown key are mistakes that name the key; a key of the format that is not built yet is refused
by name, never ignored. Never: running it. Next: `servicing/scenario_values.py` for how YAML is read,
`servicing/scenario_checks.py` for expectations, `servicing/commands/scenario_runner.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from ledger.money import Currency, Money
from servicing.errors import LaterWork, ScenarioInvalid
from servicing.product import parse_product
from servicing.scenario_checks import checked_expectations
from servicing.scenario_values import day, decimal, documents, listed, mapping, money, text, whole
from servicing.terms import CustomRow, Step, Terms

T = TypeVar("T")

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
    "payment": (frozenset({"id", "amount", "method", "waterfall", "allocate"}), frozenset()),
    "return": (frozenset({"id", "of", "code"}), frozenset()),
    "reverse": (frozenset({"id", "of", "reason"}), frozenset()),
    "run_day": (frozenset(), frozenset()),
    "accrue": (frozenset(), frozenset()),
}
_DOCUMENT_KEYS = ("scenario", "currency", "product", "loan", "events", "expect")
_LOAN_KEYS = (
    "principal",
    "rate",
    "installments",
    "frequency",
    "funded_on",
    "first_due_on",
    "installment_amount",
    "balloon",
    "steps",
    "rows",
)
_OPTIONAL_LOAN_KEYS = frozenset({"frequency", "installment_amount", "balloon", "steps", "rows"})
_GIVEN_BY_ROWS = frozenset({"installments", "first_due_on"})
_OPTIONAL_EVENT_KEYS = frozenset({"id", "method", "code", "reason", "waterfall", "allocate"})
_PARTS = ("principal", "interest", "fees", "penalties", "unapplied")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One document: the loan, what happens to it, and what must then be so."""

    name: str
    currency: str
    terms: Terms
    events: tuple[ScenarioEvent, ...]
    expect: tuple[Mapping[str, Any], ...]


def parse_scenarios(source: str, name: str = "scenario") -> tuple[Scenario, ...]:
    """Read every document of a file.

    Raises: ScenarioInvalid naming the place; LaterWork; ProductInvalid; TermsInvalid; CurrencyUnknown.
    """
    return tuple(_scenario(document, name) for document in documents(source, name))


def _scenario(document: Any, place: str) -> Scenario:
    found = mapping(document, place, _DOCUMENT_KEYS)
    if "loan" not in found:
        raise ScenarioInvalid(place=f"{place}.loan", reason="it is missing")
    currency = "USD" if found.get("currency") is None else text(found["currency"], "currency")
    return Scenario(
        name=text(found.get("scenario") or place, "scenario"),
        currency=currency,
        terms=parse_terms(mapping(found.get("product"), "product"), mapping(found["loan"], "loan"), currency),
        events=tuple(_events(found.get("events"), currency)),
        expect=checked_expectations(found.get("expect")),
    )


def parse_terms(product: Mapping[str, Any], loan: Mapping[str, Any], currency: str) -> Terms:
    """Read terms from the `product` and `loan` keys.

    Raises: as `parse_scenarios`.
    """
    Currency.of(currency)
    mapping(loan, "loan", _LOAN_KEYS)
    rows = tuple(_rows(loan.get("rows"), currency))
    for key in _LOAN_KEYS:
        if loan.get(key) is None and key not in _OPTIONAL_LOAN_KEYS and not (rows and key in _GIVEN_BY_ROWS):
            raise ScenarioInvalid(place=f"loan.{key}", reason="it is missing")

    def own(key: str, read: Callable[[Any, str], T], otherwise: T) -> T:
        return otherwise if loan.get(key) is None else read(loan[key], f"loan.{key}")

    def amount(value: Any, place: str) -> Money | None:
        return money(value, place, currency)

    return Terms(
        product=parse_product(_without_none(product)),
        principal=money(loan["principal"], "loan.principal", currency),
        rate=decimal(loan["rate"], "loan.rate"),
        installments=own("installments", whole, len(rows)),
        frequency=_frequency(loan.get("frequency") or "monthly"),
        funded_on=day(loan["funded_on"], "loan.funded_on"),
        first_due_on=own("first_due_on", day, rows[0].due if rows else date.max),
        installment_amount=own("installment_amount", amount, None),
        balloon=own("balloon", amount, None),
        steps=tuple(_steps(loan.get("steps"), currency)),
        rows=rows,
    )


def _steps(found: Any, currency: str) -> Iterator[Step]:
    for n, item in enumerate(listed(found, "loan.steps")):
        place = f"loan.steps[{n}]"
        step = mapping(item, place, ("installments", "amount"))
        amount = step.get("amount")
        yield Step(
            whole(step.get("installments"), f"{place}.installments"),
            None if amount is None else money(amount, f"{place}.amount", currency),
        )


def _rows(found: Any, currency: str) -> Iterator[CustomRow]:
    for n, item in enumerate(listed(found, "loan.rows")):
        place = f"loan.rows[{n}]"
        row = mapping(item, place, ("due", "principal", "total"))
        principal, total = (
            None if row.get(key) is None else money(row[key], f"{place}.{key}", currency)
            for key in ("principal", "total")
        )
        yield CustomRow(day(row.get("due"), f"{place}.due"), principal, total)


def _events(found: Any, currency: str) -> Iterator[ScenarioEvent]:
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    for n, item in enumerate(listed(found, "events")):
        place = f"events[{n}]"
        kind = _kind(item, place)
        counts[kind] += 1
        values = _event_values(item[kind], kind, f"{place}.{kind}", currency)
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
        if kind in LATER_KINDS:
            raise LaterWork(key=f"events.{kind}")
        if kind not in KINDS:
            raise ScenarioInvalid(place=f"{place}.{kind}", reason="unknown key")
    if len(kinds) != 1 or "on" not in item:
        raise ScenarioInvalid(place=place, reason="an event has `on` and one kind")
    return kinds[0]


def _event_values(found: Any, kind: str, place: str, currency: str) -> Mapping[str, Any]:
    known, later = _EVENT_KEYS[kind]
    values = mapping(found, place, known | later)
    for key in values:
        if key in later:
            raise LaterWork(key=f"events.{kind}.{key}")
    for key in sorted(known - _OPTIONAL_EVENT_KEYS):
        if values.get(key) is None:
            raise ScenarioInvalid(place=f"{place}.{key}", reason="it is missing")
    given: dict[str, Any] = {}
    for key, value in values.items():
        if value is not None:
            read: Callable[[Any, str], Any] = _READERS.get(key, text)
            given[key] = read(value, f"{place}.{key}")
    if "amount" in given:
        money(given["amount"], f"{place}.amount", currency)
    for key, part in given.get("allocate", {}).items():
        money(part, f"{place}.allocate.{key}", currency)
    return given


def _own_waterfall(value: Any, place: str) -> Any:
    if isinstance(value, list | Mapping):
        return value
    return text(value, place)


def _own_split(value: Any, place: str) -> Any:
    return mapping(value, place, _PARTS)


_READERS: Mapping[str, Callable[[Any, str], Any]] = {"waterfall": _own_waterfall, "allocate": _own_split}
"""How the values of events are read that are no texts."""


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value


def _frequency(value: Any) -> str:
    if not isinstance(value, Mapping):
        return text(value, "loan.frequency")
    days = mapping(value, "loan.frequency", ("days",)).get("days")
    return f"days:{whole(days, 'loan.frequency.days')}"
