"""What a book is here: its blocks in reading order, its chapters, and what is known about it.

Every reader makes a `Draft` (blocks, marks of the book's own navigation, metadata); `chapters.py`
makes a `Book` of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal[
    "text",
    "heading",
    "verse",
    "item",
    "break",
    "footnote",
    "page-number",
    "table",
    "code",
    "caption",
]
Matter = Literal["front", "body", "back"]
# What a listener does not want to hear, and can ask for by these names.
OPTIONAL: dict[str, str] = {
    "footnotes": "footnote",
    "page-numbers": "page-number",
    "tables": "table",
    "code": "code",
    "captions": "caption",
}
MATTERS = ("front", "back")
KEEPABLE = (*OPTIONAL, *MATTERS)

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
WORDS_PER_MINUTE = 160.0  # as narrators read
CJK_PER_WORD = 1.8  # characters that take as long as an English word


@dataclass(frozen=True)
class Block:
    """A paragraph, a heading, a line of verse. `level` counts headings from 1."""

    kind: Kind
    text: str
    level: int = 0


@dataclass(frozen=True)
class Mark:
    """Where a part begins by the book's own navigation or headings: `block` is the first block."""

    title: str
    block: int
    depth: int = 0
    matter: Matter | None = None


@dataclass(frozen=True)
class Metadata:
    """What the book says about itself; empty where it says nothing. `year` is four digits."""

    title: str = ""
    authors: tuple[str, ...] = ()
    language: str = ""  # BCP 47
    series: str = ""
    series_index: str = ""
    year: str = ""
    publisher: str = ""
    description: str = ""
    identifier: str = ""

    @property
    def author(self) -> str:
        return ", ".join(self.authors)


@dataclass
class Draft:
    """A book as its reader found it. `marks` are those of a navigation, not of headings."""

    meta: Metadata = field(default_factory=Metadata)
    blocks: list[Block] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    cover: bytes | None = None
    notes: list[str] = field(default_factory=list)  # what was passed over, for people


@dataclass(frozen=True)
class Chapter:
    """Blocks `start` to `end` of the book; those before `body` are headings that `title` says.

    `read` is whether it is read aloud.
    """

    title: str
    start: int
    body: int
    end: int
    matter: Matter = "body"
    read: bool = True


@dataclass(frozen=True)
class Book:
    """A whole book, ready to be read aloud."""

    meta: Metadata
    blocks: tuple[Block, ...]
    chapters: tuple[Chapter, ...]
    cover: bytes | None = None
    notes: tuple[str, ...] = ()

    def heard(self, chapter: Chapter, keep: Collection[str] = ()) -> Iterator[Block]:
        """The blocks of a chapter that a listener hears, without the headings its title says."""
        left_out = {kind for name, kind in OPTIONAL.items() if name not in keep}
        for block in self.blocks[chapter.body : chapter.end]:
            if block.kind not in left_out:
                yield block

    def keeping(self, keep: Collection[str]) -> Book:
        """The same with front or back matter read too, where `keep` names them."""
        if not set(keep) & set(MATTERS):
            return self
        chapters = (replace(c, read=c.read or c.matter in keep) for c in self.chapters)
        return replace(self, chapters=tuple(chapters))

    def text(self, chapter: Chapter, keep: Collection[str] = ()) -> str:
        """What is heard of a chapter as plain text, paragraphs apart, its title left out."""
        texts = (block.text for block in self.heard(chapter, keep) if block.kind != "break")
        return "\n\n".join(texts)

    def words(self, chapter: Chapter, keep: Collection[str] = ()) -> float:
        """Its length in English words, as far as it is heard."""
        return sum(word_count(block.text) for block in self.heard(chapter, keep))


def word_count(text: str) -> float:
    """How long a text is to read aloud, in English words."""
    asian = len(_CJK.findall(text))
    return len(_WORD.findall(_CJK.sub(" ", text))) + asian / CJK_PER_WORD


def one_line(text: str) -> str:
    """All white space as single spaces."""
    return " ".join(text.split())


def bare(text: str) -> str:
    """Its letters and digits alone, in small letters: to compare titles by."""
    return re.sub(r"[\W_]+", "", text).casefold()
