"""The plan of a book as a file that people edit: which chapters there are, and which are read.

# Titles may be changed. `read: false` leaves a chapter out. Without an entry a chapter belongs to
# the one before it; a new entry begins where its `begins` says: a paragraph's number or its
# first words.
book: alice.epub
title: Alice's Adventures in Wonderland
author: Lewis Carroll
language: en
chapters:
- title: I. Down the Rabbit-Hole
  begins: 12
  words: 2147
  starts: Alice was beginning to get very tired of sitting by her sister
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from pipelines.books.book import Book, Chapter, Metadata, one_line
from vits.errors import UserError
from vits.files import write_text

NOTE = """\
# The plan of an audiobook. Titles may be changed; `read: false` leaves a chapter out. A chapter
# whose entry is deleted belongs to the one before it. A new entry begins where its `begins` says:
# the number of a paragraph, or its first words. `words` and `starts` are only for you.
"""
_FIELDS = ("title", "author", "language", "series", "series_index", "year")
_ENTRY_KEYS = frozenset(("title", "begins", "read", "words", "starts"))


def write_plan(book: Book, path: Path, source: str = "", keep: Collection[str] = ()) -> None:
    """Write the plan of `book` to `path`, whole or not at all."""
    meta = book.meta
    head: dict[str, Any] = {"book": source} if source else {}
    for name in _FIELDS:
        value = meta.author if name == "author" else getattr(meta, name)
        if value:
            head[name] = value
    entries = [_entry(book, chapter, keep) for chapter in book.chapters]
    text = yaml.safe_dump({**head, "chapters": entries}, allow_unicode=True, sort_keys=False,
                          width=1000)  # fmt: skip
    write_text(path, NOTE + text)


def _entry(book: Book, chapter: Chapter, keep: Collection[str]) -> dict[str, Any]:
    first = next((b.text for b in book.heard(chapter, keep) if b.text), "")
    entry: dict[str, Any] = {"title": chapter.title, "begins": chapter.start}
    entry["words"] = round(book.words(chapter, keep))
    if not chapter.read:
        entry["read"] = False
    entry["starts"] = one_line(first)[:60]
    return entry


def with_plan(book: Book, path: Path) -> Book:
    """The book by the plan in `path`. UserError, with the entry, for what does not fit the book."""
    data = _load(path)
    entries = data.get("chapters")
    if not isinstance(entries, list) or not entries:
        raise UserError(f"{path} lists no chapters.", "Write it anew with 'story chapters'.")
    starts = [_start(book, entry, number, path) for number, entry in enumerate(entries, 1)]
    for number, (before, after) in enumerate(pairwise(starts), 2):
        if after <= before:
            raise UserError(
                f"{path}: entry {number} begins before entry {number - 1} does.",
                "Put the entries into the order of the book.",
            )
    chapters = []
    for entry, start, end in zip(entries, starts, [*starts[1:], len(book.blocks)], strict=True):
        chapters.append(_chapter(book, entry, start, end))
    return replace(book, meta=_meta(book.meta, data), chapters=tuple(chapters))


def _load(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8.", "Save it as UTF-8.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise UserError(f"{where}: this is not YAML.", "Check colons and quotes there.") from error
    if not isinstance(data, dict):
        raise UserError(f"{path} is no plan of a book.", "Write one with 'story chapters'.")
    return data


def _start(book: Book, entry: Any, number: int, path: Path) -> int:
    if not isinstance(entry, dict) or "begins" not in entry:
        raise UserError(f"{path}: entry {number} has no 'begins'.", "Say where it begins.")
    unknown = sorted(set(map(str, entry)) - _ENTRY_KEYS)
    if unknown:
        raise UserError(
            f"{path}: entry {number} has {', '.join(unknown)}, which means nothing.",
            f"Known are {', '.join(sorted(_ENTRY_KEYS))}.",
        )
    begins = entry["begins"]
    if isinstance(begins, int) and 0 <= begins < len(book.blocks):
        return begins
    wanted = one_line(str(begins))
    for index, block in enumerate(book.blocks):
        if isinstance(begins, str) and wanted and one_line(block.text).startswith(wanted):
            return index
    raise UserError(
        f"{path}: entry {number} begins at {str(begins)[:40]!r}, which is nowhere in the book.",
        "Give a paragraph's number, or its first words as they stand there.",
    )


def _chapter(book: Book, entry: dict[str, Any], start: int, end: int) -> Chapter:
    from pipelines.books.chapters import chapter_at

    known = next((c for c in book.chapters if c.start == start), None)
    title = one_line(str(entry.get("title") or "")) or (known.title if known else "")
    body = known.body if known else chapter_at(title, start, end, book.blocks).body
    matter = known.matter if known else "body"
    read = entry.get("read", True)
    return Chapter(title, start, min(body, end), end, matter, bool(read))


def _meta(meta: Metadata, data: dict[str, Any]) -> Metadata:
    given = {name: one_line(str(data[name])) for name in _FIELDS if data.get(name)}
    author = given.pop("author", "")
    authors = meta.authors if not author or author == meta.author else (author,)
    return replace(meta, authors=authors, **given)
