"""The losses of VITS (arXiv:2106.06103, section 2.4), least-squares adversarial ones included."""

from __future__ import annotations

import torch
from torch import Tensor

from vits.discriminators import Verdict


def kl_to_prior(z_p: Tensor, logs_q: Tensor, m_p: Tensor, logs_p: Tensor, mask: Tensor) -> Tensor:
    """KL of the posterior sample against the aligned prior, per latent element on average.

    All (B, C, T), mask (B, 1, T). Equation 4; the sample stands in for the expectation. The paper's
    code divides by frames; this divides by frames and channels are summed, which is the same.
    """
    kl = logs_p - logs_q - 0.5 + 0.5 * (z_p - m_p).square() * torch.exp(-2.0 * logs_p)
    return (kl * mask).sum() / mask.sum()


def kl_to_normal(m_q: Tensor, logs_q: Tensor, mask: Tensor) -> Tensor:
    """KL of the posterior against N(0, 1), summed over channels, per frame."""
    kl = 0.5 * (m_q.square() + torch.exp(2.0 * logs_q) - 1.0) - logs_q
    return (kl * mask).sum() / mask.sum()


def discriminator_loss(real: list[Verdict], fake: list[Verdict]) -> Tensor:
    """Least squares: real sound towards one, generated sound towards zero."""
    return torch.stack(
        [
            (1 - r.score.float()).square().mean() + f.score.float().square().mean()
            for r, f in zip(real, fake, strict=True)
        ]
    ).sum()


def adversarial_loss(fake: list[Verdict]) -> Tensor:
    """Least squares: generated sound towards one."""
    return torch.stack([(1 - f.score.float()).square().mean() for f in fake]).sum()


def feature_loss(real: list[Verdict], fake: list[Verdict]) -> Tensor:
    """Mean distance of the critics' feature maps."""
    return torch.stack(
        [
            (a.float().detach() - b.float()).abs().mean()
            for r, f in zip(real, fake, strict=True)
            for a, b in zip(r.features, f.features, strict=True)
        ]
    ).sum()
