"""Modifications of a contract: which kinds there are, what each is told, and how that is read.

What is told is kept with the event as JSON values: amounts in minor units, days and rates as text. Never: what a
modification does (`servicing/effects/modifications.py`). Next: `docs/spec/modifications.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from ledger.domain_error import DomainError
from ledger.money import Money
from servicing.due_dates import PERIODS_A_YEAR, every_days
from servicing.errors import ModificationInvalid

CAPITALIZED = ("interest", "fees", "penalties")
"""The components of arrears that may become principal."""

HIGHEST_RATE = Decimal(1000)


@dataclass(frozen=True, slots=True)
class ModificationKind:
    """A kind: what it is for, what it must and may be told, and whether it costs the lender money.

    One that takes effect `by_entry` works with what is owed when it is entered; the others change the contract before
    anything falls due on their day.
    """

    purpose: str
    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    costs: bool = False
    by_entry: bool = False


KINDS: Mapping[str, ModificationKind] = {
    "rate": ModificationKind(
        "another rate from the day on, for good or until a day", ("rate",), ("until", "installments_are"), costs=True
    ),
    "extend": ModificationKind("more installments, all that are to come worked out again", ("installments",)),
    "recast": ModificationKind("what is left shared anew by the same installments", by_entry=True),
    "reamortize": ModificationKind("what is past due shared by the installments to come", by_entry=True),
    "reage": ModificationKind(
        "what is past due moved to new installments, so that the loan is current",
        optional=("installments", "first_due_on", "frequency"),
        by_entry=True,
    ),
    "defer": ModificationKind("the next installments moved to the end; interest goes on", ("installments",)),
    "due_date": ModificationKind("other due dates, the same amounts", one_of=("day", "first_due_on")),
    "capitalize": ModificationKind(
        "arrears become principal, and are shared by the installments to come",
        optional=("components",),
        costs=True,
        by_entry=True,
    ),
    "forgive": ModificationKind("principal that is no longer owed", ("amount",), costs=True, by_entry=True),
    "forbear": ModificationKind(
        "the next installments reduced or nothing", ("installments",), ("amount", "then"), costs=True
    ),
    "restructure": ModificationKind(
        "a new schedule for all that is owed",
        optional=(
            *("rate", "installments", "first_due_on", "frequency", "principal", "installment_amount"),
            *("amortization", "components"),
        ),
        costs=True,
        by_entry=True,
    ),
}
"""The kinds of modifications by name."""

ALIASES: Mapping[str, str] = {"forbearance": "forbear"}
"""Other names that kinds have."""

BY_ENTRY = frozenset(name for name, kind in KINDS.items() if kind.by_entry)
CHOICES: Mapping[str, tuple[str, ...]] = {
    "then": ("recast", "extend", "lump_sum"),
    "amortization": ("level", "interest_only", "equal_principal"),
    "installments_are": ("recalculate", "keep"),
}
"""The values of those that are words."""


def read_modification(kind: str, told: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Return the details of a modification from texts, with its kind; the amount of a forgiveness is in minor units.

    Raises: ModificationInvalid naming the first mistake.
    """
    kind = ALIASES.get(kind, kind)
    if kind not in KINDS:
        raise ModificationInvalid(field="kind", reason=f"{kind} is none of {', '.join(KINDS)}")
    rule = KINDS[kind]
    given = {name: value for name, value in told.items() if value is not None}
    for name in given:
        if name not in (*rule.needed, *rule.optional, *rule.one_of):
            raise ModificationInvalid(field=name, reason=f"{kind} has no use for it")
    for name in rule.needed:
        if name not in given:
            raise ModificationInvalid(field=name, reason=f"{kind} needs it")
    if rule.one_of and sum(name in given for name in rule.one_of) != 1:
        raise ModificationInvalid(field=rule.one_of[0], reason=f"{kind} has one of {', '.join(rule.one_of)}")
    return {"kind": kind, **{name: READERS[name](name, value, currency) for name, value in given.items()}}


def costs_money(kind: str) -> bool:
    """Tell whether a modification costs the lender money, so that a second person must approve of it."""
    return KINDS[kind].costs


def _rate(name: str, value: Any, currency: str) -> str:
    try:
        rate = Decimal(str(value))
    except InvalidOperation:
        raise ModificationInvalid(field=name, reason=f"{value} is no rate") from None
    if not rate.is_finite() or not 0 <= rate <= HIGHEST_RATE:
        raise ModificationInvalid(field=name, reason=f"it must be 0 to {HIGHEST_RATE} percent")
    return str(rate)


def _day(name: str, value: Any, currency: str) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ModificationInvalid(field=name, reason=f"{value} is no date") from None


def _within(most: int) -> Callable[[str, Any, str], int]:
    def read(name: str, value: Any, currency: str) -> int:
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
            raise ModificationInvalid(field=name, reason=f"it must be 1 to {most}")
        return int(text)

    return read


def _minor(name: str, value: Any, currency: str) -> int:
    try:
        money = value if isinstance(value, Money) else Money.parse(str(value), currency)
    except (DomainError, ValueError):
        raise ModificationInvalid(field=name, reason=f"{value} is no amount of {currency}") from None
    if money.currency != currency or money.minor < 0:
        raise ModificationInvalid(field=name, reason=f"it must be an amount of {currency}, zero or more")
    return money.minor


def _above_zero(name: str, value: Any, currency: str) -> int:
    minor = _minor(name, value, currency)
    if not minor:
        raise ModificationInvalid(field=name, reason="it must be above zero")
    return minor


def _choice(name: str, value: Any, currency: str) -> str:
    if value not in CHOICES[name]:
        raise ModificationInvalid(field=name, reason=f"it is one of {', '.join(CHOICES[name])}")
    return str(value)


def _components(name: str, value: Any, currency: str) -> list[str]:
    names = value.split(",") if isinstance(value, str) else list(value)
    found = [str(each).strip() for each in names]
    if not found or not set(found) <= set(CAPITALIZED):
        raise ModificationInvalid(field=name, reason=f"they are some of {', '.join(CAPITALIZED)}")
    return [each for each in CAPITALIZED if each in found]


def _frequency(name: str, value: Any, currency: str) -> str:
    text = f"days:{value['days']}" if isinstance(value, Mapping) and set(value) == {"days"} else str(value)
    if text not in PERIODS_A_YEAR and every_days(text) is None:
        raise ModificationInvalid(field=name, reason=f"it must be one of {', '.join(PERIODS_A_YEAR)} or days:n")
    return text


READERS: Mapping[str, Callable[[str, Any, str], Any]] = {
    "rate": _rate,
    "until": _day,
    "first_due_on": _day,
    "installments": _within(1200),
    "day": _within(31),
    "amount": _minor,
    "principal": _above_zero,
    "installment_amount": _above_zero,
    "then": _choice,
    "amortization": _choice,
    "installments_are": _choice,
    "components": _components,
    "frequency": _frequency,
}
"""How what a modification is told is read, by name."""

TOLD = tuple(READERS)
"""Everything that modifications may be told."""
