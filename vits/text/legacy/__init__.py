"""The cleaners that voices of VITS-fast-fine-tuning name in their configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vits.text.legacy import chinese, japanese
from vits.text.legacy.english import english_pieces
from vits.text.legacy.pieces import Piece, joined, shifted
from vits.text.legacy.tags import parts_of

__all__ = ["CLEANERS", "Cleaner", "Piece", "joined"]


@dataclass(frozen=True)
class Cleaner:
    """One notation: which languages it has, and how each is written.

    `end` is what is added to a text that ends in nothing like a mark.
    """

    readers: Mapping[str, Callable[[str], list[Piece]]]
    needs_end: re.Pattern[str]
    end: str

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.readers)

    def pieces(self, text: str, language: str = "") -> list[Piece]:
        """A text in pieces, its parts by [ZH], [JA], [EN] or else by script, a space between."""
        pieces: list[Piece] = []
        for part in parts_of(text, language, self.languages):
            read = shifted(self.readers[part.language](part.text), part.start)
            if pieces and read:
                pieces.append(Piece(" ", part.start, part.start))
            pieces += read
        pieces = _stripped(pieces)
        if pieces and self.needs_end.search(joined(pieces)):
            pieces.append(Piece(self.end, len(text), len(text)))
        return pieces

    def clean(self, text: str, language: str = "") -> str:
        """The cleaned text as one string."""
        return joined(self.pieces(text, language))


def _stripped(pieces: list[Piece]) -> list[Piece]:
    """Without white space at the ends."""
    while pieces and not pieces[-1].symbols.strip():
        pieces = pieces[:-1]
    while pieces and not pieces[0].symbols.strip():
        pieces = pieces[1:]
    return pieces


def _chinese(notation: Callable[[str], str]) -> Callable[[str], list[Piece]]:
    return lambda text: chinese.chinese_pieces(text, notation)


def _japanese(notation: Callable[[str], str]) -> Callable[[str], list[Piece]]:
    return lambda text: japanese.japanese_pieces(text, notation)


_NO_MARK = re.compile(r"[^.,!?\-…~]$")

CLEANERS: Mapping[str, Cleaner] = {
    "cjke_cleaners2": Cleaner(
        {
            "zh": _chinese(chinese.cjke_ipa),
            "ja": _japanese(japanese.cjke_ipa),
            "en": english_pieces,
        },
        _NO_MARK,
        ".",
    ),
    "zh_ja_mixture_cleaners": Cleaner(
        {"zh": _chinese(chinese.mixture_ipa), "ja": _japanese(japanese.mixture_ipa)},
        _NO_MARK,
        ".",
    ),
    "chinese_cleaners": Cleaner({"zh": _chinese(chinese.bopomofo)}, re.compile("[ˉˊˇˋ˙]$"), "。"),
}
