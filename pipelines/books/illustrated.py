"""An audiobook becomes an illustrated one: pictures for its chapters or scenes, a film, pages.

The book is seen as a story (`pipelines/story`), whose illustrator draws it. The film joins the
encoded chapters as the m4b does; the pages are those of the EPUB that reads itself aloud. Pictures
are kept beside the sentences, under the hash of what decides them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.assets import Assets
from pipelines.books.book import word_count
from pipelines.books.chapterwork import MadeChapter
from pipelines.media import m4b
from pipelines.media.timeline import TimedLine, TimedScene, Timeline
from pipelines.progress import OnProgress, Progress
from pipelines.story.script import LANGUAGES, Line, Scene, Story

if TYPE_CHECKING:
    from pipelines.books.production import Production
    from pipelines.story.illustrators import Illustrator

SCENE_WORDS = 220  # under one picture: about a minute and a half
SHORTEST_WORDS = 60  # of a scene that a break in the text ends
TOLD_WORDS = 90  # of a passage are looked at for its picture: what it begins with
SIZE = (1280, 720)
_WORD = re.compile(r"[\u3040-\u9fff]|[^\s\u3040-\u9fff]+")


Spoken = tuple[int, TimedLine]  # the block that a line is, -1 for the chapter's title


@dataclass(frozen=True)
class Passage:
    """What is heard under one picture: paragraphs of a chapter, in seconds of its sound."""

    chapter: MadeChapter
    number: int  # from 1 within the chapter
    spoken: tuple[Spoken, ...]
    start_s: float
    end_s: float

    @property
    def lines(self) -> tuple[TimedLine, ...]:
        return tuple(line for _, line in self.spoken)

    @property
    def id(self) -> str:
        return f"{self.chapter.number}.{self.number}"


@dataclass(frozen=True)
class Illustrated:
    """A book's passages with their pictures; `failed` says why some are cards."""

    passages: tuple[Passage, ...]
    pictures: tuple[Path, ...]
    credits: tuple[str, ...]
    failed: tuple[str, ...]

    def of(self, chapter: MadeChapter) -> list[tuple[Passage, Path]]:
        pairs = zip(self.passages, self.pictures, strict=True)
        return [(passage, path) for passage, path in pairs if passage.chapter is chapter]


def illustrate(
    production: Production, made: Sequence[MadeChapter], on_event: OnProgress
) -> Illustrated:
    """The book's pictures, drawn where they are not there. UserError for who cannot draw."""
    from pipelines.story.illustrators import credits, failures, make_picture

    options = production.options
    artist = _artist(options.illustrator, options.draw)
    passages = tuple(p for chapter in made for p in passages_of(production, chapter))
    story = story_of(production, passages)
    assets = Assets(Path(production.works[0].folder) / "pictures")
    pictures = []
    for done, scene in enumerate(story.scenes):
        on_event(Progress("pictures", done, len(passages), "pictures", scene.title))
        pictures.append(make_picture(artist, scene, story, assets))
    on_event(Progress("pictures", len(passages), len(passages), "pictures"))
    failed = [f"no picture of {scene}: {why}" for scene, why in failures(artist).items()]
    return Illustrated(passages, tuple(pictures), tuple(credits(artist, story)), tuple(failed))


@lru_cache(maxsize=2)
def _artist(name: str, draw: tuple[str, ...]) -> Illustrator:
    from pipelines.story.illustrators import illustrator

    return illustrator(name, dict(text.split("=", 1) for text in draw))


def story_of(production: Production, passages: Sequence[Passage]) -> Story:
    """The book as who draws it sees it: a scene for each passage, with what it begins with."""
    language = production.manner.language
    scenes = [
        Scene(id=p.id, title=production.titles[p.chapter.number - 1], lines=_told(p.lines))
        for p in passages
    ]
    return Story(
        title=production.meta.title,
        author=production.meta.author,
        language=language if language in LANGUAGES else "en",  # type: ignore[arg-type]
        seed=production.options.seed,
        scenes=tuple(scenes),
    )


def _told(lines: Sequence[TimedLine]) -> tuple[Line, ...]:
    told: list[Line] = []
    words = 0.0
    for line in lines:
        if told and words > TOLD_WORDS:
            break
        told.append(Line(text=line.text))
        words += word_count(line.text)
    return tuple(told)


# ---------------------------------------------------------------- passages


def passages_of(production: Production, chapter: MadeChapter) -> Iterator[Passage]:
    """A chapter's passages: the whole, or as long as a picture is looked at."""
    lines = list(spoken_lines(chapter))
    by_chapter = production.options.illustrate == "chapter"
    groups = [lines] if by_chapter else list(_cut(production, lines))
    starts = [0.0, *(group[0][1].start_s - 0.3 for group in groups[1:]), chapter.duration_s]
    for number, (group, (start, end)) in enumerate(zip(groups, pairwise(starts), strict=True), 1):
        yield Passage(chapter, number, tuple(group), start, end)


def _cut(production: Production, lines: Sequence[Spoken]) -> Iterator[list[Spoken]]:
    """Lines in groups of about SCENE_WORDS, cut at the book's own breaks where there are some."""
    chapter = int(lines[0][1].scene_id)
    blocks = production.works[chapter - 1].blocks
    group: list[Spoken] = []
    words = 0.0
    for at, line in lines:
        before = at > 0 and blocks[at - 1].kind == "break"
        if group and (words >= SCENE_WORDS or (before and words >= SHORTEST_WORDS)):
            yield group
            group, words = [], 0.0
        group.append((at, line))
        words += word_count(line.text)
    if group:
        yield group


def spoken_lines(chapter: MadeChapter) -> Iterator[Spoken]:
    """A line for each paragraph that was spoken, in the chapter's time."""
    for block, sentences in groupby(chapter.sentences, key=lambda sentence: sentence[0]):
        yield int(block), _line(str(chapter.number), list(sentences))


def paragraphs(spoken: Sequence[Spoken]) -> tuple[TimedLine, ...]:
    """What was spoken but for the title, which is a heading and not set twice."""
    return tuple(line for block, line in spoken if block >= 0)


def _line(scene: str, sentences: Sequence[Sequence[Any]]) -> TimedLine:
    from vits.voice import WordTiming

    words, text = [], ""
    for _, said, start_s, end_s in sentences:
        text += (" " if text and not joins(text, said) else "") + said
        words.append(WordTiming(said, len(text) - len(said), len(text), start_s, end_s))
    return TimedLine(scene, "", text, words[0].start_s, words[-1].end_s, tuple(words))


def joins(before: str, after: str) -> bool:
    """Chinese and Japanese sentences stand side by side."""
    return ord(before[-1]) > 0x2E80 or ord(after[0]) > 0x2E80


# ---------------------------------------------------------------- film


def write_book_film(
    production: Production,
    made: Sequence[MadeChapter],
    seen: Illustrated,
    path: Path,
    on_event: OnProgress,
) -> None:
    """The book as a film whose sound is the chapters, joined as they are. UserError."""
    from pipelines.media.phrases import phrase
    from pipelines.media.video import write_film

    told = _timeline(production, made, seen)

    def tick(done: int, total: int) -> None:
        on_event(Progress("film", done, total, "frames"))

    write_film(
        told,
        path,
        size=SIZE,
        notice=phrase(told.language, "label"),
        parts=Assets(Path(production.works[0].folder) / "film"),
        sound=[chapter.file(".m4a") for chapter in made],
        chapters=_chapters(production, told),
        on_progress=tick,
    )


def _timeline(production: Production, made: Sequence[MadeChapter], seen: Illustrated) -> Timeline:
    """When everything is seen and heard, on the clock of the joined chapters."""
    scenes: list[TimedScene] = []
    start_s = 0.0
    for chapter in made:
        part = chapter.file(".m4a")
        end_s = start_s + m4b.duration_s(part)
        late_s = start_s + m4b.PACKET_SAMPLES / m4b.rate_of(part)  # what an encoder begins with
        passages = seen.of(chapter)
        cuts = [start_s, *(late_s + p.start_s for p, _ in passages[1:]), end_s]
        for (passage, picture), (begin, end) in zip(passages, pairwise(cuts), strict=True):
            title = production.titles[chapter.number - 1] if passage.number == 1 else ""
            lines = tuple(_shifted(line, late_s) for line in passage.lines)
            scenes.append(TimedScene(passage.id, title, picture, begin, end, lines))
        start_s = end_s
    meta = production.meta
    return Timeline(
        title=meta.title,
        author=meta.author,
        language=production.manner.language,
        narrator=production.narrator,
        scenes=tuple(scenes),
        audio=made[0].file(".m4a"),
        duration_s=start_s,
        credits=seen.credits,
    )


def _chapters(production: Production, told: Timeline) -> list[m4b.Chapter]:
    """The book's own chapters, each of which may have several pictures."""
    starts = [scene for scene in told.scenes if scene.id.endswith(".1")]
    ends = [*(scene.start_s for scene in starts[1:]), told.duration_s]
    return [
        m4b.Chapter(scene.title, scene.start_s, end_s)
        for scene, end_s in zip(starts, ends, strict=True)
    ]


def _shifted(line: TimedLine, seconds: float) -> TimedLine:
    words = tuple(
        replace(piece, start_s=piece.start_s + seconds, end_s=piece.end_s + seconds)
        for word in line.words
        for piece in _pieces(word)
    )
    start_s, end_s = line.start_s + seconds, line.end_s + seconds
    return replace(line, start_s=start_s, end_s=end_s, words=words)


def _pieces(sentence: Any) -> Iterator[Any]:
    """A sentence's words, each with the share of its time that its letters have: subtitles are
    cut between them."""
    spans = [match.span() for match in _WORD.finditer(sentence.text)]
    letters = sum(end - start for start, end in spans) or 1
    length_s, at_s = sentence.end_s - sentence.start_s, sentence.start_s
    for start, end in spans:
        took_s = length_s * (end - start) / letters
        yield replace(
            sentence,
            text=sentence.text[start:end],
            char_start=sentence.char_start + start,
            char_end=sentence.char_start + end,
            start_s=at_s,
            end_s=at_s + took_s,
        )
        at_s += took_s
