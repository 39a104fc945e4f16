"""A step of cloning, turn about with the same code in the paper's sizes.

Both see the same clips in the same batches, decode the same seconds of each, in float32, with
their discriminators on: ours with the sizes of the voice that clones start from and the light set,
the other with the sizes, blanks, mel loss and discriminators of arXiv:2106.06103. Ours does what
`clone-voice train` does: it knows the alignment and learns latents and prior from a window of each
clip; the other searches the alignment and learns from the whole clips, as the paper does.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.settings import Settings, counted, in_fresh_process, set_threads, tell
from bench.synthesis import with_blanks
from bench.table import Row, Target, ratio

if TYPE_CHECKING:
    from torch import Tensor

    from data.dataset import PackedDataset, Utterance
    from data.prepare import PreparedClips
    from vits.checkpoint import VoiceConfig
    from vits.config import DiscriminatorConfig, TrainConfig, VitsConfig
    from vits.model import Batch
    from vits.train import Run

LEAST_RATIO = 10.0
SEGMENT_FRAMES = 32
WINDOW_NOTE = "known alignment, latents and prior learn from a window of each clip"


@dataclass(frozen=True)
class Contender:
    """What is trained, and how."""

    model: VitsConfig
    critics: DiscriminatorConfig
    training: TrainConfig


@dataclass(frozen=True)
class Paces:
    """Clips a second of each step, in pairs of the same batch; sizes in millions of parameters."""

    clips: int
    seconds: float
    threads: int
    native: tuple[float, ...]
    paper: tuple[float, ...]
    native_size: str
    paper_size: str


def cloning_step(settings: Settings) -> list[Row]:
    """Clips a second in both sizes, and how many times one is the other."""
    paces = in_fresh_process(
        measure,
        settings.voice,
        settings.clips,
        settings.batch_size,
        settings.steps,
        settings.threads,
        dict(settings.paper),
    )
    setting = (
        f"{paces.clips} clips of {paces.seconds:.0f} s, batch {settings.batch_size}, "
        f"{SEGMENT_FRAMES} frames decoded, float32, {counted(paces.threads)}"
    )
    median = f"median of {settings.steps} steps"
    return [
        Row(f"cloning step, {setting}", statistics.median(paces.native), "clips/s",
            note=f"{median}; {paces.native_size}; {WINDOW_NOTE}"),
        Row("the same in the paper's sizes", statistics.median(paces.paper), "clips/s",
            note=f"{median}; {paces.paper_size}"),
        Row("cloning step: how many times faster", ratio(paces.native, paces.paper), "times",
            Target(LEAST_RATIO, at_least=True)),
    ]  # fmt: skip


def measure(
    voice_name: str,
    clips: Path,
    batch_size: int,
    steps: int,
    threads: int,
    paper_changes: Mapping[str, Any],
) -> Paces:
    """Prepare the clips, then let both take the same steps, one after the other."""
    from data.prepare import prepare_clips
    from pipelines.clip_batches import aligned
    from vits.checkpoint import load_config
    from vits.library import find_voice, parse_voice

    used = set_threads(threads)
    config = load_config(find_voice(parse_voice(voice_name)[0]))
    with tempfile.TemporaryDirectory() as folder:
        rate = config.audio.sample_rate
        prepared = prepare_clips(clips, Path(folder, "dataset"), sample_rate=rate)
        dataset = packed(prepared, config, Path(folder, "packed"))
        tell(f"cloning_step: {len(dataset)} clips ready")
        native = start(native_contender(config, batch_size), config, Path(folder))
        paper = start(paper_contender(config, batch_size, paper_changes), config, Path(folder))
        batches = full_batches(dataset, batch_size)
        known = full_batches(dataset, batch_size, aligned(native.model, dataset))
        pairs = list(_pairs(native, paper, known, batches, steps))
        frames = sum(dataset.frames(i) for i in range(len(dataset)))
        seconds = frames * config.audio.hop_length / rate
        count = len(dataset)
        dataset.samples._mmap.close()  # type: ignore[attr-defined]  # or Windows keeps the file
    return Paces(
        clips=count,
        seconds=seconds,
        threads=used,
        native=tuple(a for a, _ in pairs),
        paper=tuple(b for _, b in pairs),
        native_size=_size(native),
        paper_size=_size(paper),
    )


def _pairs(
    native: Run, paper: Run, known: Sequence[Batch], batches: Sequence[Batch], steps: int
) -> Iterator[tuple[float, float]]:
    """Clips a second of both on the same batches, after one step each that does not count."""
    for number in range(-1, steps):
        chosen = max(number, 0) % len(batches)
        pace = _pace(native, known[chosen]), _pace(paper, blanked(batches[chosen]))
        if number >= 0:
            tell(f"cloning_step: {pace[0]:.2f} and {pace[1]:.3f} clips a second")
            yield pace


def _pace(run: Run, batch: Batch) -> float:
    from vits.train import training_step

    started = time.perf_counter()
    losses = training_step(run, batch)
    seconds = time.perf_counter() - started
    assert "critics" in losses, "the discriminators must be on"
    run.step += 1
    return len(batch.waveform) / seconds


def native_contender(config: VoiceConfig, batch_size: int) -> Contender:
    """The sizes of the voice that clones start from, trained as `clone-voice train` does."""
    from pipelines.clone import SLOW, WINDOW_FRAMES
    from vits.config import TrainConfig

    training = TrainConfig(
        batch_size=batch_size,
        segment_frames=SEGMENT_FRAMES,
        window_frames=WINDOW_FRAMES,
        slow_learning_rate_factor=SLOW,
        ema_decay=0.98,
    )
    return Contender(replace(config.model, n_speakers=1), config.discriminators, training)


def paper_contender(
    config: VoiceConfig, batch_size: int, changes: Mapping[str, Any] | None = None
) -> Contender:
    """The paper's network, conditioned on a speaker as a clone of a base of many is."""
    from vits.config import DiscriminatorConfig, TrainConfig, VitsConfig

    sizes: dict[str, Any] = {"speaker": "table", "gin_channels": 256} | dict(changes or {})
    critics = sizes.pop("critics", DiscriminatorConfig(kind="paper"))
    training = TrainConfig(
        batch_size=batch_size,
        segment_frames=SEGMENT_FRAMES,
        mel_windows=(config.audio.n_fft,),  # the paper's mel loss has the one window
    )
    return Contender(VitsConfig.paper(len(config.symbols), 1, **sizes), critics, training)


def start(contender: Contender, config: VoiceConfig, folder: Path, device: str = "cpu") -> Run:
    """A run with random weights that saves nothing."""
    import torch

    from vits.discriminators import Discriminators
    from vits.model import Vits
    from vits.train import Run

    torch.manual_seed(0)
    return Run(
        Vits(contender.model, config.audio),
        Discriminators(contender.critics),
        _NoSource(),
        contender.training,
        total_steps=1000,
        folder=folder,
        device=device,
    )


class _NoSource:
    """Batches are handed to the steps themselves."""

    def epoch_length(self, epoch: int) -> int:
        return 0

    def batch(self, epoch: int, position: int) -> Batch:
        raise IndexError(position)


def packed(prepared: PreparedClips, config: VoiceConfig, folder: Path) -> PackedDataset:
    """The clips as training reads them. Voices learn a row, so nobody's embedding is needed."""
    from data.dataset import PackedDataset, pack

    pack(
        _utterances(prepared, config),
        folder,
        speakers=["clips"],
        symbols=config.symbols,
        audio=config.audio,
    )
    return PackedDataset(folder, config.audio)


def _utterances(prepared: PreparedClips, config: VoiceConfig) -> Iterator[Utterance]:
    import numpy as np

    from data.dataset import Utterance
    from vits.audio import read_audio

    front_end = config.front_end
    hop = config.audio.hop_length
    for clip in prepared.clips:
        samples = read_audio(clip.path).samples
        symbols = front_end.lines([clip.text], clip.language)[0]
        whole = samples[: len(samples) // hop * hop]
        yield Utterance(
            name=clip.path.name,
            speaker=0,
            language=clip.language,
            samples=np.round(whole * 32767).astype(np.int16),
            ids=np.array(front_end.ids(symbols), dtype=np.int32),
            embedding=np.zeros(config.model.embedding_channels, np.float32),
            bandwidth_hz=float(clip.bandwidth_hz),
        )


def full_batches(
    dataset: PackedDataset, batch_size: int, durations: Sequence[Tensor] = ()
) -> list[Batch]:
    """The batches of an epoch, of clips of similar length; all of one size."""
    from data.dataset import BucketSampler
    from pipelines.clip_batches import ClipBatches

    size = min(batch_size, len(dataset))
    lengths = [dataset.frames(i) for i in range(len(dataset))]
    members = [m for m in BucketSampler(lengths, size, seed=0).epoch(0) if len(m) == size]
    source = ClipBatches(dataset, range(len(dataset)), size, 0, durations)
    return [source.of(m) for m in members]


def blanked(batch: Batch) -> Batch:
    """The same batch with the paper's blanks between its symbols; padding is zero as blanks are."""
    import torch

    ids = torch.tensor([with_blanks(row) for row in batch.ids.tolist()])
    return replace(batch, ids=ids, id_lengths=2 * batch.id_lengths + 1)


def _size(run: Run) -> str:
    model = sum(p.numel() for p in run.model.parameters()) / 1e6
    assert run.critics is not None
    critics = sum(p.numel() for p in run.critics.parameters()) / 1e6
    return f"{model:.1f} M parameters and {critics:.1f} M in discriminators"
