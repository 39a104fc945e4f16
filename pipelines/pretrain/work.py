"""One pretraining in its folder: packed recordings, and the stages that train, each resumable."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from data.corpora import Corpus, Recording
from data.corpus_pack import align_packed, pack_recordings
from data.dataset import PackedDataset
from data.streams import Mixed, Segments, Sentences
from pipelines.pretrain.config import SHARES, PretrainConfig, Stage
from pipelines.progress import OnProgress, Progress
from vits import train
from vits.checkpoint import WEIGHTS, load_strictly, read_tensors
from vits.config import AudioConfig, DiscriminatorConfig, VitsConfig, from_dict
from vits.device import pick_device
from vits.discriminators import Discriminators
from vits.errors import UserError
from vits.files import write_text
from vits.layers import add_weight_norm
from vits.library import find_voice
from vits.model import Vits
from vits.text.symbols import SYMBOLS

WAIT_S = 2.0  # between two looks at whether the first process is done


@dataclass(frozen=True)
class PretrainRequest:
    """What is asked for: corpora, where the base goes, and how long it may take."""

    corpora: tuple[Path, ...]
    output: Path
    config: PretrainConfig = field(default_factory=PretrainConfig)
    minutes: float | None = None
    device: str = "auto"
    workers: int = 1

    @property
    def work(self) -> Path:
        """Everything private about the training: beside the base, not in it."""
        return self.output.with_name(f"{self.output.name}.work")


def process_rank() -> int:
    """Which of the processes of `accelerate launch` this is."""
    return int(os.environ.get("RANK", "0"))


class Work:
    """One pretraining in its folder."""

    def __init__(
        self,
        request: PretrainRequest,
        corpora: Sequence[Corpus],
        on_progress: OnProgress,
        should_stop: Callable[[], bool],
    ) -> None:
        self.request, self.config, self.corpora = request, request.config, corpora
        self.folder = request.work
        self.on_progress, self.should_stop = on_progress, should_stop
        self.audio = AudioConfig()
        self.started = time.monotonic()

    # ------------------------------------------------------------ beginning

    def begin(self, resume: bool) -> None:
        """Refuse to mix two pretrainings, and to resume none."""
        inputs = self._inputs()
        path = self.folder / "inputs.json"
        known = path.read_text(encoding="utf-8") if path.is_file() else None
        if known is None and resume:
            raise UserError(
                f"There is no pretraining in {self.folder} to resume.",
                "Leave out --resume to start one.",
            )
        if known is not None and known != inputs:
            raise UserError(
                f"{self.folder} holds a pretraining of other corpora or settings.",
                "Use the same ones to go on, another output, or delete it to start again.",
            )
        if known is None and process_rank() == 0:
            write_text(path, inputs)

    def _inputs(self) -> str:
        """What decides the base, as JSON; paths of this machine do not."""
        names = [
            (corpus.name, r.speaker, r.name, r.text, r.path.stat().st_size)
            for corpus in self.corpora
            for r in corpus.recordings
        ]
        digest = hashlib.sha256(json.dumps(names).encode()).hexdigest()
        values = {"recordings": len(names), "sha256": digest, "config": asdict(self.config)}
        return json.dumps(values, indent=1, sort_keys=True) + "\n"

    @property
    def packed(self) -> Path:
        return self.folder / "packed"

    def pack(self) -> None:
        """Make the packed folder, unless it is made; other processes wait for the first."""
        done = self.folder / "packed.done"
        if process_rank() != 0:
            while not done.exists():  # the launcher ends us if the first fails
                time.sleep(WAIT_S)
            return
        if done.exists():
            return
        recordings: list[Recording] = [r for c in self.corpora for r in c.recordings]
        if not (self.packed / "index.json").exists():
            pack_recordings(
                recordings, self.packed, self.audio,
                workers=self.request.workers, on_done=self._counted("pack"),
            )  # fmt: skip
        align_packed(self.packed, self.audio, self._counted("align"))
        write_text(done, "")

    def _counted(self, stage: str) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            if self.should_stop():
                raise KeyboardInterrupt
            self.on_progress(Progress(stage, done, total, "recordings"))

        return tell

    def dataset(self) -> PackedDataset:
        return PackedDataset(self.packed, self.audio)

    # ------------------------------------------------------------ training

    def take(self, stage: Stage) -> None:
        """Take a stage to its end, from where it stands."""
        folder = self.folder / stage.name
        plan = self.steps(stage, folder)
        if (folder / "done.json").exists() or plan == 0:
            return
        run = self._run(stage, plan)
        train.load_state(run)
        for step in train.train(run):
            left = (plan - step.step) * step.seconds
            mel = step.losses.get("mel")
            note = "" if mel is None else f"mel {mel / stage.config.mel_weight:.3f}"
            if run.rank == 0:
                told = Progress(stage.name, step.step, plan, "steps", note, left)
                self.on_progress(told)
        train.save_state(run)
        if run.step < plan:
            raise KeyboardInterrupt
        if run.rank == 0:
            write_text(folder / "done.json", json.dumps({"steps": plan}) + "\n")
        while not (folder / "done.json").exists():  # the next stage begins with what is saved
            time.sleep(WAIT_S)

    def steps(self, stage: Stage, folder: Path) -> int:
        """Steps of a stage: decided once, by the configuration or by the minutes that are left."""
        path = folder / "plan.json"
        while process_rank() != 0 and not path.is_file():
            time.sleep(WAIT_S)
        if path.is_file():
            return int(json.loads(path.read_text(encoding="utf-8"))["steps"])
        steps = self.config.steps[stage.name]
        if self.request.minutes is not None and steps:
            steps = min(steps, max(1, int(self._seconds(stage) / self._pace(stage))))
        write_text(path, json.dumps({"steps": steps}) + "\n")
        return steps

    def _seconds(self, stage: Stage) -> float:
        """The share of a stage in the time that is left."""
        assert self.request.minutes is not None
        left_s = self.request.minutes * 60 - (time.monotonic() - self.started)
        names = list(SHARES)
        behind = sum(SHARES[name] for name in names[names.index(stage.name) :])
        return max(0.0, left_s * SHARES[stage.name] / behind)

    def _pace(self, stage: Stage) -> float:
        """Seconds of a step here, tried on a copy that is thrown away."""
        run = self._run(stage, 1000)
        seconds = []
        for position in range(3):
            started = time.perf_counter()
            batch = run.source.batch(0, position % run.source.epoch_length(0))
            train.training_step(run, batch.to(run.device))
            seconds.append(time.perf_counter() - started)
        return 1.1 * min(seconds)

    def _run(self, stage: Stage, steps: int) -> train.Run:
        dataset = self.dataset()
        torch.manual_seed(self.config.seed)
        model = self.model()
        for name, parts in stage.parts.items():
            self.start_from(model, name, parts)
        device = pick_device(self.request.device)
        return train.Run(
            model,
            self._critics(stage) if stage.critics else None,
            self._source(stage, dataset),
            stage.config,
            steps,
            self.folder / stage.name,
            objective=stage.objective,
            frozen=stage.frozen,
            device=device,
            precision=self._precision(device),
            should_stop=self.should_stop,
        )

    def _precision(self, device: str) -> Literal["float32", "bf16", "fp16"]:
        if self.config.precision != "auto":
            return self.config.precision
        able = device.startswith("cuda") and torch.cuda.is_bf16_supported()
        return "bf16" if able else "float32"

    def model(self) -> Vits:
        """The native network, of chance or of the voice to start from."""
        sizes = {"n_symbols": len(SYMBOLS), **self.config.model}
        model = Vits(from_dict(VitsConfig, sizes, "the configuration's model"), self.audio)
        if self.config.start_from:
            folder = find_voice(self.config.start_from)
            tensors = read_tensors(folder / WEIGHTS)
            tensors["speakers.vectors"] = model.state_dict()["speakers.vectors"]
            load_strictly(model, tensors, str(folder))
        return model

    def saved(self, name: str) -> dict[str, Any]:
        path = self.folder / name / "state.pt"
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return saved

    def start_from(self, model: Vits, name: str, parts: Sequence[str]) -> None:
        """Take the averaged weights of a stage that was trained, all or those of some parts."""
        if not (self.folder / name / "state.pt").exists():  # a stage of no steps
            return
        saved = self.saved(name)
        weights = saved["model"] | saved["ema"]
        if parts:
            weights = {k: v for k, v in weights.items() if k.startswith(tuple(parts))}
        add_weight_norm(model)
        _, unexpected = model.load_state_dict(weights, strict=False)
        assert not unexpected, unexpected

    def _critics(self, stage: Stage) -> Discriminators:
        torch.manual_seed(self.config.seed + 7)
        critics = Discriminators(DiscriminatorConfig())
        before = "critics" if stage.name == "finish" else ""
        if before and (self.folder / before / "state.pt").exists():
            add_weight_norm(critics)
            critics.load_state_dict(self.saved(before)["critics"])
        return critics

    def _source(self, stage: Stage, dataset: PackedDataset) -> train.BatchSource:
        config, seed = self.config, stage.config.seed
        in_segments, in_sentences = self._weights(dataset)
        frames = stage.config.segment_frames if stage.source == "mixed" else config.segment_frames
        segments = Segments(dataset, config.segment_batch, frames, seed, in_segments)
        if stage.source == "segments":
            return segments
        sentences = Sentences(
            dataset, config.sentence_batch, seed, in_sentences,
            longest=config.longest_frames, ramp=config.ramp_epochs,
        )  # fmt: skip
        return Mixed(sentences, segments, 5) if stage.source == "mixed" else sentences

    def _weights(self, dataset: PackedDataset) -> tuple[list[float], list[float]]:
        """How often each utterance is heard, in segments and in sentences."""
        of_speaker = {r.speaker: c.name for c in self.corpora for r in c.recordings}
        own = [self.config.weights.get(of_speaker[s], (1.0, 1.0)) for s in dataset.speakers]
        pairs = [own[row.speaker] for row in dataset.rows]
        return [segment for segment, _ in pairs], [sentence for _, sentence in pairs]
