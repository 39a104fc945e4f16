"""A person's habits, measured on their own turns while these pass by, in flat memory.

What is favoured is what the person says more often than those they talk with do (log-odds with an
informative prior: Monroe, Colaresi, Quinn, "Fightin' Words", 2008).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pipelines.persona.namelists import STOP_WORDS
from pipelines.persona.patterns import GREETINGS, LAUGHTER, PARTINGS, REASONING

MOST_WORDS = 50_000  # kept in a counter; beyond that the rare ones go
MOST_LINES = 3  # cited for a pattern
SHOWN = 12
PRIOR = 500.0  # words that are taken as seen before
_EMOJI = re.compile(
    "[\U0001f300-\U0001faff\u2600-\u27bf][\ufe0f\U0001f3fb-\U0001f3ff]?(?:\u200d[\U0001f300-\U0001faff\u2640\u2642]\ufe0f?)*"
)
_FACES = re.compile(r"[:;]-?[)(DPp/](?!\w)|<3|\^_\^|\[(?!\w+ \d+\])[\u4e00-\u9fffA-Za-z]{1,6}\]")
_SENTENCE = re.compile(r"[^.!?。！？…\n]+")
_LATIN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_PSEUDONYM = re.compile(r"\[(?:email|account|id|card|phone|address) \d+\]")


@cache
def segmenter() -> Any:
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)
    return jieba


def words_of(text: str) -> list[str]:
    """Words in lower case; Chinese by jieba."""
    text = _PSEUDONYM.sub(" ", text)
    if not _HAN.search(text):
        return [word.lower() for word in _LATIN.findall(text)]
    cut = segmenter().cut(text)
    return [word.lower() for word in cut if _LATIN.fullmatch(word) or _HAN.match(word)]


def language_of(text: str) -> str:
    """'ja', 'zh' or, for all that is written in other letters, 'latin'."""
    if _KANA.search(text):
        return "ja"
    return "zh" if _HAN.search(text) else "latin"


def pruned(counter: Counter[str]) -> None:
    """Keep a counter bounded: the rarest half goes."""
    if len(counter) > MOST_WORDS:
        kept = counter.most_common(MOST_WORDS // 2)
        counter.clear()
        counter.update(dict(kept))


@dataclass
class Cited:
    """How often something was seen, and the first few places."""

    count: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        self.count += 1
        if len(self.lines) < MOST_LINES:
            self.lines.append(place)


@dataclass
class Habits:
    """Counts of what a person writes and, to compare with, of what others write to them."""

    turns: int = 0
    laughing: int = 0
    with_emoji: int = 0
    questions: int = 0
    exclamations: int = 0
    sentences: Counter[int] = field(default_factory=Counter)  # by length
    languages: Counter[str] = field(default_factory=Counter)
    mine: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    emoji: Counter[str] = field(default_factory=Counter)
    other_emoji: int = 0
    laughter: Counter[str] = field(default_factory=Counter)
    greetings: dict[str, Cited] = field(default_factory=dict)
    partings: dict[str, Cited] = field(default_factory=dict)
    reasoning: dict[str, Cited] = field(default_factory=dict)

    def hear(self, text: str) -> None:
        """Somebody else's turn."""
        self.others.update(words_of(text))
        pruned(self.others)
        self.other_emoji += bool(_EMOJI.search(text))

    def add(self, text: str, place: str) -> None:
        """A turn of the person; `place` is what a citation of it says."""
        self.turns += 1
        self.mine.update(words_of(text))
        pruned(self.mine)
        self.languages[language_of(text)] += 1
        self._marks(text)
        for pattern, counts in ((GREETINGS, self.greetings), (PARTINGS, self.partings)):
            for found in {match.lower() for match in pattern.findall(text)}:
                if found in counts or len(counts) < 100:
                    counts.setdefault(found, Cited()).add(place)
        for name, pattern in REASONING.items():
            if pattern.search(text):
                self.reasoning.setdefault(name, Cited()).add(place)

    def _marks(self, text: str) -> None:
        for sentence in _SENTENCE.findall(text):
            length = _length(sentence)
            if length:
                self.sentences[min(length, 200)] += 1
        seen = [*_EMOJI.findall(text), *_FACES.findall(text)]
        self.emoji.update(seen)
        pruned(self.emoji)
        self.with_emoji += bool(seen)
        laughs = [match[0].lower() for match in LAUGHTER.finditer(text)]
        self.laughter.update(laugh[:6] for laugh in laughs)
        pruned(self.laughter)
        self.laughing += bool(laughs)
        self.questions += bool(re.search("[?？]", text))
        self.exclamations += bool(re.search("[!！]", text))

    def median_sentence(self) -> int:
        """Words (Chinese: characters) of the sentence in the middle."""
        half, passed = sum(self.sentences.values()) / 2, 0
        for length in sorted(self.sentences):
            passed += self.sentences[length]
            if passed >= half:
                return length
        return 0

    def favourites(self, count: int = SHOWN) -> list[str]:
        """Words the person says more than others do, surest first."""
        scored = [(self._log_odds(word), word) for word, n in self.mine.items() if n >= 3]
        scored = [(z, word) for z, word in scored if z > 0.8 and word not in STOP_WORDS]
        return [word for _, word in sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:count]]

    def topics(self, count: int = SHOWN) -> list[str]:
        """What is talked about most, by both: words of content."""
        both = self.mine + self.others
        long = [
            (word, n)
            for word, n in both.items()
            if n >= 3 and self.mine[word] and word not in STOP_WORDS and _length(word) >= 1
            and (len(word) >= 4 or (_HAN.match(word) and len(word) >= 2))
        ]  # fmt: skip
        return [word for word, _ in sorted(long, key=lambda pair: (-pair[1], pair[0]))[:count]]

    def never(self, count: int = SHOWN) -> list[str]:
        """Words that others say often and the person, who spoke enough to have, never."""
        total = sum(self.others.values()) or 1
        expected = sum(self.mine.values()) / total
        rare = [
            (n, word)
            for word, n in self.others.items()
            if n >= 5 and not self.mine[word] and n * expected >= 3 and word not in STOP_WORDS
        ]
        return [word for _, word in sorted(rare, key=lambda pair: (-pair[0], pair[1]))[:count]]

    def _log_odds(self, word: str) -> float:
        mine, others = self.mine[word], self.others[word]
        n_mine, n_others = sum_of(self.mine) + 1, sum_of(self.others) + 1
        prior = (mine + others) / (n_mine + n_others) * PRIOR
        first = math.log((mine + prior) / (n_mine + PRIOR - mine - prior))
        second = math.log((others + prior) / (n_others + PRIOR - others - prior))
        return (first - second) / math.sqrt(1 / (mine + prior) + 1 / (others + prior))


def sum_of(counter: Counter[str]) -> int:
    return sum(counter.values())


def _length(text: str) -> int:
    han = len(_HAN.findall(text)) + len(_KANA.findall(text))
    return han + len(_LATIN.findall(_HAN.sub(" ", text)))
