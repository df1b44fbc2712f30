"""What is sent to a source and what its answer says: a template filled in, and facts read out by their paths.

Never: the sending (`origination/sources/`), or a value in a reason. Next: `origination/verification/source.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from ledger.domain_error import DomainError
from ledger.money import Money
from origination.intake.documents import flat
from origination.verification.kinds import MALFORMED
from origination.verification.source import FactRule, Source

_FIELD = re.compile(r"\{([a-z_]+(?:\.[a-z0-9_]+)+)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_ABSENT = object()


@dataclass(eq=False)
class SourceFailed(Exception):
    """A source gave no answer that is of use: how it ended, its status of HTTP, in words, and whether to try again."""

    status: str
    detail: str
    http_status: int | None = None
    again: bool = True

    def __str__(self) -> str:
        """Say it."""
        return f"{self.status}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source answered: the outcome, the facts, the answer itself as text, and its status of HTTP."""

    outcome: str
    facts: Mapping[str, Any]
    text: str
    http_status: int | None = None


def filled(template: Any, data: Mapping[str, Any]) -> Any:
    """Return a template with the fields of an application in the place of their names in braces.

    A text that is one field alone becomes its value, of its own type; without the field it is left out.
    """
    found = _filled(template, flat(data))
    return {} if found is _ABSENT else found


def facts_of(source: Source, body: Any) -> dict[str, Any]:
    """Return the facts that an answer says.

    Raises: SourceFailed if one is missing or is not what it should be; asking again would not help.
    """
    found: dict[str, Any] = {}
    for name, rule in source.facts.items():
        value = _at(body, rule.path)
        if value is _ABSENT or value is None:
            if rule.optional:
                continue
            raise SourceFailed(MALFORMED, f"the answer has no {rule.path}", again=False)
        try:
            found[name] = read_fact(rule, value, source.currency)
        except ValueError:
            raise SourceFailed(MALFORMED, f"{rule.path} is no {rule.type}", again=False) from None
    return found


def read_fact(rule: FactRule, value: Any, currency: str) -> Any:
    """Return the value of a fact as JSON: amounts in whole minor units, decimals as text, days as `YYYY-MM-DD`.

    Raises: ValueError.
    """
    match rule.type:
        case "integer":
            return _integer(value)
        case "amount":
            return _integer(value) if rule.minor else _minor(value, currency)
        case "decimal":
            return str(_decimal(value))
        case "text":
            if isinstance(value, str) and 0 < len(value) <= 500:
                return value
        case "flag":
            if isinstance(value, bool):
                return value
            if value in ("true", "false"):
                return value == "true"
        case "day":
            if isinstance(value, str) and len(value) == 10:
                return date.fromisoformat(value).isoformat()
    raise ValueError(rule.type)


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError("a flag")
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
        raise ValueError("no integer")
    if isinstance(value, Decimal) and value != value.to_integral_value():
        raise ValueError("no integer")
    if not isinstance(value, int | str | Decimal):
        raise ValueError("no number")
    return int(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("no number")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise ValueError("no number") from None
    if not found.is_finite():
        raise ValueError("no number")
    return found


def _minor(value: Any, currency: str) -> int:
    try:
        return Money.parse(str(_decimal(value)), currency).minor
    except DomainError:
        raise ValueError("no amount") from None


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    match template:
        case Mapping():
            parts = {name: _filled(each, values) for name, each in template.items()}
            return {name: part for name, part in parts.items() if part is not _ABSENT}
        case list() | tuple():
            return [part for each in template if (part := _filled(each, values)) is not _ABSENT]
        case str():
            alone = _FIELD.fullmatch(template)
            if alone:
                return values.get(alone[1], _ABSENT)
            return _FIELD.sub(lambda match: str(values.get(match[1], "")), template)
        case _:
            return template


def _at(body: Any, path: str) -> Any:
    found = body
    for name, index in _STEP.findall(path):
        if index:
            if not isinstance(found, list) or int(index) >= len(found):
                return _ABSENT
            found = found[int(index)]
        elif isinstance(found, Mapping) and name in found:
            found = found[name]
        else:
            return _ABSENT
    return found
