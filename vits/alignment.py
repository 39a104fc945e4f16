"""Monotonic alignment search (Glow-TTS, arXiv:2005.11129, algorithm 1), compiled by numba."""

from __future__ import annotations

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def monotonic_path(scores: Tensor, symbol_lengths: Tensor, frame_lengths: Tensor) -> Tensor:
    """The best path through log-likelihoods, (B, S, T) -> (B, S, T) of zeros and ones.

    Every frame belongs to one symbol, every symbol has at least one frame, and order is kept.
    A row with fewer frames than symbols has no such path: ValueError.
    """
    if bool((frame_lengths < symbol_lengths).any()):
        raise ValueError("fewer frames than symbols: there is no monotonic path")
    values = np.ascontiguousarray(scores.detach().float().cpu().numpy())
    durations = best_durations(
        values,
        symbol_lengths.cpu().numpy().astype(np.int64),
        frame_lengths.cpu().numpy().astype(np.int64),
    )
    return path_from_durations(torch.from_numpy(durations).to(scores.device), scores.shape[-1]).to(
        scores.dtype
    )


def path_from_durations(durations: Tensor, n_frames: int) -> Tensor:
    """Durations in frames, (B, S) -> (B, S, n_frames) of zeros and ones."""
    ends = durations.cumsum(1)
    frame = torch.arange(n_frames, device=durations.device)
    before_end = frame[None, None] < ends.unsqueeze(-1)
    after_start = frame[None, None] >= (ends - durations).unsqueeze(-1)
    return (before_end & after_start).float()


@numba.njit(cache=True, nogil=True)
def best_durations(
    scores: NDArray[np.float32], n_symbols: NDArray[np.int64], n_frames: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Frames of each symbol on the best path, (B, S, T) -> (B, S)."""
    batch, max_symbols, _ = scores.shape
    durations = np.zeros((batch, max_symbols), dtype=np.int64)
    for b in range(batch):
        s_end, t_end = n_symbols[b], n_frames[b]
        best = np.full((s_end, t_end), -np.inf, dtype=np.float32)
        best[0, 0] = scores[b, 0, 0]
        for t in range(1, t_end):
            # a symbol is reachable if enough frames lie before it, and enough symbols after it
            low = max(0, s_end - (t_end - t))
            high = min(s_end - 1, t)
            for s in range(low, high + 1):
                stay = best[s, t - 1]
                come = best[s - 1, t - 1] if s > 0 else -np.inf
                best[s, t] = scores[b, s, t] + max(stay, come)
        s = s_end - 1
        for t in range(t_end - 1, -1, -1):
            durations[b, s] += 1
            if s > 0 and (s == t or best[s - 1, t - 1] >= best[s, t - 1]):
                s -= 1
    return durations
