"""The harmonic source of the native decoder: the pitch of the latents, and the sound of a voice
box at that pitch.

Source and filter (neural source-filter models, arXiv:1904.12088): the harmonics of a pulse train
come from arithmetic, and the network shapes them. A network alone has to keep every harmonic's
phase in step from frame to frame, which takes it hundreds of thousands of steps to learn.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vits.config import AudioConfig
from vits.fourier import FactoredStft

MIDDLE_HZ = 160.0  # between men's voices and women's
PITCH_KERNEL = 5


class HarmonicSource(nn.Module):
    """Latents -> pitch -> spectra of a pulse train of that pitch, real and imaginary parts.

    A pitch (B, T) is in Hz; where it is negative or zero there is no voice. With `factored` the
    Fourier sum is small matrix products, as in `InverseStft`.
    """

    window: Tensor

    def __init__(self, channels: int, gin_channels: int, width: int, audio: AudioConfig) -> None:
        super().__init__()
        self.audio = audio
        self.factored: FactoredStft | None = None
        self.pre = nn.Conv1d(channels, width, PITCH_KERNEL, padding="same")
        self.cond = nn.Conv1d(gin_channels, width, 1) if gin_channels else None
        self.mid = nn.Conv1d(width, width, PITCH_KERNEL, padding="same")
        self.post = nn.Conv1d(width, 2, 1)
        self.register_buffer("window", torch.hann_window(audio.n_fft), persistent=False)

    def guess(self, z: Tensor, g: Tensor | None, mask: Tensor | None = None) -> Tensor:
        """(B, C, T) -> (B, 2, T): octaves above MIDDLE_HZ, and the log-odds of a voice."""
        x = self.pre(z)
        if self.cond is not None and g is not None:
            x = x + self.cond(g)
        x = F.gelu(x)
        x = F.gelu(self.mid(x if mask is None else x * mask))
        return self.post(x).float()

    def pitch(
        self,
        z: Tensor,
        g: Tensor | None,
        mask: Tensor | None = None,
        melody: Tensor | None = None,
    ) -> Tensor:
        """The pitch of latents, (B, C, T) -> (B, T).

        melody (B, 2): a middle in octaves above MIDDLE_HZ, and by what the pitch goes farther from
        it than the latents say.
        """
        octaves, odds = self.guess(z, g, mask).unbind(1)
        if melody is not None:
            middle, wider = melody[:, :1], melody[:, 1:]
            octaves = middle + (octaves - middle) * wider
        return torch.where(odds > 0, 1.0, -1.0) * MIDDLE_HZ * torch.exp2(octaves.clamp(-2, 3))

    def loss(self, guess: Tensor, pitch: Tensor, mask: Tensor) -> Tensor:
        """How far a guess (B, 2, T) is from a pitch (B, T), in octaves and nats, where mask (B, T).

        Frames whose pitch is unknown, NaN, are left out.
        """
        octaves, odds = guess.float().unbind(1)
        heard = mask * (~pitch.isnan()).float()
        pitch = pitch.nan_to_num(0.0)
        voiced = heard * (pitch > 0).float()
        off = (octaves - torch.log2(pitch.abs().clamp(min=20.0) / MIDDLE_HZ)).abs()
        wrong = F.binary_cross_entropy_with_logits(odds, (pitch > 0).float(), reduction="none")
        octaves_off = (off * voiced).sum() / voiced.sum().clamp(min=1)
        return octaves_off + (wrong * heard).sum() / heard.sum().clamp(min=1)

    def forward(self, pitch: Tensor, start: Tensor | None = None) -> Tensor:
        """Spectra of the pulse train, (B, T) -> (B, T, 2 * n_bins), framed as `spectrogram` is.

        Real parts, then imaginary ones. `start` (B,): where in their first period the pulses begin,
        0 to 1. A voice has the level of white noise of unit variance, whatever its pitch.
        """
        with torch.autocast(pitch.device.type, enabled=False):
            pulses = self.pulses(pitch.float(), start)
            pad = (self.audio.n_fft - self.audio.hop_length) // 2
            padded = F.pad(pulses, (pad, pad))
            if self.factored is not None:
                return self.factored(padded)
            frames = padded.unfold(1, self.audio.n_fft, self.audio.hop_length)
            spectra = torch.fft.rfft(frames * self.window)
            return torch.cat([spectra.real, spectra.imag], dim=-1)

    def pulses(self, pitch: Tensor, start: Tensor | None = None) -> Tensor:
        """All harmonics below half the rate, in phase, (B, T) -> (B, T * hop)."""
        rate = self.audio.sample_rate
        hz, level = (self._per_sample(x) for x in (pitch.abs(), (pitch > 0).float()))
        within = (hz / rate).view(*pitch.shape, -1).cumsum(-1)
        before = _turns(within)[:, :-1].remainder(1.0).float()
        if start is not None:
            before = before + start[:, None]
        turn = (before.unsqueeze(-1) + within).flatten(1)
        half = torch.pi * (turn - turn.round())  # -pi / 2 to pi / 2
        count = torch.floor(rate / 2 / hz.clamp(min=20.0))
        # sum of cos(2 k half) for k = 1 .. count, in closed form
        divisor = half.sin()
        near = divisor.abs() < 1e-4
        ratio = torch.sin((2 * count + 1) * half) / torch.where(near, 1.0, divisor)
        harmonics = 0.5 * (torch.where(near, 2 * count + 1, ratio) - 1)
        return level * harmonics * 2 * torch.sqrt(hz / rate)

    def turns(self, pitch: Tensor) -> Tensor:
        """Periods that have passed where each frame begins and at the end, (B, T) -> (B, T + 1).

        Whole periods may be left out.
        """
        hz = self._per_sample(pitch.float().abs()) / self.audio.sample_rate
        return _turns(hz.view(*pitch.shape, -1).cumsum(-1))

    def _per_sample(self, x: Tensor) -> Tensor:
        """(B, T) in the middle of frames -> (B, T * hop), straight lines between them."""
        hop = self.audio.hop_length
        place = (torch.arange(hop, device=x.device) + 0.5) / hop - 0.5  # of the frame's middle
        before, after = torch.cat([x[:, :1], x[:, :-1]], 1), torch.cat([x[:, 1:], x[:, -1:]], 1)
        middle, before, after = (part.unsqueeze(-1) for part in (x, before, after))
        to_before, to_after = (-place).clamp(min=0), place.clamp(min=0)
        lines = middle * (1 - to_before - to_after) + before * to_before + after * to_after
        return lines.flatten(1)


def _turns(within: Tensor) -> Tensor:
    """Periods since each frame began, (B, T, hop) -> since the beginning, (B, T + 1).

    Whole periods are left out of the sum, and it is in twice the precision where a device has it:
    over minutes the phase would be lost.
    """
    parts = within[..., -1].remainder(1.0)
    if parts.device.type != "mps":
        parts = parts.double()
    return F.pad(parts.cumsum(-1), (1, 0))
