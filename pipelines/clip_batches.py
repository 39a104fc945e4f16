"""The batches of a cloning: whole clips, few enough that their features stay in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch

from data.dataset import BucketSampler, PackedDataset
from vits.model import Batch, Vits


@dataclass
class ClipBatches:
    """Whole clips in buckets of similar length, features kept in memory."""

    dataset: PackedDataset
    members: Sequence[int]
    batch_size: int
    seed: int
    durations: Sequence[torch.Tensor] = ()  # (S,) frames of each symbol of each clip, if known
    _epoch: tuple[int, list[list[int]]] = field(default=(-1, []))

    def _batches(self, epoch: int) -> list[list[int]]:
        if self._epoch[0] != epoch:
            lengths = [self.dataset.frames(i) for i in self.members]
            self._epoch = epoch, BucketSampler(lengths, self.batch_size, self.seed).epoch(epoch)
        return self._epoch[1]

    def epoch_length(self, epoch: int) -> int:
        return len(self._batches(epoch))

    def batch(self, epoch: int, position: int) -> Batch:
        chosen = [self.members[i] for i in self._batches(epoch)[position]]
        return self.of(chosen)

    def of(self, members: Sequence[int]) -> Batch:
        """A batch of these clips; the speakers are rows of the voice, which learn."""
        batch = replace(self.dataset.batch(members, keep=True), embedding=None)
        if not self.durations:
            return batch
        rows = [self.durations[i] for i in members]
        return replace(batch, durations=torch.nn.utils.rnn.pad_sequence(rows, batch_first=True))

    def of_speaker(self, speaker: int, most: int) -> Iterator[Batch]:
        """The first clips of a speaker, each as a batch."""
        own = [i for i in self.members if self.dataset.rows[i].speaker == speaker]
        return (self.of([i]) for i in own[:most])


def aligned(model: Vits, dataset: PackedDataset) -> list[torch.Tensor]:
    """Frames of each symbol of each clip as the base hears them: the same however it is asked."""
    alone = ClipBatches(dataset, range(len(dataset)), 1, seed=0)
    found = []
    with torch.random.fork_rng(devices=[]):
        for i in range(len(dataset)):
            torch.manual_seed(i)
            found.append(model.durations(alone.of([i]))[0])
    return found
