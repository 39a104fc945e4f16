"""What the readers of each language share: the token, the rules' shape, and plain characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

# Letters of the Latin alphabet after `plain`, the marks that combine with them, and characters
# that have no width but may stand inside a word (soft hyphen, joiners).
LATIN = "A-Za-zªºÀ-ÖØ-öø-ʯḀ-ỿﬀ-ﬆ"
# Chinese characters with 〇 and the mark of repetition; Japanese kana with its long mark.
HAN = "\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002ffff\uf900-\ufaff〇々"
KANA = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
INNER = "\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff"
# A name inside a sentence, or an ordinal, before an abbreviation: 'on Main St.', '5th Ave.'
NAME_BEFORE = re.compile(rf"\S\s+(?:[A-Z][{LATIN}]+|\d+(?:st|nd|rd|th))\s$")
WORD = re.compile(rf"[{LATIN}](?:['-]?[{LATIN}{INNER}])*")


@dataclass(frozen=True)
class Token:
    """One written word, or one punctuation mark, as it is spoken.

    `spoken` are the words that espeak gets ('1999' -> 'nineteen', 'ninety-nine'); one between
    slashes is IPA and is taken as it is ('/ˌɛfbˌiːˈaɪ/'). A mark has no spoken words, and `mark`
    is a punctuation symbol. `char_start`, `char_end`: half-open span in the source text.
    """

    spoken: tuple[str, ...]
    mark: str
    char_start: int
    char_end: int


Handler = Callable[["re.Match[str]"], "list[Token] | None"]
Rule = tuple["re.Pattern[str]", Handler]


@dataclass(frozen=True)
class Reader:
    """How one language is read: tried in order, a rule that returns None passes to the next.

    Every pattern is matched at a position of the whole sentence in plain characters, so a handler
    may look around itself in `match.string`.
    """

    number_rules: tuple[Rule, ...]
    word_rules: tuple[Rule, ...]
    symbols: Mapping[str, str]  # characters that are said: '&' -> 'and'
    # Abbreviations in lower case without the dot, by what a dot after them may mean.
    titles: frozenset[str]  # with a capital no sentence ends: 'Mr. Hall'
    never_end: frozenset[str]  # no sentence ends: 'vs. Rome'
    place_names: frozenset[str]  # before a name, or after one: 'St. James', 'Main St.'
    before_number: frozenset[str]  # abbreviations when a number follows: 'No. 5'
    may_end: frozenset[str]  # abbreviations that end a sentence if its usual first words follow
    starters: frozenset[str]  # words that usually open a sentence, lower case
    ordinal_dot: bool = False  # 'am 3. Mai': a number's dot does not end the sentence
    own_letters: str = ""  # of a script without spaces: characters that its own rules read


_CJK = re.compile(rf"[{HAN}{KANA}]")


def is_cjk(char: str) -> bool:
    """Whether a character belongs to a script that puts no spaces between words."""
    return _CJK.match(char) is not None


def rule(pattern: str, handler: Handler, flags: int = 0) -> Rule:
    """A rule from its pattern in text form."""
    return re.compile(pattern, flags), handler


def words(text: str) -> frozenset[str]:
    """The words of a long list."""
    return frozenset(text.split())


def said(text: str, match: re.Match[str], group: int | str = 0) -> list[Token]:
    """The one token that says `text` for a group of `match`."""
    start, end = match.span(group)
    return [Token(tuple(text.split()), "", start, end)]


class _Plain(dict[int, int | str]):
    """str.translate table, filled as characters are met; every character maps to one character,
    so that a position in the plain text is a position in the source."""

    def __missing__(self, code: int) -> int | str:
        self[code] = _plain_char(chr(code))
        return self[code]


_SAME: dict[str, str] = {
    **dict.fromkeys("“”„‟«»″〝〞「」『』《》〈〉", '"'),
    **dict.fromkeys("‘’‚‛‹›′ʻʼˈ`´", "'"),
    **dict.fromkeys("‐‑﹣", "-"),
    **dict.fromkeys("‒–", "–"),
    **dict.fromkeys("—―⸺⸻─", "—"),
    **dict.fromkeys("。｡．", "."),
    **dict.fromkeys("、､，﹐", ","),
    **dict.fromkeys("⋯︙", "…"),
    **dict.fromkeys("【〔［〖", "["),
    **dict.fromkeys("】〕］〗", "]"),
    "−": "−", "\r": " ", "\u0085": "\n", "\u2028": "\n", "\u2029": "\n", "\u000b": "\n",
    "\u000c": "\n", "؟": "?", "،": ",", "؛": ";", "·": "·", "µ": "μ",
}  # fmt: skip


def _plain_char(char: str) -> str:
    if char in _SAME:
        return _SAME[char]
    if char == "\n" or ord(char) < 0x80:
        return " " if char.isspace() and char != "\n" else char
    if char.isspace():
        return " "
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category in {"Lu", "Ll", "Po", "Ps", "Pe", "Sm", "Sc", "Pd"}:
        compatible = unicodedata.normalize("NFKC", char)
        return compatible if len(compatible) == 1 else char
    return char


_plain = _Plain()


def plain(text: str) -> str:
    """`text` with full-width forms, typographic quotes, odd spaces and dashes made ordinary.

    As long as `text`, character by character, so spans hold in both.
    """
    if len(_plain) > 10_000:  # hostile text may hold every character there is
        _plain.clear()
    return text.translate(_plain)


@lru_cache(maxsize=20_000)
def spelling(word: str) -> tuple[str, str]:
    """(what espeak is given, the letters it does not know) for one written word.

    espeak knows Latin letters up to U+017F; later ones lose their accents (ễ -> e).
    """
    kept, lost = [], []
    bare = re.sub(r"[\u00ad\u200b-\u200d\u2060\ufeff]", "", word)
    for char in unicodedata.normalize("NFKC", bare):
        base = char if char <= "\u017f" else unicodedata.normalize("NFD", char)[0]
        if base <= "\u017f":
            kept.append(base)
        elif not unicodedata.combining(base):
            lost.append(char)
    return "".join(kept), "".join(lost)


def roman(numeral: str) -> int | None:
    """The value of a well-formed Roman numeral in capitals, or None."""
    if not re.fullmatch(r"(?=.)M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})", numeral):
        return None
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}[c] for c in numeral]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))
