"""Chinese for the cleaners of fast-fine-tuning: jieba's words, pypinyin's bopomofo, no sandhi.

The voices were trained on exactly what these two packages say, slips included, so nothing of
`vits/text/chinese.py` is used here. Made from what the cleaners print, not from their source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from vits.text.chinese import jieba
from vits.text.legacy.pieces import Piece
from vits.text.tokens import HAN

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_HAN = re.compile(rf"[{HAN}]")
_TONES = "ˉˊˇˋ˙"
_LETTER_NAMES = (
    "A ㄟˉ B ㄅㄧˋ C ㄙㄧˉ D ㄉㄧˋ E ㄧˋ F ㄝˊㄈㄨˋ G ㄐㄧˋ H ㄝˇㄑㄩˋ I ㄞˋ J ㄐㄟˋ K ㄎㄟˋ "
    "L ㄝˊㄛˋ M ㄝˊㄇㄨˋ N ㄣˉ O ㄡˉ P ㄆㄧˉ Q ㄎㄧㄡˉ R ㄚˋ S ㄝˊㄙˋ T ㄊㄧˋ U ㄧㄡˉ V ㄨㄧˉ "
    "W ㄉㄚˋㄅㄨˋㄌㄧㄡˋ X ㄝˉㄎㄨˋㄙˋ Y ㄨㄞˋ Z ㄗㄟˋ"
)
_LETTERS = dict(re.findall(r"([A-Z]) (\S+)", _LETTER_NAMES))
_TONE_MARKS = {"ˉ": "→", "ˊ": "↑", "ˇ": "↓↑", "ˋ": "↓", "˙": ""}
_MARKS = {
    "，": ",", "。": ".", "！": "!", "？": "?", "；": ",", "：": ",", "、": ",", "—": "-",
    "～": "~",
}  # fmt: skip
# Rimes from the longest on. Initials, then rimes, of `cjke_cleaners2` and of `zh_ja_mixture`.
_CJKE = {
    "ㄅ": "p⁼", "ㄆ": "pʰ", "ㄇ": "m", "ㄈ": "f", "ㄉ": "t⁼", "ㄊ": "tʰ", "ㄋ": "n", "ㄌ": "l",
    "ㄍ": "k⁼", "ㄎ": "kʰ", "ㄏ": "x", "ㄐ": "tʃ⁼", "ㄑ": "tʃʰ", "ㄒ": "ʃ", "ㄓ": "ts`⁼",
    "ㄔ": "ts`ʰ", "ㄕ": "s`", "ㄖ": "ɹ`", "ㄗ": "ts⁼", "ㄘ": "tsʰ", "ㄙ": "s",
    "ㄧㄢ": "jɛn", "ㄩㄢ": "ɥæn", "ㄨㄢ": "wan", "ㄢ": "an", "ㄧㄣ": "in", "ㄩㄣ": "ɥn",
    "ㄨㄣ": "wən", "ㄣ": "ən", "ㄧㄤ": "iɑŋ", "ㄨㄤ": "uɑŋ", "ㄤ": "ɑŋ", "ㄧㄥ": "iŋ",
    "ㄨㄥ": "ʊŋ", "ㄩㄥ": "jʊŋ", "ㄥ": "əŋ", "ㄧㄠ": "iɑʊ", "ㄠ": "ɑʊ", "ㄧㄡ": "joʊ",
    "ㄡ": "oʊ", "ㄧㄝ": "iɛ", "ㄩㄝ": "ɥɛ", "ㄝ": "ɛ", "ㄧㄚ": "ja", "ㄨㄚ": "wa", "ㄚ": "a",
    "ㄧㄞ": "jaɪ", "ㄨㄞ": "waɪ", "ㄞ": "aɪ", "ㄨㄟ": "weɪ", "ㄟ": "eɪ", "ㄧㄛ": "jo",
    "ㄨㄛ": "wo", "ㄛ": "o", "ㄜ": "ə", "ㄦ": "əɹ`", "ㄧ": "i", "ㄨ": "u", "ㄩ": "ɥ",
}  # fmt: skip
_MIXTURE = _CJKE | {
    "ㄏ": "h", "ㄐ": "ʧ⁼", "ㄑ": "ʧʰ", "ㄓ": "ʦ`⁼", "ㄔ": "ʦ`ʰ", "ㄗ": "ʦ⁼", "ㄘ": "ʦʰ",
    "ㄧㄢ": "yeNN", "ㄩㄢ": "ɥaNN", "ㄨㄢ": "waNN", "ㄢ": "aNN", "ㄧㄣ": "iNN", "ㄩㄣ": "ɥNN",
    "ㄨㄣ": "wəNN", "ㄣ": "əNN", "ㄧㄤ": "yaNg", "ㄨㄤ": "waNg", "ㄤ": "aNg", "ㄧㄥ": "iNg",
    "ㄨㄥ": "uNg", "ㄩㄥ": "yuNg", "ㄥ": "əNg", "ㄧㄠ": "yau", "ㄠ": "au", "ㄧㄡ": "you",
    "ㄡ": "ou", "ㄧㄝ": "ye", "ㄩㄝ": "ɥe", "ㄝ": "e", "ㄧㄚ": "ya", "ㄧㄞ": "yai", "ㄨㄞ": "wai",
    "ㄞ": "ai", "ㄨㄟ": "wei", "ㄟ": "ei", "ㄧㄛ": "yo",
}  # fmt: skip
_APICAL = {"ㄓ": "ɹ`", "ㄔ": "ɹ`", "ㄕ": "ɹ`", "ㄖ": "ɹ`", "ㄗ": "ɹ", "ㄘ": "ɹ", "ㄙ": "ɹ"}

Notation = Callable[[str], str]


def chinese_pieces(text: str, notation: Notation) -> list[Piece]:
    """Words in a notation, spaces between them, marks at the word before."""
    spoken, places = _with_words_for_numbers(text)
    pieces: list[Piece] = []
    at, ends = 0, [*places, len(text)]
    for word in jieba().lcut(spoken):
        start, end = ends[at], max(ends[at] + 1, ends[at + len(word)])
        at += len(word)
        if not _HAN.search(word):
            pieces.append(Piece(notation(_letters(word)), start, end, word.isalnum()))
            continue
        syllables, unknown = _bopomofo(word)
        symbols = notation(syllables)
        if pieces and pieces[-1].is_word and start == pieces[-1].start:  # one number, many words
            symbols = f"{pieces.pop().symbols} {symbols}"
        elif pieces:
            pieces.append(Piece(" ", start, start))
        pieces.append(Piece(symbols, start, end, True, unknown))
    return pieces


def _with_words_for_numbers(text: str) -> tuple[str, list[int]]:
    """(text with numbers in characters, the place in `text` of each of its characters)."""
    import cn2an

    out, at = "", 0
    places: list[int] = []
    for match in _NUMBER.finditer(text):
        out += text[at : match.start()]
        places += range(at, match.start())
        number = match[0]
        said = str(cn2an.an2cn(number)) if len(number) <= 16 else number
        out += said
        places += [match.start()] * len(said)
        at = match.end()
    plain = out + text[at:]
    return re.sub("[、；：]", "，", plain), [*places, *range(at, len(text))]


def _letters(word: str) -> str:
    """Latin letters by their Chinese names."""
    return "".join(_LETTERS.get(char.upper(), char) for char in word)


@lru_cache(maxsize=20_000)
def _bopomofo(word: str) -> tuple[str, tuple[str, ...]]:
    """(syllables, first tones marked too; characters without a reading)."""
    from pypinyin import Style, lazy_pinyin

    out, unknown = "", []
    for syllable in lazy_pinyin(word, style=Style.BOPOMOFO):
        if "ㄅ" <= syllable[:1] <= "ㄩ":
            out += syllable if syllable[-1] in _TONES else f"{syllable}ˉ"
        else:
            unknown += [char for char in syllable if _HAN.match(char)]
            out += "".join(char for char in syllable if not _HAN.match(char))
    return out, tuple(unknown)


def bopomofo(text: str) -> str:
    """The notation of `chinese_cleaners`: as it is."""
    return text


def cjke_ipa(text: str) -> str:
    """The notation of `cjke_cleaners2`."""
    return _ipa(text, _CJKE)


def mixture_ipa(text: str) -> str:
    """The notation of `zh_ja_mixture_cleaners`."""
    return _ipa(text, _MIXTURE)


_SYLLABLE = re.compile(r"([ㄅ-ㄙ]?)([ㄚ-ㄩ]{0,2})([ˉˊˇˋ˙])")


def _ipa(text: str, table: Mapping[str, str]) -> str:
    said = _SYLLABLE.sub(lambda match: _syllable(match, table), text)
    return "".join(_MARKS.get(char, char) for char in said)


def _syllable(match: re.Match[str], table: Mapping[str, str]) -> str:
    initial, rime, tone = match.groups()
    vowel = table.get(rime) if rime else ""
    if vowel is None:  # two rimes that make no syllable together
        vowel = "".join(table[char] for char in rime)
    if not rime and tone != "˙":  # a bare initial has a vowel but in a neutral tone
        vowel = _APICAL.get(initial, "")
    return table.get(initial, "") + vowel + _TONE_MARKS[tone]
