"""A workflow as a picture: Mermaid text, or an SVG of its own; where an application stands is marked in it.

Never: a program besides this one. Next: `origination/workflow/layout.py` for where things stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from xml.sax.saxutils import escape

from origination.workflow.definition import AutomaticStep, Definition, HumanStep, Step, WaitStep
from origination.workflow.layout import HEIGHT, WIDTH, Layout, edges_of, lay_out
from origination.workflow.state import State

SHAPES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "automatic": ("[[", "]]"),
        "human": ("[", "]"),
        "decision": ("{", "}"),
        "fork": ("[/", r"\]"),
        "join": ("[\\", "/]"),
        "wait": ("([", "])"),
        "end": ("((", "))"),
    }
)
"""How Mermaid writes each kind of step."""

_FILLS: Mapping[str, str] = MappingProxyType(
    {
        "automatic": "#e8eef7",
        "human": "#fdf1dc",
        "decision": "#f3e8f7",
        "fork": "#eeeeee",
        "join": "#eeeeee",
        "wait": "#e6f4ea",
        "end": "#dddddd",
    }
)
_ARROW = (
    '<marker id="to" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8z" fill="#555"/></marker>'
)
_RESERVED = frozenset({"end", "graph", "subgraph", "flowchart", "class", "click", "style", "default"})
LONGEST_LINE = 28


def as_mermaid(definition: Definition, state: State | None = None) -> str:
    """Return a flowchart; with a state, its tokens and the ways that were taken are marked."""
    lines = ["flowchart TD"]
    for name, step in definition.steps.items():
        before, after = SHAPES[step.kind]
        lines.append(f'    {_id(name)}{before}"{_quoted("<br/>".join(_words(name, step)))}"{after}')
    taken = _taken(state)
    passed = []
    for number, edge in enumerate(edges_of(definition)):
        label = f'|"{_quoted(edge.label)}"|' if edge.label else ""
        lines.append(f"    {_id(edge.source)} -->{label} {_id(edge.target)}")
        if (edge.source, edge.target) in taken:
            passed.append(str(number))
    if state is not None:
        lines += _marks(state, passed)
    return "\n".join(lines) + "\n"


def as_svg(definition: Definition, state: State | None = None) -> str:
    """Return a picture that needs nothing beside itself."""
    layout = lay_out(definition)
    title = escape(definition.title or definition.code)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width} {layout.height}" {_size(layout)}>',
        f"<title>{title}</title>",
        f"<defs>{_ARROW}</defs>",
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    taken = _taken(state)
    for edge, points in layout.edges:
        is_taken = (edge.source, edge.target) in taken
        parts.append(_line(points, is_taken=is_taken))
    for name, middle in layout.steps.items():
        parts.extend(_box(name, definition.steps[name], middle, state))
    for edge, points in layout.edges:
        if edge.label:
            parts.append(_label(edge.label, points))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _size(layout: Layout) -> str:
    return f'width="{layout.width}" height="{layout.height}" font-family="sans-serif" font-size="11"'


def _words(name: str, step: Step) -> tuple[str, ...]:
    title = step.title or name
    match step:
        case HumanStep():
            return title, f"{step.role}, due {step.due}"
        case AutomaticStep():
            return title, step.task
        case WaitStep():
            return title, f"at most {step.time_out.after}"
    return (title,)


def _id(name: str) -> str:
    """Return what Mermaid calls a step; some words are its own."""
    return f"{name}_" if name in _RESERVED else name


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")


def _marks(state: State, passed: list[str]) -> Iterator[str]:
    yield "    classDef passed stroke:#2b7a3d,stroke-width:2px"
    yield "    classDef current fill:#ffd24d,stroke:#b36b00,stroke-width:3px"
    been = dict.fromkeys(move.target for move in state.trail if move.target not in state.steps)
    if been:
        yield f"    class {','.join(map(_id, been))} passed"
    if state.steps:
        yield f"    class {','.join(map(_id, state.steps))} current"
    if passed:
        yield f"    linkStyle {','.join(passed)} stroke:#2b7a3d,stroke-width:3px"


def _taken(state: State | None) -> frozenset[tuple[str, str]]:
    if state is None:
        return frozenset()
    return frozenset((move.source, move.target) for move in state.trail if move.source is not None)


def _line(points: tuple[tuple[int, int], ...], *, is_taken: bool) -> str:
    way = " ".join(f"{x},{y}" for x, y in points)
    stroke = 'stroke="#2b7a3d" stroke-width="2.5"' if is_taken else 'stroke="#888"'
    return f'<polyline points="{way}" fill="none" {stroke} marker-end="url(#to)"/>'


def _box(name: str, step: Step, middle: tuple[int, int], state: State | None) -> Iterator[str]:
    x, y = middle
    is_here = state is not None and name in state.steps
    been = state is not None and any(move.target == name for move in state.trail)
    edge = "#b36b00" if is_here else "#2b7a3d" if been else "#666"
    fill = "#ffd24d" if is_here else _FILLS[step.kind]
    style = f'fill="{fill}" stroke="{edge}" stroke-width="{3 if is_here else 2 if been else 1}"'
    left, top = x - WIDTH // 2, y - HEIGHT // 2
    yield f'<g id="step-{name}" class="{"current" if is_here else "passed" if been else step.kind}">'
    if step.kind == "decision":
        corners = f"{left},{y} {left + 14},{top} {left + WIDTH - 14},{top} {left + WIDTH},{y}"
        yield f'<polygon points="{corners} {left + WIDTH - 14},{top + HEIGHT} {left + 14},{top + HEIGHT}" {style}/>'
    else:
        round_ = {"human": 4, "wait": 22, "end": 22}.get(step.kind, 0)
        yield f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="{round_}" {style}/>'
    words = _words(name, step)
    for number, word in enumerate(words):
        line = y + 4 + 14 * number - 7 * (len(words) - 1)
        weight = ' font-weight="bold"' if number == 0 else ' fill="#444"'
        yield f'<text x="{x}" y="{line}" text-anchor="middle"{weight}>{escape(_short(word))}</text>'
    yield "</g>"


def _label(text: str, points: tuple[tuple[int, int], ...]) -> str:
    (one_x, one_y), (other_x, other_y) = points[0], points[1]
    # A third of the way along, where ways that leave one box have parted already.
    x, y = one_x + (other_x - one_x) * 2 // 5, one_y + (other_y - one_y) * 2 // 5 + 4
    halo = 'paint-order="stroke" stroke="#fff" stroke-width="4"'
    return f'<text x="{x}" y="{y}" text-anchor="middle" font-size="10" {halo}>{escape(_short(text))}</text>'


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "\N{HORIZONTAL ELLIPSIS}"
