"""Clips of a person -> a voice: prepare, start from a base, fine-tune, choose, measure, keep.

The new speaker starts where the speaker-verification embedding of their clips lies among the base's
speakers, which is all of a quick voice; the network then learns from their clips, the text encoder
and the rhythm slowly. Clips whose words or speaker are not what they should be are left out
(`pipelines.suspects`), and so are noisy ones where there are enough others: a noise that is learned
becomes the voice. Unseen sentences and clips that were held out pick the checkpoint
(`pipelines.choosing`), and other sentences are reported. The embedding conditions and scores, it is
never a loss.

Everything private about a training lives in the library's training folder. Killed at any moment,
the same command goes on from the last checkpoint and ends in the same weights.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from data.checks import Check
from data.clips import Clip
from data.dataset import PackedDataset, Utterance, pack
from data.intake import Dropped, language_code
from data.prepare import ClipEvent, PreparedClips, prepare_clips
from data.speaker import embed_clips
from pipelines import choosing, newcomers
from pipelines.clip_batches import ClipBatches, aligned
from pipelines.intonation import intoned
from pipelines.newcomers import Person, sample_language, sample_sentence
from pipelines.pace import length_scale
from pipelines.progress import OnProgress, Progress, silent
from pipelines.suspects import left_out, suspects
from vits import library, train
from vits.audio import read_audio, write_audio
from vits.card import Card, read_card, software, write_card
from vits.checkpoint import (
    WEIGHTS,
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
from vits.model import Vits
from vits.monitor import Curves, write_snapshot
from vits.voice import Voice

log = logging.getLogger(__name__)

RECIPE = "7"  # changes whenever the same inputs would give another voice
BATCH_SIZE = 8
LEARNING_RATE = 4e-4
SLOW = 0.1  # of the learning rate, for what makes the base's language and clarity
# Of each clip, in a step: latents and prior learn from this much of it and what its frames depend
# on, at the base's alignment. Nearly what whole clips teach, for 0.55 of the work (EXPERIMENTS.md).
WINDOW_FRAMES = 128
# Native voices learn from what their prior draws too, as their base did. That decodes twice, for
# which the paper's decoder is too slow.
DRAWN_WEIGHT, KL_WEIGHT = 45.0, 0.5
STEPS_PER_SECOND = 2.0  # of training audio
FEWEST_STEPS, MOST_STEPS = 120, 1200
LONGEST_STEPS = 1_000_000
MOST_S = 600.0  # of cloning, for up to 150 s of clips and for more in proportion, if nobody asks
MOST_S_FOR = 150.0
EVALUATION_CHECKS = 6  # the evaluation at the end takes as long as so many checks
CHECK_SENTENCES, QUICK_SENTENCES = 6, 6
HELD_OUT_SHARE = 0.1
ENOUGH_CLIPS, ENOUGH_S = 12, 60.0  # without doubt: then those in doubt are not needed
FEWEST_CLIPS, LEAST_S = 2, 8.0  # that must be left after all that is left out
MOST_SUITED = 40  # clips of a speaker that their pace and pitch are taken from
FEWEST_TO_HOLD_OUT = 8  # with fewer clips every one is learned from


@dataclass(frozen=True)
class CloneRequest:
    """What a user asks for. At most one of minutes, epochs, steps and quick sets the budget.

    quick: the base with the person's conditioning, without training; the same request without it
    makes the voice better.
    """

    source: Path
    name: str
    consent: str
    base: str = "base"
    minutes: float | None = None
    epochs: int | None = None
    steps: int | None = None
    quick: bool = False
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
        if self.quick and budgets:
            raise UserError(
                "A quick voice is not trained, so nothing says how long.",
                "Give --quick or a budget, not both.",
            )
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
    check_seconds: float = 15.0  # of one check, likewise
    shortened: bool = False  # fewer steps than the clips are worth, for the time they would take

    @property
    def epochs(self) -> float:
        return self.steps / self.steps_an_epoch

    @property
    def estimated_s(self) -> float:
        """Time of the steps that are left, of the checks between them and of the evaluation."""
        checks = sum(point > self.from_step for point in choosing.check_points(self.steps))
        steps = (self.steps - self.from_step) * self.step_seconds * 1.1
        return steps + (checks + EVALUATION_CHECKS) * self.check_seconds

    @property
    def line(self) -> str:
        """The first line, in the field's words."""
        if not self.steps:
            return (
                f"{self.clips} clips of {self.seconds:.0f} s; the base takes on their voice "
                "without training: about a minute on this machine"
            )
        held = f" ({self.held_out} held out)" if self.held_out else ""
        resumed = f", resuming at step {self.from_step}" if self.from_step else ""
        short = ", fewer steps than the clips are worth (--minutes for more)" * self.shortened
        return (
            f"{self.clips} clips{held} of {self.seconds:.0f} s, batch {self.batch_size} = "
            f"{self.steps_an_epoch} steps an epoch; {self.epochs:.0f} epochs = {self.steps} steps"
            f"{resumed}; about {max(1, round(self.estimated_s / 60))} min on this machine{short}"
        )


@dataclass(frozen=True)
class CloneResult:
    """A voice in the library. `made_before` if there was nothing left to do.

    dropped: what was not learned from; doubtful: what was, and should be looked at.
    """

    name: str
    folder: Path
    card: Card
    dropped: tuple[Dropped, ...] = ()
    doubtful: tuple[Dropped, ...] = ()
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
    base.weights("training from it")
    if request.quick and base.config.model.speaker == "none":
        raise UserError(
            f"The base {base.name!r} is one person's and takes on no other voice untrained.",
            "Leave out --quick, or start from a base of several speakers.",
        )
    if request.language:
        _check_languages([language_code(request.language)], base)
    clips = prepare_clips(
        request.source,
        folder / "dataset",
        sample_rate=base.sample_rate,
        language=request.language,
        on_event=told.on_clip,
    )
    _check_languages([clip.language for clip in clips.clips], base)
    _check_people({clip.speaker for clip in clips.clips}, base)
    inputs = _digest(request, clips, base)
    made = _already_made(name, inputs)
    if made is not None:
        return replace(made, dropped=clips.dropped)
    _refuse_others(name, inputs, resume, force or _is_quick(name))
    work = _Work(request, name, base, clips, inputs, folder, told)
    return work.run()


def _check_languages(languages: Sequence[str], base: Voice) -> None:
    lacking = sorted(set(languages) - set(base.languages))
    if not lacking:
        return
    remedy = (
        "Start from a base of that language with --base, or name the clips' real language "
        "with --language."
    )
    if "zh" in lacking:
        remedy = (
            "There are two ways to a base that speaks Chinese: import the trilingual base "
            "(G_trilingual.pth of VITS-fast-fine-tuning), or make one on a GPU from AISHELL-3 or "
            "Baker with recipes/base-zh.sh; then name it with --base."
        )
    raise UserError(
        f"The clips are in {', '.join(lacking)}, which the base {base.name!r} does not speak "
        f"(it speaks {', '.join(base.languages)}).",
        remedy,
    )


def _check_people(names: Collection[str], base: Voice) -> None:
    if base.config.model.speaker == "none" and len(names) > 1:
        raise UserError(
            f"The clips are of {len(names)} people, and the base {base.name!r} can be one only: "
            "it was made of one speaker.",
            "Start from a base of several speakers, or from the clips of one person.",
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
        "quick": request.quick,
    }
    if len({clip.speaker for clip in clips.clips}) > 1:
        chosen["judged"] = "each speaker"
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


def _is_quick(name: str) -> bool:
    """Whether the voice of this name is a quick one, which waits to be made better."""
    folder = library.voice_folder(name)
    return folder.exists() and bool(read_card(folder).training.get("quick"))


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
class _Work:
    """One cloning in its folder."""

    request: CloneRequest
    name: str
    base: Voice
    clips: PreparedClips
    inputs: str
    folder: Path
    told: Listeners
    judged: list[Check] = field(default_factory=list)  # of every packed clip
    people: tuple[Person, ...] = ()

    def run(self) -> CloneResult:
        plan = _read_plan(self.folder)
        if plan is None or plan.inputs != self.inputs:
            for old in ("packed", "samples", "best", "plan.json", "checks.json", "state.pt"):
                _remove(self.folder / old)
            plan = None
        dataset = self._packed(fresh=plan is None)
        self.judged = self._judged(dataset)
        used = [i for i in range(len(dataset)) if i not in left_out(self.judged)]
        held = [] if self.request.quick else _held_out(dataset, used)
        learned = [i for i in used if i not in held]
        self.people = newcomers.people(dataset, self.clips.clips, used, self.name)
        model, config = self._model()
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
        self._train(run, plan, config, source, held)
        return self._keep(plan, config, source, run.critics)

    def _suited(self, model: Vits, config: VoiceConfig, source: ClipBatches) -> VoiceConfig:
        """The configuration with each new speaker at the pace and the pitch of their clips."""
        speakers = []
        for row, speaker in enumerate(config.speakers):
            scale = length_scale(model, config, source.of_speaker(row, MOST_SUITED))
            speaker = replace(speaker, length_scale=scale)
            clips = source.of_speaker(row, MOST_SUITED)
            speakers.append(intoned(speaker, model, config, clips))
        return replace(config, speakers=tuple(speakers))

    def _judged(self, dataset: PackedDataset) -> list[Check]:
        """A verdict on every packed clip, the doubts of their preparation among them."""
        speaker = None if self.base.config.model.speaker == "embedding" else 0
        found = suspects(dataset, self.base.weights("training from it"), speaker)
        by_name = {clip.path.name: clip for clip in self.clips.clips}
        prepared = [by_name[row.name] for row in dataset.rows]
        judged = _without_doubtful(found, prepared)
        used = [clip for clip, check in zip(prepared, judged, strict=True)
                if check.verdict != "drop"]  # fmt: skip
        seconds = sum(clip.seconds for clip in used)
        if len(used) < FEWEST_CLIPS or seconds < LEAST_S:
            raise UserError(
                f"Only {len(used)} clips of {seconds:.0f} s are left to learn from: "
                + "; ".join(map(str, self._named(dataset, judged, "drop")[:3]))
                + ".",
                "Check what is said in them and by whom, or add other recordings.",
            )
        return judged

    def _named(
        self, dataset: PackedDataset, judged: Sequence[Check], verdict: str
    ) -> list[Dropped]:
        """The clips of this verdict, by the names that they came with."""
        by_name = {clip.path.name: clip for clip in self.clips.clips}
        clips = [by_name[row.name] for row in dataset.rows]
        return [
            Dropped(clip.source or clip.path.name, check.reason, clip.text)
            for clip, check in zip(clips, judged, strict=True)
            if check.verdict == verdict
        ]

    def _packed(self, fresh: bool) -> PackedDataset:
        folder = self.folder / "packed"
        if not fresh and (folder / "index.json").exists():
            return PackedDataset(folder, self.base.config.audio)
        self.told.on_progress(Progress("features", 0, len(self.clips.clips), "clips"))
        speakers = sorted({clip.speaker for clip in self.clips.clips})
        pack(
            self._utterances(speakers),
            folder,
            speakers=speakers,
            symbols=self.base.config.symbols,
            audio=self.base.config.audio,
        )
        return PackedDataset(folder, self.base.config.audio)

    def _utterances(self, speakers: Sequence[str]) -> Iterator[Utterance]:
        clips = sorted(self.clips.clips, key=lambda clip: clip.path.name)
        front_end = self.base.front_end
        sounds = [read_audio(clip.path) for clip in clips]
        embeddings = embed_clips(sounds)
        hop = self.base.config.audio.hop_length
        for clip, sound, embedding in zip(clips, sounds, embeddings, strict=True):
            symbols = front_end.lines([clip.text], clip.language)[0]
            whole = len(sound.samples) // hop * hop
            ids = front_end.ids(symbols)
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

    def _model(self) -> tuple[Vits, VoiceConfig]:
        """The base with the new speakers in place of its own."""
        speakers = tuple(person.speaker for person in self.people)
        vectors = newcomers.starting_vectors(self.base, self.people)
        model = self.base.weights("training from it")
        return with_speakers(model, self.base.config, speakers, vectors)

    def _training(self, model: Vits, source: ClipBatches, steps: int) -> train.Run:
        critics = load_critics(self.base.folder, self.base.config)
        if critics is None:
            torch.manual_seed(self.request.seed)
            critics = Discriminators(self.base.config.discriminators)
        is_native = model.config.decoder == "istft"
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
                drawn_weight=DRAWN_WEIGHT if is_native else 0.0,
                kl_weight=KL_WEIGHT if is_native else 1.0,
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
        an_epoch = source.epoch_length(0)
        frames = sum(source.dataset.frames(i) for i in source.members)
        seconds = frames * config.audio.hop_length / config.audio.sample_rate
        plan = ClonePlan(
            inputs=self.inputs,
            clips=len(source.members) + len(held),
            held_out=len(held),
            seconds=round(seconds, 1),
            batch_size=self.request.batch_size,
            steps=0,
            steps_an_epoch=an_epoch,
            step_seconds=0.0,
        )
        if self.request.quick:
            return plan
        step_seconds = self._measure(source, model, config)
        steps, shortened = _budget(self.request, seconds, an_epoch, step_seconds, plan)
        return replace(plan, steps=steps, step_seconds=round(step_seconds, 3), shortened=shortened)

    def _measure(self, source: ClipBatches, model: Vits, config: VoiceConfig) -> float:
        """Seconds of one step here, tried on a copy that is thrown away."""
        vectors = model.speakers.vectors.detach() if model.speakers is not None else None
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
        source: ClipBatches,
        held: Sequence[int],
    ) -> None:
        """Steps up to each check, then the check; a check that is recorded is not made again."""
        checks = _read_checks(self.folder)
        curves = Curves(self.folder / "curves") if self.request.tensorboard else None
        rate: list[float] = []
        for at in choosing.check_points(plan.steps):
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
            with torch.random.fork_rng(devices=[]):  # what a check draws must not change training
                check = self._check(run, config, source, held)
            self._save_checkpoint(run)
            checks.append(check)
            write_text(self.folder / "checks.json", json.dumps(checks, indent=1) + "\n")
        if curves is not None:
            curves.close()

    def _check(
        self,
        run: train.Run,
        config: VoiceConfig,
        source: ClipBatches,
        held: Sequence[int],
    ) -> dict[str, float]:
        """How the averaged weights do on sentences and clips that training never sees."""
        self.told.on_progress(Progress("listen", run.step, run.total_steps, "steps"))
        model = Vits(config.model, config.audio).to(run.device)
        load_strictly(model, train.averaged_state(run), "the training")
        config = self._suited(model.eval(), config, source)
        voice = replace(
            self.base, model=model, config=config, speaker=config.speakers[0], name=self.name
        )
        spoken = next(
            iter(voice.speak(sample_sentence(voice), language=sample_language(voice))), None
        )
        if spoken is not None:
            name = f"step-{run.step:06d}"
            write_snapshot(self.folder / "samples", name, spoken.audio, config.audio)
        quick = newcomers.judge(
            voice, self.people, count=CHECK_SENTENCES, listen=not self.request.quick
        )
        check = {
            "step": run.step,
            "similarity": round(quick.similarity, 4),
            "score": round(choosing.score(quick.similarity, quick.cer), 4),
        }
        if quick.cer is not None:
            check["cer"] = round(quick.cer, 4)
        if quick.mos_p808 is not None:
            check["mos"] = round(quick.mos_p808, 3)
        if held:
            check["held_out"] = round(_held_out_loss(run, source.dataset, held), 4)
        return check

    def _save_checkpoint(self, run: train.Run) -> None:
        """The averaged weights after this step, until it is known which were best."""
        (self.folder / "best").mkdir(exist_ok=True)
        save_tensors(train.averaged_state(run), self._checkpoint(run.step))

    def _checkpoint(self, step: float) -> Path:
        return self.folder / "best" / f"{step:06.0f}-{WEIGHTS}"

    def _keep(
        self,
        plan: ClonePlan,
        config: VoiceConfig,
        source: ClipBatches,
        critics: Discriminators | None,
    ) -> CloneResult:
        """The best checkpoint becomes a voice in the library, with its card and samples."""
        model = Vits(config.model, config.audio)
        checks = _read_checks(self.folder)
        tensors = load_file(self._checkpoint(choosing.choose(checks)["step"]))
        load_strictly(model, {k: v.float() for k, v in tensors.items()}, "the best checkpoint")
        config = self._suited(model.eval(), config, source)
        with library.incoming() as place:
            save_voice(place, model, config)
            if critics is not None:
                save_critics(place, critics)
            voice = Voice.load(place)
            scores = self._scores(voice)
            card = self._card(plan, checks, scores)
            write_card(place, card)
            for i, speech in enumerate(
                voice.speak(sample_sentence(voice), language=sample_language(voice))
            ):
                write_audio(place / "samples" / f"{i + 1}.flac", speech.audio)
            folder = library.publish(place, self.name, force=True)
        for large in ("state.pt", "best"):  # of no more use
            _remove(self.folder / large)
        dataset = PackedDataset(self.folder / "packed", self.base.config.audio)
        left = self._named(dataset, self.judged, "drop")
        doubtful = self._named(dataset, self.judged, "doubt")
        return CloneResult(self.name, folder, card, (*self.clips.dropped, *left), tuple(doubtful))

    def _scores(self, voice: Voice) -> dict[str, Any]:
        def heard(done: int, total: int) -> None:
            self.told.on_progress(Progress("evaluate", done, total, "sentences"))

        return newcomers.report(
            voice,
            self.people,
            None if self.request.quick else self.base,
            most=QUICK_SENTENCES if self.request.quick else None,
            listen=not self.request.quick,
            on_event=heard,
        )

    def _account(self) -> dict[str, int]:
        """How many clips were used, doubted and left out."""
        found = [check.verdict for check in self.judged]
        return {
            "used": found.count("use"),
            "doubtful": found.count("doubt"),
            "left_out": found.count("drop") + len(self.clips.dropped),
        }

    def _card(
        self, plan: ClonePlan, checks: Sequence[dict[str, float]], scores: dict[str, Any]
    ) -> Card:
        return Card(
            name=self.name,
            who=", ".join(person.speaker.name for person in self.people),
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
                "quick": self.request.quick,
                **choosing.summary(checks),
                "clips": self._account(),
            },
            scores=scores,
            software=software(),
        )


def _budget(
    request: CloneRequest,
    seconds: float,
    steps_an_epoch: int,
    step_seconds: float,
    plan: ClonePlan,
) -> tuple[int, bool]:
    """Steps: as asked for, else by the seconds of audio; and whether that takes too long here."""
    if request.steps is not None:
        return request.steps, False
    if request.epochs is not None:
        return request.epochs * steps_an_epoch, False
    overhead_s = replace(plan, steps=FEWEST_STEPS).estimated_s
    if request.minutes is not None:
        return max(1, int((request.minutes * 60 - overhead_s) / (step_seconds * 1.1))), False
    wanted = seconds * STEPS_PER_SECOND * BATCH_SIZE / request.batch_size
    wanted = min(MOST_STEPS, max(FEWEST_STEPS, wanted))
    time_s = MOST_S * max(1.0, seconds / MOST_S_FOR) - overhead_s
    fitting = max(FEWEST_STEPS, time_s / (step_seconds * 1.1))
    return int(min(wanted, fitting)), fitting < wanted


def _without_doubtful(found: Sequence[Check], clips: Sequence[Clip]) -> list[Check]:
    """What both preparation and suspicion say; those in doubt go where others are enough."""
    checks = []
    for check, clip in zip(found, clips, strict=True):
        reasons = [r for r in (clip.reason, check.reason) if r]
        verdict = "doubt" if clip.verdict == "doubt" and check.verdict == "use" else check.verdict
        checks.append(check if verdict == "drop" else Check(verdict, "; ".join(reasons)))
    sure = [clip for clip, check in zip(clips, checks, strict=True) if check.verdict == "use"]
    if len(sure) < ENOUGH_CLIPS or sum(clip.seconds for clip in sure) < ENOUGH_S:
        return checks
    reason = "{}, and there are enough clips without doubt"
    return [Check("drop", reason.format(c.reason)) if c.verdict == "doubt" else c for c in checks]


def _held_out(dataset: PackedDataset, used: Sequence[int]) -> list[int]:
    """Clips that only judge: of middle length, a tenth of each speaker's, none of a few."""
    held: list[int] = []
    for speaker in range(len(dataset.speakers)):
        own = [i for i in used if dataset.rows[i].speaker == speaker]
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


def summary(result: CloneResult) -> dict[str, Any]:
    """The line of scores, for people and machines."""
    return {"voice": result.name, **dict(result.card.scores)}
