"""Critics that listen to waveforms: the paper's set, and a light one for training on a CPU.

Each returns, for one waveform, a list of (score, feature maps); HiFi-GAN arXiv:2010.05646, and the
multi-resolution STFT critic of UnivNet arXiv:2106.07889.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vits.config import DiscriminatorConfig
from vits.layers import norm_conv
from vits.spectral import stft_magnitude

LEAK = 0.1
# The paper's: channels of a period critic's layers, and (in, out, kernel, stride, groups) of the
# layers of the one scale.
PAPER_PERIOD = (32, 128, 512, 1024, 1024)
PAPER_SCALE = (
    (1, 16, 15, 1, 1),
    (16, 64, 41, 4, 4),
    (64, 256, 41, 4, 16),
    (256, 1024, 41, 4, 64),
    (1024, 1024, 41, 4, 256),
    (1024, 1024, 5, 1, 1),
)


class Verdict(NamedTuple):
    """What one critic says: scores of any shape and the features it saw on the way."""

    score: Tensor
    features: list[Tensor]


class PeriodCritic(nn.Module):
    """Sees every p-th sample side by side, (B, 1, T) -> Verdict."""

    def __init__(self, period: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.period = period
        sizes = (1, *channels)
        strides = [3] * (len(channels) - 1) + [1]
        self.convs = nn.ModuleList(
            norm_conv(nn.Conv2d(a, b, (5, 1), (s, 1), padding=(2, 0)))
            for a, b, s in zip(sizes[:-1], sizes[1:], strides, strict=True)
        )
        self.conv_post = norm_conv(nn.Conv2d(channels[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, x: Tensor) -> Verdict:
        b, c, t = x.shape
        extra = -t % self.period
        if extra:
            x = F.pad(x, (0, extra), mode="reflect")
        x = x.view(b, c, (t + extra) // self.period, self.period)
        return _judge(x, self.convs, self.conv_post)


class ScaleCritic(nn.Module):
    """Sees the raw waveform through grouped convolutions (the paper's one scale)."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            norm_conv(nn.Conv1d(a, b, k, s, padding=k // 2, groups=n))
            for a, b, k, s, n in PAPER_SCALE
        )
        self.conv_post = norm_conv(nn.Conv1d(PAPER_SCALE[-1][1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> Verdict:
        return _judge(x, self.convs, self.conv_post)


class ResolutionCritic(nn.Module):
    """Sees one magnitude spectrogram as a picture."""

    window: Tensor

    def __init__(self, n_fft: int, hop_length: int, channels: int) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop_length
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.convs = nn.ModuleList(
            norm_conv(nn.Conv2d(a, channels, (9, 3), stride, padding=(4, 1)))
            for a, stride in (
                (1, (2, 1)),
                (channels, (2, 1)),
                (channels, (2, 2)),
                (channels, (2, 2)),
            )
        )
        self.conv_post = norm_conv(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, x: Tensor) -> Verdict:
        pad = (self.n_fft - self.hop) // 2
        x = F.pad(x, (pad, pad), mode="reflect").squeeze(1)
        picture = torch.log(stft_magnitude(x, self.n_fft, self.hop, self.window) + 1e-2)
        picture = picture.unsqueeze(1)
        if picture.device.type == "cpu":  # a quarter faster there
            picture = picture.to(memory_format=torch.channels_last)
        return _judge(picture, self.convs, self.conv_post)


class Discriminators(nn.Module):
    """All critics of a configuration."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        if config.kind == "paper":
            periods: list[nn.Module] = [PeriodCritic(p, PAPER_PERIOD) for p in config.periods]
            self.critics = nn.ModuleList([ScaleCritic(), *periods])
        else:
            self.critics = nn.ModuleList(
                [
                    *(PeriodCritic(p, config.period_channels) for p in config.periods),
                    *(
                        ResolutionCritic(n, h, config.resolution_channels)
                        for n, h in config.resolutions
                    ),
                ]
            )

    def forward(self, waveform: Tensor) -> list[Verdict]:
        """waveform (B, 1, T) -> one verdict for each critic."""
        return [critic(waveform) for critic in self.critics]


def split_verdicts(verdicts: list[Verdict]) -> tuple[list[Verdict], list[Verdict]]:
    """Verdicts on two waveforms that were stacked along the batch, taken apart."""
    halves = [(v.score.chunk(2), [f.chunk(2) for f in v.features]) for v in verdicts]
    first = [Verdict(score[0], [f[0] for f in features]) for score, features in halves]
    second = [Verdict(score[1], [f[1] for f in features]) for score, features in halves]
    return first, second


def _judge(x: Tensor, convs: nn.ModuleList, conv_post: nn.Module) -> Verdict:
    features = []
    for conv in convs:
        x = F.leaky_relu(conv(x), LEAK)
        features.append(x)
    x = conv_post(x)
    features.append(x)
    return Verdict(x, features)
