"""The backdrop of a page, out of doors, as SVG: sky, hills behind hills, water, ground, trees.

Everything is cut paper: each layer has a soft shadow above its edge, a light rim and its own
gradient. What is far is small, pale and in the haze.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.story.collage.glyphs import CELL, glyph
from pipelines.story.collage.light import Palette, lit, matrix, plain
from pipelines.story.collage.staging import Stage
from pipelines.story.collage.svg import path, placed, shape, tag
from pipelines.story.landscape import Colour, mix

HORIZON = 0.53
GROUND = 0.735  # where the ground of the figures begins
WATERS = ("river", "lake", "sea")


@dataclass
class Canvas:
    """A page under work: its parts in order, and the filters and gradients that they use."""

    width: float
    height: float
    palette: Palette
    rng: np.random.Generator
    parts: list[str] = field(default_factory=list)
    defs: dict[str, str] = field(default_factory=dict)
    kept: list[tuple[float, float]] = field(default_factory=list)  # x and half width, for others

    def is_free(self, x: float, half: float) -> bool:
        """Whether nothing else is to stand there."""
        return self.clearance(x, half) > 0

    def clearance(self, x: float, half: float) -> float:
        """Pixels from there to the nearest that stands; below zero where they overlap."""
        gaps = (abs(x - middle) - half - wide for middle, wide in self.kept)
        return min(gaps, default=self.width)

    @property
    def unit(self) -> float:
        """What sizes are shares of: the height of a page that is 16 by 9."""
        return min(self.height, self.width * 0.78)

    def add(self, svg: str) -> None:
        self.parts.append(svg)

    def gradient(self, name: str, stops: Sequence[str]) -> str:
        """A vertical gradient; its paint."""
        inside = "".join(
            f'<stop offset="{i / (len(stops) - 1):.3f}" stop-color="{stop}"/>'
            for i, stop in enumerate(stops)
        )
        self.defs[name] = f'<linearGradient id="{name}" x2="0" y2="1">{inside}</linearGradient>'
        return f"url(#{name})"

    def tint(self, light: tuple[float, float, float], haze: float) -> str:
        """A filter that puts things into the light and the haze of the page; its reference."""
        name = f"tint{len([d for d in self.defs if d.startswith('tint')])}"
        values = matrix(light, self.palette.haze, haze)
        for known, text in self.defs.items():
            if values in text:
                return f"url(#{known})"
        self.defs[name] = (
            f'<filter id="{name}" x="-5%" y="-5%" width="110%" height="110%" '
            f'color-interpolation-filters="sRGB"><feColorMatrix values="{values}"/></filter>'
        )
        return f"url(#{name})"

    def put(self, name: str, x: float, foot: float, tall: float, *, haze: float = 0.0,
            flip: bool = False, shadow: bool = True) -> None:  # fmt: skip
        """A pictogram of the backdrop standing at (x, foot)."""
        if shadow:
            self.add(contact_shadow(x, foot, tall * 0.34, 0.22 * (1 - haze)))
        light = f'filter="{self.tint(self.palette.land_light, haze)}"'
        left, top = x - tall / 2, foot - tall * 0.965
        self.add(placed(glyph(name), left, top, tall / CELL, more=light, flip=flip))


def contact_shadow(x: float, foot: float, half: float, strength: float) -> str:
    """A soft dark spot where something stands."""
    return (
        f'<ellipse cx="{x:.1f}" cy="{foot:.1f}" rx="{half:.1f}" ry="{half * 0.17:.1f}" '
        f'fill="url(#contact)" opacity="{strength:.2f}"/>'
    )


def out_of_doors(canvas: Canvas, stage: Stage) -> None:
    """Sky, land and what grows there, up to the ground on which figures stand."""
    _sky(canvas, stage)
    _lights(canvas, stage)
    if stage.place == "space":
        _planets(canvas)
    else:
        _clouds(canvas, stage)
    _hills(canvas, stage)
    if stage.place in WATERS:
        _water(canvas, stage)
    _ground(canvas, stage)
    _trees(canvas, stage)


# ---------------------------------------------------------------- sky


def _sky(canvas: Canvas, stage: Stage) -> None:
    top, low = canvas.palette.sky
    paint = canvas.gradient("sky", [plain(mix(top, low, s)) for s in (0, 0.35, 0.7, 1)])
    height = canvas.height * (HORIZON + 0.16)
    canvas.add(f'<rect width="{canvas.width}" height="{height:.0f}" fill="{paint}"/>')
    if canvas.palette.night and stage.weather not in ("rain", "storm", "snow", "fog"):
        canvas.add("".join(_stars(canvas, 110 if stage.place == "space" else 70)))


def _stars(canvas: Canvas, count: int) -> Iterator[str]:
    for _ in range(count):
        x, y = canvas.rng.uniform(0, canvas.width), canvas.rng.uniform(0, canvas.height * 0.5)
        r = canvas.unit * canvas.rng.choice([0.0014, 0.002, 0.0032], p=[0.5, 0.35, 0.15])
        strength = float(canvas.rng.uniform(0.5, 1))
        yield tag("circle", cx=x, cy=y, r=float(r), fill="#fff6da", opacity=strength)


def _lights(canvas: Canvas, stage: Stage) -> None:
    """Sun or moon with its glow; low and large at dawn and in the evening."""
    covered = stage.weather in ("rain", "storm", "snow", "fog", "cloudy")
    moon = canvas.palette.night or stage.face == "moon" or (stage.moon and stage.time == "evening")
    if stage.place == "space" or stage.lettered or (covered and not stage.face):
        return
    low = stage.time in ("dawn", "evening") and not moon
    x = canvas.width * _light_side(stage)
    y = canvas.height * (HORIZON - 0.13 if low else 0.2)
    size = canvas.unit * (0.3 if stage.face else 0.2 if moon else 0.22)
    colour = "#fff3c4" if moon else "#ffdf8a" if low else "#fff4c0"
    canvas.add(_glow(canvas, x, y, size * (1.9 if moon else 2.3), colour, 0.5 if moon else 0.75))
    if low and not stage.face:
        disc = "#ffe9a8" if stage.time == "dawn" else "#ffc46b"
        canvas.add(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{size * 0.52:.0f}" fill="{disc}"/>')
        return
    name = "full-moon" if moon else "sun"
    if stage.face == name.removeprefix("full-"):
        name = "full-moon-face" if moon else "sun-with-face"
    canvas.add(placed(glyph(name), x - size / 2, y - size / 2, size / CELL))


def _planets(canvas: Canvas) -> None:
    w, h, u = canvas.width, canvas.height, canvas.unit
    for x, y, r, colour in (
        (0.2, 0.2, 0.075, (0.70, 0.12, 230)),
        (0.62, 0.33, 0.035, (0.72, 0.11, 30)),
    ):
        canvas.add(_glow(canvas, w * x, h * y, u * r * 2.2, "#9fc4ff", 0.35))
        canvas.add(tag("circle", cx=w * x, cy=h * y, r=u * r, fill=plain(colour)))
        canvas.add(
            tag(
                "circle",
                cx=w * x + u * r * 0.28,
                cy=h * y + u * r * 0.2,
                r=u * r * 0.96,
                fill="#0c1030",
                opacity=0.22,
            )
        )
    side = u * 0.27
    place = (
        f"translate({w * 0.79 - side / 2:.1f} {h * 0.2 - side / 2:.1f}) scale({side / CELL:.4f})"
    )
    canvas.add(f'<g transform="{place}">{glyph("ringed-planet")}</g>')


def _light_side(stage: Stage) -> float:
    return 0.79 if stage.seed % 5 < 3 else 0.21


def _glow(canvas: Canvas, x: float, y: float, radius: float, colour: str, strength: float) -> str:
    canvas.defs["glow"] = (
        '<radialGradient id="glow">'
        f'<stop offset="0" stop-color="{colour}" stop-opacity="{strength}"/>'
        f'<stop offset=".35" stop-color="{colour}" stop-opacity="{strength * 0.45:.2f}"/>'
        f'<stop offset="1" stop-color="{colour}" stop-opacity="0"/></radialGradient>'
    )
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.0f}" fill="url(#glow)"/>'


def _clouds(canvas: Canvas, stage: Stage) -> None:
    many = {"rain": 5, "storm": 6, "cloudy": 5, "snow": 4, "fog": 4}.get(stage.weather, 4)
    strength = 0.55 if canvas.palette.night else 0.95
    slots = canvas.rng.permutation(many)
    for slot in slots:
        x = canvas.width * (slot + 0.5 + canvas.rng.uniform(-0.25, 0.25)) / many
        y = canvas.height * canvas.rng.uniform(0.07, 0.27) + canvas.height * 0.2 * stage.lettered
        wide = canvas.unit * canvas.rng.uniform(0.26, 0.44) * (1.25 if many > 4 else 1)
        if (
            stage.weather in ("", "sun", "wind")
            and abs(x / canvas.width - _light_side(stage)) < 0.2
        ):
            continue  # the sun and the moon stay clear
        canvas.add(_cloud(canvas, x, y, wide, strength))


def _cloud(canvas: Canvas, x: float, y: float, wide: float, strength: float) -> str:
    """Overlapping round puffs on a flat foot."""
    colour = plain(canvas.palette.cloud)
    rng, tall = canvas.rng, wide * 0.36
    puffs = [
        (0.5, 0.5, 0.52),
        (0.25, 0.68, 0.36),
        (0.75, 0.66, 0.38),
        (0.1, 0.83, 0.22),
        (0.9, 0.82, 0.23),
    ]
    circles = "".join(
        f'<circle cx="{x + (px - 0.5) * wide + rng.uniform(-0.02, 0.02) * wide:.1f}" '
        f'cy="{y + (py - 0.5) * tall:.1f}" r="{r * tall:.1f}"/>'
        for px, py, r in puffs
    )
    foot = (
        f'<rect x="{x - wide * 0.47:.1f}" y="{y + tall * 0.28:.1f}" width="{wide * 0.94:.1f}" '
        f'height="{tall * 0.36:.1f}" rx="{tall * 0.18:.1f}"/>'
    )
    return f'<g fill="{colour}" opacity="{strength}" filter="url(#paper)">{circles}{foot}</g>'


# ---------------------------------------------------------------- land


def _hills(canvas: Canvas, stage: Stage) -> None:
    peaks = stage.place == "mountains"
    rise = {"sea": 0.02, "lake": 0.045, "desert": 0.04, "mountains": 0.11}.get(stage.place, 0.055)
    layers = 2 if stage.place in WATERS else 3
    if stage.place == "sea":
        layers = 1
    for layer in range(layers):
        base = canvas.height * (HORIZON + 0.075 * layer + (0.03 if stage.place == "sea" else 0))
        colour = canvas.palette.hills[layer]
        if peaks and layer == 0:
            _mountains(canvas, base, colour)
        else:
            edge = _ridge(canvas, base, canvas.unit * rise * (1 - 0.2 * layer))
            _layer(
                canvas, f"hill{layer}", edge, colour, canvas.height * 0.22, haze=0.4 - 0.15 * layer
            )
        if layer == 0 and stage.place in ("city", "village"):
            _skyline(canvas, stage, base)


def _mountains(canvas: Canvas, base: float, colour: Colour) -> None:
    """A range with snow on its tops."""
    x, points, tops = -canvas.unit * 0.1, [], []
    while x < canvas.width + canvas.unit * 0.3:
        points.append((x, base + canvas.unit * canvas.rng.uniform(-0.02, 0.04)))
        half = canvas.unit * canvas.rng.uniform(0.16, 0.27)
        tall = half * canvas.rng.uniform(0.95, 1.25)
        top = (x + half, base - tall)
        points.append(top)
        tops.append((top, half, tall))
        x += half * 2 * canvas.rng.uniform(0.72, 0.95)
    outline = " L".join(f"{a:.1f} {b:.1f}" for a, b in points)
    low = canvas.height * (HORIZON + 0.2)
    light = canvas.palette.land_light
    paint = canvas.gradient(
        "range", [lit(colour, light), lit(mix(colour, canvas.palette.haze, 0.6), light)]
    )
    canvas.add(
        f'<path d="M{points[0][0]:.1f} {low:.1f} L{outline} L{canvas.width + 300:.1f} {low:.1f}Z" '
        f'fill="{paint}" filter="url(#paper)"/>'
    )
    snow = lit((0.97, 0.01, 240), light)
    for (tx, ty), half, tall in tops:
        a, b = half * 0.3, tall * 0.3
        cap = shape("M", tx, ty, "L", tx + a, ty + b, "L", tx + a * 0.45, ty + b * 0.78)
        cap += shape("L", tx, ty + b * 1.12, "L", tx - a * 0.5, ty + b * 0.76)
        cap += shape("L", tx - a, ty + b, "Z")
        canvas.add(path(cap, fill=snow))


def _ridge(canvas: Canvas, base: float, rise: float) -> list[tuple[float, float]]:
    """A hill's edge as points from left to right: a few waves, the longer the higher."""
    rng = canvas.rng
    waves = [(f * rng.uniform(0.8, 1.2), rng.uniform(0, 2 * math.pi)) for f in (0.8, 1.5, 2.6)]
    points = []
    for step in range(49):
        share = step / 48
        height = sum(math.sin(2 * math.pi * f * share + p) / f for f, p in waves)
        points.append((share * canvas.width, base - rise * height / 1.4))
    return points


def _layer(
    canvas: Canvas, name: str, edge: list[tuple[float, float]], colour: Colour, deep: float, *,
    haze: float,
) -> None:  # fmt: skip
    """Paper below an edge: shadow above it, a light rim, paler towards its foot."""
    line = " L".join(f"{x:.1f} {y:.1f}" for x, y in edge)
    low = max(y for _, y in edge) + deep
    light = canvas.palette.land_light
    near = mix(colour, canvas.palette.haze, haze * 0.45)
    paint = canvas.gradient(
        name, [lit(near, light), lit(mix(near, canvas.palette.haze, haze), light)]
    )
    shape = f"M0 {low:.1f} L{line} L{canvas.width:.1f} {low:.1f}Z"
    canvas.add(f'<path d="{shape}" fill="{paint}" filter="url(#paper)"/>')
    rim = 0.16 if canvas.palette.night else 0.38
    wide = canvas.unit * 0.0028
    canvas.add(path(f"M{line}", fill="none", stroke="#fff", stroke_width=wide, opacity=rim))


def _skyline(canvas: Canvas, stage: Stage, base: float) -> None:
    """Houses or towers on the farthest hill."""
    if stage.place == "village":
        for n in range(5):
            x = canvas.width * (0.1 + 0.2 * n + canvas.rng.uniform(-0.04, 0.04))
            name = ("houses", "house-with-garden")[int(canvas.rng.integers(2))]
            tall = canvas.unit * canvas.rng.uniform(0.11, 0.15)
            canvas.put(name, x, base + canvas.unit * 0.05, tall, haze=0.3, shadow=False)
        return
    x, light = 0.0, canvas.palette.land_light
    while x < canvas.width:
        wide, tall = (
            canvas.unit * canvas.rng.uniform(0.07, 0.13),
            canvas.unit * canvas.rng.uniform(0.16, 0.38),
        )
        colour = lit(
            mix((0.66, 0.05, canvas.rng.uniform(220, 300)), canvas.palette.haze, 0.35), light
        )
        window = "#ffe6a0" if canvas.palette.night else "#eef4f8"
        canvas.add(
            tag(
                "rect", x=x, y=base - tall, width=wide, height=tall + canvas.unit * 0.2,
                fill=colour, filter="url(#paper)",
            )
        )  # fmt: skip
        step = wide / 4
        for row in range(int(tall / (step * 1.5))):
            for column in range(3):
                if canvas.rng.uniform() < 0.7:
                    left, top = x + step * (column + 0.7), base - tall + step * (0.7 + 1.5 * row)
                    pane = {"width": step * 0.6, "height": step * 0.8, "opacity": 0.7}
                    canvas.add(tag("rect", x=left, y=top, fill=window, **pane))
        x += wide * canvas.rng.uniform(0.98, 1.25)


def _water(canvas: Canvas, stage: Stage) -> None:
    """A band of water with lines of light; its far shore is the last hill."""
    top = canvas.height * (0.60 if stage.place == "sea" else 0.635)
    low = canvas.height * (GROUND + 0.07)
    paint = canvas.gradient("water", [plain(colour) for colour in canvas.palette.water])
    canvas.add(
        f'<rect y="{top:.0f}" width="{canvas.width}" height="{low - top:.0f}" fill="{paint}"/>'
    )
    for _ in range(46):
        depth = canvas.rng.uniform() ** 1.2
        y = top + (low - top) * (0.04 + 0.9 * depth)
        half = canvas.unit * (0.012 + 0.045 * depth) * canvas.rng.uniform(0.5, 1.2)
        x = canvas.rng.uniform(0, canvas.width)
        thick = canvas.unit * (0.002 + 0.002 * depth)
        bar = {"width": float(2 * half), "height": float(thick), "rx": float(thick / 2)}
        strength = float(canvas.rng.uniform(0.14, 0.4))
        canvas.add(tag("rect", x=x - half, y=y, fill="#fff", opacity=strength, **bar))


def _ground(canvas: Canvas, stage: Stage) -> None:
    base = canvas.height * GROUND
    edge = _ridge(canvas, base, canvas.unit * 0.016)
    line = " L".join(f"{x:.1f} {y:.1f}" for x, y in edge)
    light = canvas.palette.land_light
    paint = canvas.gradient("ground", [lit(colour, light) for colour in canvas.palette.ground])
    area = f"M0 {canvas.height} L{line} L{canvas.width} {canvas.height}Z"
    canvas.add(path(area, fill=paint, filter="url(#paper)"))
    rim = 0.14 if canvas.palette.night else 0.35
    wide = canvas.unit * 0.003
    canvas.add(path(f"M{line}", fill="none", stroke="#fff", stroke_width=wide, opacity=rim))
    if stage.place in ("road", "village", "city", "hills", "forest", "meadow"):
        _path(canvas, wide=stage.place in ("road", "city"), white=_is_white(stage))
    if not (stage.place in ("sea", "desert", "city", "space") or _is_white(stage)):
        canvas.add("".join(_tufts(canvas, edge)))
        canvas.add("".join(_flowers(canvas)))
    if stage.place in ("sea", "desert"):
        canvas.add("".join(_pebbles(canvas)))
    if stage.place == "space":
        canvas.add("".join(_craters(canvas)))


def _is_white(stage: Stage) -> bool:
    return stage.weather == "snow" or stage.season == "winter"


def _path(canvas: Canvas, *, wide: bool, white: bool) -> None:
    """A path from the edge of the ground to the foot of the page."""
    w, h = canvas.width, canvas.height
    x = w * canvas.rng.uniform(0.44, 0.56)
    far, near = (0.05, 0.16) if wide else (0.018, 0.075)
    top, shift = h * (GROUND + 0.005), w * canvas.rng.uniform(-0.14, 0.14)
    paving: Colour = (0.88, 0.03, 235) if white else (0.88, 0.05, 85)
    colour = lit(paving, canvas.palette.land_light)
    a, b, bend = w * far, w * near, h * 0.84
    way = shape("M", x - a, top, "C", x - a, bend, x + shift - b, h * 0.86)
    way += shape("", x + shift - b * 1.5, h, "H", x + shift + b * 1.5)
    way += shape("C", x + shift + b, h * 0.86, x + a, bend, x + a, top, "Z")
    canvas.add(path(way, fill=colour, opacity=0.75))


def _tufts(canvas: Canvas, edge: list[tuple[float, float]]) -> Iterator[str]:
    """Blades of grass along the edge and here and there below it."""
    colour = lit(
        mix(canvas.palette.ground[0], canvas.palette.ground[1], 0.75), canvas.palette.land_light
    )
    places = []
    for _ in range(26):
        x, y = edge[int(canvas.rng.integers(len(edge)))]
        places.append((x + canvas.rng.uniform(-20, 20), y + 3, 1.0))
    for _ in range(26):
        x = canvas.rng.uniform(0, canvas.width)
        places.append((x, canvas.height * canvas.rng.uniform(GROUND + 0.05, 0.99), 0.7))
    for x, y, size in places:
        for _ in range(3):
            s = canvas.unit * 0.026 * size * canvas.rng.uniform(0.6, 1.15)
            lean = s * canvas.rng.uniform(-0.5, 0.5)
            a = x + canvas.rng.uniform(-0.5, 0.5) * canvas.unit * 0.012
            blade = shape("M", a - s * 0.1, y, "L", a + lean, y - s, "L", a + s * 0.1, y, "Z")
            yield path(blade, fill=colour, opacity=0.8)


def _flowers(canvas: Canvas) -> Iterator[str]:
    """Tiny flowers in the grass."""
    for _ in range(30):
        x = canvas.rng.uniform(0, canvas.width)
        y = canvas.height * canvas.rng.uniform(GROUND + 0.04, 0.985)
        r = canvas.unit * 0.0034 * canvas.rng.uniform(0.8, 1.3)
        colour = ("#ffffff", "#ffd9e2", "#ffe08a", "#e7dcff")[int(canvas.rng.integers(4))]
        petals = "".join(
            tag("circle", cx=x + 1.5 * r * math.cos(a), cy=y + 1.2 * r * math.sin(a), r=r)
            for a in (0.3, 1.55, 2.8, 4.05, 5.3)
        )
        middle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r * 0.8:.1f}" fill="#f2b632"/>'
        strength = 0.6 if canvas.palette.night else 0.92
        yield f'<g fill="{colour}" opacity="{strength}">{petals}{middle}</g>'


def _pebbles(canvas: Canvas) -> Iterator[str]:
    for _ in range(40):
        x, y = (
            canvas.rng.uniform(0, canvas.width),
            canvas.height * canvas.rng.uniform(GROUND + 0.06, 0.99),
        )
        r = canvas.unit * canvas.rng.uniform(0.002, 0.006)
        yield tag("ellipse", cx=x, cy=y, rx=r, ry=r * 0.6, fill="#7d5f3c", opacity=0.25)


def _craters(canvas: Canvas) -> Iterator[str]:
    for _ in range(9):
        x, y = (
            canvas.rng.uniform(0, canvas.width),
            canvas.height * canvas.rng.uniform(GROUND + 0.06, 0.97),
        )
        r = canvas.unit * canvas.rng.uniform(0.02, 0.06)
        yield tag("ellipse", cx=x, cy=y, rx=r, ry=r * 0.3, fill="#2b2740", opacity=0.35)


# ---------------------------------------------------------------- trees


def _trees(canvas: Canvas, stage: Stage) -> None:
    """Groups of trees, far ones first; the sides are theirs, the middle is the figures'."""
    if stage.place in ("space", "sea", "city"):
        return
    kind = "deciduous-tree"
    if (
        _is_white(stage)
        or stage.place == "mountains"
        or (stage.place == "forest" and canvas.rng.uniform() < 0.6)
    ):
        kind = "evergreen-tree"
    if stage.place == "desert":
        kind = "cactus"
    forest = stage.place == "forest"
    autumn = stage.season == "autumn" and kind == "deciduous-tree"
    far = 13 if forest else 5
    spots = sorted(canvas.rng.uniform(0.0, 1.0, far))
    if stage.place not in WATERS:
        for x in spots:
            foot = canvas.height * (HORIZON + 0.15 + canvas.rng.uniform(0, 0.045))
            canvas.put(
                kind,
                x * canvas.width,
                foot,
                canvas.unit * canvas.rng.uniform(0.10, 0.155),
                haze=0.42,
            )
    sides = [0.02, 0.13, 0.88, 0.98] if not forest else [-0.01, 0.075, 0.165, 0.84, 0.92, 1.01]
    for x in sides:
        if not forest and canvas.rng.uniform() < 0.28:
            continue
        if not canvas.is_free(x * canvas.width, canvas.unit * 0.05):
            continue
        foot = canvas.height * (GROUND + canvas.rng.uniform(0.0, 0.045))
        tall = (
            canvas.unit
            * canvas.rng.uniform(0.30, 0.46)
            * (1.2 if forest else 1)
            * (0.5 if kind == "cactus" else 1)
        )
        if autumn:
            _autumn_tree(canvas, x * canvas.width, foot, tall)
        else:
            canvas.put(kind, x * canvas.width, foot, tall, haze=0.13)


def _autumn_tree(canvas: Canvas, x: float, foot: float, tall: float) -> None:
    """The round tree in red and gold: its greens are turned."""
    name = "autumn"
    canvas.defs[name] = (
        '<filter id="autumn" color-interpolation-filters="sRGB"><feColorMatrix type="matrix" '
        'values=".55 .75 0 0 .08 .15 .5 0 0 .05 0 .12 .4 0 0 0 0 0 1 0"/></filter>'
    )
    canvas.add(f'<g filter="url(#{name})">')
    canvas.put("deciduous-tree", x, foot, tall, haze=0.0)
    canvas.add("</g>")
