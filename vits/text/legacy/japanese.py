"""Japanese for the cleaners of fast-fine-tuning: Open JTalk's phonemes with ↑ and ↓ for its accent.

Made from what the cleaners print, not from their source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vits.text.japanese import Mora, Phrase, mora_ipa, phrases
from vits.text.legacy.pieces import Piece
from vits.text.tokens import HAN, KANA

_SPOKEN = re.compile(rf"[A-Za-z\d{HAN}{KANA}]+(?:[,.:][\d]+[A-Za-z\d{HAN}{KANA}]*)*")
_MARKS = {
    "、": ",", "。": ".", "！": "!", "？": "?", "，": ",", "「": "[", "」": "]",
    "『": "{", "』": "}",
    "（": "(", "）": ")", "・": "*", "〜": "~", "～": "~", "—": "-", "―": "-", "：": ":", "；": ";",
}  # fmt: skip
# IPA of our own reader -> Open JTalk's names of consonants.
_CONSONANTS = {"ɕ": "sh", "tɕ": "ch", "dʑ": "j", "ɸ": "f", "ɾ": "r", "ɡ": "g", "ɸj": "fy"}
_CJKE = (
    (r"ch", "tʃ"), (r"sh", "ʃ"), (r"hy", "ç"), (r"h(?=[↑↓]?i)", "ç"), (r"ny", "n^"),
    (r"n(?=i)", "n^"), (r"j", "dʑ"), (r"y", "j"), (r"r", "ɾ"), (r"f", "ɸ"), (r"u", "ɯ"),
    (r"U", "ɯ*"), (r"([IAEO])", lambda m: f"{m[1].lower()}*"),
    (r"N(?=[↑↓]?[pbm])", "m"), (r"N(?=[↑↓]?(?:tʃ|dʑ))", "n^"), (r"N(?=[↑↓]?[tdnɾ])", "n"),
    (r"N(?=[↑↓]?[kg])", "ŋ"), (r"Q([↑↓]?)(.)", r"\2#\1\2"), (r"Q", "ʔ"),
)  # fmt: skip
_MIXTURE = ((r"ch", "ʧ"), (r"sh", "ʃ"), (r"ts", "ʦ"), (r"u", "ɯ"))

Notation = Callable[[str], str]


def japanese_pieces(text: str, notation: Notation) -> list[Piece]:
    """Accent phrases in a notation, spaces between them, marks at the phrase before."""
    pieces: list[Piece] = []
    at = 0
    for match in _SPOKEN.finditer(text):
        pieces += _marks(text[at : match.start()], at)
        if pieces:
            pieces.append(Piece(" ", match.start(), match.start()))
        pieces += _segment(match[0], match.start(), notation)
        at = match.end()
    return pieces + _marks(text[at:], at)


def _marks(text: str, at: int) -> list[Piece]:
    written = "".join(_MARKS.get(char, char) for char in text.replace("…", "...") if char != " ")
    return [Piece(written, at, at + len(text))] if written else []


def _segment(text: str, offset: int, notation: Notation) -> Iterator[Piece]:
    found = phrases(text)
    for phrase, raw in zip(found, _accented(found), strict=True):
        symbols = notation(raw.rstrip(" "))
        yield Piece(symbols, offset + phrase.start, offset + phrase.end, True)
        if raw.endswith(" "):
            yield Piece(" ", offset + phrase.end, offset + phrase.end)


@dataclass(frozen=True)
class _Phoneme:
    """A phoneme, the number of its mora in its accent phrase, and how many morae that has."""

    name: str
    mora: int
    n_morae: int
    accent: int
    phrase: int


def _accented(found: tuple[Phrase, ...]) -> list[str]:
    """Each phrase's phonemes with ↓ where pitch falls, ↑ where it rises, and a space behind every
    phoneme of a phrase's last mora that the first mora of a phrase follows."""
    row = list(_phonemes(found))
    said = [""] * len(found)
    for here, after in zip(row, [*row[1:], None], strict=True):
        following = after.mora if after else -1
        said[here.phrase] += here.name
        if here.mora == here.n_morae and following == 1:
            said[here.phrase] += " "
        elif here.mora == here.accent and following == here.mora + 1:
            said[here.phrase] += "↓"
        elif here.mora == 1 and following == 2:
            said[here.phrase] += "↑"
    return said


def _phonemes(found: tuple[Phrase, ...]) -> Iterator[_Phoneme]:
    for number, phrase in enumerate(found):
        for part in phrase.parts:
            count, vowel = len(part.morae), ""
            for place, mora in enumerate(part.morae, 1):
                names = _names(mora, vowel)
                vowel = names[-1].lower() if names else vowel
                for name in names:
                    yield _Phoneme(name, place, count, part.accent or count, number)


def _names(mora: Mora, vowel: str) -> list[str]:
    """Open JTalk's names of a mora's phonemes; a long mark repeats the vowel before it."""
    kana, voiceless = mora
    if kana in ("ー", "ン", "ッ"):
        return [{"ー": vowel, "ン": "N", "ッ": "Q"}[kana]]
    ipa = mora_ipa(kana, False)
    if not ipa:
        return []
    consonant, last = ipa[:-1], ipa[-1]
    vowel = "u" if last == "ɯ" else last
    name = _CONSONANTS.get(consonant)
    if name is None:
        name = {"ɲ": "n" if vowel == "i" else "ny", "ç": "h" if vowel == "i" else "hy"}.get(
            consonant, consonant.replace("ɾ", "r").replace("ɡ", "g").replace("j", "y")
        )
    return [*([name] if name else []), vowel.upper() if voiceless else vowel]


def cjke_ipa(phonemes: str) -> str:
    """The notation of `cjke_cleaners2`."""
    for pattern, said in _CJKE:
        phonemes = re.sub(pattern, said, phonemes)
    return phonemes


def mixture_ipa(phonemes: str) -> str:
    """The notation of `zh_ja_mixture_cleaners`."""
    for pattern, said in _MIXTURE:
        phonemes = re.sub(pattern, said, phonemes)
    return phonemes
