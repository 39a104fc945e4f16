"""Monotonic alignment search (Glow-TTS, arXiv:2005.11129, algorithm 1)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def monotonic_path(scores: Tensor, symbol_lengths: Tensor, frame_lengths: Tensor) -> Tensor:
    """The best path through log-likelihoods, (B, S, T) -> (B, S, T) of zeros and ones.

    Every frame belongs to one symbol, every symbol has at least one frame, and order is kept.
    A row with fewer frames than symbols has no such path: ValueError.
    """
    from vits.search import best_durations  # numba is for training: speaking does without

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
