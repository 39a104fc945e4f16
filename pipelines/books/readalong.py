"""A made audiobook as an EPUB that lights up each sentence as it is read.

The chapters' sound is cut and bound by `pipelines.media.readalong`; a paragraph is a line there,
and its sentences are what lights up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.books.chapterwork import MadeChapter
from pipelines.media.readalong import Book, Chapter, write_book
from pipelines.media.timeline import TimedLine
from vits.files import temporary_name

if TYPE_CHECKING:
    from pipelines.books.production import Production


def write_readalong(
    production: Production, made: Sequence[MadeChapter], path: Path, cover: bytes | None
) -> None:
    """Write the EPUB of a book to `path`. UserError."""
    picture = temporary_name(path.with_name("cover.jpg"))
    try:
        if cover:
            picture.write_bytes(cover)
        meta = production.meta
        book = Book(
            title=meta.title,
            author=meta.author,
            narrator=production.narrator,
            language=production.manner.language,
            chapters=[_chapter(production, chapter) for chapter in made],
            cover=picture if cover else None,
        )
        write_book(book, path)
    finally:
        picture.unlink(missing_ok=True)


def _chapter(production: Production, made: MadeChapter) -> Chapter:
    title = production.titles[made.number - 1]
    lines = tuple(_lines(title, made))
    return Chapter(title, lines, made.file(".mp3"), 0.0, made.duration_s)


def _lines(title: str, made: MadeChapter) -> Iterator[TimedLine]:
    """A line for each paragraph; the title's own is the heading, and not set twice."""
    group: list[Sequence[Any]] = []
    for sentence in [*made.sentences, [None]]:
        if group and sentence[0] != group[0][0]:
            if group[0][0] != -1:
                yield _line(str(made.number), group)
            group = []
        group.append(sentence)


def _line(scene: str, sentences: Sequence[Sequence[Any]]) -> TimedLine:
    from vits.voice import WordTiming

    words, text = [], ""
    for _, said, start_s, end_s in sentences:
        text += (" " if text and not _joins(text, said) else "") + said
        words.append(WordTiming(said, len(text) - len(said), len(text), start_s, end_s))
    return TimedLine(scene, "", text, words[0].start_s, words[-1].end_s, tuple(words))


def _joins(before: str, after: str) -> bool:
    """Chinese and Japanese sentences stand side by side."""
    return ord(before[-1]) > 0x2E80 or ord(after[0]) > 0x2E80
