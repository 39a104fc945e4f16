"""Long recordings -> pieces of 2 to 10 seconds, cut where somebody pauses.

The stretches of speech between pauses are joined into pieces by the cheapest division (dynamic
programming): pieces of a handy length, cuts at long pauses, at the ends of sentences where the
words are known. A pause of less than 0.3 s, which cannot leave 0.15 s on either side, is a place to
cut only where there is no better one within 15 s; where nobody pauses for so long, the quietest
moment is, and the pieces beside it say so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from data.speech import Span, Track, speech_spans

EDGE_S = 0.15  # kept on either side of the speech
PAUSE_S = 2 * EDGE_S  # a pause with room for both edges
SHORT_PAUSE_S = 0.16
LONGEST_PAUSE_S = 1.0  # within a piece
SHORTEST_S, SHORT_S, HANDY_S, LONG_S, LONGEST_S = 1.0, 2.0, 5.0, 10.0, 15.0
FORCED_S = 8.0  # where nobody pauses, a cut is looked for from here to `LONG_S`

PIECE_COST = 1.0
SHORT_COST, LONG_COST, USELESS_COST = 6.0, 4.0, 40.0
SHORT_PAUSE_COST, MIDDLE_COST, SENTENCE_GAIN = 5.0, 1.5, 1.0


@dataclass(frozen=True)
class Piece:
    """From `start_s` to `end_s` of a recording; `doubt` says what is wrong with its cuts."""

    start_s: float
    end_s: float
    doubt: str = ""

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class TimedWord:
    """A word of a transcript, where it is said, and whether a sentence ends with it."""

    text: str
    start_s: float
    end_s: float
    ends_sentence: bool = False


@dataclass(frozen=True)
class _Atom:
    """Speech that nobody cuts, and what the pause after it is worth."""

    start_s: float
    end_s: float
    forced: bool = False  # its end is no pause
    ends_sentence: bool | None = None  # None: nobody knows
    turn: bool = False  # somebody else speaks after it


@dataclass(frozen=True)
class Joint:
    """A pause within a piece, and the speech before and after it as far as the next pause."""

    before: Span
    after: Span

    @property
    def middle_s(self) -> float:
        return (self.before.end_s + self.after.start_s) / 2


def slice_track(
    found: Track, words: Sequence[TimedWord] = (), turns: Sequence[float] = ()
) -> list[Piece]:
    """The pieces of a recording, in order, none overlapping the next.

    With `words` no cut lies within one of them, and sentence ends are preferred. `turns` are times
    in pauses at which somebody else goes on: no piece holds one.
    """
    atoms = _with_turns(_atoms(found, words), turns)
    pieces: list[Piece] = []
    for first, last in _division(atoms):
        before = atoms[first - 1] if first else None
        after = atoms[last + 1] if last + 1 < len(atoms) else None
        start_s = _edge(found, before, atoms[first])[1]
        end_s = _edge(found, atoms[last], after)[0]
        forced = atoms[last].forced or (before is not None and before.forced)
        pieces.append(
            Piece(round(start_s, 3), round(end_s, 3), "was cut without a pause" if forced else "")
        )
    return pieces


def joints(found: Track, words: Sequence[TimedWord], pieces: Sequence[Piece]) -> list[Joint]:
    """The pauses that lie within the pieces of a recording, in order."""
    inside = []
    atoms = _atoms(found, words)
    place = 0
    for left, right in pairwise(atoms):
        while place < len(pieces) and pieces[place].end_s < right.start_s:
            place += 1
        if place < len(pieces) and pieces[place].start_s < left.end_s and not left.forced:
            before, after = Span(left.start_s, left.end_s), Span(right.start_s, right.end_s)
            inside.append(Joint(before, after))
    return inside


def _with_turns(atoms: Sequence[_Atom], turns: Sequence[float]) -> list[_Atom]:
    ends = [atom.start_s for atom in atoms[1:]] + [math.inf]
    return [
        replace(atom, turn=any(atom.end_s <= at <= end for at in turns))
        for atom, end in zip(atoms, ends, strict=True)
    ]


def _edge(found: Track, left: _Atom | None, right: _Atom | None) -> tuple[float, float]:
    """Where a piece before a pause ends, and where the one after it begins."""
    if left is None:
        assert right is not None
        return 0.0, max(0.0, right.start_s - EDGE_S)
    if right is None:
        end_s = min(found.seconds, left.end_s + EDGE_S)
        return end_s, end_s
    if right.start_s - left.end_s >= PAUSE_S:
        return left.end_s + EDGE_S, right.start_s - EDGE_S
    cut_s = left.end_s if left.forced else found.quietest_s(left.end_s, right.start_s)
    return cut_s, cut_s


# ---------------------------------------------------------------- where cuts may be


def _atoms(found: Track, words: Sequence[TimedWord]) -> list[_Atom]:
    spans: list[Span] = []
    for span in speech_spans(found):
        end_s = spans[-1].end_s if spans else -math.inf
        if span.start_s - end_s < SHORT_PAUSE_S or _within_word(words, end_s, span.start_s):
            spans[-1] = Span(spans[-1].start_s, span.end_s)
        else:
            spans.append(span)
    return [atom for span in spans for atom in _short_enough(found, span, words)]


def _within_word(words: Sequence[TimedWord], start_s: float, end_s: float) -> bool:
    """Whether a pause lies inside a word: a stop before it bursts, say."""
    if not words or not math.isfinite(start_s):
        return False
    word = words[_last_begun(words, (start_s + end_s) / 2)]
    return word.start_s < start_s - 0.05 and word.end_s > end_s + 0.05


def _last_begun(words: Sequence[TimedWord], at_s: float) -> int:
    low, high = 0, len(words)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if words[middle].start_s <= at_s else (low, middle)
    return low


def _short_enough(found: Track, span: Span, words: Sequence[TimedWord]) -> list[_Atom]:
    """The span, cut at its quietest moments as long as it is too long for a piece."""
    atoms: list[_Atom] = []
    start_s = span.start_s
    while span.end_s - start_s > LONGEST_S:
        cut_s = _forced_cut(found, start_s + FORCED_S, start_s + LONG_S, words)
        atoms.append(_Atom(start_s, cut_s, forced=True, ends_sentence=_ends(words, cut_s)))
        start_s = cut_s
    return [*atoms, _Atom(start_s, span.end_s, ends_sentence=_ends(words, span.end_s))]


def _forced_cut(found: Track, start_s: float, end_s: float, words: Sequence[TimedWord]) -> float:
    gaps = [
        (left.end_s, right.start_s)
        for left, right in pairwise(words)
        if start_s <= left.end_s and right.start_s <= end_s
    ]
    if gaps:
        end_s, start_s = max(gaps, key=lambda gap: gap[1] - gap[0])
        return (end_s + start_s) / 2
    return found.quietest_s(start_s, end_s)


def _ends(words: Sequence[TimedWord], at_s: float) -> bool | None:
    """Whether the last word before a pause ends a sentence."""
    if not words:
        return None
    index = _last_begun(words, at_s)
    word = words[index]
    if index and (word.start_s + word.end_s) / 2 > at_s:
        word = words[index - 1]
    return word.ends_sentence


# ---------------------------------------------------------------- the division


def _division(atoms: Sequence[_Atom]) -> list[tuple[int, int]]:
    """First and last atom of each piece of the cheapest division."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(atoms) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            if start < end - 1 and not _joinable(atoms, start, end):
                break
            cost = best[start][0] + _length_cost(atoms[start], atoms[end - 1])
            options.append((cost + _cut_cost(atoms, end - 1), start))
        best.append(min(options))
    division, end = [], len(atoms)
    while end:
        start = best[end][1]
        division.append((start, end - 1))
        end = start
    return division[::-1]


def _joinable(atoms: Sequence[_Atom], start: int, end: int) -> bool:
    pause_s = atoms[start + 1].start_s - atoms[start].end_s
    if atoms[start].turn:
        return False
    return pause_s <= LONGEST_PAUSE_S and atoms[end - 1].end_s - atoms[start].start_s <= LONGEST_S


def _length_cost(first: _Atom, last: _Atom) -> float:
    length_s = last.end_s - first.start_s + 2 * EDGE_S
    if length_s < SHORTEST_S:
        return USELESS_COST
    if length_s < SHORT_S:
        return PIECE_COST + SHORT_COST
    if length_s <= LONG_S:
        return PIECE_COST + 0.5 * ((length_s - HANDY_S) / HANDY_S) ** 2
    return PIECE_COST + LONG_COST + 2 * (length_s - LONG_S)


def _cut_cost(atoms: Sequence[_Atom], index: int) -> float:
    """What it costs to cut after an atom."""
    if index + 1 == len(atoms):
        return 0.0
    atom = atoms[index]
    pause_s = atoms[index + 1].start_s - atom.end_s
    cost = SHORT_PAUSE_COST if pause_s < PAUSE_S else 0.3 * PAUSE_S / pause_s
    if atom.ends_sentence is None:
        return cost
    return cost - SENTENCE_GAIN if atom.ends_sentence else cost + MIDDLE_COST
