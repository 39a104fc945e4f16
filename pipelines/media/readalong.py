"""A told story as an EPUB that reads itself aloud: a picture book, or text that flows.

In the picture book each scene is a page of fixed size, its picture above its words, set as large
as they fit; what does not fit goes on overleaf. Every word has its part of the sound; the parts
touch, so that a reader plays them without a gap and pauses are kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Literal

from pipelines.assets import Assets
from pipelines.media import loudness
from pipelines.media.epub import Clip, Package, Page, write_package
from pipelines.media.labels import DEFAULT_LABEL, Label
from pipelines.media.markup import byline, line_markup, plain, with_names
from pipelines.media.parts import kept_parts, picture_part
from pipelines.media.phrases import phrase
from pipelines.media.soundparts import Part, Sound
from pipelines.media.subtitles import text_columns
from pipelines.media.timeline import TimedLine, Timeline, chapter_titles

Pages = Literal["fixed", "flowing"]
VIEWPORT = (1200, 1600)  # two pages side by side fill a screen, one a tablet or a telephone
PICTURE_PIXELS = (1600, 1600)
PICTURE_QUALITY = 86

# The page of a picture book, in pixels of the viewport. `book.css` knows these numbers too.
MARGIN = 84
PICTURE_HEIGHT = 675
SIZES = range(56, 11, -2)  # of letters
COMFORTABLE = 34  # smaller than that, words go on overleaf
LEADING = 1.5
GAP = 0.45  # between lines, in sizes
COLUMN = 0.53  # width of a narrow letter in sizes, with something to spare
HEADING = 130


@dataclass(frozen=True)
class Chapter:
    """A scene of a story or a chapter of a book: lines, and where their sound is.

    `audio` is a mono sound file, of which the chapter has `start_s` to `end_s`; the times of
    lines and words count from the start of that file. An mp3 is bound as it is.
    """

    title: str
    lines: Sequence[TimedLine]
    audio: Path
    start_s: float
    end_s: float
    picture: Path | None = None


@dataclass(frozen=True)
class Book:
    """What is bound: chapters in order. `facts` are further metadata, see `Package`."""

    title: str
    author: str
    narrator: str
    language: str
    chapters: Sequence[Chapter]
    cover: Path | None = None
    facts: dict[str, str] = field(default_factory=dict)
    credits: Sequence[str] = ()  # for the last page


def write_epub(
    timeline: Timeline,
    path: str | Path,
    *,
    pages: Pages = "fixed",
    notice: bool = True,
    label: Label = DEFAULT_LABEL,
    parts: Assets | None = None,
) -> None:
    """The story as an EPUB. UserError if a picture cannot be read or the book not be written.

    With `notice` the last page says that a machine made it. `parts` keeps what is encoded.
    """
    chapters = [
        Chapter(title, scene.lines, timeline.audio, scene.start_s, scene.end_s, scene.picture)
        for title, scene in zip(chapter_titles(timeline), timeline.scenes, strict=True)
    ]
    book = Book(
        timeline.title,
        timeline.author,
        timeline.narrator,
        timeline.language,
        chapters,
        cover=timeline.scenes[0].picture,
        credits=timeline.credits,
    )
    write_book(book, path, pages=pages, notice=notice, label=label, parts=parts)


def write_book(
    book: Book,
    path: str | Path,
    *,
    pages: Pages = "flowing",
    by_word: bool = True,
    notice: bool = True,
    label: Label = DEFAULT_LABEL,
    parts: Assets | None = None,
) -> None:
    """The book as an EPUB; `by_word` lights words, else whole lines."""
    with kept_parts(parts, Path(path)) as kept:
        contents: dict[str, bytes | Path] = {"book.css": _style()}
        contents |= _pictures(book, kept)
        contents |= _sounds(book, kept)
        cover = "cover.jpg" if book.cover else ""
        bound = list(_bound(book, pages, by_word))
        if notice:
            bound.append(_last_page(book, pages))
        package = Package(
            title=book.title,
            author=book.author,
            narrator=book.narrator,
            language=book.language,
            pages=bound,
            files=contents,
            style="book.css",
            cover=cover,
            viewport=VIEWPORT if pages == "fixed" else None,
            facts=book.facts,
            label=label,
        )
        write_package(package, Path(path))


# ---------------------------------------------------------------- files


def _style() -> bytes:
    return files("pipelines.media").joinpath("book.css").read_bytes()


def _pictures(book: Book, parts: Assets) -> dict[str, Path]:
    found = {"cover.jpg": _jpeg(book.cover, parts)} if book.cover else {}
    for number, chapter in enumerate(book.chapters, start=1):
        if chapter.picture:
            found[_picture_name(number)] = _jpeg(chapter.picture, parts)
    return found


def _picture_name(number: int) -> str:
    return f"picture-{number}.jpg"


def _jpeg(path: Path, parts: Assets) -> Path:
    how = {"quality": PICTURE_QUALITY, "optimize": True}
    return picture_part(path, "JPEG", PICTURE_PIXELS, parts, how)


def _sounds(book: Book, parts: Assets) -> dict[str, Path]:
    """Each chapter's part of the levelled track."""
    return {
        _sound_name(book, number): _sound(chapter, parts)
        for number, chapter in enumerate(book.chapters, start=1)
    }


def _sound(chapter: Chapter, parts: Assets) -> Path:
    if _is_encoded(chapter):
        return chapter.audio
    rate = loudness.sample_rate(chapter.audio)
    start, stop = (round(at * rate) for at in (chapter.start_s, chapter.end_s))
    stop = min(stop, loudness.sample_count(chapter.audio))
    return Sound(chapter.audio, parts).mp3_part(Part(start, stop, 0))


def _is_encoded(chapter: Chapter) -> bool:
    """Whether its sound is bound as it is, and its times count from that file's start."""
    return chapter.audio.suffix == ".mp3"


def _sound_name(book: Book, number: int) -> str:
    """Chapters that lie in one encoded file share it."""
    chapter = book.chapters[number - 1]
    if _is_encoded(chapter):
        number = 1 + next(i for i, c in enumerate(book.chapters) if c.audio == chapter.audio)
    return f"sound-{number}.mp3"


# ---------------------------------------------------------------- pages


@dataclass(frozen=True)
class _Leaf:
    """What stands on one page: (line, whether it is named, its id), and the size of letters."""

    lines: tuple[tuple[TimedLine, bool, str], ...]
    size: int = 0


def _bound(book: Book, pages: Pages, by_word: bool) -> Iterator[Page]:
    speaker = ""
    for number, chapter in enumerate(book.chapters, start=1):
        named = [
            (line, named, f"l{at}")
            for at, (line, named) in enumerate(
                with_names(chapter.lines, book.narrator, speaker), start=1
            )
        ]
        leaves = [_Leaf(tuple(named))]
        if pages == "fixed":
            leaves = _leaves(named, chapter, is_cover=_is_title(book, chapter))
        begin_s = chapter.start_s
        for index, leaf in enumerate(leaves):
            following = leaves[index + 1].lines[0][0] if index + 1 < len(leaves) else None
            end_s = following.start_s if following else chapter.end_s
            clips = _clips(leaf, chapter, begin_s, end_s, by_word)
            yield _page(book, number, index, leaf, clips, pages)
            begin_s = end_s
        speaker = chapter.lines[-1].speaker if chapter.lines else speaker


def _is_title(book: Book, chapter: Chapter) -> bool:
    """Whether a chapter only says the book's title."""
    texts = [line.text.strip() for line in chapter.lines]
    return texts == [book.title.strip()]


def _page(
    book: Book, number: int, index: int, leaf: _Leaf, clips: tuple[Clip, ...], pages: Pages
) -> Page:
    chapter = book.chapters[number - 1]
    is_title = _is_title(book, chapter)
    kind = "title" if is_title else "scene" if index == 0 else "more"
    name = f"page-{number}" + (f"-{index + 1}" if index else "")
    parts = [_figure(chapter, number, book.language) if index == 0 else ""]
    lines = "".join(
        line_markup(line, named=named, prefix=prefix) for line, named, prefix in leaf.lines
    )
    size = f' style="font-size: {leaf.size}px"' if leaf.size else ""
    is_headed = index == 0 and chapter.title and not is_title
    heading = f"<h1>{plain(chapter.title)}</h1>\n" if is_headed else ""
    below = ""
    if is_title and (text := byline(book.author, book.narrator, book.language)):
        below = f'<p class="byline">{text}</p>\n'
    parts.append(f'{heading}<div class="words"{size}>\n{lines}</div>\n{below}')
    body = f'<section class="{pages} {kind}">\n{"".join(parts)}</section>\n'
    sound = _sound_name(book, number) if clips else ""
    return Page(name, chapter.title if index == 0 else "", body, sound, clips)


def _figure(chapter: Chapter, number: int, language: str) -> str:
    if chapter.picture is None:
        return ""
    alt = phrase(language, "picture").format(chapter.title or number)
    return f'<figure><img src="{_picture_name(number)}" alt="{plain(alt)}"/></figure>\n'


def _last_page(book: Book, pages: Pages) -> Page:
    """What the book says of itself."""
    by = byline(book.author, book.narrator, book.language)
    texts = [f"<p><strong>{plain(book.title)}</strong></p>", f"<p>{by}</p>" if by else ""]
    texts.append(f'<p class="notice">{phrase(book.language, "notice")}</p>')
    texts += [f'<p class="credit">{plain(line)}</p>' for line in book.credits]
    body = "\n".join(filter(None, texts))
    title = phrase(book.language, "about")
    return Page("about", title, f'<section class="{pages} about">\n{body}\n</section>\n')


# ---------------------------------------------------------------- how much fits a page


def _leaves(
    lines: list[tuple[TimedLine, bool, str]], chapter: Chapter, *, is_cover: bool
) -> list[_Leaf]:
    """The lines on as few pages as can be, in letters that are comfortable to read."""
    heading = 0 if is_cover else HEADING
    room = VIEWPORT[1] - 2 * MARGIN - heading - (PICTURE_HEIGHT if chapter.picture else 0)
    size = _size(lines, room)
    if size >= COMFORTABLE or len(lines) == 1:
        return [_Leaf(tuple(lines), size)]
    count = max(1, sum(1 for n in range(1, len(lines)) if _size(lines[:n], room) >= COMFORTABLE))
    rest = list(_overleaf(lines[count:]))
    return [_Leaf(tuple(lines[:count]), _size(lines[:count], room)), *rest]


def _overleaf(lines: list[tuple[TimedLine, bool, str]]) -> Iterator[_Leaf]:
    """Pages of words alone."""
    room = VIEWPORT[1] - 2 * MARGIN
    while lines:
        fitting = [n for n in range(1, len(lines) + 1) if _size(lines[:n], room) >= COMFORTABLE]
        count = max(fitting, default=1)
        yield _Leaf(tuple(lines[:count]), min(COMFORTABLE + 8, _size(lines[:count], room)))
        lines = lines[count:]


def _size(lines: Sequence[tuple[TimedLine, bool, str]], room: float) -> int:
    """The largest size of letters at which the lines fit into `room` pixels of height."""
    for size in SIZES:
        if sum(_height(line, named, size) for line, named, _ in lines) <= room:
            return size
    return SIZES[-1]


def _height(line: TimedLine, named: bool, size: int) -> float:
    per_row = (VIEWPORT[0] - 2 * MARGIN) / (COLUMN * size) - 3  # rows end before a long word
    rows = math.ceil(text_columns(line.text) / per_row) + named
    return rows * LEADING * size + GAP * size


# ---------------------------------------------------------------- which sound is whose


def _clips(
    leaf: _Leaf, chapter: Chapter, begin_s: float, end_s: float, by_word: bool
) -> tuple[Clip, ...]:
    """A clip for each word (or line), from its start to that of the next, the whole sound long."""
    elements: list[tuple[str, str, float]] = []  # id, group, when it begins
    for line, _, prefix in leaf.lines:
        if by_word and line.words:
            elements += (
                (f"{prefix}-{number}", prefix, word.start_s)
                for number, word in enumerate(line.words, start=1)
            )
        elif line.text.strip():
            elements.append((prefix, "", line.start_s))
    if not elements:
        return ()
    starts = [begin_s, *(start_s for _, _, start_s in elements[1:]), end_s]
    zero_s = 0.0 if _is_encoded(chapter) else chapter.start_s
    marks = _rising([round(1000 * (at - zero_s)) for at in starts])
    return tuple(
        Clip(element, start, end, group)
        for (element, group, _), (start, end) in zip(elements, pairwise(marks), strict=True)
    )


def _rising(marks: list[int]) -> list[int]:
    """The marks, each at least a millisecond after the one before it."""
    result = marks[:1]
    for mark in marks[1:]:
        result.append(max(mark, result[-1] + 1))
    return result
