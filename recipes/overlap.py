"""Learn to hear two people at once: `python recipes/overlap.py CORPUS... -o WEIGHTS.safetensors`.

CORPUS is a folder with a manifest.tsv (path, speaker). Windows of 1.6 s of one reader and of two
at -10 to 10 dB, most of them in noise, a room or behind a filter, go through the speaker encoder;
one linear unit (logistic regression) on the mean state of its top layer tells them apart.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

from data.speaker import ENCODER_SAMPLE_RATE as RATE
from data.speaker import LEVEL_DBFS, spoken_part, window_states
from vits.audio import read_audio

WINDOW = round(1.6 * RATE)
WINDOWS_PER_SPEAKER = 4
MIXTURE_DB = 10.0
STRENGTH = 0.01  # inverse of the penalty


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=2900)
    options = parser.parse_args()
    chance = np.random.default_rng(0)
    speakers = windows_of(options.corpora)
    states, labels = examples(speakers, options.count, chance)
    scale = StandardScaler().fit(states)
    unit = LogisticRegression(C=STRENGTH, max_iter=2000).fit(scale.transform(states), labels)
    weight = unit.coef_[0] / scale.scale_
    bias = unit.intercept_[0] - weight @ scale.mean_
    save_file(
        {"weight": np.asarray(weight, np.float32), "bias": np.array(bias, np.float32)},
        options.output,
    )
    print(f"{len(speakers)} readers, {options.count} windows, "
          f"{unit.score(scale.transform(states), labels):.3f} of them told rightly")  # fmt: skip


def windows_of(corpora: list[Path]) -> dict[str, list[np.ndarray]]:
    """A few windows (25600,) of each speaker."""
    found: dict[str, list[np.ndarray]] = {}
    for corpus in corpora:
        with (corpus / "manifest.tsv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                own = found.setdefault(row["speaker"], [])
                if len(own) < WINDOWS_PER_SPEAKER:
                    audio = read_audio(corpus / row["path"])
                    spoken = spoken_part(audio.samples, audio.sample_rate)
                    starts = range(0, len(spoken) - WINDOW, WINDOW)
                    own += [spoken[start : start + WINDOW] for start in starts]
    return {name: own for name, own in sorted(found.items()) if own}


def examples(
    speakers: dict[str, list[np.ndarray]], count: int, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """States (count, 256) of windows, every second one of two people, and which those are."""
    names, windows = list(speakers), []
    for index in range(count):
        one, other = chance.choice(names, 2, replace=False)
        sound = chosen(speakers[one], chance)
        if index % 2:
            louder = 10 ** (chance.uniform(-MIXTURE_DB, MIXTURE_DB) / 20)
            sound = sound + louder * chosen(speakers[other], chance)
        windows.append(levelled(degraded(sound, chance)))
    return window_states(windows), np.arange(count) % 2


def chosen(windows: list[np.ndarray], chance: np.random.Generator) -> np.ndarray:
    sound = windows[chance.integers(len(windows))]
    return 0.05 * sound / (sound.std() + 1e-9)


def degraded(sound: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """One of five as it is; others in white or pink noise, in a room, or without high sounds."""
    kind = chance.integers(5)
    if kind == 0:
        return sound + chance.normal(0, sound.std() * loudness(chance), len(sound))
    if kind == 1:
        spectrum = np.fft.rfft(chance.normal(0, 1, len(sound)))
        pink = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), len(sound))
        return sound + pink * sound.std() / pink.std() * loudness(chance)
    if kind == 2:
        size = int(chance.uniform(0.1, 0.6) * RATE)
        room = chance.normal(0, 1, size) * np.exp(-6.9 * np.arange(size) / size)
        room[0] = 3.0
        return np.convolve(sound, room / np.linalg.norm(room))[: len(sound)]
    if kind == 3:
        spectrum = np.fft.rfft(sound)
        spectrum[int(len(spectrum) * chance.uniform(0.4, 0.9)) :] = 0
        return np.fft.irfft(spectrum, len(sound))
    return sound


def loudness(chance: np.random.Generator) -> float:
    return float(10 ** (-chance.uniform(8, 30) / 20))


def levelled(sound: np.ndarray) -> np.ndarray:
    """As recordings are brought to the encoder: never quieter than its level."""
    gain = 10 ** (LEVEL_DBFS / 20) / (sound.std() + 1e-9)
    return np.clip(sound * max(1.0, gain), -1, 1).astype(np.float32)


if __name__ == "__main__":
    main()
