"""Endless batches for pretraining from a packed folder: segments, sentences, and both in turn.

Each is a `vits.train.BatchSource`: what a batch holds follows from epoch and position alone.
`weights` say how often an utterance is heard: 2.0 twice as often as others, 0.0 never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from data.dataset import BucketSampler, CropSampler, PackedDataset
from vits.errors import UserError
from vits.model import Batch

SEGMENT_EPOCH = 1000  # steps that count as an epoch of segments


@dataclass
class Segments:
    """Random segments of `n_frames` of every recording, without text."""

    dataset: PackedDataset
    batch_size: int
    n_frames: int
    seed: int
    weights: Sequence[float]
    sampler: CropSampler = field(init=False)

    def __post_init__(self) -> None:
        frames = [self.dataset.frames(i) for i in range(len(self.dataset))]
        try:
            self.sampler = CropSampler(
                frames, self.batch_size, self.n_frames, self.seed, self.weights
            )
        except ValueError as error:
            raise UserError(
                f"No recording is longer than {self.n_frames} frames.", "Add longer recordings."
            ) from error

    def epoch_length(self, epoch: int) -> int:
        return SEGMENT_EPOCH

    def batch(self, epoch: int, position: int) -> Batch:
        step = SEGMENT_EPOCH * epoch + position
        return self.dataset.crops(*self.sampler.step(step), self.n_frames)


@dataclass
class Sentences:
    """Whole utterances with text, of similar length in a batch, short ones first if asked.

    aligned: with the durations that were found beforehand. longest: in frames. ramp: over so many
    epochs the longest allowed grows from a third to all (a curriculum by length; 0: none).
    """

    dataset: PackedDataset
    batch_size: int
    seed: int
    weights: Sequence[float]
    aligned: bool = True
    longest: int = 900
    ramp: int = 0
    members: list[int] = field(init=False)
    _epoch: tuple[int, list[list[int]]] = field(default=(-1, []))

    def __post_init__(self) -> None:
        self.members = [i for i in range(len(self.dataset)) if self._is_fit(i)]
        if not self.members:
            raise UserError(
                "No recording has words that this program can read.",
                "Add a corpus with texts in a language that it reads.",
            )

    def _is_fit(self, i: int) -> bool:
        data = self.dataset
        heard = self.weights[i] > 0 and 0 < data.rows[i].n_ids <= data.frames(i) <= self.longest
        return heard and (not self.aligned or data.known_durations(i) is not None)

    def _chosen(self, epoch: int) -> list[int]:
        if epoch >= self.ramp:
            return self.members
        by_length = sorted(self.members, key=self.dataset.frames)
        share = (epoch + 1) / (self.ramp + 1)
        count = max(self.batch_size, round(len(by_length) * (1 / 3 + 2 / 3 * share)))
        return sorted(by_length[:count])

    def _batches(self, epoch: int) -> list[list[int]]:
        if self._epoch[0] != epoch:
            chosen = self._chosen(epoch)
            frames = [self.dataset.frames(i) for i in chosen]
            weights = [self.weights[i] for i in chosen]
            sampler = BucketSampler(frames, self.batch_size, self.seed, weights)
            batches = [[chosen[i] for i in batch] for batch in sampler.epoch(epoch)]
            self._epoch = epoch, batches
        return self._epoch[1]

    def epoch_length(self, epoch: int) -> int:
        return len(self._batches(epoch))

    def batch(self, epoch: int, position: int) -> Batch:
        return self.dataset.batch(self._batches(epoch)[position], aligned=self.aligned)


@dataclass
class Mixed:
    """Sentences, and after every few of them a batch of segments that need no text."""

    sentences: Sentences
    segments: Segments
    every: int

    def epoch_length(self, epoch: int) -> int:
        n = self.sentences.epoch_length(epoch)
        return n + n // self.every

    def batch(self, epoch: int, position: int) -> Batch:
        rounds, within = divmod(position, self.every + 1)
        if within == self.every:
            return self.segments.batch(epoch, position)
        return self.sentences.batch(epoch, rounds * self.every + within)
