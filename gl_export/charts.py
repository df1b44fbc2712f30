"""Charts as SVG, drawn from figures alone: bars, a waterfall, curves. Each has a title that a screen reader says.

The same figures give the same text. Positions are whole tenths of a unit; nothing is read from a clock, and no script
is in it. Never: a report (`gl_export/html.py` says which figures are drawn).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from html import escape

WIDTH, HEIGHT = 720, 280
LEFT, TOP, RIGHT, BOTTOM = 96, 52, 16, 36
COLORS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b7791f", "#c53030")
PLUS, MINUS, LEVEL = COLORS[2], COLORS[5], COLORS[0]
LINES = 4


@dataclass(frozen=True, slots=True)
class Series:
    """A named row of figures; None where there is none."""

    name: str
    values: tuple[Decimal | None, ...]


def bars(title: str, labels: Sequence[str], values: Sequence[Decimal]) -> str:
    """Return a bar for each label."""
    scale = _Scale.of([*values, Decimal(0)])
    step = _step(len(labels))
    parts = []
    for place, value in enumerate(values):
        parts.append(_bar(place, step, (scale.y(Decimal(0)), scale.y(value)), LEVEL, f"{labels[place]}: {value:,}"))
    return _chart(title, scale, labels, step, parts)


def waterfall(title: str, opening: Decimal, moves: Sequence[tuple[str, Decimal]], closing: Decimal) -> str:
    """Return how one figure became another: the opening, each move from where the one before it ended, the closing."""
    levels, at = [], opening
    for _, move in moves:
        levels.append((at, at + move))
        at += move
    scale = _Scale.of([Decimal(0), opening, closing, *(level for pair in levels for level in pair)])
    labels = ["Opening", *(name for name, _ in moves), "Closing"]
    step = _step(len(labels))
    zero = scale.y(Decimal(0))
    parts = [_bar(0, step, (zero, scale.y(opening)), LEVEL, f"Opening: {opening:,}")]
    for place, ((name, move), (start, end)) in enumerate(zip(moves, levels, strict=True), start=1):
        color = PLUS if move >= 0 else MINUS
        parts.append(_bar(place, step, (scale.y(start), scale.y(end)), color, f"{name}: {move:+,}"))
    parts.append(_bar(len(labels) - 1, step, (zero, scale.y(closing)), LEVEL, f"Closing: {closing:,}"))
    return _chart(title, scale, labels, step, parts)


def curves(title: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Return a line for each series, with its name at the top."""
    known = [value for each in series for value in each.values if value is not None]
    scale = _Scale.of([Decimal(0), *known])
    step = _step(len(labels))
    parts = []
    for number, each in enumerate(series):
        color = COLORS[number % len(COLORS)]
        points = [
            (LEFT + step * place + step / 2, scale.y(value))
            for place, value in enumerate(each.values)
            if value is not None
        ]
        told = ", ".join(
            f"{label} {value}" for label, value in zip(labels, each.values, strict=True) if value is not None
        )
        parts.append(
            f'<g stroke="{color}" fill="{color}"><title>{escape(each.name)}: {escape(told)}</title>'
            f'<polyline fill="none" stroke-width="2" points="{" ".join(f"{_at(x)},{_at(y)}" for x, y in points)}"/>'
            + "".join(f'<circle cx="{_at(x)}" cy="{_at(y)}" r="2.5"/>' for x, y in points)
            + f'<text stroke="none" x="{LEFT + 110 * (number % 5)}" y="{TOP - 22 + 12 * (number // 5)}">'
            f"{escape(each.name)}</text></g>"
        )
    return _chart(title, scale, labels, step, parts)


@dataclass(frozen=True, slots=True)
class _Scale:
    low: Decimal
    high: Decimal
    step: Decimal

    @classmethod
    def of(cls, values: Sequence[Decimal]) -> _Scale:
        low, high = min(values), max(values)
        step = _round_step((high - low if high > low else Decimal(1)) / LINES)
        first, last = (low / step).to_integral_value(ROUND_FLOOR), (high / step).to_integral_value(ROUND_CEILING)
        return cls(first * step, max(last, first + 1) * step, step)

    def y(self, value: Decimal) -> Decimal:
        """Return how far from the top a value stands."""
        share = (value - self.low) / (self.high - self.low)
        return Decimal(HEIGHT - BOTTOM) - share * (HEIGHT - BOTTOM - TOP)

    def lines(self) -> tuple[Decimal, ...]:
        """Return the values at which a line is drawn."""
        return tuple(self.low + self.step * number for number in range(int((self.high - self.low) / self.step) + 1))


def _round_step(least: Decimal) -> Decimal:
    """Return the smallest of 1, 2 or 5 times a power of ten that is no less."""
    power = Decimal(1).scaleb(least.adjusted())
    return next(power * times for times in (1, 2, 5, 10) if power * times >= least)


def _step(count: int) -> Decimal:
    return Decimal(WIDTH - LEFT - RIGHT) / max(1, count)


def _at(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.1"), ROUND_HALF_UP))


def _bar(place: int, step: Decimal, between: tuple[Decimal, Decimal], color: str, told: str) -> str:
    top, bottom = sorted(between)
    x = LEFT + step * place + step * Decimal("0.15")
    height = bottom - top
    return (
        f'<rect x="{_at(x)}" y="{_at(top)}" width="{_at(step * Decimal("0.7"))}" height="{_at(height)}" fill="{color}">'
        f"<title>{escape(told)}</title></rect>"
    )


def _chart(title: str, scale: _Scale, labels: Sequence[str], step: Decimal, parts: Sequence[str]) -> str:
    lines = []
    for value in scale.lines():
        y = scale.y(value)
        shown = f"{value:,f}"
        lines.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_at(y)}" y2="{_at(y)}" stroke="currentColor" opacity="0.2"/>'
            f'<text x="{LEFT - 6}" y="{_at(y + 3)}" text-anchor="end">{shown}</text>'
        )
    every = max(1, len(labels) // 12 + (len(labels) > 12))
    names = [
        f'<text x="{_at(LEFT + step * place + step / 2)}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
        f"{escape(label)}</text>"
        for place, label in enumerate(labels)
        if place % every == 0
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="10"'
        f' fill="currentColor" aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f'<text x="{LEFT}" y="16" font-size="12" font-weight="bold">{escape(title)}</text>'
        + "".join((*lines, *parts, *names))
        + "</svg>"
    )
