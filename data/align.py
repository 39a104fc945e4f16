"""Forced alignment: which frames of a recording belong to which symbol of its text.

A hidden Markov model of phones learns from nothing but the recordings and their symbols, as
HTK's flat start does (Young et al., The HTK Book, chapter 3): every utterance is first divided
evenly, each state's Gaussian is estimated from the frames it got, the best path is searched
again (Viterbi 1967), and so on a dozen times. It bootstraps training, where the network's own
alignment takes over, and it finds the words of recordings that have no timings.

What the model knows of the symbols:
- a phone has two states in a row, its first and its second half; length marks and diacritics
  make a phone of their own together with the letter before them;
- spaces, punctuation and language marks are places where a pause may be: one silence model,
  which is passed over where nobody paused;
- stress marks and tones have no sound of their own.
Afterwards every symbol is given at least one frame, as the network's own alignment wants it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
from numpy.typing import NDArray

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

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]

WINDOW_S = 0.025
N_MELS = 32
MEL_RANGE_HZ = (60.0, 7600.0)  # no higher, so that 16 kHz sources look like the others
N_CEPSTRA = 13
DELTA_REACH = 2  # frames to either side
SPEECH_RANGE_DB = 35.0  # below the loudest frames: what lies lower is taken for a pause at first

# `SPEECH_RANGE_DB` on the scale of the zeroth cepstrum, which is sqrt(N_MELS) times the mean log
# mel. The mean over channels moves less than the level, which the strongest channels make.
CEPSTRUM_RANGE = 0.7 * SPEECH_RANGE_DB / 10 * np.log(10) * np.sqrt(N_MELS)

SILENCE = 0  # the state that all pauses share
VARIANCE_FLOOR = 0.05  # of the variance of all frames
PRIOR_FRAMES = 20.0  # a state with this many frames is half its own, half the average
PAUSE_COST = 15.0  # log-likelihood that a pause must gain before it is believed at a space

SILENCE_IDS = frozenset(
    SYMBOL_IDS[symbol] for symbol in (SPACE, *PUNCTUATION, *LANGUAGE_MARKS.values())
)
SILENT_MARK_IDS = frozenset(SYMBOL_IDS[symbol] for symbol in (*STRESS, *TONES))
MODIFIER_IDS = frozenset(SYMBOL_IDS[symbol] for symbol in (*LENGTH, *DIACRITICS))


# ---------------------------------------------------------------- features


def alignment_features(samples: np.ndarray, sample_rate: int, hop_length: int) -> Floats:
    """Mel cepstra and their differences over time, (T_samples,) -> (T, 26) float32.

    T = T_samples // hop_length, the frames of `vits.spectral.spectrogram`. Level, microphone and
    the average of the voice are taken out by the mean of the frames with speech.
    """
    log_mel = _log_mel(samples.astype(np.float32), sample_rate, hop_length)
    from scipy.fft import dct

    cepstra = dct(log_mel, type=2, norm="ortho", axis=1)[:, :N_CEPSTRA]
    cepstra = cepstra - cepstra[_loud(log_mel)].mean(axis=0)
    return np.concatenate([cepstra, _differences(cepstra)], axis=1).astype(np.float32)


def _log_mel(samples: Floats, sample_rate: int, hop_length: int) -> Floats:
    """Natural-log mel power (T, N_MELS); frame t is centred on sample (t + 1/2) * hop_length."""
    window_length = round(WINDOW_S * sample_rate)
    n_fft = 1 << (window_length - 1).bit_length()
    n_frames = len(samples) // hop_length
    assert n_frames > 0, "a recording shorter than a frame"
    margin = max(0, n_fft - hop_length)
    padded = np.pad(samples, (margin // 2, margin - margin // 2 + hop_length))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_length][:n_frames]
    spectrum = np.fft.rfft(frames * _window(n_fft, window_length))
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    mel = power @ _mel_filters(sample_rate, n_fft)
    floor = 1e-6 * mel.max() + 1e-10  # 60 dB below the loudest: digital silence is no phone
    return np.log(np.maximum(mel, floor))


@lru_cache(maxsize=8)
def _window(n_fft: int, length: int) -> Floats:
    """A Hann window of `length` samples in the middle of `n_fft`."""
    left = (n_fft - length) // 2
    return np.pad(np.hanning(length), (left, n_fft - length - left)).astype(np.float32)


@lru_cache(maxsize=8)
def _mel_filters(sample_rate: int, n_fft: int) -> Floats:
    import librosa

    low, high = MEL_RANGE_HZ[0], min(MEL_RANGE_HZ[1], sample_rate / 2)
    bank: Floats = librosa.filters.mel(
        sr=sample_rate, n_fft=n_fft, n_mels=N_MELS, fmin=low, fmax=high
    )
    return np.ascontiguousarray(bank.T, dtype=np.float32)


def _loud(log_mel: Floats) -> NDArray[np.bool_]:
    """Frames (T,) that are within `SPEECH_RANGE_DB` of the loudest ones."""
    level_db = 10 / np.log(10) * np.logaddexp.reduce(log_mel, axis=1)
    return level_db >= np.percentile(level_db, 98) - SPEECH_RANGE_DB


def _differences(values: np.ndarray) -> np.ndarray:
    """Slope over time of (T, D), by regression over `DELTA_REACH` frames to either side."""
    n_frames = len(values)
    padded = np.pad(values, ((DELTA_REACH, DELTA_REACH), (0, 0)), mode="edge")
    reach = range(1, DELTA_REACH + 1)
    slope = sum(
        k * (padded[DELTA_REACH + k :][:n_frames] - padded[DELTA_REACH - k :][:n_frames])
        for k in reach
    )
    return slope / (2 * sum(k * k for k in reach))


# ---------------------------------------------------------------- the chain of states


@dataclass(frozen=True)
class _Chain:
    """The states of one utterance in order, and the symbols that each one stands for."""

    states: NDArray[np.int64]  # (N,)
    optional: NDArray[np.bool_]  # (N,) may be passed over
    cost: Floats  # (N,) of entering
    owners: tuple[tuple[int, ...], ...]  # (N,) positions in the symbols


class _States:
    """Numbers for the states: 0 is silence, a phone's halves are 2n + 1 and 2n + 2."""

    def __init__(
        self, silence: Collection[int], marks: Collection[int], modifiers: Collection[int]
    ) -> None:
        self._silence, self._marks, self._modifiers = silence, marks, modifiers
        self._phones: dict[tuple[int, ...], int] = {}

    def __len__(self) -> int:
        return 2 * len(self._phones) + 1

    def chain(self, ids: NDArray[np.int64], n_frames: int) -> _Chain:
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
        return _Chain(
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


# ---------------------------------------------------------------- the model


@dataclass(frozen=True)
class _Model:
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


def _estimate(
    features: Floats, states: NDArray[np.int64], visits: NDArray[np.int64], n_states: int
) -> _Model:
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
    return _Model(*(x.astype(np.float32) for x in (mean, variance, np.log(stay))))


# ---------------------------------------------------------------- alignment


def align_corpus(
    features: Sequence[Floats],
    ids: Sequence[np.ndarray],
    n_symbols: int,
    iterations: int = 12,
    silence_ids: Collection[int] = SILENCE_IDS,
    *,
    silent_mark_ids: Collection[int] = SILENT_MARK_IDS,
    modifier_ids: Collection[int] = MODIFIER_IDS,
) -> list[NDArray[np.int32]]:
    """Frames of every symbol of every utterance, learnt from these utterances alone.

    features: per utterance (T, D), as `alignment_features` gives them; ids: per utterance (S,)
    in [0, n_symbols), S <= T. Returns per utterance (S,) int32, each at least 1, summing to T.
    The sets of ids default to the symbol table's own. Nothing is random. Raises ValueError for an
    utterance with fewer frames than symbols.
    """
    sequences = [np.asarray(row, np.int64) for row in ids]
    for index, (row, sequence) in enumerate(zip(features, sequences, strict=True)):
        if not 0 < len(sequence) <= len(row):
            raise ValueError(f"utterance {index}: {len(sequence)} symbols, {len(row)} frames")
        assert sequence.max() < n_symbols, index
    if not sequences:
        return []
    numbering = _States(silence_ids, silent_mark_ids, modifier_ids)
    chains = [
        numbering.chain(sequence, len(row))
        for row, sequence in zip(features, sequences, strict=True)
    ]
    paths = _search(features, chains, len(numbering), iterations)
    return [
        _symbol_durations(chain, path, len(sequence), len(row))
        for chain, path, sequence, row in zip(chains, paths, sequences, features, strict=True)
    ]


def _search(
    features: Sequence[Floats], chains: Sequence[_Chain], n_states: int, iterations: int
) -> list[NDArray[np.int64]]:
    """Best paths (frames per state of the chain) after `iterations` rounds of estimation."""
    together = np.concatenate(features)
    paths = [_even_path(chain, row) for chain, row in zip(chains, features, strict=True)]
    for iteration in range(iterations):
        entered = [chain.states[path > 0] for chain, path in zip(chains, paths, strict=True)]
        visits = np.bincount(np.concatenate(entered), minlength=n_states)
        states = [np.repeat(c.states, path) for c, path in zip(chains, paths, strict=True)]
        model = _estimate(together, np.concatenate(states), visits, n_states)
        before, paths = paths, []
        for chain, row in zip(chains, features, strict=True):
            scores = model.scores(row, chain.states)
            paths.append(best_state_path(scores, chain.optional, chain.cost))
        changed = sum(int(np.abs(a - b).sum()) for a, b in zip(before, paths, strict=True)) / 2
        log.info(
            "alignment round %d of %d: %.1f %% of frames moved",
            iteration + 1, iterations, 100 * changed / len(together),
        )  # fmt: skip
    return paths


def _even_path(chain: _Chain, features: Floats) -> NDArray[np.int64]:
    """The start: pauses where the edges are quiet, all phones of equal length between them."""
    n_frames = len(features)
    phones = np.flatnonzero(chain.states != SILENCE)
    path = np.zeros(len(chain.states), np.int64)
    if not len(phones):
        path[0] = n_frames
        return path
    level = features[:, 0]  # the zeroth cepstrum: the mean of the log mel
    loud = np.flatnonzero(level > np.percentile(level, 98) - CEPSTRUM_RANGE)
    start, end = int(loud[0]), int(loud[-1]) + 1
    if chain.states[0] != SILENCE or end - start < len(phones):
        start = 0
    if chain.states[-1] != SILENCE or end - start < len(phones):
        end = n_frames
    edges = np.linspace(start, end, len(phones) + 1).round().astype(np.int64)
    path[phones] = np.diff(edges)
    path[0] += start
    path[-1] += n_frames - end
    return path


def _symbol_durations(
    chain: _Chain, path: NDArray[np.int64], n_symbols: int, n_frames: int
) -> NDArray[np.int32]:
    """Frames (S,) of the symbols, from the frames of their states; every symbol gets one."""
    durations = np.zeros(n_symbols, np.int32)
    frames: dict[tuple[int, ...], int] = {}
    for owned, count in zip(chain.owners, path.tolist(), strict=True):
        frames[owned] = frames.get(owned, 0) + count
    pauses = {owned for owned, s in zip(chain.owners, chain.states, strict=True) if s == SILENCE}
    for owned, count in frames.items():
        if owned in pauses:
            durations[owned[0]] = count  # the comma waits, the space after it does not
        else:
            share, extra = divmod(count, len(owned))
            durations[list(owned)] = [share + (n < extra) for n in range(len(owned))]
    _give_everyone_a_frame(durations)
    assert durations.sum() == n_frames, (durations.sum(), n_frames)
    return durations


def _give_everyone_a_frame(durations: NDArray[np.int32]) -> None:
    """Take single frames from the nearest symbols that can spare them, for those without."""
    for index in np.flatnonzero(durations == 0):
        rich = np.flatnonzero(durations > 1)
        distance = np.abs(rich - index)
        nearest = rich[distance == distance.min()]
        durations[nearest[durations[nearest].argmax()]] -= 1
        durations[index] = 1
