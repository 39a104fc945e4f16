"""The text encoder (prior) and the posterior encoder of VITS (arXiv:2106.06103, section 2)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vits.layers import LayerNorm, WaveNet


class RelativeAttention(nn.Module):
    """Multi-head self-attention with learned relative positions (arXiv:1803.02155).

    Positions further apart than `window` share nothing, as in Glow-TTS.
    """

    def __init__(self, channels: int, n_heads: int, window: int, p_dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.window = window
        self.per_head = channels // n_heads
        self.q = nn.Conv1d(channels, channels, 1)
        self.k = nn.Conv1d(channels, channels, 1)
        self.v = nn.Conv1d(channels, channels, 1)
        self.o = nn.Conv1d(channels, channels, 1)
        std = self.per_head**-0.5
        self.emb_rel_k = nn.Parameter(torch.randn(1, 2 * window + 1, self.per_head) * std)
        self.emb_rel_v = nn.Parameter(torch.randn(1, 2 * window + 1, self.per_head) * std)
        self.drop = nn.Dropout(p_dropout)
        for conv in (self.q, self.k, self.v):
            nn.init.xavier_uniform_(conv.weight)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, C, S), mask (B, 1, S) -> (B, C, S)."""
        q, k, v = (self._split(conv(x)) for conv in (self.q, self.k, self.v))
        q = q * self.per_head**-0.5
        offsets = _offsets(x.shape[-1], self.window, x.device)
        scores = q @ k.transpose(-2, -1)
        # (B, H, S, D) @ (D, 2W + 1) -> one score per offset, laid out on the diagonals
        scores = scores + _to_absolute(q @ self.emb_rel_k[0].t(), offsets)
        scores = scores.masked_fill((mask.unsqueeze(-1) * mask.unsqueeze(2)) == 0, -1e4)
        weights = self.drop(F.softmax(scores, dim=-1))
        out = weights @ v + _to_relative(weights, offsets, self.window) @ self.emb_rel_v[0]
        b, h, s, d = out.shape
        return self.o(out.transpose(2, 3).reshape(b, h * d, s))

    def _split(self, x: Tensor) -> Tensor:
        b, _, s = x.shape
        return x.view(b, self.n_heads, self.per_head, s).transpose(2, 3)


def _offsets(length: int, window: int, device: torch.device) -> Tensor:
    """offset[i, j] = j - i + window; outside 0 .. 2 * window where the two are too far apart."""
    positions = torch.arange(length, device=device)
    return positions[None] - positions[:, None] + window


def _to_absolute(relative: Tensor, offsets: Tensor) -> Tensor:
    """(B, H, S, 2W + 1) by offset -> (B, H, S, S) by position, zero where too far."""
    near = (offsets >= 0) & (offsets < relative.shape[-1])
    index = offsets.clamp(0, relative.shape[-1] - 1).expand(*relative.shape[:2], -1, -1)
    return relative.gather(-1, index) * near


def _to_relative(weights: Tensor, offsets: Tensor, window: int) -> Tensor:
    """(B, H, S, S) by position -> (B, H, S, 2W + 1) by offset."""
    padded = F.pad(weights, (window, window))
    s = weights.shape[-1]
    steps = torch.arange(2 * window + 1, device=weights.device)
    index = torch.arange(s, device=weights.device)[:, None] + steps[None]
    return padded.gather(-1, index.expand(*weights.shape[:2], -1, -1))


class FeedForward(nn.Module):
    """Two convolutions over the sequence, (B, C, S) -> (B, C, S)."""

    def __init__(self, channels: int, filters: int, kernel_size: int, p_dropout: float) -> None:
        super().__init__()
        self.conv_1 = nn.Conv1d(channels, filters, kernel_size, padding="same")
        self.conv_2 = nn.Conv1d(filters, channels, kernel_size, padding="same")
        self.drop = nn.Dropout(p_dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        h = self.drop(torch.relu(self.conv_1(x * mask)))
        return self.conv_2(h * mask) * mask


class Transformer(nn.Module):
    """Post-norm transformer blocks, (B, C, S) -> (B, C, S)."""

    def __init__(
        self,
        channels: int,
        filters: int,
        n_heads: int,
        n_layers: int,
        kernel_size: int,
        p_dropout: float,
        window: int,
    ) -> None:
        super().__init__()
        self.attn_layers = nn.ModuleList(
            RelativeAttention(channels, n_heads, window, p_dropout) for _ in range(n_layers)
        )
        self.ffn_layers = nn.ModuleList(
            FeedForward(channels, filters, kernel_size, p_dropout) for _ in range(n_layers)
        )
        self.norm_layers_1 = nn.ModuleList(LayerNorm(channels) for _ in range(n_layers))
        self.norm_layers_2 = nn.ModuleList(LayerNorm(channels) for _ in range(n_layers))
        self.drop = nn.Dropout(p_dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x * mask
        for attend, feed, norm_1, norm_2 in zip(
            self.attn_layers, self.ffn_layers, self.norm_layers_1, self.norm_layers_2, strict=True
        ):
            x = norm_1(x + self.drop(attend(x, mask)))
            x = norm_2(x + self.drop(feed(x, mask)))
        return x * mask


class TextEncoder(nn.Module):
    """Symbols -> hidden states and the prior's mean and log-deviation, each at symbol rate."""

    def __init__(
        self,
        n_symbols: int,
        out_channels: int,
        hidden: int,
        filters: int,
        n_heads: int,
        n_layers: int,
        kernel_size: int,
        p_dropout: float,
        window: int,
    ) -> None:
        super().__init__()
        self.hidden = hidden
        self.emb = nn.Embedding(n_symbols, hidden)
        nn.init.normal_(self.emb.weight, 0.0, hidden**-0.5)
        self.encoder = Transformer(
            hidden, filters, n_heads, n_layers, kernel_size, p_dropout, window
        )
        self.proj = nn.Conv1d(hidden, 2 * out_channels, 1)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """ids (B, S), mask (B, 1, S) -> x (B, hidden, S), m_p and logs_p (B, C, S)."""
        x = (self.emb(ids) * math.sqrt(self.hidden)).transpose(1, 2)
        x = self.encoder(x, mask)
        m_p, logs_p = (self.proj(x) * mask).chunk(2, dim=1)
        return x, m_p, logs_p


class PosteriorEncoder(nn.Module):
    """Linear spectrogram -> the posterior over latents, at frame rate.

    It hears the first `spec_channels` bins, whatever the spectrogram has.
    """

    def __init__(
        self,
        spec_channels: int,
        out_channels: int,
        hidden: int,
        kernel_size: int,
        n_layers: int,
        gin_channels: int,
    ) -> None:
        super().__init__()
        self.spec_channels = spec_channels
        self.context_frames = n_layers * (kernel_size // 2)  # on each side of a frame
        self.pre = nn.Conv1d(spec_channels, hidden, 1)
        self.enc = WaveNet(hidden, kernel_size, n_layers, gin_channels)
        self.proj = nn.Conv1d(hidden, 2 * out_channels, 1)

    def forward(self, spec: Tensor, mask: Tensor, g: Tensor | None) -> tuple[Tensor, Tensor]:
        """spec (B, F, T), mask (B, 1, T) -> m_q, logs_q (B, C, T)."""
        x = self.pre(spec[:, : self.spec_channels]) * mask
        m_q, logs_q = (self.proj(self.enc(x, mask, g)) * mask).chunk(2, dim=1)
        return m_q, logs_q
