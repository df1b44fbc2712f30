"""Facts: what a policy may ask about an application, each with its type, its unit and where it comes from.

A fact that is missing is None. Numbers are never floats here: a float of a JSON source is taken as the decimal that it
is written as. Never: a source itself. Next: `origination/policies/document.py`, where a policy declares its facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from origination.errors import FactsInvalid

FactType = Literal["integer", "decimal", "money", "text", "boolean", "date"]
"""Money is a whole number of minor units of the policy's currency."""

NUMERIC: frozenset[str] = frozenset({"integer", "decimal", "money"})
SECTION = r"^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+$"
NAME = r"^[a-z][a-z0-9_]{0,62}$"

Facts = Mapping[str, Any]
"""Values by name: int, Decimal, str, bool, date, or None where there is none."""

Sources = Mapping[str, Mapping[str, Any]]
"""What is known of an application, section by section, as JSON values."""

DIGITS = 34
"""How many digits a number has at most: as many as expressions compute with."""

LONGEST = 1_000
"""How many characters a text has at most."""

_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class Fact(BaseModel):
    """A fact as a policy declares it; `from` is a section of the sources and a path in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: FactType
    unit: str = ""
    nullable: bool = False
    source: str = Field(alias="from", pattern=SECTION)
    about: str = ""


def facts_from(declared: Mapping[str, Fact], sources: Sources) -> dict[str, Any]:
    """Return the value of every declared fact, None for those that the sources do not have.

    Raises: FactsInvalid with every value that is not of its type, by fact and place.
    """
    return _read_all(declared, ((name, _found(sources, fact.source)) for name, fact in declared.items()))


def facts_from_json(declared: Mapping[str, Fact], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts from values by name, as `facts_as_json` or a row of a CSV file has them; empty text is missing.

    Raises: FactsInvalid with every value that is not of its type, and every name that is not declared.
    """
    unknown = [f"{name}: there is no such fact" for name in stored if name not in declared]
    if unknown:
        raise FactsInvalid(problems=tuple(unknown))
    return _read_all(declared, ((name, stored.get(name)) for name in declared))


def facts_as_json(facts: Facts) -> dict[str, Any]:
    """Return facts as JSON values: decimals as text, dates in ISO form."""
    return {name: _json(value) for name, value in facts.items()}


def missing_facts(declared: Mapping[str, Fact], facts: Facts) -> tuple[str, ...]:
    """Return the facts that must be there and are not, by name: what is stored keeps no order of keys."""
    return tuple(sorted(name for name, fact in declared.items() if facts[name] is None and not fact.nullable))


def symbols(declared: Mapping[str, Fact], facts: Facts) -> dict[str, Any]:
    """Return facts as expressions see them: every number a Decimal, every date midnight in UTC."""
    return {name: _symbol(facts[name]) for name in declared}


def _symbol(value: Any) -> Any:
    if type(value) is int:
        return Decimal(value)
    if type(value) is date:
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _json(value: Any) -> Any:
    match value:
        case Decimal():
            return format(value, "f")
        case date():
            return value.isoformat()
        case _:
            return value


def _found(sources: Sources, path: str) -> Any:
    value: Any = sources
    for part in _parts(path):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


@lru_cache(maxsize=4096)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _read_all(declared: Mapping[str, Fact], given: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    problems = []
    for name, value in given:
        try:
            facts[name] = None if value is None or value == "" else _READERS[declared[name].type](value)
        except (ValueError, InvalidOperation):
            fact = declared[name]
            problems.append(f"{name} ({fact.source}): {str(value)[:40]!r} is no {fact.type}")
    if problems:
        raise FactsInvalid(problems=tuple(problems))
    return facts


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not _INTEGER.fullmatch(str(value)):
        raise ValueError
    return int(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str, float)):
        raise ValueError
    number = Decimal(repr(value) if isinstance(value, float) else value)
    if not number.is_finite() or abs(number.adjusted()) > 18 or len(number.as_tuple().digits) > DIGITS:
        raise ValueError
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value or len(value) > LONGEST:
        raise ValueError
    # Half of a surrogate pair, which JSON may hold, has no UTF-8: this raises, and so it is refused.
    value.encode()
    return value


def _boolean(value: Any) -> bool:
    if value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise ValueError
    return value


def _date(value: Any) -> date:
    if type(value) is date:
        return value
    if not isinstance(value, str) or len(value) != 10:
        raise ValueError
    return date.fromisoformat(value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "decimal": _decimal,
    "money": _integer,
    "text": _text,
    "boolean": _boolean,
    "date": _date,
}
