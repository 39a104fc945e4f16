"""One page: the backdrop, who and what is on it, the weather, and the grain of the paper.

Figures never stand on each other: they share the width of the page by their own widths, the
first to the left of the middle. What is small stands before them, what is large behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from pipelines.story.cards import write_title
from pipelines.story.collage.glyphs import CELL, glyph, rasterise
from pipelines.story.collage.indoors import cave, room, underwater
from pipelines.story.collage.light import lit, palette
from pipelines.story.collage.puppets import TO_THE_RIGHT, draw_figure, figure_height, is_puppet
from pipelines.story.collage.reading import Concept
from pipelines.story.collage.scenery import GROUND, WATERS, Canvas, contact_shadow, out_of_doors
from pipelines.story.collage.staging import Figure, Stage
from pipelines.story.collage.svg import path, placed, shape, tag
from pipelines.story.landscape import mix

FEET = 0.905  # where figures stand, as share of the height
GRAIN = 0.009  # standard deviation, of full white
VIGNETTE = 0.16
LARGE = ("building", "boat", "vehicle")
TREES = ("evergreen-tree", "deciduous-tree", "palm-tree", "christmas-tree")
DISTANT = ("castle", "volcano", "snow-capped-mountain", "lighthouse", "ferris-wheel")
FLYING = ("butterfly", "honeybee", "bat", "dove", "bird", "black-bird", "eagle")
INDOORS = {"room": room, "cave": cave, "underwater": underwater}


def draw_stage(stage: Stage, size: tuple[int, int]) -> Image.Image:
    """The page of a stage, `size` pixels; the same stage gives the same pixels."""
    width, height = size
    canvas = Canvas(width, height, palette(stage), np.random.default_rng(stage.seed))
    places = _places(canvas, stage.heroes)
    canvas.kept += [(place.x, place.half) for place in places]
    large = _large(canvas, stage)
    INDOORS.get(stage.place, out_of_doors)(canvas, stage)
    _things(canvas, stage, places, large)
    _corners(canvas, stage)
    _weather(canvas, stage)
    return _papered(rasterise(_document(canvas)), np.random.default_rng(stage.seed + 1))


def letter(image: Image.Image, title: str, author: str) -> Image.Image:
    """The page with its title in the sky, white with a soft shadow."""
    mask = Image.new("RGB", image.size)
    write_title(mask, title, author, (255, 255, 255), middle=0.215)
    letters = mask.convert("L")
    shadow = letters.filter(ImageFilter.GaussianBlur(image.height / 110)).point(
        lambda value: min(255, round(value * 1.5))
    )
    page = image.copy()
    page.paste((26, 40, 66), (0, round(image.height / 260)), shadow.point(lambda v: v * 6 // 10))
    page.paste((255, 252, 244), (0, 0), letters)
    return page


def _document(canvas: Canvas) -> str:
    blur = canvas.unit * 0.008
    shared = (
        f'<filter id="paper" x="-10%" y="-10%" width="120%" height="120%">'
        f'<feDropShadow dx="0" dy="{-blur * 0.25:.2f}" stdDeviation="{blur:.2f}" '
        f'flood-color="#0b1626" flood-opacity=".34"/></filter>'
        '<radialGradient id="contact"><stop offset="0" stop-color="#0b1220" stop-opacity=".9"/>'
        '<stop offset=".55" stop-color="#0b1220" stop-opacity=".5"/>'
        '<stop offset="1" stop-color="#0b1220" stop-opacity="0"/></radialGradient>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{canvas.width}" height="{canvas.height}">'
        f"<defs>{shared}{''.join(canvas.defs.values())}</defs>{''.join(canvas.parts)}</svg>"
    )


# ---------------------------------------------------------------- who and what


@dataclass(frozen=True)
class _Place:
    """A figure at its place: middle, feet, height, and which way it looks."""

    figure: Figure
    x: float
    foot: float
    tall: float
    to_the_right: bool

    @property
    def half(self) -> float:
        return self.tall * (0.27 if is_puppet(self.figure) else 0.42)


def _things(
    canvas: Canvas, stage: Stage, places: Sequence[_Place], large: Sequence[tuple[Concept, float]]
) -> None:
    for concept, x in large:
        _behind(canvas, stage, concept, x)
    flying = [concept for concept in stage.props if concept.kind == "sky"]
    for number, concept in enumerate(flying):
        _aloft(canvas, concept, number)
    behind = {concept.name for concept in (*flying, *(concept for concept, _ in large))}
    small = [concept for concept in stage.props if concept.name not in behind]
    held = next((c for c in small if c.name == "umbrella"), None) if places else None
    for place in places:
        _stand(canvas, stage, place, held if place is places[0] else None)
    _before(canvas, stage, [c for c in small if c is not held])


def _large(canvas: Canvas, stage: Stage) -> list[tuple[Concept, float]]:
    """Buildings, trees, boats and vehicles, each where it hides nobody: the middle of each."""
    if stage.place in INDOORS:
        return []
    found: list[tuple[Concept, float]] = []
    for concept in stage.props:
        if concept.kind not in LARGE and concept.name not in TREES:
            continue
        if concept.kind == "boat" and stage.place not in WATERS:
            continue
        half = canvas.unit * concept.height * 0.42
        spots = [canvas.width * share for share in (0.8, 0.19, 0.5, 0.66, 0.34, 0.9, 0.1)]
        spots = [min(max(x, half), canvas.width - half) for x in spots]
        x = max(spots, key=lambda x: (min(0.0, canvas.clearance(x, half)), -spots.index(x)))
        canvas.kept.append((x, half))
        found.append((concept, x))
    return found


def _places(canvas: Canvas, heroes: Sequence[Figure]) -> list[_Place]:
    """Side by side, each with room for its own width, facing the middle."""
    if not heroes:
        return []
    crowd = {1: 1.0, 2: 1.0, 3: 0.9}.get(len(heroes), 0.8)
    talls = [canvas.unit * figure.concept.height * crowd for figure in heroes]
    talls = [max(tall, canvas.unit * 0.30) for tall in talls]
    widths = [tall * (0.62 if is_puppet(f) else 1.0) for tall, f in zip(talls, heroes, strict=True)]
    gap = min(canvas.unit * 0.16, (canvas.width * 0.86 - sum(widths)) / max(1, len(heroes) - 1))
    if gap < canvas.unit * 0.02 and len(heroes) > 1:
        shrink = (canvas.width * 0.86 - canvas.unit * 0.02 * (len(heroes) - 1)) / sum(widths)
        talls, widths = [t * shrink for t in talls], [w * shrink for w in widths]
        gap = canvas.unit * 0.02
    total = sum(widths) + gap * (len(heroes) - 1)
    x = canvas.width * (0.40 if len(heroes) == 1 else 0.5) - total / 2
    result = []
    for number, (figure, tall, wide) in enumerate(zip(heroes, talls, widths, strict=True)):
        middle = x + wide / 2
        foot = canvas.height * (FEET - 0.012 * (number % 2))
        result.append(_Place(figure, middle, foot, tall, middle < canvas.width / 2))
        x += wide + gap
    return result


def _stand(canvas: Canvas, stage: Stage, place: _Place, held: Concept | None) -> None:
    scale = place.tall / figure_height(place.figure)
    lifted = stage.place == "underwater" and not is_puppet(place.figure)
    foot = place.foot - (canvas.unit * 0.16 if lifted else 0)
    if not lifted:
        canvas.add(
            contact_shadow(
                place.x, place.foot, place.tall * (0.33 if is_puppet(place.figure) else 0.42), 0.5
            )
        )
    if held:
        side = 1 if place.to_the_right else -1
        tall = place.tall * 0.86
        x = place.x + side * place.tall * 0.20
        where = (
            f"translate({x - tall / 2:.1f} {foot - place.tall * 1.12:.1f}) scale({tall / CELL:.4f})"
        )
        canvas.add(f'<g filter="url(#paper)"><g transform="{where}">{glyph(held.glyph)}</g></g>')
    low = 1.0 if is_puppet(place.figure) else 0.955
    left, top = place.x - 64 * scale, foot - place.tall * low
    svg = draw_figure(place.figure, place.to_the_right)
    canvas.add(_cut_out(canvas, placed(svg, left, top, scale)))


def _cut_out(canvas: Canvas, svg: str) -> str:
    """In the light of the page, with the shadow of cut paper."""
    light = canvas.tint(canvas.palette.figure_light, 0.0)
    return f'<g filter="url(#paper)"><g filter="{light}">{svg}</g></g>'


def _behind(canvas: Canvas, stage: Stage, concept: Concept, x: float) -> None:
    """Buildings and trees on the near hill or the edge of the ground, boats on the water."""
    h, tall = canvas.height, concept.height * canvas.unit
    if concept.kind == "boat":
        foot = h * (GROUND - 0.045)
        canvas.put(concept.glyph, x, foot, tall, haze=0.06, shadow=False)
        scale = tall / CELL
        where = f"translate({x - tall / 2:.1f} {foot + tall * 0.19:.1f})"
        canvas.add(
            f'<g opacity=".2" transform="{where} scale({scale:.4f} {-scale * 0.2:.4f})">'
            f"{glyph(concept.glyph)}</g>"
        )
    elif concept.name in DISTANT:
        canvas.put(concept.glyph, x, h * (GROUND - 0.02), tall, haze=0.12, shadow=False)
    else:
        grown = 1.5 if concept.name in TREES else 1.0
        canvas.put(concept.glyph, x, h * (GROUND + 0.04), tall * grown, haze=0.04)


def _aloft(canvas: Canvas, concept: Concept, number: int) -> None:
    if concept.name == "rainbow":
        _rainbow(canvas)
        return
    x, y = canvas.width * (0.5 - 0.17 * number), canvas.height * (0.2 + 0.09 * number)
    _float(canvas, concept.glyph, x, y, concept.height * canvas.unit)


def _float(
    canvas: Canvas, name: str, x: float, y: float, tall: float, *, flip: bool = False
) -> None:
    svg = placed(glyph(name), x - tall / 2, y - tall / 2, tall / CELL, flip=flip)
    canvas.add(_cut_out(canvas, svg))


def _before(canvas: Canvas, stage: Stage, small: Sequence[Concept]) -> None:
    """Small things on the ground where nobody stands, and small animals in the air."""
    w, h, u = canvas.width, canvas.height, canvas.unit
    air = [(0.60, 0.36), (0.34, 0.31), (0.72, 0.47)]
    for concept in small:
        tall = max(concept.height, 0.10) * u
        if concept.kind == "fish":
            if stage.place in (*WATERS, "underwater"):
                y = h * (0.45 if stage.place == "underwater" else GROUND - 0.035)
                shares = [0.6, 0.5, 0.7, 0.4, 0.84, 0.15]
                x = next((w * s for s in shares if canvas.is_free(w * s, tall / 2)), w * 0.9)
                _float(canvas, concept.glyph, x, y, tall)
                canvas.kept.append((x, tall / 2))
        elif concept.name in FLYING and air:
            x, y = air.pop(0)
            _float(canvas, concept.glyph, w * x, h * y, tall, flip=x < 0.5)
        elif spot := _free_spot(canvas, tall * 0.42):
            x, y = spot
            canvas.kept.append((x, tall * 0.42))
            canvas.add(contact_shadow(x, y, tall * 0.42, 0.4))
            turned = concept.kind in ("bird", "insect") and (x < w / 2) != (
                concept.glyph in TO_THE_RIGHT
            )
            _float(canvas, concept.glyph, x, y - tall * 0.44, tall, flip=turned)


def _free_spot(canvas: Canvas, half: float) -> tuple[float, float] | None:
    """The best spot on the ground that is left: near the figures, not before them."""
    for share in (0.57, 0.68, 0.31, 0.22, 0.78, 0.5, 0.42, 0.12, 0.88):
        x = canvas.width * share
        if canvas.is_free(x, half):
            return x, canvas.height * (0.925 if share in (0.57, 0.31, 0.78) else 0.885)
    return None


def _rainbow(canvas: Canvas) -> None:
    w, h, u = canvas.width, canvas.height, canvas.unit
    for band, colour in enumerate(
        ("#e8504d", "#f39a3b", "#f7d84a", "#6cc067", "#4f9fdc", "#8d6fc4")
    ):
        r = u * (0.62 - 0.028 * band)
        wide = r * 1.15
        arc = shape("M", w / 2 - wide, h * 0.6, "A", wide, r, "0 0 1", w / 2 + wide, h * 0.6)
        canvas.add(path(arc, fill="none", stroke=colour, stroke_width=u * 0.0285, opacity=0.55))


# ---------------------------------------------------------------- over everything


def _corners(canvas: Canvas, stage: Stage) -> None:
    """Dark leaves in the lower corners, out of focus, which give depth."""
    if stage.place in ("room", "space", "sea", "desert", "city", "cave") or stage.weather == "snow":
        return
    w, h, u = canvas.width, canvas.height, canvas.unit
    colour = lit(mix(canvas.palette.ground[1], (0.30, 0.07, 150), 0.7), canvas.palette.land_light)
    for side in (-1, 1):
        x = -u * 0.01 if side < 0 else w + u * 0.01
        for lean, tall in ((0.02, 0.19), (0.09, 0.235), (0.16, 0.17), (0.22, 0.10)):
            tip_x, tip_y, a = x - side * u * lean * 1.1, h - u * tall, u * 0.055
            foot = x - side * u * lean * 0.4
            leaf = shape("M", foot, h + 10, "C", tip_x - a, h - u * tall * 0.45, tip_x - a * 0.4)
            leaf += shape("", tip_y + a, tip_x, tip_y, "C", tip_x + a * 0.7, tip_y + a, tip_x + a)
            leaf += shape("", h - u * tall * 0.4, foot, h + 10, "Z")
            canvas.add(path(leaf, fill=colour, opacity=0.92))


def _weather(canvas: Canvas, stage: Stage) -> None:
    if stage.place in INDOORS:
        return
    rng = np.random.default_rng(stage.seed + 2)
    if stage.weather in ("rain", "storm"):
        canvas.add("".join(_rain(canvas, rng)))
    if stage.weather == "snow":
        canvas.add("".join(_snow(canvas, rng)))
    if stage.weather == "fog":
        for share in (0.42, 0.55, 0.68, 0.82):
            y, tall = canvas.height * share, canvas.height * 0.12
            canvas.add(
                tag("ellipse", cx=canvas.width * rng.uniform(0.3, 0.7), cy=y, rx=canvas.width * 0.7,
                    ry=tall, fill="#fff", opacity=0.16)
            )  # fmt: skip
    if stage.weather == "wind":
        canvas.add("".join(_wind(canvas, rng)))


def _rain(canvas: Canvas, rng: np.random.Generator) -> Iterator[str]:
    for _ in range(130):
        x, y = rng.uniform(0, canvas.width * 1.05), rng.uniform(0, canvas.height * 0.97)
        long = canvas.unit * rng.uniform(0.02, 0.045)
        drop = shape("M", x, y, "l", -long * 0.22, long)
        strength, wide = float(rng.uniform(0.35, 0.8)), canvas.unit * 0.0022
        yield path(drop, stroke="#eef6ff", stroke_width=wide, opacity=strength)


def _snow(canvas: Canvas, rng: np.random.Generator) -> Iterator[str]:
    for _ in range(150):
        x, y = rng.uniform(0, canvas.width), rng.uniform(0, canvas.height)
        r = canvas.unit * rng.choice([0.0025, 0.004, 0.0065], p=[0.5, 0.35, 0.15])
        yield tag("circle", cx=x, cy=y, r=float(r), fill="#fff", opacity=float(rng.uniform(0.6, 1)))


def _wind(canvas: Canvas, rng: np.random.Generator) -> Iterator[str]:
    u = canvas.unit
    for _ in range(7):
        x, y = rng.uniform(0, canvas.width * 0.8), rng.uniform(0.1, 0.62) * canvas.height
        a = u * rng.uniform(0.12, 0.26)
        gust = shape("M", x, y, "c", a * 0.4, -a * 0.12, a * 0.7, a * 0.1, a, -a * 0.02)
        gust += shape("c", a * 0.2, -a * 0.06, a * 0.16, -a * 0.26, -a * 0.02, -a * 0.18)
        thin = {"stroke_width": u * 0.004, "stroke_linecap": "round", "opacity": 0.6}
        yield path(gust, fill="none", stroke="#fff", **thin)
    for _ in range(9):
        x, y = rng.uniform(0, canvas.width), rng.uniform(0.2, 0.8) * canvas.height
        leaf = f'<g transform="rotate({rng.uniform(0, 360):.0f})">{glyph("maple-leaf")}</g>'
        yield placed(leaf, x, y, u * 0.035 / CELL)


def _papered(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The grain of paper over the page, and its corners a little darker."""
    pixels = np.asarray(image, np.float32) / 255
    height, width = pixels.shape[:2]
    grain = rng.normal(0, GRAIN, (height, width)).astype(np.float32)
    coarse = rng.normal(0, GRAIN, (height // 2 + 1, width // 2 + 1)).astype(np.float32)
    grain += np.kron(coarse, np.ones((2, 2), np.float32))[:height, :width]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    shade = 1 - VIGNETTE * np.clip((x**2 + y**2) / 2 - 0.25, 0, 1)
    result = pixels * shade[..., None].astype(np.float32) + grain[..., None] * (0.4 + 0.6 * pixels)
    return Image.fromarray(np.clip(np.rint(result * 255), 0, 255).astype(np.uint8), "RGB")
