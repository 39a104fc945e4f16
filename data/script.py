"""What to read aloud: few sentences that hold as many of a language's sounds as can be.

From some hundred sentences of our own in `sentences/`, the next one is always that with the most
sounds and joints of two sounds which the ones before lack (greedy set cover, as van Santen and
Buchsbaum 1997 choose text for synthesis). In Chinese tones and pairs of tones count too. The same
request gives the same sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import groupby, pairwise

from data.acoustic import spelled
from data.intake import language_code
from vits.errors import UserError
from vits.text import phonemize_lines
from vits.text.symbols import SPACE

POOLS = ("en", "zh", "ja")
LEVELS = "˥˦˧˨˩"
PHONE_GAIN, PAIR_GAIN = 3.0, 1.0
OFTEN = 3  # a sound is worth something until it was heard so often


@dataclass(frozen=True)
class Sounds:
    """What a sentence has: its sounds, and each two that follow one another."""

    phones: Counter[str]
    pairs: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Script:
    """Sentences to read, in the order they were chosen, and what they cover of the whole pool."""

    language: str
    sentences: tuple[str, ...]
    phones: int
    all_phones: int
    pairs: int
    all_pairs: int
    heard_share: float  # of all joints in the pool's text, those of a kind that is covered
    missing: tuple[str, ...]

    @property
    def line(self) -> str:
        """The coverage in words."""
        rest = f"; missing: {' '.join(self.missing)}" if self.missing else ""
        return (
            f"{len(self.sentences)} sentences cover {self.phones} of {self.all_phones} sounds and "
            f"{self.pairs} of {self.all_pairs} joints of two, {self.heard_share:.0%} of those in "
            f"running text{rest}"
        )


def recording_script(language: str, count: int) -> Script:
    """Choose `count` sentences of a language.

    Raises UserError for a language that has no sentences or whose reader is not installed, and for
    more sentences than there are.
    """
    code = language_code(language)
    if code not in POOLS:
        raise UserError(f"There are no sentences in {language!r}.", f"Choose {', '.join(POOLS)}.")
    pool = sentences(code)
    if not 1 <= count <= len(pool):
        raise UserError(f"There are {len(pool)} sentences, not {count}.", "Ask for fewer.")
    sounds = _sounds(code)
    chosen = _greedy(sounds, count)
    return _script(code, pool, sounds, chosen)


@lru_cache(maxsize=4)
def sentences(language: str) -> tuple[str, ...]:
    """All sentences of a language."""
    text = (files("data") / "sentences" / f"{language}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line.strip())


@lru_cache(maxsize=4)
def _sounds(language: str) -> tuple[Sounds, ...]:
    return tuple(_of(line) for line in phonemize_lines(sentences(language), language))


def _of(symbols: Sequence[str]) -> Sounds:
    phones = spelled(tuple(symbol for symbol in symbols if symbol != SPACE))
    tones = ["".join(group) for level, group in groupby(symbols, LEVELS.__contains__) if level]
    pairs = {*pairwise(phones), *pairwise(tones)}
    return Sounds(Counter([*phones, *tones]), frozenset(pairs))


def _greedy(sounds: Sequence[Sounds], count: int) -> list[int]:
    heard: Counter[str] = Counter()
    covered: set[tuple[str, str]] = set()
    left = list(range(len(sounds)))
    chosen: list[int] = []
    for _ in range(count):
        best = max(left, key=lambda i: (_gain(sounds[i], heard, covered), -i))
        chosen.append(best)
        left.remove(best)
        heard.update(sounds[best].phones)
        covered |= sounds[best].pairs
    return chosen


def _gain(sounds: Sounds, heard: Counter[str], covered: set[tuple[str, str]]) -> float:
    """What a sentence would add, for its length: a long one is no better for being long."""
    phones = sum(PHONE_GAIN / (1 + heard[p]) for p in sounds.phones if heard[p] < OFTEN)
    gain = phones + PAIR_GAIN * len(sounds.pairs - covered)
    return gain / sounds.phones.total() ** 0.5


def _script(
    language: str, pool: Sequence[str], sounds: Sequence[Sounds], chosen: Sequence[int]
) -> Script:
    everything = Counter(pair for one in sounds for pair in one.pairs)
    all_phones = {phone for one in sounds for phone in one.phones}
    phones = {phone for i in chosen for phone in sounds[i].phones}
    pairs = {pair for i in chosen for pair in sounds[i].pairs}
    return Script(
        language,
        tuple(pool[i] for i in chosen),
        len(phones),
        len(all_phones),
        len(pairs),
        len(everything),
        sum(everything[pair] for pair in pairs) / everything.total(),
        tuple(sorted(all_phones - phones)),
    )
