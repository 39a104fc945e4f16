"""Duration predictors: the deterministic one of Glow-TTS and the stochastic one of VITS.

Both read detached text states, so that rhythm never bends the text encoder.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vits.layers import SYMBOL_BLOCK, Chance, LayerNorm, normal

LOG_2_PI = math.log(2 * math.pi)


class DeterministicDurations(nn.Module):
    """Predicts log-durations by regression (Glow-TTS, arXiv:2005.11129)."""

    def __init__(
        self, channels: int, filters: int, kernel_size: int, p_dropout: float, gin_channels: int
    ) -> None:
        super().__init__()
        self.cond = nn.Conv1d(gin_channels, channels, 1) if gin_channels else None
        self.conv_1 = nn.Conv1d(channels, filters, kernel_size, padding="same")
        self.norm_1 = LayerNorm(filters)
        self.conv_2 = nn.Conv1d(filters, filters, kernel_size, padding="same")
        self.norm_2 = LayerNorm(filters)
        self.proj = nn.Conv1d(filters, 1, 1)
        self.drop = nn.Dropout(p_dropout)

    def loss(self, x: Tensor, mask: Tensor, durations: Tensor, g: Tensor | None) -> Tensor:
        """Squared error of log-durations per symbol, as one number for each row, (B,).

        x (B, C, S), mask (B, 1, S), durations (B, 1, S) in frames.
        """
        target = torch.log(durations.clamp(min=1e-6)) * mask
        error = (self._log_durations(x, mask, g) - target).square() * mask
        return error.sum((1, 2)) / mask.sum((1, 2))

    def sample(
        self,
        x: Tensor,
        mask: Tensor,
        g: Tensor | None,
        noise_scale: float = 0.0,
        generator: Chance = None,
    ) -> Tensor:
        """Log-durations, (B, 1, S). There is one answer: the noise is not used."""
        return self._log_durations(x, mask, g)

    def _log_durations(self, x: Tensor, mask: Tensor, g: Tensor | None) -> Tensor:
        x = x.detach()
        if self.cond is not None and g is not None:
            x = x + self.cond(g.detach())
        x = self.drop(self.norm_1(torch.relu(self.conv_1(x * mask))))
        x = self.drop(self.norm_2(torch.relu(self.conv_2(x * mask))))
        return self.proj(x * mask) * mask


class DilatedSeparable(nn.Module):
    """Depth-separable convolutions whose dilation grows by powers, (B, C, S) -> (B, C, S)."""

    def __init__(
        self, channels: int, kernel_size: int, n_layers: int, p_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.convs_sep = nn.ModuleList(
            nn.Conv1d(
                channels,
                channels,
                kernel_size,
                groups=channels,
                dilation=kernel_size**i,
                padding="same",
            )
            for i in range(n_layers)
        )
        self.convs_1x1 = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(n_layers))
        self.norms_1 = nn.ModuleList(LayerNorm(channels) for _ in range(n_layers))
        self.norms_2 = nn.ModuleList(LayerNorm(channels) for _ in range(n_layers))
        self.drop = nn.Dropout(p_dropout)

    def forward(self, x: Tensor, mask: Tensor, g: Tensor | None = None) -> Tensor:
        if g is not None:
            x = x + g
        for sep, point, norm_1, norm_2 in zip(
            self.convs_sep, self.convs_1x1, self.norms_1, self.norms_2, strict=True
        ):
            h = F.gelu(norm_1(sep(x * mask)))
            x = x + self.drop(F.gelu(norm_2(point(h))))
        return x * mask


class Affine(nn.Module):
    """A learned shift and scale of each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.m = nn.Parameter(torch.zeros(channels, 1))
        self.logs = nn.Parameter(torch.zeros(channels, 1))

    def forward(self, z: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """z (B, C, S) -> z, log-determinant (B,)."""
        return (self.m + self.logs.exp() * z) * mask, (self.logs * mask).sum((1, 2))

    def reverse(self, z: Tensor, mask: Tensor) -> Tensor:
        return (z - self.m) * torch.exp(-self.logs) * mask


class SplineCoupling(nn.Module):
    """One channel bends the other by a rational-quadratic spline (arXiv:1906.04032)."""

    bins = 10
    bound = 5.0

    def __init__(self, filters: int, kernel_size: int, n_layers: int = 3) -> None:
        super().__init__()
        self.filters = filters
        self.pre = nn.Conv1d(1, filters, 1)
        self.convs = DilatedSeparable(filters, kernel_size, n_layers)
        self.proj = nn.Conv1d(filters, 3 * self.bins - 1, 1)
        nn.init.zeros_(self.proj.weight)
        assert self.proj.bias is not None
        nn.init.zeros_(self.proj.bias)

    def forward(
        self, z: Tensor, mask: Tensor, g: Tensor, reverse: bool = False
    ) -> tuple[Tensor, Tensor]:
        """z (B, 2, S) -> z, log-determinant (B,)."""
        a, b = z.chunk(2, dim=1)
        h = (self.proj(self.convs(self.pre(a), mask, g)) * mask).transpose(1, 2).unsqueeze(1)
        widths, heights, slopes = h.split([self.bins, self.bins, self.bins - 1], dim=-1)
        scale = math.sqrt(self.filters)
        b, log_slope = rational_quadratic_spline(
            b, widths / scale, heights / scale, slopes, self.bound, reverse
        )
        return torch.cat([a, b], dim=1) * mask, (log_slope * mask).sum((1, 2))


def rational_quadratic_spline(
    x: Tensor, widths: Tensor, heights: Tensor, slopes: Tensor, bound: float, reverse: bool
) -> tuple[Tensor, Tensor]:
    """Monotone spline on [-bound, bound], the identity outside (arXiv:1906.04032).

    x (...), widths and heights (..., K), slopes (..., K - 1), all unconstrained; returns the
    transformed x and the logarithm of the derivative, negative for the inverse.
    """
    smallest = 1e-3
    k = widths.shape[-1]

    def knots(free: Tensor) -> tuple[Tensor, Tensor]:
        share = smallest + (1 - smallest * k) * F.softmax(free, dim=-1)
        edges = F.pad(share.cumsum(-1), (1, 0)) * 2 * bound - bound
        edges = torch.cat([edges[..., :-1], torch.full_like(edges[..., :1], bound)], dim=-1)
        return edges, edges.diff(dim=-1)

    x_edges, x_sizes = knots(widths)
    y_edges, y_sizes = knots(heights)
    # slope one at both ends, so that the tails continue straight
    one = math.log(math.exp(1 - smallest) - 1)
    derivatives = smallest + F.softplus(F.pad(slopes, (1, 1), value=one))

    inside = (x >= -bound) & (x <= bound)
    v = x.clamp(-bound, bound)
    edges = y_edges if reverse else x_edges
    at = ((edges <= v.unsqueeze(-1)).sum(-1, keepdim=True) - 1).clamp(0, k - 1)

    def pick(values: Tensor) -> Tensor:
        return values.gather(-1, at).squeeze(-1)

    x0, w, y0, h = pick(x_edges[..., :-1]), pick(x_sizes), pick(y_edges[..., :-1]), pick(y_sizes)
    d0, d1 = pick(derivatives[..., :-1]), pick(derivatives[..., 1:])
    s = h / w
    bend = d0 + d1 - 2 * s
    if reverse:
        rise = v - y0
        a = h * (s - d0) + rise * bend
        b = h * d0 - rise * bend
        c = -s * rise
        theta = 2 * c / (-b - torch.sqrt((b.square() - 4 * a * c).clamp(min=0.0)))
        out = theta * w + x0
    else:
        theta = (v - x0) / w
        out = y0 + h * (s * theta.square() + d0 * theta * (1 - theta)) / (
            s + bend * theta * (1 - theta)
        )
    slope = (
        s.square()
        * (d1 * theta.square() + 2 * s * theta * (1 - theta) + d0 * (1 - theta).square())
        / (s + bend * theta * (1 - theta)).square()
    )
    log_slope = torch.log(slope) * (-1 if reverse else 1)
    return torch.where(inside, out, x), torch.where(inside, log_slope, torch.zeros_like(x))


class StochasticDurations(nn.Module):
    """Durations as samples from a flow with variational dequantisation (VITS, section 2.2.2)."""

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel_size: int,
        p_dropout: float,
        gin_channels: int,
        n_flows: int = 4,
    ) -> None:
        super().__init__()
        self.cond = nn.Conv1d(gin_channels, channels, 1) if gin_channels else None
        self.pre = nn.Conv1d(channels, filters, 1)
        self.convs = DilatedSeparable(filters, kernel_size, 3, p_dropout)
        self.proj = nn.Conv1d(filters, filters, 1)
        self.affine = Affine(2)
        self.flows = nn.ModuleList(SplineCoupling(filters, kernel_size) for _ in range(n_flows))
        self.post_pre = nn.Conv1d(1, filters, 1)
        self.post_convs = DilatedSeparable(filters, kernel_size, 3, p_dropout)
        self.post_proj = nn.Conv1d(filters, filters, 1)
        self.post_affine = Affine(2)
        self.post_flows = nn.ModuleList(
            SplineCoupling(filters, kernel_size) for _ in range(n_flows)
        )

    def loss(self, x: Tensor, mask: Tensor, durations: Tensor, g: Tensor | None) -> Tensor:
        """Negative evidence lower bound per symbol, (B,); durations (B, 1, S) in frames."""
        condition = self._condition(x, mask, g)
        h = self.post_proj(self.post_convs(self.post_pre(durations), mask)) * mask
        noise = torch.randn_like(durations.expand(-1, 2, -1)) * mask
        z, log_det = self._push(noise, mask, condition + h, self.post_affine, self.post_flows)
        z_u, z_v = z.chunk(2, dim=1)
        u = torch.sigmoid(z_u) * mask
        log_det = log_det + ((F.logsigmoid(z_u) + F.logsigmoid(-z_u)) * mask).sum((1, 2))
        log_q = (-0.5 * (LOG_2_PI + noise.square()) * mask).sum((1, 2)) - log_det
        log_duration = torch.log(((durations - u) * mask).clamp(min=1e-5)) * mask
        z, log_det = self._push(
            torch.cat([log_duration, z_v], dim=1), mask, condition, self.affine, self.flows
        )
        log_det = log_det - log_duration.sum((1, 2))
        negative_log_p = (0.5 * (LOG_2_PI + z.square()) * mask).sum((1, 2)) - log_det
        return (negative_log_p + log_q) / mask.sum((1, 2))

    def sample(
        self,
        x: Tensor,
        mask: Tensor,
        g: Tensor | None,
        noise_scale: float | Tensor = 0.8,
        generator: Chance = None,
        noise: Tensor | None = None,
    ) -> Tensor:
        """Log-durations (B, 1, S) at this scale of noise (B, 2, S), which is drawn unless given."""
        condition = self._condition(x, mask, g)
        shape = (x.shape[0], 2, x.shape[2])
        if noise is None:
            noise = normal(shape, x, generator, mask.sum((1, 2)).long(), SYMBOL_BLOCK)
        z = noise * noise_scale
        # the first coupling only moves the channel that is thrown away
        for flow in reversed(self.flows[1:]):
            z, _ = flow(z.flip(1), mask, condition, reverse=True)
        return self.affine.reverse(z.flip(1), mask)[:, :1]

    def _condition(self, x: Tensor, mask: Tensor, g: Tensor | None) -> Tensor:
        x = x.detach()
        if self.cond is not None and g is not None:
            x = x + self.cond(g.detach())
        return self.proj(self.convs(self.pre(x), mask)) * mask

    def _push(
        self, z: Tensor, mask: Tensor, condition: Tensor, affine: Affine, flows: nn.ModuleList
    ) -> tuple[Tensor, Tensor]:
        z, total = affine(z, mask)
        for flow in flows:
            z, log_det = flow(z, mask, condition)
            z = z.flip(1)
            total = total + log_det
        return z, total
