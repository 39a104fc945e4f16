"""Voices run by onnxruntime, and imported ones beside transformers with the same weights.

One thread, whole path: text to waveform for our own voice, turn about in PyTorch and onnxruntime;
ids to waveform for an imported voice of the paper's size, whose weights are random, turn about with
the model of transformers that it was imported from. Both draw no noise for the durations, so both
make the same seconds of sound.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.settings import LANGUAGE, WARM_UP, Settings, in_fresh_process, set_threads, tell
from bench.table import Row, Target, ratio

MOST_WORK_S = 0.02  # for a second of speech
LEAST_RATIO = 1.3
LEAST_PACE = 2000.0  # characters a second
PACE_CHARACTERS = 20_000
SLOWLY = 0.22  # of the pace of one frame a symbol: five frames
UTTERANCES = ((7, 60), (8, 90), (9, 130))  # seed and symbols


@dataclass(frozen=True)
class Rounds:
    """Seconds of work for a second of speech, in pairs that were measured one after the other."""

    one: tuple[float, ...]
    other: tuple[float, ...]


def onnx(settings: Settings) -> list[Row]:
    """Our own voice in onnxruntime and in PyTorch."""
    found = in_fresh_process(own_rounds, settings.voice, settings.sentences, settings.rounds)
    what = f"text to waveform, {settings.voice_name}, {len(settings.sentences)} sentences, 1 thread"
    return [
        Row(f"onnxruntime, real-time factor, {what}", statistics.median(found.one),
            target=Target(MOST_WORK_S), note=f"median of {len(found.one)}"),
        Row("the same in PyTorch", statistics.median(found.other)),
        Row("onnxruntime: how many times faster than PyTorch", ratio(found.other, found.one),
            "times", Target(1.0, at_least=True)),
    ]  # fmt: skip


def own_rounds(voice_name: str, sentences: Sequence[str], rounds: int) -> Rounds:
    """Both engines say the same, turn about; the graph is made in a library of its own."""
    from vits.voice import Voice

    set_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        home = os.environ.get("CLONE_VOICE_HOME")
        torch_voice = Voice.load(voice_name)
        os.environ["CLONE_VOICE_HOME"] = folder
        onnx_voice = Voice.load(torch_voice.folder, engine="onnx")
        if home is None:
            del os.environ["CLONE_VOICE_HOME"]
        else:
            os.environ["CLONE_VOICE_HOME"] = home

        def work(voice: Voice, seed: int) -> float:
            started, seconds = time.perf_counter(), 0.0
            for sentence in sentences:
                for speech in voice.speak(sentence, language=LANGUAGE, seed=seed):
                    seconds += speech.audio.duration_s
            return (time.perf_counter() - started) / seconds

        for voice in (onnx_voice, torch_voice):
            list(voice.speak(WARM_UP, language=LANGUAGE))
        pairs = []
        for seed in range(rounds):
            pairs.append((work(onnx_voice, seed), work(torch_voice, seed)))
            tell(f"onnx: round {seed + 1} of {rounds}: {pairs[-1][0]:.4f}, {pairs[-1][1]:.4f}")
    return Rounds(tuple(a for a, _ in pairs), tuple(b for _, b in pairs))


def imported(settings: Settings) -> list[Row]:
    """An imported voice of the paper's size beside the transformers model that it came from."""
    found: dict[str, Rounds] = {
        engine: in_fresh_process(imported_rounds, dict(settings.rival), settings.rounds, engine)
        for engine in ("torch", "onnx")
    }
    rows = []
    for engine, rounds in found.items():
        name = {"torch": "PyTorch", "onnx": "onnxruntime"}[engine]
        rows += [
            Row(f"imported voice of the paper's size in {name}, real-time factor, 1 thread",
                statistics.median(rounds.one), note="random weights, ids to waveform"),
            Row("transformers with the same weights, turn about", statistics.median(rounds.other)),
            Row(f"imported voice in {name}: how many times faster",
                ratio(rounds.other, rounds.one), "times", Target(LEAST_RATIO, at_least=True)),
        ]  # fmt: skip
    return rows


def imported_rounds(sizes: Mapping[str, Any], rounds: int, engine: str) -> Rounds:
    """Ids to waveform by both, the same weights, durations and seconds."""
    import torch
    from transformers import VitsConfig, VitsModel

    from vits.formats.importer import ImportRequest, import_voice
    from vits.voice import Voice

    set_threads(1)
    torch.manual_seed(0)
    config = VitsConfig(**{"vocab_size": 60, "speaking_rate": SLOWLY, **sizes})
    config.noise_scale_duration = 0.0
    theirs = VitsModel(config).eval()
    with torch.no_grad():  # an untrained predictor would speak for minutes: one frame a symbol
        theirs.duration_predictor.flows[0].log_scale.fill_(10.0)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CLONE_VOICE_HOME"] = folder  # this process is fresh and ends
        theirs.save_pretrained(f"{folder}/hf")
        Path(folder, "hf", "vocab.json").write_text(
            "{" + ", ".join(f'"{chr(0x100 + i)}": {i}' for i in range(60)) + "}", "utf-8"
        )
        import_voice(ImportRequest(f"{folder}/hf", "theirs"))
        ours = Voice.load("theirs", engine="onnx" if engine == "onnx" else "torch")
        speak = _speaker(ours)
        rows = [
            torch.randint(1, 60, (1, n), generator=torch.Generator().manual_seed(seed))
            for seed, n in UTTERANCES
        ]
        pairs = []
        for number in range(-1, rounds):  # the first does not count
            one = other = seconds = 0.0
            for ids in rows:
                started = time.perf_counter()
                samples = speak(ids)
                one += time.perf_counter() - started
                started = time.perf_counter()
                with torch.inference_mode():
                    made = theirs(ids).waveform.shape[1]
                other += time.perf_counter() - started
                assert samples == made, (samples, made)
                seconds += made / config.sampling_rate
            if number >= 0:
                pairs.append((one / seconds, other / seconds))
                tell(f"imported, {engine}: {pairs[-1][0]:.3f} and {pairs[-1][1]:.3f}")
    return Rounds(tuple(a for a, _ in pairs), tuple(b for _, b in pairs))


def _speaker(voice: Any) -> Callable[[Any], int]:
    """Speaks ids (1, S) with the voice's network; the samples that it made."""
    import torch

    def speak(ids: Any) -> int:
        latents = voice.model.latents(
            ids,
            torch.tensor([ids.shape[1]]),
            torch.tensor([0]),
            noise_scale=voice.config.noise_scale,
            noise_scale_duration=voice.config.noise_scale_duration,
            length_scale=voice.config.length_scale,
            generator=[torch.Generator().manual_seed(0)],
        )
        voice.model.decode(latents.z, latents.lengths, latents.g)
        return int(latents.lengths) * int(voice.config.audio.hop_length)

    return speak


def front_end(settings: Settings) -> list[Row]:
    """Characters of mixed Chinese and English that are read in a second."""
    pace = in_fresh_process(reading_pace, PACE_CHARACTERS)
    return [
        Row(f"text front end, {PACE_CHARACTERS} characters of mixed Chinese and English, 1 thread",
            pace, "characters/s", Target(LEAST_PACE, at_least=True), "after warm-up")
    ]  # fmt: skip


def reading_pace(characters: int) -> float:
    """Characters a second from text to symbols, after as much other text."""
    from vits.text import plan

    set_threads(1)
    for _ in plan(novel(2000, seed=1), language="zh"):
        pass
    text = novel(characters, seed=2)
    started = time.perf_counter()
    count = sum(len(utterance.symbols) for utterance in plan(text, language="zh"))
    assert count > characters / 2
    return len(text) / (time.perf_counter() - started)


def novel(characters: int, seed: int) -> str:
    """Paragraphs of clauses of our Chinese sentences in a new order, with English words between."""
    import re

    from pipelines.evaluate import load_sentences

    chance = random.Random(seed)
    chinese = [*load_sentences("zh"), *load_sentences("zh", "select")]
    clauses = [c for line in chinese for c in re.split("[，。！？；]", line) if c]
    words = [w for line in load_sentences("en") for w in re.findall("[A-Za-z]{3,}", line)]
    text = ""
    while len(text) < characters:
        said = [chance.choice(clauses) for _ in range(chance.randint(2, 4))]
        place = chance.randrange(len(said))
        said[place] += f" {chance.choice(words)} {chance.choice(words)} "
        text += "，".join(said) + chance.choice("。。。！？") + "\n" * (chance.random() < 0.2)
    return text[:characters]
