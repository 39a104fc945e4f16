"""Pages set in type: the illustrator that needs no model.

A scene's page has a quiet landscape seen through an arched window on one side and the words on
the other; the sides take turns. The first page is the landscape alone with the title in its sky.
The same story, seed and size give the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageDraw

from pipelines.story.landscape import PALETTES, SHARP, Palette, landscape, mix, rgb8
from pipelines.story.script import NARRATOR, TITLE_ID, Line, Scene, Story
from pipelines.story.typeset import (
    Block,
    advance,
    break_lines,
    drawable,
    fit_block,
    font,
    hang,
    is_wide,
    runs,
)

SIZE = (1600, 900)  # a film of 1280x720 comes 6% nearer and stays sharp
LOW = 720  # all measures below are for a page this many pixels high
MARGIN = 84  # a film that comes nearer loses up to 44 of it
WINDOW = (348, 548)
GUTTER = 68  # between the window and the words
BODY_SIZES = tuple(range(20, 37))
TITLE_SIZES = tuple(range(84, 35, -4))
GRAIN = 0.55  # standard deviation of the paper's grain, in levels of 255
QUOTES = {"en": ("“", "”"), "zh": ("“", "”"), "ja": ("「", "」"), "de": ("„", "“")}
_SPOKEN_MARKS = "“”\"„«»「『‘'"
_QUOTE_ENDS = "”\"“»』」’'"
_GOES_ON = (",", ":", ";", "，", "：", "；", "、", "—", "–")


def facts(scene: Scene, story: Story) -> dict[str, object]:
    """Everything of the story that decides the page of `scene`."""
    if scene.id == TITLE_ID:
        seed = story.picture_seed(scene)
        return {"title": story.title, "author": story.author, "seed": seed}
    return {
        "number": _number(scene, story),
        "title": scene.title,
        "paragraphs": paragraphs(scene.lines, story.language),
        "seed": story.seed,
        **({} if scene.seed is None else {"scene_seed": scene.seed}),
    }


def draw_page(scene: Scene, story: Story, size: tuple[int, int] = SIZE) -> Image.Image:
    """The page of a scene, or the story's first page for its title scene."""
    is_title = scene.id == TITLE_ID
    return title_page(story, size) if is_title else scene_page(scene, story, size)


def _number(scene: Scene, story: Story) -> int:
    """Which scene of the story this is, from 1."""
    return next(i for i, other in enumerate(story.scenes, 1) if other.id == scene.id)


def page_palette(story: Story, number: int) -> Palette:
    """The colours of page `number`, 0 being the title's."""
    return PALETTES[(story.seed + number) % len(PALETTES)]


def title_page(story: Story, size: tuple[int, int] = SIZE) -> Image.Image:
    """The landscape with the story's title and author in its sky."""
    palette = page_palette(story, 0)
    seed = story.picture_seed(story.title_scene)
    page = _Page(landscape(size, palette, seed, horizon=0.68, calm=True), palette, seed)
    ink = (0.965, 0.02, 90) if palette.night else palette.ink
    line = rgb8(mix(ink, palette.sky[0], 0.3))
    write_title(page.image, story.title, story.author, rgb8(ink), line=line)
    return page.finished()


def write_title(
    image: Image.Image,
    title: str,
    author: str,
    ink: tuple[int, int, int],
    *,
    line: tuple[int, int, int] | None = None,
    middle: float = 0.33,
) -> None:
    """Set the title on a picture, its middle at that share of the height, the author below."""
    page = _Page(image, PALETTES[0], 0)
    block = _title_block(drawable(title), page)
    top = page.height * middle - block.height / 2
    below = page.draw_block(block, page.width / 2, top, ink, centred=True)
    y = below + page.px(26)
    page.ornament(page.width / 2, y, line or ink)
    if name := drawable(author):
        page.draw_text(name, page.px(27), page.width / 2, y + page.px(24), ink)


def scene_page(scene: Scene, story: Story, size: tuple[int, int] = SIZE) -> Image.Image:
    """The page of one scene: its number, its title and what is said."""
    number = _number(scene, story)
    palette = page_palette(story, number)
    ground = Image.new("RGB", size, rgb8(palette.paper))
    page = _Page(ground, palette, story.picture_seed(scene) + 7919 * number)
    left = number % 2 == 1
    page.window(left)
    page.words(number, scene, story.language, left)
    return page.finished()


def paragraphs(lines: Sequence[Line], language: str) -> list[str]:
    """What is said as it stands on a page: speech in quotation marks, cut sentences joined."""
    result: list[str] = []
    open_end = False
    for line in lines:
        text = drawable(_quoted(line, language))
        if not text:
            continue
        goes_on = open_end or text[0].islower()
        if result and goes_on:
            space = "" if is_wide(result[-1][-1]) else " "
            result[-1] += space + text
        else:
            result.append(text)
        open_end = text.rstrip(_QUOTE_ENDS).endswith(_GOES_ON)
    return result


def _quoted(line: Line, language: str) -> str:
    text = line.shown
    if line.speaker == NARRATOR or not text or text[0] in _SPOKEN_MARKS:
        return text
    first, last = QUOTES[language]
    return f"{first}{text}{last}"


def _title_block(title: str, page: _Page) -> Block:
    width = page.width - 2 * page.px(150)
    for low in TITLE_SIZES:
        size = page.px(low)
        lines = break_lines(title, width, partial(advance, size=size), even=True)
        if len(lines) <= 2:
            break
    return Block((tuple(lines[:4]),), size, 1.26 * size, 0)


@dataclass
class _Page:
    """A page under work. Measures in `px` are for a page LOW pixels high."""

    image: Image.Image
    palette: Palette
    seed: int

    @property
    def width(self) -> int:
        return self.image.width

    @property
    def height(self) -> int:
        return self.image.height

    def px(self, low: float) -> int:
        return max(1, round(low * self.height / LOW))

    # ------------------------------------------------------------ parts

    def window(self, left: bool) -> None:
        """A landscape behind an arch, with a thin line around it."""
        wide, tall = self.px(WINDOW[0]), self.px(WINDOW[1])
        x = self.px(MARGIN) if left else self.width - self.px(MARGIN) - wide
        y = (self.height - tall) // 2
        view = landscape((wide, tall), self.palette, self.seed)
        self.image.paste(view, (x, y), _arch(wide, tall))
        grow = self.px(10)
        line = _arch_line(wide + 2 * grow, tall + 2 * grow, max(1, self.px(1.6)))
        tint = rgb8(mix(self.palette.accent, self.palette.paper, 0.45))
        self.image.paste(tint, (x - grow, y - grow), line)

    def words(self, number: int, scene: Scene, language: str, window_left: bool) -> None:
        """Number, title and text, centred in height beside the window."""
        margin, beside = self.px(MARGIN), self.px(MARGIN + WINDOW[0] + GUTTER)
        x0, x1 = (beside, self.width - margin) if window_left else (margin, self.width - beside)
        width = x1 - x0
        heading = self._heading(drawable(scene.title), width)
        head = self.px(58) + (heading.height + self.px(22) if heading else 0)
        room = self.height - 2 * self.px(MARGIN - 10) - head
        sizes = [self.px(size) for size in BODY_SIZES]
        body = fit_block(paragraphs(scene.lines, language), sizes, width, room)
        y = (self.height - head - body.height) / 2 - self.px(6)
        x0 += round((width - max(body.width, heading.width if heading else 0)) / 2)
        self._folio(number, x0, y)
        y += self.px(58)
        if heading:
            y = self.draw_block(heading, x0, y, rgb8(self.palette.accent)) + self.px(22)
        self.draw_block(body, x0, y, rgb8(self.palette.ink))

    def _heading(self, title: str, width: int) -> Block | None:
        if not title:
            return None
        size = self.px(46)
        lines = break_lines(title, width, partial(advance, size=size), even=True)
        if len(lines) > 1:
            size = self.px(40)
            lines = break_lines(title, width, partial(advance, size=size), even=True)
        return Block((tuple(lines[:3]),), size, 1.25 * size, 0)

    def _folio(self, number: int, x: float, y: float) -> None:
        tint = rgb8(mix(self.palette.accent, self.palette.paper, 0.25))
        draw = ImageDraw.Draw(self.image)
        size = self.px(26)
        text = str(number)
        draw.text((x, y), text, font=font(size), fill=tint)
        start = x + font(size).getlength(text) + self.px(16)
        middle = y + size * 0.62
        box = (start, middle, start + self.px(64), middle + max(1, self.px(1.6)) - 1)
        draw.rectangle(box, fill=tint)

    def ornament(self, x: float, y: float, fill: tuple[int, int, int]) -> None:
        """A lozenge between two short lines."""
        draw = ImageDraw.Draw(self.image)
        r, gap, long = self.px(5), self.px(16), self.px(70)
        draw.polygon([(x - r, y), (x, y - r), (x + r, y), (x, y + r)], fill=fill)
        half = max(1, self.px(1.6)) / 2
        for side in (-1, 1):
            a, b = sorted((x + side * gap, x + side * (gap + long)))
            draw.rectangle((a, y - half, b, y + half - 1), fill=fill)

    # ------------------------------------------------------------ type

    def draw_block(
        self, block: Block, x: float, y: float, fill: tuple[int, int, int], *, centred: bool = False
    ) -> float:
        """Draw the block with its top at `y`; returns where it ends."""
        for lines in block.paragraphs:
            for line in lines:
                self.draw_text(line, block.size, x, y, fill, centred=centred)
                y += block.leading
            y += block.gap
        return y - block.gap

    def draw_text(
        self,
        text: str,
        size: int,
        x: float,
        y: float,
        fill: tuple[int, int, int],
        *,
        centred: bool = True,
    ) -> None:
        left = x - advance(text, size) / 2 if centred else x - hang(text, size)
        draw, face = ImageDraw.Draw(self.image), font(size)
        for piece, nearer in runs(text):
            draw.text((left, round(y)), piece, font=face, fill=fill)
            left += face.getlength(piece) - nearer * size

    def finished(self) -> Image.Image:
        """The page with the grain of paper, which also keeps soft colours from banding."""
        rng = np.random.default_rng(self.seed)
        grain = rng.normal(0, GRAIN, (self.height, self.width, 1))
        pixels = np.asarray(self.image, np.float32) + np.rint(grain)
        return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")


def _arch(wide: int, tall: int) -> Image.Image:
    """A mask: straight sides, the top a half circle."""
    mask = Image.new("L", (wide * SHARP, tall * SHARP), 0)
    draw = ImageDraw.Draw(mask)
    _fill_arch(draw, (0, 0, wide * SHARP - 1, tall * SHARP - 1), 255)
    return mask.resize((wide, tall), Image.Resampling.LANCZOS)


def _arch_line(wide: int, tall: int, thick: int) -> Image.Image:
    mask = Image.new("L", (wide * SHARP, tall * SHARP), 0)
    draw = ImageDraw.Draw(mask)
    edge = thick * SHARP
    _fill_arch(draw, (0, 0, wide * SHARP - 1, tall * SHARP - 1), 255)
    _fill_arch(draw, (edge, edge, wide * SHARP - 1 - edge, tall * SHARP - 1 - edge), 0)
    return mask.resize((wide, tall), Image.Resampling.LANCZOS)


def _fill_arch(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], fill: int) -> None:
    x0, y0, x1, y1 = box
    radius = (x1 - x0) / 2
    draw.ellipse((x0, y0, x1, y0 + 2 * radius), fill=fill)
    draw.rectangle((x0, y0 + radius, x1, y1), fill=fill)
