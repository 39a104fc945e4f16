"""How far a person's pitch goes up and down, against how far a network lets it go.

What is drawn from a mean over many ways to say a sentence is flatter than any of them (the global
variance of Toda and Tokuda, 2007). So each speaker of a voice with a harmonic source has a range,
with which the pitch of their own clips' texts goes as far from its middle as it does in the clips.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from vits.checkpoint import Speaker, VoiceConfig
from vits.layers import sequence_mask
from vits.model import Batch, Vits
from vits.source import MIDDLE_HZ

WIDEST = 1.3  # farther, it was less well understood
LEAST_FRAMES = 200  # of a voice, about two seconds
LOW, HIGH = 0.1, 0.9  # quantiles: a tracker's errors of an octave lie outside


def intoned(speaker: Speaker, model: Vits, config: VoiceConfig, clips: Iterable[Batch]) -> Speaker:
    """The speaker with a pitch and a range, by clips with durations (B, S) and pitch (B, T).

    Unchanged where the network has no harmonic source, or too little of a voice was heard. The same
    weights and clips give the same, whatever was drawn before.
    """
    if model.source is None:
        return speaker
    real, drawn = [], []
    for seed, batch in enumerate(clips):
        if batch.pitch is None:
            return speaker
        real.append(_octaves(batch.pitch.nan_to_num(0.0)))
        drawn.append(_octaves(_drawn(model, config, batch, seed)))
    if not real or min(sum(map(len, real)), sum(map(len, drawn))) < LEAST_FRAMES:
        return speaker
    wanted, own = torch.cat(real), torch.cat(drawn)
    wider = _spread(wanted) / max(_spread(own), 1e-3)
    middle = MIDDLE_HZ * 2.0 ** float(own.median())
    return replace(
        speaker, pitch_hz=round(middle, 1), pitch_range=round(min(WIDEST, max(1.0, wider)), 2)
    )


@torch.inference_mode()
def _drawn(model: Vits, config: VoiceConfig, batch: Batch, seed: int) -> Tensor:
    """The pitch that the network gives the texts at the durations of the clips, (B, T)."""
    device = next(model.parameters()).device
    assert batch.durations is not None, "the alignment is needed"
    assert model.source is not None
    speaker = None if batch.speaker is None else batch.speaker.to(device)
    latents = model.latents(
        batch.ids.to(device),
        batch.id_lengths.to(device),
        speaker,
        noise_scale=config.noise_scale,
        durations=batch.durations.to(device),
        generator=torch.Generator().manual_seed(seed),
    )
    mask = sequence_mask(latents.lengths, latents.z.shape[2])
    pitch = model.source.pitch(latents.z, latents.g, mask)
    return (pitch * mask[:, 0]).cpu()


def _octaves(pitch: Tensor) -> Tensor:
    """Octaves above MIDDLE_HZ of the frames that have a voice, (B, T) -> (n,)."""
    return torch.log2(pitch[pitch > 0] / MIDDLE_HZ)


def _spread(octaves: Tensor) -> float:
    low, high = torch.quantile(octaves, torch.tensor([LOW, HIGH]))
    return float(high - low)
