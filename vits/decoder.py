"""Decoders: latents at frame rate to a waveform, both behind `forward(z, g) -> (B, 1, T * hop)`.

`hifigan` is the paper's and reads every published checkpoint. `istft` is the native one: ConvNeXt
blocks at frame rate and an inverse short-time Fourier transform (Vocos, arXiv:2306.00814), which is
what makes synthesis and training affordable without a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vits.config import AudioConfig, HifiganConfig, IstftConfig
from vits.fourier import FactoredStft
from vits.layers import norm_conv
from vits.source import HarmonicSource

LEAK = 0.1
# log-magnitudes at which an untrained decoder with a source begins: the pulses at the level of
# speech, the rest far below, or it takes the voice before the pulses can
SPOKEN, SILENT = -2.5, -6.5


class IstftDecoder(nn.Module):
    """(B, C, T) -> (B, 1, T * hop_length).

    With a harmonic source, its pulses' spectrum, shaped at some frequencies, is added to the
    spectrum that the blocks make: the voice's harmonics, and all the rest.
    """

    between: Tensor

    def __init__(
        self, channels: int, gin_channels: int, sizes: IstftConfig, audio: AudioConfig
    ) -> None:
        super().__init__()
        width, kernel = sizes.channels, sizes.kernel_size
        self.pre = nn.Conv1d(channels, width, kernel, padding="same")
        self.cond = nn.Conv1d(gin_channels, width, 1) if gin_channels else None
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.blocks = nn.ModuleList(
            ConvNeXt(width, sizes.intermediate_channels, kernel, 1 / sizes.n_layers)
            for _ in range(sizes.n_layers)
        )
        self.final_norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, 2 * audio.n_bins)
        self.inverse = InverseStft(audio)
        self.source: HarmonicSource | None = None
        if sizes.source_channels:
            self.source = HarmonicSource(channels, gin_channels, sizes.source_channels, audio)
            self.shape = nn.Linear(width, 2 * sizes.source_bands)
            between = _interpolation(sizes.source_bands, audio.n_bins)
            self.register_buffer("between", between, persistent=False)
        # frames of context on each side that a frame of sound can depend on
        self.context_frames = (kernel // 2) * (sizes.n_layers + 1) + 2
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if self.source is not None:
            nn.init.constant_(self.shape.bias[: sizes.source_bands], SPOKEN)
            nn.init.constant_(self.head.bias[: audio.n_bins], SILENT)

    def forward(
        self,
        z: Tensor,
        g: Tensor | None = None,
        frame_mask: Tensor | None = None,
        harmonics: Tensor | None = None,
        melody: Tensor | None = None,
    ) -> Tensor:
        """frame_mask (B, 1, T) ends each row where its ones end, as if nothing stood behind.

        `harmonics` (B, T, 2 * n_bins) are those of the latents' own pitch unless given, or of that
        with a `melody` (B, 2) as `HarmonicSource.pitch` takes it.
        """
        if self.source is not None and harmonics is None:
            harmonics = self.harmonics(z, g, frame_mask, melody)
        mask = None if frame_mask is None else frame_mask.transpose(1, 2)
        x = self.pre(z)
        if self.cond is not None and g is not None:
            x = x + self.cond(g)
        x = self.norm(x.transpose(1, 2))
        for block in self.blocks:
            x = block(x if mask is None else x * mask)
        x = self.final_norm(x)
        real, imaginary = _polar(self.head(x))
        if harmonics is not None:
            bands = self.shape(x).float().unflatten(-1, (2, -1))
            gain, turn = _polar((bands @ self.between).flatten(-2))
            cosines, sines = harmonics.chunk(2, dim=-1)
            real = real + gain * cosines - turn * sines
            imaginary = imaginary + gain * sines + turn * cosines
        return self.inverse(real, imaginary, mask).unsqueeze(1)

    def harmonics(
        self,
        z: Tensor,
        g: Tensor | None,
        frame_mask: Tensor | None = None,
        melody: Tensor | None = None,
    ) -> Tensor:
        """The source's spectra at the latents' own pitch, (B, C, T) -> (B, T, 2 * n_bins)."""
        assert self.source is not None
        spectra: Tensor = self.source(self.source.pitch(z, g, frame_mask, melody))
        return spectra


def _interpolation(n_from: int, n_to: int) -> Tensor:
    """Linear interpolation between evenly spaced values as a matrix, (n_from, n_to)."""
    eye = torch.eye(n_from).unsqueeze(0)
    return F.interpolate(eye, n_to, mode="linear", align_corners=True)[0]


def _polar(x: Tensor) -> tuple[Tensor, Tensor]:
    """Log-magnitudes and phases (..., 2 n) -> real and imaginary parts (..., n)."""
    log_magnitude, phase = x.float().chunk(2, dim=-1)
    # an untrained head must not overflow; speech never comes near this magnitude
    magnitude = torch.exp(log_magnitude).clamp(max=100.0)
    return magnitude * torch.cos(phase), magnitude * torch.sin(phase)


class ConvNeXt(nn.Module):
    """A ConvNeXt block (arXiv:2201.03545) over time, (B, T, C) -> (B, T, C)."""

    def __init__(self, channels: int, intermediate: int, kernel_size: int, scale: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, kernel_size, groups=channels, padding="same")
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.up = nn.Linear(channels, intermediate)
        self.down = nn.Linear(intermediate, channels)
        self.scale = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x: Tensor) -> Tensor:
        h = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.down(F.gelu(self.up(self.norm(h))))


class InverseStft(nn.Module):
    """Real and imaginary parts (B, T, n_bins) -> waveform (B, T * hop_length).

    The counterpart of `spectral.spectrogram`: the edges of (n_fft - hop_length) / 2 are cut off and
    the overlapping windows divided out. With `factored` the Fourier sum is small matrix products,
    which every ONNX runtime is fast at; otherwise it is an FFT. Both give the same sound.
    """

    window: Tensor

    def __init__(self, audio: AudioConfig) -> None:
        super().__init__()
        if audio.win_length != audio.n_fft or audio.n_fft % audio.hop_length:
            raise ValueError("the window must fill n_fft, and the hop must divide it")
        self.n_fft, self.hop = audio.n_fft, audio.hop_length
        self.factored: FactoredStft | None = None
        self.register_buffer("window", torch.hann_window(audio.n_fft), persistent=False)

    def forward(self, real: Tensor, imaginary: Tensor, frame_mask: Tensor | None = None) -> Tensor:
        """frame_mask (B, T, 1): frames where it is zero are silent and take no share."""
        n_frames = real.shape[1]
        waveform, envelope = self._added(real, imaginary, frame_mask)
        cut = (self.n_fft - self.hop) // 2
        length = n_frames * self.hop
        sound = (waveform / envelope.clamp(min=1e-3))[:, cut : cut + length]
        if frame_mask is not None:  # half a window of the last frame reaches beyond it
            sound = sound * frame_mask.repeat_interleave(self.hop, dim=1).squeeze(-1)
        return sound

    def _added(
        self, real: Tensor, imaginary: Tensor, frame_mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The windowed frames and their squared windows, each added up."""
        if self.factored is not None:
            share = torch.ones_like(real[:1, :, :1]) if frame_mask is None else frame_mask
            added = self.factored.inverse(real * share, imaginary * share)
            return added, self.factored.envelope(share.squeeze(-1))
        frames = torch.fft.irfft(torch.complex(real, imaginary), n=self.n_fft) * self.window
        weights = self.window.square().expand(1, real.shape[1], -1)
        if frame_mask is not None:
            frames, weights = frames * frame_mask, weights * frame_mask
        return self._overlap_add(frames), self._overlap_add(weights)

    def _overlap_add(self, frames: Tensor) -> Tensor:
        """(B, T, n_fft) -> (B, (T - 1) * hop + n_fft), as a sum of n_fft / hop shifted signals."""
        b, t, _ = frames.shape
        overlap = self.n_fft // self.hop
        parts = frames.view(b, t, overlap, self.hop)
        total = sum(F.pad(parts[:, :, i], (0, 0, i, overlap - 1 - i)) for i in range(overlap))
        assert isinstance(total, Tensor)
        return total.reshape(b, (t + overlap - 1) * self.hop)


class HifiganDecoder(nn.Module):
    """HiFi-GAN's generator (arXiv:2010.05646), (B, C, T) -> (B, 1, T * hop_length)."""

    def __init__(self, channels: int, gin_channels: int, sizes: HifiganConfig) -> None:
        super().__init__()
        width = sizes.initial_channels
        self.conv_pre = nn.Conv1d(channels, width, 7, padding=3)
        self.cond = nn.Conv1d(gin_channels, width, 1) if gin_channels else None
        self.ups = nn.ModuleList()
        self.resblocks = nn.ModuleList()
        self.per_stage = len(sizes.resblock_kernel_sizes)
        for rate, kernel in zip(sizes.upsample_rates, sizes.upsample_kernel_sizes, strict=True):
            up = nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2)
            nn.init.normal_(up.weight, 0.0, 0.01)
            self.ups.append(norm_conv(up))
            width //= 2
            for size, dilations in zip(
                sizes.resblock_kernel_sizes, sizes.resblock_dilation_sizes, strict=True
            ):
                self.resblocks.append(
                    ResBlock(width, size, dilations, paired=sizes.resblock == "1")
                )
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3, bias=False)
        self.context_frames = 16

    def forward(self, z: Tensor, g: Tensor | None = None) -> Tensor:
        x = self.conv_pre(z)
        if self.cond is not None and g is not None:
            x = x + self.cond(g)
        for i, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, LEAK))
            blocks = self.resblocks[i * self.per_stage : (i + 1) * self.per_stage]
            x = torch.stack([block(x) for block in blocks]).mean(0)
        # the published checkpoints were trained with the default slope here
        return torch.tanh(self.conv_post(F.leaky_relu(x)))


class ResBlock(nn.Module):
    """Dilated residual convolutions, (B, C, T) -> (B, C, T); `paired` is HiFi-GAN's type 1."""

    def __init__(
        self, channels: int, kernel_size: int, dilations: tuple[int, ...], paired: bool
    ) -> None:
        super().__init__()

        def conv(dilation: int) -> nn.Module:
            layer = nn.Conv1d(
                channels,
                channels,
                kernel_size,
                dilation=dilation,
                padding=dilation * (kernel_size - 1) // 2,
            )
            nn.init.normal_(layer.weight, 0.0, 0.01)
            return norm_conv(layer)

        self.convs1 = nn.ModuleList(conv(d) for d in dilations)
        self.convs2 = nn.ModuleList(conv(1) for _ in dilations) if paired else None

    def forward(self, x: Tensor) -> Tensor:
        for i, conv in enumerate(self.convs1):
            h = conv(F.leaky_relu(x, LEAK))
            if self.convs2 is not None:
                h = self.convs2[i](F.leaky_relu(h, LEAK))
            x = x + h
        return x


def decode_in_chunks(
    decoder: IstftDecoder | HifiganDecoder,
    z: Tensor,
    g: Tensor | None,
    hop_length: int,
    n_frames: int | None = None,
    first_frames: int = 24,
    chunk_frames: int = 256,
    melody: Tensor | None = None,
) -> Iterator[Tensor]:
    """Decode one utterance piece by piece, (1, C, T) -> pieces (n_samples,) that join exactly.

    The first piece is short, so that sound starts early; each piece is decoded with the context
    that its samples depend on. Only the first `n_frames` frames are the utterance's, if given.
    """
    total = z.shape[-1] if n_frames is None else n_frames
    mask = torch.ones_like(z[:, :1])
    mask[..., total:] = 0.0
    context, start, size = decoder.context_frames, 0, first_frames
    harmonics = None
    if isinstance(decoder, IstftDecoder) and decoder.source is not None:
        # of the whole: a phase goes on from the start
        harmonics = decoder.harmonics(z, g, mask, melody)
    while start < total:
        end = min(total, start + size)
        low, high = max(0, start - context), min(total, end + context)
        if isinstance(decoder, IstftDecoder):
            if end == total:  # with the padding, so that few different lengths occur
                high = z.shape[-1]
            here = None if harmonics is None else harmonics[:, low:high]
            sound = decoder(z[..., low:high], g, mask[..., low:high], here)[0, 0]
        else:
            sound = decoder(z[..., low:high], g)[0, 0]
        yield sound[(start - low) * hop_length : (end - low) * hop_length]
        start, size = end, chunk_frames
