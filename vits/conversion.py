"""Speech of any length in another voice (VITS, arXiv:2106.06103, section 4.4), window by window.

Everything between the spectrogram and the sound is convolutions, so a frame depends on so many
frames at each side and no others: windows with that much context, cut to their middle, join to what
the whole would have given. The noise of a frame follows from the seed and its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vits.config import AudioConfig
from vits.spectral import stft_magnitude

CHUNK_FRAMES = 512  # converted at a time, without their context
NOISE_FRAMES = 256  # drawn at a time

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Window:
    """Frames on their way: spec and noise (1, channels, T); `start` to `end` are what is wanted."""

    spec: Tensor
    noise: Tensor
    start: int
    end: int


def convert_windows(
    pieces: Iterable[Samples],
    convert: Callable[[Window], Samples],
    audio: AudioConfig,
    *,
    channels: int,
    context_frames: int,
    seed: int,
) -> Iterator[Samples]:
    """Sound as long as that of `pieces`, piece by piece, at the same sample rate.

    `convert` makes the sound (frames * hop,) of all frames of a window; `channels` are the
    noise's. Memory is that of a window and of the longest of `pieces`.
    """
    hop, start = audio.hop_length, 0
    sound = _Frames(pieces, audio)
    while True:
        low = max(0, start - context_frames)
        spec = sound.magnitudes(low, start + CHUNK_FRAMES + context_frames)
        end = min(start + CHUNK_FRAMES, low + spec.shape[2])
        noise = frame_noise(seed, channels, low, low + spec.shape[2])
        made = convert(Window(spec, noise, start - low, end - low))
        wanted = sound.edged.length - start * hop if sound.edged.length is not None else len(made)
        yield made[(start - low) * hop : (end - low) * hop][:wanted]
        start = end
        if sound.edged.length is not None and start * hop >= sound.edged.length:
            return


def frame_noise(seed: int, channels: int, start: int, end: int) -> Tensor:
    """Standard normal noise of frames `start` to `end`, (1, channels, T): the same wherever cut."""
    first, last = start // NOISE_FRAMES, max(start, end - 1) // NOISE_FRAMES
    blocks = [
        torch.randn(
            1, channels, NOISE_FRAMES, generator=torch.Generator().manual_seed(seed * 2**31 + block)
        )
        for block in range(first, last + 1)
    ]
    offset = first * NOISE_FRAMES
    return torch.cat(blocks, dim=2)[..., start - offset : end - offset]


class _Frames:
    """Spectrogram frames of sound that comes in pieces, asked for in order."""

    def __init__(self, pieces: Iterable[Samples], audio: AudioConfig) -> None:
        self.edged = _Edged(pieces, audio)
        self._audio = audio
        self._pieces = iter(self.edged)
        self._held, self._offset = np.zeros(0, np.float32), 0
        self._window = torch.hann_window(audio.win_length)

    def magnitudes(self, low: int, high: int) -> Tensor:
        """Frames `low` to `high`, or to the end if that is nearer, (1, n_bins, T)."""
        hop, n_fft = self._audio.hop_length, self._audio.n_fft
        wanted = (high - low - 1) * hop + n_fft
        parts = [self._held[low * hop - self._offset :]]
        while sum(map(len, parts)) < wanted and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
        self._held, self._offset = np.concatenate(parts), low * hop
        return stft_magnitude(
            torch.from_numpy(self._held[:wanted]).unsqueeze(0), n_fft, hop, self._window
        )


@dataclass
class _Edged:
    """Pieces of sound with the reflected edges of `spectral.spectrogram` at both ends.

    Silence fills it up to whole frames and at least one window. `length` is what it was, in
    samples, from its end on.
    """

    pieces: Iterable[Samples]
    audio: AudioConfig
    length: int | None = None

    def __iter__(self) -> Iterator[Samples]:
        hop, n_fft = self.audio.hop_length, self.audio.n_fft
        edge = (n_fft - hop) // 2
        held, total, begun = np.zeros(0, np.float32), 0, False
        for piece in self.pieces:
            held, total = np.concatenate([held, piece]).astype(np.float32), total + len(piece)
            if len(held) < n_fft:
                continue
            if not begun:
                yield held[edge:0:-1]
                begun = True
            yield held[: -edge - 1]  # the last samples may have to be reflected
            held = held[-edge - 1 :]
        self.length = total
        filled = max(n_fft, math.ceil(total / hop) * hop)
        held = np.pad(held, (0, filled - total))
        if not begun:
            yield held[edge:0:-1]
        yield held
        yield held[-2 : -edge - 2 : -1]
