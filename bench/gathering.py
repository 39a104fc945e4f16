"""An hour as people have it: several speak, music and noise lie between, and one text beside it.

Clips of one reader and of some thirty others are shuffled and joined with silences, music, hum and
hiss between; the words of all who have some stand in one text. What `clone-voice prepare` makes of
it is held against what was put in, and `clone-voice train` takes it as it is.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.commands import command
from bench.preparing import (
    OTHERS,
    RATE,
    READER,
    SILENCE_S,
    Spoken,
    aligned,
    prepare,
    rows_of,
    words_in_place,
)
from bench.settings import Settings, tell
from bench.table import Row, Target

READER_SHARE = 0.75
PEOPLE = 40
NOISE_EVERY, NOISE_S = 5, (1.5, 4.0)
FLOOR = 3e-4  # of the room, -70 dB
CORRECT = 0.95
SOUNDS = ("hiss", "hum", "music")


@dataclass(frozen=True)
class Hour:
    """What was joined: clips with their places, and the seconds of the whole."""

    clips: tuple[Spoken, ...]
    seconds: float

    def owner(self, start_s: float, end_s: float) -> str:
        """Who speaks most of the time between, '' for nobody."""
        heard: Counter[str] = Counter()
        for clip in self.clips:
            heard[clip.speaker] += max(
                0, round(1000 * (min(end_s, clip.end_s) - max(start_s, clip.start_s)))
            )
        name, most = heard.most_common(1)[0]
        return name if most else ""


def gathering(settings: Settings) -> list[Row]:
    """What becomes of such an hour, from the recording to a voice that trains."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        hour = mixed_hour(settings, place / "hour.wav")
        told = "\n".join(clip.text for clip in hour.clips if clip.text)
        (place / "hour.txt").write_text(told, encoding="utf-8")
        tell("gathering: preparing ...")
        took = prepare(settings, [place / "hour.wav"], place / "set")
        report = json.loads((place / "set/report.json").read_text("utf-8"))
        what = f"a mixed hour ({hour.seconds / 60:.0f} min, {len(hour.clips)} clips)"
        return [
            Row(
                f"{what}: prepared",
                hour.seconds / took.seconds,
                "times real time",
                None,
                took.note(hour.seconds),
            ),
            *_account(report, hour),
            *_speakers(report["records"], hour),
            _words(report["records"], hour),
            _trained(settings, place),
        ]


# ---------------------------------------------------------------- what came out


def _account(report: dict[str, Any], hour: Hour) -> list[Row]:
    kinds = report["account"]
    off_s = abs(sum(kinds.values()) - hour.seconds)
    told = ", ".join(f"{kind} {seconds:.0f}" for kind, seconds in kinds.items() if seconds)
    return [Row("... seconds that the report loses or invents", off_s, "s", Target(0.01), told)]


def _speakers(records: Sequence[dict[str, Any]], hour: Hour) -> list[Row]:
    """Seconds, not pieces, since a long piece teaches more."""
    owners = {record["key"]: hour.owner(record["start_s"], record["end_s"]) for record in records}
    seconds: Counter[tuple[bool, bool]] = Counter()
    for record in records:
        is_reader, aside = owners[record["key"]] == READER, record["verdict"] == "drop"
        seconds[is_reader, aside] += round(1000 * (record["end_s"] - record["start_s"]))
    others = seconds[False, True] + seconds[False, False]
    readers = seconds[True, True] + seconds[True, False]
    used = seconds[True, False] + seconds[False, False]
    at_least = Target(CORRECT, at_least=True)
    return [
        Row("... seconds of others left out", seconds[False, True] / max(1, others), "", at_least,
            f"{others / 1000:.0f} s"),
        Row("... seconds of the reader used", seconds[True, False] / max(1, readers), "", at_least,
            f"{readers / 1000:.0f} s"),
        Row("... of the seconds used, the reader's", seconds[True, False] / max(1, used), "",
            at_least),
    ]  # fmt: skip


def _words(records: Sequence[dict[str, Any]], hour: Hour) -> Row:
    tell("gathering: aligning each clip by pocketsphinx ...")
    words = [word for clip in hour.clips if clip.speaker == READER for word in aligned(clip)]
    used = [record for record in records if record["verdict"] != "drop"]
    right = sum(words_in_place(words, r["start_s"], r["end_s"], r["text"]) for r in used)
    note = f"{right} of {len(words)}; those of pieces that are left out count as wrong"
    return Row(
        "... words of the reader in the right clip", 100 * right / len(words), "%", None, note
    )


def _trained(settings: Settings, place: Path) -> Row:
    tell("gathering: training ...")
    words = [*command("clone-voice"), "train", str(place / "set"), "--name", "hour"]
    words += ["--consent", "Recordings given to the public.", "--steps", "2"]
    environment = os.environ | {"CLONE_VOICE_HOME": str(place / "home")}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    last = (done.stdout.strip() or done.stderr.strip()).splitlines()[-1:]
    exists = (place / "home/voices/hour/voice.safetensors").is_file()
    note = "" if exists else f"exit code {done.returncode}: {' '.join(last)[:200]}"
    return Row("... `clone-voice train` takes it", float(exists), "voices",
               Target(1.0, at_least=True), note)  # fmt: skip


# ---------------------------------------------------------------- what goes in


def mixed_hour(settings: Settings, path: Path) -> Hour:
    """Write the hour; the same settings give the same one."""
    from vits.audio import AudioWriter, read_audio, resample

    chance = np.random.default_rng(4)
    now, placed = 0, []
    with AudioWriter(path, RATE) as writer:

        def write(samples: np.ndarray) -> None:
            nonlocal now
            writer.write(samples + chance.normal(0, FLOOR, len(samples)))
            now += len(samples)

        for index, clip in enumerate(_clips(settings)):
            write(np.zeros(int(chance.uniform(*SILENCE_S) * RATE)))
            if index % NOISE_EVERY == 0:
                kind = SOUNDS[index // NOISE_EVERY % len(SOUNDS)]
                write(sound(kind, chance.uniform(*NOISE_S), chance))
                write(np.zeros(int(chance.uniform(*SILENCE_S) * RATE)))
            samples = resample(read_audio(clip.path), RATE).samples
            start_s = now / RATE
            write(samples)
            placed.append(replace(clip, start_s=start_s, end_s=now / RATE))
        write(np.zeros(RATE))
    return Hour(tuple(placed), now / RATE)


def _clips(settings: Settings) -> list[Spoken]:
    """The reader's and others' clips, shuffled together, as many seconds as are asked for."""
    chance = random.Random(4)
    total_s = 60 * settings.minutes * 0.75  # the rest is between them
    own = rows_of(settings.corpora / READER)
    people: dict[str, list[Spoken]] = {}
    for corpus in OTHERS:
        for clip in rows_of(settings.corpora / corpus):
            people.setdefault(clip.speaker, []).append(clip)
    chosen = chance.sample(sorted(people), min(PEOPLE, len(people)))
    others = [clip for name in chosen for clip in people[name]]
    chance.shuffle(own)
    chance.shuffle(others)
    clips = _first(own, READER_SHARE * total_s) + _first(others, (1 - READER_SHARE) * total_s)
    chance.shuffle(clips)
    return clips


def _first(clips: Sequence[Spoken], seconds: float) -> list[Spoken]:
    chosen, left_s = [], seconds
    for clip in clips:
        if left_s <= 0:
            break
        chosen.append(clip)
        left_s -= clip.seconds
    return chosen


def sound(kind: str, seconds: float, chance: np.random.Generator) -> np.ndarray:
    """What lies between people who speak: (T,) of hiss, hum or music."""
    t = np.arange(int(seconds * RATE)) / RATE
    if kind == "hiss":
        spectrum = np.fft.rfft(chance.normal(0, 1, len(t)))
        pink = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), len(t))
        made = 0.03 * pink / pink.std()
    elif kind == "hum":
        made = sum(0.05 / n * np.sin(2 * np.pi * 50 * n * t) for n in range(1, 8))
    else:
        notes = chance.choice(
            [220.0, 262.0, 294.0, 330.0, 392.0, 440.0], (int(seconds / 0.4) + 1, 3)
        )
        pitch = notes[(t / 0.4).astype(int)]
        made = (np.sin(2 * np.pi * pitch * t[:, None]).sum(axis=1)) * (1 - t % 0.4) * 0.08
    fade = np.minimum(1.0, np.minimum(t, t[-1] - t) / 0.05)
    return made * fade
