"""The base voice, from recordings to the folder that ships: `python recipes/base.py STAGE`.

Stages, each resumable, in this order (`recipes/base.sh` runs them all):

pack         recordings -> one packed folder: trimmed, levelled, embedded, phonemes
align        durations of every symbol, by flat-start alignment
autoencoder  posterior encoder and decoder on segments of everything, no text, no critics
critics      decoder and critics on segments, the posterior encoder standing still
prior        text encoder, flow and durations on whole utterances, latents standing still
join         one model of the two; then everything together for a while
export       the voice folder, with speakers, card and critics

`critics` and `prior` start from the same weights and touch different parts, so they can run at the
same time, one thread each: small networks gain little from more.

    recipes/base.sh CORPORA WORK vits/bases/base
"""

from __future__ import annotations

import csv
import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import click
import numpy as np
import torch
from safetensors.numpy import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data.align import align_corpus, alignment_features
from data.cleaning import clean
from data.dataset import BucketSampler, CropSampler, PackedDataset, Utterance, pack
from data.speaker import centroid, embed_clips
from pipelines.evaluate import evaluate_voice
from vits.audio import read_audio
from vits.card import Card, read_card, write_card
from vits.checkpoint import (
    WEIGHTS,
    Speaker,
    VoiceConfig,
    load_config,
    load_critics,
    load_strictly,
    read_tensors,
    save_critics,
    save_voice,
    with_speakers,
)
from vits.config import DiscriminatorConfig, TrainConfig, VitsConfig
from vits.discriminators import Discriminators
from vits.layers import add_weight_norm
from vits.model import Batch, Vits
from vits.text import phonemize_lines
from vits.text.symbols import SYMBOLS
from vits.train import Run, load_state, train
from vits.voice import Voice

log = logging.getLogger(__name__)

# corpus -> how often it is heard, in segments and in sentences; bandwidth in Hz
CORPORA = {
    "kathleen": (3.0, 3.0, 11025.0),
    "kerstin": (1.0, 0.15, 11025.0),
    "speechocean": (0.7, 0.6, 8000.0),
    "librispeech": (1.5, 0.0, 8000.0),
}
LONGEST_FRAMES = 900
PARTS = ("text_encoder", "posterior_encoder", "flow", "duration_predictor", "decoder", "speakers")
PRIOR = ("text_encoder", "flow", "duration_predictor")
"""Parts that the stage `prior` trains; the others come from `critics`."""


@dataclass
class Segments:
    """Random segments of every recording, as a training source."""

    dataset: PackedDataset
    batch_size: int
    n_frames: int
    seed: int
    sampler: CropSampler = field(init=False)

    def __post_init__(self) -> None:
        frames = [self.dataset.frames(i) for i in range(len(self.dataset))]
        weights = [CORPORA[_corpus(self.dataset, i)][0] for i in range(len(self.dataset))]
        self.sampler = CropSampler(frames, self.batch_size, self.n_frames, self.seed, weights)

    def epoch_length(self, epoch: int) -> int:
        return 1000

    def batch(self, epoch: int, position: int) -> Batch:
        return self.dataset.crops(*self.sampler.step(1000 * epoch + position), self.n_frames)


@dataclass
class Sentences:
    """Whole utterances with text; `aligned` takes the durations that the stage `align` found."""

    dataset: PackedDataset
    batch_size: int
    seed: int
    aligned: bool
    members: list[int] = field(init=False)
    _epoch: tuple[int, list[list[int]]] = field(default=(-1, []))

    def __post_init__(self) -> None:
        data = self.dataset
        self.members = [
            i
            for i in range(len(data))
            if CORPORA[_corpus(data, i)][1] > 0
            and data.known_durations(i) is not None
            and data.frames(i) <= LONGEST_FRAMES
        ]

    def _batches(self, epoch: int) -> list[list[int]]:
        if self._epoch[0] != epoch:
            frames = [self.dataset.frames(i) for i in self.members]
            weights = [CORPORA[_corpus(self.dataset, i)][1] for i in self.members]
            sampler = BucketSampler(frames, self.batch_size, self.seed, weights)
            self._epoch = epoch, sampler.epoch(epoch)
        return self._epoch[1]

    def epoch_length(self, epoch: int) -> int:
        return len(self._batches(epoch))

    def batch(self, epoch: int, position: int) -> Batch:
        chosen = [self.members[i] for i in self._batches(epoch)[position]]
        return self.dataset.batch(chosen, aligned=self.aligned)


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


def _corpus(dataset: PackedDataset, i: int) -> str:
    return dataset.rows[i].name.split("/")[0]


def _work(work: Path) -> tuple[PackedDataset, Vits]:
    dataset = PackedDataset(work)
    torch.manual_seed(0)
    return dataset, Vits(VitsConfig(n_symbols=len(dataset.symbols)))


def _start_from(model: torch.nn.Module, state: Path, parts: Sequence[str] = ()) -> None:
    """Take the averaged weights of a stage, all of them or those of some parts."""
    saved = torch.load(state / "state.pt", map_location="cpu", weights_only=True)
    weights = saved["model"] | saved["ema"]
    if parts:
        weights = {k: v for k, v in weights.items() if k.startswith(tuple(parts))}
    add_weight_norm(model)
    _, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected, unexpected


def _train(run: Run, every: int = 50) -> None:
    """Train with a line of mean losses every so many steps."""
    resumed = load_state(run)
    click.echo(f"{run.folder.name}: {'resumed at' if resumed else 'from'} step {run.step}")
    seen: dict[str, list[float]] = {}
    started = time.perf_counter()
    for step in train(run):
        for name, value in step.losses.items():
            seen.setdefault(name, []).append(value)
        if step.step % every == 0:
            means = "  ".join(f"{name} {np.mean(values):.3f}" for name, values in seen.items())
            seconds = (time.perf_counter() - started) / every
            click.echo(f"{step.step}/{step.total_steps}  {seconds:.2f} s a step  {means}")
            seen, started = {}, time.perf_counter()


@click.group()
@click.option("--threads", default=0, help="Threads for torch; 0 leaves torch's choice.")
def main(threads: int) -> None:
    """Make the base voice."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if threads:
        torch.set_num_threads(threads)


work_option = click.option("--work", type=click.Path(path_type=Path), required=True)
steps_option = click.option("--steps", type=int, default=None)
Precision = Literal["float32", "bf16", "fp16"]
precision_option = click.option(
    "--precision",
    type=click.Choice(["float32", "bf16"]),
    default="float32",
    help="bf16 is faster where the processor knows it (AVX512-BF16, AMX, a GPU).",
)


@main.command("pack")
@click.option("--corpora", type=click.Path(path_type=Path, exists=True), required=True)
@work_option
def pack_command(corpora: Path, work: Path) -> None:
    """Read, clean, embed and phonemize every recording."""
    rows = list(_manifests(corpora))
    speakers = list(dict.fromkeys(row["speaker"] for _, row in rows))
    lines: dict[str, tuple[str, ...]] = {}
    for language in ("en", "de"):
        own = [(c, r) for c, r in rows if r["language"] == language and r["text"].strip()]
        spoken = phonemize_lines([row["text"] for _, row in own], language)
        lines |= {f"{c}/{r['path']}": s for (c, r), s in zip(own, spoken, strict=True)}
    pack(_utterances(corpora, rows, speakers, lines), work, speakers=speakers, symbols=SYMBOLS)
    genders = {row["speaker"]: row["gender"] for _, row in rows}
    (work / "genders.json").write_text(json.dumps(genders), encoding="utf-8")


def _manifests(corpora: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for corpus in CORPORA:
        with open(corpora / corpus / "manifest.tsv", encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield corpus, row | {"text": row.get("text") or ""}


def _utterances(
    corpora: Path,
    rows: Sequence[tuple[str, dict[str, str]]],
    speakers: Sequence[str],
    lines: dict[str, tuple[str, ...]],
) -> Iterator[Utterance]:
    table = {symbol: i for i, symbol in enumerate(SYMBOLS)}
    for at in range(0, len(rows), 64):
        some = rows[at : at + 64]
        sounds = [clean(read_audio(corpora / c / r["path"]), 22050) for c, r in some]
        embeddings = embed_clips(sounds)
        for (corpus, row), sound, embedding in zip(some, sounds, embeddings, strict=True):
            name = f"{corpus}/{row['path']}"
            whole = len(sound.samples) // 256 * 256
            yield Utterance(
                name,
                speakers.index(row["speaker"]),
                row["language"],
                np.round(sound.samples[:whole] * 32767).astype(np.int16),
                np.array([table[s] for s in lines.get(name, ())], dtype=np.int32),
                embedding,
                CORPORA[corpus][2],
            )


@main.command()
@work_option
def align(work: Path) -> None:
    """Find the duration of every symbol, one language at a time."""
    dataset = PackedDataset(work)
    durations = np.zeros_like(dataset.ids)
    for language in ("en", "de"):
        own = [
            i
            for i, row in enumerate(dataset.rows)
            if row.language == language and 0 < row.n_ids <= dataset.frames(i)
        ]
        features = [alignment_features(dataset.waveform(i).numpy(), 22050, 256) for i in own]
        ids = [dataset.text_ids(i).numpy().astype(np.int32) for i in own]
        for i, found in zip(own, align_corpus(features, ids, len(SYMBOLS)), strict=True):
            row = dataset.rows[i]
            durations[row.first_id : row.first_id + row.n_ids] = found
    arrays = load_file(work / "arrays.safetensors") | {"durations": durations}
    save_file(arrays, work / "arrays.safetensors")


@main.command()
@work_option
@steps_option
def autoencoder(work: Path, steps: int | None) -> None:
    """Posterior encoder and decoder on segments, without critics."""
    dataset, model = _work(work)
    config = TrainConfig(
        batch_size=16,
        learning_rate=8e-4,
        warmup_steps=200,
        ema_decay=0.998,
    )
    source = Segments(dataset, 16, 40, seed=0)
    _train(
        Run(
            model,
            None,
            source,
            config,
            steps or 2600,
            work / "stage_a",
            objective="autoencoder",
            frozen=PRIOR,
        )
    )


@main.command()
@work_option
@steps_option
def critics(work: Path, steps: int | None) -> None:
    """Decoder and critics on segments."""
    dataset, model = _work(work)
    _start_from(model, work / "stage_a")
    config = TrainConfig(
        batch_size=16,
        learning_rate=4e-4,
        discriminator_learning_rate=4e-4,
        warmup_steps=50,
        ema_decay=0.999,
    )
    torch.manual_seed(7)
    _train(
        Run(
            model,
            Discriminators(DiscriminatorConfig()),
            Segments(dataset, 16, 32, seed=1),
            config,
            steps or 8000,
            work / "stage_b",
            objective="autoencoder",
            frozen=(*PRIOR, "posterior_encoder", "speakers"),
        )
    )


@main.command()
@work_option
@steps_option
def prior(work: Path, steps: int | None) -> None:
    """Text encoder, flow and durations on whole utterances."""
    dataset, model = _work(work)
    _start_from(model, work / "stage_a")
    config = TrainConfig(
        batch_size=12,
        learning_rate=8e-4,
        warmup_steps=200,
        decay_to=0.05,
        ema_decay=0.998,
        betas=(0.9, 0.98),
    )
    _train(
        Run(
            model,
            None,
            Sentences(dataset, 12, seed=0, aligned=True),
            config,
            steps or 2400,
            work / "stage_c",
            objective="prior",
            frozen=("posterior_encoder", "decoder", "speakers"),
        )
    )


@main.command()
@work_option
@steps_option
@click.option("--base", type=click.Path(path_type=Path), help="A voice to start from instead.")
@precision_option
def join(work: Path, steps: int | None, base: Path | None, precision: Precision) -> None:
    """Put the parts together, then train everything but critics, known durations."""
    dataset, model = _work(work)
    if base is None:
        _start_from(model, work / "stage_b")
        _start_from(model, work / "stage_c", PRIOR)
    else:
        _start_from_voice(model, base)
    config = TrainConfig(
        batch_size=12,
        learning_rate=3e-4,
        warmup_steps=200,
        decay_to=0.2,
        segment_frames=40,
        drawn_weight=22.5,
        ema_decay=0.998,
        betas=(0.9, 0.98),
    )
    sentences = Sentences(dataset, 12, seed=2, aligned=True)
    source = Mixed(sentences, Segments(dataset, 16, 40, seed=3), every=5)
    _train(Run(model, None, source, config, steps or 4000, work / "stage_d", precision=precision))


def _start_from_voice(model: Vits, folder: Path) -> None:
    """Take the weights of a voice that ships; its own speakers are of no use here."""
    tensors = read_tensors(folder / WEIGHTS)
    tensors["speakers.vectors"] = model.state_dict()["speakers.vectors"]
    load_strictly(model, tensors, str(folder))


@main.command()
@work_option
@steps_option
@click.option(
    "--base", type=click.Path(path_type=Path), help="A voice whose critics to start from."
)
@precision_option
def finish(work: Path, steps: int | None, base: Path | None, precision: Precision) -> None:
    """Train everything together, critics listening to posterior and prior alike."""
    dataset, model = _work(work)
    _start_from(model, work / "stage_d")
    config = TrainConfig(
        batch_size=12,
        learning_rate=2e-4,
        discriminator_learning_rate=2e-4,
        warmup_steps=50,
        segment_frames=32,
        drawn_weight=22.5,
        ema_decay=0.998,
    )
    sentences = Sentences(dataset, 12, seed=4, aligned=True)
    source = Mixed(sentences, Segments(dataset, 12, 32, seed=5), every=5)
    critics = _critics(work, base)
    _train(
        Run(model, critics, source, config, steps or 3000, work / "stage_e", precision=precision)
    )


def _critics(work: Path, base: Path | None) -> Discriminators:
    """Critics with the weights of the stage `critics`, or of a voice that ships."""
    if base is not None:
        found = load_critics(base, load_config(base))
        assert found is not None, f"{base} has no critics"
        return found
    discriminators = Discriminators(DiscriminatorConfig())
    saved = torch.load(work / "stage_b" / "state.pt", map_location="cpu", weights_only=True)
    add_weight_norm(discriminators)
    discriminators.load_state_dict(saved["critics"])
    return discriminators


@main.command()
@work_option
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--sound", default="stage_e", help="The stage that ships.")
def export(work: Path, output: Path, sound: str) -> None:
    """Write the voice folder that ships."""
    dataset, model = _work(work)
    _start_from(model, work / sound)
    if sound not in ("stage_d", "stage_e"):
        _start_from(model, work / "stage_c", PRIOR)
    speakers, vectors = [], []
    for speaker, source in SPEAKERS.items():
        number = dataset.speakers.index(source)
        own = [i for i, row in enumerate(dataset.rows) if row.speaker == number]
        vectors.append(centroid(dataset.embeddings[own]))
        speakers.append(speaker)
    config = VoiceConfig(
        model=model.config,
        audio=model.audio,
        symbols=tuple(SYMBOLS),
        languages=("en",),
        noise_scale=0.4,
    )
    model, config = with_speakers(
        model, config, tuple(speakers), torch.from_numpy(np.stack(vectors))
    )
    save_voice(output, model, config)
    saved = torch.load(work / sound / "state.pt", map_location="cpu", weights_only=True)
    if "critics" in saved:
        discriminators = Discriminators(DiscriminatorConfig())
        add_weight_norm(discriminators)
        discriminators.load_state_dict(saved["critics"])
        save_critics(output, discriminators)
    write_card(output, _card(work, dataset))
    click.echo(f"{output}: {', '.join(s.name for s in speakers)}")


@main.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
def score(output: Path) -> None:
    """Measure how well each speaker is understood, and write it into the card."""
    scores = {}
    for speaker in SPEAKERS:
        voice = Voice.load(f"{output}:{speaker.name}")
        own = [speech.audio for speech in voice.speak(SENTENCE)]
        measured = evaluate_voice(voice, own, language="en")
        scores[speaker.name] = {
            "cer": round(measured.cer or 0, 3),
            "wer": round(measured.wer or 0, 3),
        }
        click.echo(f"{speaker.name}: {scores[speaker.name]}")
        asr = measured.asr
    card = replace(read_card(output), scores={"asr": asr, "sentences": 20, "speakers": scores})
    write_card(output, card)


SENTENCE = "The morning train was late, so we drank our tea and told each other stories."

# who the base speaks as -> whose recordings; readers without a name got one
SPEAKERS = {
    Speaker("kathleen", "female", "en"): "kathleen",
    Speaker("kerstin", "female", "en"): "kerstin",
    Speaker("arthur", "male", "en"): "LS374",
    Speaker("edmund", "male", "en"): "LS1688",
}


def _card(work: Path, dataset: PackedDataset) -> Card:
    hours = sum(row.length for row in dataset.rows) / 22050 / 3600
    return Card(
        name="base",
        who="Several readers; see the sources.",
        consent="The recordings were published by their speakers or with their agreement.",
        licence="Apache-2.0, with credit to the sources",
        clips=len(dataset.rows),
        seconds=round(hours * 3600, 1),
        sources=SOURCES,
        training={
            "recipe": "recipes/base.sh",
            "steps": _steps(work),
            "speakers": {speaker.name: source for speaker, source in SPEAKERS.items()},
        },
        software="clone-voice 0.1.0",
    )


def _steps(work: Path) -> dict[str, int]:
    """How far each stage got."""
    states = sorted(work.glob("stage_*/state.pt"))
    return {
        path.parent.name: torch.load(path, map_location="cpu", weights_only=True)["step"]
        for path in states
    }


SOURCES = (
    {
        "name": "rhasspy/dataset-voice-kathleen",
        "licence": "CC0 1.0",
        "what": "one woman, US English, CMU Arctic prompts",
    },
    {"name": "rhasspy/dataset-voice-kerstin", "licence": "CC0 1.0", "what": "one woman, German"},
    {
        "name": "speechocean762",
        "licence": "free for commercial and non-commercial use",
        "what": "122 adults, Mandarin speakers reading English; cite speechocean762",
    },
    {
        "name": "LibriSpeech",
        "licence": "CC BY 4.0",
        "what": "261 English readers, without text; credit LibriSpeech",
    },
)


if __name__ == "__main__":
    main()
