"""Prepared recordings as training batches.

A packed folder holds every waveform in one file, `audio.i16` (int16, mono, at the native rate), and
beside it `index.json` and `arrays.safetensors` with symbol ids, durations, verification embeddings,
bandwidths and the pitch of every frame. It is read by memory mapping, so that a corpus of any size
costs no memory, and it needs nothing but torch and numpy, so that a bare machine can train from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor

from vits.config import AudioConfig
from vits.errors import UserError
from vits.model import Batch
from vits.pitch import pitch_track
from vits.spectral import spectrogram

FORMAT = "clone-voice packed 2"


@dataclass(frozen=True)
class Utterance:
    """One recording ready for training: int16 samples, a whole number of frames long."""

    name: str
    speaker: int
    language: str
    samples: np.ndarray  # (T,) int16
    ids: np.ndarray  # (S,) int32; empty where there is no text
    embedding: np.ndarray  # (256,) float32
    bandwidth_hz: float
    durations: np.ndarray | None = None  # (S,) int32 frames, if aligned beforehand


@dataclass(frozen=True)
class Row:
    """Where one utterance lies in the packed files, in samples and symbols."""

    name: str
    speaker: int
    language: str
    start: int
    length: int
    first_id: int
    n_ids: int


@dataclass
class PackedDataset:
    """Random access to a packed folder, (folder written by `pack`)."""

    folder: Path
    audio: AudioConfig = field(default_factory=AudioConfig)

    def __post_init__(self) -> None:
        self.folder = Path(self.folder)
        try:
            index = json.loads((self.folder / "index.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self.folder} holds no packed recordings ({error}).", "Pack them again."
            ) from error
        if index.get("format") != FORMAT:
            raise UserError(
                f"{self.folder} was packed by another version.", "Pack the recordings again."
            )
        self.rows = [Row(**row) for row in index["rows"]]
        self.speakers: list[str] = index["speakers"]
        self.symbols: list[str] = index["symbols"]
        arrays = load_file(self.folder / "arrays.safetensors")
        self.ids = arrays["ids"]
        self.durations = arrays["durations"]
        self.embeddings = arrays["embeddings"].astype(np.float32)
        self.bandwidths = arrays["bandwidths"]
        self.pitches = arrays["pitches"]
        self.samples = np.memmap(self.folder / "audio.i16", dtype="<i2", mode="r")
        self._specs: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def frames(self, i: int) -> int:
        """Length of utterance i in frames."""
        return self.rows[i].length // self.audio.hop_length

    def waveform(self, i: int, first_frame: int = 0, n_frames: int | None = None) -> Tensor:
        """Samples of utterance i, or of some of its frames, (T,) float32 in [-1, 1]."""
        row, hop = self.rows[i], self.audio.hop_length
        start = row.start + first_frame * hop
        stop = row.start + row.length if n_frames is None else start + n_frames * hop
        return torch.from_numpy(self.samples[start:stop].astype(np.float32) / 32768.0)

    def spec(self, i: int, keep: bool = False) -> Tensor:
        """Linear spectrogram of utterance i, (n_bins, T); kept in memory if asked."""
        if i not in self._specs:
            spec = spectrogram(self.waveform(i).unsqueeze(0), self.audio)[0]
            if not keep:
                return spec
            self._specs[i] = spec
        return self._specs[i]

    def pitch(self, i: int, first_frame: int = 0, n_frames: int | None = None) -> Tensor:
        """Pitch of utterance i in Hz, or of some of its frames, (T,) as `pitch_track` gives it."""
        hop = self.audio.hop_length
        start = self.rows[i].start // hop + first_frame
        count = self.frames(i) - first_frame if n_frames is None else n_frames
        return torch.from_numpy(self.pitches[start : start + count].astype(np.float32))

    def text_ids(self, i: int) -> Tensor:
        """Symbol ids of utterance i, (S,) int64; empty where there is no text."""
        row = self.rows[i]
        ids = self.ids[row.first_id : row.first_id + row.n_ids]
        return torch.from_numpy(ids.astype(np.int64))

    def known_durations(self, i: int) -> Tensor | None:
        """Frames of each symbol, (S,) int64, or None where they were not aligned beforehand."""
        row = self.rows[i]
        durations = self.durations[row.first_id : row.first_id + row.n_ids]
        if row.n_ids == 0 or durations.sum() == 0:
            return None
        return torch.from_numpy(durations.astype(np.int64))

    def batch(self, members: Sequence[int], keep: bool = False, aligned: bool = False) -> Batch:
        """Whole utterances, padded with zeros; `aligned` adds durations known beforehand."""
        ids = [self.text_ids(i) for i in members]
        specs = [self.spec(i, keep) for i in members]
        durations = [self.known_durations(i) for i in members] if aligned else [None]
        ready = [d for d in durations if d is not None]
        return Batch(
            ids=_pad(ids),
            id_lengths=torch.tensor([len(x) for x in ids]),
            spec=_pad([s.t() for s in specs]).transpose(1, 2).contiguous(),
            spec_lengths=torch.tensor([s.shape[1] for s in specs]),
            waveform=_pad([self.waveform(i) for i in members]),
            durations=_pad(ready) if len(ready) == len(members) else None,
            pitch=_pad([self.pitch(i) for i in members], float("nan")),
            **self._conditions(members),
        )

    def crops(self, members: Sequence[int], starts: Sequence[int], n_frames: int) -> Batch:
        """Segments without text, all of n_frames; for training what needs no text."""
        waveform = torch.stack(
            [self.waveform(i, s, n_frames) for i, s in zip(members, starts, strict=True)]
        )
        return Batch(
            ids=torch.zeros(len(members), 0, dtype=torch.long),
            id_lengths=torch.zeros(len(members), dtype=torch.long),
            spec=spectrogram(waveform, self.audio),
            spec_lengths=torch.full((len(members),), n_frames),
            waveform=waveform,
            pitch=torch.stack(
                [self.pitch(i, s, n_frames) for i, s in zip(members, starts, strict=True)]
            ),
            **self._conditions(members),
        )

    def _conditions(self, members: Sequence[int]) -> dict[str, Tensor]:
        at = list(members)
        return {
            "speaker": torch.tensor([self.rows[i].speaker for i in at]),
            "embedding": torch.from_numpy(self.embeddings[at]),
            "bandwidth": torch.from_numpy(self.bandwidths[at].astype(np.float32)),
        }


def pack(
    utterances: Iterable[Utterance],
    folder: Path,
    *,
    speakers: Sequence[str],
    symbols: Sequence[str],
    audio: AudioConfig = AudioConfig(),  # noqa: B008 - it is frozen
) -> None:
    """Write a packed folder. The index is written last, so a torn folder is never read."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    ids, durations, embeddings, bandwidths, pitches = [], [], [], [], []
    position = first_id = 0
    (folder / "index.json").unlink(missing_ok=True)
    with open(folder / "audio.i16", "wb") as stream:
        for u in utterances:
            stream.write(u.samples.astype("<i2").tobytes())
            n = len(u.ids)
            rows.append(Row(u.name, u.speaker, u.language, position, len(u.samples), first_id, n))
            position += len(u.samples)
            first_id += n
            ids.append(u.ids.astype(np.int32))
            known = u.durations if u.durations is not None else np.zeros(n)
            durations.append(known.astype(np.int32))
            embeddings.append(u.embedding.astype(np.float32))
            bandwidths.append(u.bandwidth_hz)
            pitches.append(pitch_track(u.samples.astype(np.float32) / 32768.0, audio))
    save_file(
        {
            "ids": np.concatenate(ids),
            "durations": np.concatenate(durations),
            "embeddings": np.stack(embeddings),
            "bandwidths": np.array(bandwidths, dtype=np.float32),
            "pitches": np.concatenate(pitches),
        },
        folder / "arrays.safetensors",
    )
    index = {
        "format": FORMAT,
        "speakers": list(speakers),
        "symbols": list(symbols),
        "rows": [asdict(row) for row in rows],
    }
    part = folder / "index.json.part"
    part.write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
    os.replace(part, folder / "index.json")


def write_durations(folder: Path, durations: np.ndarray) -> None:
    """Put the frames of every symbol, (all symbols,) int32, into a packed folder."""
    arrays = load_file(folder / "arrays.safetensors")
    assert durations.shape == arrays["durations"].shape, durations.shape
    part = folder / "arrays.part"
    save_file(arrays | {"durations": durations.astype(np.int32)}, part)
    os.replace(part, folder / "arrays.safetensors")


@dataclass
class BucketSampler:
    """Batches of utterances of similar length, in an order that only seed and epoch decide.

    `weights` repeats or thins utterances: 2.0 is heard twice an epoch, 0.5 every other epoch.
    """

    lengths: Sequence[int]
    batch_size: int
    seed: int
    weights: Sequence[float] | None = None
    bucket_batches: int = 8

    def epoch(self, number: int) -> list[list[int]]:
        """The batches of one epoch, each a list of positions in `lengths`."""
        rng = np.random.default_rng([self.seed, number])
        weights = np.ones(len(self.lengths)) if self.weights is None else np.asarray(self.weights)
        times = np.floor(weights + rng.random(len(weights))).astype(int)
        if self.weights is None:
            times[:] = 1
        order = rng.permutation(np.repeat(np.arange(len(self.lengths)), times))
        size = self.batch_size * self.bucket_batches
        batches: list[list[int]] = []
        for at in range(0, len(order), size):
            bucket = sorted(order[at : at + size].tolist(), key=lambda i: self.lengths[i])
            batches += [
                bucket[i : i + self.batch_size] for i in range(0, len(bucket), self.batch_size)
            ]
        rng.shuffle(batches)
        return batches

    def __iter__(self) -> Iterator[list[list[int]]]:
        number = 0
        while True:
            yield self.epoch(number)
            number += 1


@dataclass
class CropSampler:
    """Random segments, every second of sound equally likely (times its utterance's weight)."""

    frames: Sequence[int]
    batch_size: int
    n_frames: int
    seed: int
    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        room = np.maximum(np.asarray(self.frames) - self.n_frames, 0).astype(np.float64)
        weights = np.ones(len(room)) if self.weights is None else np.asarray(self.weights)
        self._cumulative = np.cumsum(room * weights)
        if self._cumulative[-1] <= 0:
            raise ValueError("no utterance is longer than a segment")

    def step(self, number: int) -> tuple[list[int], list[int]]:
        """Utterances and first frames of one step's batch."""
        rng = np.random.default_rng([self.seed, number])
        at = rng.random(self.batch_size) * self._cumulative[-1]
        members = np.searchsorted(self._cumulative, at, side="right").tolist()
        starts = [int(rng.integers(0, self.frames[i] - self.n_frames + 1)) for i in members]
        return members, starts


def _pad(rows: Sequence[Tensor], value: float = 0.0) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=value)
