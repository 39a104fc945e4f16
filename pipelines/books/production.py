"""One book on its way from file to chapters to be spoken: what there is to do for it.

<state>/work/       sentences, encoded chapters and notes, see `chapterwork.py`
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.books.book import Book, Chapter, Metadata
from pipelines.books.chapters import label_duplicates
from pipelines.books.chapterwork import SUFFIXES, ChapterWork
from pipelines.books.levels import parse_level
from pipelines.books.manner import (
    Manner,
    VoiceFacts,
    cast_from,
    lexicon_text,
    load_voices,
    with_voices,
)
from pipelines.books.options import Options
from pipelines.books.planfile import with_plan
from pipelines.books.reading import read_book
from pipelines.books.speakers import label_blocks
from vits.errors import UserError


@dataclass(frozen=True)
class Production:
    """A book, how it is read, and its chapters as work. `titles` are those of `works`."""

    source: Path
    options: Options
    book: Book
    chapters: tuple[Chapter, ...]
    titles: tuple[str, ...]
    works: tuple[ChapterWork, ...]
    manner: Manner
    narrator: str

    @property
    def meta(self) -> Metadata:
        return self.book.meta

    @property
    def words(self) -> float:
        return sum(self.book.words(chapter, self.options.keep) for chapter in self.chapters)


class Voices:
    """The voices of a run's books: known by their files, loaded when somebody is to speak."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.known: dict[str, VoiceFacts] = {}
        self._loaded: dict[str, Any] = {}

    def check(self, manner: Manner) -> Manner:
        """The manner with the hashes of its voices. UserError for those that do not fit it."""
        return with_voices(manner, self.known)

    @property
    def loaded(self) -> dict[str, Any]:
        """All that are known, loaded."""
        return load_voices(self.known, self.device, self._loaded)


def produce(
    source: Path, options: Options, state: Path, voices: Voices, *, ask: bool = True
) -> Production:
    """Read a book and see what there is to do. UserError for all that a user can mend.

    With `ask` a language model that was named says who speaks in it.
    """
    book = read_book(source)
    if options.chapters:
        book = with_plan(book, Path(options.chapters))
    book = dataclasses.replace(book.keeping(options.keep), meta=_meta(book.meta, options))
    chapters = tuple(chapter for chapter in book.chapters if _is_heard(book, chapter, options))
    if not chapters:
        raise UserError(f"{source} has no chapter to read aloud.", "See 'story chapters'.")
    manner = voices.check(_manner(book, options, voices))
    titles = tuple(label_duplicates([chapter.title for chapter in chapters]))
    works = tuple(
        _work(book, chapter, number, titles[number - 1], options, manner, state, ask=ask)
        for number, chapter in enumerate(chapters, 1)
    )
    return Production(
        source, options, book, chapters, titles, works, manner, _narrator(options, voices, manner)
    )


def _is_heard(book: Book, chapter: Chapter, options: Options) -> bool:
    if not chapter.read:
        return False
    return any(block.text.strip() for block in book.heard(chapter, options.keep))


def _meta(meta: Metadata, options: Options) -> Metadata:
    given = {
        name: getattr(options, name)
        for name in ("title", "series", "series_index", "year")
        if getattr(options, name)
    }
    authors = (options.author,) if options.author else meta.authors
    return dataclasses.replace(meta, authors=authors, **given)


def _manner(book: Book, options: Options, voices: Voices) -> Manner:
    language = options.language or book.meta.language.partition("-")[0].lower()
    return Manner(
        voice=options.voice,
        language=language,
        speed=options.speed,
        noise=options.noise,
        noise_duration=options.noise_duration,
        seed=options.seed,
        lexicon=lexicon_text(tuple(map(Path, options.lexicon))),
        cast=cast_from(Path(options.cast)) if options.cast else {},
    )


def _narrator(options: Options, voices: Voices, manner: Manner) -> str:
    from pipelines.books.manner import speaker_of

    voice, speaker = speaker_of(voices.known, manner.voice)
    return options.narrator or (speaker if len(voice.speakers) > 1 else str(voice.name))


def _work(
    book: Book,
    chapter: Chapter,
    number: int,
    title: str,
    options: Options,
    manner: Manner,
    state: Path,
    *,
    ask: bool,
) -> ChapterWork:
    blocks, speakers = tuple(book.heard(chapter, options.keep)), None
    if ask and options.llm:
        speakers = label_blocks(blocks, options.llm, state / "work" / "speakers", options.seed)
    suffixes = tuple(dict.fromkeys(SUFFIXES[name] for name in options.format))
    return ChapterWork(
        folder=str(state / "work"),
        number=number,
        title=title,
        heard_title=chapter.title,
        blocks=blocks,
        speakers=speakers,
        manner=manner,
        suffixes=suffixes,
        level=parse_level(options.loudness),
        asr=options.check == "asr",
    )
