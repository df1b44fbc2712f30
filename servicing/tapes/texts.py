"""How the values of a tape are written, and what they are: amounts, percentages, counts, days.

One form by default: 1234.50, 12.5, 36, 2026-01-31. A column map may say others. Whatever has another form is refused
with the form that was expected; nothing is guessed. Never: a column (`servicing/tapes/column_map.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ledger.money import Money

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ISO = "YYYY-MM-DD"
_TOKENS: Mapping[str, str] = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short_year>[0-9]{2})",
    "Mon": r"(?P<name>[A-Za-z]{3})",
    "MM": r"(?P<month>[0-9]{2})",
    "DD": r"(?P<day>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "D": r"(?P<day>[0-9]{1,2})",
}
_SPLIT = re.compile("(" + "|".join(_TOKENS) + ")")
_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)
_PERCENT = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,12})?) ?%?", re.ASCII)
_FRACTION = re.compile(r"[0-9]{1,2}(\.[0-9]{1,14})?", re.ASCII)
_THOUSANDS = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Forms:
    """How the amounts, days and rates of a tape are written."""

    days: tuple[str, ...] = (ISO,)
    money_signs: tuple[str, ...] = ()
    thousands: bool = False
    rates: str = "percent"


@lru_cache(maxsize=4096)
def read_day(text: str, forms: tuple[str, ...]) -> date:
    """Read a day in one of the forms, such as MM/DD/YYYY; a form without a day is the first of the month.

    Raises: ValueError with the forms.
    """
    for form in forms:
        match = day_form(form).fullmatch(text)
        if match is not None:
            try:
                return _day_of(match.groupdict())
            except ValueError:
                raise ValueError(f"there is no day {text}") from None
    raise ValueError(f"{text!r} is not written as {' or '.join(forms)}")


@lru_cache(maxsize=64)
def day_form(form: str) -> re.Pattern[str]:
    """Return the pattern of a form of days.

    Raises: ValueError if it lacks a year or a month, or has one twice.
    """
    parts = _SPLIT.split(form)
    try:
        pattern = re.compile("".join(_TOKENS.get(part, re.escape(part)) for part in parts), re.ASCII)
    except re.error:
        raise ValueError(f"{form} has a part twice") from None
    has = set(pattern.groupindex)
    if not has & {"year", "short_year"} or not has & {"month", "name"}:
        raise ValueError(f"{form} lacks a year or a month: it is made of {', '.join(_TOKENS)}")
    return pattern


def _day_of(parts: Mapping[str, str | None]) -> date:
    name = parts.get("name")
    # Two digits are those of the hundred years that end in 2068, as POSIX has it.
    short = parts.get("short_year")
    year = int(parts.get("year") or 0) if short is None else int(short) + (1900 if int(short) >= 69 else 2000)
    month = MONTHS.index(name.lower()) + 1 if name else int(parts.get("month") or 0)
    return date(year, month, int(parts.get("day") or 1))


def read_money(text: str, currency: str, forms: Forms) -> Money:
    """Read an amount in the major unit.

    Raises: MoneyMalformed; FractionalMinorUnit; AmountOutOfRange.
    """
    bare = text
    for sign in forms.money_signs:
        bare = bare.removeprefix(sign).removesuffix(sign).strip()
    if forms.thousands and _THOUSANDS.fullmatch(bare):
        bare = bare.replace(",", "")
    return Money.parse(bare, currency)


def read_rate(text: str, forms: Forms) -> Decimal:
    """Read a rate as percent a year.

    Raises: ValueError.
    """
    if forms.rates == "fraction":
        if _FRACTION.fullmatch(text) is None:
            raise ValueError(f"{text!r} is not a fraction such as 0.125")
        return Decimal(text) * 100
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a percentage such as 12.5")
    return Decimal(match[1])


def read_count(text: str) -> int:
    """Read a whole number.

    Raises: ValueError.
    """
    if _COUNT.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def read_list(text: str, read: Callable[[Mapping[str, Any]], Any]) -> tuple[Any, ...]:
    """Read a JSON list of objects, each by a function that may refuse it.

    Raises: ValueError.
    """
    try:
        found = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ValueError("it is not a list of objects in JSON")
    return tuple(read(item) for item in found)
