"""Clips of a person -> a voice: prepare, start from a base, fine-tune, choose, measure, keep.

The new speaker starts where the speaker-verification embedding of their clips lies among the base's
speakers; the network then learns from their clips, the text encoder and the rhythm slowly. Unseen
sentences and clips that were held out pick the checkpoint, and other sentences are reported. The
embedding conditions and scores, it is never a loss.

Everything private about a training lives in the library's training folder. Killed at any moment,
the same command goes on from the last checkpoint and ends in the same weights.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from data.dataset import BucketSampler, PackedDataset, Utterance, pack
from data.intake import Dropped
from data.prepare import ClipEvent, PreparedClips, prepare_clips
from data.speaker import centroid, embed_clips
from pipelines.evaluate import Scores, evaluate_voice, quick_scores
from pipelines.progress import OnProgress, Progress, silent
from vits import library, train
from vits.audio import read_audio, write_audio
from vits.card import Card, write_card
from vits.checkpoint import (
    WEIGHTS,
    Speaker,
    VoiceConfig,
    load_critics,
    load_strictly,
    save_critics,
    save_tensors,
    save_voice,
    with_speakers,
)
from vits.config import TrainConfig
from vits.device import pick_device
from vits.discriminators import Discriminators
from vits.errors import UserError
from vits.files import write_text
from vits.model import Batch, Vits
from vits.monitor import Curves, write_snapshot
from vits.text import phonemize_lines
from vits.voice import Voice

log = logging.getLogger(__name__)

RECIPE = "2"  # changes whenever the same inputs would give another voice
BATCH_SIZE = 8
LEARNING_RATE = 2e-4
SLOW = 0.1  # of the learning rate, for what makes the base's language and clarity
# Of each clip, in a step: latents and prior learn from this much of it and what its frames depend
# on, at the base's alignment. Nearly what whole clips teach, for 0.55 of the work (EXPERIMENTS.md).
WINDOW_FRAMES = 128
STEPS_PER_SECOND = 2.0  # of training audio
FEWEST_STEPS, MOST_STEPS = 120, 1200
LONGEST_STEPS = 1_000_000
CHECKS, STEPS_BETWEEN_CHECKS = 4, 50  # how often a checkpoint is judged, at most
HELD_OUT_SHARE = 0.1
FEWEST_TO_HOLD_OUT = 8  # with fewer clips every one is learned from
SAMPLE_SENTENCE = "The morning train was late, so we drank our tea and told each other stories."


@dataclass(frozen=True)
class CloneRequest:
    """What a user asks for. At most one of minutes, epochs and steps sets the budget."""

    source: Path
    name: str
    consent: str
    base: str = "base"
    minutes: float | None = None
    epochs: int | None = None
    steps: int | None = None
    batch_size: int = BATCH_SIZE
    learning_rate: float = LEARNING_RATE
    device: str = "auto"
    seed: int = 0
    language: str | None = None
    tensorboard: bool = False

    def __post_init__(self) -> None:
        budgets = [b for b in (self.minutes, self.epochs, self.steps) if b is not None]
        if len(budgets) > 1:
            raise UserError("Minutes, epochs and steps were given together.", "Give one of them.")
        if any(b <= 0 for b in budgets) or (self.steps or 0) > LONGEST_STEPS:
            raise UserError(
                f"A training of {budgets[0]:g} cannot be.",
                f"Give a budget above zero and at most {LONGEST_STEPS} steps.",
            )
        if self.batch_size < 1 or not 0 < self.learning_rate < 1:
            raise UserError(
                "The batch size must be at least 1 and the learning rate between 0 and 1.",
                "Leave them out to get the defaults.",
            )


@dataclass(frozen=True)
class ClonePlan:
    """What will happen, decided before the first step and kept for a resumed run."""

    inputs: str  # SHA-256 of everything that decides the voice
    clips: int
    held_out: int
    seconds: float
    batch_size: int
    steps: int
    steps_an_epoch: int
    step_seconds: float  # measured on this machine
    from_step: int = 0

    @property
    def epochs(self) -> float:
        return self.steps / self.steps_an_epoch

    @property
    def estimated_s(self) -> float:
        """Time of the steps that are left, and of the checks between them."""
        return (self.steps - self.from_step) * self.step_seconds * 1.1 + 60.0

    @property
    def line(self) -> str:
        """The first line, in the field's words."""
        held = f" ({self.held_out} held out)" if self.held_out else ""
        resumed = f", resuming at step {self.from_step}" if self.from_step else ""
        return (
            f"{self.clips} clips{held} of {self.seconds:.0f} s, batch {self.batch_size} = "
            f"{self.steps_an_epoch} steps an epoch; {self.epochs:.0f} epochs = {self.steps} steps"
            f"{resumed}; about {max(1, round(self.estimated_s / 60))} min on this machine"
        )


@dataclass(frozen=True)
class CloneResult:
    """A voice in the library. `made_before` if there was nothing left to do."""

    name: str
    folder: Path
    card: Card
    dropped: tuple[Dropped, ...] = ()
    made_before: bool = False


@dataclass(frozen=True)
class Listeners:
    """Who wants to know: each clip's verdict, the plan, progress; and whether to stop."""

    on_clip: Callable[[ClipEvent], None] | None = None
    on_plan: Callable[[ClonePlan], None] = lambda plan: None
    on_progress: OnProgress = silent
    should_stop: Callable[[], bool] = lambda: False


def clone(
    request: CloneRequest,
    *,
    resume: bool = False,
    force: bool = False,
    listeners: Listeners | None = None,
) -> CloneResult:
    """Make a voice of a person's clips, or go on making it.

    The same inputs under an existing name resume, or find the voice made; other inputs are refused
    unless `force`. Raises UserError for what a user can mend, and KeyboardInterrupt, with
    everything saved, once `listeners.should_stop` says so.
    """
    told = listeners or Listeners()
    name = library.check_name(request.name)
    folder = library.training_folder(name)
    base = Voice.load(request.base)
    if base.model.config.speaker == "none":
        raise UserError(
            f"The base {base.name!r} knows no speakers, so nobody can be added to it.",
            "Start from a base of several speakers.",
        )
    clips = prepare_clips(
        request.source,
        folder / "dataset",
        sample_rate=base.sample_rate,
        language=request.language,
        on_event=told.on_clip,
    )
    _check_languages(clips, base)
    inputs = _digest(request, clips, base)
    made = _already_made(name, inputs)
    if made is not None:
        return replace(made, dropped=clips.dropped)
    _refuse_others(name, inputs, resume, force)
    work = _Work(request, name, base, clips, inputs, folder, told)
    return work.run()


def _check_languages(clips: PreparedClips, base: Voice) -> None:
    spoken = sorted({clip.language for clip in clips.clips} - set(base.languages))
    if spoken:
        raise UserError(
            f"The clips are in {', '.join(spoken)}, which the base {base.name!r} does not speak "
            f"(it speaks {', '.join(base.languages)}).",
            "Start from a base of that language with --base, or name the clips' real language "
            "with --language.",
        )


def _digest(request: CloneRequest, clips: PreparedClips, base: Voice) -> str:
    """SHA-256 of everything that decides the voice."""
    chosen = {
        "recipe": RECIPE,
        "base": base.hash,
        "clips": sorted((_file_hash(c.path), c.text, c.speaker, c.language) for c in clips.clips),
        "budget": [request.minutes, request.epochs, request.steps],
        "batch_size": request.batch_size,
        "learning_rate": request.learning_rate,
        "seed": request.seed,
    }
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _already_made(name: str, inputs: str) -> CloneResult | None:
    folder = library.voice_folder(name)
    if not folder.exists():
        return None
    entry = Voice.load(folder)
    if entry.card.training.get("inputs") != inputs:
        return None
    return CloneResult(name, folder, entry.card, made_before=True)


def _refuse_others(name: str, inputs: str, resume: bool, force: bool) -> None:
    """Refuse to replace a voice or a training of other inputs, and to resume nothing."""
    plan = _read_plan(library.training_folder(name))
    if plan is not None and plan.inputs == inputs:
        return
    if not force:
        library.refuse_taken(name)
        if plan is not None:
            raise UserError(
                f"A training called {name!r} was begun with other clips or settings.",
                "Use the same ones to go on, choose another name, or replace it with --force.",
            )
    if resume:
        raise UserError(
            f"There is no training called {name!r} with these clips and settings to resume.",
            "Leave out --resume to start one.",
        )


def _read_plan(folder: Path) -> ClonePlan | None:
    try:
        return ClonePlan(**json.loads((folder / "plan.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        log.warning("%s cannot be read; the training starts again", folder / "plan.json")
        return None


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


def aligned(model: Vits, dataset: PackedDataset) -> list[torch.Tensor]:
    """Frames of each symbol of each clip as the base hears them: the same however it is asked."""
    alone = ClipBatches(dataset, range(len(dataset)), 1, seed=0)
    found = []
    with torch.random.fork_rng(devices=[]):
        for i in range(len(dataset)):
            torch.manual_seed(i)
            found.append(model.durations(alone.of([i]))[0])
    return found


@dataclass
class _Work:
    """One cloning in its folder."""

    request: CloneRequest
    name: str
    base: Voice
    clips: PreparedClips
    inputs: str
    folder: Path
    told: Listeners

    def run(self) -> CloneResult:
        plan = _read_plan(self.folder)
        if plan is None or plan.inputs != self.inputs:
            for old in ("packed", "samples", "best", "plan.json", "checks.json", "state.pt"):
                _remove(self.folder / old)
            plan = None
        dataset = self._packed(fresh=plan is None)
        held = _held_out(dataset)
        learned = [i for i in range(len(dataset)) if i not in held]
        model, config = self._model(dataset)
        source = ClipBatches(
            dataset,
            learned,
            self.request.batch_size,
            self.request.seed,
            durations=aligned(model, dataset),
        )
        if plan is None:
            plan = self._plan(source, held, model, config)
            write_text(self.folder / "plan.json", json.dumps(asdict(plan), indent=1) + "\n")
        run = self._training(model, source, plan.steps)
        train.load_state(run)
        self.told.on_plan(replace(plan, from_step=run.step))
        self._train(run, plan, config, dataset, held)
        return self._keep(plan, config, run.critics)

    def _packed(self, fresh: bool) -> PackedDataset:
        folder = self.folder / "packed"
        if not fresh and (folder / "index.json").exists():
            return PackedDataset(folder, self.base.config.audio)
        self.told.on_progress(Progress("listen", 0, len(self.clips.clips), "clips"))
        speakers = sorted({clip.speaker for clip in self.clips.clips})
        pack(
            self._utterances(speakers),
            folder,
            speakers=speakers,
            symbols=self.base.config.symbols,
        )
        return PackedDataset(folder, self.base.config.audio)

    def _utterances(self, speakers: Sequence[str]) -> Iterator[Utterance]:
        clips = sorted(self.clips.clips, key=lambda clip: clip.path.name)
        table = {symbol: i for i, symbol in enumerate(self.base.config.symbols)}
        sounds = [read_audio(clip.path) for clip in clips]
        embeddings = embed_clips(sounds)
        hop = self.base.config.audio.hop_length
        for clip, sound, embedding in zip(clips, sounds, embeddings, strict=True):
            symbols = phonemize_lines([clip.text], clip.language)[0]
            whole = len(sound.samples) // hop * hop
            ids = [table[s] for s in symbols if s in table]
            if whole // hop < len(ids):
                log.warning("%s: more text than sound, left out", clip.source or clip.path.name)
                continue
            yield Utterance(
                name=clip.path.name,
                speaker=speakers.index(clip.speaker),
                language=clip.language,
                samples=np.round(sound.samples[:whole] * 32767).astype(np.int16),
                ids=np.array(ids, dtype=np.int32),
                embedding=embedding,
                bandwidth_hz=float(clip.bandwidth_hz),
            )

    def _model(self, dataset: PackedDataset) -> tuple[Vits, VoiceConfig]:
        """The base with the new speakers in place of its own."""
        speakers = tuple(
            Speaker(self.name if len(dataset.speakers) == 1 else person, "", self.clips.language)
            for person in dataset.speakers
        )
        own = np.array([row.speaker for row in dataset.rows])
        centres = [centroid(dataset.embeddings[own == i]) for i in range(len(speakers))]
        vectors = torch.from_numpy(np.stack(centres))
        if self.base.model.config.speaker == "table":
            vectors = _nearest_rows(self.base, vectors)
        config = replace(self.base.config, languages=self.base.languages)
        return with_speakers(self.base.model, config, speakers, vectors)

    def _training(self, model: Vits, source: ClipBatches, steps: int) -> train.Run:
        critics = load_critics(self.base.folder, self.base.config)
        if critics is None:
            torch.manual_seed(self.request.seed)
            critics = Discriminators(self.base.config.discriminators)
        return train.Run(
            model,
            critics,
            source,
            TrainConfig(
                batch_size=self.request.batch_size,
                learning_rate=self.request.learning_rate,
                discriminator_learning_rate=self.request.learning_rate,
                slow_learning_rate_factor=SLOW,
                window_frames=WINDOW_FRAMES,
                decay_to=0.2,
                ema_decay=0.98,
                seed=self.request.seed,
            ),
            steps,
            self.folder,
            device=pick_device(self.request.device),
            should_stop=self.told.should_stop,
        )

    def _plan(
        self, source: ClipBatches, held: Sequence[int], model: Vits, config: VoiceConfig
    ) -> ClonePlan:
        step_seconds = self._measure(source, model, config)
        an_epoch = source.epoch_length(0)
        frames = sum(source.dataset.frames(i) for i in source.members)
        seconds = frames * config.audio.hop_length / config.audio.sample_rate
        return ClonePlan(
            inputs=self.inputs,
            clips=len(source.members) + len(held),
            held_out=len(held),
            seconds=round(seconds, 1),
            batch_size=self.request.batch_size,
            steps=_budget(self.request, seconds, an_epoch, step_seconds),
            steps_an_epoch=an_epoch,
            step_seconds=round(step_seconds, 3),
        )

    def _measure(self, source: ClipBatches, model: Vits, config: VoiceConfig) -> float:
        """Seconds of one step here, tried on a copy that is thrown away."""
        assert model.speakers is not None
        vectors = model.speakers.vectors.detach()
        copy, _ = with_speakers(model, config, config.speakers, vectors)
        run = self._training(copy, source, 3)
        seconds = []
        for position in range(3):
            started = time.perf_counter()
            chosen = position % source.epoch_length(0)
            train.training_step(run, source.batch(0, chosen).to(run.device))
            seconds.append(time.perf_counter() - started)
        return min(seconds)

    def _train(
        self,
        run: train.Run,
        plan: ClonePlan,
        config: VoiceConfig,
        dataset: PackedDataset,
        held: Sequence[int],
    ) -> None:
        """Steps up to each check, then the check; a check that is recorded is not made again."""
        checks = _read_checks(self.folder)
        curves = Curves(self.folder / "curves") if self.request.tensorboard else None
        reference = centroid(dataset.embeddings)
        rate: list[float] = []
        for at in check_points(plan.steps):
            if any(check["step"] == at for check in checks):
                continue
            for step in train.train(run, until=at):
                rate = [*rate[-19:], step.seconds]
                left = (plan.steps - step.step) * float(np.median(rate))
                note = f"mel {step.losses['mel'] / run.config.mel_weight:.3f}"
                self.told.on_progress(Progress("train", step.step, plan.steps, "steps", note, left))
                if curves is not None:
                    curves.add(step.step, step.losses)
            if self.told.should_stop():
                raise KeyboardInterrupt
            check = self._check(run, config, dataset, held, reference)
            if not checks or check["score"] > max(c["score"] for c in checks):
                self._save_best(run)
            checks.append(check)
            write_text(self.folder / "checks.json", json.dumps(checks, indent=1) + "\n")
        if curves is not None:
            curves.close()

    def _check(
        self,
        run: train.Run,
        config: VoiceConfig,
        dataset: PackedDataset,
        held: Sequence[int],
        reference: np.ndarray,
    ) -> dict[str, float]:
        """How the averaged weights do on sentences and clips that training never sees."""
        self.told.on_progress(Progress("listen", run.step, run.total_steps, "steps"))
        model = Vits(config.model, config.audio).to(run.device)
        load_strictly(model, train.averaged_state(run), "the training")
        voice = replace(
            self.base, model=model.eval(), config=config, speaker=config.speakers[0], name=self.name
        )
        spoken = next(iter(voice.speak(SAMPLE_SENTENCE, language=self._sample_language())), None)
        if spoken is not None:
            name = f"step-{run.step:06d}"
            write_snapshot(self.folder / "samples", name, spoken.audio, config.audio)
        similarity, cer = quick_scores(voice, reference, language=self.clips.language)
        check = {
            "step": run.step,
            "similarity": round(similarity, 4),
            "score": round(similarity - 0.5 * (cer or 0.0), 4),
        }
        if cer is not None:
            check["cer"] = round(cer, 4)
        if held:
            check["held_out"] = round(_held_out_loss(run, dataset, held), 4)
        return check

    def _sample_language(self) -> str:
        return "en" if "en" in self.base.languages else self.base.languages[0]

    def _save_best(self, run: train.Run) -> None:
        (self.folder / "best").mkdir(exist_ok=True)
        save_tensors(train.averaged_state(run), self.folder / "best" / WEIGHTS)

    def _keep(
        self, plan: ClonePlan, config: VoiceConfig, critics: Discriminators | None
    ) -> CloneResult:
        """The best checkpoint becomes a voice in the library, with its card and samples."""
        model = Vits(config.model, config.audio)
        tensors = load_file(self.folder / "best" / WEIGHTS)
        load_strictly(model, {k: v.float() for k, v in tensors.items()}, "the best checkpoint")
        checks = _read_checks(self.folder)
        with library.incoming() as place:
            save_voice(place, model, config)
            if critics is not None:
                save_critics(place, critics)
            voice = Voice.load(place)
            scores = self._scores(voice)
            card = self._card(plan, checks, scores)
            write_card(place, card)
            for i, speech in enumerate(voice.speak(SAMPLE_SENTENCE)):
                write_audio(place / "samples" / f"{i + 1}.flac", speech.audio)
            folder = library.publish(place, self.name, force=True)
        _remove(self.folder / "state.pt")  # the largest part, and of no more use
        return CloneResult(self.name, folder, card, self.clips.dropped)

    def _scores(self, voice: Voice) -> Scores:
        def heard(done: int, total: int) -> None:
            self.told.on_progress(Progress("evaluate", done, total, "sentences"))

        sounds = [read_audio(clip.path) for clip in self.clips.clips]
        texts = [clip.text for clip in self.clips.clips]
        return evaluate_voice(voice, sounds, texts, language=self.clips.language, on_event=heard)

    def _card(self, plan: ClonePlan, checks: Sequence[dict[str, float]], scores: Scores) -> Card:
        best = max(checks, key=lambda check: check["score"])
        return Card(
            name=self.name,
            who=self.name,
            consent=self.request.consent,
            base=self.base.name,
            base_licence=self.base.card.licence,
            base_hash=self.base.hash,
            clips=len(self.clips.clips),
            seconds=round(self.clips.seconds, 1),
            training={
                "inputs": self.inputs,
                "recipe": RECIPE,
                "steps": plan.steps,
                "batch_size": plan.batch_size,
                "learning_rate": self.request.learning_rate,
                "seed": self.request.seed,
                "held_out": plan.held_out,
                "chosen_step": best["step"],
                "checks": [dict(check) for check in checks],
                "over_trained": is_over_trained(checks),
            },
            scores=scores.for_card(),
            software=_software(),
        )


def _budget(request: CloneRequest, seconds: float, steps_an_epoch: int, step_seconds: float) -> int:
    """Steps: as asked for, else by the seconds of audio."""
    if request.steps is not None:
        return request.steps
    if request.epochs is not None:
        return request.epochs * steps_an_epoch
    if request.minutes is not None:
        return max(1, int(request.minutes * 60 / (step_seconds * 1.1)))
    wanted = seconds * STEPS_PER_SECOND * BATCH_SIZE / request.batch_size
    return int(min(MOST_STEPS, max(FEWEST_STEPS, wanted)))


def check_points(steps: int) -> list[int]:
    """The steps after which a checkpoint is judged; the last is always one."""
    checks = min(CHECKS, max(1, steps // STEPS_BETWEEN_CHECKS))
    return [math.ceil(steps * i / checks) for i in range(1, checks + 1)]


def is_over_trained(checks: Sequence[dict[str, float]]) -> bool:
    """Whether the clips that were held out got worse while training went on."""
    losses = [check["held_out"] for check in checks if "held_out" in check]
    return len(losses) > 1 and losses[-1] > 1.05 * min(losses)


def _held_out(dataset: PackedDataset) -> list[int]:
    """Clips that only judge: of middle length, a tenth of each speaker's, none of a few."""
    held: list[int] = []
    for speaker in range(len(dataset.speakers)):
        own = [i for i, row in enumerate(dataset.rows) if row.speaker == speaker]
        if len(own) < FEWEST_TO_HOLD_OUT:
            continue
        count = max(1, int(len(own) * HELD_OUT_SHARE))
        by_length = sorted(own, key=lambda i: (dataset.frames(i), i))
        middle = (len(own) - count) // 2
        held += by_length[middle : middle + count]
    return sorted(held)


@torch.no_grad()
def _held_out_loss(run: train.Run, dataset: PackedDataset, held: Sequence[int]) -> float:
    """Mel distance and KL of the held-out clips, with fixed noise; the run's own is untouched."""
    batch = replace(dataset.batch(held, keep=True), embedding=None).to(run.device)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        _, _, losses = run.graph.eval()(batch)
    run.graph.train()
    return float(losses["mel"] + losses["kl"])


def _nearest_rows(base: Voice, embeddings: torch.Tensor) -> torch.Tensor:
    """For bases with a learned table: each new speaker starts as the base speaker nearest in sound.

    The base's speakers are heard saying one sentence.
    """
    heard = []
    for speaker in base.speakers:
        speech = next(iter(base.speak(SAMPLE_SENTENCE, speaker=speaker.name)))
        heard.append(speech.audio)
    known = torch.from_numpy(embed_clips(heard))
    nearest = (embeddings @ known.t()).argmax(1)
    assert base.model.speakers is not None
    return base.model.speakers.vectors.detach()[nearest].clone()


def _read_checks(folder: Path) -> list[dict[str, float]]:
    try:
        checks: list[dict[str, float]] = json.loads(
            (folder / "checks.json").read_text(encoding="utf-8")
        )
    except FileNotFoundError:
        return []
    return checks


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _software() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"clone-voice {version('clone-voice')}"
    except PackageNotFoundError:
        return "clone-voice"


def summary(result: CloneResult) -> dict[str, Any]:
    """The line of scores, for people and machines."""
    return {"voice": result.name, **dict(result.card.scores)}
