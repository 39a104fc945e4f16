"""The normalising flow between latents and the prior: affine couplings (VITS, section 2.2.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vits.layers import WaveNet


class Coupling(nn.Module):
    """Shift one half of the channels by what the other half says; volume is kept."""

    def __init__(
        self, channels: int, hidden: int, kernel_size: int, n_layers: int, gin_channels: int
    ) -> None:
        super().__init__()
        half = channels // 2
        self.pre = nn.Conv1d(half, hidden, 1)
        self.enc = WaveNet(hidden, kernel_size, n_layers, gin_channels)
        self.post = nn.Conv1d(hidden, half, 1)
        # zero, so that an untrained flow is the identity
        nn.init.zeros_(self.post.weight)
        assert self.post.bias is not None
        nn.init.zeros_(self.post.bias)

    def forward(self, z: Tensor, mask: Tensor, g: Tensor | None, reverse: bool) -> Tensor:
        a, b = z.chunk(2, dim=1)
        shift = self.post(self.enc(self.pre(a) * mask, mask, g)) * mask
        b = (b - shift) * mask if reverse else shift + b * mask
        return torch.cat([a, b], dim=1)


class Flow(nn.Module):
    """z (B, C, T) -> z_p (B, C, T), and back with `reverse`. The log-determinant is zero."""

    def __init__(
        self,
        channels: int,
        hidden: int,
        kernel_size: int,
        n_layers: int,
        n_flows: int,
        gin_channels: int,
    ) -> None:
        super().__init__()
        # frames on each side that a frame can depend on
        self.context_frames = n_flows * n_layers * (kernel_size // 2)
        self.couplings = nn.ModuleList(
            Coupling(channels, hidden, kernel_size, n_layers, gin_channels) for _ in range(n_flows)
        )

    def forward(
        self, z: Tensor, mask: Tensor, g: Tensor | None = None, reverse: bool = False
    ) -> Tensor:
        if not reverse:
            for coupling in self.couplings:
                z = coupling(z, mask, g, reverse=False).flip(1)
            return z
        for coupling in reversed(self.couplings):
            z = coupling(z.flip(1), mask, g, reverse=True)
        return z
