"""Facts: what a workflow knows of its application, under declared names, and the conditions that look at them.

A fact is a text, a number or a flag. A number is an integer, or a decimal as text; never a float. A condition on a fact
that is not known does not hold. Never: code in a condition. Next: `origination/workflow/definition.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from origination.workflow.errors import FactRefused

FactKind = Literal["text", "number", "flag"]
Fact = str | int | bool
Facts = Mapping[str, Fact]

LONGEST = 200


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


_IS: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "text": lambda value: isinstance(value, str),
        "number": lambda value: _number(value) is not None,
        "flag": lambda value: isinstance(value, bool),
    }
)


def checked_facts(vocabulary: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Fact]:
    """Return facts as they are kept.

    Raises: FactRefused for a name that is not declared, or a value of another kind.
    """
    for name, value in given.items():
        if name not in vocabulary:
            raise FactRefused(fact=name, reason=f"the workflow declares {', '.join(sorted(vocabulary)) or 'none'}")
        text = str(value)
        if not _IS[vocabulary[name]](value) or len(text) > LONGEST or not text.isprintable():
            raise FactRefused(fact=name, reason=f"it is a {vocabulary[name]} of at most {LONGEST} characters")
    return dict(given)


def read_fact(vocabulary: Mapping[str, str], name: str, text: str) -> Fact:
    """Return a fact that was written as text, as the command line has it.

    Raises: FactRefused.
    """
    if vocabulary.get(name) != "flag":
        return text
    if text not in ("yes", "no"):
        raise FactRefused(fact=name, reason="a flag is yes or no")
    return text == "yes"


class Condition(BaseModel):
    """One comparison of a fact, or several conditions of which all or any must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fact: str | None = None
    equals: str | int | bool | None = None
    one_of: tuple[str | int, ...] | None = None
    at_least: int | str | None = None
    at_most: int | str | None = None
    known: bool | None = None
    all: tuple[Condition, ...] | None = None
    any: tuple[Condition, ...] | None = None
    negated: bool = False

    @model_validator(mode="after")
    def _one_thing(self) -> Condition:
        compared = [name for name in COMPARISONS if getattr(self, name) is not None]
        if self.fact is not None and (len(compared) != 1 or self.all or self.any):
            raise ValueError(f"a condition on a fact has one of {', '.join(COMPARISONS)}")
        if self.fact is None and (compared or bool(self.all) == bool(self.any)):
            raise ValueError("a condition has a fact, or `all`, or `any`")
        return self

    def holds(self, facts: Facts) -> bool:
        """Tell whether it holds of facts."""
        return self._holds(facts) != self.negated

    def _holds(self, facts: Facts) -> bool:
        if self.fact is None:
            parts = self.all or self.any or ()
            return (all if self.all else any)(each.holds(facts) for each in parts)
        value = facts.get(self.fact)
        for name, compare in COMPARISONS.items():
            wanted = getattr(self, name)
            if wanted is not None:
                return compare(value, wanted)
        raise AssertionError("a condition that was read compares something")

    def problems(self, vocabulary: Mapping[str, str]) -> Iterator[str]:
        """Yield what is wrong with it where these facts are declared."""
        for part in (*(self.all or ()), *(self.any or ())):
            yield from part.problems(vocabulary)
        if self.fact is None:
            return
        kind = vocabulary.get(self.fact)
        if kind is None:
            yield f"unknown fact {self.fact}"
            return
        for name in COMPARISONS:
            wanted = getattr(self, name)
            if wanted is not None and name != "known":
                yield from _type_clash(self.fact, kind, name, wanted)

    def __str__(self) -> str:
        text = self._text()
        return f"not ({text})" if self.negated else text

    def _text(self) -> str:
        if self.fact is None:
            return (" and " if self.all else " or ").join(f"{each}" for each in (self.all or self.any or ()))
        for name, word in _WORDS.items():
            wanted = getattr(self, name)
            if wanted is not None:
                shown = " or ".join(map(str, wanted)) if isinstance(wanted, tuple) else str(wanted)
                return f"{self.fact} {word} {shown}"
        raise AssertionError("a condition that was read compares something")


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return _number(value) == wanted if isinstance(wanted, int) else bool(value == wanted)


def _at_least(value: Any, wanted: Any) -> bool:
    one, other = _number(value), _number(wanted)
    return one is not None and other is not None and one >= other


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "equals": _same,
        "one_of": lambda value, wanted: any(_same(value, each) for each in wanted),
        "at_least": _at_least,
        "at_most": lambda value, wanted: _at_least(wanted, value),
        "known": lambda value, wanted: (value is not None) is wanted,
    }
)
_WORDS = MappingProxyType(
    {"equals": "is", "one_of": "is", "at_least": "at least", "at_most": "at most", "known": "known:"}
)


def _type_clash(fact: str, kind: str, name: str, wanted: Any) -> Iterator[str]:
    if name in ("at_least", "at_most") and kind != "number":
        yield f"{fact} is a {kind}: it has no order"
        return
    for each in wanted if isinstance(wanted, tuple) else (wanted,):
        if name in ("equals", "one_of") and kind == "number" and isinstance(each, str):
            yield f"{fact} is a number: it is compared with {each} by at_least and at_most"
        elif not _IS[kind](each):
            yield f"{fact} is a {kind}, and {each} is none"
