"""Backdrops that have no horizon: a room, a cave, the bottom of the sea."""

from __future__ import annotations

import math

from pipelines.story.collage.glyphs import CELL, glyph
from pipelines.story.collage.light import lit, plain
from pipelines.story.collage.scenery import GROUND, Canvas, contact_shadow
from pipelines.story.collage.staging import Stage
from pipelines.story.collage.svg import path, placed, shape, tag
from pipelines.story.landscape import Colour, mix

WALLS: tuple[Colour, ...] = (
    (0.90, 0.045, 85), (0.88, 0.045, 20), (0.88, 0.04, 160), (0.87, 0.04, 235), (0.87, 0.04, 310),
)  # fmt: skip


def room(canvas: Canvas, stage: Stage) -> None:
    """A wall with paper, a window on the hour of the day, boards and a rug."""
    w, h, u = canvas.width, canvas.height, canvas.unit
    light = canvas.palette.land_light
    wall = WALLS[int(canvas.rng.integers(len(WALLS)))]
    floor = h * (GROUND + 0.005)
    paint = canvas.gradient("wall", [lit(wall, light), lit(mix(wall, (0.7, 0.06, 60), 0.3), light)])
    canvas.add(tag("rect", width=w, height=floor, fill=paint))
    _wallpaper(canvas, floor, lit(mix(wall, (0.98, 0.02, 90), 0.55), light))
    _window(canvas, w * 0.5, h * 0.32, u * 0.42)
    _picture(canvas, w * 0.79, h * 0.27, u * 0.17)
    _shelf(canvas, w * 0.2, h * 0.30, u * 0.3)
    skirting = lit((0.97, 0.012, 80), light)
    canvas.add(tag("rect", y=floor - u * 0.035, width=w, height=u * 0.035, fill=skirting))
    boards: tuple[Colour, Colour] = ((0.72, 0.075, 62), (0.56, 0.075, 55))
    paint = canvas.gradient("floor", [lit(colour, light) for colour in boards])
    canvas.add(tag("rect", y=floor, width=w, height=h - floor, fill=paint, filter="url(#paper)"))
    for row in range(1, 5):
        y = floor + (h - floor) * (row / 5) ** 1.25
        canvas.add(tag("rect", y=y, width=w, height=u * 0.0026, fill="#000", opacity=0.16))
    rug = lit(WALLS[int(canvas.rng.integers(len(WALLS)))], light)
    for share, colour in ((1.0, rug), (0.86, "#fff"), (0.82, rug)):
        canvas.add(
            tag("ellipse", cx=w * 0.5, cy=h * 0.905, rx=w * 0.34 * share, ry=h * 0.075 * share,
                fill=colour, opacity=0.85 if colour == rug else 0.6)
        )  # fmt: skip


def _wallpaper(canvas: Canvas, floor: float, colour: str) -> None:
    u, row = canvas.unit, 0
    y = u * 0.05
    while y < floor:
        x = u * 0.05 if row % 2 else 0.0
        while x < canvas.width:
            canvas.add(tag("circle", cx=x, cy=y, r=u * 0.006, fill=colour, opacity=0.8))
            x += u * 0.1
        y, row = y + u * 0.075, row + 1


def _window(canvas: Canvas, x: float, y: float, side: float) -> None:
    """The sky of the hour, with a bar across and curtains beside."""
    top, low = canvas.palette.sky
    paint = canvas.gradient("pane", [plain(top), plain(low)])
    wide, tall = side * 1.05, side
    left, up = x - wide / 2, y - tall / 2
    frame = side * 0.055
    canvas.add(
        tag("rect", x=left - frame, y=up - frame, width=wide + 2 * frame, height=tall + 2 * frame,
            rx=frame * 0.6, fill="#fbf6ec", filter="url(#paper)")
    )  # fmt: skip
    canvas.add(tag("rect", x=left, y=up, width=wide, height=tall, fill=paint))
    if canvas.palette.night:
        for _ in range(16):
            cx, cy = canvas.rng.uniform(left, left + wide), canvas.rng.uniform(up, up + tall * 0.8)
            canvas.add(tag("circle", cx=cx, cy=cy, r=side * 0.006, fill="#fff6da"))
        _stuck(canvas, "full-moon", left + wide * 0.74, up + tall * 0.28, side * 0.24)
    else:
        for cx, cy, r in ((0.3, 0.32, 0.10), (0.42, 0.28, 0.12), (0.53, 0.33, 0.09)):
            canvas.add(
                tag(
                    "circle",
                    cx=left + wide * cx,
                    cy=up + tall * cy,
                    r=side * r,
                    fill="#fff",
                    opacity=0.85,
                )
            )
    hill = canvas.palette.hills[2] if not canvas.palette.night else (0.33, 0.06, 200)
    right, foot = left + wide, up + tall
    dip, rise = up + tall * 0.9, up + tall * 0.62
    slope = shape("M", left, foot, "V", up + tall * 0.8, "C", left + wide * 0.3, rise)
    slope += shape("", left + wide * 0.6, dip, right, up + tall * 0.7, "V", foot, "Z")
    canvas.add(path(slope, fill=plain(hill)))
    bar = frame * 0.62
    canvas.add(tag("rect", x=x - bar / 2, y=up, width=bar, height=tall, fill="#fbf6ec"))
    canvas.add(tag("rect", x=left, y=y - bar / 2, width=wide, height=bar, fill="#fbf6ec"))
    _curtains(canvas, left, up, wide, tall)


def _curtains(canvas: Canvas, left: float, up: float, wide: float, tall: float) -> None:
    colour = ("#d9776a", "#6a9bc9", "#8cb07c", "#c79ac4")[int(canvas.rng.integers(4))]
    a, b = wide * 0.2, tall * 0.1
    for side, edge in ((-1, left), (1, left + wide)):
        outer, inner = edge + side * a * 0.95, edge - side * a * 0.75
        cloth = shape("M", outer, up - b, "H", inner, "C", inner, up + tall * 0.45)
        cloth += shape("", edge + side * a * 0.1, up + tall * 0.7, edge + side * a * 0.05)
        cloth += shape("", up + tall + b * 1.6, "H", outer, "Z")
        canvas.add(path(cloth, fill=colour, filter="url(#paper)"))
    canvas.add(
        tag("rect", x=left - a * 1.1, y=up - b * 1.5, width=wide + a * 2.2, height=b * 0.7,
            rx=b * 0.35, fill="#8a5f43")
    )  # fmt: skip


def _picture(canvas: Canvas, x: float, y: float, side: float) -> None:
    _stuck(canvas, "framed-picture", x, y, side, paper=True)


def _shelf(canvas: Canvas, x: float, y: float, wide: float) -> None:
    _stuck(canvas, "books", x - wide * 0.22, y - wide * 0.17, wide * 0.36)
    _stuck(canvas, "potted-plant", x + wide * 0.24, y - wide * 0.19, wide * 0.4)
    canvas.add(
        tag("rect", x=x - wide / 2, y=y, width=wide, height=wide * 0.06, rx=wide * 0.02,
            fill="#a5744e", filter="url(#paper)")
    )  # fmt: skip


def _stuck(
    canvas: Canvas, name: str, x: float, y: float, side: float, *, paper: bool = False
) -> None:
    """A pictogram with its middle at (x, y)."""
    more = 'filter="url(#paper)"' if paper else ""
    canvas.add(placed(glyph(name), x - side / 2, y - side / 2, side / CELL, more=more))


# ---------------------------------------------------------------- cave and sea


def cave(canvas: Canvas, stage: Stage) -> None:
    """Dark rock round an opening that looks out on the sky."""
    w, h, u = canvas.width, canvas.height, canvas.unit
    paint = canvas.gradient("rock", [plain((0.40, 0.03, 55)), plain((0.30, 0.03, 45))])
    canvas.add(tag("rect", width=w, height=h, fill=paint))
    top, low = canvas.palette.sky
    sky = canvas.gradient("mouth", [plain(top), plain(low)])
    for grow, fill in ((1.1, plain((0.47, 0.035, 60))), (1.0, sky)):
        mouth = _mouth(w * 0.5, h * (GROUND + 0.01), u * 0.36 * grow)
        canvas.add(path(mouth, fill=fill, filter="url(#paper)"))
    if canvas.palette.night:
        _stuck(canvas, "full-moon", w * 0.56, h * 0.36, u * 0.12)
    for share, size in (
        (0.08, 0.20),
        (0.17, 0.12),
        (0.83, 0.16),
        (0.93, 0.24),
        (0.3, 0.07),
        (0.7, 0.08),
    ):
        x = w * share
        wide = u * size * 0.22
        stone = shape("M", x - wide, 0, "L", x, u * size, "L", x + wide, 0, "Z")
        canvas.add(path(stone, fill=plain((0.36, 0.03, 50)), filter="url(#paper)"))
    paint = canvas.gradient("ground", [plain((0.46, 0.035, 60)), plain((0.34, 0.03, 50))])
    floor = shape("M", 0, h, "V", h * 0.76, "C", w * 0.3, h * 0.71, w * 0.65, h * 0.77, w, h * 0.73)
    canvas.add(path(f"{floor}V{h}Z", fill=paint, filter="url(#paper)"))


def _mouth(x: float, foot: float, radius: float) -> str:
    points = []
    for step in range(25):
        angle = math.pi * (1 - step / 24)
        r = radius * (1 + 0.05 * math.sin(step * 2.1) + 0.03 * math.sin(step * 4.7))
        points.append(
            f"{x + 1.35 * r * math.cos(angle):.1f} {foot - 1.25 * r * math.sin(angle):.1f}"
        )
    return f"M{' L'.join(points)}Z"


def underwater(canvas: Canvas, stage: Stage) -> None:
    """Blue from light to deep, rays, weeds and a sandy floor."""
    w, h, u = canvas.width, canvas.height, canvas.unit
    stops: tuple[Colour, ...] = ((0.84, 0.08, 215), (0.68, 0.11, 230), (0.48, 0.11, 250))
    paint = canvas.gradient("deep", [lit(c, canvas.palette.land_light) for c in stops])
    canvas.add(tag("rect", width=w, height=h, fill=paint))
    for n in range(6):
        x = w * (0.05 + 0.19 * n + canvas.rng.uniform(-0.04, 0.04))
        lean, wide = u * 0.22, u * canvas.rng.uniform(0.05, 0.11)
        right = x + wide * 2.2 - lean
        ray = shape("M", x, 0, "H", x + wide, "L", right, h * 0.8, "H", x - lean, "Z")
        canvas.add(path(ray, fill="#fff", opacity=0.09))
    beds: tuple[tuple[float, Colour], ...] = ((0.70, (0.66, 0.07, 220)), (0.79, (0.84, 0.06, 85)))
    for base, colour in beds:
        bed = shape("M", 0, h, "V", h * base, "C", w * 0.25, h * (base - 0.05), w * 0.6)
        bed += shape("", h * (base + 0.05), w, h * (base - 0.02), "V", h, "Z")
        canvas.add(path(bed, fill=plain(colour), filter="url(#paper)"))
    for share in (0.03, 0.08, 0.14, 0.87, 0.93, 0.985):
        _weed(canvas, w * share, h * 0.86, u * canvas.rng.uniform(0.28, 0.5))
    for x, tall in ((0.2, 0.13), (0.8, 0.15)):
        canvas.put("coral", w * x, h * 0.88, u * tall)
    for _ in range(26):
        x, y = canvas.rng.uniform(0, w), canvas.rng.uniform(0, h * 0.8)
        r = u * canvas.rng.uniform(0.004, 0.012)
        canvas.add(tag("circle", cx=x, cy=y, r=r, fill="#fff", opacity=0.28))
        canvas.add(
            tag("circle", cx=x - r * 0.3, cy=y - r * 0.3, r=r * 0.3, fill="#fff", opacity=0.7)
        )
    for x, y, side in ((0.16, 0.25, 0.09), (0.74, 0.18, 0.075), (0.86, 0.42, 0.06)):
        _stuck(canvas, "tropical-fish", w * x, h * y, u * side)


def _weed(canvas: Canvas, x: float, foot: float, tall: float) -> None:
    colour = plain((0.58, 0.11, canvas.rng.uniform(140, 175)))
    s = tall * 0.16
    stem = shape("M", x, foot, "C", x - s, foot - tall * 0.3, x + s, foot - tall * 0.6)
    stem += shape("", x, foot - tall)
    canvas.add(
        path(
            stem,
            fill="none",
            stroke=colour,
            stroke_width=canvas.unit * 0.018,
            stroke_linecap="round",
        )
    )
    canvas.add(contact_shadow(x, foot, canvas.unit * 0.03, 0.2))
