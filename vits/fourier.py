"""Short-time Fourier transforms as convolutions and small matrix products.

Graphs have no fast Fourier transform that every runtime is fast at, and a whole transform as one
matrix is ten times the work. A sum over n = q a + b and k = k1 + p k2, with n_fft = p q, falls into
two (Cooley and Tukey, 1965): over a for each b and k1, which is a convolution over the signal with
the window and the twiddles in its weights, and over b for each k2.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vits.config import AudioConfig


class FactoredStft(nn.Module):
    """The windowed transform of real signals, and back. What `torch.fft` gives, to rounding."""

    analysis: Tensor
    bins: Tensor
    highest: Tensor
    inner: Tensor
    synthesis: Tensor
    squares: Tensor

    def __init__(self, audio: AudioConfig) -> None:
        super().__init__()
        self.n_fft, self.hop = audio.n_fft, audio.hop_length
        self.overlap = self.n_fft // self.hop
        self.q = _inner(self.n_fft, self.hop)
        self.p = self.n_fft // self.q
        for name, matrix in _matrices(self.n_fft, self.hop, self.p, self.q).items():
            self.register_buffer(name, matrix.float(), persistent=False)

    def forward(self, signal: Tensor) -> Tensor:
        """Frames of a signal, (B, (T - 1) * hop + n_fft) -> (B, T, 2 * n_bins): real, imaginary."""
        p, q = self.p, self.q
        rows = signal.unflatten(1, (-1, q)).transpose(1, 2)
        parts = F.conv1d(rows, self.analysis, stride=self.hop // q, groups=q)
        batch, _, n_frames = parts.shape
        # channels are b, real or imaginary, k1
        parts = parts.view(batch, 2 * q, p * n_frames)
        real, imaginary = (self.bins @ parts).view(batch, 2, -1, n_frames).unbind(1)
        top = self.highest @ parts[..., :n_frames]
        return torch.cat([real, top, imaginary, torch.zeros_like(top)], 1).transpose(1, 2)

    def inverse(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """Windowed frames added up, (B, T, n_bins) -> (B, (T - 1) * hop + n_fft)."""
        p, q = self.p, self.q
        batch, n_frames, _ = real.shape
        spectra = torch.cat([real, imaginary], -1).transpose(1, 2).unflatten(1, (2, -1))
        # the highest bin, and the lowest to subtract again, as one more k1
        edges = torch.stack([spectra[:, 0, -1], -spectra[:, 0, 0]], 1)[:, :, None, None]
        edges = F.pad(edges, (0, 0, 0, 0, 0, q // 2 - 1))
        body = spectra[:, :, :-1].reshape(batch, 2, q // 2, p, n_frames)
        spectra = torch.cat([body, edges], 3).view(batch, q, (p + 1) * n_frames)
        parts = (self.inner @ spectra).view(batch, q, 2 * (p + 1), n_frames)
        frames = (self.synthesis @ parts).view(batch, q, self.overlap, -1, n_frames)
        return self._added(frames).permute(0, 3, 2, 1).reshape(batch, -1)

    def envelope(self, shares: Tensor) -> Tensor:
        """The squared windows of frames added up, each as often as its share says, (B, T) ->
        (B, (T - 1) * hop + n_fft)."""
        last = self.overlap - 1
        shifted = torch.stack([F.pad(shares, (i, last - i)) for i in range(self.overlap)], -1)
        return (shifted @ self.squares).flatten(1)

    def _added(self, frames: Tensor) -> Tensor:
        """Each frame's parts a hop later than the one before, (B, q, overlap, s, T) ->
        (B, q, s, T + overlap - 1)."""
        last = self.overlap - 1
        total = F.pad(frames[:, :, 0], (0, last))
        for i in range(1, self.overlap):
            total = total + F.pad(frames[:, :, i], (i, last - i))
        return total


def _inner(n_fft: int, hop: int) -> int:
    """q: the even factor of both that is nearest below the root of n_fft."""
    shared = math.gcd(n_fft, hop)
    fitting = [q for q in range(2, math.isqrt(n_fft) + 1, 2) if shared % q == 0]
    if not fitting:
        raise ValueError("n_fft and the hop must share an even factor")
    return fitting[-1]


def _matrices(n_fft: int, hop: int, p: int, q: int) -> dict[str, Tensor]:
    """The fixed weights of both directions, by the names of their buffers."""
    a, b, k1 = (torch.arange(n, dtype=torch.float64) for n in (p, q, p))
    k2 = torch.arange(q // 2, dtype=torch.float64)
    window = torch.hann_window(n_fft, dtype=torch.float64).view(p, q).t()  # (b, a)
    # (b, k1, a): the angle of a k1 / p and of the twiddle
    angle = 2 * torch.pi * (k1[:, None] * a / p + b[:, None, None] * k1[:, None] / n_fft)
    turned = torch.stack([angle.cos(), -angle.sin()], 1) * window[:, None, None]
    cos, sin = (f(2 * torch.pi * k2[:, None] * b / q) for f in (torch.cos, torch.sin))  # (k2, b)
    bins = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)])
    highest = torch.stack([torch.cos(torch.pi * b), torch.zeros_like(b)], -1)
    rows = torch.stack([cos.t(), -sin.t()], 1), torch.stack([sin.t(), cos.t()], 1)
    back = torch.stack(rows, 1)
    ends = torch.stack([torch.cos(torch.pi * b)[:, None] * window, window], 1)[:, :, None]
    synthesis = torch.cat([2 * turned, ends], 2).flatten(1, 2).transpose(1, 2) / n_fft
    squares = torch.hann_window(n_fft, dtype=torch.float64).square().view(-1, hop)
    return {
        "analysis": turned.reshape(-1, 1, p),
        "bins": bins.reshape(q, 2 * q),
        "highest": highest.reshape(1, 2 * q),
        "inner": back.reshape(2 * q, q),
        "synthesis": synthesis,
        "squares": squares,
    }
