"""How Japanese is read: words, readings and pitch accent by Open JTalk (pyopenjtalk-plus).

A token is an accent phrase: ↑ stands where its pitch rises, ↓ behind the mora after which it falls.
Voiceless vowels carry a ring below, long ones ː; the moraic nasal takes the place of what follows
(Vance, The Sounds of Japanese, 2008). Latin words are read as English.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vits.errors import UserError
from vits.text import english
from vits.text.tokens import HAN, KANA, LATIN, Reader, Token, rule

_OWN = re.compile(rf"[{HAN}{KANA}]")
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
# Signs and units that Open JTalk does not say as a listener expects.
_WRITTEN = (
    (re.compile(r"(\d),(?=\d{3})"), r"\1"),
    (re.compile(r"(\d{1,2}):(\d{2})(?!\d)"), r"\1時\2分"),
    (re.compile(r"五分(?=[^の五]|$)"), "5分"),  # minutes; as 'half' it is ごぶ
    (re.compile(r"[¥](\d[\d.]*)"), r"\1円"),
    (re.compile(r"\$(\d[\d.]*)"), r"\1ドル"),
    (re.compile(r"km/h"), "キロメートル毎時"), (re.compile(r"(?<=\d)km"), "キロメートル"),
    (re.compile(r"(?<=\d)cm"), "センチメートル"), (re.compile(r"(?<=\d)mm"), "ミリメートル"),
    (re.compile(r"(?<=\d)kg"), "キログラム"), (re.compile(r"(?<=\d)g"), "グラム"),
    (re.compile(r"(?<=\d)m(?!\w)"), "メートル"), (re.compile(r"(?<=\d)(?:°C|℃)"), "度"),
    (re.compile(r"%"), "パーセント"), (re.compile(r"(?<=\d)[~～](?=\d)"), "から"),
)  # fmt: skip
_SUFFIX = r"%|℃|°C|(?:km/h|km|cm|mm|kg|g|m)(?![A-Za-z])|[~～](?=\d)"
_RUN = rf"(?:[{HAN}{KANA}・]|[¥$]?(?:\d{{1,2}}:\d\d|{_NUMBER})(?:{_SUFFIX})?)+"

Mora = tuple[str, bool]  # katakana, whether its vowel is voiceless
_MORA = re.compile(r"([ァ-ヴー][ァィゥェォャュョヮ]?)(’?)")
_CONSONANTS = {
    "カ": "k", "ガ": "ɡ", "サ": "s", "ザ": "z", "タ": "t", "ダ": "d", "ナ": "n", "ハ": "h",
    "バ": "b", "パ": "p", "マ": "m", "ラ": "ɾ", "ア": "", "ヤ": "j", "ワ": "w",
}  # fmt: skip
_ROWS = {
    "カ": "カキクケコ", "ガ": "ガギグゲゴ", "サ": "サシスセソ", "ザ": "ザジズゼゾ",
    "タ": "タチツテト", "ダ": "ダヂヅデド", "ナ": "ナニヌネノ", "ハ": "ハヒフヘホ",
    "バ": "バビブベボ", "パ": "パピプペポ", "マ": "マミムメモ", "ラ": "ラリルレロ",
    "ア": "アイウエオ", "ヤ": "ヤ-ユ-ヨ", "ワ": "ワヰ-ヱヲ",
}  # fmt: skip
_VOWELS = "aiɯeo"
_BEFORE_I = {"s": "ɕ", "z": "dʑ", "t": "tɕ", "d": "dʑ", "n": "ɲ", "h": "ç"}
_BEFORE_U = {"t": "ts", "d": "z", "h": "ɸ"}
_SPECIAL = {
    "ヲ": "o", "ヰ": "i", "ヱ": "e", "ヴ": "vɯ", "ファ": "ɸa", "フィ": "ɸi", "フェ": "ɸe",
    "フォ": "ɸo", "フュ": "ɸjɯ", "ヴァ": "va", "ヴィ": "vi", "ヴェ": "ve", "ヴォ": "vo",
    "ティ": "ti", "ディ": "di", "トゥ": "tɯ", "ドゥ": "dɯ", "テュ": "tjɯ", "デュ": "djɯ",
    "シェ": "ɕe", "ジェ": "dʑe", "チェ": "tɕe", "ツァ": "tsa", "ツィ": "tsi", "ツェ": "tse",
    "ツォ": "tso", "ウィ": "wi", "ウェ": "we", "ウォ": "wo", "イェ": "je", "クァ": "kwa",
    "グァ": "ɡwa", "スィ": "si", "ズィ": "zi", "ヮ": "wa", "ァ": "a", "ィ": "i", "ゥ": "ɯ",
    "ェ": "e", "ォ": "o", "ャ": "ja", "ュ": "jɯ", "ョ": "jo", "クォ": "kwo",
    "クェ": "kwe", "クィ": "kwi",
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One accent phrase: its morae, and the one after which pitch falls (0 for none)."""

    morae: tuple[Mora, ...]
    accent: int


@dataclass(frozen=True)
class Phrase:
    """A span of the run with its accent phrase; a number in digits may have several."""

    start: int
    end: int
    parts: tuple[Part, ...]


@lru_cache(maxsize=1)
def open_jtalk() -> Any:
    """The package. Raises UserError where it is not installed."""
    try:
        import pyopenjtalk
    except ImportError as error:
        raise UserError(
            "Reading Japanese needs pyopenjtalk-plus.",
            'Install it with: pip install "clone-voice[ja]"',
        ) from error
    return pyopenjtalk


def warm_up() -> None:
    """Load the dictionary."""
    phrases("はい")


@lru_cache(maxsize=2048)
def phrases(run: str) -> tuple[Phrase, ...]:
    """The accent phrases of a run of Japanese without punctuation."""
    written = run
    for pattern, said in _WRITTEN:
        written = pattern.sub(said, written)
    words = [w for w in open_jtalk().run_frontend(written) if w["mora_size"] > 0]
    spans = _spans(run, [unicodedata.normalize("NFKC", w["string"]) for w in words])
    found: list[tuple[int, int, list[list[Any]]]] = []
    for word, (start, end) in zip(words, spans, strict=True):
        chained = word["chain_flag"] == 1
        if found and (chained or start < found[-1][1] or start == end):
            first, last, parts = found[-1]
            parts = [*parts[:-1], [*parts[-1], word]] if chained else [*parts, [word]]
            found[-1] = (first, max(end, last), parts)
        else:
            found.append((start, end, [[word]]))
    return tuple(
        Phrase(start, end, tuple(Part(_morae(part), int(part[0]["acc"])) for part in parts))
        for start, end, parts in found
    )


def _spans(run: str, strings: Sequence[str]) -> list[tuple[int, int]]:
    """Where each word stands in the run. Numbers are rewritten by Open JTalk: the words of one
    share the place that no other word claims."""
    flat = "".join(c if len(n := unicodedata.normalize("NFKC", c)) != 1 else n for c in run)
    spans: list[tuple[int, int]] = []
    at, waiting = 0, 0
    for string in strings:
        gap = re.match(rf"[^{HAN}{KANA}]*", flat[at:]) if waiting else re.match("", "")
        assert gap is not None
        place = flat.find(string, at, at + gap.end() + len(string))
        if place < 0:
            waiting += 1
            continue
        spans += [(at, place)] * waiting + [(place, place + len(string))]
        at, waiting = place + len(string), 0
    return spans + [(at, len(run))] * waiting


def _morae(words: Iterable[Any]) -> tuple[Mora, ...]:
    return tuple(
        (kana, bool(ring))
        for word in words
        for kana, ring in _MORA.findall(word["pron"].replace("'", "’"))
    )


def phrase_ipa(phrase: Part) -> str:
    """IPA of one accent phrase with ↑ and ↓."""
    sounds = [mora_ipa(kana, ring) for kana, ring in phrase.morae]
    out, count = "", len(sounds)
    for i, sound in enumerate(sounds):
        kana, following = phrase.morae[i][0], sounds[i + 1] if i + 1 < count else ""
        if kana == "ー":
            sound = "ː"
        elif kana == "ン":
            sound = _nasal(following)
        elif kana == "ッ":
            sound = following[:1] if following and following[0] not in "aiɯeo" else "ʔ"
        out += sound
        if i == 0 and phrase.accent != 1 and count > 1:
            out += "↑"
        if i + 1 == phrase.accent and i + 1 < count:
            out += "↓"
    return out


def _nasal(following: str) -> str:
    """The moraic nasal before a sound: m, n, ɲ, ŋ, or ɴ where no closure follows."""
    if not following:
        return "ɴ"
    if following.startswith(("tɕ", "dʑ", "ɲ")):
        return "ɲ"
    groups = {"m": "pbm", "n": "tdnɾz", "ŋ": "kɡ"}
    return next((nasal for nasal, group in groups.items() if following[0] in group), "ɴ")


@lru_cache(maxsize=512)
def mora_ipa(kana: str, voiceless: bool) -> str:
    """The sound of a mora by itself; '' for ー, ン and ッ, which sound by their neighbours."""
    sound = _SPECIAL.get(kana) or _plain_mora(kana)
    if voiceless and sound and sound[-1] in _VOWELS:
        sound += "\u0325"
    return sound


def _plain_mora(kana: str) -> str:
    if kana in ("ー", "ン", "ッ"):
        return ""
    row = next((r for r, letters in _ROWS.items() if kana[0] in letters), "")
    if not row:
        return ""
    vowel, consonant = _VOWELS[_ROWS[row].index(kana[0])], _CONSONANTS[row]
    if vowel == "i":
        consonant = _BEFORE_I.get(consonant, consonant)
    if vowel == "ɯ":
        consonant = _BEFORE_U.get(consonant, consonant)
    if len(kana) == 1:
        return consonant + vowel
    glide = "" if consonant in ("ɕ", "dʑ", "tɕ", "ɲ", "ç") else "j"
    small = {"ャ": "a", "ュ": "ɯ", "ョ": "o", "ァ": "a", "ィ": "i", "ゥ": "ɯ", "ェ": "e", "ォ": "o"}
    return consonant + (glide if kana[1] in "ャュョ" else "") + small.get(kana[1], "a")


def _tokens(match: re.Match[str]) -> list[Token] | None:
    """The accent phrases of a run, a token each."""
    start = match.start()
    tokens = []
    for phrase in phrases(match[0]):
        spoken = tuple(f"/{ipa}/" for part in phrase.parts if (ipa := phrase_ipa(part)))
        if spoken:
            tokens.append(Token(spoken, "", start + phrase.start, start + phrase.end))
    return tokens or None


def phonemize_clauses(clauses: Sequence[Sequence[str]]) -> list[list[tuple[str, ...]]]:
    """The symbols of each word: IPA that `READER` made, or Latin words read as English."""
    from vits.text.phonemes import foreign_words, symbols_of

    foreign = foreign_words(clauses, "ja", lambda word: word.startswith("/"))
    return [
        [latin[i] if i in latin else symbols_of(word[1:-1]) for i, word in enumerate(clause)]
        for clause, latin in zip(clauses, foreign, strict=True)
    ]


READER = Reader(
    number_rules=(rule(_RUN, _tokens),),
    word_rules=(
        rule(_RUN, _tokens),
        rule(rf"[{LATIN}]+-?\d[{LATIN}\d]*", english.name_with_digits),
        *english.WORD_RULES,
    ),
    symbols={
        "&": "/ando/", "@": "/aʔto/", "+": "/pɯɾasɯ/", "=": "/ikoːɾɯ/", "×": "/kakeɾɯ/",
        "÷": "/waɾɯ/", "°": "/do/", "〒": "/jɯːbimbaŋɡoː/",
    },
    titles=frozenset(),
    never_end=english.READER.never_end,
    place_names=frozenset(),
    before_number=frozenset(),
    may_end=frozenset(),
    starters=frozenset(),
    own_letters=HAN + KANA,
)  # fmt: skip
