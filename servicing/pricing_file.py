"""A file that asks what a loan will ask for, or what it costs, before there is a loan: `loanbook schedule` and `apr`.

Its `product` and `loan` keys are a scenario's; `advances` and `payments` stand for a loan that is none of ours. What a
scenario says beside them (events, expectations) is passed over: a scenario file may be asked the same questions.
Never: the answers (`servicing/schedule.py`, `servicing/apr.py`). Next: `servicing/scenario.py`; `docs/spec/apr.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.money import Currency
from servicing.apr import Disclosure, Flow, disclose, disclose_terms
from servicing.due_dates import PERIODS_A_YEAR, due_dates, every_days
from servicing.errors import ScenarioInvalid
from servicing.scenario import parse_terms, read_frequency
from servicing.scenario_values import day, documents, listed, mapping, money, text, whole
from servicing.terms import Terms
from servicing.unit_periods import UnitPeriod, parse_unit_period

MOST = 1200
"""How many equal advances or payments one line may stand for."""

_KEYS = (
    "scenario",
    "currency",
    "product",
    "indexes",
    "loan",
    "advances",
    "payments",
    "unit_period",
    "events",
    "expect",
)
_FLOW_KEYS = ("on", "amount", "count", "frequency")


@dataclass(frozen=True, slots=True)
class PricingFile:
    """One document: the terms of a loan, advances with payments, or both; and the unit-period, if it is given."""

    place: str
    terms: Terms | None
    advances: tuple[Flow, ...] | None
    payments: tuple[Flow, ...] | None
    unit_period: UnitPeriod | None

    def terms_asked_for(self) -> Terms:
        """Return the terms of the loan.

        Raises: ScenarioInvalid if the file has none.
        """
        if self.terms is None:
            raise ScenarioInvalid(place=f"{self.place}.loan", reason="it is missing")
        return self.terms

    def disclosure(self, unit_period: UnitPeriod | None = None) -> Disclosure:
        """Return the disclosure of the advances and payments, or of the loan where there are none.

        Raises: as `disclose`; ScenarioInvalid if the file has neither.
        """
        unit = unit_period or self.unit_period
        if self.advances is None and self.payments is None:
            if self.terms is None:
                reason = "it has neither a loan nor advances and payments"
                raise ScenarioInvalid(place=self.place, reason=reason)
            return disclose_terms(self.terms, unit)
        for key, flows in (("advances", self.advances), ("payments", self.payments)):
            if flows is None:
                raise ScenarioInvalid(place=f"{self.place}.{key}", reason="it is missing")
        return disclose(self.advances or (), self.payments or (), unit)


def parse_pricing(source: str, name: str = "file") -> tuple[PricingFile, ...]:
    """Read every document of a file.

    Raises: ScenarioInvalid naming the place; ProductInvalid; TermsInvalid; CurrencyUnknown.
    """
    return tuple(_document(document, name) for document in documents(source, name))


def _document(document: Any, place: str) -> PricingFile:
    found = mapping(document, place, _KEYS)
    currency = "USD" if found.get("currency") is None else text(found["currency"], "currency")
    Currency.of(currency)
    loan = found.get("loan")
    product = mapping(found.get("product"), "product")
    return PricingFile(
        place=place,
        terms=None if loan is None else parse_terms(product, mapping(loan, "loan"), currency),
        advances=_flows(found, "advances", currency),
        payments=_flows(found, "payments", currency),
        unit_period=_unit_period(found.get("unit_period")),
    )


def _flows(document: Mapping[str, Any], key: str, currency: str) -> tuple[Flow, ...] | None:
    """Return the flows of a key; None where it is not there. One flow may stand without a list around it."""
    found = document.get(key)
    if found is None:
        return () if key in document else None
    items: Sequence[Any] = [found] if isinstance(found, Mapping) else listed(found, key)
    return tuple(flow for n, item in enumerate(items) for flow in series(item, f"{key}[{n}]", currency))


def series(item: Any, place: str, currency: str) -> Iterator[Flow]:
    """Yield the flows of `{on, amount}` or `{on, amount, count, frequency}`.

    Raises: ScenarioInvalid naming the place; TermsInvalid for dates past the end of the calendar.
    """
    values = mapping(item, place, _FLOW_KEYS)
    for key in ("on", "amount"):
        if values.get(key) is None:
            raise ScenarioInvalid(place=f"{place}.{key}", reason="it is missing")
    on, each = day(values["on"], f"{place}.on"), money(values["amount"], f"{place}.amount", currency)
    if values.get("count") is None and values.get("frequency") is not None:
        raise ScenarioInvalid(place=f"{place}.count", reason="it is missing beside a frequency")
    count = 1 if values.get("count") is None else whole(values["count"], f"{place}.count")
    if not 1 <= count <= MOST:
        raise ScenarioInvalid(place=f"{place}.count", reason=f"it is 1 to {MOST}")
    frequency = _frequency(values.get("frequency"), f"{place}.frequency", needed=count > 1)
    yield from (Flow(due, each) for due in due_dates(date.min, on, frequency, count))


def _frequency(value: Any, place: str, *, needed: bool) -> str:
    if value is None:
        if needed:
            raise ScenarioInvalid(place=place, reason="it is missing beside a count")
        return "monthly"
    frequency = read_frequency(value, place)
    if frequency not in PERIODS_A_YEAR and every_days(frequency) is None:
        raise ScenarioInvalid(place=place, reason=f"it is one of {', '.join(PERIODS_A_YEAR)} or {{days: n}}")
    return frequency


def _unit_period(value: Any) -> UnitPeriod | None:
    if value is None:
        return None
    try:
        return parse_unit_period(_unit_text(value))
    except ValueError as mistake:
        raise ScenarioInvalid(place="unit_period", reason=str(mistake)) from None


def _unit_text(value: Any) -> str:
    """Return `2 months` of `{months: 2}`."""
    if not isinstance(value, Mapping):
        return text(value, "unit_period")
    units = mapping(value, "unit_period", ("days", "weeks", "months"))
    if len(units) != 1:
        raise ScenarioInvalid(place="unit_period", reason="one of days, weeks and months is wanted")
    ((unit, count),) = units.items()
    return f"{whole(count, f'unit_period.{unit}')} {unit}"
