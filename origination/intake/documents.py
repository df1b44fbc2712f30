"""An application's data as a document of sections: merged save by save, flattened to paths, split by who may read it.

Never: whether they are right (`origination/intake/checking.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from origination.intake.catalogue import ROLES, FieldDef
from origination.intake.errors import RoleUnknown

Document = dict[str, Any]


def without_empty(data: Mapping[str, Any]) -> Document:
    """Return a document without fields that are null, and without sections that have none left."""
    found: Document = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            inner = without_empty(value)
            if inner:
                found[name] = inner
        elif value is not None:
            found[name] = value
    return found


def merged(before: Mapping[str, Any], more: Mapping[str, Any]) -> Document:
    """Return a document with what is saved now over what was saved before; null takes a field away."""
    found = dict(before)
    for name, value in more.items():
        old = found.get(name)
        if isinstance(value, Mapping):
            found[name] = merged(old if isinstance(old, Mapping) else {}, value)
        else:
            found[name] = value
    return without_empty(found)


def flat(data: Mapping[str, Any]) -> Document:
    """Return every value by its path."""
    return dict(_flat(data, ""))


def _flat(data: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        path = f"{before}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        else:
            yield path, value


def nested(values: Mapping[str, Any]) -> Document:
    """Return the document of values by path: the inverse of `flat`."""
    found: Document = {}
    for path, value in values.items():
        *outer, name = path.split(".")
        inner = found
        for part in outer:
            inner = inner.setdefault(part, {})
        inner[name] = value
    return found


def ordered(data: Mapping[str, Any], paths: Iterable[str]) -> Document:
    """Return a document with its fields in an order, the rest behind them."""
    values = flat(data)
    first = {path: values[path] for path in paths if path in values}
    return nested({**first, **values})


@dataclass(frozen=True, slots=True)
class Parts:
    """A document in two: what anybody at work may read, and what is personal."""

    open: Document
    personal: Document


def split(data: Mapping[str, Any], fields: Mapping[str, FieldDef]) -> Parts:
    """Part a document; a field that nobody knows is personal."""
    values = flat(data)
    is_open = {path for path in values if path in fields and not fields[path].is_personal}
    return Parts(
        nested({path: value for path, value in values.items() if path in is_open}),
        nested({path: value for path, value in values.items() if path not in is_open}),
    )


def masked(personal: Mapping[str, Any], fields: Mapping[str, FieldDef], role: str | None = None) -> Document:
    """Return personal data as a role may see them; without a role, all of them masked.

    Raises: RoleUnknown.
    """
    seen = groups_of(role)
    shown: Document = {}
    for path, value in flat(personal).items():
        field = fields.get(path)
        if field is None or field.group not in seen:
            shown[path] = "***" if field is None else field.of.mask(str(value))
        else:
            shown[path] = value
    return nested(shown)


def groups_of(role: str | None) -> frozenset[str]:
    """Return which groups of personal fields a role may see.

    Raises: RoleUnknown.
    """
    if role is None:
        return frozenset()
    if role not in ROLES:
        raise RoleUnknown(role=role, known=tuple(ROLES))
    return ROLES[role]
