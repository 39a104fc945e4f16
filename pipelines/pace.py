"""How long a person's sounds last, against how long a network has them last.

Durations are drawn with less chance than they were learned with, and of a skewed distribution that
gives less than the mean: left alone, a voice hurries, and is harder to follow. So each speaker has
a length scale, with which the sounds of their own clips together last as long as they do there.
Pauses do not count: who reads a book pauses more than who says a sentence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from vits.checkpoint import VoiceConfig
from vits.layers import sequence_mask
from vits.model import Batch, Vits

DRAWS = 4  # of each clip's durations
SHORTEST, LONGEST = 0.6, 1.6  # an alignment that went wrong does not get beyond
HALVINGS = 12


def length_scale(model: Vits, config: VoiceConfig, clips: Iterable[Batch]) -> float:
    """By what the durations of the network must be multiplied to last as long as in the clips.

    Each batch has its durations (B, S) in frames. 1.0 where nothing was said. The same weights and
    clips give the same, whatever was drawn before.
    """
    device = next(model.parameters()).device
    heard, drawn = 0, []
    for seed, batch in enumerate(clips):
        assert batch.durations is not None, "the alignment is needed"
        sounds = torch.stack([_sounds(row, config) for row in batch.ids.tolist()])
        heard += int(batch.durations[sounds].sum())
        drawn += [row[sounds] for row in _durations(model, config, batch.to(device), seed)]
    if not heard:
        return 1.0
    lengths = torch.cat(drawn)
    low, high = SHORTEST, LONGEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if float(torch.ceil(lengths * middle).sum()) < heard * DRAWS:
            low = middle
        else:
            high = middle
    return round((low + high) / 2, 3)


@torch.no_grad()
def _durations(model: Vits, config: VoiceConfig, batch: Batch, seed: int) -> list[Tensor]:
    """What the network draws for a batch before it is rounded up, DRAWS times (B, S)."""
    g = model.condition(batch.speaker, batch.embedding)
    mask = sequence_mask(batch.id_lengths, batch.ids.shape[1])
    x, _, _ = model.text_encoder(batch.ids, mask)
    chance = torch.Generator().manual_seed(seed)
    found: list[Tensor] = []
    for _ in range(DRAWS):
        logs = model.duration_predictor.sample(x, mask, g, config.noise_scale_duration, chance)
        found.append((torch.exp(logs) * mask).squeeze(1).cpu())
    return found


def _sounds(ids: Sequence[int], config: VoiceConfig) -> Tensor:
    """Which symbols of a row are spoken, (S,); a blank between two goes with the one before it."""
    blank = 0 if config.model.add_blank else None
    found: list[bool] = []
    for id_ in ids:
        if id_ != blank or not found:
            found.append(unicodedata.category(config.symbols[id_][:1] or " ")[0] not in "ZPC")
        else:
            found.append(found[-1])
    return torch.tensor(found)
