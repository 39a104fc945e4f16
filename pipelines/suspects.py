"""Clips that would spoil a voice: words that are not what is said, another person's voice.

Words: the base reads every clip's sound (posterior encoder and flow) and lays its text along it
(the search of arXiv:2106.06103, section 2.2.1). How much better the clip's own words explain the
sound than the words of other clips do, in nats a frame, is its gain. Right words gain much, wrong
words nothing, whoever speaks and however well the base knows them; what is usual among the clips
themselves is the measure.

People: the cosine of the speaker embedding of each part of a clip with the centre of the others',
the lowest of them. Parts, since two people in one clip are on average near both. Measured on the
clips of a good and of a poor recording: their own had a median of 0.89 and 0.83 and fell short of
it by at most 0.04 and 0.10, a clip that another person ends by 0.35 and 0.24, a clip with another
voice under it by 0.11 and 0.06, with music under it by 0.10 and 0.11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data.checks import Check
from data.dataset import PackedDataset
from data.speaker import centroid, embed_clips
from vits.audio import Audio
from vits.layers import sequence_mask
from vits.losses import kl_to_prior
from vits.model import Batch, Vits

OTHER_TEXTS = 6  # whose words are tried beside a clip's own
FEWEST_CLIPS = 6  # with fewer there is no telling what is usual
LEAST_GAIN = 0.3  # nats a frame, median: below it the base does not know the language well enough
WRONG_BELOW, DOUBT_BELOW = 0.3, 0.45  # of the median gain
OTHERS_BELOW, UNLIKE_BELOW = 0.20, 0.09  # cosine below the median of the clips
AGREE = 0.72  # cosine of two clips of one person, and more
PART_S = 2.5  # about the length of a part


@dataclass(frozen=True)
class Evidence:
    """What speaks for a clip: `gain` of its words (None: not measured), `likeness` to the rest."""

    gain: float | None
    likeness: float | None


def suspects(dataset: PackedDataset, model: Vits, speaker: int | None = None) -> list[Check]:
    """A verdict for every clip of a packed folder, `use` where nothing speaks against it.

    `model` is the base; one that is conditioned on a table reads all clips as its `speaker`.
    """
    found = evidence(dataset, model, speaker)
    gains = [e.gain for e in found if e.gain is not None]
    usual = float(np.median(gains)) if len(gains) >= FEWEST_CLIPS else 0.0
    alike = float(np.median([e.likeness for e in found if e.likeness is not None] or [0.0]))
    return [_together(_words(e, usual), _person(e, alike)) for e in found]


def evidence(dataset: PackedDataset, model: Vits, speaker: int | None = None) -> list[Evidence]:
    """Gain and likeness of every clip."""
    gains = word_gains(dataset, model, speaker)
    likeness = likenesses(dataset)
    return [Evidence(gain, near) for gain, near in zip(gains, likeness, strict=True)]


def _words(found: Evidence, usual: float) -> Check:
    if found.gain is None or usual < LEAST_GAIN:
        return Check()
    share = found.gain / usual
    if share < WRONG_BELOW:
        return Check("drop", "does not say what its transcript says")
    if share < DOUBT_BELOW:
        return Check("doubt", "may not say what its transcript says")
    return Check()


def _person(found: Evidence, usual: float) -> Check:
    if found.likeness is None:
        return Check()
    told = f"(similarity {found.likeness:.2f}, of the others {usual:.2f})"
    if found.likeness < usual - OTHERS_BELOW:
        return Check("drop", f"sounds like another person, or like more than one {told}")
    if found.likeness < usual - UNLIKE_BELOW:
        reason = f"sounds unlike the other clips: another voice or music in it? {told}"
        return Check("doubt", reason)
    return Check()


def _together(words: Check, person: Check) -> Check:
    checks = [check for check in (words, person) if check.reason]
    if not checks:
        return Check()
    dropped = [check for check in checks if check.verdict == "drop"]
    return dropped[0] if dropped else Check("doubt", "; ".join(check.reason for check in checks))


# ---------------------------------------------------------------- people


def likenesses(dataset: PackedDataset) -> list[float | None]:
    """The cosine of each clip's least similar part with the centre of its speaker's other clips.

    None for too few clips. The centre is found without those that stand apart, so that strangers
    do not move it.
    """
    result: list[float | None] = [None] * len(dataset)
    for speaker in range(len(dataset.speakers)):
        own = [i for i, row in enumerate(dataset.rows) if row.speaker == speaker]
        if len(own) < FEWEST_CLIPS:
            continue
        vectors = dataset.embeddings[own]
        members = _agreeing(vectors)
        for place, i in enumerate(own):
            others = [m for m in members if m != place]
            parts = np.concatenate([vectors[place : place + 1], _part_embeddings(dataset, i)])
            result[i] = float((parts @ centroid(vectors[others])).min())
    return result


def _part_embeddings(dataset: PackedDataset, i: int) -> NDArray[np.float32]:
    """Embeddings of the parts of a clip, (n, 256); none of a clip that is not longer than one."""
    samples, rate = dataset.waveform(i).numpy(), dataset.audio.sample_rate
    count = int(len(samples) / rate / PART_S)
    parts = np.array_split(samples, count) if count > 1 else []
    return embed_clips([Audio(part, rate) for part in parts if np.any(part)])


def _agreeing(vectors: NDArray[np.float32]) -> list[int]:
    """The clips that are near the one which is most like all others."""
    middle = int(np.median(vectors @ vectors.T, axis=1).argmax())
    near = np.flatnonzero(vectors @ vectors[middle] >= AGREE)
    return list(near) if len(near) > 1 else list(range(len(vectors)))


# ---------------------------------------------------------------- words


@torch.no_grad()
def word_gains(
    dataset: PackedDataset, model: Vits, speaker: int | None = None
) -> list[float | None]:
    """Nats a frame by which a clip's words explain it better than other clips' words do.

    None for clips that no other text can be laid along, and everywhere for too few clips.
    """
    if len(dataset) < FEWEST_CLIPS:
        return [None] * len(dataset)
    model = model.eval()
    read = {i: _Text.of(model, dataset.text_ids(i)) for i, row in enumerate(dataset.rows)
            if row.n_ids}  # fmt: skip
    gains: list[float | None] = []
    for i in range(len(dataset)):
        others = _candidates(dataset, i)
        if i not in read or len(others) < 2:
            gains.append(None)
            continue
        heard = _Heard.of(model, dataset.batch([i]), speaker)
        costs = [_cost(model, heard, read[j]) for j in others]
        gains.append(float(np.median(costs)) - _cost(model, heard, read[i]))
    return gains


def _candidates(dataset: PackedDataset, i: int) -> list[int]:
    """Clips of another text, of the most similar length, whose words fit into clip i."""
    rows, frames = dataset.rows, dataset.frames(i)
    own = dataset.text_ids(i)
    fitting = [
        j
        for j in range(len(rows))
        if 0 < rows[j].n_ids <= frames and not torch.equal(dataset.text_ids(j), own)
    ]
    return sorted(fitting, key=lambda j: (abs(rows[j].n_ids - rows[i].n_ids), j))[:OTHER_TEXTS]


@dataclass(frozen=True)
class _Text:
    """A text as the prior sees it: m_p, logs_p (1, C, S)."""

    m_p: Tensor
    logs_p: Tensor

    @classmethod
    def of(cls, model: Vits, ids: Tensor) -> _Text:
        device = next(model.parameters()).device
        lengths = torch.tensor([len(ids)], device=device)
        _, m_p, logs_p = model.text_encoder(
            ids.unsqueeze(0).to(device), sequence_mask(lengths, len(ids))
        )
        return cls(m_p, logs_p)


@dataclass(frozen=True)
class _Heard:
    """A recording as the prior sees it: z_p (1, C, T), without chance."""

    batch: Batch
    z_p: Tensor
    logs_q: Tensor
    mask: Tensor

    @classmethod
    def of(cls, model: Vits, batch: Batch, speaker: int | None) -> _Heard:
        batch = batch.to(next(model.parameters()).device)
        row = None if speaker is None else torch.full_like(batch.spec_lengths, speaker)
        g = model.condition(row, None if row is not None else batch.embedding)
        mask = sequence_mask(batch.spec_lengths, batch.spec.shape[2])
        m_q, logs_q = model.posterior_encoder(batch.spec, mask, g)
        return cls(batch, model.flow(m_q, mask, g), logs_q, mask)


def _cost(model: Vits, heard: _Heard, text: _Text) -> float:
    """Nats a frame of the sound under the text, at the best alignment."""
    length = torch.tensor([text.m_p.shape[2]], device=text.m_p.device)
    batch = replace(heard.batch, id_lengths=length, durations=None)
    path = model.align(heard.z_p, text.m_p, text.logs_p, batch)
    kl = kl_to_prior(heard.z_p, heard.logs_q, text.m_p @ path, text.logs_p @ path, heard.mask)
    return float(kl)


def left_out(checks: Sequence[Check]) -> list[int]:
    """The clips that are not to be learned from."""
    return [i for i, check in enumerate(checks) if check.verdict == "drop"]
