"""The search of `vits.alignment`, compiled by numba on first use."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


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
