"""What a text speaks of: the curated words of `words.json` found in English, Chinese and Japanese.

Only whole, listed words count, the longest first; phrases that hold a word of another meaning are
listed to be passed over. English words that are also verbs count where an article or the like
stands before them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

PERSONS = ("person", "animal", "bird", "insect", "fish")  # kinds that can be somebody

_DOUBTFUL = frozenset(
    [
        "bear",
        "bat",
        "rose",
        "duck",
        "ring",
        "fly",
        "watch",
        "cock",
        "ram",
        "seal",
        "crane",
        "swallow",
        "robin",
        "star",
        "fair",
        "crown",
        "drum",
        "tower",
        "pipe",
        "horn",
        "lock",
        "clock",
        "book",
        "letter",
        "map",
        "match",
        "pick",
        "fire",
        "ball",
        "chest",
        "brush",
        "paint",
        "leaf",
        "light",
        "park",
        "wood",
        "field",
        "way",
        "lane",
        "shop",
        "hall",
        "square",
        "park",
        "track",
        "den",
        "present",
        "bed",
        "chair",
        "door",
        "fish",
        "ice",
        "shower",
        "coast",
        "cap",
        "coin",
        "gold",
        "seed",
        "bell",
        "cup",
        "sweet",
        "plane",
        "camp",
        "pot",
    ]
)
_BEFORE_NOUN = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "my",
        "your",
        "his",
        "her",
        "its",
        "our",
        "their",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "some",
        "every",
        "each",
        "no",
        "little",
        "small",
        "big",
        "great",
        "old",
        "young",
        "tiny",
        "red",
        "blue",
        "green",
        "golden",
        "silver",
        "black",
        "white",
        "brown",
        "grey",
        "of",
        "in",
        "on",
        "with",
        "and",
        "by",
        "another",
        "first",
        "last",
        "new",
        "warm",
        "cold",
        "wooden",
        "paper",
        "hot",
    ]
)
_NUMBERS = {
    **dict.fromkeys(("two", "both", "两", "二", "2", "２"), 2),
    **dict.fromkeys(("three", "several", "many", "三", "3", "３", "几"), 3),
    **dict.fromkeys(("four", "five", "six", "seven", "四", "五", "六", "七", "群"), 3),
}
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_KANA = re.compile(r"[\u3041-\u309f]+")
_AFTER_KANA = frozenset("はがをにへともので、。」！？!?さちたくやの ・…")
_BEFORE_KANA = frozenset("のないたるては、。「がともを！？っきしにいく ")
_SPACE_FREE = ("zh", "ja")


@dataclass(frozen=True)
class Concept:
    """Something that can be shown. `height` is its share of the page's."""

    name: str
    glyph: str
    kind: str
    height: float


@dataclass(frozen=True)
class Mention:
    """A concept or a setting where the text names it; how many, if it says so."""

    start: int
    end: int
    concept: Concept | None = None
    setting: tuple[str, str] | None = None
    count: int = 1


@dataclass(frozen=True)
class _Table:
    """Words of one language. A word may be a thing and a place at once (castle, village)."""

    meanings: dict[str, tuple[Concept | None, tuple[str, str] | None]]
    longest: int


def mentions(text: str, language: str) -> list[Mention]:
    """Everything that `text` names, in order, none overlapping another."""
    scan = _scan_characters if language in _SPACE_FREE else _scan_words
    return list(scan(text, _table(language if language in ("zh", "ja") else "en"), language))


@lru_cache(maxsize=1)
def _words() -> dict[str, object]:
    text = files("pipelines.story.collage").joinpath("words.json").read_text("utf-8")
    return dict(json.loads(text))


@lru_cache(maxsize=1)
def concepts() -> dict[str, Concept]:
    """Every concept by its name."""
    entries: dict[str, dict[str, object]] = _words()["concepts"]  # type: ignore[assignment]
    return {
        name: Concept(name, str(e["glyph"]), str(e["kind"]), float(e["height"]))  # type: ignore[arg-type]
        for name, e in entries.items()
    }


@lru_cache(maxsize=4)
def _table(language: str) -> _Table:
    words: dict[str, object] = _words()
    found: dict[str, tuple[Concept | None, tuple[str, str] | None]] = {}
    for word in words["ignored"][language]:  # type: ignore[index]
        found[word] = (None, None)
    for setting in words["settings"]:  # type: ignore[attr-defined]
        for word in setting["words"][language]:
            found[word] = (None, (setting["aspect"], setting["value"]))
    for name, entry in words["concepts"].items():  # type: ignore[attr-defined]
        for word in entry["words"][language]:
            word = word.casefold()
            before = found.get(word, (None, None))
            if before[0] is None:
                found[word] = (concepts()[name], before[1])
    longest = max(len(word.split()) for word in found) if language == "en" else max(map(len, found))
    return _Table(found, longest)


def _scan_words(text: str, table: _Table, language: str) -> Iterator[Mention]:
    tokens = [(m.group().casefold(), *m.span()) for m in _WORD.finditer(text)]
    at = 0
    while at < len(tokens):
        for length in range(min(table.longest, len(tokens) - at), 0, -1):
            phrase = tokens[at : at + length]
            meaning = _meaning(" ".join(word for word, _, _ in phrase), table)
            if meaning is None or _is_doubtful(tokens, at, length):
                continue
            before = tokens[max(0, at - 3) : at]
            if meaning != (None, None):
                count = max((_NUMBERS.get(word, 1) for word, _, _ in before), default=1)
                plural = phrase[-1][0].endswith(("s", "ren", "ves", "mice", "geese", "sheep"))
                yield Mention(phrase[0][1], phrase[-1][2], *meaning, count if plural else 1)
            at += length
            break
        else:
            at += 1


def _meaning(phrase: str, table: _Table) -> tuple[Concept | None, tuple[str, str] | None] | None:
    """What a phrase means, in the singular too."""
    phrase = re.sub(r"['’]s?$", "", phrase)
    forms = [phrase]
    if phrase.endswith("ies"):
        forms.append(f"{phrase[:-3]}y")
    if phrase.endswith("es"):
        forms.append(phrase[:-2])
    if phrase.endswith("s"):
        forms.append(phrase[:-1])
    return next((table.meanings[form] for form in forms if form in table.meanings), None)


def _is_doubtful(tokens: list[tuple[str, int, int]], at: int, length: int) -> bool:
    """Whether a word that may be a verb stands where no noun does."""
    if length > 1 or tokens[at][0] not in _DOUBTFUL:
        return False
    return at == 0 or tokens[at - 1][0] not in _BEFORE_NOUN


def _scan_characters(text: str, table: _Table, language: str) -> Iterator[Mention]:
    folded = text.casefold() if len(text.casefold()) == len(text) else text
    at = 0
    while at < len(folded):
        for length in range(min(table.longest, len(folded) - at), 0, -1):
            word = folded[at : at + length]
            if word in table.meanings and not _is_inside_kana(folded, at, length):
                if table.meanings[word] != (None, None):
                    count = max(
                        (_NUMBERS.get(c, 1) for c in folded[max(0, at - 3) : at]), default=1
                    )
                    yield Mention(at, at + length, *table.meanings[word], count)
                at += length
                break
        else:
            at += 1


def _is_inside_kana(text: str, at: int, length: int) -> bool:
    """Whether a short word of hiragana is rather a part of another word."""
    word = text[at : at + length]
    if length > 3 or not _KANA.fullmatch(word):
        return False
    before, after = text[at - 1 : at], text[at + length : at + length + 1]
    inside_left = bool(_KANA.fullmatch(before or " ")) and before not in _BEFORE_KANA
    inside_right = bool(_KANA.fullmatch(after or " ")) and after not in _AFTER_KANA
    return inside_left or inside_right
