"""What an error of this house is: a fact with its figures, a stable code and a sentence for the user.

A package declares its facts in its own `errors.py`, one subclass of `DomainError` each: the fields are the
figures, the docstring is the message with the figures in braces. Never raised itself, and knows no HTTP.
Next: `ledger/errors.py`, the facts of the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from datetime import date
from typing import Any, ClassVar, Self, dataclass_transform

from ledger.currencies import amount_text

Minor = int
"""An amount in minor units of the error's own `currency` field; shown in the major unit."""


@dataclass_transform(eq_default=False, frozen_default=True)
class DomainError(Exception):
    """A request is refused, and nothing was written."""

    code: ClassVar[str]
    title: ClassVar[str]
    sqlstate: ClassVar[str | None]
    _sentence: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init_subclass__(cls, *, code: str, sqlstate: str | None = None) -> None:
        """Make the subclass a dataclass of its figures and give it its names."""
        super().__init_subclass__()
        cls.code = code
        cls.title = code.replace("-", " ").capitalize()
        cls.sqlstate = sqlstate
        cls._sentence = " ".join((cls.__doc__ or "").split())
        dataclass(eq=False)(cls)

    def __post_init__(self) -> None:
        """Keep the figures as `args`, so that the error can be pickled and copied."""
        self.args = tuple(self.figures.values())

    @property
    def figures(self) -> dict[str, Any]:
        """Return the fields by name, in order of declaration."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def message(self) -> str:
        """Return the sentence that a user may read."""
        words = {name: _shown(value) for name, value in self.json_figures().items()}
        # Python leaves docstrings out under -OO; the bare figures must do then.
        sentence = self._sentence or f"{self.title}: " + ", ".join(f"{name} {{{name}}}" for name in words)
        return sentence.format_map({"zero": amount_text(0, words.get("currency", "")), **words})

    def __str__(self) -> str:
        return self.message

    def json_figures(self) -> dict[str, Any]:
        """Return the figures as JSON values: dates in ISO form, amounts as decimal text of the major unit."""
        currency = str(getattr(self, "currency", ""))
        return {
            name: amount_text(value, currency)
            if kind.startswith("Minor") and isinstance(value, int)
            else _json_value(value)
            for name, kind, value in self._typed_figures()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return code, title and message, and every figure, as JSON values."""
        return {"code": self.code, "title": self.title, "message": self.message, **self.json_figures()}

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> Self:
        """Build the error from the figures that the database sent, or that `to_dict` stored.

        ISO dates become dates. Amounts may be minor units (as the database sends them) or decimal text with
        a point. A figure that is missing takes its default, or None; one that is not understood is kept as
        it came.
        """
        figures = {
            field.name: _read_figure(str(field.type), detail.get(field.name))
            for field in fields(cls)
            if field.name in detail or field.default is MISSING
        }
        return cls(**figures)

    def _typed_figures(self) -> Iterator[tuple[str, str, Any]]:
        for field in fields(self):
            yield field.name, str(field.type), getattr(self, field.name)


def from_dict(stored: Mapping[str, Any]) -> DomainError:
    """Rebuild the error that `to_dict` wrote, of whichever package declared it.

    Raises: LookupError if no class with that code is loaded.
    """
    for cls in _declared(DomainError):
        if cls.code == stored["code"]:
            return cls.from_detail(stored)
    raise LookupError(f"no error is declared with the code {stored['code']!r}")


def _declared(cls: type[DomainError]) -> Iterator[type[DomainError]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _declared(subclass)


def _json_value(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): _json_value(item) for key, item in value.items()}
        case tuple() | list() | set() | frozenset():
            return [_json_value(item) for item in value]
        case _:
            return str(value)


def _shown(value: Any) -> str:
    match value:
        case None:
            return "(none)"
        case list():
            return ", ".join(map(_shown, value)) or "(none)"
        case _:
            return str(value)


def _read_figure(kind: str, value: Any) -> Any:
    if not isinstance(value, str):
        return tuple(value) if isinstance(value, list) else value
    try:
        if kind.startswith("date"):
            return date.fromisoformat(value)
        if kind.startswith("Minor"):
            return int(value.replace(".", "", 1))
        if kind.startswith("int"):
            return int(value)
    except ValueError:
        pass
    return value
