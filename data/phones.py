"""Hidden Markov models of phones: the states of an utterance, their Gaussians, the best path.

What the model knows of the symbols:
- a phone has two states in a row, its first and its second half; length marks and diacritics
  make a phone of their own together with the letter before them;
- spaces, punctuation and language marks are places where a pause may be: one silence model,
  which is passed over where nobody paused;
- stress marks and tones have no sound of their own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from data.cepstra import Floats
from vits.text.symbols import (
    DIACRITICS,
    LANGUAGE_MARKS,
    LENGTH,
    PUNCTUATION,
    SPACE,
    STRESS,
    SYMBOL_IDS,
    TONES,
)

SILENCE = 0  # the state that all pauses share
VARIANCE_FLOOR = 0.05  # of the variance of all frames
PRIOR_FRAMES = 20.0  # a state with this many frames is half its own, half the average
PAUSE_COST = 15.0  # log-likelihood that a pause must gain before it is believed at a space

SILENCE_IDS = frozenset(
    SYMBOL_IDS[symbol] for symbol in (SPACE, *PUNCTUATION, *LANGUAGE_MARKS.values())
)
SILENT_MARK_IDS = frozenset(SYMBOL_IDS[symbol] for symbol in (*STRESS, *TONES))
MODIFIER_IDS = frozenset(SYMBOL_IDS[symbol] for symbol in (*LENGTH, *DIACRITICS))


@dataclass(frozen=True)
class Chain:
    """The states of one utterance in order, and the symbols that each one stands for."""

    states: NDArray[np.int64]  # (N,)
    optional: NDArray[np.bool_]  # (N,) may be passed over
    cost: Floats  # (N,) of entering
    owners: tuple[tuple[int, ...], ...]  # (N,) positions in the symbols


class States:
    """Numbers for the states: 0 is silence, a phone's halves are 2n + 1 and 2n + 2."""

    def __init__(
        self, silence: Collection[int], marks: Collection[int], modifiers: Collection[int]
    ) -> None:
        self._silence, self._marks, self._modifiers = silence, marks, modifiers
        self._phones: dict[tuple[int, ...], int] = {}

    def __len__(self) -> int:
        return 2 * len(self._phones) + 1

    @property
    def phones(self) -> dict[tuple[int, ...], int]:
        """The number of each phone, by the ids of its symbols."""
        return dict(self._phones)

    def chain(self, ids: NDArray[np.int64], n_frames: int) -> Chain:
        """The chain of an utterance of (S,) symbols that has n_frames >= S frames."""
        units = self._units(ids)
        states: list[int] = []
        optional: list[bool] = []
        cost: list[float] = []
        owners: list[tuple[int, ...]] = []
        n_phones = sum(not pause for _, pause in units)
        hurried = n_frames < 2 * n_phones  # no room for both halves of every phone
        for index, (owned, pause) in enumerate(units):
            if pause:
                inside = 0 < index < len(units) - 1
                only_space = all(ids[p] == SYMBOL_IDS[SPACE] for p in owned)
                states.append(SILENCE)
                optional.append(True)
                cost.append(PAUSE_COST if inside and only_space else 0.0)
                owners.append(owned)
            else:
                phone = tuple(int(ids[p]) for p in owned)
                number = self._phones.setdefault(phone, len(self._phones))
                states += [2 * number + 1, 2 * number + 2]
                optional += [False, hurried]
                cost += [0.0, 0.0]
                owners += [owned, owned]
        return Chain(
            np.array(states), np.array(optional), np.array(cost, np.float32), tuple(owners)
        )

    def _units(self, ids: NDArray[np.int64]) -> list[tuple[tuple[int, ...], bool]]:
        """Positions that sound together, and whether they are a pause: never two in a row."""
        units: list[tuple[tuple[int, ...], bool]] = []
        for position, symbol in enumerate(ids.tolist()):
            if symbol in self._marks:
                continue
            pause = symbol in self._silence
            joins = units and (symbol in self._modifiers or pause) and units[-1][1] == pause
            if joins:
                units[-1] = ((*units[-1][0], position), pause)
            else:
                units.append(((position,), pause))
        return units


@numba.njit(cache=True, nogil=True)
def best_state_path(scores: Floats, optional: NDArray[np.bool_], cost: Floats) -> NDArray[np.int64]:
    """Frames that each state gets on the best path through (T, N) log-likelihoods, (N,).

    States come in order, at least one frame each unless `optional`; entering one costs `cost`.
    There must be a path: at least as many frames as states that are not optional.
    """
    n_frames, n_states = scores.shape
    best = np.full(n_states, -np.inf, dtype=np.float32)
    step = np.zeros((n_frames, n_states), dtype=np.int16)  # states moved on to arrive here
    for s in range(n_states):
        best[s] = scores[0, s] - cost[s]
        if not optional[s]:
            break
    for t in range(1, n_frames):
        for s in range(n_states - 1, -1, -1):  # downwards: lower states still hold frame t - 1
            top, moved = best[s], 0
            for k in range(1, s + 1):
                come = best[s - k] - cost[s]
                if come > top:
                    top, moved = come, k
                if not optional[s - k]:
                    break
            best[s] = top + scores[t, s]
            step[t, s] = moved
    end = n_states - 1
    for s in range(n_states - 1, -1, -1):
        if best[s] > best[end]:
            end = s
        if not optional[s]:
            break
    durations = np.zeros(n_states, dtype=np.int64)
    s = end
    for t in range(n_frames - 1, -1, -1):
        durations[s] += 1
        s -= step[t, s]
    return durations


@dataclass(frozen=True)
class Model:
    """One diagonal Gaussian and one chance to stay for each of N states of D features."""

    mean: Floats  # (N, D)
    variance: Floats  # (N, D)
    log_stay: Floats  # (N,)

    def scores(self, features: Floats, states: NDArray[np.int64]) -> Floats:
        """Log-likelihood of T frames under n of the states: (T, D), (n,) -> (T, n)."""
        used, where = np.unique(states, return_inverse=True)
        mean, precision = self.mean[used], 1 / self.variance[used]
        constant = self.log_stay[used] - 0.5 * (
            (mean**2 * precision).sum(1) + np.log(self.variance[used]).sum(1)
        )
        table = features @ (mean * precision).T - 0.5 * (features**2) @ precision.T + constant
        return np.ascontiguousarray(table[:, where], dtype=np.float32)


def estimate(
    features: Floats, states: NDArray[np.int64], visits: NDArray[np.int64], n_states: int
) -> Model:
    """The model of all frames (F, D) whose states (F,) are known; visits (N,) counts entries.

    Rare states lean on the average of all frames.
    """
    count = np.bincount(states, minlength=n_states)[:, None]
    sums = np.stack([np.bincount(states, column, n_states) for column in features.T], axis=1)
    squares = np.stack([np.bincount(states, column**2, n_states) for column in features.T], axis=1)
    all_mean, all_variance = features.mean(0, np.float64), features.var(0, dtype=np.float64)
    weight = count + PRIOR_FRAMES
    mean = (sums + PRIOR_FRAMES * all_mean) / weight
    second = (squares + PRIOR_FRAMES * (all_variance + all_mean**2)) / weight
    variance = np.maximum(second - mean**2, VARIANCE_FLOOR * all_variance + 1e-6)
    stay = 1 - np.clip((visits + 1) / (count[:, 0] + 2), 0.02, 0.98)
    return Model(*(x.astype(np.float32) for x in (mean, variance, np.log(stay))))
