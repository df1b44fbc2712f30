"""The allowance for credit losses: what loss rates require of what the books carry, by bucket or by vintage.

A table is data with a day from which it is in force; every mistake is named by its place. What is carried is principal
less deferred fees and less interest counted as principal; accrued interest is left out, as it is reversed in time
(ASC 326-20-30-5A). Never: the database (`servicing/commands/allowance.py`). Next: `docs/spec/allowance.md`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ledger.dates import Month
from ledger.money import Money, Rounding, round_to_minor
from servicing.errors import LossRateMissing, LossRatesInvalid
from servicing.product import Delinquency

BUCKETS = Delinquency()
"""Rates of loss are by the usual buckets, whatever those of a product are."""

BUCKET_NAMES = BUCKETS.bucket_names
ANY = "any"
"""What names the rates of vintages that have none of their own."""

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class LossRates:
    """Rates of loss in percent, in force from a day on: by `bucket`, or by `vintage` and month of age.

    Those of a bucket are one; those of a vintage one for each month since the loans were made, the last of which
    stays.
    """

    effective_on: date
    method: str
    rates: Mapping[str, tuple[Decimal, ...]]

    def as_json(self) -> dict[str, list[str]]:
        """Return the rates as JSON values."""
        return {name: [str(rate) for rate in rates] for name, rates in self.rates.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What the books carry of loans made in one month that are so many days past due."""

    currency: str
    made_in: Month
    days_past_due: int
    loans: int
    carried: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What the books carry of loans that have one rate, and what it requires, in minor units."""

    name: str
    loans: int
    carried: int
    rate: Decimal
    required: int


def read_loss_rates(text: str) -> LossRates:
    """Read a TOML file: `effective_on`, `method`, and a table `rates`.

    Raises: LossRatesInvalid with the first mistake.
    """
    try:
        found = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as mistake:
        raise LossRatesInvalid(place="file", reason=f"it is no TOML: {mistake}") from None
    return loss_rates(found)


def loss_rates(found: Mapping[str, Any]) -> LossRates:
    """Return the rates of a mapping, checked.

    Raises: LossRatesInvalid with the first mistake.
    """
    unknown = next((key for key in found if key not in ("effective_on", "method", "rates")), None)
    if unknown is not None:
        raise LossRatesInvalid(place=unknown[:50], reason="unknown key")
    effective_on, method, rates = found.get("effective_on"), found.get("method"), found.get("rates")
    if not isinstance(effective_on, date):
        raise LossRatesInvalid(place="effective_on", reason="a date is wanted here")
    if method not in ("bucket", "vintage"):
        raise LossRatesInvalid(place="method", reason="it is bucket or vintage")
    if not isinstance(rates, Mapping) or not rates:
        raise LossRatesInvalid(place="rates", reason="names and rates are wanted here")
    read = {name: _read(name, value, method) for name, value in rates.items()}
    missing = [name for name in BUCKET_NAMES if name not in read] if method == "bucket" else []
    if missing:
        raise LossRatesInvalid(place=f"rates.{missing[0]}", reason="it is missing")
    return LossRates(effective_on, method, read)


def _read(name: str, value: Any, method: str) -> tuple[Decimal, ...]:
    place = f"rates.{name[:20]}"
    known = name in BUCKET_NAMES if method == "bucket" else name == ANY or _MONTH.fullmatch(name)
    if not known:
        what = f"one of {', '.join(BUCKET_NAMES)}" if method == "bucket" else f"a month such as 2026-01, or {ANY}"
        raise LossRatesInvalid(place=place, reason=f"it is {what}")
    listed = value if isinstance(value, list) else [value]
    if not listed or (method == "bucket" and len(listed) != 1):
        raise LossRatesInvalid(place=place, reason="a bucket has one rate, a vintage one or more")
    return tuple(_rate(each, place) for each in listed)


def _rate(value: Any, place: str) -> Decimal:
    try:
        rate = Decimal(value if isinstance(value, str | int | Decimal) else "no number")
    except ArithmeticError:
        raise LossRatesInvalid(place=place, reason="a percentage is wanted here, as a number or as text") from None
    if not rate.is_finite() or not 0 <= rate <= 100:
        raise LossRatesInvalid(place=place, reason="it is 0 to 100 percent")
    return rate


def segments(rates: LossRates, exposures: Iterable[Exposure], day: date) -> tuple[Segment, ...]:
    """Return what rates require on a day, by segment; each is rounded once, half up.

    Raises: LossRateMissing for a vintage without rates.
    """
    sums: dict[str, tuple[Decimal, int, int, str]] = {}
    for each in exposures:
        name, rate = _place(rates, each, day)
        _, loans, carried, _ = sums.get(name, (rate, 0, 0, each.currency))
        sums[name] = (rate, loans + each.loans, carried + each.carried, each.currency)
    return tuple(_segments(sums))


def _segments(sums: Mapping[str, tuple[Decimal, int, int, str]]) -> Iterator[Segment]:
    for name in sorted(sums):
        rate, loans, carried, currency = sums[name]
        exact = Money(max(0, carried), currency).to_decimal() * rate / 100
        required = round_to_minor(exact, currency, Rounding.HALF_UP).minor
        yield Segment(name=name, loans=loans, carried=carried, rate=rate, required=required)


def _place(rates: LossRates, exposure: Exposure, day: date) -> tuple[str, Decimal]:
    """Return the segment of an exposure, and its rate."""
    if rates.method == "bucket":
        name = BUCKETS.bucket(exposure.days_past_due)
        return name, rates.rates[name][0]
    own = rates.rates.get(str(exposure.made_in), rates.rates.get(ANY))
    if own is None:
        raise LossRateMissing(vintage=str(exposure.made_in), effective_on=rates.effective_on)
    age = max(0, exposure.made_in.months_until(Month.of(day)))
    return f"{exposure.made_in}, month {age}", own[min(age, len(own) - 1)]
