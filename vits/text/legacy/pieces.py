"""A cleaned text in pieces: words with their place in the source, and what stands between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Piece:
    """Symbols, one a character, for a half-open span of the source. Only words have a place in
    subtitles; spaces and marks are pieces too. `unknown` are characters that have no sound."""

    symbols: str
    start: int
    end: int
    is_word: bool = False
    unknown: tuple[str, ...] = ()


def joined(pieces: Iterable[Piece]) -> str:
    """The cleaned text."""
    return "".join(piece.symbols for piece in pieces)


def shifted(pieces: Iterable[Piece], offset: int) -> list[Piece]:
    """The pieces of a part that starts at `offset` of the whole."""
    return [replace(p, start=p.start + offset, end=p.end + offset) for p in pieces]
