"""`story chapters`: what of a book is read aloud, before it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.reporting import Reporter, columns, json_option, plural, span

if TYPE_CHECKING:
    from pipelines.books.book import Book

# pipelines.books.book.KEEPABLE, without importing it for --help; a test compares them
KEEPABLE = ("footnotes", "page-numbers", "tables", "code", "captions", "front", "back")
keep_option = click.option(
    "--keep",
    multiple=True,
    type=click.Choice(KEEPABLE),
    help="Read this aloud too; may be given several times.",
)


@click.command()
@click.argument("book", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write the plan to this file, to edit it: `story audiobook --chapters FILE` reads it.",
)
@click.option(
    "--chapters",
    "plan",
    type=click.Path(path_type=Path),
    help="Show the plan in this file instead of the book's own.",
)
@keep_option
@json_option
def chapters(
    book: Path, output: Path | None, plan: Path | None, keep: tuple[str, ...], as_json: bool
) -> None:
    """Show how BOOK (txt, md, html, epub, pdf, docx, fb2) is cut into chapters.

    Left out unless --keep asks for it: footnotes, page numbers, tables, code, captions, and front
    and back matter such as contents, copyright page, index.
    """
    from pipelines.books.planfile import with_plan, write_plan
    from pipelines.books.reading import read_book

    found = read_book(book)
    if plan is not None:
        found = with_plan(found, plan)
    found = found.keeping(keep)
    report = Reporter(as_json)
    for note in found.notes:
        report.warn(note)
    if output is not None:
        write_plan(found, output, book.name, keep)
    report.result(_facts(found, keep, output), *_table(found, keep, output))


def _facts(book: Book, keep: tuple[str, ...], output: Path | None) -> dict[str, Any]:
    meta = book.meta
    listed = [
        {
            "title": chapter.title,
            "matter": chapter.matter,
            "read": chapter.read,
            "words": round(book.words(chapter, keep)),
        }
        for chapter in book.chapters
    ]
    known = {"title": meta.title, "author": meta.author, "language": meta.language}
    return {**known, "series": meta.series, "chapters": listed, "plan": output}


def _table(book: Book, keep: tuple[str, ...], output: Path | None) -> list[str]:
    """The plan as lines; times are those of 160 words a minute, as narrators read."""
    from pipelines.books.book import WORDS_PER_MINUTE

    rows = [["", "CHAPTER", "WORDS", "TIME", ""]]
    total, number = 0.0, 0
    for chapter in book.chapters:
        words = book.words(chapter, keep)
        if chapter.read:
            number += 1
            total += words
        shown = str(number) if chapter.read else "-"
        left_out = "" if chapter.read else f"left out ({chapter.matter} matter)"
        left_out = left_out.replace(" (body matter)", "")
        time = span(words / WORDS_PER_MINUTE * 60)
        rows.append([shown, chapter.title[:70], f"{words:.0f}", time, left_out])
    about = " - ".join(part for part in (book.meta.author, book.meta.title) if part)
    time = span(total / WORDS_PER_MINUTE * 60)
    whole = f"{plural(number, 'chapter')}, {total:.0f} words, about {time}"
    lines = [f"{about} ({book.meta.language})", *columns(rows), whole]
    return [*lines, f"The plan is in {output}"] if output else lines
