"""The memory of `clone-voice say` while it reads a long text into a file.

The resident set of the command's process and of any it starts, once a second from its start.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.commands import command
from bench.settings import LANGUAGE, ROOT, Settings, book, tell
from bench.table import Row, Target

MOST_MB = 900.0
MOST_GROWTH = 5.0  # per cent; allocators breathe with the length of the sentences
SETTLED_S = 60.0
TELL_EVERY_S = 60.0


@dataclass(frozen=True)
class Sample:
    """The resident set at a time after the start."""

    at_s: float
    megabytes: float


@dataclass(frozen=True)
class Growth:
    """The resident set once settled, and the most it was from then on."""

    settled_s: float
    settled_mb: float
    most_mb: float

    @property
    def percent(self) -> float:
        return 100.0 * (self.most_mb / self.settled_mb - 1.0)


def memory(settings: Settings) -> list[Row]:
    """The most memory ever, and how much more than at one minute it was later."""
    with tempfile.TemporaryDirectory() as folder:
        text, sound = Path(folder, "book.txt"), Path(folder, "book.flac")
        with text.open("w", encoding="utf-8") as file:
            file.writelines(book(settings.sentences, settings.words))
        words = [*command("clone-voice"), "say", "-i", str(text), "-o", str(sound)]
        words += ["-v", settings.voice, "--language", LANGUAGE, "--device", "cpu"]
        samples = watch(words, Path(folder, "errors.txt"), settings)
        hours = _duration_s(sound) / 3600
    growth = growth_of(samples)
    what = f"clone-voice say, {settings.words} words, {settings.voice_name}"
    took = f"{hours:.2f} h of speech in {samples[-1].at_s / 60:.1f} min"
    peak = max(sample.megabytes for sample in samples)
    return [
        Row(f"memory of {what}: the most", peak, "MB", Target(MOST_MB), took),
        Row(
            f"memory of {what}: growth after the first minute",
            growth.percent,
            "%",
            Target(MOST_GROWTH) if growth.settled_s >= SETTLED_S else None,
            _growth_note(growth),
        ),
    ]


def watch(
    words: Sequence[str],
    errors: Path,
    settings: Settings,
    accepted: Sequence[int] = (0,),
    measure: Callable[[int], float] | None = None,
) -> list[Sample]:
    """Run a command and sample its memory until it ends. Raises RuntimeError if it fails.

    `measure` gives the megabytes of a process and its children: `resident_mb` unless given.
    """
    environment = os.environ | (
        {"OMP_NUM_THREADS": str(settings.threads)} if settings.threads else {}
    )
    samples: list[Sample] = []
    with errors.open("wb") as file:
        started = told = time.monotonic()
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=file
        )
        try:
            while process.poll() is None:
                now = time.monotonic()
                if megabytes := (measure or resident_mb)(process.pid):
                    samples.append(Sample(now - started, megabytes))
                if now - told >= TELL_EVERY_S and samples:
                    told = now
                    tell(f"memory: {samples[-1].at_s:.0f} s, {samples[-1].megabytes:.0f} MB")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(settings.sample_every_s)
        finally:
            process.kill()  # does nothing to one that has ended
            process.wait()
    if process.returncode not in accepted or not samples:
        said = errors.read_text("utf-8", "replace").strip().splitlines()[-3:]
        raise RuntimeError(f"it ended with {process.returncode}: {' '.join(said)}")
    return samples


def resident_mb(pid: int) -> float:
    """The resident set of a process and its children in MB; 0 once it is gone."""
    import psutil  # type: ignore[import-untyped]

    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        whole = psutil.Process(pid)
        for process in (whole, *whole.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total / 1e6


def proportional_mb(pid: int) -> float:
    """As `resident_mb`, what processes share counted once; the resident sets off Linux."""
    import psutil

    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        whole = psutil.Process(pid)
        for process in (whole, *whole.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                full = process.memory_full_info()
                total += getattr(full, "pss", full.rss)
    return total / 1e6


def growth_of(samples: Sequence[Sample], settled_s: float = SETTLED_S) -> Growth:
    """From the first minute on, or from the middle of a run that ended sooner."""
    after = [sample for sample in samples if sample.at_s >= settled_s]
    if not after:
        after = list(samples[len(samples) // 2 :])
    return Growth(after[0].at_s, after[0].megabytes, max(s.megabytes for s in after))


def _growth_note(growth: Growth) -> str:
    note = f"{growth.settled_mb:.0f} MB at {growth.settled_s:.0f} s, at most {growth.most_mb:.0f}"
    if growth.settled_s < SETTLED_S:
        note += " MB later; THE RUN ENDED BEFORE ONE MINUTE, measured from its middle"
        return note
    return f"{note} MB later"


def _duration_s(sound: Path) -> float:
    import soundfile

    return float(soundfile.info(sound).duration)
