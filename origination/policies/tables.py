"""Rows of conditions over facts: where they leave a gap, where they overlap, and which row answers.

Every axis is cut at the edges that its rows name, so that what a table says is looked up, cell by cell, and what it
leaves out or says twice is found exactly, not guessed. Ranges are half-open: `from` is in, `below` is not.
Next: `origination/policies/checks.py`, which names what is found.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any

from origination.policies.document import Condition

MOST_CELLS = 200_000
ANY = Condition()


@dataclass(frozen=True, slots=True)
class Axis:
    """A fact as a table sees it: the cells into which its rows cut it; the last one is where it is missing."""

    name: str
    edges: tuple[Decimal, ...] = ()
    words: tuple[Any, ...] | None = None
    nullable: bool = False
    place: Mapping[Any, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return how many cells there are."""
        own = len(self.edges) + 1 if self.words is None else len(self.words) + (0 if self._is_closed else 1)
        return own + self.nullable

    @property
    def _is_closed(self) -> bool:
        return self.words == (False, True)

    def locate(self, value: Any) -> int:
        """Return the cell in which a value lies."""
        if value is None:
            return self.count - 1
        if self.words is None:
            return bisect_right(self.edges, value)
        return self.place.get(value, len(self.words))

    def cells(self, condition: Condition) -> tuple[int, ...]:
        """Return the cells that a condition takes in."""
        if condition == ANY:
            return tuple(range(self.count))
        if condition.missing:
            return (self.count - 1,)
        if condition.other:
            return (len(self.words or ()),)
        if condition.words is not None and self.words is not None:
            return tuple(sorted(self.place[word] for word in condition.words))
        if self.words is not None:
            return ()
        bands = _bands(condition)
        return tuple(
            cell
            for cell in range(len(self.edges) + 1)
            if any(self._inside(cell, least, below) for least, below in bands)
        )

    def _inside(self, cell: int, least: Decimal | None, below: Decimal | None) -> bool:
        begins = self.edges[cell - 1] if cell else None
        ends = self.edges[cell] if cell < len(self.edges) else None
        from_here = least is None or (begins is not None and begins >= least)
        to_here = below is None or (ends is not None and ends <= below)
        return from_here and to_here

    def shown(self, cell: int) -> str:
        """Return a cell as a person writes it."""
        if self.nullable and cell == self.count - 1:
            return f"{self.name} is missing"
        if self.words is not None:
            return f"{self.name} = {self.words[cell]}" if cell < len(self.words) else f"{self.name} is anything else"
        begins = f"from {self.edges[cell - 1]}" if cell else ""
        ends = f"below {self.edges[cell]}" if cell < len(self.edges) else ""
        return " ".join(part for part in (self.name, begins, ends) if part)


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows over axes, cell by cell: the rows that each cell meets, in order of the file."""

    axes: tuple[Axis, ...]
    met: Mapping[tuple[int, ...], tuple[int, ...]]

    def row_of(self, values: Mapping[str, Any]) -> int | None:
        """Return the first row that values meet, None if there is none."""
        rows = self.met.get(tuple(axis.locate(values[axis.name]) for axis in self.axes))
        return rows[0] if rows else None

    def gaps(self) -> list[str]:
        """Return the cells that no row takes in."""
        every = product(*(range(axis.count) for axis in self.axes))
        return [self._shown(cell) for cell in every if cell not in self.met]

    def overlaps(self) -> list[tuple[tuple[int, ...], str]]:
        """Return the groups of rows that say something about the same cell, each with the first such cell."""
        found: dict[tuple[int, ...], str] = {}
        for cell, rows in self.met.items():
            if len(rows) > 1:
                found.setdefault(rows, self._shown(cell))
        return sorted(found.items())

    def unreachable(self, rows: int) -> list[int]:
        """Return the rows that never answer first."""
        answering = {met[0] for met in self.met.values()}
        return [row for row in range(rows) if row not in answering]

    def _shown(self, cell: tuple[int, ...]) -> str:
        return ", ".join(axis.shown(at) for axis, at in zip(self.axes, cell, strict=True)) or "any application"


class TooManyCells(ValueError):
    """A table has more cells than can be looked through."""


def axis_over(name: str, kind: str, conditions: Iterable[Condition], *, nullable: bool) -> Axis:
    """Return the axis of a fact, cut where conditions cut it."""
    given = list(conditions)
    if kind == "boolean":
        return Axis(name, (), (False, True), nullable, {False: 0, True: 1})
    if kind == "text":
        words = tuple(dict.fromkeys(word for each in given for word in each.words or ()))
        return Axis(name, (), words, nullable, {word: at for at, word in enumerate(words)})
    edges = {edge for each in given for band in _bands(each) for edge in band if edge is not None}
    return Axis(name, tuple(sorted(edges)), None, nullable)


def grid_of(axes: Sequence[Axis], rows: Sequence[Mapping[str, Condition]]) -> Grid:
    """Return what rows say, cell by cell; a row without a condition on an axis takes in all of it.

    Raises: TooManyCells.
    """
    cells = 1
    for axis in axes:
        cells *= axis.count
    if cells > MOST_CELLS:
        raise TooManyCells(f"it has {cells} cells, more than {MOST_CELLS}")
    met: dict[tuple[int, ...], list[int]] = {}
    for number, row in enumerate(rows):
        for cell in product(*(axis.cells(row.get(axis.name, ANY)) for axis in axes)):
            met.setdefault(cell, []).append(number)
    return Grid(tuple(axes), {cell: tuple(found) for cell, found in met.items()})


def _bands(condition: Condition) -> list[tuple[Decimal | None, Decimal | None]]:
    """Return the ranges of a condition on a number; a whole number is the range up to the next one."""
    if condition.words is not None:
        return [(Decimal(word), Decimal(word) + 1) for word in condition.words]
    if condition.missing:
        return []
    return [(condition.least, condition.below)]
