"""Audiobooks as they are made by the commands: speed, memory, again, an edit, workers, Ray, kills.

The books are of random words, since sentences that come twice are spoken once: a book of sentences
from a list would look many times faster than any real one.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.commands import command
from bench.machine import load
from bench.memory import growth_of, proportional_mb, watch
from bench.settings import ROOT, Settings, tell
from bench.table import Row, Target

FASTER, MOST_MB, AGAIN, EDITED, SCALING, RAY = 40.0, 1200.0, 2.0, 3.0, 1.7, 0.9
ENCODED_S = 600.0  # of sound, to time the encoder alone


@dataclass(frozen=True)
class Run:
    """One run of the command: wall-clock seconds, those of processors, and what it told."""

    seconds: float
    cpu_s: float
    told: dict[str, Any]

    @property
    def speed(self) -> float:
        return float(self.told["duration_s"]) / self.seconds


def novel(settings: Settings, chapters: int, seed: int = 0, edited: bool = False) -> str:
    """A text of `settings.words` random words in so many chapters, in sentences of 6 to 22."""
    chance = random.Random(seed)
    chinese = settings.language == "zh"
    known = _vocabulary(settings, chinese)
    parts = ["Title: A Novel", "Author: Ann Other", ""]
    for number in range(1, chapters + 1):
        parts.append(f"第{number}章" if chinese else f"Chapter {number}")
        parts.append("")
        left = settings.words // chapters
        while left > 0:
            count = chance.randint(3, 7)
            sentences = [_sentence(chance, known, chinese) for _ in range(count)]
            left -= sum(len(s) // 2 if chinese else s.count(" ") + 1 for s in sentences)
            parts += [("" if chinese else " ").join(sentences), ""]
    if edited:
        place = len(parts) // 2 // 2 * 2
        parts[place] += " 他又走了。" if chinese else " And then she went away again."
    return "\n".join(parts)


def _vocabulary(settings: Settings, chinese: bool) -> list[str]:
    text = " ".join(settings.sentences)
    if chinese:
        return sorted(set(re.findall(r"[\u4e00-\u9fff]{2}", text)))
    return sorted({word.lower() for word in re.findall(r"[A-Za-z]+", text)})


def _sentence(chance: random.Random, known: Sequence[str], chinese: bool) -> str:
    words = chance.choices(known, k=chance.randint(6, 22))
    if chinese:
        return "".join(words) + "。"
    return " ".join(words).capitalize() + "."


def make(settings: Settings, source: Path, out: Path, *more: str) -> Run:
    """Run `story audiobook`. Raises RuntimeError if it fails."""
    words = [*command("story"), "audiobook", str(source), "-o", str(out), "-v", settings.voice]
    words += ["--device", "cpu", "--language", settings.language, "--json", *more]
    started, used = time.perf_counter(), _children_s()
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds, cpu_s = time.perf_counter() - started, _children_s() - used
    if ended.returncode:
        raise RuntimeError(f"{' '.join(words)}: {ended.stderr.strip()[-300:]}")
    run = Run(seconds, cpu_s, json.loads(ended.stdout.splitlines()[-1]))
    took = f"{seconds:.1f} s, {cpu_s:.1f} s of processors, load {load() or 0:.1f}"
    tell(f"audiobook {' '.join(more)}: {run.told['duration_s']:.0f} s in {took}")
    return run


def _children_s() -> float:
    """Seconds of processors that ended children and theirs have used."""
    times = os.times()
    return times.children_user + times.children_system


def audiobook(settings: Settings) -> list[Row]:
    """Speed of a whole book, the encoder apart; the same again; one sentence changed."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "novel.txt"), Path(folder, "out")
        source.write_text(novel(settings, settings.chapters), "utf-8")
        first = make(settings, source, out)
        encoder = _encoder_speed(out)
        again = make(settings, source, out)
        source.write_text(novel(settings, settings.chapters, edited=True), "utf-8")
        edited = make(settings, source, out)
    hours = first.told["duration_s"] / 3600
    what = f"audiobook of {hours:.2f} h, {settings.chapters} chapters, {settings.language}"
    spoken = f"{edited.told['spoken']} sentence spoken"
    return [
        Row(f"{what}: seconds of sound a second", first.speed, "times", Target(FASTER, True),
            f"{settings.voice_name}; {first.seconds:.0f} s, {first.cpu_s:.0f} s of processors"),
        Row(f"{what}: of which the AAC encoder",
            100 * first.told["duration_s"] / encoder / first.cpu_s, "%",
            note=f"it alone, on one core: {encoder:.0f} times real time"),
        Row(f"{what}: again, nothing changed", 100 * again.seconds / first.seconds, "%",
            Target(AGAIN), _times(again, first)),
        Row(f"{what}: one sentence changed", 100 * edited.seconds / first.seconds, "%",
            Target(EDITED), f"{_times(edited, first)}, {spoken}"),
    ]  # fmt: skip


def _times(run: Run, first: Run) -> str:
    cpu = f"of processors {run.cpu_s:.1f} s of {first.cpu_s:.0f} s"
    return f"{run.seconds:.1f} s of {first.seconds:.0f} s; {cpu}"


def _encoder_speed(out: Path) -> float:
    """How many times faster than it plays one core encodes what was made."""
    from pipelines.media.m4b import BIT_RATE
    from vits.audio import AudioWriter, read_audio

    audio = read_audio(next(out.glob(".shelf/*/work/chapters/*.m4a")))
    samples = audio.samples[: int(ENCODED_S * audio.sample_rate)]
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        with AudioWriter(Path(folder, "a.m4a"), audio.sample_rate, bit_rate=BIT_RATE) as writer:
            writer.write(samples)
        return len(samples) / audio.sample_rate / (time.process_time() - started)


def audiobook_memory(settings: Settings) -> list[Row]:
    """The most that the command and its workers had in memory, and how it grew."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "novel.txt"), Path(folder, "out")
        source.write_text(novel(settings, settings.chapters), "utf-8")
        words = [*command("story"), "audiobook", str(source), "-o", str(out)]
        words += ["-v", settings.voice, "--language", settings.language, "--device", "cpu"]
        samples = watch(words, Path(folder, "errors.txt"), settings, measure=proportional_mb)
    growth = growth_of(samples)
    peak = max(sample.megabytes for sample in samples)
    what = f"memory of an audiobook of {settings.words} words"
    took = f"all processes, shared pages counted once, in {samples[-1].at_s / 60:.1f} min"
    return [
        Row(f"{what}: the most", peak, "MB", Target(MOST_MB), took),
        Row(f"{what}: growth after the first minute", growth.percent, "%", Target(10.0),
            f"{growth.settled_mb:.0f} MB at {growth.settled_s:.0f} s"),
    ]  # fmt: skip


def audiobook_workers(settings: Settings) -> list[Row]:
    """Two workers against one, and Ray against local processes."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "novel.txt")
        source.write_text(novel(settings, settings.chapters), "utf-8")
        one = make(settings, source, Path(folder, "one"), "--workers", "1")
        two = make(settings, source, Path(folder, "two"), "--workers", "2")
        ray = make(settings, source, Path(folder, "ray"), "--workers", "2", "--executor", "ray")
    size = f"a book of {two.told['duration_s'] / 60:.0f} min"
    return [
        Row(f"2 workers against 1, {size}", one.seconds / two.seconds, "times",
            Target(SCALING, True), _both(one, two)),
        Row(f"Ray against local, {size}, starting included", two.seconds / ray.seconds, "times",
            Target(RAY, True), _both(ray, two)),
    ]  # fmt: skip


def _both(one: Run, other: Run) -> str:
    cpu = f"of processors {one.cpu_s:.0f} s and {other.cpu_s:.0f} s"
    return f"{one.seconds:.0f} s and {other.seconds:.0f} s; {cpu}"


# ---------------------------------------------------------------- kills


def shelf_kills(settings: Settings) -> list[Row]:
    """A shelf killed at random moments: what differs from one made in peace, what is said twice."""
    with tempfile.TemporaryDirectory() as folder:
        books = Path(folder, "books")
        books.mkdir()
        for number in range(settings.books):
            text = novel(settings, 3, seed=number).replace("A Novel", f"Novel {number}")
            (books / f"{number}.txt").write_text(text, "utf-8")
        started = time.monotonic()
        _shelf(settings, books, Path(folder, "peace")).wait()
        took = time.monotonic() - started
        count = _killed(settings, books, Path(folder, "killed"), took)
        peace, killed = (_contents(Path(folder, name)) for name in ("peace", "killed"))
        twice = _records(Path(folder, "killed")) - _records(Path(folder, "peace"))
    different = sum(killed.get(name) != data for name, data in peace.items())
    what = f"shelf of {settings.books} books, {count} kills"
    return [
        Row(f"{what}: books that differ", different, target=Target(0),
            note=f"{len(peace)} files compared"),
        Row(f"{what}: sentences kept twice", twice, target=Target(0)),
    ]  # fmt: skip


def _shelf(settings: Settings, books: Path, out: Path) -> subprocess.Popen[bytes]:
    words = [*command("story"), "batch", str(books), "-o", str(out), "-v", settings.voice]
    words += ["--language", settings.language, "--device", "cpu"]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            start_new_session=True)  # fmt: skip


def _killed(settings: Settings, books: Path, out: Path, took_s: float) -> int:
    """Run the shelf, killed with all its workers again and again; how often it was."""
    chance = random.Random(0)
    count = 0
    for number in range(1, settings.kills + 1):
        run = _shelf(settings, books, out)
        try:
            run.wait(timeout=chance.uniform(0.5, max(1.0, 0.5 * took_s)))
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, 9)
            run.wait()
            count += 1
        tell(f"kill {number} of {settings.kills}")
    _shelf(settings, books, out).wait()
    return count


def _contents(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.glob("*/*.m4b")}


def _records(out: Path) -> int:
    from pipelines.books.packs import record_count

    return sum(record_count(path) for path in out.rglob("*.pack"))
