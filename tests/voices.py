"""Real speech for the tests that need some: the clips of the example, and rooms to say them in."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np

from vits.audio import Audio, read_audio, resample, write_audio

CLIPS = Path(__file__).resolve().parent.parent / "examples" / "clips" / "lj"
RATE = 22050


@cache
def reader(count: int = 6) -> tuple[tuple[Audio, str], ...]:
    """The first clips of the example's reader, shortest first, with their words."""
    with (CLIPS / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = [(resample(read_audio(CLIPS / row["path"]), RATE), row["text"]) for row in rows]
    return tuple(sorted(found, key=lambda pair: pair[0].duration_s)[:count])


def joined(clips: list[Audio], gap_s: float = 0.9, noise: float = 2e-4) -> Audio:
    """Clips one after the other in a quiet room."""
    random = np.random.default_rng(0)
    silence = np.zeros(int(gap_s * RATE), np.float32)
    parts = [silence]
    for clip in clips:
        parts += [clip.samples, silence]
    samples = np.concatenate(parts)
    return Audio((samples + random.normal(0, noise, len(samples))).astype(np.float32), RATE)


def other_voice(audio: Audio, factor: float = 1.35) -> Audio:
    """The same words from a larger head: slower and lower, another person to any listener."""
    slower = resample(Audio(audio.samples, round(RATE / factor)), RATE)
    return Audio(slower.samples, RATE)


def save(path: Path, audio: Audio) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, audio)
    return path
