"""Spoken words -> IPA, by espeak-ng through phonemizer, with the library that espeakng-loader
brings: nothing needs to be installed on the system.

espeak reads words in their clause, as it should ('the' before a vowel, a weak 'a'), but it also
writes some neighbours as one ('of the' -> ʌvðə) and some words as two ('iPhone'). Subtitles need
the sounds of each written word, so the words are found again where the numbers differ: the clause
is cut by its cheapest alignment with the words read alone (weighted edit distance, Wagner and
Fischer 1974).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import accumulate, pairwise

from vits.errors import UserError
from vits.text import chinese, japanese
from vits.text.espeak import read_aloud
from vits.text.symbols import LANGUAGE_MARKS, STRESS, SYMBOL_IDS

ESPEAK = {"en": "en-us", "de": "de"}  # language -> espeak's voice
LANGUAGES = (*ESPEAK, "zh", "ja")
_CACHED_WORDS = 20_000  # words read alone that are kept, so that a book runs in flat memory
_VOWELS = frozenset("iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɚɝᵻᵿ")
_TAPS = frozenset("tdɾʔ")  # one sound to English ears: 'not' is nɑːɾ before 'a'
_BOUNDARY_COST = 0.3
# espeak's own marks that are no sound: phone and word joints, tie bars.
_NO_SOUND = frozenset("_-‿͜͡|\u200d")
_SAME_SOUND = {"g": "ɡ", "'": "ˈ", ":": "ː", "ʦ": "ts", "ʧ": "tʃ", "ʤ": "dʒ", "ʣ": "dz"}

Clause = Sequence[str]


def check_language(language: str) -> None:
    """Raise UserError unless `language` is one that can be read."""
    if language in LANGUAGES:
        return
    names = ", ".join(sorted(LANGUAGES))
    raise UserError(f"The language {language!r} cannot be read.", f"Choose one of: {names}.")


def phonemize_clauses(clauses: Sequence[Clause], language: str) -> list[list[tuple[str, ...]]]:
    """The symbols of each word of each clause, all clauses in one call of espeak.

    A clause is the words between two punctuation marks, without marks. A word between slashes is
    IPA and is kept. Words that espeak cannot say come back empty.
    """
    check_language(language)
    if language == "zh":
        return chinese.phonemize_clauses(clauses)
    if language == "ja":
        return japanese.phonemize_clauses(clauses)
    spoken = espeak_clauses(clauses, ESPEAK[language])
    return [[symbols_of(word) for word in clause] for clause in spoken]


def espeak_clauses(clauses: Sequence[Clause], voice: str) -> list[list[str]]:
    """The IPA of each word of each clause by espeak's `voice`, as it writes it."""
    readable = [[_stand_in(word) for word in clause] for clause in clauses]
    words = list(dict.fromkeys(word for clause in readable for word in clause))
    alone = dict(zip(words, _words_alone(words, voice), strict=True))
    spoken = read_aloud([" ".join(clause) for clause in readable], voice)
    result = []
    for clause, read, line in zip(clauses, readable, spoken, strict=True):
        parts = _split_words(line.split(), [alone[word] for word in read])
        result.append(
            [
                word[1:-1] if word.startswith("/") else part
                for word, part in zip(clause, parts, strict=True)
            ]
        )
    return result


def foreign_words(
    clauses: Sequence[Clause], language: str, is_own: Callable[[str], bool]
) -> list[dict[int, tuple[str, ...]]]:
    """The sounds of the words of each clause that are not `language`'s own, by their place.

    A word between slashes is in IPA; others are read as English, each run of them from English's
    language mark to the mark of `language` that takes over again.
    """
    runs: list[list[tuple[int, int]]] = []
    for clause in clauses:
        latin = [i for i, word in enumerate(clause) if not is_own(word)]
        breaks = [k for k in range(1, len(latin)) if latin[k] != latin[k - 1] + 1]
        edges = [0, *breaks, len(latin)] if latin else []
        runs.append([(latin[a], latin[b - 1] + 1) for a, b in pairwise(edges)])
    english = [list(c[a:b]) for c, spans in zip(clauses, runs, strict=True) for a, b in spans]
    said = iter(phonemize_clauses(english, "en"))
    found: list[dict[int, tuple[str, ...]]] = []
    for clause, spans in zip(clauses, runs, strict=True):
        place: dict[int, tuple[str, ...]] = {}
        for a, b in spans:
            place |= dict(zip(range(a, b), next(said), strict=True))
            # names of letters come in IPA, with English stress; a lexicon's Chinese has none
            if any(word[0] != "/" or any(mark in word for mark in STRESS) for word in clause[a:b]):
                place[a] = (LANGUAGE_MARKS["en"], *place[a])
                place[b - 1] = (*place[b - 1], LANGUAGE_MARKS[language])
        found.append(place)
    return found


def _stand_in(word: str) -> str:
    """What espeak reads in the place of IPA, so that 'the' before it is right."""
    if not word.startswith("/"):
        return word
    first = next((char for char in word[1:-1] if char not in STRESS), "")
    return "apple" if first in _VOWELS else "table"


def warm_up(language: str) -> None:
    """Load what reading `language` needs, so that the first sentence does not wait for it."""
    phonemize_clauses([[{"zh": "好", "ja": "/a/"}.get(language, "ready")]], language)
    if language == "ja":
        japanese.warm_up()


_alone: dict[tuple[str, str], str] = {}


def _words_alone(words: list[str], voice: str) -> list[str]:
    known = {word: _alone.get((voice, word)) for word in words}
    new = [word for word, ipa in known.items() if ipa is None]
    for word, ipa in zip(new, read_aloud(new, voice), strict=True):
        known[word] = ipa
        _alone[voice, word] = ipa
    if len(_alone) > _CACHED_WORDS:
        _alone.clear()
    return [known[word] or "" for word in words]


def _split_words(pieces: list[str], alone: list[str]) -> list[str]:
    """One IPA string a word, from the pieces of the whole clause and the words read alone."""
    if len(pieces) == len(alone) and not any(" " in word for word in alone):
        return pieces
    if len(alone) < 2:
        return ["".join(pieces)] * len(alone)
    return _cut(" ".join(pieces), [_bare(word) for word in alone])


def _bare(ipa: str) -> str:
    return "".join(char for char in ipa if char not in STRESS and char != " ")


def _cut(said: str, alone: list[str]) -> list[str]:
    """Cut what was said into `len(alone)` parts by the cheapest alignment with the words alone.

    '|' ends a word in `alone`, ' ' a piece in `said`; they match for nothing and may be missing
    cheaply.
    """
    sounds = [index for index, char in enumerate(said) if char not in STRESS]
    wanted = "|".join(alone)
    steps = _cheapest_steps(wanted, "".join(said[index] for index in sounds))
    cuts: list[int] = []
    i, j = len(wanted), len(sounds)
    while i > 0 or j > 0:
        step = steps[i][j]
        if step != _INSERT and wanted[i - 1] == "|":
            cuts.append(sounds[j] if j < len(sounds) else len(said))
        i -= step != _INSERT
        j -= step != _DELETE
    bounds = [0, *(_before_stress(said, cut) for cut in reversed(cuts)), len(said)]
    return [said[a:b].replace(" ", "") for a, b in pairwise(bounds)]


def _before_stress(said: str, cut: int) -> int:
    """A stress mark belongs to the sound that follows it."""
    while cut > 0 and said[cut - 1] in STRESS:
        cut -= 1
    return cut


_CHANGE, _DELETE, _INSERT = 0, 1, 2


def _cheapest_steps(wanted: str, said: str) -> list[bytearray]:
    """The last step of the cheapest way from each beginning of `wanted` to each of `said`."""
    drop = [_BOUNDARY_COST if char == "|" else 1.0 for char in wanted]
    add = [_BOUNDARY_COST if char == " " else 1.0 for char in said]
    above = [0.0, *accumulate(add)]
    steps = [bytearray([_INSERT] * len(above))]
    for char, dropped in zip(wanted, drop, strict=True):
        left = above[0] + dropped
        row, choice = [left], bytearray([_DELETE])
        for j, other in enumerate(said):
            best, step = above[j] + _change(char, other), _CHANGE
            if above[j + 1] + dropped < best:
                best, step = above[j + 1] + dropped, _DELETE
            if left + add[j] < best:
                best, step = left + add[j], _INSERT
            left = best
            row.append(best)
            choice.append(step)
        above = row
        steps.append(choice)
    return steps


@cache  # pairs of IPA letters: a few thousand
def _change(wanted: str, said: str) -> float:
    """What it costs to hear one sound as another."""
    if wanted == said or (wanted == "|" and said == " "):
        return 0.0
    if wanted == "|" or said == " ":
        return 9.0
    if wanted in _TAPS and said in _TAPS:
        return 0.1
    if (wanted in _VOWELS) != (said in _VOWELS):
        return 1.5
    return 0.4 if wanted in _VOWELS else 0.8


@lru_cache(maxsize=_CACHED_WORDS)
def symbols_of(ipa: str) -> tuple[str, ...]:
    """espeak's IPA as symbols of the table.

    Raises AssertionError if espeak writes a sound that the table lacks: the table holds the whole
    IPA, so that would be a fault of ours and never of the text.
    """
    plain = "".join(_SAME_SOUND.get(char, char) for char in ipa)
    chars = [
        part
        for char in plain
        for part in (char if char == "ç" else unicodedata.normalize("NFD", char))
    ]
    symbols = tuple(char for char in chars if char not in _NO_SOUND and not char.isspace())
    missing = [symbol for symbol in symbols if symbol not in SYMBOL_IDS]
    assert not missing, f"espeak wrote {missing} in {ipa!r}, which the symbol table lacks"
    return symbols
