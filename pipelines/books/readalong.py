"""A made audiobook as an EPUB that lights up each sentence as it is read.

The chapters' sound is bound by `pipelines.media.readalong`; a paragraph is a line there, and its
sentences are what lights up. An illustrated book has a page for each picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.chapterwork import MadeChapter
from pipelines.books.illustrated import Illustrated, paragraphs, spoken_lines
from pipelines.media.readalong import Book, Chapter, write_book
from vits.files import temporary_name

if TYPE_CHECKING:
    from pipelines.books.production import Production


def write_readalong(
    production: Production,
    made: Sequence[MadeChapter],
    path: Path,
    cover: bytes | None,
    seen: Illustrated | None = None,
) -> None:
    """Write the EPUB of a book to `path`; its first picture is the cover where it has none.

    UserError.
    """
    picture = temporary_name(path.with_name("cover.jpg"))
    try:
        if cover:
            picture.write_bytes(cover)
        drawn = seen.pictures[0] if seen else None
        meta = production.meta
        book = Book(
            title=meta.title,
            author=meta.author,
            narrator=production.narrator,
            language=production.manner.language,
            chapters=[part for one in made for part in _chapters(production, one, seen)],
            cover=picture if cover else drawn,
            credits=seen.credits if seen else (),
        )
        write_book(book, path)
    finally:
        picture.unlink(missing_ok=True)


def _chapters(
    production: Production, made: MadeChapter, seen: Illustrated | None
) -> Iterator[Chapter]:
    title, audio = production.titles[made.number - 1], made.file(".mp3")
    if seen is None:
        lines = paragraphs(tuple(spoken_lines(made)))
        yield Chapter(title, lines, audio, 0.0, made.duration_s)
        return
    for passage, picture in seen.of(made):
        heading = title if passage.number == 1 else ""
        lines = paragraphs(passage.spoken)
        yield Chapter(heading, lines, audio, passage.start_s, passage.end_s, picture)
