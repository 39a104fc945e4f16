"""Written text -> spoken words and punctuation, each with its span in the source.

The text is scanned once from left to right. At each place the user's lexicon is asked, then the
rules of the language (`english.py`, `chinese.py`), then what all languages share: words, marks,
signs that have a name, and typography that is not said. What is left cannot be spoken; it is
returned, so that nothing is lost silently.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from vits.text import chinese, english, german, japanese
from vits.text.lexicon import Lexicon
from vits.text.tokens import LATIN, WORD, Reader, Token, is_cjk, plain, spelling

READERS: dict[str, Reader] = {
    "en": english.READER,
    "de": german.READER,
    "zh": chinese.READER,
    "ja": japanese.READER,
}

_MARK = re.compile(r"(?:[.!?;:…]|,)(?:\s*[.!?;:…,])*")
_DASH = re.compile(r"-{2,}|—+|(?<=\s)[-–](?=\s)|–(?=\s)|(?<=\s)–")
_BRACKETS = frozenset("()[]{}")
# Typography that is seen and not said: quotes, bullets, emphasis, rules, joints of words.
_SILENT = frozenset("\"'*_~^|<>#•·‣◦▪●○■□◆†‡¶-–—")
_STRENGTH = "?!….—;:,"  # of several marks in a row the one further left is kept
_JOINERS = frozenset("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f")
_GREEK_LIST = (
    "α alpha β beta γ gamma δ delta ε epsilon ζ zeta η eta θ theta ι iota κ kappa λ lambda μ mu "
    "ν nu ξ xi ο omicron π pi ρ rho σ sigma τ tau υ upsilon φ phi χ chi ψ psi ω omega"
)
_GREEK = dict(re.findall(r"(\S) (\S+)", _GREEK_LIST))
_LONGEST_WORD = 40  # letters; espeak's own buffer for a word is short


@dataclass(frozen=True)
class Normalized:
    """The tokens of a text in order, and the positions in it that cannot be spoken."""

    tokens: tuple[Token, ...]
    unknown: tuple[int, ...]


def normalize(text: str, language: str, lexicon: Lexicon | None = None) -> Normalized:
    """Read `text`, at best one sentence or paragraph, by the rules of `language`."""
    reader, flat = READERS[language], plain(text)
    tokens: list[Token] = []
    unknown: list[int] = []
    entries = _entries_inside(flat, reader, lexicon)
    position = 0
    while position < len(flat):
        end = next((at for at in entries if at > position), len(flat))
        found = [] if flat[position].isspace() else _read(flat, position, end, reader, lexicon)
        if found:
            tokens += [_spellable(token, unknown, flat, reader) for token in found]
            position = found[-1].char_end
            continue
        if not _is_silent(flat[position]):
            unknown.append(position)
        position += 1
    return Normalized(tuple(t for t in tokens if t.spoken or t.mark), tuple(unknown))


def _entries_inside(flat: str, reader: Reader, lexicon: Lexicon | None) -> list[int]:
    """Where entries of the lexicon stand in a text without spaces: no rule may read over them."""
    if not (lexicon and reader.own_letters):
        return []
    return [i for i, char in enumerate(flat) if is_cjk(char) and lexicon.match(flat, i)]


def _read(flat: str, at: int, end: int, reader: Reader, lexicon: Lexicon | None) -> list[Token]:
    char = flat[at]
    if lexicon and not (at and flat[at - 1].isalnum() and char.isalnum() and not is_cjk(char)):
        entry = lexicon.match(flat, at)
        if entry:
            return [entry]
    rules = reader.word_rules if char.isalpha() else reader.number_rules
    for pattern, handler in rules:
        match = pattern.match(flat, at, end)
        if match and match.end() > at:
            tokens = handler(match)
            if tokens:
                return tokens
    return _common(flat, at, reader)


def _common(flat: str, at: int, reader: Reader) -> list[Token]:
    """Words, marks, brackets and named signs: the same in every language."""
    match = WORD.match(flat, at)
    if match:
        return [Token((match[0],), "", at, match.end())]
    for pattern in (_MARK, _DASH):
        match = pattern.match(flat, at)
        if match:
            marks = [mark for mark in _STRENGTH if mark in _as_marks(match[0])]
            return [Token((), marks[0], at, match.end())]
    char = flat[at]
    if char in _BRACKETS:
        return [Token((), ",", at, at + 1)]
    if char in reader.symbols and not _is_decoration(flat, at):
        return [Token(tuple(reader.symbols[char].split()), "", at, at + 1)]
    name = _GREEK.get(char.lower())
    if name and not _beside_letter(flat, at):
        return [Token((name,), "", at, at + 1)]
    return []


def _as_marks(written: str) -> str:
    if set(written) <= set("-–—"):
        return "—"
    return re.sub(r"\.\s*\.(\s*\.)*", "…", written)


def _is_decoration(flat: str, at: int) -> bool:
    """A run of the same sign ('=====', '///') is a line, not words."""
    return flat[at] in flat[max(0, at - 1) : at] + flat[at + 1 : at + 2]


def _beside_letter(flat: str, at: int) -> bool:
    around = flat[max(0, at - 1) : at] + flat[at + 1 : at + 2]
    return any(char.isalpha() and not re.match(rf"[{LATIN}]", char) for char in around)


def is_unspoken(char: str) -> bool:
    """Whether a character is punctuation, space or typography, which is not said as a word."""
    char = plain(char)
    return _is_silent(char) or char in _BRACKETS or char in ".,!?;:…"


def _is_silent(char: str) -> bool:
    return char.isspace() or char in _SILENT or char in _JOINERS or char in "/\\=+"


def _spellable(token: Token, unknown: list[int], flat: str, reader: Reader) -> Token:
    """The token with words that espeak can read; letters it cannot are put into `unknown`."""
    spoken: list[str] = []
    for word in token.spoken:
        if word.startswith("/") or (reader.own_letters and any(map(is_cjk, word))):
            spoken.append(word)
            continue
        known, lost = spelling(word)
        if lost:
            span = range(token.char_start, token.char_end)
            unknown.extend(at for at in span if spelling(flat[at])[1])
        spoken += [known[i : i + _LONGEST_WORD] for i in range(0, len(known), _LONGEST_WORD)]
    return Token(tuple(spoken), token.mark, token.char_start, token.char_end)


def foreign_letters(text: str) -> str:
    """The letters of `text` that are not Latin, in order, each once."""
    flat = plain(text)
    other = (
        c for c in flat if unicodedata.category(c)[0] == "L" and not re.match(rf"[{LATIN}]", c)
    )
    return "".join(dict.fromkeys(other))
