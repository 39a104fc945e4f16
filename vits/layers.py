"""Building blocks that several parts of the network share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm

SYMBOL_BLOCK, FRAME_BLOCK = 32, 64  # lengths that synthesis pads to


def sequence_mask(lengths: Tensor, max_length: int) -> Tensor:
    """Ones where a position is inside its row, (B,) -> (B, 1, max_length) float32."""
    positions = torch.arange(max_length, device=lengths.device)
    return (positions[None] < lengths[:, None]).unsqueeze(1).float()


# Of all chance of a batch, or of each of its rows.
Chance = torch.Generator | Sequence[torch.Generator] | None


def normal(
    shape: Sequence[int],
    like: Tensor,
    generator: Chance,
    lengths: Tensor | None = None,
    block: int = 1,
) -> Tensor:
    """Standard normal noise on the device of `like`.

    It is drawn where the generator is: with one of the CPU, a seed means the same on every device.
    With a generator for each row, a row of `lengths` (B,), padded to whole blocks, gets what it
    would get alone, and zeros behind it.
    """
    if isinstance(generator, Sequence):
        assert lengths is not None
        rows = []
        for one, length in zip(generator, lengths.tolist(), strict=True):
            width = -(-length // block) * block
            noise = normal((*shape[1:-1], width), like, one)
            rows.append(F.pad(noise, (0, shape[-1] - width)))
        return torch.stack(rows)
    device = generator.device if generator is not None else like.device
    noise = torch.randn(tuple(shape), generator=generator, device=device, dtype=like.dtype)
    return noise.to(like.device)


class LayerNorm(nn.Module):
    """Normalisation over the channels of (B, C, T)."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.transpose(1, -1), self.weight.shape, self.weight, self.bias, self.eps)
        return x.transpose(1, -1)


class WaveNet(nn.Module):
    """Gated convolutions with residual and skip paths (WaveNet, arXiv:1609.03499; WaveGlow's form).

    (B, hidden, T) -> (B, hidden, T), conditioned on g (B, gin, 1) at every layer.
    """

    def __init__(
        self,
        hidden: int,
        kernel_size: int,
        n_layers: int,
        gin_channels: int = 0,
        dilation_rate: int = 1,
        p_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.hidden = hidden
        self.n_layers = n_layers
        self.drop = nn.Dropout(p_dropout)
        self.in_layers = nn.ModuleList()
        self.res_skip_layers = nn.ModuleList()
        for i in range(n_layers):
            dilation = dilation_rate**i
            self.in_layers.append(
                norm_conv(
                    nn.Conv1d(
                        hidden,
                        2 * hidden,
                        kernel_size,
                        dilation=dilation,
                        padding=dilation * (kernel_size - 1) // 2,
                    )
                )
            )
            # the last layer has no successor, so it only skips
            out = 2 * hidden if i < n_layers - 1 else hidden
            self.res_skip_layers.append(norm_conv(nn.Conv1d(hidden, out, 1)))
        self.cond = (
            norm_conv(nn.Conv1d(gin_channels, 2 * hidden * n_layers, 1)) if gin_channels else None
        )

    def forward(self, x: Tensor, mask: Tensor, g: Tensor | None = None) -> Tensor:
        conditions = (
            self.cond(g).chunk(self.n_layers, dim=1)
            if self.cond is not None and g is not None
            else None
        )
        skips = torch.zeros_like(x)
        for i, (conv, res_skip) in enumerate(
            zip(self.in_layers, self.res_skip_layers, strict=True)
        ):
            h = conv(x)
            if conditions is not None:
                h = h + conditions[i]
            a, b = h.chunk(2, dim=1)
            h = res_skip(self.drop(torch.tanh(a) * torch.sigmoid(b)))
            if i < self.n_layers - 1:
                residual, skip = h.chunk(2, dim=1)
                x = (x + residual) * mask
                skips = skips + skip
            else:
                skips = skips + h
        return skips * mask


def norm_conv(conv: nn.Module) -> nn.Module:
    """Mark a convolution as one that trains with weight normalisation (arXiv:1602.07868).

    The normalisation itself is put on by `add_weight_norm` and taken off by `fuse_weight_norm`:
    weights on disk and at synthesis are always plain.
    """
    conv.weight_normed = True  # type: ignore[assignment]
    return conv


def add_weight_norm(model: nn.Module) -> None:
    """Split the marked weights into direction and length for training; the function is the same."""
    for module in list(model.modules()):
        if getattr(module, "weight_normed", False) and not parametrize.is_parametrized(module):
            weight_norm(module)


def fuse_weight_norm(model: nn.Module) -> None:
    """Turn split weights back into plain ones; the function is the same."""
    for module in list(model.modules()):
        if getattr(module, "weight_normed", False) and parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")


def plain_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """The state dict as if weight normalisation were fused, without touching the model."""
    state = dict(model.state_dict())
    for name, module in model.named_modules():
        if parametrize.is_parametrized(module):
            prefix = f"{name}." if name else ""
            state = {
                k: v for k, v in state.items() if not k.startswith(f"{prefix}parametrizations.")
            }
            state[f"{prefix}weight"] = module.weight.detach()
    return state
