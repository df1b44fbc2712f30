"""Where the steps of a workflow stand on a page: in layers from the start down, edges through the layers between.

Edges that lead back up are turned around for the count, and every edge that passes a layer has a place in it, so no
line runs through a box. Within a layer the order follows the middle of what is above and below, a few times over. Whole
numbers only, and the same workflow always stands the same. Next: `origination/workflow/drawing.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from origination.workflow.definition import Definition, Step

WIDTH, HEIGHT, BEND = 190, 44, 24
GAP_X, GAP_Y, MARGIN = 26, 52, 20
ASIDE = 16
"""How far beside the middle a way back leaves and comes, so that it does not run along its way there."""
SWEEPS = 8

Place = str | tuple[int, int]
"""A step by its name, or where an edge passes a layer: the edge's number and the layer."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from a step to another, and what must be for it to be taken."""

    source: str
    target: str
    label: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The middle of each step, the points of each edge from its source to its target, and the size of the page."""

    steps: Mapping[str, tuple[int, int]]
    edges: tuple[tuple[Edge, tuple[tuple[int, int], ...]], ...]
    width: int
    height: int


def edges_of(definition: Definition) -> tuple[Edge, ...]:
    """Return the ways of a workflow, in its order; several from one step to another are one, with all their labels."""
    labels: dict[tuple[str, str], list[str]] = {}
    for name, step in definition.steps.items():
        for why, to in step.edges:
            labels.setdefault((name, to), []).append(why)
    return tuple(Edge(source, target, ", ".join(filter(None, why))) for (source, target), why in labels.items())


def lay_out(definition: Definition) -> Layout:
    """Return where everything stands."""
    edges = edges_of(definition)
    backward = frozenset(_backward(definition.start, definition.steps))
    layer = _layers(definition, edges, backward)
    chains = [_chain(number, edge, layer) for number, edge in enumerate(edges)]
    rows = _ordered(_rows(definition, layer, chains), chains)
    places, width = _places(rows)
    height = 2 * MARGIN + len(rows) * HEIGHT + (len(rows) - 1) * GAP_Y
    drawn = tuple((edge, _points(edge, chain, places)) for edge, chain in zip(edges, chains, strict=True))
    return Layout({name: places[name] for name in definition.steps}, drawn, width, height)


def _backward(start: str, steps: Mapping[str, Step]) -> Iterator[tuple[str, str]]:
    """Yield the edges that close a circle, as a walk from the start meets them."""
    open_, done = {start}, set[str]()
    stack = [(start, iter(steps[start].edges))]
    while stack:
        name, rest = stack[-1]
        _, to = next(rest, ("", ""))
        if not to:
            stack.pop()
            open_.discard(name)
            done.add(name)
        elif to in open_:
            yield name, to
        elif to not in done:
            open_.add(to)
            stack.append((to, iter(steps[to].edges)))


def _layers(definition: Definition, edges: Sequence[Edge], backward: frozenset[tuple[str, str]]) -> Mapping[str, int]:
    """Return for each step the length of the longest way to it that leads nowhere back."""
    layer = dict.fromkeys(definition.steps, 0)
    for _ in definition.steps:
        for edge in edges:
            if (edge.source, edge.target) not in backward:
                layer[edge.target] = max(layer[edge.target], layer[edge.source] + 1)
    return layer


def _chain(number: int, edge: Edge, layer: Mapping[str, int]) -> tuple[Place, ...]:
    """Return what an edge goes through, from the upper of its ends to the lower."""
    ends = sorted((edge.source, edge.target), key=lambda name: layer[name])
    between = range(layer[ends[0]] + 1, layer[ends[1]])
    return (ends[0], *((number, each) for each in between), ends[1])


def _rows(definition: Definition, layer: Mapping[str, int], chains: Sequence[Sequence[Place]]) -> list[list[Place]]:
    rows: list[list[Place]] = [[] for _ in range(max(layer.values()) + 1)]
    for name in definition.steps:
        rows[layer[name]].append(name)
    for chain in chains:
        for place in chain[1:-1]:
            assert isinstance(place, tuple), place
            rows[place[1]].append(place)
    return rows


def _ordered(rows: list[list[Place]], chains: Sequence[Sequence[Place]]) -> list[list[Place]]:
    near: dict[Place, list[Place]] = {place: [] for row in rows for place in row}
    for chain in chains:
        for one, other in pairwise(chain):
            near[one].append(other)
            near[other].append(one)
    for sweep in range(SWEEPS):
        order = rows if sweep % 2 == 0 else rows[::-1]
        for above, row in pairwise(order):
            middle = _middles(above)
            # In thousandths, so that it stays in whole numbers; what has no neighbor there keeps its place.
            own = _middles(row)
            wanted = {
                place: (
                    sum(found) // len(found)
                    if (found := [middle[n] for n in near[place] if n in middle])
                    else own[place]
                )
                for place in row
            }
            row.sort(key=lambda place: wanted[place])
    return rows


def _middles(row: Sequence[Place]) -> dict[Place, int]:
    return {place: (2 * number + 1) * 1000 // (2 * len(row)) for number, place in enumerate(row)}


def _places(rows: Sequence[Sequence[Place]]) -> tuple[dict[Place, tuple[int, int]], int]:
    widths = [sum(_width(place) for place in row) + GAP_X * (len(row) - 1) for row in rows]
    page = max(widths) + 2 * MARGIN
    places: dict[Place, tuple[int, int]] = {}
    for number, (row, width) in enumerate(zip(rows, widths, strict=True)):
        x = (page - width) // 2
        for place in row:
            places[place] = (x + _width(place) // 2, MARGIN + number * (HEIGHT + GAP_Y) + HEIGHT // 2)
            x += _width(place) + GAP_X
    return places, page


def _width(place: Place) -> int:
    return WIDTH if isinstance(place, str) else BEND


def _points(edge: Edge, chain: Sequence[Place], places: Mapping[Place, tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the points of an edge: from box to box, and straight down through each layer between."""
    (top_x, top_y), (end_x, end_y) = places[chain[0]], places[chain[-1]]
    aside = 0 if edge.source == chain[0] else ASIDE
    points = [(top_x + aside, top_y + HEIGHT // 2)]
    for place in chain[1:-1]:
        x, y = places[place]
        points += [(x, y - HEIGHT // 2), (x, y + HEIGHT // 2)]
    points.append((end_x + aside, end_y - HEIGHT // 2))
    return tuple(points if edge.source == chain[0] else points[::-1])
