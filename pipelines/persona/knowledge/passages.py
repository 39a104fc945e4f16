"""A document -> passages: a few sentences under the headings that they stand below."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.books.book import Book
from pipelines.books.language import guess_language

TARGET_WEIGHT = 90.0  # words; a Chinese character counts as half of one
_HAN = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_MARKUP = re.compile(r"\[(?=(?:pause|break)\b)")
_DATE = re.compile(r"(?<!\d)((?:19|20)\d{2})[-./年](\d{1,2})[-./月](\d{1,2})(?!\d)")


@dataclass(frozen=True)
class Passage:
    """A piece of a document. `place`: its headings, then the number of its paragraph from 1."""

    text: str
    headings: tuple[str, ...]
    paragraph: int

    @property
    def place(self) -> str:
        return " > ".join([*self.headings, f"paragraph {self.paragraph}"])


def passages_of(book: Book) -> Iterator[Passage]:
    """The passages of a document in order; what only a reader aloud leaves out is kept."""
    headings: list[tuple[int, str]] = []
    for number, block in enumerate(book.blocks, 1):
        text = block.text.strip()
        if block.kind == "heading" and text:
            headings = [(level, h) for level, h in headings if level < block.level]
            headings.append((block.level, text))
        elif text and block.kind not in ("break", "page-number"):
            path = tuple(heading for _, heading in headings)
            for piece in _packed(text):
                yield Passage(piece, path, number)


def sentences_of(text: str) -> list[str]:
    """Sentences by the rules of the text's language, as a voice would speak them."""
    from vits.text.normalize import READERS
    from vits.text.sentences import batches

    language = guess_language([text])
    reader = READERS.get(language) or READERS["en"]
    plain = _MARKUP.sub("(", text)
    found = [s.text.strip() for batch in batches(iter([plain]), reader) for s in batch]
    return [sentence for sentence in found if sentence]


def _packed(text: str) -> Iterator[str]:
    """Sentences together up to the length that one vector can mean."""
    if _weight(text) <= TARGET_WEIGHT:
        yield text
        return
    piece: list[str] = []
    size = 0.0
    for sentence in sentences_of(text):
        weight = _weight(sentence)
        if piece and size + weight > TARGET_WEIGHT:
            yield _joined(piece)
            piece, size = [], 0.0
        piece.append(sentence)
        size += weight
    if piece:
        yield _joined(piece)


def _joined(sentences: list[str]) -> str:
    between = "" if _HAN.search(sentences[0]) else " "
    return between.join(sentences)


def _weight(text: str) -> float:
    return len(_HAN.sub(" ", text).split()) + len(_HAN.findall(text)) / 2


def date_in(text: str) -> str:
    """The first date in a text as YYYY-MM-DD; '' without one."""
    match = _DATE.search(text)
    if not match or not (1 <= int(match[2]) <= 12 and 1 <= int(match[3]) <= 31):
        return ""
    return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"
