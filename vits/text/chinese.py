"""How Chinese is read: words by jieba, readings by pypinyin, then erhua, neutral tones and sandhi.

`READER` turns characters into words and numbers into characters; `phonemize_clauses` turns the
words of a clause into symbols. Latin words are read as English, between language marks.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from vits.text import english
from vits.text.chinese_numbers import NUMBER_RULES, UNITS, digit_by_digit
from vits.text.chinese_readings import WORDS, depends, in_context, in_word
from vits.text.chinese_tones import neutralised, sandhi
from vits.text.english_numbers import spell
from vits.text.pinyin import syllable_ipa
from vits.text.tokens import HAN, LATIN, Reader, Token, rule

_CACHED_WORDS = 20_000
_RUN = re.compile(rf"[{HAN}]+")
# 儿 is a syllable of its own in these, and in names of people (女儿, not 花儿).
_FULL_ER = re.compile(
    r"(女|婴|幼|孤|胎|男|健|少|小|宠|宁馨|混血|低能|产|育|托|患|弃|生|妻|侄|娇|乞|麟|吉|卡塔|海)儿$|儿.|^儿"
)


def _words(match: re.Match[str]) -> list[Token]:
    """The words of a run of characters, a token each."""
    tokens: list[Token] = []
    at = match.start()
    for word in cut(match[0]):
        tokens.append(Token((word,), "", at, at + len(word)))
        at += len(word)
    return tokens


@lru_cache(maxsize=1024)
def cut(run: str) -> tuple[str, ...]:
    """A run of characters as words of the dictionary; jieba's guesses at new words tear old ones
    apart ('快乐 地唱'). 儿 belongs to the word before it."""
    words: list[str] = []
    for word in jieba().cut(run, HMM=False):
        if word == "儿" and words and not _FULL_ER.search(f"{words[-1]}儿"):
            words[-1] += word
        else:
            words.append(word)
    return tuple(words)


@lru_cache(maxsize=1)
def jieba() -> Any:
    """jieba's tokenizer with its dictionary, which takes seconds to load the first time."""
    import jieba as package

    package.setLogLevel(logging.WARNING)
    return package.Tokenizer()


def _name_with_digits(match: re.Match[str]) -> list[Token] | None:
    """'A4', 'MP3', '5G': letters as English says them, digits as Chinese does."""
    spoken: list[str] = []
    for part in re.findall(rf"[{LATIN}]+|\d+", match[0]):
        if part.isdigit():
            spoken.append(digit_by_digit(part))
        elif len(part) <= 4 and part.isupper():
            spoken += spell(part).split()
        else:
            spoken.append(part)
    return [Token(tuple(spoken), "", *match.span())]


def phonemize_clauses(clauses: Sequence[Sequence[str]]) -> list[list[tuple[str, ...]]]:
    """The symbols of each word of each clause; a Latin word begins and ends with its language."""
    from vits.text.phonemes import foreign_words, symbols_of

    foreign = foreign_words(clauses, "zh", lambda word: _RUN.search(word) is not None)
    result = []
    for clause, latin in zip(clauses, foreign, strict=True):
        sounds: list[tuple[str, ...]] = [()] * len(clause)
        for index, sound in latin.items():
            sounds[index] = sound
        han = [i for i in range(len(clause)) if i not in latin]
        for index, syllables in zip(han, _read([clause[i] for i in han]), strict=True):
            sounds[index] = symbols_of(syllables)
        result.append(sounds)
    return result


def _read(words: Sequence[str]) -> list[str]:
    """IPA of each word of a clause."""
    syllables = clause_pinyin(words)
    last = [i for i, word in enumerate(syllables) if word]
    said = []
    for i, word in enumerate(syllables):
        final = bool(last) and i == last[-1]
        said.append(_word_ipa(word, final))
    return said


def _word_ipa(syllables: Sequence[str], final: bool) -> str:
    """A word's IPA, '' for what cannot be said; 'r5' rhotacises the syllable before it."""
    ipa, count = "", len(syllables)
    for i, syllable in enumerate(syllables):
        if syllable == "r5":
            continue
        erhua = i + 1 < count and syllables[i + 1] == "r5"
        end = final and all(s == "r5" for s in syllables[i + 1 :])
        try:
            ipa += syllable_ipa(syllable, erhua=erhua, last=end)
        except ValueError:  # readings of a few rare characters are no Mandarin
            return ""
    return ipa


def clause_pinyin(words: Sequence[str]) -> list[list[str]]:
    """The syllables of each word as they are said in this clause, 'r5' for erhua."""
    read = [list(word_pinyin(word)) for word in words]
    for i, word in enumerate(words):
        if depends(word):
            before, after = "".join(words[:i]), "".join(words[i + 1 :])
            read[i] = in_context(word, before, after) or read[i]
    flat = "".join(words)
    if sum(map(len, read)) != len(flat):  # something that is no character
        return read
    return sandhi(words, [neutralised(w, r) for w, r in zip(words, read, strict=True)])


@lru_cache(maxsize=_CACHED_WORDS)
def word_pinyin(word: str) -> tuple[str, ...]:
    """The syllables of a word alone, from the dictionary, erhua marked."""
    known = WORDS.get(word)
    syllables = known.split() if known else in_word(word, _dictionary(word))
    if len(word) > 1 and word.endswith("儿") and not _FULL_ER.search(word):
        return (*syllables[:-1], "r5")
    return tuple(syllables)


def _dictionary(word: str) -> list[str]:
    from pypinyin import Style, lazy_pinyin

    read = lazy_pinyin(
        word, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False, errors="ignore"
    )
    return list(read)


def _maybe_name(match: re.Match[str]) -> list[Token] | None:
    """'5G', '3D' are names; '5km' is a number with its unit."""
    letters = match[0].lstrip("0123456789")
    return None if letters in UNITS and letters not in ("A", "V", "W") else _name_with_digits(match)


READER = Reader(
    number_rules=(
        rule(rf"\d+[A-Za-z][{LATIN}\d]*+(?![²³/])", _maybe_name),
        *NUMBER_RULES,
    ),
    word_rules=(
        rule(rf"[{HAN}]+", _words),
        rule(rf"[{LATIN}]+-?\d[{LATIN}\d]*", _name_with_digits),
        *english.WORD_RULES,
    ),
    symbols={
        "&": "和", "@": "艾特", "%": "百分之", "+": "加", "=": "等于", "×": "乘", "÷": "除以",
        "±": "正负", "°": "度", "℃": "摄氏度", "€": "欧元", "£": "英镑", "$": "美元", "¥": "元",
        "²": "平方", "³": "立方", "≈": "约等于", "≠": "不等于", "≤": "小于等于", "≥": "大于等于",
        "<": "小于", ">": "大于", "∞": "无穷大", "√": "根号", "№": "第", "‰": "千分之",
    },
    titles=frozenset(),
    never_end=english.READER.never_end,
    place_names=frozenset(),
    before_number=frozenset(),
    may_end=frozenset(),
    starters=frozenset(),
    own_letters=HAN,
)  # fmt: skip
