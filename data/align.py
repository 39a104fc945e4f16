"""Forced alignment: which frames of a recording belong to which symbol of its text.

A hidden Markov model of phones learns from nothing but the recordings and their symbols, as
HTK's flat start does (Young et al., The HTK Book, chapter 3): every utterance is first divided
evenly, each state's Gaussian is estimated from the frames it got, the best path is searched
again (Viterbi 1967), and so on a dozen times. It bootstraps training, where the network's own
alignment takes over, and it finds the words of recordings that have no timings.

`phones.py` says what the model knows of the symbols, `cepstra.py` what it hears, `longalign.py`
aligns hours with a model that is trained already. Afterwards every symbol is given at least one
frame, as the network's own alignment wants it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from data.cepstra import N_MELS, SPEECH_RANGE_DB, Floats, alignment_features
from data.phones import (
    MODIFIER_IDS,
    SILENCE,
    SILENCE_IDS,
    SILENT_MARK_IDS,
    Chain,
    Model,
    States,
    best_state_path,
    estimate,
)

__all__ = ["align_corpus", "alignment_features", "best_state_path", "learn_phones"]

log = logging.getLogger(__name__)

# `SPEECH_RANGE_DB` on the scale of the zeroth cepstrum, which is sqrt(N_MELS) times the mean log
# mel. The mean over channels moves less than the level, which the strongest channels make.
CEPSTRUM_RANGE = 0.7 * SPEECH_RANGE_DB / 10 * np.log(10) * np.sqrt(N_MELS)


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
    numbering = States(silence_ids, silent_mark_ids, modifier_ids)
    chains = [
        numbering.chain(sequence, len(row))
        for row, sequence in zip(features, sequences, strict=True)
    ]
    paths, _ = _search(features, chains, len(numbering), iterations)
    return [
        _symbol_durations(chain, path, len(sequence), len(row))
        for chain, path, sequence, row in zip(chains, paths, sequences, features, strict=True)
    ]


def learn_phones(
    features: Sequence[Floats], ids: Sequence[np.ndarray], iterations: int = 12
) -> tuple[Model, dict[tuple[int, ...], int]]:
    """The model that `align_corpus` ends with, and the number of each phone in it."""
    numbering = States(SILENCE_IDS, SILENT_MARK_IDS, MODIFIER_IDS)
    sequences = [np.asarray(row, np.int64) for row in ids]
    pairs = [(r, q) for r, q in zip(features, sequences, strict=True) if 0 < len(q) <= len(r)]
    chains = [numbering.chain(sequence, len(row)) for row, sequence in pairs]
    _, model = _search([row for row, _ in pairs], chains, len(numbering), iterations)
    return model, numbering.phones


def _search(
    features: Sequence[Floats], chains: Sequence[Chain], n_states: int, iterations: int
) -> tuple[list[NDArray[np.int64]], Model]:
    """Best paths (frames per state of the chain) after `iterations` rounds, and the last model."""
    together = np.concatenate(features)
    paths = [_even_path(chain, row) for chain, row in zip(chains, features, strict=True)]
    for iteration in range(iterations):
        entered = [chain.states[path > 0] for chain, path in zip(chains, paths, strict=True)]
        visits = np.bincount(np.concatenate(entered), minlength=n_states)
        states = [np.repeat(c.states, path) for c, path in zip(chains, paths, strict=True)]
        model = estimate(together, np.concatenate(states), visits, n_states)
        before, paths = paths, []
        for chain, row in zip(chains, features, strict=True):
            scores = model.scores(row, chain.states)
            paths.append(best_state_path(scores, chain.optional, chain.cost))
        changed = sum(int(np.abs(a - b).sum()) for a, b in zip(before, paths, strict=True)) / 2
        log.info(
            "alignment round %d of %d: %.1f %% of frames moved",
            iteration + 1, iterations, 100 * changed / len(together),
        )  # fmt: skip
    return paths, model


def _even_path(chain: Chain, features: Floats) -> NDArray[np.int64]:
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
    chain: Chain, path: NDArray[np.int64], n_symbols: int, n_frames: int
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
