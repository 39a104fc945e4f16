"""Checkpoints of other programs: what importing one costs, and training on one.

They have random weights, in the sizes of the trilingual pair that users of VITS-fast-fine-tuning
start from. A file of 480 MB is a generator with the two moments of its optimizer.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cloning_step import SEGMENT_FRAMES, Contender, full_batches, packed, start
from bench.commands import command
from bench.memory import proportional_mb, watch
from bench.settings import ROOT, Settings, counted, in_fresh_process, set_threads, tell
from bench.table import Row, Target

if TYPE_CHECKING:
    from vits.checkpoint import VoiceConfig

MOST_TIMES = 2.0  # the memory of an import, of its file


@dataclass(frozen=True)
class Pace:
    """Steps of training on an imported pair on one device."""

    device: str
    clips_per_s: float
    memory_mb: float
    clips: int
    threads: int


def import_memory(settings: Settings) -> list[Row]:
    """The most memory that importing a checkpoint takes, and the same of its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "G_0.pth")
        in_fresh_process(write_checkpoint, path, settings.paper_size)
        size = path.stat().st_size / 1e6
        words = [*command("clone-voice"), "import", str(path), "--name", "theirs", "--force"]
        home = Path(folder, "home")
        with _library(home):
            samples = watch(words, Path(folder, "errors.txt"), settings, measure=proportional_mb)
    peak = max(sample.megabytes for sample in samples)
    took = f"file of {size:.0f} MB, in {samples[-1].at_s:.0f} s; with the process that reads it"
    return [
        Row("memory of clone-voice import: the most", peak, "MB", note=took),
        Row("the same as a multiple of the file", peak / size, "times", Target(MOST_TIMES)),
    ]


class _library:
    """While the block runs, another library."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __enter__(self) -> None:
        import os

        self.before = os.environ.get("CLONE_VOICE_HOME")
        os.environ["CLONE_VOICE_HOME"] = str(self.home)

    def __exit__(self, *_: object) -> None:
        import os

        if self.before is None:
            os.environ.pop("CLONE_VOICE_HOME", None)
        else:
            os.environ["CLONE_VOICE_HOME"] = self.before


def layouts() -> Any:
    """The descriptions of other programs' files that the tests write theirs by."""
    spec = importlib.util.spec_from_file_location("foreign", ROOT / "tests" / "foreign.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["foreign"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def write_checkpoint(path: Path, paper_size: bool) -> None:
    """A generator in the layout of fast-fine-tuning with its optimizer's moments, and its json."""
    import torch

    foreign = layouts()
    sizes = foreign.Sizes() if paper_size else foreign.TINY
    foreign.write_generator(path.parent, sizes)
    state = torch.load(path, weights_only=True)
    moments = {i: {"exp_avg": t.clone(), "exp_avg_sq": t.clone()}
               for i, t in enumerate(state["model"].values())}  # fmt: skip
    state["optimizer"] = {"state": moments, "param_groups": []}
    torch.save(state, path)


def imported_step(settings: Settings) -> list[Row]:
    """Clips a second and memory of training on an imported pair, on the CPU and on a GPU."""
    rows = []
    for device in ("cpu", *_gpus()):
        pace = in_fresh_process(
            measure, settings.clips, settings.batch_size, settings.steps, settings.threads,
            device, settings.paper_size,
        )  # fmt: skip
        where = counted(pace.threads) if device == "cpu" else device
        setting = f"{pace.clips} clips, batch {settings.batch_size}, float32, {where}"
        rows += [
            Row(f"training on an imported pair, {setting}", pace.clips_per_s, "clips/s",
                note=f"median of {settings.steps} steps, after one"),
            Row("its memory: the most", pace.memory_mb, "MB",
                note="the whole process" if device == "cpu" else "allocated on the GPU"),
        ]  # fmt: skip
    return rows


def _gpus() -> tuple[str, ...]:
    import torch

    return ("cuda",) if torch.cuda.is_available() else ()


def measure(
    clips: Path, batch_size: int, steps: int, threads: int, device: str, paper_size: bool
) -> Pace:
    """The steps of `clone-voice train --base IMPORTED` on clips that are prepared first."""
    import torch

    from data.prepare import prepare_clips
    from pipelines.clip_batches import aligned
    from vits.train import training_step

    used = set_threads(threads)
    config = imported_config(paper_size)
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare_clips(
            clips, Path(folder, "dataset"), sample_rate=config.audio.sample_rate
        )
        dataset = packed(prepared, config, Path(folder, "packed"))
        run = start(contender(config, batch_size, paper_size), config, Path(folder), device)
        tell(f"imported_step: {len(dataset)} clips, {device}")
        durations = aligned(run.model.cpu(), dataset)
        run.model.to(device)
        batches = full_batches(dataset, batch_size, durations)
        paces = []
        for number in range(-1, steps):
            batch = batches[max(number, 0) % len(batches)].to(device)
            started = time.perf_counter()
            training_step(run, batch)
            run.step += 1
            paces.append(len(batch.waveform) / (time.perf_counter() - started))
            tell(f"imported_step: {paces[-1]:.3f} clips a second")
        count = len(dataset)
        dataset.samples._mmap.close()  # type: ignore[attr-defined]  # or Windows keeps the file
    memory = torch.cuda.max_memory_allocated() / 1e6 if device == "cuda" else _most_resident_mb()
    return Pace(device, statistics.median(paces[1:]), memory, count, used)


def _most_resident_mb() -> float:
    """The largest resident set that this process ever had."""
    import psutil  # type: ignore[import-untyped]

    info = psutil.Process().memory_info()
    if hasattr(info, "peak_wset"):  # Windows
        return float(info.peak_wset) / 1e6
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def imported_config(paper_size: bool) -> VoiceConfig:
    """A voice of the paper's sizes with espeak's IPA, as original VITS has it."""
    from vits.checkpoint import VoiceConfig
    from vits.config import AudioConfig, TextConfig, VitsConfig
    from vits.formats.original import ENGLISH_SYMBOLS

    small: dict[str, Any] = {} if paper_size else {
        "n_layers": 1, "posterior_layers": 2, "flow_layers": 1,
    }  # fmt: skip
    sizes = {"speaker": "table", "gin_channels": 256} | small
    model = VitsConfig.paper(len(ENGLISH_SYMBOLS), 1, **sizes)
    text = TextConfig("espeak", espeak_voice="en-us")
    return VoiceConfig(model, AudioConfig(), ENGLISH_SYMBOLS, text=text)


def contender(config: VoiceConfig, batch_size: int, paper_size: bool) -> Contender:
    """What `clone-voice train` does with such a pair."""
    from pipelines.clone import SLOW, WINDOW_FRAMES
    from vits.config import DiscriminatorConfig, TrainConfig

    training = TrainConfig(
        batch_size=batch_size,
        segment_frames=SEGMENT_FRAMES,
        window_frames=WINDOW_FRAMES,
        slow_learning_rate_factor=SLOW,
        ema_decay=0.98,
    )
    critics = DiscriminatorConfig(kind="paper" if paper_size else "light")
    return Contender(config.model, critics, training)
