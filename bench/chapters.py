"""Are the chapters of a book found, by name and place? On books that other programs wrote.

A chapter is right if one begins with its first words and its title says its heading. What is found
too much counts as wrong, and so does a word of front or back matter that would be read aloud.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from bench.settings import ROOT, Settings
from bench.table import Row, Target

BOOKS = ROOT / "tests" / "books"
RIGHT = 95.0  # per cent
PIECES = (10.0, 40.0)  # minutes, of a book without headings
WORDS_PER_MINUTE = 160.0


@dataclass(frozen=True)
class Score:
    """One book: chapters it has, those found rightly, and in words what is wrong."""

    name: str
    chapters: int
    right: int
    wrong: tuple[str, ...]


def chapters(settings: Settings) -> list[Row]:
    """The share of chapters found over all books, and a row for each book that is not all right."""
    scores = [score(name, truth) for name, truth in shelf().items()]
    right, whole = sum(s.right for s in scores), sum(s.chapters for s in scores)
    perfect = sum(s.right == s.chapters for s in scores)
    rows = [
        Row(f"chapters found right, {whole} in {len(scores)} books", 100 * right / whole, "%",
            Target(RIGHT, True), f"{perfect} books wholly right"),
    ]  # fmt: skip
    for found in scores:
        if found.wrong:
            share = 100 * found.right / found.chapters
            rows.append(Row(f"{found.name}: the same", share, "%", note="; ".join(found.wrong[:3])))
    return rows


def shelf() -> dict[str, Any]:
    """What is true of each book, by its file's name."""
    found: dict[str, Any] = json.loads((BOOKS / "truth.json").read_text("utf-8"))
    return found


def score(name: str, truth: dict[str, Any]) -> Score:
    """Read a book and compare."""
    from pipelines.books.reading import read_book

    book = read_book(BOOKS / name)
    read = [chapter for chapter in book.chapters if chapter.read]
    if truth["chapters"][0][0] == "":
        return _by_length(name, [book.words(chapter) for chapter in read])
    begins = [(_bare(book.text(chapter)), chapter.title) for chapter in read]
    wrong, right = [], 0
    for heading, first in truth["chapters"]:
        place = _bare(first)
        title = next((title for text, title in begins if text.startswith(place)), None)
        if title is None:
            wrong.append(f"no chapter where '{_line(heading)}' begins")
        elif _bare(heading) not in _bare(title):
            wrong.append(f"'{_line(heading)}' is called '{title}'")
        else:
            right += 1
    text = "\n".join(book.text(chapter) for chapter in read)
    wrong += [f"'{words}' is read" for words in truth["unheard"] if words in text]
    extra = len(read) - len(truth["chapters"])
    if extra > 0:
        wrong.append(f"{extra} chapters too many")
    return Score(name, max(len(read), len(truth["chapters"])), right, tuple(wrong))


def _by_length(name: str, words: list[float]) -> Score:
    """A book without headings: pieces of 10 to 40 minutes are right."""
    low, high = (minutes * WORDS_PER_MINUTE for minutes in PIECES)
    right = sum(low <= count <= high for count in words)
    wrong = () if right == len(words) else (f"{len(words) - right} pieces too short or long",)
    return Score(name, len(words), right, wrong)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _line(heading: str) -> str:
    return " ".join(heading.split())
