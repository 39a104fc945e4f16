"""The best path through a minute of sound and the words it may hold.

The words stand in a row, their phones in states, and before and after each word there is a place to
rest: silence, or sound that is none of the words. From one rest the path may also jump to a later
one, so that words nobody said are passed over. It may end anywhere, since the text goes on after
the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from data.cepstra import Floats

REST = -1  # in place of a state's number
SKIP_COST, SKIPPED_WORD_COST = 80.0, 1.5
REST_COST = 6.0  # of entering a rest: a pause within a sentence must be heard


@dataclass(frozen=True)
class WordPath:
    """First frame and the one after the last of each word, -1 where it was passed over, and scores.

    begins, ends, scores: (W,); a word's score is the mean log-likelihood of its frames, under the
    best phone of each. states: (T,) the state of each frame, `REST` between words.
    """

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    scores: NDArray[np.float64]
    states: NDArray[np.int64]


def best_words(table: Floats, rest: Floats, words: Sequence[NDArray[np.int64]]) -> WordPath:
    """The path through T frames: table (T, K) of scores, rest (T,), words of states (n,)."""
    chain = np.concatenate([np.append(word, REST) for word in (np.zeros(0, np.int64), *words)])
    lengths = [1, *(len(word) + 1 for word in words)]
    owner = np.repeat(np.arange(len(words) + 1), lengths) - 1
    positions = _search(table, rest, chain, SKIP_COST, SKIPPED_WORD_COST, REST_COST)
    begins = np.full(len(words), -1)
    ends = np.full(len(words), -1)
    scores = np.zeros(len(words))
    states = chain[positions]
    spoken = np.flatnonzero(states != REST)
    for word in np.unique(owner[positions[spoken]]):
        frames = spoken[owner[positions[spoken]] == word]
        begins[word], ends[word] = frames[0], frames[-1] + 1
        scores[word] = table[frames, states[frames]].mean()
    _forget_unfinished(chain, owner, positions, ends)
    return WordPath(begins, ends, scores, states)


def _forget_unfinished(
    chain: NDArray[np.int64],
    owner: NDArray[np.int64],
    positions: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    """A word in the middle of which the window ended has no end."""
    last = positions[-1]
    if chain[last] != REST and chain[last + 1] != REST:
        ends[owner[last]] = -1


@numba.njit(cache=True, nogil=True)
def _search(
    table: Floats,
    rest: Floats,
    chain: NDArray[np.int64],
    skip_cost: float,
    word_cost: float,
    rest_cost: float,
) -> NDArray[np.int64]:
    """Position in the chain of each frame, (T,)."""
    n_frames, n = len(rest), len(chain)
    best = np.full(n, -np.inf, dtype=np.float32)
    moved = np.zeros((n_frames, n), dtype=np.int8)  # 0 stayed, 1 or 2 back, 3 jumped
    places = np.flatnonzero(chain == REST)
    n_places = len(places)
    jumped = np.zeros((n_frames, n_places), dtype=np.int32)
    offer = np.zeros(n_places, dtype=np.float32)
    origin = np.zeros(n_places, dtype=np.int32)
    best[0] = rest[0]
    best[1] = table[0, chain[1]] if n > 1 else -np.inf
    for j in range(1, n_places):
        best[places[j]] = rest[0] - skip_cost - word_cost * j
    for t in range(1, n_frames):
        top, where = -np.inf, 0
        for j in range(n_places):
            offer[j], origin[j] = top - skip_cost - word_cost * j, where
            value = best[places[j]] + word_cost * j
            if value > top:
                top, where = value, places[j]
        j = n_places - 1
        for s in range(n - 1, -1, -1):
            value, how = best[s], 0
            if chain[s] == REST:
                if s > 0 and best[s - 1] - rest_cost > value:
                    value, how = best[s - 1] - rest_cost, 1
                if offer[j] > value:
                    value, how = offer[j], 3
                    jumped[t, j] = origin[j]
                best[s] = value + rest[t]
                j -= 1
            else:
                if best[s - 1] > value:
                    value, how = best[s - 1], 1
                if chain[s - 1] == REST and s > 1 and best[s - 2] > value:
                    value, how = best[s - 2], 2
                best[s] = value + table[t, chain[s]]
            moved[t, s] = how
    path = np.zeros(n_frames, dtype=np.int64)
    s = int(best.argmax())
    for t in range(n_frames - 1, -1, -1):
        path[t] = s
        if moved[t, s] == 3:
            s = jumped[t, np.searchsorted(places, s)]
        else:
            s -= moved[t, s]
    return path
