"""The order of a waterfall: every due status with every component once, from the words of a product or a payment.

Vertical order takes one component across all installments of a status; horizontal order one installment at a time.
Never: amounts. Next: `servicing/waterfall.py`; `docs/spec/payments.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

IN_ADVANCE = "in_advance"
STATUSES = ("past_due", "due", IN_ADVANCE)
COMPONENTS = ("penalties", "fees", "interest", "principal")
PAIRS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {f"{status}_{component}": (status, component) for status in STATUSES for component in COMPONENTS}
)
"""Due status and component by the name that a waterfall of one's own has for them."""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Due status and component, in the order in which they are paid."""

    steps: tuple[tuple[str, str], ...]
    vertical: bool

    @classmethod
    def of_one(cls, component: str) -> Waterfall:
        """Return the order in which one component is paid everywhere, the oldest first."""
        return cls(tuple((status, component) for status in STATUSES), vertical=True)

    @property
    def by_status(self) -> Mapping[str, tuple[str, ...]]:
        """Return the components of each status, the statuses in the order in which they first stand."""
        return _grouped(self.steps)

    def puts_first(self, component: str, other: str, status: str) -> bool:
        """Tell whether one component comes before another within a status."""
        return self.steps.index((status, component)) < self.steps.index((status, other))


def _by_status(order: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((status, component) for status in STATUSES for component in order)


def _all_dues_then_in_advance(order: Sequence[str]) -> tuple[tuple[str, str], ...]:
    dues = tuple((status, component) for component in order for status in ("past_due", "due"))
    return (*dues, *(("in_advance", component) for component in order))


def _by_component(order: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((status, component) for component in order for status in STATUSES)


NAMED: Mapping[str, tuple[Callable[[Sequence[str]], tuple[tuple[str, str], ...]], bool]] = MappingProxyType(
    {
        "schedule": (_by_status, False),
        "clear_dues": (_by_status, True),
        "system": (_all_dues_then_in_advance, True),
        "payoff": (_by_component, True),
    }
)
"""The steps of each waterfall that has a name, given the product's order of components; and whether it is vertical."""


@lru_cache(maxsize=256)
def waterfall_of(words: str | tuple[str, ...], order: tuple[str, ...], processing: str | None = None) -> Waterfall:
    """Return the waterfall of a name, or of a list of pairs that was read by `own_pairs`."""
    if isinstance(words, str):
        steps, vertical = NAMED[words]
        return Waterfall(steps(order), vertical)
    return Waterfall(tuple(PAIRS[pair] for pair in words), vertical=processing == "vertical")


def own_pairs(value: Any) -> tuple[str, ...]:
    """Read a waterfall of one's own: a list of pairs, or an order of components for each status.

    Raises: ValueError with the reason.
    """
    if isinstance(value, Mapping):
        value = [f"{status}_{each}" for status, components in value.items() for each in _listed(components)]
    pairs = tuple(str(pair) for pair in _listed(value))
    for pair in pairs:
        if pair not in PAIRS:
            raise ValueError(f"{pair} is no due status with a component")
    if sorted(pairs) != sorted(PAIRS):
        raise ValueError("every due status stands in it with every component once")
    return pairs


@lru_cache(maxsize=256)
def _grouped(steps: tuple[tuple[str, str], ...]) -> Mapping[str, tuple[str, ...]]:
    statuses = dict.fromkeys(status for status, _ in steps)
    return MappingProxyType(
        {status: tuple(component for each, component in steps if each == status) for status in statuses}
    )


def _listed(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError("a list is wanted here")
    return value
