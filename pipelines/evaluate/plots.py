"""Small plots as SVG: a strip of points for each voice, histograms. No script, no other file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 720, 40, 150, 24, 26, 34
COLOURS = ("#c2571a", "#2f6f9f", "#3f8f4f", "#8a4fa3", "#b08a1e", "#a03a4a")
REAL_COLOUR = "#777777"
BINS = 36


@dataclass(frozen=True)
class Series:
    """Values of one voice or of the real clips."""

    name: str
    values: Sequence[float]
    colour: str


@dataclass(frozen=True)
class Line:
    """A value that the points are to be held against."""

    name: str
    value: float


def strip(series: Sequence[Series], lines: Sequence[Line], unit: str) -> str:
    """A row of points for each series, a bar at its mean, and lines to compare with."""
    values = [v for s in series for v in s.values] + [line.value for line in lines]
    if not values:
        return ""
    axis = _Axis.of(values)
    height = TOP + ROW * len(series) + BOTTOM
    parts = [axis.drawn(height, unit)]
    for number, line in enumerate(lines):
        x = axis.at(line.value)
        parts.append(
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>'
            f'<text class="mark" x="{x:.1f}" y="{TOP - 15 + 11 * (number % 2)}" '
            f'text-anchor="middle">{escape(line.name)}</text>'
        )
    for row, one in enumerate(series):
        y = TOP + ROW * row + ROW / 2
        parts.append(_name(one.name, y))
        parts += [
            f'<circle cx="{axis.at(v):.1f}" cy="{y + 7 * ((i % 3) - 1):.1f}" r="3.2" '
            f'fill="{one.colour}" fill-opacity="0.7"/>'
            for i, v in enumerate(one.values)
        ]
        if len(one.values):
            x = axis.at(float(np.mean(one.values)))
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 13}" y2="{y + 13}" '
                f'stroke="{one.colour}" stroke-width="2.5"/>'
            )
    return _svg(height, parts)


def histogram(series: Sequence[Series], unit: str) -> str:
    """Shares of each series over the same bins, as filled outlines on one axis."""
    known = [s for s in series if len(s.values)]
    if not known:
        return ""
    together = np.concatenate([np.asarray(s.values) for s in known])
    axis = _Axis.of([float(v) for v in np.percentile(together, [0.5, 99.5])])
    height = 190
    edges = np.linspace(axis.low, axis.high, BINS + 1)
    shares = [np.histogram(s.values, edges)[0] / len(s.values) for s in known]
    top = max(float(share.max()) for share in shares)
    room = height - TOP - BOTTOM - 18 * len(known)
    parts = [axis.drawn(height, unit)]
    for row, (one, share) in enumerate(zip(known, shares, strict=True)):
        points = [
            f"{axis.at(x):.1f},{height - BOTTOM - room * y / top:.1f}"
            for x, y in zip((edges[:-1] + edges[1:]) / 2, share, strict=True)
        ]
        ends = [f"{axis.at(x):.1f},{height - BOTTOM}" for x in (axis.low, axis.high)]
        parts.append(
            f'<polygon points="{ends[0]} {" ".join(points)} {ends[1]}" fill="{one.colour}" '
            f'fill-opacity="0.22" stroke="{one.colour}" stroke-width="1.8"/>'
        )
        y = TOP + 18 * row
        parts.append(
            f'<rect x="{WIDTH - 190}" y="{y}" width="11" height="11" fill="{one.colour}"/>'
            f'<text x="{WIDTH - 174}" y="{y + 10}">{escape(_short(one.name))}</text>'
        )
    return _svg(height, parts)


@dataclass(frozen=True)
class _Axis:
    """Values from left to right."""

    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> _Axis:
        low, high = min(values), max(values)
        margin = 0.06 * (high - low) or 0.5 * abs(high) or 0.5
        return cls(low - margin, high + margin)

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)

    def drawn(self, height: float, unit: str) -> str:
        y = height - BOTTOM
        parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>']
        for value in self._ticks():
            x = self.at(value)
            parts.append(
                f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 4}"/>'
                f'<text x="{x:.1f}" y="{y + 16}" text-anchor="middle">{value:g}</text>'
            )
        parts.append(f'<text x="{LEFT - 12}" y="{y + 16}" text-anchor="end">{escape(unit)}</text>')
        return "".join(parts)

    def _ticks(self) -> list[float]:
        rough = (self.high - self.low) / 6
        scale = 10 ** np.floor(np.log10(rough))
        step = scale * next(f for f in (1, 2, 5, 10) if f * scale >= rough)
        first = np.ceil(self.low / step) * step
        count = int((self.high - first) / step) + 1
        return [float(f"{first + i * step:.10g}") for i in range(count)]


def _name(name: str, y: float) -> str:
    return f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(_short(name))}</text>'


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:21]}…"


def _svg(height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"{''.join(parts)}</svg>"
    )
