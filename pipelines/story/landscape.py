"""Quiet landscapes for the pages: a sky, a sun or moon, hills behind hills, a few trees.

Everything follows from a palette and a seed. Colours are OKLCH (Ottosson 2020): lightness,
chroma and hue as the eye has them, so that every palette is equally quiet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

LANDS = ("hills", "sea", "peaks")
PEAK = 0.085  # height of the mountains above their middle, in units
LAYERS = 4  # ridges from the farthest to the nearest
SHARP = 2  # drawn this many times larger and reduced, which smooths the edges
Floats = NDArray[np.float64]
Colour = tuple[float, float, float]  # OKLCH: lightness 0 to 1, chroma, hue in degrees


@dataclass(frozen=True)
class Palette:
    """The colours of one page, from its paper to its nearest hill."""

    paper: Colour
    ink: Colour
    accent: Colour
    sky: tuple[Colour, Colour]  # top, horizon
    hills: tuple[Colour, Colour]  # farthest, nearest
    disc: Colour
    night: bool = False


# In the order of a day: neighbours differ, and a story that runs through them ends at night.
PALETTES = (
    Palette(  # dawn
        paper=(0.976, 0.010, 65), ink=(0.29, 0.030, 30), accent=(0.58, 0.090, 35),
        sky=((0.885, 0.048, 40), (0.960, 0.045, 85)),
        hills=((0.840, 0.055, 35), (0.500, 0.070, 20)), disc=(0.975, 0.055, 92),
    ),
    Palette(  # morning by the sea
        paper=(0.976, 0.008, 220), ink=(0.28, 0.030, 245), accent=(0.52, 0.075, 235),
        sky=((0.850, 0.052, 232), (0.965, 0.022, 95)),
        hills=((0.820, 0.045, 222), (0.430, 0.070, 242)), disc=(0.985, 0.035, 95),
    ),
    Palette(  # meadow
        paper=(0.977, 0.011, 120), ink=(0.28, 0.028, 155), accent=(0.52, 0.075, 145),
        sky=((0.900, 0.036, 190), (0.970, 0.036, 110)),
        hills=((0.850, 0.060, 138), (0.450, 0.070, 155)), disc=(0.985, 0.045, 100),
    ),
    Palette(  # high summer
        paper=(0.977, 0.013, 90), ink=(0.30, 0.034, 60), accent=(0.60, 0.090, 70),
        sky=((0.900, 0.050, 82), (0.972, 0.045, 98)),
        hills=((0.860, 0.072, 82), (0.530, 0.080, 58)), disc=(0.990, 0.050, 98),
    ),
    Palette(  # rose evening
        paper=(0.976, 0.010, 10), ink=(0.29, 0.034, 350), accent=(0.56, 0.090, 358),
        sky=((0.830, 0.058, 345), (0.955, 0.048, 65)),
        hills=((0.800, 0.060, 350), (0.440, 0.080, 335)), disc=(0.975, 0.055, 78),
    ),
    Palette(  # dusk
        paper=(0.974, 0.009, 295), ink=(0.28, 0.034, 290), accent=(0.52, 0.080, 292),
        sky=((0.700, 0.070, 285), (0.905, 0.055, 45)),
        hills=((0.700, 0.062, 300), (0.360, 0.070, 285)), disc=(0.975, 0.045, 80),
    ),
    Palette(  # night
        paper=(0.973, 0.008, 255), ink=(0.27, 0.038, 262), accent=(0.48, 0.075, 258),
        sky=((0.340, 0.062, 266), (0.640, 0.062, 240)),
        hills=((0.540, 0.058, 246), (0.255, 0.048, 264)), disc=(0.965, 0.032, 95), night=True,
    ),
)  # fmt: skip


def rgb(colour: Colour) -> Floats:
    """OKLCH -> sRGB in [0, 1], (3,)."""
    lightness, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    cone = np.array(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    matrix = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(matrix @ cone**3, 0, 1)
    curve = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, curve))


def rgb8(colour: Colour) -> tuple[int, int, int]:
    """OKLCH -> sRGB as Pillow takes it."""
    red, green, blue = (round(255 * float(value)) for value in rgb(colour))
    return red, green, blue


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """From `a` to `b`, the hue by its shorter way round."""
    turn = (b[2] - a[2] + 180) % 360 - 180
    return (
        a[0] + (b[0] - a[0]) * share,
        a[1] + (b[1] - a[1]) * share,
        (a[2] + turn * share) % 360,
    )


def landscape(
    size: tuple[int, int],
    palette: Palette,
    seed: int,
    *,
    horizon: float = 0.52,
    calm: bool = False,
) -> Image.Image:
    """A view of `size` pixels; `horizon` is where the farthest hills end, as share of the height.

    A `calm` sky leaves room for a title: the sun stands low and nothing flies.
    """
    rng = np.random.default_rng(seed)
    width, height = size[0] * SHARP, size[1] * SHARP
    picture = _sky(width, height, palette, horizon)
    view = _View(picture, palette, rng, min(width, height * 0.72), height * horizon, calm)
    x = _disc(view)
    _stars(view) if palette.night else _clouds(view)
    if not (palette.night or calm):
        _birds(view, x)
    form = LANDS[int(rng.integers(len(LANDS)))]
    for layer in range(LAYERS):
        near = layer / (LAYERS - 1)
        if form == "sea" and layer == 2:
            _water(view, height * (horizon + 0.17), x)
            continue
        colour = mix(*palette.hills, near**1.15)
        top = height * (horizon + (0.93 - horizon) * near**1.1)
        jagged = form == "peaks" and layer < 2
        wave = view.unit * (0.075 - 0.02 * near)
        edge = top + (_peaks(width, rng, view.unit) if jagged else _ridge(width, rng, wave))
        if layer in (1, 2) and not jagged:
            _trees(view, edge, mix(colour, palette.hills[1], 0.3), near)
        _hill(picture, edge, colour, mix(colour, palette.sky[1], 0.42 * (1 - near) + 0.08))
    return picture.resize(size, Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class _View:
    """The picture under work with what its parts need to know."""

    image: Image.Image
    palette: Palette
    rng: np.random.Generator
    unit: float  # pixels that sizes are shares of
    horizon: float  # pixels from the top
    calm: bool


def _column(colours: Sequence[Colour], width: int) -> Image.Image:
    """An image whose rows have these colours."""
    rows = np.stack([rgb(colour) for colour in colours])
    image = Image.fromarray(np.rint(rows * 255).astype(np.uint8)[:, None, :], "RGB")
    return image.resize((width, len(rows)), Image.Resampling.NEAREST)


def _sky(width: int, height: int, palette: Palette, horizon: float) -> Image.Image:
    share = np.clip(np.arange(height) / (height * (horizon + 0.1)), 0, 1)
    return _column([mix(*palette.sky, float(s)) for s in share], width)


def _disc(view: _View) -> float:
    """The sun or the moon with its glow; returns where it stands."""
    rng, palette = view.rng, view.palette
    x = view.image.width * (0.5 if view.calm else rng.uniform(0.3, 0.7))
    y = view.horizon * (0.95 if view.calm else rng.uniform(0.42, 0.66))
    radius = view.unit * rng.uniform(0.105, 0.135)
    _blot(view.image, (x, y), radius * 2.3, palette.disc, 0.34, blur=radius * 0.75)
    _blot(view.image, (x, y), radius, palette.disc, 0.96, blur=SHARP * 0.4)
    return x


def _blot(
    picture: Image.Image,
    centre: tuple[float, float],
    radius: float,
    colour: Colour,
    strength: float,
    *,
    blur: float,
) -> None:
    half = round(radius + 3 * blur)
    left, top = round(centre[0]) - half, round(centre[1]) - half
    mask = Image.new("L", (2 * half, 2 * half), 0)
    a, b = half - radius, half + radius
    ImageDraw.Draw(mask).ellipse((a, a, b, b), fill=round(255 * strength))
    picture.paste(rgb8(colour), (left, top), mask.filter(ImageFilter.GaussianBlur(blur)))


def _stars(view: _View) -> None:
    width, rng = view.image.width, view.rng
    draw = ImageDraw.Draw(view.image, "RGBA")
    for _ in range(round(70 * width / view.image.height + 20)):
        x, y = rng.uniform(0, width), rng.uniform(0, view.horizon * 0.95)
        r = view.unit * rng.choice([0.0016, 0.0022, 0.0036], p=[0.5, 0.38, 0.12])
        colour = (*rgb8((0.97, 0.02, 95)), int(rng.integers(110, 230)))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def _clouds(view: _View) -> None:
    """Flat clouds: rounded bars that lie on each other."""
    width, rng = view.image.width, view.rng
    mask = Image.new("L", (width, round(view.horizon)), 0)
    draw = ImageDraw.Draw(mask)
    lowest = 0.2 if view.calm else 0.5
    for _ in range(max(2, round(2.2 * width / view.image.height))):
        x, y = rng.uniform(0, width), view.horizon * rng.uniform(0.13, lowest)
        long, thick = view.unit * rng.uniform(0.2, 0.34), view.unit * 0.026
        for step in range(int(rng.integers(2, 4))):
            shift = rng.uniform(-0.3, 0.3) * long
            part = long * (1 - 0.28 * step) / 2
            box = (x + shift - part, y - step * thick, x + shift + part, y + (1 - step) * thick)
            draw.rounded_rectangle(box, radius=thick / 2, fill=150)
    view.image.paste(rgb8(mix(view.palette.sky[1], (0.995, 0.006, 95), 0.7)), (0, 0), mask)


def _birds(view: _View, disc: float) -> None:
    """A few birds on the other side of the sky than the sun."""
    draw, rng = ImageDraw.Draw(view.image), view.rng
    width = view.image.width
    x = width * (rng.uniform(0.62, 0.8) if disc < width / 2 else rng.uniform(0.14, 0.3))
    y = view.horizon * rng.uniform(0.62, 0.74)
    colour = rgb8(mix(view.palette.hills[1], view.palette.sky[1], 0.3))
    for _ in range(int(rng.integers(2, 5))):
        s = view.unit * rng.uniform(0.016, 0.024)
        wing = [(-1, -0.45), (-0.45, -0.62), (0, 0), (0.5, -0.7), (1, -0.55)]
        points = [(x + s * dx, y + s * dy) for dx, dy in wing]
        draw.line(points, fill=colour, width=max(SHARP, round(view.unit * 0.0042)), joint="curve")
        x += view.unit * rng.uniform(0.05, 0.08) * rng.choice([-1, 1])
        y -= view.unit * rng.uniform(0.0, 0.04)


def _ridge(width: int, rng: np.random.Generator, amplitude: float) -> Floats:
    """A hill's edge, (width,) pixels about zero: a few waves, the longer the higher."""
    x = np.arange(width) / width
    edge = np.zeros(width)
    for wave in (0.7, 1.3, 2.4):
        frequency = wave * rng.uniform(0.8, 1.2)
        edge += np.sin(2 * np.pi * (frequency * x + rng.uniform())) / wave
    return amplitude * edge / 1.6


def _peaks(width: int, rng: np.random.Generator, unit: float) -> Floats:
    """A mountain range's edge, (width,) pixels about zero: slopes, halved and shifted, and again.

    Midpoint displacement (Fournier, Fussell and Carpenter 1982).
    """
    count = 3 + round(1.7 * width / unit)
    heights = np.where(np.arange(count) % 2, 1.0, -1.0) * rng.uniform(0.35, 1, count)
    for step in range(4):
        middle = (heights[1:] + heights[:-1]) / 2
        middle += rng.uniform(-1, 1, len(middle)) * 0.34 / 1.9**step
        heights = np.insert(heights, np.arange(1, len(heights)), middle)
    shift = rng.uniform(0, 0.5) * width / count
    places = np.linspace(-width / count, width * (1 + 1 / count), len(heights)) + shift
    return PEAK * unit * np.interp(np.arange(width), places, heights)


def _hill(picture: Image.Image, edge: Floats, top: Colour, foot: Colour) -> None:
    """Everything below `edge`, from the colour `top` into the mist at its foot."""
    first, last = max(0, int(edge.min()) - 1), min(picture.height, int(edge.max()) + 2)
    share = np.clip(np.arange(picture.height - first) / (picture.height * 0.34), 0, 1)
    hill = _column([mix(top, foot, float(s)) for s in share], picture.width)
    rows = np.arange(first, last, dtype=np.float32)
    slope = np.clip(rows[:, None] - edge.astype(np.float32) + 0.5, 0, 1) * 255
    cover = Image.new("L", hill.size, 255)
    cover.paste(Image.fromarray(slope.astype(np.uint8), "L"), (0, 0))
    picture.paste(hill, (0, first), cover)


def _water(view: _View, top: float, disc: float) -> None:
    """The sea down to the foot of the picture, with the light of the sun on it."""
    image, palette, rng = view.image, view.palette, view.rng
    first = round(top)
    count = image.height - first
    far = mix(palette.hills[0], palette.sky[1], 0.45)
    near = mix(*palette.hills, 0.62)
    shares = np.linspace(0, 1, count) ** 0.8
    image.paste(_column([mix(far, near, float(s)) for s in shares], image.width), (0, first))
    draw = ImageDraw.Draw(image, "RGBA")
    light = rgb8(palette.disc)
    for _ in range(round(34 * image.width / image.height + 26)):
        depth = rng.uniform() ** 1.3
        y = first + count * (0.03 + 0.75 * depth)
        on_path = rng.uniform() < 0.6
        x = disc + rng.normal() * view.unit * (0.035 + 0.07 * depth)
        x = x if on_path else rng.uniform(0, image.width)
        half = view.unit * (0.012 + 0.05 * depth) * rng.uniform(0.5, 1.2)
        thick = max(SHARP, view.unit * (0.003 + 0.003 * depth))
        alpha = int(rng.integers(90, 160)) if on_path else int(rng.integers(24, 60))
        box = (x - half, y, x + half, y + thick)
        draw.rounded_rectangle(box, radius=thick / 2, fill=(*light, alpha))


def _trees(view: _View, edge: Floats, colour: Colour, near: float) -> None:
    """Groups of firs or round trees along a ridge, rooted a little below it."""
    draw, rng, unit, width = ImageDraw.Draw(view.image), view.rng, view.unit, view.image.width
    fill = rgb8(colour)
    tree = _fir if rng.uniform() < 0.5 else _round_tree
    for _ in range(max(2, round(2.4 * width / view.image.height))):
        middle = rng.uniform(0.04, 0.96) * width
        for _ in range(int(rng.integers(2, 6))):
            x = middle + rng.normal() * unit * 0.045
            tall = unit * rng.uniform(0.055, 0.095) * (0.62 + 0.75 * near)
            if 0 <= x < width:
                tree(draw, x, float(edge[int(x)]) + tall * 0.12, tall, fill)


def _fir(
    draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float, fill: tuple[int, int, int]
) -> None:
    half = tall * 0.21
    draw.polygon([(x, foot - tall), (x + half, foot), (x - half, foot)], fill=fill)


def _round_tree(
    draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float, fill: tuple[int, int, int]
) -> None:
    wide, trunk = tall * 0.27, max(1.0, tall * 0.035)
    draw.rectangle((x - trunk, foot - tall * 0.5, x + trunk, foot), fill=fill)
    draw.ellipse((x - wide, foot - tall, x + wide, foot - tall * 0.26), fill=fill)
