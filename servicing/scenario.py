"""A scenario file, read whole before anything runs: the loan, what happens to it, and what must then be so.

A duplicate key and an unknown key are mistakes that name the key; a key of the format that is not built yet is refused
by name, never ignored. Never: running it. Next: `servicing/scenario_values.py` for how YAML is read,
`servicing/scenario_events.py` for events, `servicing/scenario_checks.py` for expectations,
`servicing/commands/scenario_runner.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from ledger.money import Currency, Money
from servicing.errors import ScenarioInvalid
from servicing.index_rates import IndexValue
from servicing.product import parse_product
from servicing.scenario_checks import checked_expectations
from servicing.scenario_events import ScenarioEvent, read_events
from servicing.scenario_values import day, decimal, documents, listed, mapping, money, text, whole
from servicing.terms import CustomRow, RateStep, Step, Terms

T = TypeVar("T")

_DOCUMENT_KEYS = ("scenario", "currency", "product", "indexes", "loan", "events", "expect")
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
    "rates",
    "margin",
    "commitment",
)
_OPTIONAL_LOAN_KEYS = frozenset(
    {"frequency", "installment_amount", "balloon", "steps", "rows", "rates", "margin", "commitment"}
)
_GIVEN_BY_ROWS = frozenset({"installments", "first_due_on"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One document: the loan, what happens to it, and what must then be so."""

    name: str
    currency: str
    terms: Terms
    events: tuple[ScenarioEvent, ...]
    expect: tuple[Mapping[str, Any], ...]
    indexes: Mapping[str, tuple[IndexValue, ...]] = field(default_factory=dict)


def parse_scenarios(source: str, name: str = "scenario") -> tuple[Scenario, ...]:
    """Read every document of a file.

    Raises: ScenarioInvalid naming the place; ProductInvalid; TermsInvalid; CurrencyUnknown.
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
        events=tuple(read_events(found.get("events"), currency)),
        expect=checked_expectations(found.get("expect")),
        indexes={
            name: tuple(_index(values, name)) for name, values in mapping(found.get("indexes"), "indexes").items()
        },
    )


def _index(found: Any, name: str) -> Iterator[IndexValue]:
    """Yield the values of an index that the scenario lives with."""
    for n, item in enumerate(listed(found, f"indexes.{name}")):
        place = f"indexes.{name}[{n}]"
        values = mapping(item, place, ("on", "value"))
        yield IndexValue(day(values.get("on"), f"{place}.on"), decimal(values.get("value"), f"{place}.value"))


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
        frequency=read_frequency(loan.get("frequency") or "monthly", "loan.frequency"),
        funded_on=day(loan["funded_on"], "loan.funded_on"),
        first_due_on=own("first_due_on", day, rows[0].due if rows else date.max),
        installment_amount=own("installment_amount", amount, None),
        balloon=own("balloon", amount, None),
        steps=tuple(_steps(loan.get("steps"), currency)),
        rows=rows,
        rates=tuple(_rates(loan.get("rates"))),
        margin=own("margin", decimal, None),
        commitment=own("commitment", amount, None),
    )


def _rates(found: Any) -> Iterator[RateStep]:
    """Yield rates that are agreed from a day, or from the number of an installment."""
    for n, item in enumerate(listed(found, "loan.rates")):
        place = f"loan.rates[{n}]"
        step = mapping(item, place, ("from", "rate"))
        rate, start = decimal(step.get("rate"), f"{place}.rate"), step.get("from")
        if isinstance(start, str) and start.isdigit():
            yield RateStep(rate, installment=whole(start, f"{place}.from"))
        else:
            yield RateStep(rate, on=day(start, f"{place}.from"))


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


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value


def read_frequency(value: Any, place: str) -> str:
    """Return a frequency by its name, or `days:n` of `{days: n}`; whether there is such a one is not asked.

    Raises: ScenarioInvalid.
    """
    if not isinstance(value, Mapping):
        return text(value, place)
    return f"days:{whole(mapping(value, place, ('days',)).get('days'), f'{place}.days')}"
