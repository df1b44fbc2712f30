"""The values of a scenario file: YAML nodes to dicts, lists and texts, and the readers of what stands in them.

A number is kept as its text, an empty value is None, and every mistake names its place. Never: what a key means.
Next: `servicing/scenario.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ledger.errors import DomainError
from ledger.money import Money
from servicing.errors import ScenarioInvalid

DEEPEST = 20
LONGEST_TEXT = 200

_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,6}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def documents(text: str, name: str) -> Iterator[Any]:
    """Yield the value of every document of a YAML 1.2 file; an empty one is left out.

    Raises: ScenarioInvalid, also for a key that stands twice.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    try:
        nodes = list(yaml.compose_all(text))
    except YAMLError as mistake:
        raise ScenarioInvalid(place=name, reason=" ".join(str(mistake).split())[:300]) from None
    yield from (_value(node, name, 0) for node in nodes if node is not None)


def _value(node: Node, place: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise ScenarioInvalid(place=place, reason=f"it is nested more than {DEEPEST} deep")
    match node:
        case MappingNode():
            found: dict[str, Any] = {}
            for key_node, value in node.value:
                key = str(key_node.value)
                if key in found:
                    line = key_node.start_mark.line + 1
                    raise ScenarioInvalid(place=f"{place}.{key}", reason=f"the key stands twice (line {line})")
                found[key] = _value(value, f"{place}.{key}", depth + 1)
            return found
        case SequenceNode():
            return [_value(item, f"{place}[{n}]", depth + 1) for n, item in enumerate(node.value)]
        case ScalarNode():
            empty = node.style is None and node.value in ("", "~", "null")
            return None if empty else str(node.value)
    raise ScenarioInvalid(place=place, reason="it is neither a mapping, a list nor a value")


def mapping(value: Any, place: str, known: Collection[str] | None = None) -> Mapping[str, Any]:
    """Return keys and values; of nothing, none.

    Raises: ScenarioInvalid, naming a key that is not known.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ScenarioInvalid(place=place, reason="keys and values are wanted here")
    for key in () if known is None else [key for key in value if key not in known]:
        raise ScenarioInvalid(place=f"{place}.{key}", reason="unknown key")
    return value


def listed(value: Any, place: str) -> Sequence[Any]:
    """Return a list; of nothing, an empty one.

    Raises: ScenarioInvalid.
    """
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ScenarioInvalid(place=place, reason="a list is wanted here")
    return value


def text(value: Any, place: str) -> str:
    """Return a text that can be printed.

    Raises: ScenarioInvalid.
    """
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= LONGEST_TEXT:
        raise ScenarioInvalid(place=place, reason=f"a text of 1 to {LONGEST_TEXT} characters is wanted here")
    return value


def decimal(value: Any, place: str) -> Decimal:
    """Return a number.

    Raises: ScenarioInvalid.
    """
    if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
        raise ScenarioInvalid(place=place, reason=f"{_shown(value)} is not a number")
    return Decimal(value)


def whole(value: Any, place: str) -> int:
    """Return a whole number of zero or more.

    Raises: ScenarioInvalid.
    """
    if not isinstance(value, str) or _WHOLE.fullmatch(value) is None:
        raise ScenarioInvalid(place=place, reason=f"{_shown(value)} is not a whole number")
    return int(value)


def day(value: Any, place: str) -> date:
    """Return a date.

    Raises: ScenarioInvalid.
    """
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ScenarioInvalid(place=place, reason=f"{_shown(value)} is not a date")


def money(value: Any, place: str, currency: str) -> Money:
    """Return an amount, written in the major unit.

    Raises: ScenarioInvalid.
    """
    if not isinstance(value, str):
        raise ScenarioInvalid(place=place, reason="an amount is wanted here")
    try:
        return Money.parse(value, currency)
    except DomainError as mistake:
        raise ScenarioInvalid(place=place, reason=str(mistake)) from None


def _shown(value: Any) -> str:
    return value[:50] if isinstance(value, str) else "what stands here"
