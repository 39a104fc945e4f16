"""A told story as a picture book to print: PDF, a page for each scene, picture above words.

Pages are A4 at 150 dots to the inch, set in the bundled font, which every language of a story has.
Marks of AI go into the document's information, as PDF readers show it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from pipelines.media.labels import DEFAULT_LABEL, DIGITAL_SOURCE_TYPE, PRODUCER, Label
from pipelines.media.markup import with_names
from pipelines.media.phrases import phrase
from pipelines.media.picture import read_picture
from pipelines.media.timeline import TimedScene, Timeline, writable
from pipelines.story.cards import QUOTES
from pipelines.story.typeset import Block, drawable, fit_block, font, set_block
from vits.files import atomic_file

PAGE = (1240, 1754)  # A4
DPI = 150
MARGIN = 130
PICTURE = 698  # 16 by 9, as wide as the page
PAPER, INK, ACCENT, PALE = (253, 250, 243), (46, 42, 38), (147, 96, 59), (125, 115, 105)
SIZES = tuple(range(22, 53))
TITLE_SIZE = 92
EPOCH = time.gmtime(946684800)  # a PDF wants a date; nothing made here knows the time


def write_pdf(
    timeline: Timeline, path: str | Path, *, notice: bool = True, label: Label = DEFAULT_LABEL
) -> None:
    """Write the book, whole or not at all. UserError if a picture cannot be read."""
    pages = _pages(timeline, notice)
    first = next(pages)
    with atomic_file(Path(path)) as file:
        first.save(
            file,
            "PDF",
            save_all=True,
            append_images=pages,
            resolution=DPI,
            quality=88,
            title=writable(timeline.title),
            author=writable(timeline.author),
            subject=DIGITAL_SOURCE_TYPE,
            keywords=f"AI-generated; AIGC={label.json}",
            creator=PRODUCER,
            producer=PRODUCER,
            creationDate=EPOCH,
            modDate=EPOCH,
        )


def _pages(timeline: Timeline, notice: bool) -> Iterator[Image.Image]:
    for number, scene in enumerate(timeline.scenes):
        is_title = [line.text.strip() for line in scene.lines] == [timeline.title.strip()]
        yield _title(timeline, scene) if is_title else _page(timeline, scene, number)
    if notice or timeline.credits:
        yield _last(timeline, notice)


def _sheet(picture: Path | None = None) -> Image.Image:
    page = Image.new("RGB", PAGE, PAPER)
    if picture:
        shown = ImageOps.fit(
            read_picture(picture),
            (PAGE[0], PICTURE),
            Image.Resampling.LANCZOS,
            centering=(0.5, 0.8),
        )
        page.paste(shown, (0, 0))
    return page


def _title(timeline: Timeline, scene: TimedScene) -> Image.Image:
    page = _sheet(scene.picture)
    block = set_block([drawable(timeline.title)], TITLE_SIZE, PAGE[0] - 2 * MARGIN, leading=1.25)
    y = PICTURE + (PAGE[1] - PICTURE) * 0.36 - block.height / 2
    y = _centred(page, block, y, INK)
    if author := drawable(timeline.author):
        by = phrase(timeline.language, "by").format(author)
        _centred(page, set_block([by], 38, PAGE[0] - 2 * MARGIN), y + 40, PALE)
    return page


def _page(timeline: Timeline, scene: TimedScene, number: int) -> Image.Image:
    page = _sheet(scene.picture)
    width, y = PAGE[0] - 2 * MARGIN, PICTURE + 80.0
    if title := drawable(scene.title):
        y = _left(page, set_block([title], 56, width, leading=1.25), y, ACCENT) + 34
    block = fit_block(_texts(timeline, scene), SIZES, width, PAGE[1] - MARGIN - y)
    _left(page, block, y, INK)
    foot = set_block([str(number)], 26, width)
    _centred(page, foot, PAGE[1] - 84, PALE)
    return page


def _texts(timeline: Timeline, scene: TimedScene) -> list[str]:
    """What is said, speech in quotation marks."""
    first, last = QUOTES.get(timeline.language, QUOTES["en"])
    texts = []
    for line, _ in with_names(scene.lines, timeline.narrator):
        text = drawable(line.text)
        spoken = line.speaker not in ("", "narrator") and text[:1] not in '“”"„«»「『'
        texts.append(f"{first}{text}{last}" if spoken and text else text)
    return [text for text in texts if text]


def _last(timeline: Timeline, notice: bool) -> Image.Image:
    page = _sheet()
    texts = [timeline.title]
    if timeline.narrator:
        texts.append(phrase(timeline.language, "told").format(timeline.narrator))
    texts += [phrase(timeline.language, "notice")] if notice else []
    texts += timeline.credits
    block = set_block([drawable(text) for text in texts], 32, PAGE[0] - 2 * MARGIN)
    _centred(page, block, (PAGE[1] - block.height) / 2, PALE)
    return page


def _left(page: Image.Image, block: Block, y: float, fill: tuple[int, int, int]) -> float:
    return _lines(page, block, y, fill, centred=False)


def _centred(page: Image.Image, block: Block, y: float, fill: tuple[int, int, int]) -> float:
    return _lines(page, block, y, fill, centred=True)


def _lines(
    page: Image.Image, block: Block, y: float, fill: tuple[int, int, int], *, centred: bool
) -> float:
    pen, face = ImageDraw.Draw(page), font(block.size)
    for lines in block.paragraphs:
        for line in lines:
            x = (PAGE[0] - face.getlength(line)) / 2 if centred else MARGIN
            pen.text((x, y), line, font=face, fill=fill)
            y += block.leading
        y += block.gap
    return y - block.gap
